//! What people are told of a change.

mod once;

use std::time::Duration;

use rhumb_health::Measure;
use rhumb_policies::{Action, Event, Inputs, Outcome, Override, State, Tier, advance, events};
use rhumb_zones::{DatacenterId, ServiceId};

use crate::topology::Topology;
use crate::world::Case;

/// `link:d0/l0` is down, `!link:d0/l0` is forced down, `^` up, `~` drained;
/// `>d1` is the primary.
fn inputs(case: &Case, what: &[&str]) -> Inputs {
    let down: Vec<_> = what.iter().copied().filter(|one| one.starts_with(char::is_alphabetic)).collect();
    let mut inputs = case.without(&down);
    for word in what {
        match word.split_at(1) {
            ("!", name) => inputs.simply(case.target(name), Action::Down),
            ("^", name) => inputs.simply(case.target(name), Action::Up),
            ("~", name) => inputs.simply(case.target(name), Action::Drain),
            (">", name) => {
                let name = name.trim_start_matches('d').parse().unwrap();
                inputs.promote(ServiceId::new(0), DatacenterId::new(name));
            }
            _ => {}
        }
    }
    inputs
}

/// Each is advanced to twice, so that holds are over.
fn states(case: &Case, changes: [&[&str]; 2]) -> [State; 2] {
    let settled = |previous: &State, what: &[&str], now: Duration| {
        let inputs = inputs(case, what);
        let next = advance(&case.world, previous, &inputs, now);
        advance(&case.world, &next, &inputs, now + Duration::from_secs(60))
    };
    let before = settled(&State::default(), changes[0], Duration::ZERO);
    let after = settled(&before, changes[1], Duration::from_secs(120));
    [before, after]
}

fn said(events: &[Event]) -> Vec<String> {
    let line = |event: &Event| {
        let masked =
            if event.masked.is_empty() { String::new() } else { format!(" [{}]", event.masked.join(" ")) };
        let cause = event.cause.as_ref().map_or_else(String::new, |cause| format!(" <{cause}>"));
        format!("{:?} {:?}{cause}{masked} {}", event.severity, event.phase, event.text)
    };
    events.iter().map(line).collect()
}

type Row = ([&'static [&'static str]; 2], &'static [&'static str], &'static str);

fn check(case: &Case, rows: &[Row]) {
    for (changes, want, why) in rows {
        let [before, after] = states(case, *changes);
        let events = events(&case.world, &before, &after, Duration::from_secs(60));
        assert_eq!(said(&events), *want, "{changes:?}: {why}");
        assert!(events.iter().all(|event| event.at_ms == 60_000), "{why}");
    }
}

/// Two datacenters of two links and two balancers each, joined.
fn pair() -> Case {
    Case::new(&Topology::pair(None, 0).policy())
}

const NORTH: &[&str] = &["link:d0/l0", "link:d0/l1"];
const ALL: &[&str] = &["link:d0/l0", "link:d0/l1", "link:d1/l0", "link:d1/l1"];

#[test]
fn faults() {
    check(
        &pair(),
        &[
            ([&[], &[]], &[], "nothing happened"),
            ([&["link:d0/l0"], &["link:d0/l0"]], &[], "what goes on is no news"),
            (
                [&[], &["link:d0/l0"]],
                &["Warning Begins [service:www] link:d0/l0 is down; 1 service moves."],
                "a link",
            ),
            (
                [&[], &["link:d0/l0", "vip:www/d0/l0"]],
                &[
                    "Warning Begins [vip:www/d0/l0 service:www] link:d0/l0 is down, and with it vip:www/d0/l0; 1 service moves.",
                ],
                "the VIP on it is no news of its own",
            ),
            (
                [&[], &["vip:www/d0/l0"]],
                &["Warning Begins [service:www] vip:www/d0/l0 is down; 1 service moves."],
                "a VIP under a link that is up is",
            ),
            (
                [&[], &["balancer:d0/b0", "interconnect:d0/d1"]],
                &["Warning Begins balancer:d0/b0 is down.", "Warning Begins interconnect:d0/d1 is down."],
                "two faults are two events; nobody moves",
            ),
            (
                [&[], &["intranet:d0", "node:www/10.0.0.0:80"]],
                &[
                    "Warning Begins [node:www/10.0.0.0:80] intranet:d0 is down, and with it node:www/10.0.0.0:80.",
                ],
                "a node is seen through the intranet",
            ),
            (
                [&[], &["balancer:d0/b0", "balancer:d0/b1", "vip:www/d0/l1"]],
                &[
                    "Warning Begins [balancer:d0/b0 balancer:d0/b1 vip:www/d0/l1 service:www] all balancers of d0 are down: balancer:d0/b0, balancer:d0/b1, and with it vip:www/d0/l1; 1 service moves.",
                ],
                "a VIP is seen through the balancers",
            ),
        ],
    );
}

