//! Worlds from policy text, and questions to them.

use std::sync::Arc;
use std::time::Duration;

use rhumb_geo::{Place, PlaceTable};
use rhumb_health::Status;
use rhumb_policies::{
    Action, Atlas, Client, Inputs, Outcome, Picks, Shape, State, Tier, World, advance, choose,
};
use rhumb_zones::{Files, LoadOptions, Model, NoFiles, Point, ServiceId, Source, TargetId, VipId, load};

/// A compiled policy, without places.
pub(crate) struct Case {
    pub(crate) world: World,
    pub(crate) atlas: Atlas,
}

/// The model of a policy that must be right.
pub(crate) fn model(policy: &str) -> Model {
    let source = Source { path: "policy.yaml".into(), bytes: policy.into() };
    let loaded = load(&[source], &NoFiles, &LoadOptions::default());
    assert!(!loaded.diagnostics.refuse(), "{}\n{policy}", loaded.diagnostics);
    loaded.model
}

/// What operators know of addresses, without databases and carriers' prefixes.
pub(crate) fn places(world: &World) -> PlaceTable {
    let nothing = Arc::new(rhumb_geo::Gazetteer::unknown());
    PlaceTable::new(nothing, &[], world.operator_prefixes())
}

impl Case {
    pub(crate) fn new(policy: &str) -> Self {
        Self::with(policy, &NoFiles)
    }

    pub(crate) fn with(policy: &str, files: &dyn Files) -> Self {
        let (world, diagnostics) = World::compile(model(policy), files);
        assert!(!diagnostics.refuse(), "{diagnostics}\n{policy}");
        let atlas = Atlas::survey(&world, &places(&world)).unwrap();
        Self { world, atlas }
    }

    pub(crate) fn model(&self) -> &Model {
        self.world.model()
    }

    pub(crate) fn shape(&self) -> &Shape {
        self.atlas.shape(ServiceId::new(0))
    }

    pub(crate) fn target(&self, name: &str) -> TargetId {
        self.model().target_named(&name.parse().unwrap()).unwrap_or_else(|| panic!("{name} is not declared"))
    }

    /// Everything up.
    pub(crate) fn well(&self) -> Inputs {
        Inputs::new(self.model(), Status::Up)
    }

    /// Everything up but these.
    pub(crate) fn without(&self, down: &[&str]) -> Inputs {
        let mut inputs = self.well();
        for name in down {
            inputs.set_verdict(self.model(), self.target(name), Status::Down);
        }
        inputs
    }

    /// Everything up, and operators' words.
    pub(crate) fn told(&self, words: &[(&str, Action)]) -> Inputs {
        let mut inputs = self.well();
        for &(name, action) in words {
            inputs.simply(self.target(name), action);
        }
        inputs
    }

    /// Where a world with these inputs settles that was never seen before.
    pub(crate) fn state(&self, inputs: &Inputs) -> State {
        self.after(&State::default(), inputs)
    }

    /// Where it settles after `previous`, an hour later.
    pub(crate) fn after(&self, previous: &State, inputs: &Inputs) -> State {
        let start = previous.wake().unwrap_or_default() + Duration::from_secs(3600);
        let state = self.at(previous, inputs, start);
        self.at(&state, inputs, start + Duration::from_secs(3600))
    }

    /// The state at a moment, links selected.
    pub(crate) fn at(&self, previous: &State, inputs: &Inputs, now: Duration) -> State {
        let mut state = advance(&self.world, previous, inputs, now);
        state.select(&self.world, &self.atlas, inputs);
        state
    }

    /// The first service's answer to a client.
    pub(crate) fn ask(&self, state: &State, place: Place<'_>, luck: Luck) -> (Outcome, Vec<String>) {
        let ranked = state.rank(&self.world, self.shape(), place);
        let client = Client { class: ranked.class(), hash: luck.hash, draw: luck.draw };
        let mut picks = Picks::default();
        let outcome = choose(self.shape(), state.service(ServiceId::new(0)), &client, &mut picks);
        (outcome, picks.slots().iter().map(|slot| self.vip(slot.index())).collect())
    }

    /// Datacenter, or datacenter and link, of the first service's VIP.
    pub(crate) fn vip(&self, index: usize) -> String {
        let vip = self.model().vip(VipId::new(index));
        let datacenter = &self.model().datacenter(vip.datacenter).name;
        let link = vip.link.map(|link| &self.model().link(link).name);
        link.map_or_else(|| datacenter.to_string(), |link| format!("{datacenter}/{link}"))
    }
}

/// What a choice hangs on besides place and health.
#[derive(Clone, Copy, Default)]
pub(crate) struct Luck {
    pub(crate) hash: u64,
    pub(crate) draw: u64,
}

/// The outcome while all is well.
pub(crate) const FIRST: Outcome = Outcome::Vips(Tier::Allowed);

/// A place of which only coordinates are known.
pub(crate) fn at(latitude: f64, longitude: f64) -> Place<'static> {
    Place { at: Point::new(latitude, longitude), ..Place::default() }
}

/// A world that is watched: inputs change, time passes.
pub(crate) struct Watch<'a> {
    pub(crate) case: &'a Case,
    pub(crate) inputs: Inputs,
    pub(crate) state: State,
}

/// The first moment of a watch, in seconds since the Unix epoch.
pub(crate) const START: u64 = 1_000_000;

impl<'a> Watch<'a> {
    /// A world seen for the first time, with everything up.
    pub(crate) fn new(case: &'a Case) -> Self {
        let inputs = case.well();
        let state = advance(&case.world, &State::default(), &inputs, Duration::from_secs(START));
        Self { case, inputs, state }
    }

    pub(crate) fn set(&mut self, name: &str, verdict: Status) {
        self.inputs.set_verdict(self.case.model(), self.case.target(name), verdict);
    }

    /// Follows words such as `-link:a/x +link:a/x ?link:a/x`: down, up, no
    /// verdict.
    pub(crate) fn tell(&mut self, words: &str) {
        for word in words.split_whitespace() {
            let (sign, name) = word.split_at(1);
            match sign {
                "-" => self.set(name, Status::Down),
                "+" => self.set(name, Status::Up),
                "?" => self.set(name, Status::Unknown),
                _ => panic!("{word} says nothing"),
            }
        }
    }

    /// Advances to `seconds` after the start.
    pub(crate) fn at(&mut self, seconds: f64) {
        let now = Duration::from_secs(START) + Duration::from_secs_f64(seconds);
        self.state = advance(&self.case.world, &self.state, &self.inputs, now);
    }

    /// The tier and the VIPs that a client nowhere gets.
    pub(crate) fn answer(&self) -> String {
        self.answer_to(0)
    }

    /// The same for a client with this hash.
    pub(crate) fn answer_to(&self, hash: u64) -> String {
        let (outcome, picks) = self.case.ask(&self.state, Place::default(), Luck { hash, draw: 0 });
        match outcome {
            Outcome::Vips(tier) => format!("{} {}", tier.number(), picks.join(" ")),
            other => format!("{other:?}"),
        }
    }

    pub(crate) fn ttl(&self) -> u32 {
        self.state.service(ServiceId::new(0)).ttl
    }

    /// When it would change by itself, in seconds after the start.
    pub(crate) fn wake(&self) -> Option<f64> {
        self.state.wake().map(|wake| wake.as_secs_f64() - START as f64)
    }
}
