//! The place table and its class maps against brute force.
//!
//! The slow side asks the reader of the database itself, and tries every
//! prefix for every address. It knows where anything can change at all: at the
//! ends of prefixes. So it checks what holds for whole networks by looking at
//! those points alone.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use maxminddb::{Reader, geoip2};
use proptest::prelude::*;
use rhumb_geo::{
    ClassId, ClassMap, Database, Gazetteer, MAX_SCOPE_V4, MAX_SCOPE_V6, Place, PlaceTable, inner_v4,
};
use rhumb_zones::{Carrier, CarrierId, Prefix};

const CITY: &[u8] = include_bytes!("../../testdata/geo/city.mmdb");

/// Ranges of IPv6 that stand for IPv4 addresses.
const EMBEDDINGS: [&str; 4] = ["::ffff:0:0/96", "64:ff9b::/96", "2001::/32", "2002::/16"];

struct World {
    reader: Reader<&'static [u8]>,
    operator: Vec<Prefix>,
    carriers: Vec<Carrier>,
    table: PlaceTable,
    class_of: Vec<ClassId>,
    map: ClassMap,
    /// Where anything can change, per family.
    v4: Vec<u128>,
    v6: Vec<u128>,
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lists: Vec<_> = self.carriers.iter().map(|carrier| &carrier.prefixes).collect();
        write!(f, "operator {:?}, lists {lists:?}, classes {:?}", self.operator, self.class_of)
    }
}

impl World {
    fn new(operator: Vec<Prefix>, lists: Vec<Vec<Prefix>>, classes: usize) -> Self {
        let database = Database::open("city", CITY.to_vec()).unwrap();
        let carrier = |prefixes| Carrier { name: "c".into(), builtin: false, asns: vec![], prefixes };
        let carriers: Vec<_> = lists.into_iter().map(carrier).collect();
        let table = PlaceTable::new(Arc::new(Gazetteer::new(vec![database])), &carriers, &operator);
        let class = |place: usize| ClassId::new(place.wrapping_mul(0x9e37_79b9) % 97 % classes).unwrap();
        let class_of: Vec<_> = (0..table.len()).map(class).collect();
        let map = table.classes(&class_of);
        let reader = Reader::from_source(CITY).unwrap();
        let (mut v4, mut v6) = (vec![0], vec![0]);
        let networks = reader.networks(maxminddb::WithinOptions::default()).unwrap();
        let networks = networks.map(|found| found.unwrap().network().unwrap().to_string());
        let embeddings = EMBEDDINGS.map(str::to_owned);
        let all = networks.chain(embeddings).map(|text| text.parse::<Prefix>().unwrap());
        let given = operator.iter().chain(carriers.iter().flat_map(|c| &c.prefixes)).copied();
        for prefix in all.chain(given) {
            let points = if prefix.address().is_ipv4() { &mut v4 } else { &mut v6 };
            let (first, last) = bounds(prefix);
            points.extend([Some(first), last.checked_add(1)].into_iter().flatten());
        }
        v4.retain(|point| *point <= u128::from(u32::MAX));
        for points in [&mut v4, &mut v6] {
            points.sort_unstable();
            points.dedup();
        }
        Self { reader, operator, carriers, table, class_of, map, v4, v6 }
    }

    /// The points of a network at which anything can change, with its first.
    fn points(&self, network: Prefix) -> Vec<IpAddr> {
        let (first, last) = bounds(network);
        let v4 = network.address().is_ipv4();
        let inside = (if v4 { &self.v4 } else { &self.v6 }).iter().copied();
        let inside = inside.filter(|point| first < *point && *point <= last);
        std::iter::once(first).chain(inside).map(|bits| address(v4, bits)).collect()
    }

    /// What the slow side knows of an address.
    fn slow(&self, address: IpAddr) -> (Option<String>, Option<usize>, Vec<CarrierId>) {
        let address = inner(address).unwrap_or(address);
        let record = self.reader.lookup(address).unwrap().decode::<geoip2::City<'_>>().unwrap();
        let country = record.and_then(|record| record.country.iso_code.map(str::to_owned));
        let held = self.operator.iter().enumerate().filter(|(_, prefix)| prefix.contains(address));
        // The longest; of equal ones the first.
        let operator = held.max_by_key(|(index, prefix)| (prefix.length(), usize::MAX - index));
        let of = |carrier: &Carrier| carrier.prefixes.iter().any(|prefix| prefix.contains(address));
        let carriers = (0..self.carriers.len()).filter(|index| of(&self.carriers[*index]));
        (country, operator.map(|(index, _)| index), carriers.map(CarrierId::new).collect())
    }

    /// Nothing for addresses that are looked up as others, unless all are alike.
    fn class(&self, address: IpAddr) -> Option<ClassId> {
        if self.class_of.iter().all(|class| *class == self.class_of[0]) {
            return Some(self.class_of[0]);
        }
        inner(address).is_none().then(|| self.class_of[self.table.look_up(address).place.index()])
    }

    fn uniform(&self, network: Prefix) -> bool {
        let points = self.points(network);
        points.iter().all(|point| self.class(*point).is_some() && self.class(*point) == self.class(points[0]))
    }

    /// The class of most addresses of a network; of equal ones the first.
    fn plurality(&self, network: Prefix) -> Option<ClassId> {
        let points = self.points(network);
        let ends = points.iter().skip(1).map(|point| bits(*point)).chain([bounds(network).1.wrapping_add(1)]);
        let mut sums: BTreeMap<ClassId, u128> = BTreeMap::new();
        for (point, end) in points.iter().zip(ends) {
            if let Some(class) = self.class(*point) {
                *sums.entry(class).or_default() += end.wrapping_sub(bits(*point));
            }
        }
        sums.into_iter().rev().max_by_key(|(_, sum)| *sum).map(|(class, _)| class)
    }
}

