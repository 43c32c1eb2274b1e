//! From verdicts and operators' words to what each target counts as.
//!
//! Precedence, highest first: force on the target, force on its parent, drain,
//! verdict. A target's parents stand in [`World::lineage`], nearest first; the
//! nearest force wins, and down beats up on one and the same target. An
//! unknown verdict counts as the last one known, else as the policy's
//! `assume:`.
//!
//! Two things delay a verdict. An interconnect counts as down only when it has
//! been for its hold, because all traffic moves to one side then; a target
//! with `recovery: manual` counts as down until an operator confirms that it
//! is well. Moments are those at which something became due, not those at
//! which somebody looked, so that a state does not depend on how often it is
//! advanced.
//!
//! A force also reaches beyond status: down on a datacenter, link, VIP or
//! service *excludes* the VIPs under it, that is, no tier holds them. Up never
//! does more than set the status; the path rule still applies.

mod families;

use std::time::Duration;

use rhumb_health::Status;
use rhumb_zones::{Assume, Interconnect, Recovery, Target, TargetId};
use rustc_hash::{FxHashMap, FxHashSet};

pub use families::LeftOut;
pub(crate) use families::{Families, Family};

use crate::chunks::Chunks;
use crate::clock::Clock;
use crate::inputs::{Action, Inputs, Override, Told};
use crate::part::Part;
use crate::world::World;

/// What every target counts as, and why.
#[derive(Clone, Default, Debug)]
pub(crate) struct Statuses {
    /// By target.
    pub(crate) records: Chunks<Record>,
    pub(crate) families: Families,
    /// Targets whose prober sees them failing or recovering.
    pub(crate) unsettled: FxHashSet<TargetId>,
    /// Overrides in force.
    pub(crate) words: FxHashMap<(TargetId, Action), Override>,
    /// Starts and ends of overrides to come.
    pub(crate) edges: Vec<(TargetId, Edge)>,
    /// Targets that count as down, or wait for a word to recover.
    pub(crate) ailing: FxHashSet<TargetId>,
    /// Targets within their hold.
    held: Vec<TargetId>,
    /// What all this was made from.
    verdicts: Chunks<Status>,
    addresses: Chunks<Told>,
}

/// What is otherwise than in the statuses before.
#[derive(Debug)]
pub(crate) enum Changed {
    /// Anything may be.
    All,
    /// These targets, ascending: their record, an address, or whether they are
    /// settled.
    Some(Vec<TargetId>),
}

/// When an override starts or ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Edge {
    Start(Duration),
    End(Duration),
}

/// What is remembered of one target. Times are since the Unix epoch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Record {
    /// Whether anything is remembered at all.
    pub(crate) is_seen: bool,
    /// The last verdict known.
    pub(crate) verdict: Option<bool>,
    /// Whether that is the verdict now.
    pub(crate) is_fresh: bool,
    /// Of a verdict of down: from when it counts, after the target's hold.
    pub(crate) due: Duration,
    /// From when it waits for an operator's word to recover.
    pub(crate) latched: Option<Duration>,
    /// Whether it counts as up.
    pub(crate) is_up: bool,
    /// Since when it does, or does not.
    pub(crate) since: Duration,
    /// Whether it was ever seen otherwise.
    pub(crate) has_changed: bool,
}

