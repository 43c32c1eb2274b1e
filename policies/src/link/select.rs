//! Which link each class of clients has, and when it gets another.
//!
//! Off the query path, when something was measured: every (class, link) is
//! scored, and every group of links keeps the one it has unless another has
//! led it by the margin for the hold without a break. Of the classes whose
//! turn has come, those that gain most go first, no more in a minute than the
//! pace allows. A link that is down loses its clients at once; one that comes
//! back must win them. Where nothing at all tells links apart, clients return
//! to where they entered. The links behind the first are ordered too, calmly:
//! one passes another only by the margin.
//!
//! What results is one order of slots per class ([`Orders`]), which the query
//! path walks as it walks the fixed ones. An order ranks; it admits nothing:
//! tiers are decided elsewhere, so no score can break the Law.
//!
//! **Invariant:** what holds under a freeze, or while this server's own network
//! is at fault, is what held before.

use std::sync::Arc;
use std::time::Duration;

use rhumb_geo::ClassId;
use rustc_hash::FxHashSet;

use super::measured::{Calm, Formula};
use super::price::Fare;
use super::score::{Entrant, Reading, Scored, score};
use crate::mask::Slot;
use crate::shape::{Class, Shape};

/// The orders of all classes of a shape, and the place of every slot within its
/// group.
#[derive(Debug)]
pub(crate) struct Orders {
    orders: Box<[Slot]>,
    levels: Box<[u8]>,
}

/// What a group of links of a class has.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Choice {
    pub(crate) slot: Slot,
    /// Since when, since the Unix epoch; nothing before a first choice.
    pub(crate) since: Option<Duration>,
    /// Since when another leads it by the margin.
    pub(crate) led_since: Option<Duration>,
}

/// What one scorer selects for one shape.
#[derive(Clone, Debug)]
pub(crate) struct Selected {
    pub(crate) orders: Arc<Orders>,
    /// By class and group.
    choices: Arc<[Choice]>,
    /// When classes moved, within a minute, and how many.
    moves: Arc<[(Duration, usize)]>,
}

/// What there is to select by.
#[derive(Debug)]
pub(crate) struct Selector<'a> {
    pub(crate) shape: &'a Shape,
    pub(crate) formula: Formula,
    pub(crate) calm: Calm,
    /// By slot: what is measured.
    pub(crate) readings: &'a [Reading],
    /// By slot: whether the link is up.
    pub(crate) is_up: &'a [bool],
    pub(crate) now: Duration,
}

/// A class that would move.
struct Turn {
    gain: f64,
    class: usize,
    /// Where its group stands in its order, and which it is.
    range: (usize, usize),
    group: usize,
    to: Slot,
}

/// The time over which the pace is counted.
const MINUTE: Duration = Duration::from_secs(60);

impl Orders {
    /// Orders of all classes of `shape`, one after another.
    fn new(shape: &Shape, orders: Vec<Slot>) -> Self {
        let slots = shape.layout().egresses().len();
        let mut levels = vec![0; orders.len()];
        let classes = orders.chunks(slots.max(1)).zip(levels.chunks_mut(slots.max(1)));
        for (id, (order, levels)) in shape.classes().zip(classes) {
            for (_, group) in shape.groups(Class { order, ..shape.class(id) }) {
                for (level, slot) in (0..=u8::MAX).zip(group) {
                    levels[slot.index()] = level;
                }
            }
        }
        Self { orders: orders.into(), levels: levels.into() }
    }

    /// The class of that id: its fixed one's ranks, in this order.
    pub(crate) fn class<'a>(&'a self, fixed: Class<'a>, id: ClassId) -> Class<'a> {
        let slots = fixed.order.len();
        let range = id.index() * slots..(id.index() + 1) * slots;
        Class { order: &self.orders[range.clone()], levels: &self.levels[range], ..fixed }
    }
}

impl Selected {
    /// What a class has in a group.
    pub(crate) fn choice(&self, shape: &Shape, class: ClassId, group: usize) -> Choice {
        self.choices[class.index() * shape.layout().members().len() + group]
    }

    /// From which link to which its classes went since `before`, of the same
    /// shape; first choices are no moves.
    pub(crate) fn moves_since<'a>(&'a self, before: &'a Self) -> impl Iterator<Item = (Slot, Slot)> + 'a {
        let choices = before.choices.iter().zip(self.choices.iter());
        let moved = choices.filter(|(old, new)| old.slot != new.slot && old.since.is_some());
        moved.map(|(old, new)| (old.slot, new.slot))
    }

