//! Verdicts that wait: holds, hold-downs, manual recovery; and VIPs of several
//! addresses.

use std::net::IpAddr;
use std::time::Duration;

use rhumb_health::Status;
use rhumb_policies::{Action, LeftOut};
use rhumb_zones::VipId;

use crate::world::{Case, START, Watch};

const POLICY: &str = "zone: example.com
datacenters:
  a: { links: { x: {}, y: { hold-down: 60s } } }
  b: { links: { x: { recovery: manual } } }
interconnects: [{ between: [a, b], hold: 10s }]
services:
  www:
    steer: [priority: [a, b]]
    primary: b
    data: primary
    vips: { a: { x: 192.0.2.1, y: 192.0.2.2 }, b: { x: 192.0.2.3 } }
";

/// Seconds after the start, what is told then, the tier and VIP answered, the
/// next wake, and why.
type Step<'a> = (f64, &'a str, &'a str, Option<f64>, &'a str);

fn check(case: &Case, steps: &[Step<'_>]) {
    let mut watch = Watch::new(case);
    for &(at, words, want, wake, why) in steps {
        watch.tell(words);
        watch.at(at);
        assert_eq!(watch.answer(), want, "at {at} s, {words}: {why}");
        assert_eq!(watch.wake(), wake, "at {at} s, {words}: {why}");
    }
}

#[test]
fn interconnects_wait_for_their_hold() {
    let case = Case::new(POLICY);
    let line = "interconnect:a/b";
    check(
        &case,
        &[
            (0.0, &format!("-{line}"), "1 a/x", Some(10.0), "not down yet"),
            (9.0, &format!("+{line}"), "1 a/x", None, "it never was"),
            (20.0, &format!("-{line}"), "1 a/x", Some(30.0), "the hold starts anew"),
            (25.0, &format!("?{line}"), "1 a/x", Some(30.0), "no verdict is as the last one"),
            (30.0, "", "1 b/x", Some(60.0), "all to the primary; settled a TTL later"),
            (90.0, &format!("+{line}"), "1 b/x", Some(120.0), "back at once, and a held down"),
            (120.0, "", "1 a/x", None, "a again, the TTL of the interconnect's change is over as well"),
        ],
    );
    let mut watch = Watch::new(&case);
    watch.inputs.simply(case.target(line), Action::Down);
    watch.at(1.0);
    assert_eq!(watch.answer(), "1 b/x", "a force does not wait");
    let mut cold = case.well();
    cold.set_verdict(case.model(), case.target(line), Status::Down);
    let state = rhumb_policies::advance(&case.world, &Default::default(), &cold, Duration::from_secs(START));
    assert_eq!(state.wake(), Some(Duration::from_secs(START + 10)), "a first verdict waits too");
}

#[test]
fn recovered_vips_are_held_down() {
    let case = Case::new(POLICY);
    check(
        &case,
        &[
            (0.0, "-link:a/x -link:a/y", "1 b/x", Some(30.0), "gone"),
            (100.0, "+link:a/x +link:a/y", "1 b/x", Some(130.0), "back, but held down"),
            (110.0, "-link:b/x", "2 a/x", Some(130.0), "a held VIP is better than none"),
            (120.0, "-link:a/x", "2 a/y", Some(160.0), "a relapse forgets the hold-down"),
            (160.0, "", "1 a/y", None, "the longer hold-down of its link is over"),
            (200.0, "+link:a/x", "1 a/y", Some(230.0), "held anew"),
            (230.0, "", "1 a/x", None, "and back"),
        ],
    );
    let own_check = [
        (0.0, "-vip:www/a/x", "1 a/y", Some(30.0), "a VIP's own check"),
        (40.0, "+vip:www/a/x", "1 a/y", Some(70.0), "its hold-down"),
    ];
    check(&case, &own_check);
    let mut watch = Watch::new(&case);
    for (at, forced, want) in [(0.0, true, "1 b/x"), (50.0, false, "1 a/x")] {
        watch.inputs = if forced { case.told(&[("datacenter:a", Action::Down)]) } else { case.well() };
        watch.at(at);
        assert_eq!(watch.answer(), want, "a force that ends holds nothing down");
    }
}

#[test]
fn manual_recovery_waits_for_a_word() {
    let case = Case::new(POLICY);
    let link = "link:b/x";
    let mut watch = Watch::new(&case);
    watch.tell("-link:a/x -link:a/y");
    let confirmed = |at: u64| Duration::from_secs(START + at);
    let rows = [
        (0.0, "-link:b/x", None, "3 a/x", "down"),
        (40.0, "+link:b/x", None, "3 a/x", "well, and waits"),
        (50.0, "?link:b/x", None, "3 a/x", "still"),
        (60.0, "+link:b/x", Some(55), "2 b/x", "confirmed: hold-down as usual"),
        (90.0, "", Some(55), "1 b/x", "as before"),
        (100.0, "-link:b/x", Some(55), "3 a/x", "an old word does not confirm a new fault"),
        (110.0, "", Some(105), "3 a/x", "confirmed ahead, but it is down"),
        (120.0, "+link:b/x", Some(105), "2 b/x", "so it follows its verdict"),
    ];
    for (at, words, word, want, why) in rows {
        watch.tell(words);
        word.into_iter().for_each(|at| watch.inputs.recover(case.target(link), confirmed(at)));
        watch.at(at);
        assert_eq!(watch.answer(), want, "at {at} s: {why}");
        let waits = watch.state.target(&case.world, case.target(link)).waits_for_word;
        assert_eq!(waits, [0.0, 40.0, 50.0, 100.0].contains(&at), "at {at} s: {why}");
    }
}

#[test]
fn families_of_addresses() {
    let case = Case::new(
        "{ zone: example.com, datacenters: { a: {}, b: {} }, services: { www: { steer: [priority: [a, b]],
           vips: { a: [192.0.2.1, 192.0.2.2, '2001:db8::1', '2001:db8::2'], b: 192.0.2.3 } } } }",
    );
    let vip = case.target("vip:www/a");
    let mut watch = Watch::new(&case);
    watch.inputs = rhumb_policies::Inputs::new(case.model(), Status::Unknown);
    let (up, down, unknown) = (Status::Up, Status::Down, Status::Unknown);
    let rows: [(&str, Status, &str, [u64; 2], &str); 10] = [
        ("192.0.2.1", up, "1 a", [0, 0], "all are assumed up"),
        ("192.0.2.1", down, "1 a", [1, 0], "left out"),
        ("2001:db8::2", down, "1 a", [1, 2], "another family"),
        ("192.0.2.1", unknown, "1 a", [1, 2], "the last verdict stands"),
        ("192.0.2.2", down, "1 b", [0, 2], "IPv4 is down, so the VIP is"),
        ("192.0.2.2", up, "1 b", [1, 2], "back and held down"),
        ("192.0.2.1", up, "1 b", [0, 2], "whole again"),
        ("2001:db8::1", down, "1 b", [0, 0], "IPv6 is down"),
        ("2001:db8::1", up, "1 b", [0, 2], "and back"),
        ("192.0.2.99", down, "1 b", [0, 2], "nobody's address"),
    ];
    for (at, (address, verdict, want, [v4, v6], why)) in rows.into_iter().enumerate() {
        watch.inputs.set_address(vip, address.parse::<IpAddr>().unwrap(), verdict);
        watch.at(at as f64);
        assert_eq!(watch.answer(), want, "{address} {verdict:?}: {why}");
        let left_out = watch.state.left_out(VipId::new(0));
        assert_eq!(left_out, LeftOut { v4, v6 }, "{address} {verdict:?}: {why}");
        let flag = watch.state.service(rhumb_zones::ServiceId::new(0)).leaves_out;
        assert_eq!(flag, v4 | v6 != 0, "{address} {verdict:?}: {why}");
    }
    watch.tell("-vip:www/a");
    watch.at(20.0);
    assert_eq!(watch.answer(), "1 b", "a verdict of the VIP is one of all its addresses");
    watch.inputs.simply(vip, Action::Up);
    watch.at(21.0);
    let is_up = watch.state.target(&case.world, vip).is_up;
    assert!(is_up && watch.answer() == "1 b", "a force beats it, but what was seen down is held down");
}