impl Statuses {
    /// The statuses at `clock`, and what changed. Only targets of which
    /// something else is told or due are looked at, unless operators' words
    /// are others, which reach far.
    pub(crate) fn new(world: &World, previous: &Self, inputs: &Inputs, clock: &mut Clock) -> (Self, Changed) {
        let mut statuses = Self {
            words: FxHashMap::default(),
            edges: Vec::new(),
            unsettled: inputs.unsettled.clone(),
            verdicts: inputs.verdicts.clone(),
            addresses: inputs.addresses.clone(),
            ..previous.clone()
        };
        statuses.hear(&inputs.overrides, clock);
        let (targets, vips) = (world.model().targets().len(), world.model().vips().len());
        if previous.records.len() != targets {
            statuses.records = Chunks::filled(&Record::UNSEEN, targets);
        }
        if !previous.families.is_of(vips) {
            statuses.families = Families::unknown(vips);
        }
        let is_new = previous.verdicts.len() != targets || clock.is_set_back;
        let is_whole = is_new || (&statuses.words, &statuses.edges) != (&previous.words, &previous.edges);
        let visited = match is_whole {
            true => (0..targets).map(TargetId::new).collect(),
            false => statuses.due(previous, inputs),
        };
        statuses.held.clear();
        let look = |&target: &TargetId| {
            let is_other = statuses.look(world, target, inputs, clock);
            is_other || previous.unsettled.contains(&target) != inputs.unsettled.contains(&target)
        };
        let changed = visited.into_iter().filter(look).collect();
        (statuses, if is_whole { Changed::All } else { Changed::Some(changed) })
    }

    /// Targets of which something else is told, or that may be due, ascending.
    fn due(&self, previous: &Self, inputs: &Inputs) -> Vec<TargetId> {
        let verdicts = self.verdicts.differences(&previous.verdicts);
        let told = verdicts.chain(self.addresses.differences(&previous.addresses)).map(TargetId::new);
        let settled = self.unsettled.symmetric_difference(&previous.unsettled).copied();
        let confirmed = inputs.confirmed.keys().copied();
        let mut due: Vec<_> =
            told.chain(settled).chain(confirmed).chain(previous.held.iter().copied()).collect();
        due.sort_unstable();
        due.dedup();
        due
    }

    /// Brings one target up to date; says whether anything of it is otherwise.
    fn look(&mut self, world: &World, id: TargetId, inputs: &Inputs, clock: &mut Clock) -> bool {
        let force = self.force(world, id).map(|word| word.action == Action::Up);
        let part = world.part(id);
        let is_other = match part {
            Part::Vip(vip) => self.families.hear(world, vip, inputs, force.is_some()),
            _ => false,
        };
        let target = world.model().target(id);
        let before = Some(*self.record(id)).filter(|record| record.is_seen);
        let verdict = self.families.verdict(part).unwrap_or_else(|| *inputs.verdicts.get(id.index()));
        let mut record = Record::new(before.as_ref(), target, (verdict, world.hold(id)), clock);
        if inputs.confirmed.get(&id).is_some_and(|&at| record.latched.is_some_and(|since| since <= at)) {
            record.latched = None;
        }
        record.count(before.as_ref(), (target, force), clock.now);
        if record.held_until(clock.now).is_some() {
            self.held.push(id);
        }
        match record.is_up && record.latched.is_none() {
            true => self.ailing.remove(&id),
            false => self.ailing.insert(id),
        };
        self.records.set(id.index(), record) || is_other
    }

    /// Sorts operators' words by when they hold.
    fn hear(&mut self, overrides: &[Override], clock: &mut Clock) {
        for word in overrides {
            if word.expires.is_some_and(|end| end <= clock.now) {
                continue;
            }
            let to_come = word.starts.filter(|start| *start > clock.now);
            let edges = [to_come.map(Edge::Start), word.expires.map(Edge::End)];
            self.edges.extend(edges.into_iter().flatten().map(|edge| (word.target, edge)));
            match to_come {
                Some(start) => clock.wake_at(start),
                None => {
                    word.expires.into_iter().for_each(|end| clock.wake_at(end));
                    self.words.insert((word.target, word.action), word.clone());
                }
            }
        }
    }

    /// Whether `target` counts as up.
    pub(crate) fn is_up(&self, target: TargetId) -> bool {
        self.record(target).is_up
    }

    pub(crate) fn record(&self, target: TargetId) -> &Record {
        self.records.get(target.index())
    }

