//! Which links are answered whatever the model: pairs across datacenters,
//! exploring, and the Law under models that make no sense.

use std::time::Duration;

use proptest::prelude::*;
use rhumb_health::{Measure, Status};
use rhumb_policies::link::feature::Feature;
use rhumb_policies::{Action, Client, Picks, advance, choose};
use rhumb_zones::{Files, ReadError, ServiceId};

use crate::links::{ELSEWHERE, HOME, measure, world};
use crate::world::{Case, Luck, at};

#[test]
fn pairs_are_ranked_across_datacenters() {
    let policy = "zone: example.com
datacenters:
  north: { at: [50, 0], links: { a: {}, b: {} } }
  south: { at: [0, 0], links: { a: {}, b: {} } }
clients: { office: { prefixes: [10.0.0.0/8], order: [south, north] } }
services:
  www:
    link-selection: { formula: ~, hold: 10s, across: datacenters }
    vips: { north: { a: 192.0.2.1, b: 192.0.2.2 }, south: { a: 192.0.2.3, b: 192.0.2.4 } }
";
    let case = Case::new(policy);
    let inputs = |delays: [f64; 4]| {
        let mut inputs = case.well();
        for (name, delay) in ["north/a", "north/b", "south/a", "south/b"].iter().zip(delays) {
            inputs.set_measure(case.target(&format!("link:{name}")), measure(0.0, delay));
        }
        inputs
    };
    let client = at(45.0, 0.0);
    let rows = [
        ([20.0; 4], "north/a north/b south/a south/b", "the nearer, all else alike"),
        (
            [400.0, 80.0, 20.0, 20.0],
            "north/b south/a south/b north/a",
            "a far good one before a near bad one",
        ),
        ([400.0, 500.0, 20.0, 19.0], "south/b south/a north/a north/b", "as far as all of the near"),
    ];
    for (delays, want, why) in rows {
        let state = case.state(&inputs(delays));
        let mut told = inputs(delays);
        let mut got: Vec<String> = Vec::new();
        for _ in 0..4 {
            let answered = advance(&case.world, &state, &told, Duration::from_secs(10_000));
            let answer = case.ask(&answered, client, Luck::default()).1.remove(0);
            told.simply(case.target(&format!("vip:www/{answer}")), Action::Down);
            got.push(answer);
        }
        assert_eq!(got.join(" "), want, "{why}");
    }
}

#[test]
fn exploring_is_rare_and_never_in_an_incident() {
    let rows: [(&str, &[&str], u64, &str); 4] = [
        ("{ formula: ~ }", &[], 0, "off, unless said"),
        ("{ formula: ~, explore: 2% }", &[], 200, "two in a hundred"),
        ("{ formula: ~, explore: 2% }", &["vip:www/west/transit"], 0, "something is down"),
        ("{ formula: ~, explore: 2% }", &["link:west/unicom"], 0, "and so is this"),
    ];
    for (selection, down, want, why) in rows {
        let case = world(&format!("link-selection: {selection}"));
        let state = case.state(&case.without(down));
        let shape = case.shape();
        let class = state.class(shape, shape.map().class(HOME.parse().unwrap()));
        let other = |draw: &u64| {
            let mut picks = Picks::default();
            let client = Client { class, hash: 0, draw: draw * (u64::MAX / 10_000) };
            choose(shape, state.service(ServiceId::new(0)), &client, &mut picks);
            case.vip(picks.slots()[0].index()) != "west/telecom"
        };
        let got = (0..10_000).filter(other).count() as u64;
        assert!(got.abs_diff(want) <= 1, "{why}: {got} of 10,000");
    }
}

/// A file with these weights, whatever they are.
struct Weighed([f64; Feature::COUNT]);

impl Files for Weighed {
    fn read(&self, _: &str, path: &str) -> Result<(String, Vec<u8>), ReadError> {
        let mut text = "rhumb-link-model 1\nseed 1\ncost 1\ntrust 1\ngroups 9\nheld-out 0\ntop1 0\n\
            regret none\nformula-regret none\n"
            .to_owned();
        for (feature, weight) in Feature::ALL.into_iter().zip(self.0) {
            let weight = if feature.helps() { weight } else { -weight };
            let (deciles, shares) = (" 0".repeat(11), " 1".repeat(11));
            let name = feature.name();
            text += &format!("feature {name} mean 0 std 1 weight {weight} deciles{deciles} shares{shares}\n");
        }
        // FNV-1a, 64 bits.
        let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        let checksum = text.bytes().fold(0xcbf2_9ce4_8422_2325, mix);
        text += &format!("checksum {checksum:016x}\n");
        Ok((path.to_owned(), text.into_bytes()))
    }
}

const PAIRS: &str = "zone: example.com
datacenters:
  north: { at: [50, 0], links: { a: {}, b: {}, c: { quality: 90 } } }
  south: { at: [0, 0], links: { a: {}, b: {} } }
  west: { at: [0, -90] }
clients: { homes: { prefixes: [10.0.0.0/8], prefer: { south/b: 3 } } }
services:
  www:
    link-selection: { model: m, hold: 0s, explore: 2%MORE }
    vips:
      north: { a: 192.0.2.1, b: 192.0.2.2, c: 192.0.2.3 }
      south: { a: 192.0.2.4, b: 192.0.2.5 }
      west: 192.0.2.6
";

proptest! {
    /// Whatever the model and the measures: one VIP is answered, and it is
    /// usable wherever one is.
    #[test]
    fn no_model_breaks_the_law(
        weights in prop::array::uniform7(prop_oneof![Just(0.0), Just(1e6), 0.0..1e3_f64]),
        measures in prop::collection::vec((0.0..=1.0_f64, 0.0..1e5_f64, 0_u32..200), 5),
        down in prop::collection::vec(any::<bool>(), 6),
        across in any::<bool>(),
        draw in any::<u64>(),
    ) {
        let policy = PAIRS.replace("MORE", if across { ", across: datacenters" } else { "" });
        let case = Case::with(&policy, &Weighed(weights));
        let mut inputs = case.well();
        let links = ["north/a", "north/b", "north/c", "south/a", "south/b"];
        for (link, (loss, delay, tries)) in links.iter().zip(measures) {
            let target = case.target(&format!("link:{link}"));
            inputs.set_measure(target, Measure { tries, ..measure(loss, delay) });
        }
        for (name, _) in links.iter().chain(&["west"]).zip(&down).filter(|(_, down)| **down) {
            inputs.set_verdict(case.model(), case.target(&format!("vip:www/{name}")), Status::Down);
        }
        let state = case.state(&inputs);
        let usable = state.usable(ServiceId::new(0));
        for client in [HOME, ELSEWHERE] {
            let shape = case.shape();
            let class = state.class(shape, shape.map().class(client.parse().unwrap()));
            let mut picks = Picks::default();
            choose(shape, state.service(ServiceId::new(0)), &Client { class, hash: 0, draw }, &mut picks);
            prop_assert_eq!(picks.slots().len(), 1);
            prop_assert!(usable.is_empty() || usable.has(picks.slots()[0]));
        }
    }
}
