//! What is selected, over all classes: for operators, and for learning on.
//!
//! A [`LinkSummary`] says of each shape who selects, which share of its classes
//! has which link, and what a model in the shadow would change. A [`Decision`]
//! is one class and one group as a sample: every link with what is known of it
//! now.

use std::sync::Arc;

use rhumb_geo::ClassId;
use rhumb_zones::ServiceId;
use serde::{Deserialize, Serialize};

use super::State;
use super::links::Side;
use crate::atlas::Atlas;
use crate::link::feature::{LinkFacts, goodput};
use crate::link::learned::ModelFile;
use crate::link::measured::Scorer;
use crate::link::score::Scored;
use crate::link::select::Selector;
use crate::mask::Slot;
use crate::shape::Shape;
use crate::world::World;

/// What is selected for services that steer alike.
#[derive(Clone, PartialEq, Serialize, Deserialize, Debug)]
#[serde(rename_all = "kebab-case")]
pub struct LinkSummary {
    /// Which services.
    pub services: Vec<String>,
    /// Who answers: `formula`, the model's file, or nothing where a fixed order
    /// does.
    pub selector: Option<String>,
    /// The model's file that is watched.
    pub shadow: Option<String>,
    /// How many classes of clients there are.
    pub classes: usize,
    /// Every link of a group of several.
    pub links: Vec<LinkShare>,
    /// Share of choices on which shadow and live agree.
    pub agreement: Option<f64>,
    /// Mean nats that the shadow's choices gain, by its own score.
    pub expected_gain: Option<f64>,
    /// Mean nats of goodput that they gain, by what is measured now; nothing
    /// where links are not measured.
    pub measured_gain: Option<f64>,
}

/// What one link of a shape has.
#[derive(Clone, PartialEq, Serialize, Deserialize, Debug)]
#[serde(rename_all = "kebab-case")]
pub struct LinkShare {
    /// `north/telecom`.
    pub link: String,
    /// Whether it is up.
    pub is_up: bool,
    /// Share of classes that have it, 0–1.
    pub share: f64,
    /// The same in the shadow.
    pub shadow_share: Option<f64>,
    /// Share of probes lost, 0–1.
    pub loss: Option<f64>,
    /// Median delay, milliseconds.
    pub delay_ms: Option<f64>,
    /// Mean difference of neighbouring delays, milliseconds.
    pub jitter_ms: Option<f64>,
    /// Mean price over the classes, kilometres.
    pub price_km: Option<f64>,
    /// Mean score over the classes, nats.
    pub score: f64,
}

/// One decision: the links that a class of clients may have.
#[derive(Clone, PartialEq, Debug)]
pub struct Decision {
    /// The same for the same class and group of a shape.
    pub name: String,
    /// Each link, and what is known of it.
    pub links: Vec<(String, LinkFacts)>,
}

/// A mean in the making.
#[derive(Clone, Copy, Default)]
struct Mean {
    sum: f64,
    count: u32,
}

impl Mean {
    fn add(&mut self, value: f64) {
        self.sum += value;
        self.count += 1;
    }

    fn get(self) -> Option<f64> {
        (self.count > 0).then(|| self.sum / f64::from(self.count))
    }
}

impl State {
    /// What is selected, for every shape whose links are compared.
    #[must_use]
    pub fn links(&self, world: &World, atlas: &Atlas) -> Vec<LinkSummary> {
        let measured = atlas.shapes().iter().filter(|shape| shape.fares().is_some());
        measured.map(|shape| self.summary(world, (atlas, shape))).collect()
    }

