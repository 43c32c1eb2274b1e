//! What the rules that hold do to one service.
//!
//! Rules apply in file order, and the last word on each action wins. They rank
//! below forces and drains: a VIP under a force is out of their reach, and a
//! preferred VIP that is drained stays drained. What a rule names means
//! nothing to a service that has no VIP there, so `only` cannot empty a
//! service by mistake; `all-to-primary` likewise needs a primary with VIPs.
//!
//! `answer` names no VIP and simply wins.

use std::time::Duration;

use rhumb_zones::{Rule, RuleAction, TargetId};

use crate::mask::{Slot, VipMask};
use crate::path::Path;
use crate::rule::RuleState;

/// The last words on each action, with the rules' indexes.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Effects {
    pub(crate) only: Option<(VipMask, usize)>,
    pub(crate) all_to_primary: Option<(VipMask, usize)>,
    pub(crate) avoid: Option<(VipMask, usize)>,
    pub(crate) prefer: Option<(VipMask, usize)>,
    pub(crate) freeze: Option<usize>,
    pub(crate) answer: Option<usize>,
    pub(crate) ttl: Option<Duration>,
    /// VIPs in reach of rules.
    pub(crate) reach: VipMask,
}

impl Effects {
    pub(crate) fn new(path: &Path<'_>, states: &[RuleState]) -> Self {
        let mut effects = Self::default();
        let rules = path.world.model().rules().iter().enumerate().zip(states);
        let is_on = |rule: &Rule, state: &RuleState| matches!(state, RuleState::On) && concerns(path, rule);
        let mut rules = rules.filter(|((_, rule), state)| is_on(rule, state)).peekable();
        if rules.peek().is_none() {
            return effects;
        }
        effects.reach = path.slots(|vip| {
            path.statuses.is_none_or(|statuses| statuses.force(path.world, vip.target).is_none())
        });
        for ((index, rule), _) in rules {
            rule.apply.iter().for_each(|action| effects.hear(path, action, index));
        }
        effects
    }

    fn hear(&mut self, path: &Path<'_>, action: &RuleAction, rule: usize) {
        let named = |targets: &[TargetId]| {
            path.slots(|vip| path.world.lineage(vip.target).any(|target| targets.contains(&target)))
        };
        let some = |mask: VipMask| (!mask.is_empty()).then_some((mask, rule));
        match action {
            RuleAction::Only(targets) => self.only = some(named(targets)).or(self.only),
            RuleAction::Avoid(targets) => self.avoid = Some((named(targets), rule)),
            RuleAction::Prefer(targets) => self.prefer = Some((named(targets), rule)),
            RuleAction::AllToPrimary => {
                let primary = path.primary;
                self.all_to_primary = some(path.slots(|vip| Some(vip.datacenter) == primary));
            }
            RuleAction::Freeze => self.freeze = Some(rule),
            RuleAction::Answer(_) => self.answer = Some(rule),
            RuleAction::Ttl(ttl) => self.ttl = Some(*ttl),
        }
    }

    /// The VIPs that rules keep out of every tier.
    pub(crate) fn excluded(&self) -> VipMask {
        let outside = |word: Option<(VipMask, usize)>| {
            word.map_or(VipMask::EMPTY, |(mask, _)| self.reach.without(mask))
        };
        outside(self.only).or(outside(self.all_to_primary))
    }

    /// The VIPs that rules put in the second tier.
    pub(crate) fn avoided(&self) -> VipMask {
        self.avoid.map_or(VipMask::EMPTY, |(mask, _)| mask.and(self.reach))
    }

    /// The VIPs that rules put first in their tier.
    pub(crate) fn preferred(&self) -> VipMask {
        self.prefer.map_or(VipMask::EMPTY, |(mask, _)| mask)
    }

    /// The rule that keeps the VIP of `slot` out of every tier.
    pub(crate) fn excluder(&self, slot: Slot) -> Option<usize> {
        let outside = |word: Option<(VipMask, usize)>| {
            word.filter(|(mask, _)| self.reach.has(slot) && !mask.has(slot)).map(|(_, rule)| rule)
        };
        outside(self.only).or_else(|| outside(self.all_to_primary))
    }
}

fn concerns(path: &Path<'_>, rule: &Rule) -> bool {
    let is_it = |service| path.world.model().service(service).target == path.service.target;
    rule.services.is_empty() || rule.services.iter().any(|&service| is_it(service))
}
