//! Each steering method and selector, row by row.

use std::fmt::Write;

use proptest::prelude::*;
use rhumb_geo::{Continent, Country, Place, Subdivision, distance_km};
use rhumb_policies::Action;
use rhumb_zones::{CarrierId, Point};

use crate::world::{Case, FIRST, Luck, at};

/// Three datacenters on the equator, 10° apart (1,112 km), `north` twice as
/// heavy as the others, then one without coordinates; `links:` in the first.
fn policy(steer: &str, more: &str) -> String {
    format!(
        "zone: example.com
datacenters:
  west: {{ at: [0, 0], links: {{ telecom: {{ carrier: chinanet }}, unicom: {{ carrier: AS4837 }}, other: {{}} }} }}
  mid: {{ at: [0, 10] }}
  east: {{ at: [0, 20] }}
  lost: {{}}
services:
  www:
    steer: {steer}
    {more}
    vips:
      lost: 192.0.2.6
      east: {{ address: 192.0.2.5, priority: 7 }}
      mid: 192.0.2.4
      west: {{ other: 192.0.2.3, unicom: 192.0.2.2, telecom: {{ address: 192.0.2.1, priority: -1 }} }}
"
    )
}

/// The first answers to a client as targets go down one after another: its
/// whole order of preference.
fn order(case: &Case, place: Place<'_>) -> Vec<String> {
    let mut inputs = case.well();
    let mut order = Vec::new();
    loop {
        let (outcome, picks) = case.ask(&case.state(&inputs), place, Luck::default());
        if outcome != FIRST {
            return order;
        }
        inputs.simply(case.target(&format!("vip:www/{}", picks[0])), Action::Down);
        order.extend(picks);
    }
}

fn check(steer: &str, more: &str, place: Place<'_>, want: &str, why: &str) {
    let case = Case::new(&policy(steer, more));
    assert_eq!(order(&case, place).join(" "), want, "{steer} {more}: {why}");
}

/// The same at the western datacenter.
fn near(place: Place<'_>) -> Place<'_> {
    Place { at: Point::new(0.0, 1.0), ..place }
}

fn in_country(country: &str, part: Option<&str>) -> Place<'static> {
    let part = part.and_then(Subdivision::new);
    Place { country: Country::new(country), subdivisions: [part, None], ..Place::default() }
}

#[test]
fn nearest() {
    let west = "west/unicom west/other west/telecom";
    let rows = [
        ("[nearest]", at(0.0, 1.0), format!("{west} mid east lost"), "by distance"),
        ("[nearest]", at(0.0, 19.0), format!("east mid {west} lost"), "the other way round"),
        ("[nearest]", at(0.0, 5.0), format!("{west} mid east lost"), "equally far: in declaration order"),
        ("[nearest]", at(0.0, -179.0), format!("east mid {west} lost"), "shorter over the date line"),
        ("[nearest]", at(0.0, -161.0), format!("{west} mid east lost"), "shorter the other way"),
        ("[nearest]", Place::default(), format!("{west} mid east lost"), "nowhere: in declaration order"),
        (
            "[nearest: { within: 10% }]",
            at(0.0, 5.2),
            format!("{west} mid east lost"),
            "5.2° and 4.8° are one",
        ),
        ("[nearest: { within: 5% }]", at(0.0, 5.2), format!("mid {west} east lost"), "8 % is more than 5 %"),
        (
            "[nearest: { within: 1200 km }]",
            at(0.0, 19.0),
            format!("mid east {west} lost"),
            "1° and 9°, not 19°",
        ),
        (
            "[nearest: { within: 1200km }, priority]",
            at(0.0, 19.0),
            format!("east mid {west} lost"),
            "ties are split",
        ),
        (
            "[nearest: { within: 100% }]",
            at(0.0, 20.0),
            format!("east {west} mid lost"),
            "a share of nothing is nothing; 20° is within twice 10°",
        ),
    ];
    for (steer, place, want, why) in rows {
        check(steer, "", place, &want, why);
    }
}

#[test]
fn fixed_orders() {
    let west = "west/unicom west/other west/telecom";
    let rows = [
        ("[priority: [lost, east]]", format!("lost east {west} mid"), "named first, others as declared"),
        ("[priority: [lost], nearest]", format!("lost {west} mid east"), "others by the next step"),
        ("[priority]", format!("east {west} mid lost"), "by the VIPs' own"),
        ("nearest", format!("{west} mid east lost"), "a chain of one"),
        (
            "[{ priority: [east] }, { priority: [mid, lost] }]",
            format!("east mid lost {west}"),
            "a second list splits the rest",
        ),
    ];
    for (steer, want, why) in rows {
        check(steer, "", at(0.0, 1.0), &want, why);
    }
}

