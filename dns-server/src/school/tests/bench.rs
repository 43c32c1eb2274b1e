//! A school on a temporary directory, a clock that is a number, and a world
//! whose truth is known.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use rhumb_policies::link::feature::{LinkFacts, goodput};
use rhumb_policies::link::learned::{ModelFile, Retrain};
use rhumb_policies::link::model::LinkModel;
use rhumb_policies::link::sample::{Row, Sample};
use rhumb_policies::link::train::{Training, train};
use rhumb_policies::{Event, EventKind};

use crate::school::classroom::Classroom;
use crate::school::lesson::Stop;
use crate::school::report::ModelReport;
use crate::school::{Group, KEEP, LinkOrder, LinkWhat, Measured, Taught, WINDOW, Window, Word};

pub(super) const DAY: Duration = Duration::from_secs(86_400);

/// 2026-11-01T00:00Z.
const START: Duration = Duration::from_secs(1_793_491_200);

pub(super) const NAME: &str = "links.model";

/// What links are like, and what is best for clients.
#[derive(Clone, Copy, Debug)]
pub(super) struct World {
    /// Share of decisions in which links differ in how far they are.
    pub(super) far: f64,
    /// Factor on every delay.
    pub(super) slow: f64,
    /// Kilometres between the nearest and the farthest.
    pub(super) spread_km: f64,
}

impl World {
    pub(super) const USUAL: Self = Self { far: 0.3, slow: 1.0, spread_km: 6_000.0 };

    /// Distance matters always.
    pub(super) const WIDE: Self = Self { far: 1.0, ..Self::USUAL };
}

/// A small generator of uniform numbers in 0–1.
#[derive(Clone, Debug)]
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn roll(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }
}

pub(super) const LINKS: [&str; 4] = ["north/telecom", "north/unicom", "north/mobile", "north/transit"];

impl World {
    pub(super) fn facts(&self, dice: &mut Dice) -> Vec<LinkFacts> {
        let is_far = dice.roll() < self.far;
        let mut link = || LinkFacts {
            quality: Some(50.0),
            price_km: Some(if is_far { 100.0 + dice.roll() * self.spread_km } else { 100.0 }),
            weight: Some(1.0),
            loss: Some((dice.roll() * 4.0).floor() / 60.0 * dice.roll().round()),
            delay_ms: Some(self.slow * 20.0 * (dice.roll() * 1.5).exp()),
            jitter_ms: Some(dice.roll() * 5.0),
        };
        LINKS.map(|_| link()).to_vec()
    }
}

/// Decisions of which somebody thinks that lowest `by` is best.
pub(super) fn labelled(world: World, count: usize, by: fn(&LinkFacts) -> f64) -> Vec<Sample> {
    let mut dice = Dice(7);
    let sample = |index: usize| {
        let facts = world.facts(&mut dice);
        let least = facts.iter().map(by).fold(f64::INFINITY, f64::min);
        let at = facts.iter().position(|facts| by(facts) == least).unwrap();
        let row = |(index, facts): (usize, &LinkFacts)| Row {
            link: LINKS[index].into(),
            facts: *facts,
            is_best: index == at,
            utility: None,
        };
        Sample { group: format!("label {index}").into(), rows: facts.iter().enumerate().map(row).collect() }
    };
    (0..count).map(sample).collect()
}

/// A model by someone who looks at delay and loss alone.
pub(super) fn near_sighted() -> Arc<LinkModel> {
    static MODEL: OnceLock<Arc<LinkModel>> = OnceLock::new();
    Arc::clone(MODEL.get_or_init(|| near_sighted_in(World::USUAL)))
}

/// The same, in another world.
pub(super) fn near_sighted_in(world: World) -> Arc<LinkModel> {
    let worth = |facts: &LinkFacts| -goodput(&LinkFacts { price_km: None, ..*facts }).unwrap();
    model(&labelled(world, 300, worth))
}

/// A model by someone who knows the truth.
pub(super) fn far_sighted() -> Arc<LinkModel> {
    static MODEL: OnceLock<Arc<LinkModel>> = OnceLock::new();
    Arc::clone(MODEL.get_or_init(|| model(&labelled(World::USUAL, 1_000, |facts| -goodput(facts).unwrap()))))
}

pub(super) fn model(samples: &[Sample]) -> Arc<LinkModel> {
    Arc::new(train(samples, &Training { seed: 1 }, &mut |_, _| true).unwrap().model)
}

/// Files, the time, and what comes next.
type Kept = (Vec<(OsString, Vec<u8>)>, Duration, Dice);

/// A school under test.
pub(super) struct Bench {
    pub(super) root: PathBuf,
    pub(super) room: Classroom,
    pub(super) now: Duration,
    pub(super) world: World,
    pub(super) dice: Dice,
    /// Decisions per window.
    pub(super) groups: usize,
    pub(super) pupil: ModelFile,
    /// Whether the near links lose what is sent, once decided for.
    pub(super) belies: bool,
    /// The links of each class, when they were decided about last.
    last: Vec<Vec<LinkFacts>>,
    /// What happened.
    pub(super) events: Vec<Event>,
    pub(super) taught: Vec<Taught>,
}

impl Drop for Bench {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.root);
    }
}

