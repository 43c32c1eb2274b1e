//! Places told into classes: what operators know of clients, and that a class
//! stands for each of its places.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::net::IpAddr;
use std::sync::Arc;

use rhumb_policies::{Atlas, World};
use rhumb_zones::{NoFiles, ServiceId};

use crate::world::{Case, Luck, model, places};

const POLICY: &str = "zone: example.com
datacenters:
  west: { at: [0, 0], links: { telecom: { carrier: chinanet }, unicom: { carrier: unicom } } }
  east: { at: [0, 90], links: { telecom: { carrier: chinanet }, unicom: { carrier: unicom } } }
  far: { at: [0, 170] }
clients:
  office: { prefixes: [198.18.0.0/16, '2001:db8::/32'], at: [0, 80], carrier: unicom }
  floor:  { prefixes: [198.18.1.0/24], prefer: { east/telecom: 2.0 } }
  lab:    { prefixes: [198.18.1.128/25], order: [far, west] }
  guests: { prefixes: [203.0.113.0/24], prefer: { west/telecom: 0.5 } }
services:
  www: &service
    steer: [nearest]
    link-selection: carrier
    vips:
      west: { telecom: 192.0.2.1, unicom: 192.0.2.2 }
      east: { telecom: 192.0.2.3, unicom: 192.0.2.4 }
      far: 192.0.2.5
  twin: { <<: *service, last-resort: fail, ttl: 10s }
  mapped:
    steer: [{ regions: { in: { prefixes: [198.18.0.0/15, 198.18.1.200/32], datacenters: [far] }, default: [east] } }]
    vips: { east: { unicom: 192.0.2.6 }, far: 192.0.2.7 }
";

#[test]
fn operators_beat_databases() {
    let case = Case::new(POLICY);
    let table = places(&case.world);
    let state = case.state(&case.well());
    let rows = [
        ("192.0.2.99", "west/telecom", "nothing is known: declaration order"),
        ("198.18.9.9", "east/unicom", "coordinates and carrier of the office"),
        ("2001:db8::1", "east/unicom", "over IPv6 too"),
        ("198.18.1.9", "east/telecom", "a nested group's wish, the office's place"),
        ("198.18.1.129", "far", "an order replaces distance"),
        ("203.0.113.1", "west/unicom", "a wish below one"),
    ];
    for (address, want, why) in rows {
        let place = table.place(table.look_up(address.parse().unwrap()).place);
        assert_eq!(case.ask(&state, place, Luck::default()).1, [want], "{address}: {why}");
    }
    let place = table.place(table.look_up("198.18.1.129".parse().unwrap()).place);
    let without_far = case.state(&case.without(&["vip:www/far"]));
    assert_eq!(
        case.ask(&without_far, place, Luck::default()).1,
        ["west/unicom"],
        "then the second of its order"
    );
    let without_west = case.state(&case.without(&["vip:www/far", "link:west/unicom", "link:west/telecom"]));
    assert_eq!(
        case.ask(&without_west, place, Luck::default()).1,
        ["east/telecom"],
        "then what it does not name"
    );
}

#[test]
fn prefixes_are_those_of_clients_and_regions() {
    let (world, _) = World::compile(model(POLICY), &NoFiles);
    let names: Vec<_> = world.operator_prefixes().iter().map(ToString::to_string).collect();
    let want = [
        "198.18.0.0/15",
        "198.18.0.0/16",
        "198.18.1.0/24",
        "198.18.1.128/25",
        "198.18.1.200/32",
        "203.0.113.0/24",
        "2001:db8::/32",
    ];
    assert_eq!(names, want);
}

#[test]
fn a_class_is_what_each_of_its_places_ranks() {
    let case = Case::new(POLICY);
    let table = places(&case.world);
    let addresses = [
        "192.0.2.99",
        "198.18.9.9",
        "198.18.1.9",
        "198.18.1.129",
        "198.18.1.200",
        "198.19.0.1",
        "203.0.113.1",
    ];
    for service in (0..3).map(ServiceId::new) {
        let shape = case.atlas.shape(service);
        for address in addresses.map(|address| address.parse::<IpAddr>().unwrap()) {
            let class = shape.class(shape.map().class(address));
            let ranked = shape.rank(&case.world, table.place(table.look_up(address).place));
            assert_eq!(format!("{class:?}"), format!("{:?}", ranked.class()), "{address} for {service:?}");
        }
    }
    let shape = |index| case.atlas.shape(ServiceId::new(index));
    assert!(std::ptr::eq(&**shape(0), &**shape(1)), "services that steer alike share their classes");
    let classes: BTreeSet<_> =
        addresses.iter().map(|address| shape(2).map().class(address.parse().unwrap())).collect();
    assert_eq!(classes.len(), 2, "in the region, or not: all that this service tells apart");
}

