//! A client as policies see it: its place, and what operators say of it.
//!
//! Operators beat databases: a group's `at:` and `carrier:` replace what the
//! place says, its `prefer:` and `order:` exist nowhere else. A client in
//! nested groups takes each from the innermost one that says it.

use rhumb_geo::{Direction, Place};
use rhumb_zones::{CarrierId, ClientGroup, LinkId, Point, Prefix};

use crate::world::World;

/// A client, ready to be ranked.
#[derive(Debug)]
pub(crate) struct View<'a> {
    world: &'a World,
    pub(crate) place: Place<'a>,
    /// From the centre of the earth.
    pub(crate) direction: Option<Direction>,
}

impl<'a> View<'a> {
    pub(crate) fn new(world: &'a World, place: Place<'a>) -> Self {
        let mut view = Self { world, place, direction: None };
        view.direction = view.at().map(Direction::new);
        view
    }

    /// Where the client is.
    pub(crate) fn at(&self) -> Option<Point> {
        self.groups().find_map(|group| group.at).or(self.place.at)
    }

    /// Whether the client is a customer of `carrier`.
    pub(crate) fn has_carrier(&self, carrier: CarrierId) -> bool {
        self.carriers().contains(&carrier)
    }

    /// The client's carriers.
    pub(crate) fn carriers(&self) -> &'a [CarrierId] {
        let said = self.groups().map(|group| &group.carriers[..]).find(|carriers| !carriers.is_empty());
        said.unwrap_or(self.place.carriers)
    }

    /// How much the client wants a link; 1 when nobody says.
    pub(crate) fn preference(&self, link: Option<LinkId>) -> f64 {
        let of = |group: &ClientGroup| {
            group.prefer.iter().find(|(of, _)| Some(*of) == link).map(|(_, want)| *want)
        };
        self.groups().find_map(of).unwrap_or(1.0)
    }

    /// The client's groups, innermost first.
    pub(crate) fn groups(&self) -> impl Iterator<Item = &'a ClientGroup> {
        let groups = self.world.operators().groups(self.place.operator);
        groups.iter().map(|&group| self.world.model().client(group))
    }

    /// Named prefixes that hold the client, longest first.
    pub(crate) fn prefixes(&self) -> &'a [Prefix] {
        self.world.operators().around(self.place.operator)
    }
}
