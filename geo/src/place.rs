//! What is known of where an address is.
//!
//! A [`Place`] is a view for people and plugins; what is stored is a
//! [`Record`], 32 bytes without pointers, because a city database has a third
//! of a million of them.

use rhumb_zones::{CarrierId, Point};

use crate::code::{Continent, Country, Subdivision};

/// Index of a place in its [`PlaceTable`](crate::PlaceTable).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct PlaceId(pub(crate) u32);

impl PlaceId {
    /// The place of addresses that nobody knows.
    pub const NOWHERE: Self = Self(0);

    /// Its number in the table's list of places.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// What is known of an address; everything may be unknown.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Place<'t> {
    /// Where it is, to 10 m as databases say it; they err by far more.
    pub at: Option<Point>,
    /// Its continent.
    pub continent: Option<Continent>,
    /// Its country.
    pub country: Option<Country>,
    /// Up to two parts of that country, the larger first.
    pub subdivisions: [Option<Subdivision>; 2],
    /// Its city, in English where the database says so.
    pub city: Option<&'t str>,
    /// The autonomous system that announces it.
    pub asn: Option<u32>,
    /// Its carriers, ascending.
    pub carriers: &'t [CarrierId],
    /// The longest of the operator's prefixes around it, as an index into the
    /// list that the table was made with.
    pub operator: Option<usize>,
    /// The database that located it.
    pub source: Option<&'t str>,
}

/// A point in ten-thousandths of a degree, which is all that databases give;
/// unlike floats it can be compared and hashed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Spot {
    latitude: i32,
    longitude: i32,
}

impl Spot {
    /// Steps in a degree.
    const PER_DEGREE: f64 = 10_000.0;
    /// Outside the globe: unknown.
    pub(crate) const UNKNOWN: Self = Self { latitude: i32::MAX, longitude: i32::MAX };

    /// The spot nearest to `point`.
    #[expect(clippy::cast_possible_truncation, reason = "a point's degrees are at most 180")]
    pub(crate) fn new(point: Point) -> Self {
        let steps = |degrees: f64| (degrees * Self::PER_DEGREE).round() as i32;
        Self { latitude: steps(point.latitude), longitude: steps(point.longitude) }
    }

    /// Back in degrees; nothing when unknown.
    pub(crate) fn point(self) -> Option<Point> {
        let degrees = |steps: i32| f64::from(steps) / Self::PER_DEGREE;
        Point::new(degrees(self.latitude), degrees(self.longitude))
    }
}

/// What a database, or several, say of a network.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Record {
    pub(crate) spot: Spot,
    /// Number of its name in the layer's [`Names`](crate::names::Names).
    pub(crate) city: u32,
    /// 0 is none: AS 0 is reserved (RFC 7607).
    pub(crate) asn: u32,
    pub(crate) country: Option<Country>,
    pub(crate) subdivisions: [Option<Subdivision>; 2],
    pub(crate) continent: Option<Continent>,
    /// Which of the layer's sources located it.
    pub(crate) source: u8,
}

impl Record {
    /// Nothing is known.
    pub(crate) const UNKNOWN: Self = Self {
        spot: Spot::UNKNOWN,
        city: 0,
        asn: 0,
        country: None,
        subdivisions: [None; 2],
        continent: None,
        source: 0,
    };

    /// Whether it says where, at least roughly.
    pub(crate) fn locates(&self) -> bool {
        self.country.is_some() || self.continent.is_some() || self.spot != Spot::UNKNOWN
    }
}
