//! Every field that this crate reads, of all schemas at once.
//!
//! The schemas do not contradict each other: where GeoIP2 has
//! `country.iso_code` the flat one has `country_code`; only `city` is a map of
//! names in one and a text in the other. So one set of optional fields reads
//! them all and there is nothing to detect. A field of another type than these
//! refuses the file, and so does a file none of whose records says anything.
//!
//! The flat schema names its subdivisions ("California") where rules name
//! codes (`CA`), so it has none here.

use std::fmt;

use rhumb_zones::Point;
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};

use crate::code::{Continent, Country, Subdivision};
use crate::names::Interner;
use crate::place::{Record, Spot};

/// A record as databases have it.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Fields<'a> {
    #[serde(borrow)]
    continent: Coded<'a>,
    #[serde(borrow)]
    country: Coded<'a>,
    #[serde(borrow)]
    subdivisions: Vec<Coded<'a>>,
    #[serde(borrow)]
    city: City<'a>,
    location: Location,
    country_code: &'a str,
    latitude: Number,
    longitude: Number,
    autonomous_system_number: Number,
}

impl Fields<'_> {
    /// What they say.
    pub(super) fn record(&self, names: &mut Interner) -> Record {
        let country = Country::new(self.country.iso_code).or_else(|| Country::new(self.country_code));
        let continent = Continent::new(self.continent.code).or_else(|| country.and_then(Country::continent));
        let Location { latitude, longitude } = &self.location;
        let at = latitude.0.or(self.latitude.0).zip(longitude.0.or(self.longitude.0));
        let at = at.and_then(|(latitude, longitude)| Point::new(latitude, longitude));
        let at = at.or_else(|| country.and_then(Country::point));
        let subdivision = |i: usize| self.subdivisions.get(i).and_then(|s| Subdivision::new(s.iso_code));
        Record {
            spot: at.map_or(Spot::UNKNOWN, Spot::new),
            city: names.number(self.city.0),
            asn: self.autonomous_system_number.asn(),
            country,
            subdivisions: [subdivision(0), subdivision(1)],
            continent,
            source: 0,
        }
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Coded<'a> {
    code: &'a str,
    iso_code: &'a str,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Location {
    latitude: Number,
    longitude: Number,
}

/// A number of any type: which one a writer chooses is its own affair, and the
/// reader does not convert. ASNs have 32 bits, so all are exact.
#[derive(Default)]
struct Number(Option<f64>);

impl Number {
    /// As an ASN; 0, which is reserved, when it is none.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates, as is wanted")]
    fn asn(&self) -> u32 {
        self.0.unwrap_or_default() as u32
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(NumberVisitor)
    }
}

struct NumberVisitor;

impl Visitor<'_> for NumberVisitor {
    type Value = Number;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number")
    }

    fn visit_f64<E>(self, number: f64) -> Result<Number, E> {
        Ok(Number(Some(number)))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Number, E> {
        Ok(Number(u32::try_from(number).ok().map(f64::from)))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Number, E> {
        Ok(Number(i32::try_from(number).ok().map(f64::from)))
    }
}

/// A city's English name: a text, or a map with `names.en`.
#[derive(Default)]
struct City<'a>(&'a str);

#[derive(Deserialize, Default)]
#[serde(default)]
struct LocalNames<'a> {
    en: &'a str,
}

impl<'de: 'a, 'a> Deserialize<'de> for City<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(CityVisitor)
    }
}

struct CityVisitor;

impl<'de> Visitor<'de> for CityVisitor {
    type Value = City<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a city's name, or a map that has names")
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<City<'de>, E> {
        Ok(City(name))
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<City<'de>, M::Error> {
        let mut city = City::default();
        while let Some(key) = map.next_key::<&str>()? {
            if key == "names" {
                city.0 = map.next_value::<LocalNames<'de>>()?.en;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(city)
    }
}
