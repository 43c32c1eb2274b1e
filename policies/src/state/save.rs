//! A state on paper, under names.
//!
//! Indexes belong to one load of one policy; names survive a reload and a
//! restart. What a new policy no longer declares is dropped, what it declares
//! anew is remembered as never seen. Overrides are not here: whoever keeps
//! them hands them in again.
//!
//! Times are nanoseconds since the Unix epoch, exact, so that a restored state
//! decides as the saved one would have.

use std::error::Error;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use rhumb_zones::{DatacenterId, Model, Service, ServiceId, TargetId, TargetName, Vip, VipId};
use rustc_hash::FxHashMap;
use serde_json::{Map, Value as Json, json};

use super::recovery::Trouble;
use super::{Memory, Preferred, State};
use crate::chunks::Chunks;
use crate::mask::{Slot, VipMask};
use crate::statuses::{Families, Family, Record, Statuses};
use crate::world::World;

/// What [`State::save`] writes; another number is another form.
const VERSION: u64 = 1;

/// Why a saved state is of no use.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RestoreError {
    /// Which part of it.
    which: String,
    /// What must hold.
    what: &'static str,
}

impl fmt::Display for RestoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.which, self.what)
    }
}

impl Error for RestoreError {}

impl State {
    /// What must be remembered, under names.
    #[must_use]
    pub fn save(&self, world: &World) -> Json {
        let model = world.model();
        let name = |target: TargetId| model.target(target).name.to_string();
        let seen = |(index, record): (usize, &Record)| (name(TargetId::new(index)), save_record(record));
        let targets: Map<_, _> = self.statuses.records.iter().enumerate().map(seen).collect();
        let addresses: Map<_, _> = self
            .statuses
            .families
            .iter()
            .map(|(vip, family)| {
                let known: Map<_, _> =
                    family.known.iter().map(|(address, is_up)| (address.to_string(), json!(is_up))).collect();
                (name(model.vip(vip).target), Json::Object(known))
            })
            .collect();
        let troubles: Map<_, _> = self
            .recoveries
            .iter()
            .map(|(vip, trouble)| {
                let (which, time) = match trouble {
                    Trouble::Out { hold } => ("hold", hold),
                    Trouble::Back { from } => ("from", from),
                };
                (name(model.vip(vip).target), json!({ which: nanoseconds(time) }))
            })
            .collect();
        let services = model.services().iter().zip(self.memories.iter());
        let services: Map<_, _> = services
            .map(|(service, memory)| (service.name.to_string(), save_memory(model, service, memory)))
            .collect();
        json!({
            "version": VERSION,
            "targets": targets,
            "addresses": addresses,
            "recoveries": troubles,
            "services": services,
            "links": self.save_links(model),
        })
    }

    /// The state that was saved, as far as `world` still knows its names. It
    /// must be advanced before it is asked.
    ///
    /// # Errors
    /// When it is not what [`State::save`] writes.
    pub fn restore(world: &World, saved: &Json) -> Result<Self, RestoreError> {
        let paper = Paper { which: "state".to_owned(), json: saved };
        if paper.get("version")?.json != &json!(VERSION) {
            return Err(paper.wrong("must be of version 1"));
        }
        let model = world.model();
        let mut state =
            Self { memories: restore_memories(model, &paper.get("services")?)?, ..Self::default() };
        let vips: FxHashMap<_, _> = model.vips().iter().map(|vip| vip.target).zip(0..).collect();
        restore_targets(model, &vips, &mut state.statuses, &paper)?;
        if let Some(links) = paper.find("links") {
            state.restore_links(&links)?;
        }
        for (target, trouble) in targets(model, &paper.get("recoveries")?)? {
            let Some(&vip) = vips.get(&target) else { continue };
            let hold = trouble.find("hold").map(|hold| hold.time()).transpose()?;
            let trouble = match hold {
                Some(hold) => Trouble::Out { hold },
                None => Trouble::Back { from: trouble.get("from")?.time()? },
            };
            state.recoveries.insert(VipId::new(vip), trouble);
        }
        Ok(state)
    }
}

