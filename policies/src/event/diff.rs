//! Two states side by side.
//!
//! Faults that only the second has begin, those that only the first has end.
//! Every target whose status changed is then put under one fault: its root in
//! the state in which it is down. A fault that is in both states and gains or
//! loses something gets a notice.

use std::collections::BTreeMap;
use std::time::Duration;

use rhumb_zones::{ServiceId, TargetId, VipId};

use super::fault::{Fault, Faults};
use super::words::Words;
use super::{Event, Phase};
use crate::mask::Slot;
use crate::state::{Outcome, State, Tier};
use crate::world::World;

pub(super) struct Diff<'a> {
    world: &'a World,
    before: &'a State,
    after: &'a State,
}

/// What there is to say of one fault.
#[derive(Debug)]
pub(super) struct Story {
    pub(super) fault: Fault,
    pub(super) phase: Phase,
    /// Targets that changed with it.
    pub(super) targets: Vec<TargetId>,
    /// Services that gained or lost VIPs by it.
    pub(super) services: Vec<ServiceId>,
}

impl<'a> Diff<'a> {
    pub(super) const fn new(world: &'a World, before: &'a State, after: &'a State) -> Self {
        Self { world, before, after }
    }

    pub(super) fn events(&self, now: Duration) -> Vec<Event> {
        let sides = [self.before, self.after].map(|state| Faults { world: self.world, state });
        let stories = self.stories(sides);
        let words = Words { world: self.world, before: sides[0], after: sides[1], now };
        let faults = stories.into_values().filter_map(|story| words.event(&story));
        faults.chain(self.promotions(&words)).collect()
    }

    fn stories(&self, [before, after]: [Faults<'_>; 2]) -> BTreeMap<Fault, Story> {
        let mut stories = BTreeMap::new();
        for (side, phase) in [(before, Phase::Ends), (after, Phase::Begins)] {
            for fault in side.all() {
                let story = Story { fault, phase, targets: Vec::new(), services: Vec::new() };
                // What is in both goes on.
                stories
                    .entry(fault)
                    .and_modify(|story: &mut Story| story.phase = Phase::Notice)
                    .or_insert(story);
            }
        }
        let mut ailing: Vec<_> =
            [before, after].iter().flat_map(|side| &side.state.statuses.ailing).copied().collect();
        ailing.sort_unstable();
        ailing.dedup();
        for target in ailing {
            let root = match (before.is_up(target), after.is_up(target)) {
                (true, false) => after.root(target),
                (false, true) => before.root(target),
                _ => None,
            };
            let own =
                [Fault::Down(target), Fault::Forced(target, false)].iter().any(|own| root == Some(*own));
            if let Some(story) = root.filter(|_| !own).and_then(|root| stories.get_mut(&root)) {
                story.targets.push(target);
            }
        }
        for service in (0..self.world.model().services().len()).map(ServiceId::new) {
            let root = self.moved(service, before, after);
            if let Some(story) = root.and_then(|root| stories.get_mut(&root)) {
                story.services.push(service);
            }
        }
        stories
    }

    /// The root of what changed the usable VIPs that `service` is answered with.
    fn moved(&self, service: ServiceId, before: Faults<'_>, after: Faults<'_>) -> Option<Fault> {
        if !self.before.is_blank() && self.before.service(service) == self.after.service(service) {
            return None;
        }
        let vips = &self.world.model().service(service).vips;
        let has = |side: Faults<'_>, slot| {
            side.state.is_blank() || {
                let now = side.state.service(service);
                let is_usable = matches!(now.outcome, Outcome::Vips(Tier::Allowed | Tier::Avoided));
                is_usable && now.may_answer(slot)
            }
        };
        let change = |from: Faults<'_>, to: Faults<'_>| {
            let lost = |&(slot, _): &(usize, VipId)| has(from, Slot::new(slot)) && !has(to, Slot::new(slot));
            vips.iter().copied().enumerate().find(lost)
        };
        match change(before, after) {
            Some(lost) => after.loss(service, lost),
            None => change(after, before).and_then(|gained| before.loss(service, gained)),
        }
    }

    fn promotions(&self, words: &Words<'_>) -> Vec<Event> {
        if self.before.is_blank() {
            return Vec::new();
        }
        let services = (0..self.world.model().services().len()).map(ServiceId::new);
        let moved = services.filter_map(|service| {
            let (from, to) = (self.before.primary(service), self.after.primary(service));
            (from != to).then(|| words.promotion(service, [from, to]))
        });
        moved.collect()
    }
}
