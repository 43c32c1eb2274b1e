//! Every field that this crate reads, of all schemas at once.
//!
//! The schemas do not contradict each other: where GeoIP2 has
//! `country.iso_code` the flat one has `country_code`; only `city` is a map of
//! names in one and a text in the other. So one set of optional fields reads
//! them all and there is nothing to detect. Fields of an unexpected type count
//! as absent; a file none of whose records says anything is refused above.
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
    latitude: Option<f64>,
    longitude: Option<f64>,
    autonomous_system_number: u32,
}

impl Fields<'_> {
    /// What they say.
    pub(super) fn record(&self, names: &mut Interner) -> Record {
        let country = Country::new(self.country.iso_code).or_else(|| Country::new(self.country_code));
        let continent = Continent::new(self.continent.code).or_else(|| country.and_then(Country::continent));
        let Location { latitude, longitude } = &self.location;
        let at = latitude.or(self.latitude).zip(longitude.or(self.longitude));
        let at = at.and_then(|(latitude, longitude)| Point::new(latitude, longitude));
        let at = at.or_else(|| country.and_then(Country::point));
        let subdivision = |i: usize| self.subdivisions.get(i).and_then(|s| Subdivision::new(s.iso_code));
        Record {
            spot: at.map_or(Spot::UNKNOWN, Spot::new),
            city: names.number(self.city.0),
            asn: self.autonomous_system_number,
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
    latitude: Option<f64>,
    longitude: Option<f64>,
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
