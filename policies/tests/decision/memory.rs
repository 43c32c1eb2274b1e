//! What one state hands to the next: last verdicts, last usable VIPs; and how
//! long an operator's word lasts.

use std::time::Duration;

use rhumb_geo::Place;
use rhumb_health::Status::{self, Down, Unknown, Up};
use rhumb_policies::{Action, Inputs, Override, State, advance};

use crate::world::{Case, Luck};

const POLICY: &str = "zone: example.com
datacenters: { a: { links: { x: { assume: down } } }, b: {}, c: {} }
services: { www: { steer: [priority: [a, b, c]], last-resort: keep,
  vips: { a: { x: 192.0.2.1 }, b: 192.0.2.2, c: 192.0.2.3 } } }
";

/// What is answered after each set of verdicts of `link:a/x`, `vip:www/b` and
/// `vip:www/c`, one after another.
#[test]
fn verdicts_are_remembered() {
    type Step = ([Status; 3], &'static str, &'static str);
    let rows: [Step; 7] = [
        ([Unknown, Unknown, Unknown], "b", "a is assumed down, the others up"),
        ([Up, Unknown, Unknown], "a/x", "a verdict beats an assumption"),
        ([Unknown, Unknown, Unknown], "a/x", "and is remembered"),
        ([Down, Down, Up], "c", "what is left"),
        ([Unknown, Unknown, Down], "c", "down is remembered too: nothing is usable, c is kept"),
        ([Unknown, Up, Down], "b", "b is back"),
        ([Down, Down, Down], "b", "the last that was usable"),
    ];
    let case = Case::new(POLICY);
    let mut state = State::default();
    for (verdicts, want, why) in rows {
        let mut inputs = Inputs::new(case.model(), Unknown);
        for (name, verdict) in ["link:a/x", "vip:www/b", "vip:www/c"].into_iter().zip(verdicts) {
            inputs.set_verdict(case.model(), case.target(name), verdict);
        }
        state = advance(&case.world, &state, &inputs, Duration::ZERO);
        assert_eq!(case.ask(&state, Place::default(), Luck::default()).1, [want], "{verdicts:?}: {why}");
    }
}

#[test]
fn words_end() {
    let case = Case::new(POLICY);
    let mut inputs = case.well();
    inputs.add(Override {
        target: case.target("datacenter:a"),
        action: Action::Drain,
        starts: None,
        expires: Some(Duration::from_secs(100)),
        reason: String::new(),
        author: String::new(),
    });
    for (now, want) in [(0, "b"), (99, "b"), (100, "a/x")] {
        let state = advance(&case.world, &State::default(), &inputs, Duration::from_secs(now));
        assert_eq!(case.ask(&state, Place::default(), Luck::default()).1, [want], "at {now} s");
    }
}

/// A verdict of a datacenter or a service is one of everything under it.
#[test]
fn verdicts_of_what_is_not_probed() {
    let case = Case::new(POLICY);
    let rows = [("datacenter:a", "b"), ("datacenter:b", "a/x"), ("service:www", "a/x")];
    for (down, want) in rows {
        let state = case.state(&case.without(&[down]));
        assert_eq!(case.ask(&state, Place::default(), Luck::default()).1, [want], "without {down}");
    }
    let (outcome, _) =
        case.ask(&case.state(&case.without(&["service:www"])), Place::default(), Luck::default());
    assert_ne!(outcome, crate::world::FIRST, "nothing of it is usable");
}