    /// From where a shape's classes start, with what is remembered of them.
    pub(crate) fn entry(
        shape: &Shape,
        remembered: impl Fn(ClassId, &[Slot]) -> Option<(Slot, Duration)>,
    ) -> Self {
        let groups = shape.layout().members().len();
        let nothing = Choice { slot: Slot::default(), since: None, led_since: None };
        let mut choices = vec![nothing; shape.classes().len() * groups];
        let mut orders = Vec::new();
        for class in shape.classes() {
            for (group, slots) in shape.groups(shape.class(class)) {
                let choice = &mut choices[class.index() * groups + group];
                choice.slot = slots[0];
                if let Some((slot, since)) = remembered(class, slots) {
                    (choice.slot, choice.since) = (slot, Some(since));
                }
                let start = orders.len();
                orders.extend_from_slice(slots);
                to_front(&mut orders[start..], choice.slot);
            }
        }
        let orders = Arc::new(Orders::new(shape, orders));
        Self { orders, choices: choices.into(), moves: Arc::default() }
    }
}

impl Shape {
    /// The groups of links among which a class selects, in its order: which
    /// group it is, and its slots.
    pub(crate) fn groups<'c>(&self, class: Class<'c>) -> impl Iterator<Item = (usize, &'c [Slot])> {
        let group = move |slot: &Slot| match self.layout().plan().selection.is_joint {
            true => usize::from(class.rank(self.egress(*slot).member)),
            false => usize::from(self.egress(*slot).member),
        };
        class.order.chunk_by(move |a, b| group(a) == group(b)).map(move |slots| (group(&slots[0]), slots))
    }
}

