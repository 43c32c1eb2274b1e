//! Every place of the world, told into classes, for every shape.
//!
//! A survey runs when the policy or a geo database changes, never when health
//! does. It groups services into shapes and asks each shape's steering once
//! per place: what no policy tells apart becomes one class, so that two
//! datacenters with four carriers make a handful of classes of a million
//! places. All that queries need later is an array from places to classes and
//! one order of slots per class.

use std::sync::Arc;

use rhumb_geo::{ClassId, Place, PlaceTable};
use rhumb_zones::{Diagnostics, ServiceId};
use rustc_hash::FxHashMap;

use crate::layout::{Layout, Ranker};
use crate::mask::Slot;
use crate::shape::{Class, Shape};
use crate::view::View;
use crate::world::World;

/// The shapes of all services.
#[derive(Debug)]
pub struct Atlas {
    /// By service.
    shapes: Vec<Arc<Shape>>,
}

/// A synthetic client's class, which need not exist in a shape.
#[derive(Clone, Debug)]
pub struct Ranked {
    order: Vec<Slot>,
    key: Vec<u8>,
}

impl Ranked {
    /// The class.
    #[must_use]
    pub fn class(&self) -> Class<'_> {
        Class::new(&self.order, &self.key)
    }
}

impl Shape {
    /// Ranks a client at `place`, in a table or not, as a survey would.
    #[must_use]
    pub fn rank(&self, world: &World, place: Place<'_>) -> Ranked {
        let mut ranker = Ranker::new(self.layout());
        let key = ranker.key(&View::new(world, place)).to_vec();
        Ranked { order: self.layout().order(&key), key }
    }
}

impl Atlas {
    /// Tells all places into classes, for every service.
    ///
    /// # Errors
    /// When a service tells apart more than [`ClassId::MAX_CLASSES`] kinds of
    /// clients.
    pub fn survey(world: &World, table: &PlaceTable) -> Result<Self, Diagnostics> {
        let views: Vec<_> = table.places().map(|place| View::new(world, place)).collect();
        let mut out = Diagnostics::default();
        let mut known = FxHashMap::default();
        let mut shapes = Vec::with_capacity(world.model().services().len());
        for service in (0..world.model().services().len()).map(ServiceId::new) {
            let layout = Layout::new(world, service);
            let shape = known.entry(layout.identity()).or_insert_with(|| {
                let (keys, classes) = classify(&layout, &views)?;
                Some(Arc::new(Shape::new(layout, keys, table.classes(&classes))))
            });
            match shape {
                Some(shape) => shapes.push(Arc::clone(shape)),
                None => {
                    let service = world.model().service(service);
                    let what = format!("tells apart more than {} kinds of clients", ClassId::MAX_CLASSES);
                    out.error(&service.location, &format!("service {}", service.name), "steer", what);
                }
            }
        }
        if out.refuse() { Err(out) } else { Ok(Self { shapes }) }
    }

    /// The shape of `service`.
    #[must_use]
    pub fn shape(&self, service: ServiceId) -> &Arc<Shape> {
        &self.shapes[service.index()]
    }
}

/// The keys of all classes, one after another, and the class of each place;
/// nothing when there are too many.
fn classify(layout: &Layout, views: &[View<'_>]) -> Option<(Vec<u8>, Vec<ClassId>)> {
    let mut ranker = Ranker::new(layout);
    let mut keys = Vec::new();
    let mut known: FxHashMap<Box<[u8]>, ClassId> = FxHashMap::default();
    let mut classes = Vec::with_capacity(views.len());
    for view in views {
        let key = ranker.key(view);
        let class = match known.get(key) {
            Some(&class) => class,
            None => {
                let class = ClassId::new(known.len())?;
                keys.extend_from_slice(key);
                known.insert(key.into(), class);
                class
            }
        };
        classes.push(class);
    }
    Some((keys, classes))
}
