//! What services that steer alike share: the map from places to classes.
//!
//! Two services are of one *shape* when they have VIPs on the same slots (the
//! same datacenters and links, weights and priorities, in the same order) and
//! equal steering and link selection. A *class* holds the clients whom such
//! services cannot tell apart, with the one order of all slots that suits them.
//! Health is no part of it: a fault changes which slot of the order answers,
//! never the order, nor the scope of an answer.

use rhumb_geo::{ClassId, ClassMap, Place};

use crate::choose::Picks;
use crate::layout::{Egress, Layout, Ranker, Ties};
use crate::lottery::Seed;
use crate::mask::Slot;
use crate::steer::Member;
use crate::view::View;
use crate::world::World;

/// Services that steer alike, and the classes they tell clients into.
#[derive(Debug)]
pub struct Shape {
    layout: Layout,
    pub(crate) ties: Option<Ties>,
    pub(crate) link_lottery: Option<Seed>,
    /// VIPs per answer, at most.
    pub(crate) most: usize,
    /// By class, one slot after another.
    orders: Vec<Slot>,
    /// By class, one key after another.
    keys: Vec<u8>,
    map: ClassMap,
}

/// Clients whom a shape cannot tell apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Class<'a> {
    /// All slots, best first.
    pub(crate) order: &'a [Slot],
    ranks: &'a [u8],
    levels: &'a [u8],
}

/// The class of a client that need not be in any table.
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
    /// The shape with these keys of classes, one after another, and the map
    /// that leads to them.
    pub(crate) fn new(layout: Layout, keys: Vec<u8>, map: ClassMap) -> Self {
        let width = layout.members().len() + layout.egresses().len();
        let orders = keys.chunks(width.max(1)).flat_map(|key| layout.order(key)).collect();
        let ties = layout.ties();
        let chain = &layout.plan().chain;
        let most = if ties == Some(Ties::Rotated) { Picks::MAX } else { 1 };
        Self {
            ties,
            link_lottery: layout.plan().selection.lottery,
            most: chain.take.map_or(most, usize::from),
            orders,
            keys,
            map,
            layout,
        }
    }

    /// Places to classes.
    #[must_use]
    pub const fn map(&self) -> &ClassMap {
        &self.map
    }

    /// The class of that id.
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
        let key = Ranker::new(&self.layout).key(&View::new(world, place)).to_vec();
        Ranked { order: self.layout.order(&key), key }
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
