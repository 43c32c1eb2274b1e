//! What is wrong in a state, reduced to what has no cause.
//!
//! Of everything that is down, the root is found by asking, in this order: was
//! it forced; is its parent down; are all its siblings down (then the whole
//! egress, or all balancing, of the datacenter is); can it be seen at all
//! (nodes are seen through the intranet, VIPs through the rest of their path).
//! Only what none of this explains is a fault of its own.

use rhumb_health::Status;
use rhumb_zones::{DatacenterId, ServiceId, TargetId, VipId};

use crate::inputs::Action;
use crate::mask::Slot;
use crate::part::Part;
use crate::path::Obstacle;
use crate::rule::RuleState;
use crate::state::{Outcome, Phase, State, Tier};
use crate::world::World;

/// Something wrong that has no cause among what is known.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) enum Fault {
    /// An operator forced it, down or up.
    Forced(TargetId, bool),
    /// An operator drained it.
    Drained(TargetId),
    /// All links of a datacenter are down, and there are several.
    Egress(DatacenterId),
    /// All balancers of a datacenter are down, and there are several.
    Balancers(DatacenterId),
    Down(TargetId),
    /// It is well, and waits for an operator's word.
    Waits(TargetId),
    /// A VIP is held down after its recovery. It is no fault, but a reason.
    Held(VipId),
    /// A rule, by its place in the file, and what became of it.
    Rule(usize, Ruled),
    /// Only drained or avoided VIPs of a service are left.
    Degraded(ServiceId),
    /// None is.
    LastResort(ServiceId),
}

/// What is worth telling of a rule.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) enum Ruled {
    On,
    Unmeasured,
    Failed,
}

/// A state, read for what is wrong in it.
#[derive(Clone, Copy)]
pub(super) struct Faults<'a> {
    pub(super) world: &'a World,
    pub(super) state: &'a State,
}

impl<'a> Faults<'a> {
    pub(super) fn is_up(&self, target: TargetId) -> bool {
        self.state.is_blank() || self.state.statuses.is_up(target)
    }