fn save_record(record: &Record) -> Json {
    let Record { is_seen: _, verdict, is_fresh: _, due, latched, is_up, since, has_changed } = *record;
    json!({
        "verdict": verdict,
        "due": nanoseconds(due),
        "latched": latched.map(nanoseconds),
        "up": is_up,
        "since": nanoseconds(since),
        "changed": has_changed,
    })
}

fn save_memory(model: &Model, service: &Service, memory: &Memory) -> Json {
    let vip = |slot: Slot| model.vip(service.vips[slot.index()]);
    let name = |slot: Slot| model.target(vip(slot).target).name.to_string();
    let names = |mask: VipMask| mask.iter().map(name).collect::<Vec<_>>();
    let addresses = |vip: &Vip| vip.addresses.iter().map(ToString::to_string).collect::<Vec<_>>();
    let Memory { primary, usable: _, kept, bound, first: Preferred { open, shares } } = memory;
    json!({
        "primary": primary.map(|primary| model.datacenter(primary).name.to_string()),
        "kept": kept.iter().map(|slot| (name(slot), json!(addresses(vip(slot))))).collect::<Map<_, _>>(),
        "bound": names(*bound),
        "first": names(*open),
        "shares": shares.iter().map(|&(slot, share)| (name(slot), json!(share))).collect::<Map<_, _>>(),
    })
}

fn restore_targets(
    model: &Model,
    vips: &FxHashMap<TargetId, usize>,
    statuses: &mut Statuses,
    paper: &Paper<'_>,
) -> Result<(), RestoreError> {
    statuses.records = Chunks::filled(&Record::UNSEEN, model.targets().len());
    statuses.families = Families::unknown(model.vips().len());
    for (target, record) in targets(model, &paper.get("targets")?)? {
        *statuses.records.get_mut(target.index()) = Record {
            is_seen: true,
            is_fresh: false,
            verdict: record.find("verdict").map(|verdict| verdict.flag()).transpose()?,
            due: record.get("due")?.time()?,
            latched: record.find("latched").map(|since| since.time()).transpose()?,
            is_up: record.get("up")?.flag()?,
            since: record.get("since")?.time()?,
            has_changed: record.get("changed")?.flag()?,
        };
    }
    for (target, addresses) in targets(model, &paper.get("addresses")?)? {
        let mut known = Vec::new();
        for (address, is_up) in addresses.entries()? {
            let address = address.parse().map_err(|_| addresses.wrong("must be of addresses"))?;
            known.push((address, is_up.flag()?));
        }
        if let Some(&vip) = vips.get(&target) {
            statuses.families.remember(VipId::new(vip), Family::remembered(known));
        }
    }
    Ok(())
}

fn restore_memories(model: &Model, paper: &Paper<'_>) -> Result<Chunks<Memory>, RestoreError> {
    let mut memories = Chunks::filled(&Memory::default(), model.services().len());
    let services: FxHashMap<_, _> = model.services().iter().map(|service| &*service.name).zip(0..).collect();
    for (name, saved) in paper.entries()? {
        let Some(&id) = services.get(&*name) else { continue };
        let id = ServiceId::new(id);
        let primary = saved.find("primary").map(|name| name.text().map(str::to_owned)).transpose()?;
        let is_it = |name: &str| model.datacenters().iter().position(|one| *one.name == *name);
        *memories.get_mut(id.index()) = Memory {
            primary: primary.and_then(|name| is_it(&name)).map(DatacenterId::new),
            usable: VipMask::EMPTY,
            kept: restore_kept(model, id, &saved.get("kept")?)?,
            bound: restore_names(model, id, &saved.get("bound")?)?,
            first: Preferred {
                open: restore_names(model, id, &saved.get("first")?)?,
                shares: restore_shares(model, id, &saved.get("shares")?)?,
            },
        };
    }
    Ok(memories)
}

