//! The links that every class of clients has, as part of the state.
//!
//! [`State::select`] follows [`advance`](super::advance()): it needs the atlas,
//! which knows classes, where the rest of the state knows none. What it makes
//! is kept by shape and shared between states until it changes; a query finds
//! its order with [`State::class`]. Selection happens at most once a second,
//! and at once when a link goes down or comes up.
//!
//! On paper choices stand under the name of a service, the key of a class and
//! the names of links; classes that are not named there have the link they
//! enter by.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use rhumb_geo::{ClassId, Place};
use rhumb_zones::{Link, Model, ServiceId};
use rustc_hash::FxHashMap;
use serde_json::{Map, Value as Json, json};

use super::State;
use super::save::{Paper, nanoseconds};
use crate::RestoreError;
use crate::atlas::Atlas;
use crate::inputs::Inputs;
use crate::link::measured::{Measured, Scorer};
use crate::link::model::LinkModel;
use crate::link::score::Reading;
use crate::link::select::{Selected, Selector};
use crate::mask::Slot;
use crate::shape::{Class, Ranked, Shape};
use crate::world::World;

/// Selection follows measures no faster: probes' intervals are longer.
const PACE: Duration = Duration::from_secs(1);

/// What all shapes have.
#[derive(Clone, Default, Debug)]
pub(crate) struct Links {
    /// By shape.
    shapes: Vec<Held>,
    /// When it was last selected, since the Unix epoch.
    at: Duration,
    /// By link, at that time.
    up: Vec<bool>,
    taught: Arc<Taught>,
    remembered: Remembered,
}

/// Models that were learned since their files were read, by the file's name;
/// nothing where the formula is to stand in.
pub(crate) type Taught = FxHashMap<Arc<str>, Option<Arc<LinkModel>>>;

/// What one shape has.
#[derive(Clone, Debug)]
struct Held {
    shape: Arc<Shape>,
    /// Its services.
    services: Vec<ServiceId>,
    live: Option<Selected>,
    shadow: Option<Selected>,
}

/// Links and since when clients have them.
type Names = Vec<(String, Duration)>;

/// What was saved: by service, by key of a class; and when that was.
#[derive(Clone, Default, Debug)]
struct Remembered {
    services: FxHashMap<String, FxHashMap<String, Names>>,
    at: Duration,
}

/// Classes of one shape that got another link.
#[derive(Debug)]
pub(crate) struct Moved {
    /// Services that steer alike.
    pub(crate) services: Vec<String>,
    /// How many classes there are.
    pub(crate) classes: usize,
    /// From which link to which, class by class.
    pub(crate) pairs: Vec<(String, String)>,
}

/// Who selects: the one that answers, or the one that is watched.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Side {
    Live,
    Shadow,
}

impl Measured {
    pub(crate) const fn scorer(&self, side: Side) -> Option<&Scorer> {
        match side {
            Side::Live => self.live.as_ref(),
            Side::Shadow => self.shadow.as_ref(),
        }
    }
}

impl State {
    /// Selects links by what is measured now, where that is asked for.
    pub fn select(&mut self, world: &World, atlas: &Atlas, inputs: &Inputs) {
        let is_up = |link: &Link| self.statuses.record(link.target).is_up;
        let up: Vec<bool> = world.model().links().iter().map(is_up).collect();
        let before = Arc::clone(&self.links);
        let is_known = before.shapes.len() == atlas.shapes().len()
            && before.shapes.iter().zip(atlas.shapes()).all(|(held, shape)| Arc::ptr_eq(&held.shape, shape));
        let is_due = self.now.saturating_sub(before.at) >= PACE || before.at > self.now;
        if is_known && !is_due && before.up == up && is_same(&before.taught, &inputs.taught) {
            return;
        }
        let taught = Arc::clone(&inputs.taught);
        let hold = |(number, shape): (usize, &Arc<Shape>)| {
            let known = is_known.then(|| &before.shapes[number]);
            self.hold(world, (atlas, shape), (known, &before.remembered), &taught)
        };
        let shapes = atlas.shapes().iter().enumerate().map(hold).collect();
        let remembered = Remembered::default();
        self.links = Arc::new(Links { shapes, at: self.now, up, taught, remembered });
    }

    /// The same state with links selected by later measures.
    #[must_use]
    pub fn remeasured(&self, world: &World, atlas: &Atlas, inputs: &Inputs, now: Duration) -> Self {
        let mut next = Self { now, measures: Arc::clone(&inputs.measures), ..self.clone() };
        next.select(world, atlas, inputs);
        next
    }

