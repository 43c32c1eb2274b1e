//! How long answers may be kept, a row per cause.

use std::time::Duration;

use rhumb_health::Status;
use rhumb_policies::{Action, Inputs, Override};

use crate::world::{Case, START, Watch};

const POLICY: &str = "zone: example.com
datacenters:
  a: { links: { x: {}, y: {} }, balancers: { l: {} } }
  b: {}
  c: {}
interconnects: [{ between: [a, b], hold: 40s }, { between: [b, c] }, { between: [a, c] }]
services:
  www:
    ttl: 20s
    ttl-floor: 3s
    steer: [priority: [a, b]]
    primary: a
    data: primary
    vips: { a: { x: 192.0.2.1, y: { address: 192.0.2.2, enabled: false } }, b: 192.0.2.3 }
    nodes: { a: ['10.0.0.1:80'], b: ['10.0.0.2:80', { address: '10.0.0.3:80', enabled: false }] }
  other: { ttl: 300s, vips: { c: 192.0.2.9 } }
rules: [{ name: shorter, when: 'link(\"a\", \"y\").down', apply: { services: [www], ttl: 10s } }]
";

const STEADY: u32 = 20;
const FLOOR: u32 = 3;

#[test]
fn unsettled_targets_on_the_path() {
    let rows = [
        ("link:a/x", FLOOR, "entry"),
        ("vip:www/a/x", FLOOR, "its own check"),
        ("balancer:a/l", FLOOR, "balance"),
        ("intranet:a", FLOOR, "reach"),
        ("intranet:b", FLOOR, "of any VIP"),
        ("node:www/10.0.0.1:80", FLOOR, "a node"),
        ("interconnect:a/b", FLOOR, "reach, and data"),
        ("vip:www/b", FLOOR, "would be answered next"),
        ("link:a/y", STEADY, "leads to a disabled VIP only"),
        ("vip:www/a/y", STEADY, "disabled"),
        ("node:www/10.0.0.3:80", STEADY, "disabled"),
        ("interconnect:b/c", STEADY, "nothing of it is in c"),
        ("intranet:c", STEADY, "nor there"),
        ("vip:other/c", STEADY, "another service's"),
    ];
    let case = Case::new(POLICY);
    for (name, want, why) in rows {
        let mut watch = Watch::new(&case);
        assert_eq!(watch.ttl(), STEADY, "at first");
        watch.inputs.set_unsettled(case.target(name), true);
        watch.at(1.0);
        assert_eq!((watch.ttl(), watch.wake()), (want, None), "{name}: {why}");
        watch.inputs.set_unsettled(case.target(name), false);
        watch.at(2.0);
        assert_eq!(watch.ttl(), STEADY, "{name}: settled");
    }
}

/// Seconds, what changes, the TTL, the next wake, why.
#[test]
fn changes_and_holds() {
    let case = Case::new(POLICY);
    let mut watch = Watch::new(&case);
    let rows = [
        (0.0, "-node:www/10.0.0.1:80", FLOOR, Some(20.0), "just changed, though nothing else is answered"),
        (20.0, "", STEADY, None, "settled, though down"),
        (100.0, "-interconnect:a/b", FLOOR, Some(140.0), "in its hold"),
        (140.0, "", FLOOR, Some(160.0), "just changed"),
        (160.0, "", FLOOR, None, "the last resort: the only node is cut off"),
        (200.0, "+interconnect:a/b", FLOOR, Some(230.0), "held down"),
        (230.0, "", STEADY, None, "settled"),
        (300.0, "-link:a/y", 10, None, "the rule's TTL"),
        (310.0, "-link:a/x", FLOOR, Some(320.0), "changed, within the rule's TTL"),
        (320.0, "", 10, None, "over"),
    ];
    for (at, words, ttl, wake, why) in rows {
        watch.tell(words);
        watch.at(at);
        assert_eq!((watch.ttl(), watch.wake()), (ttl, wake), "at {at} s: {why}: {}", watch.answer());
    }
}

/// Seconds, whose inputs, the answer, the TTL, the next wake, why.
type Row<'a> = (f64, &'a Inputs, &'a str, u32, Option<f64>, &'a str);

#[test]
fn overrides_that_start_or_end() {
    let case = Case::new(POLICY);
    let moment = |seconds: u64| Some(Duration::from_secs(START + seconds));
    let word = |target: &str, action, starts, expires| {
        let mut inputs = Inputs::new(case.model(), Status::Up);
        let (reason, author) = (String::new(), String::new());
        inputs.add(Override { target: case.target(target), action, starts, expires, reason, author });
        inputs
    };
    let drain = |target| word(target, Action::Drain, moment(100), moment(200));
    let force = word("link:a/x", Action::Up, None, moment(50));
    let rows: [Row<'_>; 11] = [
        (0.0, &drain("datacenter:a"), "1 a/x", STEADY, Some(60.0), "long before"),
        (60.0, &drain("datacenter:a"), "1 a/x", FLOOR, Some(100.0), "two TTLs before it starts"),
        (100.0, &drain("datacenter:a"), "1 b", STEADY, Some(180.0), "in force, and steady"),
        (180.0, &drain("datacenter:a"), "1 b", FLOOR, Some(200.0), "a TTL before it ends"),
        (200.0, &drain("datacenter:a"), "1 a/x", STEADY, None, "over"),
        (60.0, &drain("datacenter:c"), "1 a/x", STEADY, Some(100.0), "not on its path"),
        (60.0, &drain("service:www"), "1 a/x", FLOOR, Some(100.0), "a parent"),
        (0.0, &force, "1 a/x", STEADY, Some(30.0), "a force that ends"),
        (30.0, &force, "1 a/x", FLOOR, Some(50.0), "soon"),
        (49.0, &force, "1 a/x", FLOOR, Some(50.0), "very soon"),
        (50.0, &force, "1 a/x", STEADY, None, "changed nothing"),
    ];
    for (at, inputs, answer, ttl, wake, why) in rows {
        let mut watch = Watch::new(&case);
        watch.inputs = inputs.clone();
        watch.at(at);
        assert_eq!((&*watch.answer(), watch.ttl(), watch.wake()), (answer, ttl, wake), "at {at} s: {why}");
    }
}
