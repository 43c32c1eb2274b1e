//! Whole histories, in virtual time: faults come and go, operators speak, and
//! at every moment at which anything may change the answer is looked at.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::prelude::*;
use rhumb_geo::Place;
use rhumb_health::Status;
use rhumb_policies::{Action, Inputs, Outcome, Override, State, Tier, advance};
use rhumb_zones::{DatacenterId, ServiceId};

use crate::oracle::{Events, Kind, Oracle, Word};
use crate::topology::{Topology, topologies};
use crate::world::{Case, Luck};

fn service() -> ServiceId {
    ServiceId::new(0)
}

/// `hold-down:` when the policy does not say.
const HOLD_DOWN: u64 = 30;

/// An operator's word, and the seconds in which it holds.
#[derive(Clone, Debug)]
struct Order {
    target: String,
    word: Word,
    starts: Duration,
    expires: Duration,
}

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// What changes after a pause.
#[derive(Clone, Debug)]
struct Step {
    /// Seconds since the step before.
    pause: u64,
    /// Targets whose verdict changes.
    flips: Vec<prop::sample::Index>,
    /// A target, a word, and in how many seconds it starts and ends.
    order: Option<(prop::sample::Index, Word, u64, u64)>,
    promoted: Option<prop::sample::Index>,
}

fn steps(with_orders: f64) -> impl Strategy<Value = Vec<Step>> {
    let word = prop::sample::select(vec![Word::Up, Word::Down, Word::Drain]);
    let order = (any::<prop::sample::Index>(), word, 0..30_u64, 1..200_u64);
    let step = (
        1..60_u64,
        prop::collection::vec(any::<prop::sample::Index>(), 0..4),
        prop::option::weighted(with_orders.max(0.001), order),
        prop::option::weighted((with_orders / 4.0).max(0.001), any::<prop::sample::Index>()),
    )
        .prop_map(move |(pause, flips, order, promoted)| Step {
            pause,
            flips,
            order: order.filter(|_| with_orders > 0.0),
            promoted: promoted.filter(|_| with_orders > 0.0),
        });
    prop::collection::vec(step, 1..12)
}

/// The product beside what is known of the same world by other means.
struct Walk<'a> {
    world: &'a Topology,
    case: &'a Case,
    inputs: Inputs,
    state: State,
    now: Duration,
    /// Since when targets are seen down.
    down: BTreeMap<String, Duration>,
    orders: Vec<Order>,
    promoted: Option<usize>,
    kept: Vec<usize>,
    /// By VIP: since when it is usable, and whether it was ever not.
    usable: Vec<Option<(Duration, bool)>>,
    /// By VIP: since when it is usable, and neither drained nor excluded.
    clean: Vec<Option<Duration>>,
}

impl<'a> Walk<'a> {
    fn new(world: &'a Topology, case: &'a Case) -> Self {
        let vips = world.vips.len();
        let mut walk = Self {
            world,
            case,
            inputs: Inputs::new(case.model(), Status::Up),
            state: State::default(),
            now: seconds(1_000),
            down: BTreeMap::new(),
            orders: Vec::new(),
            promoted: None,
            kept: Vec::new(),
            usable: vec![Some((Duration::ZERO, false)); vips],
            clean: vec![Some(Duration::ZERO); vips],
        };
        walk.look();
        walk
    }

    /// Takes one step, stopping wherever the product wants to be called.
    fn take(&mut self, step: &Step, mut look: impl FnMut(&Self)) {
        let target = self.now + seconds(step.pause);
        while let Some(wake) = self.state.wake().filter(|&wake| wake < target) {
            assert!(wake > self.now, "a wake is to come");
            self.is_quiet_until(wake);
            self.now = wake;
            self.look();
            look(self);
        }
        self.now = target;
        let probed = self.world.probed();
        // Nobody sees what changes twice at one moment.
        let flips: BTreeSet<&String> = step.flips.iter().map(|flip| flip.get(&probed)).collect();
        for name in flips {
            let is_down = self.down.remove(name).is_none();
            if is_down {
                self.down.insert(name.clone(), self.now);
            }
            let verdict = if is_down { Status::Down } else { Status::Up };
            self.inputs.set_verdict(self.case.model(), self.case.target(name), verdict);
        }
        if let Some((target, word, starts, lasts)) = &step.order {
            let (starts, target) = (self.now + seconds(*starts), target.get(&self.world.targets()).clone());
            self.order(Order { target, word: *word, starts, expires: starts + seconds(*lasts) });
        }
        if let Some(primary) = &step.promoted {
            let datacenter = primary.index(self.world.datacenters.len());
            self.promoted = Some(datacenter);
            self.inputs.promote(service(), DatacenterId::new(datacenter));
        }
        self.look();
        look(self);
    }

