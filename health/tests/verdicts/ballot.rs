//! Votes, quorums and masks.

use std::sync::Arc;

use rhumb_health::ballot::{Ballot, Electorate, Vote};
use rhumb_health::{Measure, Status};

use super::{World, seconds};

fn vote(sign: char, at: u64) -> Vote {
    let leaning = match sign {
        '+' => Status::Up,
        '-' => Status::Down,
        '?' => Status::Unknown,
        _ => panic!("{sign} is no vote"),
    };
    Vote { leaning, is_settled: true, measure: Measure::default(), failure: None, at: seconds(at) }
}

/// A vote: site, prober, sign, when.
type Row<'a> = (&'a str, &'a str, char, u64);

/// The verdict on `name` at second 100, when `votes` were cast on it, and the
/// interconnect is seen by each site as `lines` say.
fn verdict(policy: &World, name: &str, votes: &[Row<'_>], lines: &[Row<'_>]) -> (Status, bool) {
    let mut ballot = Ballot::default();
    for (name, rows) in [(name, votes), ("interconnect:north/south", lines)] {
        for &(site, prober, sign, at) in rows {
            let (site, prober) = (Arc::from(site), Arc::from(prober));
            ballot.hear(&site, seconds(at));
            ballot.cast(policy.subject(name), (&site, &prober), vote(sign, at));
        }
    }
    let subject = policy.subject(name);
    let probe = policy.model.target(subject.target).probe.clone().unwrap();
    let electorate = Electorate { model: &policy.model, homes: &policy.homes, own_site: "none" };
    let verdict = ballot.verdict(&electorate, (&subject, &probe), seconds(100));
    (verdict.status, verdict.tally.masked.is_some())
}

#[test]
fn majority_of_sites() {
    let world = World::pair();
    let rows: [(&[Row<'_>], Status, &str); 10] = [
        (&[], Status::Unknown, "nobody voted"),
        (&[("none", "a", '-', 100)], Status::Down, "a lone server is a quorum of one"),
        (&[("none", "a", '-', 93)], Status::Unknown, "older than three intervals"),
        (&[("none", "a", '-', 94)], Status::Down, "just fresh"),
        (&[("none", "a", '-', 99), ("x", "b", '+', 99)], Status::Unknown, "one against one"),
        (&[("none", "a", '-', 99), ("x", "b", '-', 99), ("y", "c", '+', 99)], Status::Down, "two of three"),
        (
            &[("none", "a", '-', 99), ("x", "b", '?', 99), ("y", "c", '+', 50)],
            Status::Unknown,
            "too few are left",
        ),
        (
            &[("none", "a", '-', 99), ("none", "b", '-', 99), ("none", "c", '+', 99), ("x", "d", '-', 99)],
            Status::Down,
            "a site speaks with one voice",
        ),
        (
            &[("none", "a", '-', 99), ("none", "b", '-', 99), ("x", "c", '+', 99), ("y", "d", '+', 99)],
            Status::Up,
            "two probers of one site are not two sites",
        ),
        (
            &[("north", "a", '-', 99), ("x", "b", '+', 99)],
            Status::Up,
            "its own datacenter has no vote on a link",
        ),
    ];
    for (votes, want, why) in rows {
        assert_eq!(verdict(&world, "link:north/a", votes, &[]).0, want, "{why}");
    }
}

#[test]
fn other_quorums() {
    let quorum = |text: &str| {
        World::new(&format!(
            "zone: a.example\ninterconnects: [ {{ between: [north, south] }} ]\n\
             datacenters: {{ north: {{ links: {{ a: {{ probe: {{ tcp: '192.0.2.1:1', quorum: {text} }} }} }} }}, south: {{}} }}"
        ))
    };
    let rows = [
        ("2 of 3", "++-", Status::Up, "two see it"),
        ("2 of 3", "+--", Status::Down, "two are missing"),
        ("2 of 3", "+-?", Status::Unknown, "one more could decide"),
        ("1 of 3", "+--", Status::Up, "one is enough"),
        ("0.18", "+----", Status::Up, "more than 18 % see it up"),
        ("0.18", "+-----", Status::Down, "not more than 18 %"),
        ("0.18", "-????", Status::Unknown, "too few are fresh"),
    ];
    for (text, signs, want, why) in rows {
        let names: Vec<String> = signs.chars().enumerate().map(|(index, _)| format!("s{index}")).collect();
        let votes: Vec<Row<'_>> =
            signs.chars().zip(&names).map(|(sign, name)| (name.as_str(), "p", sign, 99)).collect();
        assert_eq!(verdict(&quorum(text), "link:north/a", &votes, &[]).0, want, "{text}, {signs}: {why}");
    }
}

#[test]
fn what_hides_a_target() {
    let world = World::pair();
    let lone = [("south", "s", '-', 99)];
    let both = [("south", "s", '-', 99), ("north", "n", '-', 99)];
    type Case<'a> = (&'a str, &'a [Row<'a>], &'a [Row<'a>], (Status, bool), &'a str);
    let rows: [Case<'_>; 7] = [
        (
            "balancer:north/lb",
            &lone,
            &[("south", "s", '+', 99)],
            (Status::Down, false),
            "seen over a line that is well",
        ),
        (
            "balancer:north/lb",
            &lone,
            &[("south", "s", '-', 99)],
            (Status::Unknown, true),
            "the line is cut: not seen is not down",
        ),
        ("balancer:north/lb", &lone, &[], (Status::Unknown, true), "nor over a line nobody knows of"),
        (
            "balancer:north/lb",
            &both,
            &[("south", "s", '-', 99)],
            (Status::Down, false),
            "its own site sees it down",
        ),
        (
            "link:north/a",
            &lone,
            &[("south", "s", '-', 99)],
            (Status::Down, false),
            "a link is seen over the Internet",
        ),
        (
            "interconnect:north/south",
            &[("north", "n", '-', 99), ("south", "s", '-', 10)],
            &[],
            (Status::Down, false),
            "an end that is cut off is not waited for",
        ),
        (
            "interconnect:north/south",
            &[("north", "n", '-', 99), ("south", "s", '+', 99)],
            &[],
            (Status::Unknown, false),
            "the ends disagree",
        ),
    ];
    for (name, votes, lines, want, why) in rows {
        assert_eq!(verdict(&world, name, votes, lines), want, "{name}: {why}");
    }
}

#[test]
fn silent_sites_are_forgotten_after_a_day() {
    let mut ballot = Ballot::default();
    assert!(ballot.hear(&Arc::from("x"), seconds(0)), "a new site is news");
    assert!(!ballot.hear(&Arc::from("x"), seconds(10)), "and then no more");
    assert!(!ballot.forget(seconds(86_400)), "heard within a day");
    assert!(ballot.forget(seconds(86_410)), "a day later");
    ballot.hear(&Arc::from("y"), seconds(86_410));
    assert!(ballot.dismiss("y") && !ballot.dismiss("y"), "or at once, when told");
    assert_eq!(ballot.sites().count(), 0);
}
