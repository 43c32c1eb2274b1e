//! The path rule: which VIPs a client can really be served through.
//!
//! A VIP is *usable* for its service iff an unbroken path exists,
//!
//! ```text
//! client → link l of d → a balancer of d → a node of s
//!   entry    link l is up, and the VIP's own check is up
//!   balance  some balancer of d is up
//!   reach    intranet(d) is up and d has a live node of s,
//!            or an interconnect d–e is up and e has a live node of s
//!   data     s.data = anywhere, or that node's datacenter is s's primary,
//!            or an interconnect from there to the primary is up
//! ```
//!
//! where a live node is enabled and up. What is not declared does not break a
//! path: no links mean one implicit link, no balancers mean that `balance`
//! holds, no nodes of s anywhere mean that d is its own live node. Only an
//! undeclared interconnect is no path.
//!
//! From this one rule follow all four strategies for faults (balancer, egress,
//! interconnect, intranet) and every combination of them, for any number of
//! datacenters. A graph search was refused: the paths that networks really
//! forward along have one hop each, and a rule an operator can check on paper
//! is worth more at 3 a.m.; the tests search the graph instead.
//!
//! **Invariant:** the rule sees statuses only. What made a target down (a
//! probe, a force) and what an operator prefers are not its business.

mod plan;

use rhumb_zones::{Data, DatacenterId, Service, ServiceId, TargetId, Vip};

pub use plan::{BalancerPlan, PlannedNode, node_plan};

use crate::inputs::Override;
use crate::mask::{Slot, VipMask};
use crate::statuses::Statuses;
use crate::world::World;

/// What stands in a path's way.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Obstacle {
    /// This target is down.
    Down(TargetId),
    /// No interconnect is declared between these.
    NoInterconnect(DatacenterId, DatacenterId),
    /// No node of the service is enabled.
    NoNode,
}

/// The rule for one service, at one moment.
#[derive(Clone, Copy)]
pub(crate) struct Path<'a> {
    pub(crate) world: &'a World,
    pub(crate) service: &'a Service,
    /// The service's primary now.
    pub(crate) primary: Option<DatacenterId>,
    /// Nothing means that every target is up.
    pub(crate) statuses: Option<&'a Statuses>,
}

/// What the paths of a service's enabled VIPs lead through.
#[derive(Debug)]
pub(crate) struct Route {
    /// Every target that a path may cross, wherever the primary is, and its
    /// parents.
    targets: Box<[TargetId]>,
    /// Datacenters from which the primary's data must be reached.
    stores: Box<[DatacenterId]>,
}

impl Route {
    pub(crate) fn new(world: &World, id: ServiceId) -> Self {
        let model = world.model();
        let service = model.service(id);
        let vips: Vec<_> = service.vips.iter().map(|&vip| model.vip(vip)).filter(|vip| vip.enabled).collect();
        let nodes: Vec<_> =
            service.nodes.iter().map(|&node| model.node(node)).filter(|node| node.enabled).collect();
        let mut stores: Vec<_> = match service.nodes.is_empty() {
            true => vips.iter().map(|vip| vip.datacenter).collect(),
            false => nodes.iter().map(|node| node.datacenter).collect(),
        };
        stores.sort_unstable();
        stores.dedup();
        let mut targets: Vec<_> = nodes.iter().map(|node| node.target).collect();
        for vip in vips {
            let datacenter = model.datacenter(vip.datacenter);
            targets.extend([vip.target, datacenter.intranet]);
            targets.extend(vip.link.map(|link| model.link(link).target));
            targets.extend(datacenter.balancers.iter().map(|&one| model.balancer(one).target));
            if !service.nodes.is_empty() {
                targets.extend(stores.iter().filter_map(|&there| world.interconnect(vip.datacenter, there)));
            }
        }
        let mut targets: Vec<_> = targets.into_iter().flat_map(|target| world.lineage(target)).collect();
        targets.sort_unstable();
        targets.dedup();
        if service.data == Data::Anywhere {
            stores.clear();
        }
        Self { targets: targets.into(), stores: stores.into() }
    }
}

impl<'a> Path<'a> {
    /// The slots of the VIPs that are `wanted`.
    pub(crate) fn slots(&self, mut wanted: impl FnMut(&Vip) -> bool) -> VipMask {
        let vips = self.service.vips.iter().map(|&vip| self.world.model().vip(vip)).enumerate();
        vips.filter(|(_, vip)| wanted(vip)).map(|(slot, _)| Slot::new(slot)).collect()
    }

