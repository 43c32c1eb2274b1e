//! Explanations: the words of one decision after another, and that they are
//! about the answer that is given.

use rhumb_geo::Place;
use rhumb_policies::{Action, Override, Question, explain};
use rhumb_zones::ServiceId;

use crate::world::{Case, places};

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
