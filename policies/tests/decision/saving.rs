//! What a saved state is worth in another world, or when it is no state.

use rhumb_health::Status;
use rhumb_policies::{Action, Inputs, Renames, State, advance};
use serde_json::json;
use std::time::Duration;

use crate::world::{Case, START, Watch};

const POLICY: &str =
    "{ zone: example.com, datacenters: { a: { links: { x: {} } }, b: {}, c: {} }, services: {
  www: { steer: [priority: [a, b, c]], last-resort: keep, primary: a,
    vips: { a: { x: 192.0.2.1 }, b: 192.0.2.2, c: 192.0.2.3 } } } }";

/// The same service in a policy that was edited: what it now begins with, its
/// VIPs, and what is answered there after a reload.
#[test]
fn reloads() {
    let rows = [
        (
            "a: { links: { x: {} } }, b: {}, c: {}",
            "c: 192.0.2.3, b: 192.0.2.2, a: { x: 192.0.2.1 }",
            "3 c",
            "another order",
        ),
        (
            "z: {}, a: { links: { x: {} } }, b: {}, c: {}",
            "z: 192.0.2.9, c: 192.0.2.3, b: 192.0.2.2, a: { x: 192.0.2.1 }",
            "1 z",
            "one more, never seen",
        ),
        (
            "a: { links: { x: {} } }, b: {}",
            "b: 192.0.2.2, a: { x: 192.0.2.1 }",
            "3 b",
            "the one that was kept is gone: fail open",
        ),
        (
            "a: { links: { x: {} } }, b: {}, c: {}",
            "c: 192.0.2.8, b: 192.0.2.2, a: { x: 192.0.2.1 }",
            "3 b",
            "its address is another: not what was kept",
        ),
    ];
    let case = Case::new(POLICY);
    let mut watch = Watch::new(&case);
    watch.tell("-link:a/x -vip:www/b");
    watch.at(0.0);
    watch.tell("-vip:www/c");
    watch.at(1.0);
    assert_eq!(watch.answer(), "3 c", "the last that was usable");
    let (before, saved) = (watch.state.clone(), watch.state.save(&case.world));
    for (datacenters, vips, want, why) in rows {
        let steer = if vips.starts_with('z') { "[priority: [z, b, c, a]]" } else { "[priority: [b, c, a]]" };
        let steer = if datacenters.contains("c:") { steer } else { "[priority: [b, a]]" };
        let edited = Case::new(&format!(
            "{{ zone: example.com, datacenters: {{ {datacenters} }}, services: {{
               www: {{ steer: {steer}, last-resort: keep, primary: b, vips: {{ {vips} }} }} }} }}"
        ));
        let mut watch = Watch::new(&edited);
        watch.inputs = Inputs::new(edited.model(), Status::Unknown);
        watch.state = State::restore(&edited.world, &saved).unwrap();
        let renames = Renames::new(case.model(), edited.model());
        let carried = before.carry(&case.world, &edited.world, &renames);
        assert_eq!(
            carried.save(&edited.world),
            watch.state.save(&edited.world),
            "{why}: carried or restored"
        );
        watch.at(1.0);
        assert_eq!(watch.answer(), want, "{why}");
        let primary = watch.state.primary(rhumb_zones::ServiceId::new(0)).unwrap();
        assert_eq!(&*edited.model().datacenter(primary).name, "a", "{why}: where it was");
    }
}

#[test]
fn what_is_no_state() {
    let case = Case::new(POLICY);
    let good = case.state(&case.told(&[("datacenter:a", Action::Drain)])).save(&case.world);
    assert!(State::restore(&case.world, &good).is_ok(), "as saved");
    let rows = [
        ("", json!(null), "state.version: must be there"),
        ("", json!([1]), "state.version: must be there"),
        ("/version", json!(2), "state: must be of version 1"),
        ("/targets", json!(null), "state.targets: must be there"),
        ("/targets", json!([]), "state.targets: must be a map"),
        ("/targets/link:a~1x", json!(7), "state.targets.link:a/x.due: must be there"),
        (
            "/targets/link:a~1x/since",
            json!(-1),
            "state.targets.link:a/x.since: must be a time in nanoseconds",
        ),
        ("/targets/link:a~1x/verdict", json!("up"), "state.targets.link:a/x.verdict: must be true or false"),
        ("/services/www/bound", json!([1]), "state.services.www.bound: must be a list of texts"),
        (
            "/services/www/kept",
            json!({ "vip:www/b": "x" }),
            "state.services.www.kept.vip:www/b: must be a list",
        ),
        (
            "/services/www/shares",
            json!({ "vip:www/b": 1.5 }),
            "state.services.www.shares.vip:www/b: must be a number below 2^32",
        ),
        ("/recoveries", json!({ "vip:www/b": {} }), "state.recoveries.vip:www/b.from: must be there"),
        (
            "/addresses",
            json!({ "vip:www/b": { "x": true } }),
            "state.addresses.vip:www/b: must be of addresses",
        ),
    ];
    for (place, value, want) in rows {
        let mut bad = good.clone();
        *bad.pointer_mut(place).unwrap() = value;
        let error = State::restore(&case.world, &bad).expect_err(want).to_string();
        assert_eq!(error, want);
    }
    let rows = [
        ("/targets", json!({ "link:z/x": {}, "nonsense": 1 })),
        ("/services", json!({ "gone": 1 })),
        ("/recoveries", json!({ "vip:gone/a": 1, "link:a/x": 1 })),
        ("/addresses", json!({ "vip:gone/a": 1 })),
    ];
    for (place, value) in rows {
        let mut strange = good.clone();
        *strange.pointer_mut(place).unwrap() = value.clone();
        let state = State::restore(&case.world, &strange).unwrap_or_else(|error| panic!("{value}: {error}"));
        let _ = advance(&case.world, &state, &case.well(), Duration::from_secs(START));
    }
}
