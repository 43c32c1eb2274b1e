//! What services that steer alike share: the map from places to classes.
//!
//! Two services are of one *shape* when they have VIPs on the same slots (the
//! same datacenters and links, weights and priorities, in the same order) and
//! equal steering and link selection. A *class* holds the clients whom such
//! services cannot tell apart, with the one order of all slots that suits them.
//! Health is no part of it: a fault changes which slot of the order answers,
//! never the order, nor the scope of an answer.

use std::sync::Arc;

use rhumb_geo::{ClassId, ClassMap, Place};
use rhumb_zones::Model;

use crate::choose::Picks;
use crate::layout::{Egress, Layout, Ranker, Ties};
use crate::link::fares::Fares;
use crate::link::price::Fare;
use crate::lottery::Seed;
use crate::mask::Slot;
use crate::steer::Member;
use crate::view::View;
use crate::world::World;

/// Services that steer alike, and the classes they tell clients into.
#[derive(Debug)]
pub struct Shape {
    /// Its place in the atlas.
    number: usize,
    layout: Layout,
    pub(crate) ties: Option<Ties>,
    pub(crate) link_lottery: Option<Seed>,
    /// Whether links of all tied datacenters are ordered jointly.
    pub(crate) is_joint: bool,
    /// Share of answers, a fraction of 2³², that name another link.
    pub(crate) explores: u32,
    /// VIPs per answer, at most.
    pub(crate) most: usize,
    /// By class, one slot after another.
    orders: Vec<Slot>,
    /// By class, one key after another.
    keys: Vec<u8>,
    /// What measured links are to each class.
    fares: Option<Fares>,
    map: Arc<ClassMap>,
}

/// The classes of a shape: their keys, one after another, and their fares.
#[derive(Debug)]
pub(crate) struct Kinds {
    pub(crate) keys: Vec<u8>,
    pub(crate) fares: Option<Fares>,
}

/// Clients whom a shape cannot tell apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Class<'a> {
    /// All slots, best first.
    pub(crate) order: &'a [Slot],
    pub(crate) ranks: &'a [u8],
    pub(crate) levels: &'a [u8],
}

/// The class of a client that need not be in any table.
#[derive(Clone, Debug)]
pub struct Ranked {
    order: Vec<Slot>,
    key: Vec<u8>,
    /// Where links are measured: marks and distances.
    fare: Option<(Vec<u8>, Vec<f32>)>,
    /// The class it was ordered as.
    pub(crate) id: Option<ClassId>,
}

impl Ranked {
    /// The class.
    #[must_use]
    pub fn class(&self) -> Class<'_> {
        Class::new(&self.order, &self.key)
    }

    pub(crate) fn fare(&self) -> Option<Fare<'_>> {
        self.fare.as_ref().map(|(marks, distances)| Fare::new(marks, distances))
    }

    /// The same client with its links in another order.
    pub(crate) fn ordered(&self, order: &[Slot], (shape, id): (&Shape, Option<ClassId>)) -> Self {
        let mut ranked = Self { order: order.to_vec(), id, ..self.clone() };
        let levels = ranked.key.len() - order.len();
        for (_, group) in shape.groups(Class { order, ..self.class() }) {
            for (level, slot) in (0..=u8::MAX).zip(group) {
                ranked.key[levels + slot.index()] = level;
            }
        }
        ranked
    }
}

impl<'a> Class<'a> {
    pub(crate) fn new(order: &'a [Slot], key: &'a [u8]) -> Self {
        let (ranks, levels) = key.split_at(key.len() - order.len());
        Self { order, ranks, levels }
    }

    /// The group of a datacenter.
    pub(crate) fn rank(&self, member: u8) -> u8 {
        self.ranks[usize::from(member)]
    }

    /// The place of a VIP within its datacenter.
    pub(crate) fn level(&self, slot: Slot) -> u8 {
        self.levels[slot.index()]
    }
}

