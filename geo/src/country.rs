//! Where countries are, for databases that know no more.
//!
//! A country's point is where its people are: the mean of its towns weighted
//! by population, which for large countries is far from the middle of the map
//! and nearer to most clients. Made by `scripts/refresh-embedded`; see
//! `data/README.md`.

use std::sync::OnceLock;

use rhumb_zones::Point;

use crate::code::{Continent, Country};

/// `country, continent` and, for inhabited ones, `latitude, longitude`, by tabs.
const COUNTRIES: &str = include_str!("../data/countries.tsv");

struct Entry {
    country: Country,
    continent: Continent,
    point: Option<Point>,
}

/// All, ascending by code.
fn entries() -> &'static [Entry] {
    static ENTRIES: OnceLock<Vec<Entry>> = OnceLock::new();
    ENTRIES.get_or_init(|| {
        let lines = COUNTRIES.lines().filter(|line| !line.starts_with('#'));
        lines.map(|line| scan(line).expect("embedded data is well-formed")).collect()
    })
}

fn scan(line: &str) -> Option<Entry> {
    let mut columns = line.split('\t');
    let country = Country::new(columns.next()?)?;
    let continent = Continent::new(columns.next()?)?;
    let mut degrees = columns.map(str::parse);
    let point = match (degrees.next(), degrees.next()) {
        (Some(latitude), Some(longitude)) => Some(Point::new(latitude.ok()?, longitude.ok()?)?),
        _ => None,
    };
    Some(Entry { country, continent, point })
}

/// Every country there is, ascending by code.
pub(crate) fn all() -> impl Iterator<Item = Country> {
    entries().iter().map(|entry| entry.country)
}

impl Country {
    /// The continent it is counted to; nothing when there is no such country.
    #[must_use]
    pub fn continent(self) -> Option<Continent> {
        self.entry().map(|entry| entry.continent)
    }

    /// Where its people are; nothing when there is no such country or nobody
    /// lives there.
    #[must_use]
    pub fn point(self) -> Option<Point> {
        self.entry().and_then(|entry| entry.point)
    }

    fn entry(self) -> Option<&'static Entry> {
        let entries = entries();
        entries.binary_search_by_key(&self, |entry| entry.country).ok().map(|found| &entries[found])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distance_km;

    #[test]
    fn countries() {
        let rows = [
            ("FR", Some(Continent::Europe), Some((47.0, 2.8)), "south of Paris"),
            ("RU", Some(Continent::Europe), Some((56.0, 50.0)), "far west of its middle"),
            ("FJ", Some(Continent::Oceania), Some((-17.8, 178.2)), "a mean across the date line"),
            ("TR", Some(Continent::Asia), Some((39.4, 32.5)), "counted to Asia, as MaxMind does"),
            ("BV", Some(Continent::Antarctica), None, "nobody lives there"),
            ("XX", None, None, "no such country"),
        ];
        for (code, continent, near, why) in rows {
            let country = Country::new(code).unwrap();
            assert_eq!(country.continent(), continent, "{code}: {why}");
            let off = near.map(|(a, b)| distance_km(country.point().unwrap(), Point::new(a, b).unwrap()));
            assert!(off.is_none_or(|km| km < 300.0), "{code}: {why}: {off:?} km off");
            assert_eq!(country.point().is_some(), near.is_some(), "{code}: {why}");
        }
    }

    #[test]
    fn all_lines_are_read_in_order() {
        assert!(all().count() > 240);
        assert!(entries().is_sorted_by(|a, b| a.country < b.country));
    }
}
