//! `rhumb test`.

use crate::run::{Scratch, rhumb, testdata, text};

#[test]
fn the_demonstration_does_what_it_says() {
    let output = rhumb(&["test", &testdata("policies/tests/demo.yaml")]).output().unwrap();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{stdout}{stderr}");
    let cases =
        std::fs::read_to_string(testdata("policies/tests/demo.yaml")).unwrap().matches("ask:").count();
    assert_eq!(stdout.lines().last(), Some(format!("{cases} passed, 0 failed").as_str()));
}

const POLICY: &str = "\
zone: example.com
datacenters:
  fra: { at: [50.1, 8.7], links: { a: {}, b: {} } }
  iad: { at: [38.9, -77.0] }
services:
  www: { vips: { fra: { a: 192.0.2.10, b: 192.0.2.20 }, iad: 198.51.100.10 } }
";

/// Rules see what a case says was measured and what time it is.
#[test]
fn rules_in_tests() {
    let scratch = Scratch::new("rules");
    let rules = r#"
rules:
  - { name: slow, when: 'link("fra", "a").delay_ms > 80', apply: { avoid: [link:fra/a], ttl: 9s } }
  - { name: night, when: 'clock("UTC").hour < 6', apply: { answer: 192.0.2.99 } }
"#;
    scratch.write("policy.yaml", &format!("{POLICY}{rules}"));
    scratch.write(
        "tests.yaml",
        "policy: policy.yaml
cases:
  - { ask: www, at: [50.1, 8.7], now: 2026-01-01T12:00:00Z, expect: { link: a, ttl: 30 } }
  - { ask: www, at: [50.1, 8.7], now: 2026-01-01T12:00:00Z, measured: { link:fra/a: { delay-ms: 90 } }, expect: { link: b, ttl: 9 } }
  - { ask: www, at: [50.1, 8.7], now: 2026-01-01T03:00:00Z, expect: { answers: [192.0.2.99], ttl: 30 } }
  - { ask: www AAAA, at: [50.1, 8.7], now: 2026-01-01T03:00:00Z, expect: { answers: [] } }
  - { ask: www, at: [50.1, 8.7], now: 2026-01-01T12:00:00Z, down: [link:fra/b, link:fra/a], expect: { datacenter: iad, ttl: 30 } }
",
    );
    let output = scratch.run(&["test", "tests.yaml"]);
    assert_eq!(text(&output.stdout).lines().last(), Some("5 passed, 0 failed"), "{}", text(&output.stdout));
}

#[test]
fn failures_show_what_came_out_and_why() {
    let scratch = Scratch::new("failures");
    scratch.write("policy.yaml", POLICY);
    scratch.write(
        "cases/tests.yaml",
        "policy: ../policy.yaml
cases:
  - { name: right, ask: www, down: ['datacenter:fra'], expect: { answers: [198.51.100.10], datacenter: iad } }
  - name: wrong
    ask: www A
    down: [link:fra/a]
    expect: { answers: [192.0.2.10], datacenter: iad, link: a, ttl: 7, scope: 24, rcode: NXDOMAIN }
",
    );
    let output = scratch.run(&["test", "cases/tests.yaml"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let stdout = text(&output.stdout);
    let parts = [
        "FAILED cases/tests.yaml:4:5: case \"wrong\"",
        "  answers: expected 192.0.2.10\n           got      192.0.2.20\n",
        "  datacenter: expected iad\n              got      fra\n",
        "  link: expected a\n        got      b\n",
        "  ttl: expected 7\n       got      30\n",
        "  scope: expected 24\n         got      nothing\n",
        "  rcode: expected NXDOMAIN\n         got      NOERROR\n",
        "link:fra/a is down",
    ];
    for part in parts {
        assert!(stdout.contains(part), "no {part:?} in\n{stdout}");
    }
    assert_eq!(stdout.lines().last(), Some("1 passed, 1 failed"));
}

/// An answer to a long prefix is for the whole /24 around it, and so are its
/// reasons.
#[test]
fn reasons_are_those_of_the_answer() {
    let scratch = Scratch::new("reasons");
    let group = "clients: { few: { prefixes: [203.0.113.192/26], order: [iad, fra] } }\n";
    scratch.write("policy.yaml", &format!("{POLICY}{group}"));
    scratch.write(
        "tests.yaml",
        "policy: policy.yaml
cases:
  - { ask: www, client: 203.0.113.192/26, expect: { answers: [192.0.2.10], datacenter: fra, scope: 24 } }
",
    );
    let output = scratch.run(&["test", "tests.yaml"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
    let why = scratch.run(&["explain", "www", "--client", "203.0.113.192/26", "--policy", "policy.yaml"]);
    assert!(text(&why.stdout).contains("Most of its network is elsewhere"), "{}", text(&why.stdout));
}

#[test]
fn mistakes_are_found_before_anything_runs() {
    let scratch = Scratch::new("mistakes");
    scratch.write("policy.yaml", POLICY);
    let rows = [
        (
            "ask: www, donw: [fra]",
            "donw: is not a key that this place knows\n    hint: did you mean \"down\"?",
            "a key",
        ),
        (
            "ask: www, down: [fro]",
            "down: datacenter:fro is not declared\n    hint: did you mean \"datacenter:fra\"?",
            "a datacenter",
        ),
        ("ask: www, up: ['link:fra/c']", "up: link:fra/c is not declared", "a link"),
        ("ask: www, down: ['vip:www/fra']", "did you mean \"vip:www/fra/a\"?", "a VIP without its link"),
        ("ask: www, down: ['x:y']", "down: must start with datacenter:", "a kind"),
        (
            "ask: www, drain: ['intranet:fra']",
            "drain: intranet:fra cannot be drained",
            "what cannot be drained",
        ),
        ("ask: www, force: { fra: sideways }", "must be up or down", "a force"),
        ("ask: www, measured: { fra: { loss: 0.1 } }", "measured: datacenter:fra is no link", "not measured"),
        ("ask: www, primary: nowhere", "primary: must be a datacenter", "a primary"),
        ("ask: nothing, primary: fra", "nothing.example.com is no service", "no service, no primary"),
        (
            "ask: www, client: 192.0.2.1, at: [1, 2]",
            "client: must not be given together with at:",
            "two places",
        ),
        ("ask: www, carrier: nobody", "nobody", "a carrier"),
        ("ask: www A A", "must be a name and a type", "a question"),
        (
            "ask: www, expect: { datacenter: fro }",
            "expect.datacenter: must be a datacenter",
            "what cannot come out",
        ),
        ("ask: www, expect: { link: c }", "expect.link: must be a link", "what cannot come out"),
        ("ask: www, expect: { rcode: NXDOMIAN }", "rcode: must be one of NOERROR", "a code"),
        ("ask: www, now: yesterday", "now: must be a time in UTC", "a time"),
        ("down: [fra]", "ask: must be given", "no question"),
    ];
    for (case, complaint, why) in rows {
        scratch.write("tests.yaml", &format!("policy: policy.yaml\ncases:\n  - {{ {case} }}\n"));
        let output = scratch.run(&["test", "tests.yaml"]);
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{why}: {stderr}");
        assert!(stderr.contains(complaint), "{why}: no {complaint:?} in\n{stderr}");
        assert!(stderr.lines().any(|line| line.starts_with("tests.yaml")), "{why}: no place: {stderr}");
    }
}