    /// The force that keeps a VIP out of every tier.
    pub(crate) fn exclusion(&self, vip: &Vip) -> Option<&'a Override> {
        self.statuses?.exclusion(self.world, vip.target)
    }

    /// The drain that puts a VIP in the second tier.
    pub(crate) fn drain(&self, vip: &Vip) -> Option<&'a Override> {
        self.statuses?.drain(self.world, vip.target)
    }

    /// The VIPs that are drained or excluded by operators' words.
    pub(crate) fn bound(&self) -> VipMask {
        if self.statuses.is_none_or(|statuses| statuses.words.is_empty()) {
            return VipMask::EMPTY;
        }
        self.slots(|vip| self.exclusion(vip).is_some() || self.drain(vip).is_some())
    }

    /// The targets that a path of an enabled VIP may cross, and their parents.
    pub(crate) fn route(&self) -> impl Iterator<Item = TargetId> {
        let Route { targets, stores } = self.world.route(self.service.target);
        let line = |&store| self.primary.and_then(|primary| self.world.interconnect(store, primary));
        targets.iter().copied().chain(stores.iter().filter_map(line))
    }

    /// The service's usable VIPs.
    pub(crate) fn usable(&self) -> VipMask {
        let vips = self.service.vips.iter().map(|&vip| self.world.model().vip(vip));
        let mut last = None; // VIPs of one datacenter share all but their entry
        let usable = vips.map(|vip| {
            let inside = match last {
                Some((datacenter, inside)) if datacenter == vip.datacenter => inside,
                _ => self.is_sound_inside(vip.datacenter, &mut |_| ()),
            };
            last = Some((vip.datacenter, inside));
            inside && self.enters(vip, &mut |_| ())
        });
        usable.enumerate().filter(|&(_, usable)| usable).map(|(slot, _)| Slot::new(slot)).collect()
    }

    /// What stands in the way of a VIP that is not usable, on every path.
    pub(crate) fn obstacles(&self, vip: &Vip) -> Vec<Obstacle> {
        let mut all = Vec::new();
        self.enters(vip, &mut |obstacle| all.push(obstacle));
        let mut inside = Vec::new();
        if !self.is_sound_inside(vip.datacenter, &mut |obstacle| inside.push(obstacle)) {
            all.append(&mut inside);
        }
        all.sort_unstable();
        all.dedup();
        all
    }

    /// Whether what comes after the entry holds.
    fn is_sound_inside(&self, datacenter: DatacenterId, note: &mut impl FnMut(Obstacle)) -> bool {
        self.balances(datacenter, note) && self.reaches_node(datacenter, note)
    }

    fn enters(&self, vip: &Vip, note: &mut impl FnMut(Obstacle)) -> bool {
        let link = vip.link.is_none_or(|link| self.is_up(self.world.model().link(link).target, note));
        let check = self.is_up(vip.target, note);
        link && check
    }

    fn balances(&self, datacenter: DatacenterId, note: &mut impl FnMut(Obstacle)) -> bool {
        let model = self.world.model();
        let balancers = &model.datacenter(datacenter).balancers;
        let targets = || balancers.iter().map(|&one| model.balancer(one).target);
        let holds = balancers.is_empty() || targets().any(|one| self.is_up(one, &mut |_| ()));
        if !holds {
            targets().for_each(|one| note(Obstacle::Down(one)));
        }
        holds
    }

    /// Whether some live node is reached from `datacenter`, with its data.
    fn reaches_node(&self, datacenter: DatacenterId, note: &mut impl FnMut(Obstacle)) -> bool {
        let model = self.world.model();
        if self.service.nodes.is_empty() {
            return self.carries(datacenter, datacenter, note) && self.has_data(datacenter, note);
        }
        let mut enabled =
            self.service.nodes.iter().map(|&node| model.node(node)).filter(|node| node.enabled).peekable();
        if enabled.peek().is_none() {
            note(Obstacle::NoNode);
        }
        enabled.any(|node| {
            self.carries(datacenter, node.datacenter, note)
                && self.is_up(node.target, note)
                && self.has_data(node.datacenter, note)
        })
    }

    /// Whether balancers of `from` reach nodes in `to`.
    fn carries(&self, from: DatacenterId, to: DatacenterId, note: &mut impl FnMut(Obstacle)) -> bool {
        if from == to {
            return self.is_up(self.world.model().datacenter(from).intranet, note);
        }
        self.is_joined(from, to, note)
    }

    /// Whether nodes in `datacenter` have the data the service needs.
    fn has_data(&self, datacenter: DatacenterId, note: &mut impl FnMut(Obstacle)) -> bool {
        match (self.service.data, self.primary) {
            (Data::Primary, Some(primary)) => {
                primary == datacenter || self.is_joined(datacenter, primary, note)
            }
            _ => true,
        }
    }

    fn is_joined(&self, a: DatacenterId, b: DatacenterId, note: &mut impl FnMut(Obstacle)) -> bool {
        match self.world.interconnect(a, b) {
            Some(line) => self.is_up(line, note),
            None => {
                note(Obstacle::NoInterconnect(a.min(b), a.max(b)));
                false
            }
        }
    }

    fn is_up(&self, target: TargetId, note: &mut impl FnMut(Obstacle)) -> bool {
        let up = self.statuses.is_none_or(|statuses| statuses.is_up(target));
        if !up {
            note(Obstacle::Down(target));
        }
        up
    }
}