impl Shape {
    /// The shape with this number and these classes, and the map that leads to
    /// them.
    pub(crate) fn new((number, layout): (usize, Layout), kinds: Kinds, map: Arc<ClassMap>) -> Self {
        let Kinds { keys, fares } = kinds;
        let width = layout.members().len() + layout.egresses().len();
        let orders = keys.chunks(width.max(1)).flat_map(|key| layout.order(key)).collect();
        let ties = layout.ties();
        let chain = &layout.plan().chain;
        let most = if ties == Some(Ties::Rotated) { Picks::MAX } else { 1 };
        Self {
            number,
            ties,
            link_lottery: layout.plan().selection.lottery,
            is_joint: layout.plan().selection.is_joint,
            explores: layout
                .plan()
                .selection
                .measured
                .as_ref()
                .map_or(0, |measured| measured.calm.explores()),
            most: chain.take.map_or(most, usize::from),
            orders,
            keys,
            fares,
            map,
            layout,
        }
    }

    /// Places to classes.
    #[must_use]
    pub fn map(&self) -> &ClassMap {
        &self.map
    }

    /// Its number in the atlas.
    pub(crate) const fn number(&self) -> usize {
        self.number
    }

    /// How many classes there are.
    pub(crate) fn classes(&self) -> impl ExactSizeIterator<Item = ClassId> {
        let width = self.layout.members().len() + self.layout.egresses().len();
        let count = self.keys.len() / width.max(1);
        (0..count).map(|index| ClassId::new(index).expect("a survey makes no more than there may be"))
    }

    pub(crate) const fn fares(&self) -> Option<&Fares> {
        self.fares.as_ref()
    }

    /// What tells a class from all others.
    pub(crate) fn whole_key(&self, id: ClassId) -> Vec<u8> {
        let class = self.class(id);
        let marks = self.fares.as_ref().map_or(&[][..], |fares| fares.marks(id));
        [class.ranks, class.levels, marks].concat()
    }

    /// The class of that id, before anything is measured: see
    /// [`State::class`](crate::State::class).
    #[must_use]
    pub fn class(&self, id: ClassId) -> Class<'_> {
        let slots = self.layout.egresses().len();
        let width = self.layout.members().len() + slots;
        let index = id.index();
        Class::new(&self.orders[index * slots..][..slots], &self.keys[index * width..][..width])
    }

    /// Ranks a client at `place`, in a table or not, as a survey would.
    #[must_use]
    pub fn rank(&self, world: &World, place: Place<'_>) -> Ranked {
        let view = View::new(world, place);
        let key = Ranker::new(&self.layout).key(&view).to_vec();
        let fare = self.fares.as_ref().map(|fares| fares.pricer().own(&view));
        Ranked { order: self.layout.order(&key), key, fare, id: None }
    }

    /// The class that a client is in, if a survey met it.
    pub(crate) fn class_with(&self, ranked: &Ranked) -> Option<ClassId> {
        let marks = ranked.fare.as_ref().map_or(&[][..], |(marks, _)| marks);
        let whole = [&ranked.key, marks].concat();
        self.classes().find(|&id| self.whole_key(id) == whole)
    }

    /// The link, or the datacenter without one, that a slot stands for.
    pub(crate) fn slot_name(&self, model: &Model, slot: Slot) -> String {
        let egress = self.egress(slot);
        let datacenter = &model.datacenter(self.member(egress.member).id).name;
        egress
            .link
            .map_or_else(|| datacenter.to_string(), |link| format!("{datacenter}/{}", model.link(link).name))
    }

    /// Whether answers depend on [`Client::hash`](crate::Client), always or
    /// while a ramp runs: scopes must not depend on health. Classes say
    /// nothing of it, so the scope of an answer must then be at least as long
    /// as the prefix that was hashed.
    #[must_use]
    pub fn hashes_clients(&self) -> bool {
        self.layout.has_ramp()
            || matches!(self.ties, Some(Ties::Vips(Seed::Client) | Ties::Datacenters(Seed::Client)))
    }

    pub(crate) const fn layout(&self) -> &Layout {
        &self.layout
    }

    pub(crate) fn egress(&self, slot: Slot) -> &Egress {
        &self.layout.egresses()[slot.index()]
    }

    pub(crate) fn member(&self, index: u8) -> &Member {
        &self.layout.members()[usize::from(index)]
    }
}
