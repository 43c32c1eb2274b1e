//! Conditions of rules: what they say, when they hold, and what is no condition.

use std::collections::HashMap;
use std::time::Duration;

use proptest::prelude::*;
use rhumb_health::Measure;
use rhumb_policies::{Facts, RuleState, World};
use rhumb_zones::{Model, NoFiles, ServiceId, TargetId};

use crate::world::model;

fn policy(condition: &str) -> String {
    let condition = serde_json::Value::from(condition);
    format!(
        "zone: example.com
datacenters:
  north:
    links: {{ telecom: {{ probe: {{ ping: 203.0.113.1 }} }}, unicom: {{}} }}
    balancers: {{ lb1: {{}} }}
  south: {{ links: {{ telecom: {{}} }} }}
interconnects: [{{ between: [north, south], probe: {{ ping: 10.255.0.2 }} }}]
services:
  www: {{ vips: {{ north: {{ telecom: 192.0.2.1 }}, south: {{ telecom: 192.0.2.2 }} }} }}
rules:
  - name: it
    when: {condition}
    apply: {{ freeze: true }}
"
    )
}

fn compiled(condition: &str) -> (World, String) {
    let (world, diagnostics) = World::compile(model(&policy(condition)), &NoFiles);
    (world, diagnostics.to_string())
}

/// What is so, by the names of targets: all else is up, for an hour, unmeasured.
#[derive(Default)]
struct Made {
    down: Vec<TargetId>,
    measures: HashMap<TargetId, Measure>,
    services_down: bool,
}

impl Made {
    /// `link:north/telecom down`, `link:north/telecom 0.02 90` (loss, delay),
    /// `link:north/telecom 1 -` (nothing answered), `service:www down`.
    fn new(model: &Model, facts: &[&str]) -> Self {
        let mut made = Self::default();
        for fact in facts {
            let words: Vec<_> = fact.split(' ').collect();
            let target = model.target_named(&words[0].parse().unwrap()).unwrap();
            match words[1..] {
                ["down"] if fact.starts_with("service") => made.services_down = true,
                ["down"] => made.down.push(target),
                [loss, delay] => {
                    let measure = Measure {
                        loss: loss.parse().unwrap(),
                        delay_ms: delay.parse().ok(),
                        tries: 10,
                        ..Measure::default()
                    };
                    made.measures.insert(target, measure);
                }
                _ => panic!("{fact}"),
            }
        }
        made
    }
}

impl Facts for Made {
    fn is_up(&self, target: TargetId) -> bool {
        !self.down.contains(&target)
    }

    fn since(&self, _: TargetId) -> Duration {
        Duration::from_secs(3_600)
    }

    fn measure(&self, target: TargetId) -> Option<&Measure> {
        self.measures.get(&target)
    }

    fn service_up(&self, _: ServiceId) -> bool {
        !self.services_down
    }
}

/// Sunday 2026-03-29 00:30 UTC: 01:30 in Berlin, half an hour before the clocks
/// go forward.
const SPRING: u64 = 1_774_744_200;

fn check(facts: &[&str], now: u64, rows: &[(&str, RuleState, &str)]) {
    for (condition, want, why) in rows {
        let (world, said) = compiled(condition);
        assert_eq!(said, "", "{condition}: {why}");
        let facts = Made::new(world.model(), facts);
        let got = world.rules().evaluate(&facts, Duration::from_secs(now));
        assert_eq!(got, std::slice::from_ref(want), "{condition}: {why}");
    }
}

use RuleState::{Off, On, Unmeasured};

fn failed(why: &str) -> RuleState {
    RuleState::Failed(why.to_owned())
}

