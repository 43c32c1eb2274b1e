//! The country table that the binary carries, so that Rhumb is useful without
//! any download.
//!
//! Made by `scripts/refresh-embedded` from public-domain data; where it comes
//! from, and how far it agrees with GeoLite2-Country, is in `data/README.md`.
//! Per family there are a number of ranges and then, for each, one byte for
//! its country and its size, in common units or in smallest networks as its
//! lowest bit says.

use crate::country;
use crate::gazetteer::Layer;
use crate::names::Names;
use crate::packed::Packed;
use crate::place::{Record, Spot};
use crate::ranges::{Key, Steps};

/// What places from here name as their source.
const SOURCE: &str = "embedded country table";

const TABLE: &[u8] = include_bytes!("../data/embedded.bin");

/// Shifts of the smallest network and of the common unit: an address and a
/// /24, a /64 and a /48.
const SHIFTS_V4: [u32; 2] = [0, 8];
const SHIFTS_V6: [u32; 2] = [64, 80];

/// The whole table as a layer.
pub(crate) fn layer() -> Layer {
    let mut packed = Packed(TABLE);
    let v4 = steps(&mut packed, SHIFTS_V4, |start| u32::try_from(start).expect("ranges end with the family"));
    let v6 = steps(&mut packed, SHIFTS_V6, |start| start);
    let countries = country::all().map(|country| Record {
        spot: country.point().map_or(Spot::UNKNOWN, Spot::new),
        country: Some(country),
        continent: country.continent(),
        ..Record::UNKNOWN
    });
    let records = std::iter::once(Record::UNKNOWN).chain(countries).collect();
    Layer { records, names: Names::default(), sources: vec![SOURCE.into()], v4, v6 }
}

fn steps<K: Key>(packed: &mut Packed, shifts: [u32; 2], key: impl Fn(u128) -> K) -> Steps<K, u32> {
    let mut steps = Steps::all(0);
    let mut start = 0u128;
    for _ in 0..packed.number() {
        steps.push(key(start), u32::from(packed.byte()));
        let size = packed.number();
        // The last IPv6 range ends where the numbers do.
        start = start.wrapping_add((size >> 1) << shifts[usize::from(size & 1 == 0)]);
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Gazetteer, PlaceTable};

    #[test]
    fn well_known_networks() {
        let rows = [
            ("8.8.8.8", Some("US"), "the first network anyone tries"),
            ("1.2.4.8", Some("CN"), "CNNIC"),
            ("193.0.6.139", Some("NL"), "RIPE NCC"),
            ("196.216.2.1", Some("MU"), "AFRINIC"),
            ("200.7.84.1", Some("UY"), "LACNIC"),
            ("2001:67c:2e8::1", Some("NL"), "RIPE NCC"),
            ("2400:3200::1", Some("CN"), "Alibaba"),
            ("2001:12ff::1", Some("BR"), "NIC.br"),
            ("10.0.0.1", None, "private addresses are nowhere, whatever their neighbours"),
            ("203.0.113.1", None, "so are documentation addresses"),
            ("224.0.0.1", None, "multicast"),
            ("255.255.255.255", None, "the last address"),
            ("2001:db8::1", None, "documentation"),
            ("fd00::1", None, "unique local"),
        ];
        let table = PlaceTable::new(Gazetteer::new(Vec::new()).into(), &[], &[]);
        for (address, want, why) in rows {
            let place = table.place(table.look_up(address.parse().unwrap()).place);
            assert_eq!(place.country.map(|c| c.to_string()).as_deref(), want, "{address}: {why}");
            assert_eq!(place.at.is_some(), want.is_some(), "{address}: a country has coordinates");
            assert_eq!(place.source, want.map(|_| SOURCE), "{address}: places say who located them");
        }
    }

    #[test]
    fn the_table_is_read_to_its_end() {
        let mut packed = Packed(TABLE);
        steps(&mut packed, SHIFTS_V4, |start| u32::try_from(start).unwrap());
        steps(&mut packed, SHIFTS_V6, |start| start);
        assert_eq!(packed.0.len(), 0);
    }
}