#[test]
fn groups() {
    check(
        &pair(),
        &[
            (
                [&[], NORTH],
                &[
                    "Warning Begins [link:d0/l0 link:d0/l1 service:www] egress of d0 is down: link:d0/l0, link:d0/l1; 1 service moves.",
                ],
                "one event for a whole egress",
            ),
            (
                [NORTH, &[]],
                &[
                    "Warning Ends [link:d0/l0 link:d0/l1 service:www] egress of d0 is up again, and with it link:d0/l0, link:d0/l1; 1 service moves.",
                ],
                "and one for its end",
            ),
            (
                [&["link:d0/l0"], NORTH],
                &[
                    "Warning Begins [link:d0/l1 service:www] egress of d0 is down: link:d0/l0, link:d0/l1; 1 service moves.",
                    "Warning Ends <datacenter:d0> link:d0/l0 is still down, now because egress of d0 is down.",
                ],
                "one after the other: what was told is taken back",
            ),
            (
                [NORTH, &["link:d0/l1"]],
                &[
                    "Warning Ends [link:d0/l0 service:www] egress of d0 is up again, and with it link:d0/l0; 1 service moves.",
                    "Warning Begins link:d0/l1 is still down, by itself.",
                ],
                "one comes back",
            ),
            (
                [NORTH, &["link:d0/l0", "link:d0/l1", "vip:www/d0/l0"]],
                &["Info Notice [vip:www/d0/l0] egress of d0 is down: vip:www/d0/l0 went down too."],
                "what follows later is a notice",
            ),
            (
                [&["link:d0/l0", "vip:www/d0/l0"], &["link:d0/l0"]],
                &["Info Notice [vip:www/d0/l0] link:d0/l0 is down: vip:www/d0/l0 came back."],
                "and what comes back early",
            ),
            (
                [&["vip:www/d0/l0"], &["vip:www/d0/l0", "link:d0/l0"]],
                &[
                    "Warning Begins link:d0/l0 is down.",
                    "Warning Ends <link:d0/l0> vip:www/d0/l0 is still down, now because link:d0/l0 is down.",
                ],
                "the VIP failed first",
            ),
        ],
    );
}

#[test]
fn services() {
    check(
        &pair(),
        &[
            (
                [&[], ALL],
                &[
                    "Warning Begins [link:d0/l0 link:d0/l1 service:www] egress of d0 is down: link:d0/l0, link:d0/l1; 1 service moves.",
                    "Warning Begins [link:d1/l0 link:d1/l1] egress of d1 is down: link:d1/l0, link:d1/l1.",
                    "Critical Begins <datacenter:d0> service:www has no usable VIP and is at its last resort: egress of d0 is down, egress of d1 is down.",
                ],
                "the last resort has its own event and names the roots",
            ),
            (
                [ALL, NORTH],
                &[
                    "Warning Ends [link:d1/l0 link:d1/l1 service:www] egress of d1 is up again, and with it link:d1/l0, link:d1/l1; 1 service moves.",
                    "Critical Ends service:www is no longer at its last resort.",
                ],
                "and its end",
            ),
        ],
    );
}

