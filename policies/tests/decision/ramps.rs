//! Shares that grow back.

use rhumb_policies::{Action, client_hash};
use rhumb_zones::Prefix;

use crate::world::{Case, Watch};

fn policy(keys: &str) -> Case {
    Case::new(&format!(
        "{{ zone: example.com, datacenters: {{ a: {{ ramp: 640s }}, b: {{}} }}, services: {{ www: {{
           steer: [priority: [a, b]], {keys} vips: {{ a: 192.0.2.1, b: 192.0.2.2 }} }} }} }}"
    ))
}

fn clients() -> Vec<u64> {
    let prefix = |index: u32| Prefix::containing((index << 8).to_be_bytes().into(), 24).unwrap();
    (0..20_000).map(|index| client_hash(prefix(index))).collect()
}

/// The share of clients answered with a, after checking that none of `before`
/// has left it.
fn inside(watch: &Watch<'_>, clients: &[u64], before: &mut [bool]) -> f64 {
    let mut count = 0;
    for (&hash, before) in clients.iter().zip(before) {
        let now = watch.answer_to(hash) == "1 a";
        assert!(now || !*before, "a client that came back has left again");
        *before = now;
        count += usize::from(now);
    }
    count as f64 / clients.len() as f64
}

#[test]
fn shares_grow_and_clients_stay() {
    let case = policy("");
    let clients = clients();
    let mut before = vec![false; clients.len()];
    let mut watch = Watch::new(&case);
    watch.tell("-vip:www/a");
    watch.at(0.0);
    watch.tell("+vip:www/a");
    watch.at(100.0);
    assert_eq!(watch.wake(), Some(130.0), "held down first");
    let rows = [
        (130.0, 0.0, 140.0, "it begins with none"),
        (139.0, 0.0, 140.0, "in steps of a sixty-fourth"),
        (140.0, 1.0 / 64.0, 150.0, "the first step"),
        (290.0, 0.25, 300.0, "a quarter of 640 s"),
        (450.0, 0.5, 460.0, "half"),
        (615.0, 48.0 / 64.0, 620.0, "between steps"),
        (769.0, 63.0 / 64.0, 770.0, "the last step"),
    ];
    for (at, want, wake, why) in rows {
        watch.at(at);
        let got = inside(&watch, &clients, &mut before);
        assert!((got - want).abs() <= 0.01, "at {at} s: {why}: {got} is not {want}");
        assert_eq!(watch.wake(), Some(wake), "at {at} s: {why}");
        assert_eq!(watch.ttl(), 5, "at {at} s: shares still move");
    }
    watch.at(770.0);
    assert_eq!((inside(&watch, &clients, &mut before), watch.wake()), (1.0, None), "all are back");
    assert_eq!(watch.ttl(), 30, "and it is over");
}

#[test]
fn ramps_yield_to_the_law() {
    let case = policy("");
    assert!(case.shape().hashes_clients(), "scopes do not depend on health");
    let outside = clients().into_iter().find(|&hash| {
        let mut watch = Watch::new(&case);
        watch.tell("-vip:www/a");
        watch.at(0.0);
        watch.tell("+vip:www/a");
        watch.at(1.0);
        watch.at(351.0);
        watch.answer_to(hash) == "1 b"
    });
    let outside = outside.unwrap();
    let mut watch = Watch::new(&case);
    let rows = [
        (0.0, "-vip:www/a", "1 b", "gone"),
        (1.0, "+vip:www/a", "1 b", "held down"),
        (351.0, "", "1 b", "outside the share"),
        (352.0, "-vip:www/b", "2 a", "nothing else is left: the second tier"),
        (353.0, "-vip:www/a", "3 a", "not even that"),
        (360.0, "+vip:www/b", "2 b", "one is back, held down"),
        (361.0, "+vip:www/a", "2 a", "both of one tier: today's order"),
        (391.0, "", "1 b", "the ramp of a starts anew"),
        (1031.0, "", "1 a", "and ends"),
    ];
    for (at, words, want, why) in rows {
        watch.tell(words);
        watch.at(at);
        assert_eq!(watch.answer_to(outside), want, "at {at} s: {why}");
    }
}

#[test]
fn what_starts_a_ramp() {
    let hash = clients()[0];
    for action in [Action::Drain, Action::Down] {
        let case = policy("ramp: 10s,");
        let mut watch = Watch::new(&case);
        watch.inputs.simply(case.target("datacenter:a"), action);
        watch.at(0.0);
        assert_eq!(watch.answer_to(hash), "1 b", "{action:?}");
        watch.inputs = case.well();
        watch.at(100.0);
        assert_eq!(watch.answer_to(hash), "1 b", "{action:?}: at its end, and without hold-down");
        assert_eq!(watch.wake(), Some(110.0), "{action:?}: the longer of both ramps");
        watch.at(740.0);
        assert_eq!(watch.answer_to(hash), "1 a", "{action:?}: over");
    }
    let case = Case::new(
        "{ zone: example.com, datacenters: { a: {}, b: {} }, services: { www: { ramp: 4s,
           steer: [priority: [a, b]], vips: { a: 192.0.2.1, b: 192.0.2.2 } } } }",
    );
    let mut watch = Watch::new(&case);
    watch.inputs.simply(case.target("vip:www/a"), Action::Drain);
    watch.at(0.0);
    watch.inputs = case.well();
    for (at, wake) in [(10.0, Some(11.0)), (11.5, Some(12.0)), (13.0, Some(14.0)), (14.0, None)] {
        watch.at(at);
        assert_eq!(watch.wake(), wake, "at {at} s: at most a step a second");
    }
}
