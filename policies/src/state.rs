//! Everything that remembers, and the step from one state to the next.
//!
//! [`advance`] is pure: the policy, the state before, what is observed and
//! ordered now, and the time go in; the next state comes out. The query path
//! sees of it one small [`ServiceState`] per service, in which tiers are
//! already decided: only while a ramp is running does a tier depend on the
//! client, so the choice of tier is made once per change of health instead of
//! once per query.
//!
//! Tiers: 1 usable and allowed, 2 usable but held down after a recovery,
//! outside its ramp's share for this client, avoided or drained, 3 the last
//! resort. A VIP that is disabled, excluded by a rule, or under a target
//! forced down, is in none.
//!
//! **Law:** no lower tier is answered while a higher one has a VIP; no answer
//! names an unusable VIP while a usable, not excluded one exists.
//!
//! A state also says when it would change by itself ([`State::wake`]), and is
//! saved and restored under names, which is how it crosses a restart and a
//! reload.

mod carry;
mod effects;
mod links;
mod recovery;
mod save;
mod survey;
mod tiers;
mod ttl;

use std::sync::Arc;
use std::time::Duration;

use rhumb_health::{Measure, Status};
use rhumb_zones::{DatacenterId, ServiceId, TargetId, VipId};
use rustc_hash::FxHashMap;

pub use carry::Renames;
pub(crate) use effects::Effects;
pub(crate) use links::{Moved, Side, Taught};
pub(crate) use recovery::{Phase, Recoveries};
pub use save::RestoreError;
pub use survey::{Decision, LinkShare, LinkSummary};
pub(crate) use tiers::Ramp;
pub use tiers::{Outcome, ServiceState, Tier};

use crate::chunks::Chunks;
use crate::clock::Clock;
use crate::inputs::{Inputs, Override};
use crate::mask::VipMask;
use crate::part::affected;
use crate::path::Path;
use crate::rule::{Facts, RuleState};
use crate::statuses::{Changed, LeftOut, Statuses};
use crate::world::World;
use links::Links;
use recovery::Recovery;
use tiers::{Preferred, Tiers};
use ttl::Unrest;

/// What holds now, and what must be remembered.
///
/// A default one remembers nothing; it and a restored one must be advanced
/// before they are asked.
#[derive(Clone, Default, Debug)]
pub struct State {
    /// Since the Unix epoch.
    now: Duration,
    wake: Option<Duration>,
    services: Vec<ServiceState>,
    /// By service: when it would be another without a new input.
    wakes: Vec<Option<Duration>>,
    pub(crate) statuses: Statuses,
    /// By service.
    memories: Chunks<Memory>,
    recoveries: Recoveries,
    rules: Arc<[RuleState]>,
    measures: Arc<FxHashMap<TargetId, Measure>>,
    links: Arc<Links>,
    pub(crate) is_own_fault: bool,
}

/// What is remembered of one service.
#[derive(Clone, Default, Debug)]
struct Memory {
    /// Where its writable store is.
    primary: Option<DatacenterId>,
    usable: VipMask,
    /// The last non-empty set of usable VIPs.
    kept: VipMask,
    /// VIPs under a drain or a force.
    bound: VipMask,
    /// The first tier, for `freeze`.
    first: Preferred,
}

/// What is known of one target.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct TargetState<'a> {
    /// Whether it counts as up.
    pub is_up: bool,
    /// The last verdict known.
    pub verdict: Status,
    /// Whether that is the verdict now; else there is none now, and the last
    /// one stands.
    pub is_fresh: bool,
    /// Since when it counts as it does, since the Unix epoch.
    pub since: Duration,
    /// Whether its prober sees it failing or recovering.
    pub is_unsettled: bool,
    /// The force that decides its status.
    pub force: Option<&'a Override>,
    /// The drain on it or a parent.
    pub drain: Option<&'a Override>,
    /// Until when a verdict of down does not count yet.
    pub held_until: Option<Duration>,
    /// Whether it waits for an operator's word to recover.
    pub waits_for_word: bool,
    /// What its probes measured.
    pub measure: Option<Measure>,
}

impl State {
    /// What the query path needs to know of `service`.
    #[must_use]
    pub fn service(&self, service: ServiceId) -> &ServiceState {
        &self.services[service.index()]
    }