#[test]
fn words() {
    check(
        &pair(),
        &[
            (
                [&[], &["!link:d0/l0"]],
                &[
                    "Info Begins [vip:www/d0/l0 service:www] link:d0/l0 is forced down, and with it vip:www/d0/l0; 1 service moves.",
                ],
                "what a word does is no fault",
            ),
            (
                [&["!link:d0/l0"], &[]],
                &[
                    "Info Ends [vip:www/d0/l0 service:www] link:d0/l0 is no longer forced, and with it vip:www/d0/l0; 1 service moves.",
                ],
                "and its end",
            ),
            (
                [&["link:d0/l0"], &["link:d0/l0", "!link:d0/l0"]],
                &[
                    "Info Begins [vip:www/d0/l0] link:d0/l0 is forced down, and with it vip:www/d0/l0.",
                    "Warning Ends link:d0/l0 is still down, now because link:d0/l0 is forced down.",
                ],
                "a word about what is down already",
            ),
            (
                [&["link:d0/l0"], &["link:d0/l0", "^link:d0/l0"]],
                &[
                    "Info Begins link:d0/l0 is forced up.",
                    "Warning Ends [service:www] link:d0/l0 is up again; 1 service moves.",
                ],
                "a word that ends a fault",
            ),
            (
                [&[], &["~datacenter:d0"]],
                &["Info Begins [service:www] datacenter:d0 is drained; 1 service moves."],
                "a drain",
            ),
            (
                [&["~datacenter:d0"], &["~datacenter:d0", "link:d1/l0", "link:d1/l1"]],
                &[
                    "Warning Begins [link:d1/l0 link:d1/l1 service:www] egress of d1 is down: link:d1/l0, link:d1/l1; 1 service moves.",
                    "Warning Begins <datacenter:d0> service:www has VIPs of its second tier only: datacenter:d0 is drained, egress of d1 is down.",
                ],
                "only what is drained is left",
            ),
        ],
    );
}

#[test]
fn primaries() {
    check(
        &Case::new(&Topology::pair(Some(0), 0).policy()),
        &[
            ([&[], &[">d1"]], &["Info Notice The primary of service:www is d1 now; it was d0."], "promoted"),
            (
                [&[], &["interconnect:d0/d1"]],
                &["Warning Begins [service:www] interconnect:d0/d1 is down; 1 service moves."],
                "all to the primary",
            ),
            (
                [&[], &["interconnect:d0/d1", "vip:www/d1/l0"]],
                &[
                    "Warning Begins [vip:www/d1/l0 service:www] interconnect:d0/d1 is down, and with it vip:www/d1/l0; 1 service moves.",
                ],
                "a VIP that could not serve anyway",
            ),
        ],
    );
}

/// A world with rules, a manual recovery and a hold-down.
const RULED: &str = "zone: example.com
datacenters:
  d0: { links: { l0: { probe: { ping: 192.0.2.9 } }, l1: {} } }
  d1: { links: { l0: { recovery: manual } } }
services:
  www: { vips: { d0: { l0: 192.0.2.1, l1: 192.0.2.2 }, d1: { l0: 192.0.2.3 } } }
rules:
  - { name: slow, when: 'link(\"d0\", \"l0\").delay_ms > 80', apply: { avoid: link:d0/l0 } }
  - { name: broken, when: 'link(\"d0\", \"l1\").down && 1 / 0 > 1', apply: { freeze: true } }
  - { name: out, when: 'link(\"d1\", \"l0\").down', apply: { only: d0 } }
";

fn slow(inputs: &mut Inputs, case: &Case, delay_ms: f64) {
    let measure = Measure { delay_ms: Some(delay_ms), tries: 10, ..Measure::default() };
    inputs.set_measure(case.target("link:d0/l0"), measure);
}

