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

use rhumb_zones::{Data, DatacenterId, Service, TargetId, Vip};

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

impl Path<'_> {
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
        balancers.is_empty() || balancers.iter().any(|&one| self.is_up(model.balancer(one).target, note))
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
