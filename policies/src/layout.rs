//! Where a service has VIPs, and how a client ranks them.
//!
//! Services with equal layouts are of one [`Shape`](crate::Shape). A client's
//! *key* is the rank of every datacenter, then the level of every VIP within
//! its datacenter; from it one order of all slots follows.

use std::sync::Arc;

use rhumb_zones::{CarrierId, DatacenterId, LinkId, Model, ServiceId, Vip};

use crate::lottery::{Seed, name_hash};
use crate::mask::Slot;
use crate::steer::{Member, Order, Spread, Weights};
use crate::view::View;
use crate::world::{Plan, World};

/// A service's slots and the plan that orders them.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    plan: Plan,
    /// In declaration order.
    members: Vec<Member>,
    /// By slot.
    egresses: Vec<Egress>,
    /// Slots by datacenter, each's in declaration order.
    declared: Vec<Slot>,
    /// Slots among which links are selected: those of each datacenter, or all.
    groups: Vec<Vec<Slot>>,
    /// Whether shares of clients may grow back after a recovery.
    has_ramp: bool,
}

/// A VIP as selectors and lotteries see it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Egress {
    /// Its datacenter, as an index of the members.
    pub(crate) member: u8,
    pub(crate) link: Option<LinkId>,
    /// Carriers that the link reaches directly.
    pub(crate) carriers: Vec<CarrierId>,
    /// Higher first.
    pub(crate) priority: i32,
    /// Its weight in lotteries; none when disabled.
    pub(crate) weight: u32,
    /// Its luck in lotteries, from its names.
    pub(crate) luck: u64,
}

impl Egress {
    fn new(model: &Model, vip: &Vip, datacenters: &[DatacenterId]) -> Self {
        let link = vip.link.map(|link| model.link(link));
        let datacenter = &model.datacenter(vip.datacenter).name;
        let name = link.map_or_else(|| datacenter.to_string(), |link| format!("{datacenter}/{}", link.name));
        let member = datacenters.binary_search(&vip.datacenter).expect("these are the VIPs' datacenters");
        Self {
            member: u8::try_from(member).expect("a service has at most 256 VIPs"),
            link: vip.link,
            carriers: link.map(|link| link.carriers.clone()).unwrap_or_default(),
            priority: vip.priority,
            weight: if vip.enabled { vip.weight } else { 0 },
            luck: name_hash(name.as_bytes()),
        }
    }
}

/// How ties of datacenters are broken per query.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Ties {
    /// By a lottery of their VIPs.
    Vips(Seed),
    /// By a lottery of themselves.
    Datacenters(Seed),
    /// Not at all: every VIP of the best group is answered, rotated.
    Rotated,
}

/// What makes two layouts one shape.
pub(crate) type Identity = (usize, usize, Vec<Member>, Vec<Egress>, bool);

impl Layout {
    pub(crate) fn new(world: &World, service: ServiceId) -> Self {
        let model = world.model();
        let vips: Vec<_> = model.service(service).vips.iter().map(|&vip| model.vip(vip)).collect();
        let mut datacenters: Vec<_> = vips.iter().map(|vip| vip.datacenter).collect();
        datacenters.sort_unstable();
        datacenters.dedup();
        let plan = world.plan(service).clone();
        let egresses: Vec<_> = vips.iter().map(|vip| Egress::new(model, vip, &datacenters)).collect();
        let own = |index| move |egress: &&Egress| usize::from(egress.member) == index;
        let member = |(index, &id)| Member {
            id,
            priority: egresses.iter().filter(own(index)).map(|egress| egress.priority).max().unwrap_or(0),
            luck: name_hash(model.datacenter(id).name.as_bytes()),
            weight: match plan.chain.weights() {
                Some(Weights::Datacenters(list)) => {
                    list.iter().find(|(listed, _)| *listed == id).map_or(0, |(_, weight)| *weight)
                }
                _ => egresses.iter().filter(own(index)).map(|egress| egress.weight).sum(),
            },
        };
        let members = datacenters.iter().enumerate().map(member).collect();
        let mut declared: Vec<_> = (0..egresses.len()).map(Slot::new).collect();
        declared.sort_by_key(|slot| (egresses[slot.index()].member, egresses[slot.index()].link));
        let groups = if plan.selection.is_joint {
            vec![declared.clone()]
        } else {
            let same = |a: &Slot, b: &Slot| egresses[a.index()].member == egresses[b.index()].member;
            declared.chunk_by(same).map(<[Slot]>::to_vec).collect()
        };
        let ramps = datacenters.iter().map(|&id| model.datacenter(id).ramp);
        let has_ramp = ramps.chain([model.service(service).ramp]).any(|ramp| !ramp.is_zero());
        Self { plan, members, egresses, declared, groups, has_ramp }
    }