/// 256 groups around, each with an order of its own, times 256 inside, each
/// with wishes of its own.
#[test]
fn too_many_classes_are_refused_with_an_address() {
    let mut policy = String::from("zone: example.com\ndatacenters:\n");
    for datacenter in 0..6 {
        writeln!(
            policy,
            "  d{datacenter}: {{ links: {{ a: {{}}, b: {{}}, c: {{}}, d: {{}}, e: {{}}, f: {{}} }} }}"
        )
        .unwrap();
    }
    writeln!(policy, "clients:").unwrap();
    for (index, order) in permutations(6).into_iter().take(256).enumerate() {
        let datacenters: Vec<_> = order.iter().map(|datacenter| format!("d{datacenter}")).collect();
        writeln!(
            policy,
            "  o{index}: {{ prefixes: [10.{index}.0.0/16], order: [{}] }}",
            datacenters.join(", ")
        )
        .unwrap();
        let prefixes: Vec<_> = (0..256).map(|outer| format!("10.{outer}.{index}.0/24")).collect();
        let wish = |(link, wish): (char, &usize)| format!("d0/{link}: {}", wish + 1);
        let wishes: Vec<_> = ('a'..='f').zip(&order).map(wish).collect();
        writeln!(
            policy,
            "  i{index}: {{ prefixes: [{}], prefer: {{ {} }} }}",
            prefixes.join(", "),
            wishes.join(", ")
        )
        .unwrap();
    }
    writeln!(policy, "services:\n  www:\n    vips:").unwrap();
    writeln!(
        policy,
        "      d0: {{ a: 192.0.2.1, b: 192.0.2.2, c: 192.0.2.3, d: 192.0.2.4, e: 192.0.2.5, f: 192.0.2.6 }}"
    )
    .unwrap();
    for datacenter in 1..6 {
        writeln!(policy, "      d{datacenter}: {{ a: 192.0.2.1{datacenter} }}").unwrap();
    }
    let (world, _) = World::compile(model(&policy), &NoFiles);
    let refused = Atlas::survey(&world, &places(&world)).unwrap_err().to_string();
    let want = "service www: steer: tells apart more than 65535 kinds of clients";
    assert!(refused.starts_with("policy.yaml:") && refused.contains(want), "{refused}");
}

fn permutations(count: usize) -> Vec<Vec<usize>> {
    if count == 0 {
        return vec![Vec::new()];
    }
    let shorter = permutations(count - 1);
    let insert = |place| {
        shorter.iter().map(move |one| {
            let mut longer = one.clone();
            longer.insert(place, count - 1);
            longer
        })
    };
    (0..count).flat_map(insert).collect()
}

/// A policy that is edited: whether the shapes of `www` and `mapped` are those
/// of before, and in any case what a survey from nothing gives.
#[test]
fn shapes_that_are_as_they_were_are_kept() {
    let rows = [
        ("192.0.2.7 }", "192.0.2.77 }", [true, true], "an address tells no clients apart"),
        ("ttl: 10s", "ttl: 20s", [true, true], "nor does a TTL"),
        ("default: [east]", "default: [far]", [true, false], "a step of one service"),
        ("[0, 170]", "[0, 160]", [false, false], "a datacenter moved"),
        ("west/telecom: 0.5", "west/telecom: 0.6", [false, false], "clients want something else"),
    ];
    let before = Case::new(POLICY);
    let table = places(&before.world);
    let atlas = Atlas::survey(&before.world, &table).unwrap();
    for (from, to, want, why) in rows {
        assert!(POLICY.contains(from), "{from}");
        let after = Case::new(&POLICY.replace(from, to));
        let kept = atlas.resurvey(&after.world, &table).unwrap();
        let fresh = Atlas::survey(&after.world, &table).unwrap();
        for (service, want) in [0, 2].map(ServiceId::new).into_iter().zip(want) {
            assert_eq!(Arc::ptr_eq(kept.shape(service), atlas.shape(service)), want, "{why}");
            let [kept, fresh] = [&kept, &fresh].map(|atlas| format!("{:?}", atlas.shape(service)));
            assert_eq!(kept, fresh, "{why}");
        }
    }
}
