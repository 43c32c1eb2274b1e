//! A state crosses a reload.
//!
//! What a state [saves](State::save) under names it also hands over directly,
//! which takes milliseconds where paper takes a second: most targets of a new
//! policy stand where they stood, one after another, and those that do not are
//! found by name. What the new policy does not declare any more is dropped.
//!
//! **Invariant:** what is carried is what would be restored from paper.

use rhumb_zones::{Model, Service, ServiceId, TargetId, VipId};
use rustc_hash::FxHashMap;
use serde_json::json;

use super::save::Paper;
use super::{Memory, Preferred, Recoveries, State};
use crate::chunks::Chunks;
use crate::mask::{Slot, VipMask};
use crate::part::Part;
use crate::statuses::{Families, Family, Record};
use crate::world::World;

/// Which targets of a policy are which of the next one.
#[derive(Debug)]
pub struct Renames(Vec<Option<TargetId>>);

impl Renames {
    /// Compares the names of all targets.
    #[must_use]
    pub fn new(old: &Model, new: &Model) -> Self {
        let mut next = 0;
        let same = old.targets().iter().map(|target| {
            let is_next = new.targets().get(next).is_some_and(|one| one.name == target.name);
            let id = if is_next { Some(TargetId::new(next)) } else { new.target_named(&target.name) };
            next = id.map_or(next, |id| id.index() + 1);
            id
        });
        Self(same.collect())
    }

    /// What a target of the old policy is in the new one.
    #[must_use]
    pub fn target(&self, old: TargetId) -> Option<TargetId> {
        self.0[old.index()]
    }
}

impl State {
    /// What is remembered of `old`, as far as `new` still knows it. It must be
    /// advanced before it is asked.
    #[must_use]
    pub fn carry(&self, old: &World, new: &World, renames: &Renames) -> Self {
        let mut state = Self::default();
        let records = &mut state.statuses.records;
        *records = Chunks::filled(&Record::UNSEEN, new.model().targets().len());
        for (index, record) in self.statuses.records.iter().enumerate() {
            if let Some(id) = renames.target(TargetId::new(index)) {
                records.set(id.index(), Record { is_seen: true, is_fresh: false, ..*record });
            }
        }
        let mover = Mover { old, new, renames };
        state.statuses.families = Families::unknown(new.model().vips().len());
        for (vip, family) in self.statuses.families.iter() {
            if let Some(vip) = mover.vip(vip) {
                state.statuses.families.remember(vip, Family::remembered(family.known.to_vec()));
            }
        }
        state.recoveries = Recoveries::default();
        for (vip, trouble) in self.recoveries.iter() {
            if let Some(vip) = mover.vip(vip) {
                state.recoveries.insert(vip, trouble);
            }
        }
        state.memories = mover.memories(&self.memories);
        let links = self.save_links(old.model());
        // What a state saves, it restores: both are of this program.
        let _ =
            state.restore_links(&Paper::new("links", if self.is_blank() { &json!(null) } else { &links }));
        state
    }
}

/// From one policy to the next.
struct Mover<'a> {
    old: &'a World,
    new: &'a World,
    renames: &'a Renames,
}

impl Mover<'_> {
    fn vip(&self, old: VipId) -> Option<VipId> {
        let target = self.renames.target(self.old.model().vip(old).target)?;
        match self.new.part(target) {
            Part::Vip(vip) => Some(vip),
            _ => None,
        }
    }

    fn memories(&self, before: &Chunks<Memory>) -> Chunks<Memory> {
        let (old, new) = (self.old.model(), self.new.model());
        let mut memories = Chunks::filled(&Memory::default(), new.services().len());
        let datacenters: FxHashMap<_, _> =
            (0..).zip(new.datacenters()).map(|(id, one)| (&*one.name, id)).collect();
        for (service, memory) in old.services().iter().zip(before.iter()) {
            let Some(Part::Service(id)) = self.renames.target(service.target).map(|id| self.new.part(id))
            else {
                continue;
            };
            let slots = self.slots(service, id);
            let moved =
                |mask: VipMask| mask.iter().filter_map(|slot| slots[slot.index()]).collect::<VipMask>();
            let named = |primary| datacenters.get(&*old.datacenter(primary).name);
            let kept = |slot: &Slot| self.is_kept(service, *slot, slots[slot.index()].map(|slot| (id, slot)));
            let shares = memory.first.shares.iter();
            *memories.get_mut(id.index()) = Memory {
                primary: memory.primary.and_then(named).map(|&id| rhumb_zones::DatacenterId::new(id)),
                usable: VipMask::EMPTY,
                kept: moved(memory.kept.iter().filter(kept).collect()),
                bound: moved(memory.bound),
                first: Preferred {
                    open: moved(memory.first.open),
                    shares: shares.filter_map(|&(slot, share)| Some((slots[slot.index()]?, share))).collect(),
                },
            };
        }
        memories
    }

    /// By slot of the old service, that of the new one.
    fn slots(&self, old: &Service, new: ServiceId) -> Vec<Option<Slot>> {
        let vips = &self.new.model().service(new).vips;
        let mut next = 0;
        let slot = |&vip: &VipId| {
            let vip = self.vip(vip)?;
            let is_next = vips.get(next) == Some(&vip);
            let slot = if is_next { next } else { vips.iter().position(|&one| one == vip)? };
            next = slot + 1;
            Some(Slot::new(slot))
        };
        old.vips.iter().map(slot).collect()
    }

    /// Whether a VIP has an address that it had: others are not what was kept.
    fn is_kept(&self, old: &Service, slot: Slot, new: Option<(ServiceId, Slot)>) -> bool {
        let Some((service, to)) = new else { return false };
        let before = &self.old.model().vip(old.vips[slot.index()]).addresses;
        let after = &self.new.model().vip(self.new.model().service(service).vips[to.index()]).addresses;
        before.is_empty() && after.is_empty() || after.iter().any(|address| before.contains(address))
    }
}