    /// Equal for services of one shape: equal chains and selections are one
    /// allocation (see [`World::compile`]).
    pub(crate) fn identity(&self) -> Identity {
        let Plan { chain, selection } = &self.plan;
        let addresses = (Arc::as_ptr(chain) as usize, Arc::as_ptr(selection) as usize);
        (addresses.0, addresses.1, self.members.clone(), self.egresses.clone(), self.has_ramp)
    }

    /// Whether one made for another policy is the same, that policy's
    /// datacenters, links and clients being the same.
    pub(crate) fn reads_as(&self, other: &Self) -> bool {
        format!("{self:?}") == format!("{other:?}")
    }

    pub(crate) const fn has_ramp(&self) -> bool {
        self.has_ramp
    }

    /// Slots among which links are selected, group by group.
    pub(crate) fn groups(&self) -> &[Vec<Slot>] {
        &self.groups
    }

    /// Whether there is more than one link to select from.
    pub(crate) fn has_choice(&self) -> bool {
        self.groups.iter().any(|group| group.len() > 1)
    }

    pub(crate) const fn plan(&self) -> &Plan {
        &self.plan
    }

    pub(crate) fn members(&self) -> &[Member] {
        &self.members
    }

    pub(crate) fn egresses(&self) -> &[Egress] {
        &self.egresses
    }

    /// How ties of datacenters are broken; in declaration order if not.
    pub(crate) fn ties(&self) -> Option<Ties> {
        Some(match self.plan.chain.spread.as_ref()? {
            Spread::Rotate => Ties::Rotated,
            Spread::Lottery(seed, Weights::Vips) if !self.plan.selection.is_said => Ties::Vips(*seed),
            Spread::Lottery(seed, _) => Ties::Datacenters(*seed),
        })
    }

    /// All slots in the order that follows from a key.
    pub(crate) fn order(&self, key: &[u8]) -> Vec<Slot> {
        let (ranks, levels) = key.split_at(self.members.len());
        let mut order = self.declared.clone();
        order.sort_by_key(|slot| {
            let member = self.egresses[slot.index()].member;
            (ranks[usize::from(member)], member, levels[slot.index()])
        });
        order
    }
}

/// Ranks clients for one layout, one after another.
pub(crate) struct Ranker<'a> {
    layout: &'a Layout,
    order: Order<'a>,
    /// (preference, selector's key, slot) of one datacenter's VIPs.
    links: Vec<(f64, i64, Slot)>,
    /// Whether VIPs of one datacenter are told apart.
    has_levels: bool,
    key: Vec<u8>,
}

impl<'a> Ranker<'a> {
    pub(crate) fn new(layout: &'a Layout) -> Self {
        let has_levels = !matches!(layout.ties(), Some(Ties::Vips(_)));
        let key = vec![0; layout.members.len() + layout.egresses.len()];
        Self { layout, order: Order::new(&layout.members), links: Vec::new(), has_levels, key }
    }

    /// The client's key.
    pub(crate) fn key(&mut self, view: &View<'_>) -> &[u8] {
        self.order.reset();
        for rank in &self.layout.plan.chain.ranks {
            match self.layout.plan.selection.is_joint {
                true => rank.refine_jointly(view, &mut self.order),
                false => rank.refine(view, &mut self.order),
            }
        }
        self.key[..self.layout.members.len()].copy_from_slice(self.order.ranks());
        if self.has_levels {
            let egresses = &self.layout.egresses;
            let same = |a: &Slot, b: &Slot| egresses[a.index()].member == egresses[b.index()].member;
            self.layout.declared.chunk_by(same).for_each(|slots| self.set_levels(slots, view));
        }
        &self.key
    }

    /// Sets the levels of one datacenter's VIPs.
    fn set_levels(&mut self, slots: &[Slot], view: &View<'_>) {
        if slots.len() == 1 {
            return;
        }
        let Layout { plan, egresses, members, .. } = self.layout;
        self.links.clear();
        for &slot in slots {
            let egress = &egresses[slot.index()];
            // What is measured has preference among its facts.
            let preference = if plan.selection.is_measured() { 1.0 } else { view.preference(egress.link) };
            let entry = (-preference, plan.selection.rank.key(view, egress), slot);
            let place = self.links.iter().rposition(|before| (before.0, before.1) <= (entry.0, entry.1));
            self.links.insert(place.map_or(0, |place| place + 1), entry);
        }
        let mut level = 0;
        let mut last = (self.links[0].0, self.links[0].1);
        for &(preference, key, slot) in &self.links {
            if (preference, key) != last {
                level += 1;
                last = (preference, key);
            }
            self.key[members.len() + slot.index()] = level;
        }
    }
}