    /// Where the writable store of `service` is now.
    #[must_use]
    pub fn primary(&self, service: ServiceId) -> Option<DatacenterId> {
        self.memories.get(service.index()).primary
    }

    /// The VIPs of `service` that an unbroken path leads through, excluded
    /// ones too.
    #[must_use]
    pub fn usable(&self, service: ServiceId) -> VipMask {
        self.memories.get(service.index()).usable
    }

    /// Addresses of `vip` that are left out of answers; none unless its
    /// service's [`ServiceState::leaves_out`].
    #[must_use]
    pub fn left_out(&self, vip: VipId) -> LeftOut {
        self.statuses.families.left_out(vip)
    }

    /// What is known of `target`.
    #[must_use]
    pub fn target(&self, world: &World, target: TargetId) -> TargetState<'_> {
        let record = self.statuses.record(target);
        TargetState {
            is_up: record.is_up,
            verdict: record.verdict.map_or(Status::Unknown, |up| if up { Status::Up } else { Status::Down }),
            is_fresh: record.is_fresh,
            since: record.since,
            is_unsettled: self.statuses.unsettled.contains(&target),
            force: self.statuses.force(world, target),
            drain: self.statuses.drain(world, target),
            held_until: record.held_until(self.now),
            waits_for_word: record.latched.is_some_and(|since| since <= self.now),
            measure: self.measures.get(&target).copied(),
        }
    }

    /// What came of every rule's condition, in file order.
    #[must_use]
    pub fn rule_states(&self) -> &[RuleState] {
        &self.rules
    }

    /// The next moment, since the Unix epoch, at which [`advance`] would
    /// change something though its inputs stay the same.
    #[must_use]
    pub const fn wake(&self) -> Option<Duration> {
        self.wake
    }

    /// What was usable when last something was.
    pub(crate) fn kept(&self, service: ServiceId) -> VipMask {
        self.memories.get(service.index()).kept
    }

    pub(crate) fn phase(&self, world: &World, vip: VipId) -> Option<Phase> {
        self.recoveries.phase(world, vip, self.now)
    }

    pub(crate) fn effects(&self, world: &World, service: ServiceId) -> Effects {
        Effects::new(&self.path(world, service), &self.rules)
    }

    pub(crate) fn path<'a>(&'a self, world: &'a World, service: ServiceId) -> Path<'a> {
        let primary = self.primary(service);
        Path { world, service: world.model().service(service), primary, statuses: Some(&self.statuses) }
    }
}

/// The state that follows `previous` when `inputs` hold at `now` (since the
/// Unix epoch). `previous` is of the same world; a default one remembers
/// nothing.
///
/// Only services are decided anew that hang on something that changed, or are
/// due; what comes of it is what deciding all of them anew would give.
#[must_use]
pub fn advance(world: &World, previous: &State, inputs: &Inputs, now: Duration) -> State {
    let mut clock = Clock::new(now, previous.now);
    let (statuses, changed) = Statuses::new(world, &previous.statuses, inputs, &mut clock);
    let mut next = State {
        now,
        statuses,
        measures: Arc::clone(&inputs.measures),
        is_own_fault: inputs.is_own_fault,
        ..previous.clone()
    };
    let count = world.model().services().len();
    if next.memories.len() != count {
        next.memories = Chunks::filled(&Memory::default(), count);
    }
    if next.services.len() != count {
        (next.services, next.wakes) = (Vec::with_capacity(count), Vec::with_capacity(count));
    }
    let all = || (0..count).map(ServiceId::new).collect::<Vec<_>>();
    let is_known = previous.services.len() == count && previous.is_own_fault == inputs.is_own_fault;
    let mut due = match changed {
        Changed::Some(targets) if is_known => next.due(world, &targets, inputs),
        _ => all(),
    };
    due.iter().for_each(|&service| next.look(world, service, inputs));
    let rules = world.rules().evaluate(&next, now);
    if *rules != *previous.rules {
        next.rules = rules.into();
        due = all();
    }
    if world.rules().needs_clock() {
        clock.wake_at(Duration::from_secs(now.as_secs() + 1));
    }
    next.decide(world, previous, &due);
    next.wakes.iter().flatten().for_each(|&wake| clock.wake_at(wake));
    next.wake = clock.wake;
    next
}