    fn order(&mut self, order: Order) {
        let action = match order.word {
            Word::Up => Action::Up,
            Word::Down => Action::Down,
            Word::Drain => Action::Drain,
        };
        self.inputs.add(Override {
            target: self.case.target(&order.target),
            action,
            starts: Some(order.starts),
            expires: Some(order.expires),
            reason: String::new(),
            author: String::new(),
        });
        self.orders.push(order);
    }

    /// Nothing happens before the product says so.
    fn is_quiet_until(&self, wake: Duration) {
        let before = wake - Duration::from_nanos(1);
        let early = advance(&self.case.world, &self.state, &self.inputs, before);
        assert_eq!(early.service(service()), self.state.service(service()), "before {wake:?}");
        assert_eq!(early.wake(), self.state.wake(), "before {wake:?}");
    }

    fn look(&mut self) {
        let now = self.now;
        self.state = advance(&self.case.world, &self.state, &self.inputs, now);
        let events = self.events();
        let oracle = Oracle { world: self.world, events: &events };
        let usable: Vec<_> = (0..self.world.vips.len()).map(|vip| oracle.is_usable(vip)).collect();
        let clean: Vec<_> =
            usable.iter().enumerate().map(|(vip, usable)| *usable && !oracle.is_bound(vip)).collect();
        if usable.contains(&true) {
            self.kept = (0..usable.len()).filter(|&vip| usable[vip]).collect();
        }
        for vip in 0..usable.len() {
            self.usable[vip] = usable[vip].then(|| self.usable[vip].unwrap_or((self.now, true)));
            self.clean[vip] = clean[vip].then(|| self.clean[vip].unwrap_or(self.now));
        }
    }

    /// What counts now: interconnects after their hold, words in force.
    fn events(&self) -> Events {
        let counts = |(name, since): &(&String, &Duration)| {
            !name.starts_with("interconnect:") || **since + seconds(self.world.hold) <= self.now
        };
        let in_force = |order: &&Order| (order.starts..order.expires).contains(&self.now);
        let word = |order: &Order| (order.target.clone(), order.word);
        Events {
            down: self.down.iter().filter(counts).map(|(name, _)| name.clone()).collect(),
            words: self.orders.iter().filter(in_force).map(word).collect(),
            promoted: self.promoted,
            kept: self.kept.clone(),
        }
    }

    fn is_held(&self, vip: usize) -> bool {
        self.usable[vip].is_some_and(|(since, was_out)| was_out && self.now < since + seconds(HOLD_DOWN))
    }

    fn ask(&self, state: &State, hash: u64) -> (Outcome, Vec<String>) {
        self.case.ask(state, Place::default(), Luck { hash, draw: 0 })
    }

    /// Without operators' words, what must be answered is known exactly.
    fn is_exact(&self) {
        let events = self.events();
        let oracle = Oracle { world: self.world, events: &events };
        let (mut kind, mut vips) = oracle.decide();
        if kind == Kind::Tier(1) {
            let (held, free): (Vec<_>, Vec<_>) = vips.into_iter().partition(|&vip| self.is_held(vip));
            (kind, vips) = if free.is_empty() { (Kind::Tier(2), held) } else { (kind, free) };
        }
        let (outcome, picks) = self.ask(&self.state, 0);
        let want = vips.first().map(|&vip| self.case.vip(vip));
        assert_eq!((kind_of(outcome), picks.first()), (kind, want.as_ref()), "at {:?}: {events:?}", self.now);
    }