impl Selector<'_> {
    /// What is selected after `before`.
    pub(crate) fn next(&self, before: &Selected) -> Selected {
        let (slots, groups) = (self.is_up.len(), self.shape.layout().members().len());
        let mut orders = before.orders.orders.to_vec();
        let mut choices = before.choices.to_vec();
        let mut turns = Vec::new();
        for id in self.shape.classes() {
            let Some(fares) = self.shape.fares() else { return before.clone() };
            let fare = fares.of(id);
            let (class, mut at) = (id.index(), 0);
            for (group, entry) in self.shape.groups(self.shape.class(id)) {
                let range = (class * slots + at, class * slots + at + entry.len());
                at += entry.len();
                let choice = &mut choices[class * groups + group];
                let order = &mut orders[range.0..range.1];
                if let Some((to, gain)) = self.step(entry, order, (fare, choice)) {
                    turns.push(Turn { gain, class, range, group, to });
                }
            }
        }
        let moves = self.take_turns(turns, before, (&mut orders, &mut choices));
        let orders = match *orders == *before.orders.orders {
            true => Arc::clone(&before.orders),
            false => Arc::new(Orders::new(self.shape, orders)),
        };
        Selected { orders, choices: choices.into(), moves }
    }

    /// The order for a client of no known class.
    pub(crate) fn first(&self, fixed: Class<'_>, fare: Fare<'_>) -> Vec<Slot> {
        let mut whole = fixed.order.to_vec();
        let mut at = 0;
        for (_, entry) in self.shape.groups(fixed) {
            let order = &mut whole[at..at + entry.len()];
            at += entry.len();
            let mut choice = Choice { slot: entry[0], since: None, led_since: None };
            self.step(entry, order, (fare, &mut choice));
        }
        whole
    }

    /// The scores of a group for clients of that fare.
    pub(crate) fn score(&self, group: &[Slot], fare: Fare<'_>) -> Vec<Scored> {
        let Some(fares) = self.shape.fares() else { return Vec::new() };
        let pricer = fares.pricer();
        let entrant = |&slot: &Slot| Entrant {
            slot,
            facts: pricer.facts(slot, fare),
            reading: self.readings[slot.index()],
            cost: pricer.cost(slot),
        };
        score(&self.formula, &group.iter().map(entrant).collect::<Vec<_>>())
    }

    /// Orders one group of one class; says which link it should go to, and
    /// what it gains, when its turn comes.
    fn step(
        &self,
        entry: &[Slot],
        order: &mut [Slot],
        (fare, choice): (Fare<'_>, &mut Choice),
    ) -> Option<(Slot, f64)> {
        if entry.len() == 1 {
            return None;
        }
        let scored = self.score(entry, fare);
        self.sort(order, &scored, entry);
        let due = self.choose(&scored, choice);
        to_front(order, choice.slot);
        due
    }

    /// Lets links pass those before them that they lead by the margin.
    fn sort(&self, order: &mut [Slot], scored: &[Scored], entry: &[Slot]) {
        let of = |slot: Slot| &scored[entry.iter().position(|&other| other == slot).expect("of one group")];
        for last in 1..order.len() {
            for at in (1..=last).rev() {
                let (one, other) = (order[at - 1], order[at]);
                let priority = |slot: Slot| self.shape.egress(slot).priority;
                let passes = match priority(other).cmp(&priority(one)) {
                    std::cmp::Ordering::Equal => of(other).lead(of(one)) > self.calm.margin,
                    unequal => unequal.is_gt(),
                };
                if !passes {
                    break;
                }
                order.swap(at - 1, at);
            }
        }
    }

    /// Keeps the choice, or makes another where it must; says what else it
    /// should be, and what that gains, where it is time.
    fn choose(&self, scored: &[Scored], choice: &mut Choice) -> Option<(Slot, f64)> {
        let up = scored.iter().filter(|one| self.is_up[one.slot.index()]);
        let priority = |one: &&Scored| self.shape.egress(one.slot).priority;
        let best = up.clone().map(|one| priority(&one)).max()?;
        let candidates: Vec<&Scored> = up.filter(|one| priority(one) == best).collect();
        let held =
            candidates.iter().position(|one| one.slot == choice.slot).filter(|_| choice.since.is_some());
        let Some(held) = held else {
            // At once: the first of those it may have, unless another leads it.
            let own = candidates[0];
            let (to, gain) = leader(&candidates, own);
            let slot = if gain > self.calm.margin { to } else { own.slot };
            *choice = Choice { slot, since: Some(self.now), led_since: None };
            return None;
        };
        let (mut to, mut gain) = leader(&candidates, candidates[held]);
        let is_behind = gain > self.calm.margin;
        // Nothing tells them apart: back to where clients enter.
        let is_tied = held > 0 && candidates[0].lead(candidates[held]) == 0.0 && gain <= 0.0;
        if is_tied {
            (to, gain) = (candidates[0].slot, 0.0);
        }
        if !is_behind && !is_tied {
            choice.led_since = None;
            return None;
        }
        let since = *choice.led_since.get_or_insert(self.now);
        (self.now.saturating_sub(since) >= self.calm.hold).then_some((to, gain))
    }

    /// Moves those who gain most, as many as may.
    fn take_turns(
        &self,
        mut turns: Vec<Turn>,
        before: &Selected,
        (orders, choices): (&mut [Slot], &mut [Choice]),
    ) -> Arc<[(Duration, usize)]> {
        let groups = self.shape.layout().members().len();
        let is_recent = |(at, _): &&(Duration, usize)| self.now.saturating_sub(*at) < MINUTE;
        let mut moves: Vec<_> = before.moves.iter().filter(is_recent).copied().collect();
        let moved: usize = moves.iter().map(|(_, count)| count).sum();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a count")]
        let most = (self.shape.classes().len() as f64 * self.calm.pace.0) as usize;
        let room = most.max(self.calm.pace.1).saturating_sub(moved);
        turns.sort_by(|a, b| b.gain.total_cmp(&a.gain).then(a.class.cmp(&b.class)));
        let mut gone = FxHashSet::default();
        for Turn { class, range, group, to, .. } in turns {
            if gone.len() >= room && !gone.contains(&class) {
                continue;
            }
            gone.insert(class);
            let choice = &mut choices[class * groups + group];
            *choice = Choice { slot: to, since: Some(self.now), led_since: None };
            to_front(&mut orders[range.0..range.1], to);
        }
        if !gone.is_empty() {
            moves.push((self.now, gone.len()));
        }
        moves.into()
    }
}

/// Who leads `own` most, and by how much.
fn leader(candidates: &[&Scored], own: &Scored) -> (Slot, f64) {
    let mut best = (own.slot, 0.0);
    for one in candidates {
        let lead = one.lead(own);
        if lead > best.1 {
            best = (one.slot, lead);
        }
    }
    best
}

/// Puts `slot` before the others.
fn to_front(order: &mut [Slot], slot: Slot) {
    if let Some(at) = order.iter().position(|&other| other == slot) {
        order[..=at].rotate_right(1);
    }
}