#[test]
fn rules() {
    let case = Case::new(RULED);
    /// What is down, and the delay of d0/l0.
    type Side = (&'static [&'static str], Option<f64>);
    let rows: [([Side; 2], &[&str], &str); 5] = [
        (
            [(&[], None), (&[], Some(90.0))],
            &[
                "Info Begins [service:www] rule:slow is on; 1 service moves.",
                "Info Ends rule:slow is measured.",
            ],
            "a measure comes, and the condition holds",
        ),
        (
            [(&[], Some(90.0)), (&[], Some(10.0))],
            &["Info Ends [service:www] rule:slow is off; 1 service moves."],
            "and holds no more",
        ),
        (
            [(&[], Some(10.0)), (&["link:d0/l1"], Some(10.0))],
            &[
                "Warning Begins [service:www] link:d0/l1 is down; 1 service moves.",
                "Warning Begins rule:broken is off, because its condition divides by zero.",
            ],
            "a condition without a value",
        ),
        (
            [(&[], Some(10.0)), (&["link:d1/l0"], Some(10.0))],
            &[
                "Warning Begins [service:www] link:d1/l0 is down; 1 service moves.",
                "Info Begins rule:out is on.",
            ],
            "what is down was not excluded",
        ),
        (
            [(&["link:d1/l0"], Some(10.0)), (&["link:d1/l0", "link:d0/l1"], Some(90.0))],
            &[
                "Warning Begins [service:www] link:d0/l1 is down; 1 service moves.",
                "Info Begins rule:slow is on.",
                "Warning Begins rule:broken is off, because its condition divides by zero.",
                "Warning Begins <link:d0/l1> service:www has VIPs of its second tier only: link:d0/l1 is down, link:d1/l0 is down, rule:slow is on.",
            ],
            "only what is avoided is left",
        ),
    ];
    for (sides, want, why) in rows {
        let [before, after] = sides.map(|(down, delay_ms)| {
            let mut inputs = case.without(down);
            delay_ms.into_iter().for_each(|delay_ms| slow(&mut inputs, &case, delay_ms));
            inputs
        });
        let before = advance(&case.world, &State::default(), &before, Duration::ZERO);
        let after = advance(&case.world, &before, &after, Duration::from_secs(60));
        assert_eq!(said(&events(&case.world, &before, &after, Duration::ZERO)), want, "{why}");
    }
}

/// A fault, its end, a hold-down and an operator's word, one after the other.
#[test]
fn recoveries() {
    let case = Case::new(RULED);
    let steps: [(&[&str], u64, &[&str], &str); 4] = [
        (
            &["link:d1/l0"],
            10,
            &[
                "Warning Begins [service:www] link:d1/l0 is down; 1 service moves.",
                "Info Begins rule:out is on.",
            ],
            "down",
        ),
        (&[], 20, &["Warning Begins link:d1/l0 is well and waits for an operator's word."], "back, but"),
        (
            &["r"],
            30,
            &[
                "Warning Ends link:d1/l0 is up again.",
                "Warning Ends link:d1/l0 waits no more.",
                "Info Ends rule:out is off.",
            ],
            "an operator says so",
        ),
        (&["r"], 900, &[], "its hold-down ends quietly"),
    ];
    let mut inputs = case.well();
    slow(&mut inputs, &case, 10.0);
    let mut state = advance(&case.world, &State::default(), &inputs, Duration::ZERO);
    for (what, second, want, why) in steps {
        let now = Duration::from_secs(second);
        let mut inputs = case.without(&what.iter().copied().filter(|what| *what != "r").collect::<Vec<_>>());
        slow(&mut inputs, &case, 10.0);
        if what.contains(&"r") {
            inputs.recover(case.target("link:d1/l0"), Duration::from_secs(30));
        }
        let next = advance(&case.world, &state, &inputs, now);
        assert_eq!(said(&events(&case.world, &state, &next, now)), want, "{why}");
        state = next;
    }
}

/// After a total outage everything is held down, which is no fault.
#[test]
fn a_service_that_recovers_is_not_degraded() {
    let case = pair();
    let down = advance(&case.world, &State::default(), &case.without(ALL), Duration::ZERO);
    let back = advance(&case.world, &down, &case.without(&ALL[..2]), Duration::from_secs(5));
    assert_eq!(back.service(ServiceId::new(0)).outcome, Outcome::Vips(Tier::Avoided));
    let want = [
        "Warning Ends [link:d1/l0 link:d1/l1 service:www] egress of d1 is up again, and with it link:d1/l0, link:d1/l1; 1 service moves.",
        "Critical Ends service:www is no longer at its last resort.",
    ];
    assert_eq!(said(&events(&case.world, &down, &back, Duration::ZERO)), want);
}

#[test]
fn orders_are_told_with_author_and_reason() {
    let case = pair();
    let mut inputs = case.well();
    let before = advance(&case.world, &State::default(), &inputs, Duration::ZERO);
    inputs.add(Override {
        target: case.target("datacenter:d1"),
        action: Action::Drain,
        starts: None,
        expires: None,
        reason: "new routers".to_owned(),
        author: "ada".to_owned(),
    });
    let after = advance(&case.world, &before, &inputs, Duration::ZERO);
    let want = "Info Begins [service:www] datacenter:d1 is drained by ada (new routers); 1 service moves.";
    assert_eq!(said(&events(&case.world, &before, &after, Duration::ZERO)), [want]);
}