#[test]
fn statuses() {
    check(
        &["link:north/telecom down", "service:www down", "interconnect:north/south down"],
        0,
        &[
            (r#"link("north", "telecom").down"#, On, "a target"),
            (r#"link("north", "telecom").up"#, Off, "is one or the other"),
            (r#"link("north", "unicom").up"#, On, "its neighbour"),
            (r#"interconnect("south", "north").down"#, On, "ends in either order"),
            (r#"balancer("north", "lb1").up && intranet("north").up && dc("north").up"#, On, "all kinds"),
            (r#"service("www").down"#, On, "a service"),
            (r#"service("www.example.com").down"#, On, "by its full name"),
            (r#"dc("south").since_s == 3600"#, On, "an age"),
            (r#"service('www').since_s / 60 >= 60.0 ? true : dc("south").down"#, On, "quotes of both kinds"),
            (r#"!(dc("north").up == dc("south").up)"#, Off, "truths compared"),
            (r#"dc("north").up != service("www").up"#, On, "and told apart"),
        ],
    );
}

#[test]
fn measures() {
    check(
        &["link:north/telecom 0.02 93.25", "interconnect:north/south 1 -"],
        0,
        &[
            (r#"link("north", "telecom").delay_ms > 80"#, On, "a whole number beside a measure"),
            (r#"link("north", "telecom").delay_ms - 3.25 == 90"#, On, "reckoned"),
            (r#"link("north", "telecom").loss >= 0.02"#, On, "a fraction"),
            (r#"-link("north", "telecom").loss * 2 + 1 < 0.96"#, Off, "signs and precedence"),
            (r#"link("north", "telecom").delay_ms in [1, 93.25]"#, On, "one of"),
            (r#"interconnect("north", "south").loss == 1"#, On, "all lost is measured"),
            (r#"interconnect("north", "south").delay_ms > 1"#, Unmeasured, "but has no delay"),
            (r#"interconnect("north", "south").delay_ms > 1 || dc("north").up"#, On, "the right decides"),
            (r#"interconnect("north", "south").delay_ms > 1 && dc("north").down"#, Off, "the right decides"),
            (r#"dc("north").up || interconnect("north", "south").delay_ms > 1"#, On, "the left decides"),
            (
                r#"dc("north").up && interconnect("north", "south").delay_ms > 1"#,
                Unmeasured,
                "neither decides",
            ),
            (r#"dc("north").up ? true : interconnect("north", "south").delay_ms > 1"#, On, "not asked"),
            (r#"1 / (dc("north").since_s - 3600) > 1"#, failed("divides by zero"), "arithmetic"),
            (
                r#"interconnect("north", "south").delay_ms > 1 && 1 / 0 > 1"#,
                failed("divides by zero"),
                "a failure will not pass by waiting",
            ),
            ("1e308 * 10 > 1", failed("reckons with numbers too large"), "no infinities"),
            ("1u + 1 == 2.0", On, "numbers are numbers"),
        ],
    );
}

#[test]
fn clocks() {
    let berlin = r#"clock("Europe/Berlin")"#;
    let rows = [
        (0, ".hour == 1 && BERLIN.minute == 30", On, "winter"),
        (1_800, ".time == \"03:00\"", On, "half an hour later it is summer"),
        (0, ".weekday == 7", On, "Sunday is the last"),
        (86_400, ".weekday in [1, 2, 3, 4, 5]", On, "and Monday the first"),
        (0, ".time >= \"01:30\" && BERLIN.time < \"24:00\"", On, "texts beside a time"),
        (0, ".time in [\"01:30\"]", On, "and in lists"),
        (
            u64::from(u32::MAX) * 1_000,
            ".hour == 1",
            failed("asks for the time in a year that has no calendar"),
            "far",
        ),
    ];
    for (later, condition, want, why) in rows {
        let condition = format!("{berlin}{}", condition.replace("BERLIN", berlin));
        check(&[], SPRING + later, &[(&condition, want, why)]);
    }
}

/// What is said of a condition contains the wanted words.
fn check_mistakes(rows: &[(&str, &str, &str)]) {
    for (condition, want, why) in rows {
        let (_, said) = compiled(condition);
        assert!(format!("{said}\n").contains(want), "{condition}: {why}: {said}");
    }
}

#[test]
fn wrong_names() {
    check_mistakes(&[
        (
            "link(\"north\", \"telcom\").up",
            "policy.yaml:12:11: rule it: when, character 15: \"telcom\" must be a link of that datacenter\n    hint: did you mean \"telecom\"?",
            "a name",
        ),
        (
            "link(\"nort\", \"x\").up",
            "character 6: \"nort\" must be a datacenter\n    hint: did you mean \"north\"?",
            "its datacenter",
        ),
        (
            "balancer(\"south\", \"lb1\").up",
            "must be a balancer of that datacenter\n    hint: there are none",
            "none",
        ),
        (
            "dc(\"nörth\").up && lnk(\"a\").up",
            "character 19: \"lnk\" must be a function\n    hint: did you mean \"link\"?",
            "characters, not bytes",
        ),
        (
            "interconnect(\"north\", \"north\").up",
            "character 1: no interconnect joins north and north",
            "itself",
        ),
        ("service(\"ww\").up", "must be a service\n    hint: did you mean \"www\"?", "a service"),
        (
            "clock(\"Europe/Berln\").hour > 1",
            "must be a time zone\n    hint: did you mean \"Europe/Berlin\"?",
            "a zone",
        ),
        ("clock(\"Mars\").hour > 1", "hint: zones are named like Europe/Berlin", "no zone at all"),
        (
            "dc(\"north\")",
            "character 1: \"dc\" has no value of its own\n    hint: a function stands with a field: dc(…).up",
            "no field",
        ),
        (
            "dc(\"north\").us",
            "character 13: \"us\" must be one of its fields\n    hint: did you mean \"up\"?",
            "no such field",
        ),
        ("dc(\"north\").loss > 0", "datacenter:north is not measured\n    hint: links,", "of a datacenter"),
        ("clock(\"UTC\").day > 0", "hint: there are hour, minute, weekday, time", "of a clock"),
        ("link(\"north\").up", "link takes two names, not 1", "too few"),
        ("dc(\"north\", \"south\").up", "dc takes one name, not 2", "too many"),
        ("dc(\"nor\" + \"th\").up", "must be a quoted name", "an expression"),
        ("dc(3).up", "must be a quoted name", "a number"),
    ]);
}

#[test]
fn wrong_types() {
    check_mistakes(&[
        ("dc(\"north\").up > 3", "character 16: true or false and a number do not go together", "types"),
        ("dc(\"north\").up > true", "true and false have no order", "types"),
        ("link(\"north\", \"telecom\").loss == \"x\"", "a number and a text do not go together", "types"),
        ("link(\"north\", \"telecom\").delay_ms", "must be true or false, not a number", "no condition"),
        ("dc(\"north\").up && 3", "character 19: must be true or false, not a number", "half a condition"),
        ("!dc(\"north\").since_s", "must be true or false, not a number", "not of a number"),
        ("-dc(\"north\").up == 1", "must be a number, not true or false", "less than true"),
        ("dc(\"north\").up ? 1 : true", "a number and true or false do not go together", "either"),
        (
            "clock(\"UTC\").time > \"9:00\"",
            "\"9:00\" must be a time of day, HH:MM\n    hint: such as 08:30",
            "would compare as text",
        ),
        ("clock(\"UTC\").time > \"12:60\"", "must be a time of day", "no such minute"),
        ("clock(\"UTC\").time > 9", "a time of day and a number do not go together", "hours"),
        ("clock(\"UTC\").hour in [1, true]", "do not go together", "a mixed list"),
        ("clock(\"UTC\").hour in []", "nothing is in an empty list", "an empty list"),
        ("clock(\"UTC\").hour in 3", "a list must stand to the right of in", "no list"),
    ]);
}

#[test]
fn what_is_not_allowed() {
    check_mistakes(&[
        ("[1, 2]", "a list may only stand to the right of in", "a bare list"),
        (
            "[1, 2].exists(x, x > 1)",
            "macros such as all and exists are not allowed here\n    hint: name each target",
            "a macro",
        ),
        ("has(dc(\"north\").up)", "has() is not allowed here", "a macro"),
        ("{1: true}[1]", "the operator [] is not allowed here", "an index"),
        ("7 % 2 == 1", "the operator % is not allowed here", "an operator"),
        ("a.b(1)", "there is no method b here", "a method"),
        ("a{b: 1} == 1", "maps and messages are not allowed here", "a message"),
        ("dc(\"north\").up.up", "nothing here has a field up", "too far"),
        ("north", "character 1: \"north\" is not known here\n    hint: there are link,", "a bare name"),
        ("size(\"a\") == 1", "\"size\" has no value of its own", "CEL's own"),
        ("null == null", "must be a number, a text, true or false", "nothing"),
        ("1 +", "character 4: must be a CEL expression: mismatched input '<EOF>'\n", "unfinished"),
        ("\"a\" == \"a\"", "a text and a text do not go together", "texts are names"),
        (
            "99999999999999999999 > 1",
            "character 1: must be a CEL expression: invalid int literal",
            "too large",
        ),
        ("", "character 1: must be a CEL expression", "nothing"),
        (
            "link(\"north\", \"telecom\").loss > 5",
            "warning: rule it: when, character 31: loss is a fraction, at most 1: 5 % is 0.05",
            "percents",
        ),
        (
            "link(\"north\", \"unicom\").loss > 0.5",
            "warning: rule it: when, character 25: link:north/unicom has no probe, so that nothing measures its loss",
            "no probe",
        ),
    ]);
}

#[test]
fn all_mistakes_of_a_condition_at_once() {
    let (_, said) = compiled("dc(\"a\").up && link(\"north\", \"b\").loss > \"x\" || 1 + true > c");
    assert_eq!(said.lines().filter(|line| line.starts_with("policy.yaml:")).count(), 4, "{said}");
}

#[test]
fn what_a_clock_is_needed_for() {
    let rows = [
        ("dc(\"north\").up", false, "a status changes by an input"),
        ("dc(\"north\").since_s > 1", true, "an age by itself"),
        ("link(\"north\", \"telecom\").loss > 0.5", true, "a measure with every probe"),
        ("clock(\"UTC\").hour > 1", true, "the time"),
    ];
    for (condition, want, why) in rows {
        assert_eq!(compiled(condition).0.rules().needs_clock(), want, "{condition}: {why}");
    }
}

#[test]
fn words() {
    let rows = [
        (
            "link(\"north\", \"telecom\").delay_ms > 80",
            "rule it is on: link(\"north\", \"telecom\").delay_ms > 80 (link:north/telecom delay_ms is 93.2)",
            "a measure",
        ),
        (
            "interconnect(\"north\", \"south\").loss > 0.1",
            "rule it is off, for lack of a measure: interconnect(\"north\", \"south\").loss > 0.1 (interconnect:north/south loss is not known)",
            "no measure",
        ),
        (
            "clock(\"Europe/Berlin\").hour > 1 && service(\"www\").down",
            "rule it is off: clock(\"Europe/Berlin\").hour > 1 && service(\"www\").down (it is Sun 01:30 in Europe/Berlin, service:www is up)",
            "the time and a status",
        ),
        ("1 / 0 > 1", "rule it is off, because its condition divides by zero: 1 / 0 > 1", "a failure"),
    ];
    for (condition, want, why) in rows {
        let (world, _) = compiled(condition);
        let facts = Made::new(world.model(), &["link:north/telecom 0 93.2"]);
        let said = world.rules().describe(world.model(), &facts, Duration::from_secs(SPRING));
        assert_eq!(said, [want], "{why}");
    }
}

/// Conditions as long as may be, of one part said over and over.
#[test]
fn long_conditions() {
    let rows = [
        ("1+", "1 > 0", true, "to the left"),
        ("true||", "true", true, "a chain"),
        ("!", "true", true, "signs"),
        ("- ", "1 < 0", true, "signs"),
        ("a.", "b", false, "fields"),
        ("(", "1", false, "brackets that never close"),
        ("true?true:", "true", false, "deeper than the parser goes"),
        ("[", "]", false, "lists"),
    ];
    for (part, end, right, why) in rows {
        for bytes in [1_900, 2_001] {
            let long = part.repeat((bytes - end.len()).div_ceil(part.len())) + end;
            let (world, said) = compiled(&long);
            assert_eq!(said.is_empty(), right && bytes < 2_000, "{why}: {said}");
            assert_eq!(world.rules().evaluate(&Made::default(), Duration::ZERO).len(), 1, "{why}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    /// Any mixture of what conditions are made of is read and evaluated, or
    /// refused; neither panics.
    #[test]
    fn anything_is_a_condition_or_a_mistake(parts in prop::collection::vec(prop::sample::select(PARTS), 0..20)) {
        let condition = parts.concat();
        let (world, said) = compiled(&condition);
        let state = &world.rules().evaluate(&Made::default(), Duration::from_secs(SPRING))[0];
        let is_refused = said.lines().any(|line| line.starts_with("policy") && !line.contains(" warning: "));
        prop_assert!(!is_refused || *state == Off, "{condition}: {said}");
    }
}

const PARTS: &[&str] = &[
    "dc(\"north\").up",
    "link(\"north\", \"telecom\").loss",
    "clock(\"UTC\").time",
    "\"08:00\"",
    "1",
    "2.5",
    "true",
    " && ",
    " || ",
    "!",
    " == ",
    " > ",
    " in ",
    "[",
    "]",
    "(",
    ")",
    ",",
    "?",
    ":",
    "-",
    "+",
    "/",
    "has(",
    ".up",
    "x",
    "é",
    "\\",
    "\"",
    "`",
    "{",
    "}",
    "//",
    "b'x'",
    "0x1f",
    "\n",
    "null",
    ".all(x, x)",
    "%",
    "@",
    "r'",
];
