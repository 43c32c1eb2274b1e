//! Mistakes in plugins' arguments: all at once, each with its address.

use rhumb_policies::World;
use rhumb_zones::NoFiles;

use crate::world::model;

fn said(steer: &str, selection: &str) -> String {
    let policy = format!(
        "zone: example.com
datacenters: {{ north: {{}}, south: {{}} }}
services:
  www:
    steer: {steer}
    link-selection: {selection}
    vips: {{ north: 192.0.2.1, south: 192.0.2.2 }}
"
    );
    World::compile(model(&policy), &NoFiles).1.to_string()
}

/// What is said of a chain, or of a selection, contains the wanted words;
/// nothing is said when none are wanted.
fn check(said: fn(&str) -> String, rows: &[(&str, &str, &str)]) {
    for (text, want, why) in rows {
        let said = said(text);
        let right = if want.is_empty() { said.is_empty() } else { said.contains(want) };
        assert!(right, "{text}: {why}: {said}");
    }
}

#[test]
fn chains() {
    let wrong_word =
        "5:13: service www: steer: \"nearst\" is not known here\n    hint: did you mean \"nearest\"?";
    let wrong_name = "steer.priority: \"nort\" must be a datacenter\n    hint: did you mean \"north\"?";
    check(
        |steer| said(steer, "carrier"),
        &[
            ("[nearest, weighted, { take: 2 }]", "", "nothing wrong"),
            ("[nearst]", wrong_word, "a word"),
            (
                "[nearest: { within: far }]",
                "steer.nearest.within: must be a fraction",
                "neither share nor km",
            ),
            ("[nearest: { within: -5 km }]", "steer.nearest.within: must not be negative", "behind you"),
            ("[priority: [nort, south]]", wrong_name, "a name"),
            ("[priority: [north, north]]", "steer.priority: north must not stand here twice", "twice"),
            ("[weighted: { east: 1 }]", "steer.weighted: \"east\" must be a datacenter", "no such"),
            ("[weighted: { north: 2000000 }]", "steer.weighted: must be at most 1048576", "too heavy"),
            ("[{ take: 0 }]", "steer.take: must be a whole number, 1 to", "none"),
            ("[{ take: 17 }]", "steer.take: must be at most 16", "more than fit"),
            ("[take]", "steer.take: must be a whole number", "how many"),
            ("[rotate: 3]", "steer.rotate: takes no arguments", "rotate by"),
            ("[weighted, nearest]", "warning: service www: steer.nearest: does nothing", "no ties are left"),
            ("[{ take: 2 }, { take: 3 }]", "warning: service www: steer.take: does nothing", "which one"),
        ],
    );
}

#[test]
fn regions() {
    check(
        |regions| said(&format!("[regions: {{ {regions} }}]"), "priority"),
        &[
            ("a: { countries: [DE], datacenters: north }, default: [south]", "", "nothing wrong"),
            ("a: { countries: [DE] }", "steer.regions.a.datacenters: must be given", "where to"),
            ("a: { countries: [D], datacenters: north }", "steer.regions.a: must be a code", "no code"),
            ("a: { countrys: [DE], datacenters: north }", "hint: did you mean \"countries\"?", "a key"),
            ("a: { carriers: chinanett, datacenters: north }", "carriers: must be a list", "a list"),
            ("a: { carriers: [chinanett], datacenters: north }", "did you mean \"chinanet\"?", "a carrier"),
            ("default: [nort]", "did you mean \"north\"?", "a name"),
            (
                "a: { continents: [EU], datacenters: north }, b: { continents: [eu], datacenters: south }",
                "steer.regions.b: is already named by region a",
                "regions have no order",
            ),
        ],
    );
}

#[test]
fn selections() {
    let across = "link-selection: across needs a selector that compares measures: formula or model";
    let factor = "link-selection: must be 0 to 100, not 101";
    check(
        |selection| said("[nearest]", selection),
        &[
            ("{ carrier: ~ }", "", "nothing wrong"),
            ("carriers", "\"carriers\" is not known here\n    hint: did you mean \"carrier\"?", "a word"),
            ("{ carrier: telecom }", "link-selection: carrier takes no arguments", "of its own"),
            ("{ carrier: ~, mode: shadow }", "link-selection: carrier takes no arguments", "of another"),
            ("formula", "", "a word is enough"),
            (
                "{ formula: { delay: 2, cost: 0 }, margin: 5%, hold: 2m, pace: 1, explore: 1% }",
                "",
                "all keys",
            ),
            ("{ formula: { dealy: 2 } }", "hint: did you mean \"delay\"?", "a slip"),
            ("{ formula: { delay: 101 } }", factor, "too much"),
            ("{ formula: ~, explore: 3% }", "explore must be at most 2 %", "too many"),
            ("{ formula: ~, across: datacenters }", "", "jointly"),
            ("{ priority: ~, across: datacenters }", across, "nothing to compare"),
            ("model", "link-selection: links.model: cannot be read", "the usual file, which is not there"),
            ("{ model: m, mode: shadow, live: model }", "m: cannot be read", "first things first"),
            ("{ model: links.model }", "link-selection: links.model: cannot be read", "not there"),
            ("{ model: { file: links.model, mode: shadow } }", "links.model: cannot be read", "long form"),
            (
                "{ model: links.model, retrain: { every: 1s } }",
                "links.model: cannot be read",
                "first things first",
            ),
        ],
    );
}

#[test]
fn all_mistakes_at_once() {
    let said = said("[{ nearest: { with: 3 } }, { priority: [x, y] }, { take: ~ }]", "nothing");
    assert_eq!(said.lines().filter(|line| line.starts_with("policy.yaml:")).count(), 5, "{said}");
}

#[test]
fn mistakes_in_defaults_are_reported_once() {
    let policy = "zone: example.com
defaults: { steer: [nearst] }
datacenters: { north: {} }
services: { a: { vips: { north: 192.0.2.1 } }, b: { vips: { north: 192.0.2.2 } } }
";
    let (_, diagnostics) = World::compile(model(policy), &NoFiles);
    assert_eq!(diagnostics.errors(), 1, "{diagnostics}");
}

#[test]
fn schemas_know_every_method() {
    let [(steering, steps), (selection, selectors)] = World::schema_parts();
    assert_eq!((steering, selection), ("steering", "link-selection"));
    for word in
        ["nearest", "regions", "priority", "weighted", "rotate", "sticky", "take", "within", "subdivisions"]
    {
        assert!(steps.to_string().contains(word), "{word}");
    }
    for word in ["priority", "carrier", "weighted", "formula", "model"] {
        assert!(selectors.to_string().contains(word), "{word}");
    }
}
