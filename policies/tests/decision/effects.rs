//! What rules do to answers.

use rhumb_policies::{Action, RuleState};

use crate::world::{Case, Watch};

/// Three datacenters in order, the first with two links; a rule is on while
/// the VIP of `off` is down.
fn policy(rules: &[&str], more: &str) -> String {
    let rules: Vec<_> = rules
        .iter()
        .enumerate()
        .map(|(index, apply)| {
            format!("  - {{ name: r{index}, when: 'service(\"off\").down', apply: {{ {apply} }} }}\n")
        })
        .collect();
    format!(
        "zone: example.com
datacenters: {{ a: {{ links: {{ x: {{}}, y: {{}} }} }}, b: {{}}, c: {{}} }}
services:
  www:
    {more}
    vips: {{ a: {{ x: 192.0.2.1, y: 192.0.2.2 }}, b: 192.0.2.3, c: 192.0.2.4 }}
  off: {{ vips: {{ c: 192.0.2.9 }} }}
rules:
{}",
        rules.concat()
    )
}

const IN_ORDER: &str = "steer: [priority: [a, b, c]]";

/// Rules, words before and words after which the rules are on, overrides, the
/// answer, and why.
type Row<'a> = (&'a [&'a str], &'a str, &'a [(&'a str, Action)], &'a str, &'a str);

fn check(more: &str, rows: &[Row<'_>]) {
    for (rules, words, overrides, want, why) in rows {
        let case = Case::new(&policy(rules, more));
        let mut watch = Watch::new(&case);
        let before = watch.answer();
        assert!(before.starts_with("1 a/x"), "{rules:?}: off: {before}");
        overrides.iter().for_each(|&(name, action)| watch.inputs.simply(case.target(name), action));
        watch.tell(&format!("-vip:off/c {words}"));
        watch.at(1.0);
        assert!(watch.state.rule_states().iter().all(|state| *state == RuleState::On), "all are on");
        assert_eq!(watch.answer(), *want, "{rules:?} {words} {overrides:?}: {why}");
    }
}

#[test]
fn actions() {
    let drained = [("datacenter:b", Action::Drain)];
    let forced = [("datacenter:a", Action::Up)];
    check(
        IN_ORDER,
        &[
            (&["only: [datacenter:b]"], "", &[], "1 b", "nothing else"),
            (&["only: [datacenter:b]"], "-vip:www/b", &[], "3 b", "excluded from every tier"),
            (&["only: [vip:off/c]"], "", &[], "1 a/x", "names nothing of this service"),
            (&["only: [datacenter:b]"], "", &drained, "2 b", "a drain ranks above"),
            (&["only: [datacenter:b]"], "", &forced, "1 a/x", "so does a force"),
            (&["avoid: [datacenter:a]"], "", &[], "1 b", "the second tier"),
            (&["avoid: [datacenter:a]"], "-vip:www/b -vip:www/c", &[], "2 a/x", "is better than none"),
            (&["avoid: [datacenter:a]"], "", &forced, "1 a/x", "a force ranks above"),
            (&["avoid: [datacenter:a, datacenter:b, datacenter:c]"], "", &[], "2 a/x", "all alike"),
            (&["prefer: [link:a/y]"], "", &[], "1 a/y", "first"),
            (&["prefer: [vip:www/b, datacenter:c]"], "", &[], "1 b", "in today's order among them"),
            (&["prefer: [datacenter:b]"], "-vip:www/b", &[], "1 a/x", "if usable"),
            (&["prefer: [datacenter:b]"], "", &drained, "1 a/x", "within its tier only"),
            (&["all-to-primary: true"], "", &[], "1 a/x", "no primary, no effect"),
            (&["answer: [198.51.100.1, 198.51.100.2]"], "", &[], "RuleAddresses(0)", "addresses"),
            (
                &["answer: 198.51.100.1"],
                "-vip:www/a/x -vip:www/a/y -vip:www/b -vip:www/c",
                &[],
                "RuleAddresses(0)",
                "always",
            ),
            (&["services: [off], only: [datacenter:b]"], "", &[], "1 a/x", "another service's"),
        ],
    );
    check(
        "steer: [priority: [a, b, c]]\n    primary: b",
        &[
            (&["all-to-primary: true"], "", &[], "1 b", "to the primary"),
            (&["all-to-primary: true"], "-vip:www/b", &[], "3 b", "and nowhere else"),
        ],
    );
    check(
        "steer: [priority: [a, b, c], take: 3]",
        &[
            (&["prefer: [datacenter:c]"], "", &[], "1 c a/x b", "first of several"),
            (
                &["prefer: [datacenter:c]"],
                "-vip:www/a/x -vip:www/a/y -vip:www/b -vip:www/c",
                &[],
                "3 c a/x b",
                "in the last tier too",
            ),
        ],
    );
}

#[test]
fn the_last_word_wins() {
    check(
        "steer: [priority: [a, b, c]]\n    primary: c",
        &[
            (&["only: [datacenter:b]", "only: [datacenter:c]"], "", &[], "1 c", "of one action"),
            (&["only: [datacenter:b]", "only: [vip:off/c]"], "", &[], "1 b", "one that says something"),
            (&["avoid: [datacenter:a]", "avoid: [datacenter:b]"], "", &[], "1 a/x", "not both"),
            (&["avoid: [datacenter:a]", "prefer: [datacenter:c]"], "", &[], "1 c", "of each action"),
            (&["answer: 198.51.100.1", "answer: 198.51.100.2"], "", &[], "RuleAddresses(1)", "addresses"),
            (
                &["only: [datacenter:b]", "all-to-primary: true"],
                "",
                &[],
                "Fail",
                "both exclude: nothing is left",
            ),
        ],
    );
}

/// Words, seconds, the answer without and with freeze.
#[test]
fn freeze_stops_moves_of_preference() {
    let steps = [
        ("-vip:www/a/x -vip:www/a/y", "1 b", "an unusable VIP is never kept"),
        ("-vip:off/c", "1 b", "frozen"),
        ("+vip:www/a/x +vip:www/a/y", "1 b", "held down"),
        ("", "1 b", "its hold-down is over, but nothing moves"),
        ("-vip:www/b", "1 c", "what is left of the first tier"),
        ("-vip:www/c", "1 a/x", "nothing is: as without freeze"),
        ("+vip:www/b +vip:www/c", "1 a/x", "frozen again"),
        ("-vip:www/a/x", "1 a/y", "within it"),
        ("+vip:off/c", "1 a/y", "thawed"),
    ];
    let case = Case::new(&policy(&["services: [www], freeze: true"], IN_ORDER));
    let mut watch = Watch::new(&case);
    for (index, (words, want, why)) in steps.into_iter().enumerate() {
        watch.tell(words);
        watch.at(index as f64 * 60.0);
        assert_eq!(watch.answer(), want, "step {index} {words}: {why}");
    }
    let mut watch = Watch::new(&case);
    watch.tell("-vip:www/a/x -vip:www/a/y");
    watch.at(0.0);
    watch.tell("?service:www");
    watch.inputs.set_own_fault(true);
    watch.at(1.0);
    assert_eq!(watch.answer(), "1 b", "an own fault freezes too");
    watch.tell("+vip:www/a/x");
    watch.at(2.0);
    watch.at(60.0);
    assert_eq!(watch.answer(), "1 b", "whatever recovers");
    watch.inputs.set_own_fault(false);
    watch.at(61.0);
    assert_eq!(watch.answer(), "1 a/x", "until it is over");
}
