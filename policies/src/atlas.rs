//! Every place of the world, told into classes, for every shape.
//!
//! A survey runs when the policy or a geo database changes, never when health
//! does. It groups services into shapes and asks each shape's steering once
//! per place: what no policy tells apart becomes one class, so that two
//! datacenters with four carriers make a handful of classes of a million
//! places. All that queries need later is an array from places to classes and
//! one order of slots per class.
//!
//! A map from addresses to classes is what costs: 20 MB with eight datacenters
//! and a city database. Shapes that tell places apart alike, such as zones with
//! datacenters of their own in the same cities, share one.

use std::collections::hash_map::Entry;
use std::sync::Arc;

use rhumb_geo::{ClassId, ClassMap, PlaceTable};
use rhumb_zones::{Diagnostics, Service, ServiceId};
use rustc_hash::FxHashMap;

use crate::layout::{Layout, Ranker};
use crate::link::fares::Survey;
use crate::link::price::Pricer;
use crate::shape::{Kinds, Shape};
use crate::view::View;
use crate::world::World;

/// The shapes of all services.
#[derive(Debug)]
pub struct Atlas {
    shapes: Vec<Arc<Shape>>,
    /// By service.
    of_service: Vec<usize>,
    /// All that decided besides the shapes and the places, in words.
    ground: String,
}

impl Atlas {
    /// Shapes that are surveyed at once: what does not depend on the shape
    /// (the client's groups, its direction) is then found once for all of
    /// them, while no more than 2 MB each wait for a million places.
    const BATCH: usize = 16;

    /// Tells all places into classes, for every service.
    ///
    /// # Errors
    /// When a service tells apart more than [`ClassId::MAX_CLASSES`] kinds of
    /// clients.
    pub fn survey(world: &World, table: &PlaceTable) -> Result<Self, Diagnostics> {
        let nothing = Self { shapes: Vec::new(), of_service: Vec::new(), ground: String::new() };
        nothing.resurvey(world, table)
    }

    /// The same for another policy and the very `table` that this was made
    /// with: shapes that are as they were are taken over, because telling
    /// places apart takes a fifth of a second.
    ///
    /// # Errors
    /// As [`Atlas::survey`]'s.
    pub fn resurvey(&self, world: &World, table: &PlaceTable) -> Result<Self, Diagnostics> {
        let ground = world.ground();
        let before = if ground == self.ground { &self.shapes[..] } else { &[] };
        let services = (0..world.model().services().len()).map(ServiceId::new);
        let mut layouts = Vec::new();
        let mut known = FxHashMap::default();
        let of_service = services.map(|service| {
            let layout = Layout::new(world, service);
            *known.entry(layout.identity()).or_insert_with(|| {
                layouts.push((service, layout));
                layouts.len() - 1
            })
        });
        let of_service: Vec<usize> = of_service.collect();
        let mut out = Diagnostics::default();
        let mut shapes = Vec::with_capacity(layouts.len());
        // Classes are numbered as places come, so equal maps have equal lists.
        let mut maps: FxHashMap<Vec<ClassId>, Arc<ClassMap>> = FxHashMap::default();
        // Their numbers are part of them; a policy that grows adds at the end.
        let kept = before.iter().zip(&layouts);
        let kept = kept.take_while(|(shape, (_, layout))| shape.layout().reads_as(layout));
        shapes.extend(kept.map(|(shape, _)| Arc::clone(shape)));
        for batch in layouts[shapes.len()..].chunks(Self::BATCH) {
            let mut classifiers: Vec<_> =
                batch.iter().map(|(_, layout)| Classifier::new(world, layout)).collect();
            for place in table.places() {
                let view = View::new(world, place);
                classifiers.iter_mut().for_each(|classifier| classifier.add(&view));
            }
            for (classifier, (service, layout)) in classifiers.into_iter().zip(batch) {
                let Some(classes) = classifier.classes else {
                    too_many(world.model().service(*service), &mut out);
                    continue;
                };
                let map = match maps.entry(classes) {
                    Entry::Occupied(known) => Arc::clone(known.get()),
                    Entry::Vacant(new) => {
                        let map = Arc::new(table.classes(new.key()));
                        Arc::clone(new.insert(map))
                    }
                };
                let kinds = Kinds { keys: classifier.keys, fares: classifier.fares.map(Survey::finish) };
                shapes.push(Arc::new(Shape::new((shapes.len(), layout.clone()), kinds, map)));
            }
        }
        if out.refuse() {
            return Err(out);
        }
        Ok(Self { shapes, of_service, ground })
    }

    /// The shape of `service`.
    #[must_use]
    pub fn shape(&self, service: ServiceId) -> &Arc<Shape> {
        &self.shapes[self.of_service[service.index()]]
    }

    /// Whether measures decide anything of it.
    #[must_use]
    pub fn is_measured(&self) -> bool {
        self.shapes.iter().any(|shape| shape.fares().is_some())
    }

    /// Every shape, once.
    pub(crate) fn shapes(&self) -> &[Arc<Shape>] {
        &self.shapes
    }

    /// The services of the shape with this number.
    pub(crate) fn services(&self, shape: usize) -> impl Iterator<Item = ServiceId> {
        let services = self.of_service.iter().enumerate();
        services.filter(move |(_, own)| **own == shape).map(|(service, _)| ServiceId::new(service))
    }
}

fn too_many(service: &Service, out: &mut Diagnostics) {
    let what = format!("tells apart more than {} kinds of clients", ClassId::MAX_CLASSES);
    out.error(&service.location, &format!("service {}", service.name), "steer", what);
}

/// Tells places into the classes of one shape, one after another.
struct Classifier<'a> {
    ranker: Ranker<'a>,
    known: FxHashMap<Box<[u8]>, ClassId>,
    /// Of all classes, one after another.
    keys: Vec<u8>,
    /// What else tells classes apart, where links are measured.
    fares: Option<Survey>,
    /// Key and marks of the client at hand.
    whole: Vec<u8>,
    /// By place; nothing once there are too many.
    classes: Option<Vec<ClassId>>,
}

impl<'a> Classifier<'a> {
    fn new(world: &World, layout: &'a Layout) -> Self {
        Self {
            ranker: Ranker::new(layout),
            known: FxHashMap::default(),
            keys: Vec::new(),
            fares: Pricer::new(world, layout).map(Survey::new),
            whole: Vec::new(),
            classes: Some(Vec::new()),
        }
    }

    fn add(&mut self, view: &View<'_>) {
        let Some(classes) = &mut self.classes else { return };
        let key = self.ranker.key(view);
        self.whole.clear();
        self.whole.extend_from_slice(key);
        if let Some(fares) = &self.fares {
            fares.pricer().mark(view, &mut self.whole);
        }
        let class = match self.known.get(&*self.whole) {
            Some(class) => *class,
            None => {
                let Some(class) = ClassId::new(self.known.len()) else {
                    self.classes = None;
                    return;
                };
                self.keys.extend_from_slice(key);
                self.known.insert(self.whole.as_slice().into(), class);
                if let Some(fares) = &mut self.fares {
                    fares.open(&self.whole[key.len()..]);
                }
                class
            }
        };
        classes.push(class);
        if let Some(fares) = &mut self.fares {
            fares.add(class, view);
        }
    }
}