    /// Whether clients have the links that they had in `before`.
    #[must_use]
    pub fn has_links_of(&self, before: &Self) -> bool {
        // Orders are kept while they stay the same.
        let order = |held: &Held| held.live.as_ref().map(|live| Arc::as_ptr(&live.orders));
        self.links.shapes.iter().map(order).eq(before.links.shapes.iter().map(order))
    }

    /// The class of that id of `shape`, whose atlas links were selected with.
    #[must_use]
    #[inline]
    pub fn class<'a>(&'a self, shape: &'a Shape, id: ClassId) -> Class<'a> {
        let fixed = shape.class(id);
        match self.selected(shape, Side::Live) {
            Some(selected) => selected.orders.class(fixed, id),
            None => fixed,
        }
    }

    /// Ranks a client at `place`, in a table or not: as its class, if there is
    /// one, else as a class of its own would be at first.
    #[must_use]
    pub fn rank(&self, world: &World, shape: &Shape, place: Place<'_>) -> Ranked {
        let mut ranked = shape.rank(world, place);
        let Some(fare) = ranked.fare() else { return ranked };
        let id = shape.class_with(&ranked);
        let Some(selected) = self.selected(shape, Side::Live) else {
            ranked.id = id;
            return ranked;
        };
        match id {
            Some(id) => ranked.ordered(selected.orders.class(shape.class(id), id).order, (shape, Some(id))),
            None => {
                let order =
                    self.with_selector(world, shape, Side::Live, |own| own.first(ranked.class(), fare));
                order.map_or_else(|| ranked.clone(), |order| ranked.ordered(&order, (shape, None)))
            }
        }
    }

    /// Classes that have another link than in `before`, though the one they had
    /// is up: for every shape where there are some.
    pub(crate) fn moved(&self, world: &World, before: &Self) -> Vec<Moved> {
        let model = world.model();
        let pairs = self.links.shapes.iter().zip(&before.links.shapes);
        let same = pairs.filter(|(now, then)| Arc::ptr_eq(&now.shape, &then.shape));
        let moved = same.filter_map(|(now, then)| {
            let (shape, is_up) = (&now.shape, self.ups(world, &now.shape));
            let name = |slot| shape.slot_name(model, slot);
            let moves = now.live.as_ref()?.moves_since(then.live.as_ref()?);
            let moves = moves.filter(|(from, _)| is_up[from.index()]);
            let pairs: Vec<_> = moves.map(|(from, to)| (name(from), name(to))).collect();
            let services = now.services.iter().map(|&id| model.service(id).name.to_string()).collect();
            (!pairs.is_empty()).then(|| Moved { services, classes: shape.classes().len(), pairs })
        });
        moved.collect()
    }

    /// What is selected for a shape.
    pub(crate) fn selected(&self, shape: &Shape, side: Side) -> Option<&Selected> {
        let held = self.links.shapes.get(shape.number())?;
        match side {
            Side::Live => held.live.as_ref(),
            Side::Shadow => held.shadow.as_ref(),
        }
    }