/// VIPs that still exist with an address they had: others are not what was
/// kept.
fn restore_kept(model: &Model, id: ServiceId, paper: &Paper<'_>) -> Result<VipMask, RestoreError> {
    let mut mask = VipMask::EMPTY;
    for (name, addresses) in paper.entries()? {
        let addresses = addresses.texts()?;
        let Some(slot) = slot(model, id, &name) else { continue };
        let vip = model.vip(model.service(id).vips[slot.index()]);
        let had = |address: &IpAddr| addresses.contains(&&*address.to_string());
        if vip.addresses.is_empty() && addresses.is_empty() || vip.addresses.iter().any(had) {
            mask.insert(slot);
        }
    }
    Ok(mask)
}

fn restore_names(model: &Model, id: ServiceId, paper: &Paper<'_>) -> Result<VipMask, RestoreError> {
    Ok(paper.texts()?.into_iter().filter_map(|name| slot(model, id, name)).collect())
}

fn restore_shares(
    model: &Model,
    id: ServiceId,
    paper: &Paper<'_>,
) -> Result<Arc<[(Slot, u32)]>, RestoreError> {
    let mut shares = Vec::new();
    for (name, share) in paper.entries()? {
        let number = share.json.as_u64().and_then(|share| u32::try_from(share).ok());
        let share = number.ok_or_else(|| share.wrong("must be a number below 2^32"))?;
        shares.extend(slot(model, id, &name).map(|slot| (slot, share)));
    }
    Ok(shares.into())
}

/// The slot of the VIP with this name.
fn slot(model: &Model, id: ServiceId, name: &str) -> Option<Slot> {
    let target = model.target_named(&name.parse().ok()?)?;
    model.service(id).vips.iter().position(|&vip| model.vip(vip).target == target).map(Slot::new)
}

/// Entries of a map whose names the model still knows.
fn targets<'j>(model: &Model, paper: &Paper<'j>) -> Result<Vec<(TargetId, Paper<'j>)>, RestoreError> {
    let known = |(name, paper): (String, Paper<'j>)| {
        let name: TargetName = name.parse().ok()?;
        Some((model.target_named(&name)?, paper))
    };
    Ok(paper.entries()?.into_iter().filter_map(known).collect())
}

pub(super) fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX) // the year 2554
}

/// A part of a saved state, and where it stands.
pub(super) struct Paper<'j> {
    which: String,
    json: &'j Json,
}

impl<'j> Paper<'j> {
    pub(super) fn new(which: &str, json: &'j Json) -> Self {
        Self { which: which.to_owned(), json }
    }

    fn wrong(&self, what: &'static str) -> RestoreError {
        RestoreError { which: self.which.clone(), what }
    }

    /// What is said under `key`; null is not said.
    pub(super) fn find(&self, key: &str) -> Option<Self> {
        let json = self.json.get(key).filter(|json| !json.is_null())?;
        Some(Self { which: format!("{}.{key}", self.which), json })
    }

    pub(super) fn get(&self, key: &str) -> Result<Self, RestoreError> {
        self.find(key)
            .ok_or_else(|| RestoreError { which: format!("{}.{key}", self.which), what: "must be there" })
    }

    pub(super) fn entries(&self) -> Result<Vec<(String, Self)>, RestoreError> {
        let entries = self.json.as_object().ok_or_else(|| self.wrong("must be a map"))?;
        let entry = |(key, json): (&String, &'j Json)| {
            (key.clone(), Self { which: format!("{}.{key}", self.which), json })
        };
        Ok(entries.iter().map(entry).collect())
    }

    fn texts(&self) -> Result<Vec<&'j str>, RestoreError> {
        let list = self.json.as_array().ok_or_else(|| self.wrong("must be a list"))?;
        let text = |json: &'j Json| json.as_str().ok_or_else(|| self.wrong("must be a list of texts"));
        list.iter().map(text).collect()
    }

    fn text(&self) -> Result<&'j str, RestoreError> {
        self.json.as_str().ok_or_else(|| self.wrong("must be a text"))
    }

    fn flag(&self) -> Result<bool, RestoreError> {
        self.json.as_bool().ok_or_else(|| self.wrong("must be true or false"))
    }

    pub(super) fn time(&self) -> Result<Duration, RestoreError> {
        self.json
            .as_u64()
            .map(Duration::from_nanos)
            .ok_or_else(|| self.wrong("must be a time in nanoseconds"))
    }
}