    /// Decisions about the links that the model of `file` scores, of those
    /// classes that `turn` picks out of so many.
    #[must_use]
    pub fn decisions<C: IntoIterator<Item = usize>>(
        &self,
        world: &World,
        atlas: &Atlas,
        file: &str,
        turn: impl Fn(usize) -> C,
    ) -> Vec<Decision> {
        let mut decisions = Vec::new();
        for shape in atlas.shapes().iter().filter(|shape| shape.fares().is_some()) {
            let Some(side) =
                [Side::Live, Side::Shadow].into_iter().find(|&side| file_of(shape, side) == Some(file))
            else {
                continue;
            };
            let service = atlas.services(shape.number()).next().expect("a shape is some service's");
            let whose = &world.model().service(service).name;
            let ids = turn(shape.classes().len()).into_iter().filter_map(ClassId::new);
            let of_class = |selector: &Selector<'_>| {
                for id in ids {
                    for (group, scored) in groups(selector, id) {
                        let link = |one: &Scored| (shape.slot_name(world.model(), one.slot), one.facts);
                        let name = format!("{whose}/{group}/{}", id.index());
                        decisions.push(Decision { name, links: scored.iter().map(link).collect() });
                    }
                }
            };
            self.with_selector(world, shape, side, of_class);
        }
        decisions
    }

    fn summary(&self, world: &World, (atlas, shape): (&Atlas, &Arc<Shape>)) -> LinkSummary {
        let model = world.model();
        let name = |service: ServiceId| model.service(service).name.to_string();
        let [selector, shadow] = [Side::Live, Side::Shadow].map(|side| scorer_name(shape, side));
        let slots = shape.layout().egresses().len();
        let (mut scores, mut prices) = (vec![Mean::default(); slots], vec![Mean::default(); slots]);
        let (mut live, mut watched) = (vec![0_u32; slots], vec![0_u32; slots]);
        let (mut agreed, mut expected, mut gained) = (Mean::default(), Mean::default(), Mean::default());
        let mut facts = vec![None; slots];
        let by = if shadow.is_some() { Side::Shadow } else { Side::Live };
        let count = |selector: &Selector<'_>| {
            for id in shape.classes() {
                let class = self.class(shape, id);
                for (group, scored) in groups(selector, id) {
                    for one in &scored {
                        scores[one.slot.index()].add(one.total());
                        one.facts.price_km.into_iter().for_each(|km| prices[one.slot.index()].add(km));
                        facts[one.slot.index()] = Some(one.facts);
                    }
                    let ours = |slots: &[Slot]| scored.iter().any(|one| slots.contains(&one.slot));
                    let Some(first) = shape.groups(class).find(|(_, slots)| ours(slots)) else { continue };
                    let first = first.1[0];
                    live[first.index()] += 1;
                    let Some(selected) = self.selected(shape, Side::Shadow) else { continue };
                    let other = selected.choice(shape, id, group).slot;
                    watched[other.index()] += 1;
                    agreed.add(if other == first { 1.0 } else { 0.0 });
                    let of = |slot| scored.iter().find(|one| one.slot == slot);
                    let (Some(one), Some(two)) = (of(other), of(first)) else { continue };
                    expected.add(one.total() - two.total());
                    if let Some((one, two)) = goodput(&one.facts).zip(goodput(&two.facts)) {
                        gained.add(one - two);
                    }
                }
            }
        };
        self.with_selector(world, shape, by, count);
        let classes = shape.classes().len();
        let share = |count: u32| f64::from(count) / classes.max(1) as f64;
        let is_up = self.ups(world, shape);
        let link = |(index, facts): (usize, &Option<LinkFacts>)| {
            let LinkFacts { loss, delay_ms, jitter_ms, .. } = (*facts)?;
            Some(LinkShare {
                link: shape.slot_name(model, Slot::new(index)),
                is_up: is_up[index],
                share: share(live[index]),
                shadow_share: shadow.is_some().then(|| share(watched[index])),
                loss,
                delay_ms,
                jitter_ms,
                price_km: prices[index].get(),
                score: scores[index].get().unwrap_or_default(),
            })
        };
        LinkSummary {
            services: atlas.services(shape.number()).map(name).collect(),
            links: facts.iter().enumerate().filter_map(link).collect(),
            selector,
            shadow,
            classes,
            agreement: agreed.get(),
            expected_gain: expected.get(),
            measured_gain: gained.get(),
        }
    }
}

/// The groups of a class that have a choice, scored.
fn groups(selector: &Selector<'_>, id: ClassId) -> Vec<(usize, Vec<Scored>)> {
    let shape = selector.shape;
    let Some(fares) = shape.fares() else { return Vec::new() };
    let groups = shape.groups(shape.class(id)).filter(|(_, slots)| slots.len() > 1);
    groups.map(|(group, slots)| (group, selector.score(slots, fares.of(id)))).collect()
}

fn scorer(shape: &Shape, side: Side) -> Option<&Scorer> {
    shape.layout().plan().selection.measured.as_ref()?.scorer(side)
}

/// The model's file that scores on that side.
fn file_of(shape: &Shape, side: Side) -> Option<&str> {
    match scorer(shape, side)? {
        Scorer::Model(file) => Some(&file.name),
        Scorer::Formula(_) => None,
    }
}

fn scorer_name(shape: &Shape, side: Side) -> Option<String> {
    Some(match scorer(shape, side)? {
        Scorer::Model(file) => file.name.to_string(),
        Scorer::Formula(_) => "formula".to_owned(),
    })
}

impl World {
    /// Every model that some service names, once.
    #[must_use]
    pub fn model_files(&self) -> Vec<Arc<ModelFile>> {
        let mut files: Vec<Arc<ModelFile>> = Vec::new();
        let services = (0..self.model().services().len()).map(ServiceId::new);
        for measured in services.filter_map(|service| self.plan(service).selection.measured.as_ref()) {
            for side in [Side::Live, Side::Shadow] {
                if let Some(Scorer::Model(file)) = measured.scorer(side)
                    && files.iter().all(|known| known.name != file.name)
                {
                    files.push(Arc::clone(file));
                }
            }
        }
        files
    }
}