fn inner(address: IpAddr) -> Option<IpAddr> {
    match address {
        IpAddr::V4(_) => None,
        IpAddr::V6(v6) => inner_v4(v6).map(IpAddr::V4),
    }
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => v4.to_bits().into(),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

fn address(v4: bool, bits: u128) -> IpAddr {
    if v4 { Ipv4Addr::from_bits(bits.try_into().unwrap()).into() } else { Ipv6Addr::from_bits(bits).into() }
}

fn width(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// First and last address.
fn bounds(prefix: Prefix) -> (u128, u128) {
    let free = width(prefix.address()) - prefix.length();
    let first = bits(prefix.address());
    (first, first | 1u128.checked_shl(free.into()).map_or(u128::MAX, |size| size - 1))
}

fn around(address: IpAddr, length: u8) -> Prefix {
    Prefix::containing(address, length).unwrap()
}

/// Addresses in and around what the database knows.
fn an_address() -> impl Strategy<Value = IpAddr> {
    let v4 = prop::sample::select(vec![0xc000_0200u32, 0xc633_6400, 0xcb00_7100, 0xc612_0000, 0]);
    let v4 = (v4, any::<u32>(), 0..=32u32).prop_map(|(base, random, keep)| {
        Ipv4Addr::from_bits(base ^ random.checked_shr(keep).unwrap_or(0)).into()
    });
    let bases =
        ["2001:db8::", "2001:db8:8000:8000::", "3fff::", "2001::", "2002:c000:200::", "::ffff:0:0", "::"];
    let v6 = prop::sample::select(bases.map(|base| base.parse::<Ipv6Addr>().unwrap().to_bits()).to_vec());
    let v6 = (v6, any::<u128>(), 0..=128u32).prop_map(|(base, random, keep)| {
        Ipv6Addr::from_bits(base ^ random.checked_shr(keep).unwrap_or(0)).into()
    });
    prop_oneof![v4, v6]
}

fn prefixes(most: usize) -> impl Strategy<Value = Vec<Prefix>> {
    let prefix = (an_address(), 0..=32u8, any::<bool>()).prop_map(|(address, length, short)| {
        let length = if address.is_ipv4() || short { length } else { length + 96 };
        around(address, length)
    });
    // The operator's prefixes inside these never match; the slow side would say they do.
    let prefix = prefix.prop_filter("inside an embedding", |prefix| inner(prefix.address()).is_none());
    prop::collection::vec(prefix, 0..most)
}

fn a_world() -> impl Strategy<Value = World> {
    (prefixes(12), prop::collection::vec(prefixes(6), 0..4), 1..6usize)
        .prop_map(|(operator, lists, classes)| World::new(operator, lists, classes))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_place_table_is_the_longest_match(
        world in a_world(),
        addresses in prop::collection::vec(an_address(), 32),
    ) {
        for address in addresses {
            let located = world.table.look_up(address);
            let Place { country, operator, carriers, .. } = world.table.place(located.place);
            let fast = (country.map(|c| c.to_string()), operator, carriers.to_vec());
            prop_assert_eq!(fast, world.slow(address), "{}", address);
            if inner(address).is_none() {
                let same = |network| world.points(network).iter().all(|point| {
                    inner(*point).is_none() && world.table.look_up(*point).place == located.place
                });
                prop_assert!(same(located.leaf), "{address}: {}", located.leaf);
                let wider = located.leaf.length().checked_sub(1).map(|length| around(address, length));
                prop_assert!(!wider.is_some_and(same), "{address}: {} is not the widest", located.leaf);
            }
            let class = world.class_of[located.place.index()];
            prop_assert_eq!(world.map.class(address), class, "{}", address);
        }
    }

    #[test]
    fn scopes_are_exact(
        world in a_world(),
        networks in prop::collection::vec((an_address(), 1..=128u8), 32),
    ) {
        for (address, source) in networks {
            let source = source.min(width(address));
            let network = around(address, source);
            if inner(network.address()).is_some() {
                continue;
            }
            let (class, scope) = world.map.find(network.address(), source);
            let limit = if address.is_ipv4() { MAX_SCOPE_V4 } else { MAX_SCOPE_V6 };
            let source = source.min(limit);
            let leaf = around(network.address(), scope);
            if world.uniform(leaf) {
                prop_assert!(scope > source || world.class(leaf.address()) == Some(class), "{network}: {leaf}");
                prop_assert!(scope == 0 || !world.uniform(around(leaf.address(), scope - 1)), "{network}: {leaf}");
            } else {
                prop_assert_eq!(scope, limit, "{}: only the limit cuts a scope short", network);
            }
            if scope > source || !world.uniform(leaf) {
                prop_assert_eq!(Some(class), world.plurality(around(network.address(), source)), "{}", network);
            }
        }
    }

    #[test]
    fn scopes_of_6to4_are_those_of_ipv4(world in a_world(), v4 in any::<u32>(), source in 17..=128u8) {
        let v4 = Ipv4Addr::from_bits(v4);
        let v6 = Ipv6Addr::from_bits(0x2002 << 112 | u128::from(v4.to_bits()) << 80);
        let inner = (source - 16).min(32);
        let want = world.map.find(around(v4.into(), inner).address(), inner);
        let got = world.map.find(around(v6.into(), source).address(), source);
        prop_assert_eq!(got, (want.0, want.1 + 16));
    }
}