impl Bench {
    pub(super) fn new(file: Arc<LinkModel>) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let root = std::env::temp_dir().join(format!("rhumb-school-{}-{count}", std::process::id()));
        let _ = fs::remove_dir_all(&root);
        let retrain = Retrain { every: DAY, keep: KEEP, labels: Arc::from([]) };
        let mut bench = Self {
            room: Classroom::new(Some(root.clone())),
            root,
            now: START,
            world: World::USUAL,
            dice: Dice(42),
            groups: 2,
            pupil: ModelFile { name: NAME.into(), model: file, retrain: Some(retrain) },
            belies: false,
            last: Vec::new(),
            events: Vec::new(),
            taught: Vec::new(),
        };
        bench.enrol();
        bench
    }

    /// One that learned and promoted a better model an instant ago.
    pub(super) fn taught() -> Self {
        static KEPT: OnceLock<Kept> = OnceLock::new();
        let (files, now, dice) = KEPT.get_or_init(|| {
            let mut bench = Self::new(near_sighted());
            bench.pass(DAY * 2 + WINDOW);
            let entries = fs::read_dir(bench.folder()).unwrap().map(|entry| entry.unwrap());
            let files = entries.map(|entry| (entry.file_name(), fs::read(entry.path()).unwrap())).collect();
            (files, bench.now, bench.dice.clone())
        });
        let mut bench = Self::new(near_sighted());
        files.iter().for_each(|(name, bytes)| fs::write(bench.folder().join(name), bytes).unwrap());
        (bench.now, bench.dice) = (*now, dice.clone());
        bench.restart();
        assert_eq!(bench.in_use(), Ok(Some(1)), "{:?}", bench.report());
        bench.events.clear();
        bench
    }

    pub(super) fn enrol(&mut self) {
        self.room.enrol(vec![Arc::new(self.pupil.clone())], self.now);
        self.listen();
    }

    /// The process ends, however, and another takes up.
    pub(super) fn restart(&mut self) {
        self.room = Classroom::new(Some(self.root.clone()));
        self.enrol();
    }

    /// Lets this much time pass, window by window.
    pub(super) fn pass(&mut self, span: Duration) {
        let end = self.now + span;
        while self.now < end {
            self.now += WINDOW;
            let window = self.window();
            self.room.record(window);
            if self.room.wake().is_some_and(|wake| wake <= self.now) {
                self.room.tick(self.now, &mut || Ok(()));
            }
            self.listen();
        }
    }

    /// Decisions, and the outcome of those before: links measure what they did
    /// when the decision was made. Each class has links of its own, so that one
    /// window holds more than one decision.
    pub(super) fn window(&mut self) -> Window {
        let names = |class: usize| LINKS.map(|link| Arc::from(format!("{class}/{link}")));
        let belies = self.belies;
        let outcome = |facts: &LinkFacts| {
            let LinkFacts { loss, delay_ms, jitter_ms, price_km, .. } = *facts;
            let lost = price_km.map(|price_km| (1.0 - price_km / 3_000.0).clamp(0.0, 1.0));
            Measured { loss: if belies { lost } else { loss }, delay_ms, jitter_ms }
        };
        let mut measured = HashMap::new();
        for (class, facts) in self.last.iter().enumerate() {
            measured.extend(names(class).into_iter().zip(facts.iter().map(outcome)));
        }
        self.last = (0..self.groups).map(|_| self.world.facts(&mut self.dice)).collect();
        let group = |(class, facts): (usize, &Vec<LinkFacts>)| Group {
            name: format!("shape/{class}"),
            links: names(class).into_iter().zip(facts.iter().copied()).collect(),
        };
        let groups = self.last.iter().enumerate().map(group).collect();
        Window { name: NAME.into(), at: self.now, groups, measured }
    }

    pub(super) fn listen(&mut self) {
        for word in self.room.words() {
            match word {
                Word::Taught(taught) => self.taught.push(taught),
                Word::Events(mut events) => self.events.append(&mut events),
            }
        }
    }

    pub(super) fn order(&mut self, what: LinkWhat) -> Result<Vec<String>, String> {
        let order = LinkOrder { what, name: None, reason: "because".to_owned(), author: "ann".to_owned() };
        let said = self.room.order(&order, self.now, &mut || Ok(()));
        self.listen();
        said
    }

    pub(super) fn interrupted(&mut self, what: LinkWhat, stop: Stop) -> Result<Vec<String>, String> {
        let order = LinkOrder { what, name: None, reason: String::new(), author: String::new() };
        let said = self.room.order(&order, self.now, &mut || Err(stop));
        self.listen();
        said
    }

    pub(super) fn report(&self) -> ModelReport {
        self.room.report().models[0].clone()
    }

    pub(super) fn count(&self, kind: EventKind) -> usize {
        self.events.iter().filter(|event| event.kind == kind).count()
    }

    /// What the keeper uses: the number of a learned model, `None` for the
    /// operator's file; an error for the formula.
    pub(super) fn in_use(&self) -> Result<Option<u32>, &str> {
        let taught = self.taught.last().unwrap();
        let report = self.report();
        match &taught.model {
            None => Err(&taught.reason),
            Some(model) => {
                assert_eq!(model.id(), report.id, "what is told is what is reported");
                Ok(report.number)
            }
        }
    }

    pub(super) fn folder(&self) -> PathBuf {
        self.root.join("links").join(NAME)
    }
}