    /// Whether `target` is down by what was seen of it, not by a word or an
    /// assumption.
    pub(crate) fn is_seen_down(&self, world: &World, target: TargetId) -> bool {
        let record = self.record(target);
        let is_seen = record.verdict == Some(false) || record.latched.is_some();
        !record.is_up && is_seen && self.force(world, target).is_none()
    }

    /// The force that decides the status of `target`: its own, else its
    /// nearest parent's.
    pub(crate) fn force(&self, world: &World, target: TargetId) -> Option<&Override> {
        if self.words.is_empty() {
            return None;
        }
        let on = |target| {
            self.words.get(&(target, Action::Down)).or_else(|| self.words.get(&(target, Action::Up)))
        };
        world.lineage(target).find_map(on)
    }

    /// The force that keeps a VIP out of every tier.
    pub(crate) fn exclusion(&self, world: &World, vip: TargetId) -> Option<&Override> {
        self.force(world, vip).filter(|word| word.action == Action::Down)
    }

    /// The drain that puts a VIP in the second tier.
    pub(crate) fn drain(&self, world: &World, vip: TargetId) -> Option<&Override> {
        if self.words.is_empty() || self.force(world, vip).is_some() {
            return None;
        }
        world.lineage(vip).find_map(|target| self.words.get(&(target, Action::Drain)))
    }
}

impl Record {
    /// Of a target that nothing is remembered of.
    pub(crate) const UNSEEN: Self = Self {
        is_seen: false,
        verdict: None,
        is_fresh: false,
        due: Duration::ZERO,
        latched: None,
        is_up: true,
        since: Duration::ZERO,
        has_changed: false,
    };

    /// The verdict and what follows from it, but not yet what counts.
    fn new(
        before: Option<&Self>,
        target: &Target,
        (verdict, hold): (Status, Duration),
        clock: &mut Clock,
    ) -> Self {
        let unseen = Self { is_seen: true, since: clock.now, ..Self::UNSEEN };
        let mut record = before.copied().unwrap_or(unseen);
        let was_sound = record.is_sound(target, clock.now);
        record.is_fresh = verdict != Status::Unknown;
        match verdict {
            Status::Unknown => {}
            Status::Up => {
                record.verdict = Some(true);
                record.latched = record.latched.filter(|since| *since <= clock.now); // else its hold saved it
            }
            Status::Down if record.verdict == Some(false) => {}
            Status::Down => {
                record.verdict = Some(false);
                let wait = if was_sound { hold } else { Duration::ZERO };
                record.due = clock.now.saturating_add(wait);
                if target.recovery == Recovery::Manual {
                    record.latched = record.latched.or(Some(record.due));
                }
            }
        }
        if record.verdict == Some(false) {
            clock.wake_at(record.due);
        }
        record
    }

    /// By its verdict alone.
    fn is_sound(&self, target: &Target, now: Duration) -> bool {
        match self.verdict {
            Some(is_up) => is_up || now < self.due,
            None => target.assume == Assume::Up,
        }
    }

    /// Sets what counts, which a force overrides.
    fn count(&mut self, before: Option<&Self>, (target, force): (&Target, Option<bool>), now: Duration) {
        let own = self.is_sound(target, now) && self.latched.is_none_or(|since| now < since);
        self.is_up = force.unwrap_or(own);
        if before.is_some_and(|before| before.is_up != self.is_up) {
            let is_by_verdict = force.is_none() && !own && self.verdict == Some(false);
            self.since = if is_by_verdict && self.due >= self.since { self.due } else { now };
            self.has_changed = true;
        }
    }

    /// Until when its hold keeps it up in spite of its verdict.
    pub(crate) fn held_until(&self, now: Duration) -> Option<Duration> {
        (self.verdict == Some(false) && now < self.due).then_some(self.due)
    }
}

/// How long a verdict of down must last before it counts, by target.
pub(crate) fn holds(interconnects: &[Interconnect]) -> FxHashMap<TargetId, Duration> {
    interconnects.iter().map(|line| (line.target, line.hold)).collect()
}