#[test]
fn regions() {
    let regions = "[regions: {
        coast: { subdivisions: [US-CA, us-or], datacenters: [lost] },
        america: { countries: [US, ca], continents: [SA], datacenters: [east, mid] },
        telecom: { carriers: [chinanet], datacenters: [mid] },
        one: { asns: [64500], datacenters: [east] },
        default: [mid, lost] }, nearest]";
    let west = "west/unicom west/other west/telecom";
    let carrier = &[CarrierId::new(0)];
    let america = Place { continent: Continent::new("SA"), ..Place::default() };
    let rows = [
        (
            near(in_country("US", Some("CA"))),
            format!("lost {west} mid east"),
            "a subdivision is more precise",
        ),
        (near(in_country("US", Some("TX"))), format!("east mid {west} lost"), "its country is left"),
        (
            near(in_country("CA", Some("OR"))),
            format!("east mid {west} lost"),
            "OR is elsewhere in another country",
        ),
        (near(america), format!("east mid {west} lost"), "a continent"),
        (near(Place { carriers: carrier, ..america }), format!("mid {west} east lost"), "a carrier beats it"),
        (
            near(Place { carriers: carrier, asn: Some(64500), ..america }),
            format!("east {west} mid lost"),
            "an AS beats a carrier",
        ),
        (near(in_country("DE", None)), format!("mid lost {west} east"), "the default"),
    ];
    for (place, want, why) in rows {
        check(regions, "", place, &want, why);
    }
    let without_default = "[regions: { america: { countries: [US], datacenters: [east] } }]";
    check(
        without_default,
        "",
        in_country("DE", None),
        &format!("{west} mid east lost"),
        "no preference at all",
    );
}

#[test]
fn links() {
    let telecom = Place { carriers: &[CarrierId::new(0)], ..at(0.0, 0.0) };
    let rows = [
        (
            "",
            telecom,
            "west/unicom west/other west/telecom",
            "formula: the negative one last, then as declared",
        ),
        ("link-selection: priority", telecom, "west/unicom west/other west/telecom", "the same, said"),
        (
            "link-selection: carrier",
            telecom,
            "west/telecom west/unicom west/other",
            "the carrier's own first",
        ),
        ("link-selection: carrier", at(0.0, 0.0), "west/unicom west/other west/telecom", "no carrier known"),
        (
            "link-selection: formula",
            telecom,
            "west/unicom west/other west/telecom",
            "priority is not compared",
        ),
    ];
    for (selection, place, want, why) in rows {
        check("[nearest]", selection, place, &format!("{want} mid east lost"), why);
    }
}

fn points() -> impl Strategy<Value = Point> {
    (-90.0..=90.0, -180.0..=180.0).prop_map(|(latitude, longitude)| Point::new(latitude, longitude).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// Against the haversine formula, wherever datacenters and clients are.
    #[test]
    fn nearest_is_by_great_circle(
        datacenters in prop::collection::vec(points(), 2..=8),
        clients in prop::collection::vec(points(), 8),
        within in prop::option::of(1_u32..=100),
    ) {
        let nearest = within.map_or_else(|| "nearest".to_owned(), |share| format!("nearest: {{ within: {share}% }}"));
        let mut policy = String::from("zone: example.com\ndatacenters:\n");
        for (index, Point { latitude, longitude }) in datacenters.iter().enumerate() {
            writeln!(policy, "  d{index}: {{ at: [{latitude:.9}, {longitude:.9}] }}").unwrap();
        }
        writeln!(policy, "services:\n  www:\n    steer: [{nearest}]\n    vips:").unwrap();
        (0..datacenters.len()).for_each(|index| writeln!(policy, "      d{index}: 192.0.2.{index}").unwrap());
        let case = Case::new(&policy);
        for client in clients {
            let far = |name: &String| distance_km(client, datacenters[name[1..].parse::<usize>().unwrap()]);
            let order: Vec<_> = order(&case, Place { at: Some(client), ..Place::default() }).iter().map(far).collect();
            let share = f64::from(within.unwrap_or(0)) / 100.0;
            let mut rest = &order[..];
            while !rest.is_empty() {
                // What is tied with the nearest of the rest comes before all that is not.
                let limit = rest.iter().copied().fold(f64::INFINITY, f64::min) * (1.0 + share);
                let tied = rest.iter().take_while(|far| **far <= limit + 0.001).count();
                prop_assert!(tied > 0 && rest[tied..].iter().all(|far| *far > limit - 0.001), "{:?}", order);
                rest = &rest[tied..];
            }
        }
    }
}