    /// With them, the Law.
    fn is_lawful(&self, hash: u64) {
        let events = self.events();
        let oracle = Oracle { world: self.world, events: &events };
        let (kind, vips) = oracle.decide();
        let (outcome, picks) = self.ask(&self.state, hash);
        let why = || format!("at {:?}: {outcome:?} {picks:?}, {events:?}", self.now);
        let has_usable = matches!(kind, Kind::Tier(1 | 2));
        if !has_usable {
            let want = vips.first().map(|&vip| self.case.vip(vip));
            assert_eq!((kind_of(outcome), picks.first()), (kind, want.as_ref()), "{}", why());
            return;
        }
        let Outcome::Vips(tier @ (Tier::Allowed | Tier::Avoided)) = outcome else { panic!("{}", why()) };
        let vip = (0..self.world.vips.len()).find(|&vip| picks[0] == self.case.vip(vip)).unwrap();
        assert!(oracle.is_usable(vip) && !oracle.is_excluded(vip), "{}", why());
        let settled = |vip: usize| {
            let calm = HOLD_DOWN + self.world.ramp;
            self.world.vips[vip].enabled
                && self.clean[vip].is_some_and(|since| since + seconds(calm) <= self.now || since.is_zero())
        };
        match tier {
            Tier::Allowed => assert!(!oracle.is_drained(vip), "{}", why()),
            _ => assert!(!(0..self.world.vips.len()).any(settled), "{}", why()),
        }
    }

    /// A restart at this moment, before anything is probed again, changes no
    /// answer, now or later.
    fn survives_a_restart(&self, hash: u64) {
        let (world, now) = (&self.case.world, self.now);
        let saved = self.state.save(world).to_string();
        let restored = State::restore(world, &serde_json::from_str(&saved).unwrap()).unwrap();
        let mut inputs = self.inputs.clone();
        for index in 0..self.case.model().targets().len() {
            inputs.set_verdict(self.case.model(), rhumb_zones::TargetId::new(index), Status::Unknown);
        }
        let mut state = advance(world, &restored, &inputs, now);
        assert_eq!(self.ask(&state, hash), self.ask(&self.state, hash), "at {:?}: {saved}", self.now);
        assert_eq!(state.service(service()), self.state.service(service()), "at {:?}: {saved}", self.now);
        assert_eq!(state.wake(), self.state.wake(), "at {:?}: {saved}", self.now);
        let mut want = self.state.clone();
        for later in [20, 70] {
            let later = now + seconds(later);
            state = advance(world, &state, &self.inputs, later);
            want = advance(world, &want, &self.inputs, later);
            assert_eq!(self.ask(&state, hash), self.ask(&want, hash), "after {:?}: {saved}", self.now);
        }
    }
}

fn kind_of(outcome: Outcome) -> Kind {
    match outcome {
        Outcome::Vips(tier) => Kind::Tier(tier.number()),
        Outcome::FallbackAddresses | Outcome::RuleAddresses(_) => Kind::Addresses,
        Outcome::FallbackName => Kind::Name,
        Outcome::Fail => Kind::Fail,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    /// Faults alone: every answer is known, holds and hold-downs included.
    #[test]
    fn faults_are_followed(mut world in topologies(), hold in prop::sample::select(vec![0, 10, 40]), steps in steps(0.0)) {
        world.hold = hold;
        let case = Case::new(&world.policy());
        let mut walk = Walk::new(&world, &case);
        for step in &steps {
            walk.take(step, Walk::is_exact);
        }
    }

    /// Operators too: the Law holds for every client, and a restart at any
    /// moment flips nothing.
    #[test]
    fn the_law_holds_at_every_moment(
        mut world in topologies(),
        (hold, ramp) in prop::sample::select(vec![(0, 0), (10, 0), (40, 20), (10, 100)]),
        steps in steps(0.4),
        hash in any::<u64>(),
    ) {
        (world.hold, world.ramp) = (hold, ramp);
        let case = Case::new(&world.policy());
        let mut walk = Walk::new(&world, &case);
        for step in &steps {
            walk.take(step, |walk| {
                walk.is_lawful(hash);
                walk.is_lawful(!hash);
                walk.survives_a_restart(hash);
            });
        }
    }
}