impl State {
    /// Services that may be otherwise now, ascending: what they hang on
    /// changed, their primary did, or they asked to be looked at.
    fn due(&self, world: &World, changed: &[TargetId], inputs: &Inputs) -> Vec<ServiceId> {
        let mut due = affected(world, changed);
        due.extend(inputs.promoted.keys().chain(inputs.followed.keys()));
        let woken =
            self.wakes.iter().enumerate().filter(|(_, wake)| wake.is_some_and(|wake| wake <= self.now));
        due.extend(woken.map(|(service, _)| ServiceId::new(service)));
        due.sort_unstable();
        due.dedup();
        due
    }

    /// Brings a service's primary and its usable VIPs up to date.
    fn look(&mut self, world: &World, id: ServiceId, inputs: &Inputs) {
        let primary = world.model().service(id).primary.as_ref().map(|declared| {
            let said = if declared.probe.is_some() { &inputs.followed } else { &inputs.promoted };
            said.get(&id).copied().or_else(|| self.primary(id)).unwrap_or(declared.initially)
        });
        self.memories.get_mut(id.index()).primary = primary;
        let usable = self.path(world, id).usable();
        let memory = self.memories.get_mut(id.index());
        memory.usable = usable;
        if !usable.is_empty() {
            memory.kept = usable;
        }
    }

    /// Decides these services anew.
    fn decide(&mut self, world: &World, previous: &Self, due: &[ServiceId]) {
        let unrest = Unrest::new(&self.statuses, self.now);
        let decided: Vec<_> = due.iter().map(|&id| self.step((world, previous), id, &unrest)).collect();
        for (&id, decided) in due.iter().zip(decided) {
            let Decided { state, wake, recoveries, bound, first } = decided;
            match self.services.get_mut(id.index()) {
                Some(before) => (*before, self.wakes[id.index()]) = (state, wake),
                // The first time, all are decided in order.
                None => (self.services.push(state), self.wakes.push(wake)).0,
            }
            self.recoveries.replace(&world.model().service(id).vips, &recoveries);
            let memory = self.memories.get_mut(id.index());
            (memory.bound, memory.first) = (bound, first);
        }
    }

    /// What follows for one service.
    fn step(&self, (world, previous): (&World, &Self), id: ServiceId, unrest: &Unrest<'_>) -> Decided {
        let mut clock = Clock::new(self.now, previous.now);
        let path = self.path(world, id);
        let before = self.memories.get(id.index());
        let effects = Effects::new(&path, &self.rules);
        let bound = path.bound();
        let released = before.bound.without(bound);
        let recoveries = previous.recoveries.step(&path, (before.usable, released), self.now);
        let tiers = Tiers::new(&path, before, &effects, &recoveries);
        let is_frozen = effects.freeze.is_some() || self.is_own_fault;
        let first = tiers.first(is_frozen.then_some(&before.first));
        recoveries.iter().for_each(|recovery| recovery.wake(&mut clock));
        let is_steady = unrest.is_steady(&path, &effects, &recoveries, &mut clock);
        let mut state = tiers.decide(&first, is_steady);
        state.leaves_out = self.statuses.families.leave_out_any(&path.service.vips);
        Decided { state, wake: clock.wake, recoveries, bound, first }
    }
}

/// What follows for one service.
struct Decided {
    state: ServiceState,
    /// When that changes by itself.
    wake: Option<Duration>,
    recoveries: Vec<Recovery>,
    bound: VipMask,
    first: Preferred,
}

impl Facts for State {
    fn is_up(&self, target: TargetId) -> bool {
        self.statuses.is_up(target)
    }

    fn since(&self, target: TargetId) -> Duration {
        self.now.saturating_sub(self.statuses.record(target).since)
    }

    fn measure(&self, target: TargetId) -> Option<&Measure> {
        self.measures.get(&target)
    }

    fn service_up(&self, service: ServiceId) -> bool {
        !self.usable(service).is_empty()
    }
}

impl State {
    /// Whether it is the state before the first.
    pub(crate) const fn is_blank(&self) -> bool {
        self.services.is_empty()
    }
}
