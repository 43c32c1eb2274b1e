//! Explanations: the words of one decision after another, and that they are
//! about the answer that is given.

use std::time::Duration;

use rhumb_geo::Place;
use rhumb_health::Status;
use rhumb_policies::{Action, Explanation, Override, Question, explain};
use rhumb_zones::ServiceId;

use crate::world::{Case, START, Watch, places};

const POLICY: &str = "zone: example.com
datacenters:
  north:
    at: [39.90, 116.40]
    links: { telecom: { carrier: chinanet }, unicom: { carrier: unicom } }
    balancers: { lb1: {}, lb2: {} }
  south: { at: [23.13, 113.26], links: { telecom: { carrier: chinanet } } }
  west: {}
interconnects: [{ between: [north, south] }]
clients:
  head-office: { prefixes: [203.0.112.0/24], at: [31.2, 121.5], carrier: unicom, prefer: { north/telecom: 2.0 } }
services:
  www:
    primary: north
    data: primary
    steer: [nearest]
    link-selection: carrier
    vips:
      north: { telecom: 203.0.113.10, unicom: { address: 198.51.100.10, enabled: false } }
      south: { telecom: 203.0.113.130 }
      west: 192.0.2.1
    nodes: { north: ['10.1.1.21:8080'], south: ['10.2.1.21:8080'] }
";

#[test]
fn sentences() {
    let case = Case::new(POLICY);
    let mut inputs = case.without(&["intranet:north", "balancer:north/lb2"]);
    inputs.simply(case.target("vip:www/south/telecom"), Action::Drain);
    inputs.add(Override {
        target: case.target("link:north/telecom"),
        action: Action::Down,
        starts: None,
        expires: None,
        reason: "new router".to_owned(),
        author: "ann".to_owned(),
    });
    let table = places(&case.world);
    let address = "203.0.112.9".parse().unwrap();
    let place = table.place(table.look_up(address).place);
    let scope = Some("203.0.112.0/24".parse().unwrap());
    let question = Question {
        service: ServiceId::new(0),
        place,
        class: None,
        address: Some(address),
        scope,
        hash: 0,
        draw: 0,
    };
    let explanation = explain(&case.world, &case.atlas, &case.state(&inputs), &question);
    let want = [
        "The client 203.0.112.9 is at 31.20, 121.50, says clients: head-office.",
        "It is a customer of unicom, says clients: head-office.",
        "Datacenters are ordered north (1071 km), then south (1211 km), then west (no coordinates).",
        "Links of north are ordered telecom (preferred 2), then unicom (the client's carrier).",
        "vip:www/north/telecom is not usable: link:north/telecom is forced down by ann (new router).",
        "vip:www/north/unicom is usable, but it is disabled.",
        "vip:www/south/telecom is usable, but vip:www/south/telecom is drained.",
        "vip:www/west is not usable: no interconnect joins north and west and no interconnect joins south and west.",
        "All that is usable is drained; the answer is vip:www/south/telecom (203.0.113.130).",
        "The TTL is 30 s.",
        "The answer holds for all of 203.0.112.0/24.",
    ];
    let got: Vec<_> = explanation.sentences().collect();
    assert_eq!(got, want);
    let json = explanation.to_json();
    assert_eq!(json["answer"]["vips"][0], "vip:www/south/telecom");
    assert_eq!(json["answer"]["tier"], 2);
    let removed_by = &json["candidates"][0]["removed-by"];
    assert_eq!(removed_by[0], "link:north/telecom is forced down by ann (new router)");
}

/// Keys of a service in two datacenters, what is down, and what is answered.
#[test]
fn answers() {
    let down: &[&str] = &["vip:www/a", "vip:www/b"];
    let fail_open = "Nothing is usable; everything is a candidate: the answer is vip:www/a (192.0.2.1).";
    let both = "The answer is vip:www/a (192.0.2.1) and vip:www/b (192.0.2.2).";
    let addresses = "Nothing is usable; the answer is the fallback, 192.0.2.9 and 192.0.2.8.";
    let alias = "Nothing is usable; the answer is the fallback, an alias of sorry.example.org.";
    let rows: [(&str, &[&str], &str, &str); 8] = [
        ("steer: [nearest]", &[], "The answer is vip:www/a (192.0.2.1).", "as always"),
        ("steer: [{ take: 2 }]", &[], both, "two"),
        ("steer: [rotate]", &["vip:www/a"], "The answer is vip:www/b (192.0.2.2).", "what is left"),
        ("last-resort: everything", down, fail_open, "as always"),
        ("last-resort: keep", down, fail_open, "nothing was kept"),
        ("last-resort: { fallback: [192.0.2.9, 192.0.2.8] }", down, addresses, "addresses"),
        ("last-resort: { fallback: sorry.example.org }", down, alias, "a name"),
        ("last-resort: fail", down, "Nothing is usable, or all is excluded: the answer is SERVFAIL.", "none"),
    ];
    for (keys, down, want, why) in rows {
        let case = Case::new(&format!(
            "{{ zone: example.com, datacenters: {{ a: {{}}, b: {{}} }},
              services: {{ www: {{ {keys}, vips: {{ a: 192.0.2.1, b: 192.0.2.2 }} }} }} }}"
        ));
        let place = Place::default();
        let question = Question {
            service: ServiceId::new(0),
            place,
            class: None,
            address: None,
            scope: None,
            hash: 0,
            draw: 0,
        };
        let explanation = explain(&case.world, &case.atlas, &case.state(&case.without(down)), &question);
        assert_eq!(explanation.answer[0], want, "{keys}: {why}");
    }
}