    /// Everything wrong, roots only.
    pub(super) fn all(&self) -> Vec<Fault> {
        if self.state.is_blank() {
            return Vec::new();
        }
        let words = self.state.statuses.words.keys().map(|&(target, action)| fault_of(target, action));
        let ailing = || self.state.statuses.ailing.iter().copied();
        let roots = ailing().filter_map(|target| self.root(target));
        let waits = ailing().filter(|&target| self.waits(target)).map(Fault::Waits);
        let rules = self.state.rule_states().iter().enumerate().filter_map(|(rule, state)| match state {
            RuleState::Off => None,
            RuleState::On => Some(Fault::Rule(rule, Ruled::On)),
            RuleState::Unmeasured => Some(Fault::Rule(rule, Ruled::Unmeasured)),
            RuleState::Failed(_) => Some(Fault::Rule(rule, Ruled::Failed)),
        });
        let services = (0..self.world.model().services().len()).map(ServiceId::new);
        let services = services.filter_map(|service| match self.state.service(service).outcome {
            Outcome::Vips(Tier::Allowed) | Outcome::RuleAddresses(_) => None,
            Outcome::Vips(Tier::Avoided) => (!self.recovers(service)).then_some(Fault::Degraded(service)),
            _ => Some(Fault::LastResort(service)),
        });
        let mut all: Vec<_> = words.chain(roots).chain(waits).chain(rules).chain(services).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    fn waits(&self, target: TargetId) -> bool {
        let state = self.state.target(self.world, target);
        state.waits_for_word && state.verdict == Status::Up && state.force.is_none()
    }

    /// Whether a service has VIPs that are only held down.
    fn recovers(&self, service: ServiceId) -> bool {
        let answered = self.state.service(service);
        let vips = self.world.model().service(service).vips.iter().enumerate();
        let mut answered = vips.filter(|&(slot, _)| answered.may_answer(Slot::new(slot)));
        answered
            .any(|(slot, &vip)| self.loss(service, (slot, vip)).is_some_and(|loss| loss == Fault::Held(vip)))
    }

    /// The root of a target that is down.
    pub(super) fn root(&self, target: TargetId) -> Option<Fault> {
        if self.is_up(target) {
            return None;
        }
        if let Some(word) = self.state.statuses.force(self.world, target) {
            return Some(fault_of(word.target, word.action));
        }
        // The first of a lineage is the target itself.
        let parent = self.world.lineage(target).skip(1).find_map(|parent| self.root(parent));
        Some(parent.or_else(|| self.cause(target)).unwrap_or(Fault::Down(target)))
    }

    /// What explains that a target is down, besides words and parents.
    fn cause(&self, target: TargetId) -> Option<Fault> {
        let model = self.world.model();
        // One alone is itself the fault.
        let are_down = |all: Vec<TargetId>| all.len() > 1 && all.iter().all(|&one| !self.is_up(one));
        match self.world.part(target) {
            Part::Link(link) => {
                let datacenter = model.link(link).datacenter;
                let links = model.datacenter(datacenter).links.iter().map(|&one| model.link(one).target);
                are_down(links.collect()).then_some(Fault::Egress(datacenter))
            }
            Part::Balancer(datacenter) => {
                let all =
                    model.datacenter(datacenter).balancers.iter().map(|&one| model.balancer(one).target);
                are_down(all.collect()).then_some(Fault::Balancers(datacenter))
            }
            Part::Node(node) => self.root(model.datacenter(model.node(node).datacenter).intranet),
            Part::Vip(id) => self.obstacle(id, target),
            Part::Datacenter(_) | Part::Intranet(_) | Part::Interconnect | Part::Service(_) => None,
        }
    }

    /// What breaks a VIP's path elsewhere than at the VIP.
    fn obstacle(&self, vip: VipId, itself: TargetId) -> Option<Fault> {
        let vip = self.world.model().vip(vip);
        let obstacles = self.state.path(self.world, vip.service).obstacles(vip);
        let others = obstacles.into_iter().filter_map(|obstacle| match obstacle {
            Obstacle::Down(target) if target != itself => Some(target),
            _ => None,
        });
        // Nearest to the client first.
        let nearest = others.min_by_key(|target| match self.world.part(*target) {
            Part::Link(_) => 0,
            Part::Balancer(_) => 1,
            Part::Intranet(_) => 2,
            Part::Node(_) => 3,
            _ => 4,
        });
        self.root(nearest?)
    }

    /// Why the VIP in this slot of a service is not in its first tier: a word,
    /// the root of what breaks its path, a rule, or that it just recovered.
    pub(super) fn loss(&self, service: ServiceId, (slot, id): (usize, VipId)) -> Option<Fault> {
        if self.state.is_blank() {
            return None;
        }
        let target = self.world.model().vip(id).target;
        let statuses = &self.state.statuses;
        let word = statuses.exclusion(self.world, target).or_else(|| statuses.drain(self.world, target));
        let word = word.map(|word| fault_of(word.target, word.action));
        let rule = || {
            let effects = self.state.effects(self.world, service);
            let slot = Slot::new(slot);
            let avoider = effects.avoid.filter(|_| effects.avoided().has(slot)).map(|(_, rule)| rule);
            effects.excluder(slot).or(avoider).map(|rule| Fault::Rule(rule, Ruled::On))
        };
        let held = || {
            let phase = self.state.phase(self.world, id)?;
            matches!(phase, Phase::Held(_)).then_some(Fault::Held(id))
        };
        let down = || self.root(target).or_else(|| self.obstacle(id, target));
        word.or_else(down).or_else(rule).or_else(held)
    }

    /// All that keeps a service's VIPs from its first tier.
    pub(super) fn losses(&self, service: ServiceId) -> Vec<Fault> {
        let vips = self.world.model().service(service).vips.iter().copied().enumerate();
        let mut roots: Vec<_> = vips.filter_map(|vip| self.loss(service, vip)).collect();
        roots.sort_unstable();
        roots.dedup();
        roots
    }
}

const fn fault_of(target: TargetId, action: Action) -> Fault {
    match action {
        Action::Up => Fault::Forced(target, true),
        Action::Down => Fault::Forced(target, false),
        Action::Drain => Fault::Drained(target),
    }
}
