//! Rise, fall and flaps.

use rhumb_health::{Machine, Status};
use rhumb_zones::Probe;

use super::{World, reply, seconds};

/// Fall 3, rise 2, so that both counts show.
fn probe() -> Probe {
    let world = World::new("zone: a.example\nchecks: { c: { tcp: 1, rise: 2 } }");
    Probe::clone(&world.model.checks()[0].probe)
}

/// What is leaned to after each reply: `u`, `d` or `?`; upper case when settled.
fn leanings(initial: Status, replies: &str, every: u64) -> String {
    let mut machine = Machine::new(&probe(), initial);
    let after = |(index, sign)| {
        machine.consume(&reply(sign), seconds(index as u64 * every));
        let standing = machine.standing();
        let fast = machine.next() < seconds(2);
        assert_eq!(fast, !standing.is_settled, "unsettled means fast: {replies} at {index}");
        let letter = match standing.leaning {
            Status::Up => 'u',
            Status::Down => 'd',
            Status::Unknown => '?',
        };
        if standing.is_settled { letter.to_ascii_uppercase() } else { letter }
    };
    replies.chars().enumerate().map(after).collect()
}

#[test]
fn rise_and_fall() {
    use Status::{Down, Unknown, Up};
    let rows = [
        (Up, "+++", "UUU", "well is settled"),
        (Up, "---", "uuD", "three failures in a row"),
        (Up, "--+--+", "uuUuuU", "a success starts the count again"),
        (Up, "xxx-", "uuDD", "a refusal is a failure"),
        (Down, "++", "dU", "two successes in a row"),
        (Down, "+-++", "dDdU", "a failure starts the count again"),
        (Unknown, "+", "U", "the first success is believed"),
        (Unknown, "---", "??D", "failures are counted even at first"),
        (Unknown, "+---++", "UuuDdU", "a first fall is no flap"),
        (Up, "---++---++++", "uuDdUuuDdddU", "the second fall doubles the rise"),
        (Up, "---++---++++---++++++++", "uuDdUuuDdddUuuDdddddddU", "and again"),
    ];
    for (initial, replies, want, why) in rows {
        assert_eq!(leanings(initial, replies, 1), want, "{replies}: {why}");
    }
    let calm = leanings(Up, "---++---++", 1_000);
    assert_eq!(calm, "uuDdUuuDdU", "falls far apart are no flaps");
}

#[test]
fn since_when_and_whose() {
    let rows = [
        ("+", None, true, "no failure"),
        ("+--", Some(1), true, "since the first in a row"),
        ("-+-", Some(2), true, "a success in between"),
        ("-x-", Some(0), false, "a refusal is not ours"),
        ("x+-", Some(2), true, "an old refusal says nothing of now"),
    ];
    for (replies, since, may_be_ours, why) in rows {
        let mut machine = Machine::new(&probe(), Status::Up);
        for (index, sign) in replies.chars().enumerate() {
            machine.consume(&reply(sign), seconds(index as u64));
        }
        let standing = machine.standing();
        let got = (standing.failing_since, standing.may_be_ours);
        assert_eq!(got, (since.map(seconds), may_be_ours), "{replies}: {why}");
    }
}