const TROUBLE: &str = "zone: example.com
datacenters:
  a: { ramp: 100s }
  b: { links: { x: { recovery: manual } } }
  c: {}
interconnects: [{ between: [a, b] }]
services:
  www:
    steer: [priority: [a, b, c]]
    primary: a
    data: primary
    vips: { a: [192.0.2.1, 192.0.2.2], b: { x: 192.0.2.3 } }
  far: { vips: { c: 192.0.2.9 } }
rules:
  - { name: quiet, when: 'service(\"far\").down', apply: { services: [www], avoid: [datacenter:b], freeze: true } }
  - { name: alone, when: 'balancer(\"c\", \"l\").down', apply: { services: [www], only: [datacenter:a] } }
  - { name: page, when: 'intranet(\"c\").down', apply: { services: [www], answer: 198.51.100.1 } }
";

/// What each trouble is called.
#[test]
fn troubles() {
    let case = Case::new(&TROUBLE.replace("  c: {}", "  c: { balancers: { l: {} } }"));
    let told = |watch: &Watch<'_>, hash| -> Explanation {
        let (service, place) = (ServiceId::new(0), Place::default());
        let question = Question { service, place, class: None, address: None, scope: None, hash, draw: 0 };
        explain(&case.world, &case.atlas, &watch.state, &question)
    };
    // Seconds after the start, what is told, a sentence that must be among those said.
    let rows = [
        (0.0, "-interconnect:a/b", "interconnect:a/b fails, and counts as down from 1970-01-12T13:46:50Z."),
        (5.0, "+interconnect:a/b -link:b/x", "vip:www/b/x is not usable: link:b/x is down."),
        (6.0, "?link:b/x", "vip:www/b/x is not usable: link:b/x is down, as far as was known last."),
        (
            7.0,
            "+link:b/x",
            "vip:www/b/x is not usable: link:b/x is up again but waits for an operator's word.",
        ),
        (8.0, "-vip:www/a", "vip:www/a is not usable: vip:www/a is down."),
        (10.0, "+vip:www/a", "vip:www/a is usable, but held down until 1970-01-12T13:47:20Z."),
        (77.0, "", "vip:www/a is usable, but ramping at 36 %, and this client is not yet inside."),
        (
            78.0,
            "",
            "All that is usable is of the second tier; the answer is vip:www/a (192.0.2.1, 192.0.2.2).",
        ),
        (300.0, "-vip:far/c", "Preference does not move: rule quiet."),
        (
            301.0,
            "-balancer:c/l",
            "vip:www/b/x is not usable: link:b/x is up again but waits for an operator's word and excluded by rule alone.",
        ),
        (302.0, "-intranet:c", "Rule page answers 198.51.100.1."),
    ];
    let mut watch = Watch::new(&case);
    let outside = 4;
    for (at, words, want) in rows {
        watch.tell(words);
        watch.at(at);
        let said: Vec<_> = told(&watch, outside).sentences().collect();
        assert!(said.iter().any(|sentence| sentence == want), "at {at} s: {want}\n{said:#?}");
    }
    let mut watch = Watch::new(&case);
    watch.inputs.set_address(case.target("vip:www/a"), "192.0.2.1".parse().unwrap(), Status::Down);
    watch.inputs.add(Override {
        target: case.target("datacenter:b"),
        action: Action::Drain,
        starts: None,
        expires: Some(Duration::from_secs(START + 60)),
        reason: "works".to_owned(),
        author: "ann".to_owned(),
    });
    watch.tell("-vip:far/c");
    watch.at(1.0);
    let told = told(&watch, 0);
    let want = [
        "vip:www/a is usable. Left out as down: 192.0.2.1.",
        "vip:www/b/x is usable, but datacenter:b is drained by ann until 1970-01-12T13:47:40Z (works) and avoided by rule quiet.",
    ];
    assert_eq!(told.candidates.iter().map(ToString::to_string).collect::<Vec<_>>(), want);
    assert_eq!(told.to_json()["candidates"][0]["left-out"][0], "192.0.2.1");
}