    /// What the links of a shape are scored with on that side.
    pub(crate) fn with_selector<T>(
        &self,
        world: &World,
        shape: &Shape,
        side: Side,
        body: impl FnOnce(&Selector<'_>) -> T,
    ) -> Option<T> {
        let measured = shape.layout().plan().selection.measured.as_ref()?;
        let formula = measured.scorer(side)?.formula(&self.links.taught);
        let (readings, is_up) = (self.readings(world, shape), self.ups(world, shape));
        let (calm, now) = (measured.calm, self.now);
        Some(body(&Selector { shape, formula, calm, readings: &readings, is_up: &is_up, now }))
    }

    fn hold(
        &self,
        world: &World,
        (atlas, shape): (&Atlas, &Arc<Shape>),
        (before, remembered): (Option<&Held>, &Remembered),
        taught: &Taught,
    ) -> Held {
        let services: Vec<_> = match before {
            Some(before) => before.services.clone(),
            None => atlas.services(shape.number()).collect(),
        };
        let held = Held { shape: Arc::clone(shape), services, live: None, shadow: None };
        let (Some(measured), Some(_)) = (&shape.layout().plan().selection.measured, shape.fares()) else {
            return held;
        };
        let frozen = |&service: &ServiceId| self.effects(world, service).freeze.is_some();
        let is_frozen = self.is_own_fault || held.services.iter().any(frozen);
        let (readings, is_up) = (self.readings(world, shape), self.ups(world, shape));
        let (calm, now) = (measured.calm, self.now);
        let next = |side: Side, before: Option<&Selected>| {
            let formula = measured.scorer(side)?.formula(taught);
            let entry = || {
                let kept = (side == Side::Live).then(|| remembered.of(world, &held.services)).flatten();
                Selected::entry(shape, |class, slots| {
                    kept.as_ref()?.choice(world.model(), shape, class, slots)
                })
            };
            let before = before.cloned().unwrap_or_else(entry);
            let selector = Selector { shape, formula, calm, readings: &readings, is_up: &is_up, now };
            Some(if is_frozen { before } else { selector.next(&before) })
        };
        let live = next(Side::Live, before.and_then(|before| before.live.as_ref()));
        let shadow = next(Side::Shadow, before.and_then(|before| before.shadow.as_ref()));
        Held { live, shadow, ..held }
    }

    /// By slot, what is measured of links.
    fn readings(&self, world: &World, shape: &Shape) -> Vec<Reading> {
        let links = shape.layout().egresses().iter().map(|egress| egress.link);
        let target = |link| world.model().link(link).target;
        links.map(|link| Reading::new(link.and_then(|link| self.measures.get(&target(link))))).collect()
    }

    /// By slot, whether links are up.
    pub(super) fn ups(&self, world: &World, shape: &Shape) -> Vec<bool> {
        let links = shape.layout().egresses().iter().map(|egress| egress.link);
        let is_up = |link| self.statuses.record(world.model().link(link).target).is_up;
        links.map(|link| link.is_none_or(is_up)).collect()
    }

    pub(super) fn save_links(&self, model: &Model) -> Json {
        let save = |held: &Held| {
            let selected = held.live.as_ref()?;
            Some((
                model.service(*held.services.first()?).name.to_string(),
                save(model, &held.shape, selected),
            ))
        };
        let services: Map<_, _> = self.links.shapes.iter().filter_map(save).collect();
        json!({ "at": nanoseconds(self.links.at), "services": services })
    }

    pub(super) fn restore_links(&mut self, paper: &Paper<'_>) -> Result<(), RestoreError> {
        let mut remembered = Remembered { at: paper.get("at")?.time()?, ..Remembered::default() };
        for (service, classes) in paper.get("services")?.entries()? {
            let of_service = remembered.services.entry(service).or_default();
            for (key, links) in classes.entries()? {
                let links = links.entries()?.into_iter().map(|(name, since)| Ok((name, since.time()?)));
                of_service.insert(key, links.collect::<Result<_, _>>()?);
            }
        }
        self.links = Arc::new(Links { remembered, ..Links::default() });
        Ok(())
    }
}

fn is_same(a: &Taught, b: &Taught) -> bool {
    let model = |model: &Option<Arc<LinkModel>>| model.as_ref().map(Arc::as_ptr);
    a.len() == b.len()
        && a.iter().all(|(file, one)| b.get(file).is_some_and(|other| model(one) == model(other)))
}

/// The classes that have another link than they enter by.
fn save(model: &Model, shape: &Shape, selected: &Selected) -> Json {
    let mut classes = Map::new();
    for id in shape.classes() {
        let mut links = Map::new();
        for (group, slots) in shape.groups(shape.class(id)) {
            let choice = selected.choice(shape, id, group);
            if choice.slot != slots[0] {
                let since = choice.since.map_or(0, nanoseconds);
                links.insert(shape.slot_name(model, choice.slot), json!(since));
            }
        }
        if !links.is_empty() {
            classes.insert(hex(&shape.whole_key(id)), Json::Object(links));
        }
    }
    Json::Object(classes)
}

/// What is remembered of one shape.
struct Kept<'a> {
    classes: &'a FxHashMap<String, Names>,
    at: Duration,
}

impl Remembered {
    /// What was saved of a shape, under any of its services.
    fn of(&self, world: &World, services: &[ServiceId]) -> Option<Kept<'_>> {
        let saved = |&service: &ServiceId| self.services.get(&*world.model().service(service).name);
        let classes = services.iter().find_map(saved)?;
        Some(Kept { classes, at: self.at })
    }
}

impl Kept<'_> {
    /// The link that a class had among `slots`: that which is named, else the
    /// first.
    fn choice(&self, model: &Model, shape: &Shape, id: ClassId, slots: &[Slot]) -> Option<(Slot, Duration)> {
        let named = self.classes.get(&hex(&shape.whole_key(id))).into_iter().flatten();
        let is_it = |slot: &Slot, name: &str| shape.slot_name(model, *slot) == name;
        let mut known =
            named.filter_map(|(name, since)| Some((*slots.iter().find(|slot| is_it(slot, name))?, *since)));
        known.next().or_else(|| Some((*slots.first()?, self.at)))
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}"); // a string takes all
        text
    })
}
