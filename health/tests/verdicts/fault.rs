//! Whose fault it is.

use std::time::Duration;

use rhumb_health::{Machine, Opinion, OwnFault, Status};

use super::{World, reply};

/// What each job did at each step of half a second, `.` for nothing.
fn run(policy: &str, histories: &[&str]) -> (Vec<String>, OwnFault) {
    let world = World::new(policy);
    let roster = world.roster("none", &["none"]);
    let jobs = roster.jobs();
    assert_eq!(jobs.len(), histories.len(), "a history for each job");
    let mut fault = OwnFault::default().with_jobs(jobs);
    let mut machines: Vec<_> = jobs.iter().map(|job| Machine::new(&job.probe, Status::Up)).collect();
    let mut said = vec![String::new(); jobs.len()];
    for step in 0..histories[0].len() {
        let now = Duration::from_secs(1_000) + Duration::from_millis(500) * u32::try_from(step).unwrap();
        for (job, history) in histories.iter().enumerate() {
            let sign = char::from(history.as_bytes()[step]);
            if sign != '.' {
                machines[job].consume(&reply(sign), now);
                fault.note(job, &reply(sign), now);
            }
        }
        for (job, said) in said.iter_mut().enumerate() {
            said.push(match fault.opinion(job, &machines[job].standing(), now) {
                Opinion::Is(Status::Up) => 'u',
                Opinion::Is(Status::Down) => 'd',
                Opinion::Is(Status::Unknown) => '?',
                Opinion::Wait(_) => 'w',
            });
        }
    }
    (said, fault)
}

/// Three links in two datacenters.
const THREE: &str = "zone: a.example
datacenters:
  n: { links: { a: { probe: { tcp: '192.0.2.1:1' } }, b: { probe: { tcp: '192.0.2.2:1' } } } }
  s: { links: { a: { probe: { tcp: '192.0.2.3:1' } } } }
";

/// The same three in one datacenter.
const ONE: &str = "zone: a.example
datacenters: { n: { links: {
  a: { probe: { tcp: '192.0.2.1:1' } }, b: { probe: { tcp: '192.0.2.2:1' } }, c: { probe: { tcp: '192.0.2.3:1' } } } } }
";

/// A probe of another program's file besides.
const FILE: &str = "zone: a.example
datacenters:
  n: { links: { a: { probe: { tcp: '192.0.2.1:1' } }, b: { probe: { tcp: '192.0.2.2:1' } } } }
  s: { links: { a: { probe: { file: /x } } } }
";

#[test]
fn silence_everywhere_is_ones_own() {
    let rows: [(&str, [&str; 3], [&str; 3], &str); 8] = [
        (
            THREE,
            ["---....+", "++++++++", "++++++++"],
            ["uudddddd", "uuuuuuuu", "uuuuuuuu"],
            "others answer: the target is down",
        ),
        (
            THREE,
            ["---------+------", "---------+------", "---------+++++++"],
            ["uuwwwww???wwdddd", "uuwwwww???wwdddd", "uuwwwww??????uuu"],
            "all silent: no opinion, until something answers; then failures count anew",
        ),
        (
            THREE,
            ["-----------", "-----------", "xxxxxxxxxxx"],
            ["uuddddddddd", "uuddddddddd", "uuddddddddd"],
            "a refusal proves the network",
        ),
        (ONE, ["---", "---", "---"], ["uud", "uud", "uud"], "one datacenter can be down"),
        (FILE, ["---", "---", "---"], ["uud", "uud", "uud"], "a file is no network"),
        (
            THREE,
            ["---.....", "---.....", "+......."],
            ["uuwwwwwd", "uuwwwwwd", "uuuuuuuu"],
            "two silent and one slow to tell: when the window has passed they are down",
        ),
        (
            THREE,
            ["---.....", "---.....", "+..+...."],
            ["uuwddddd", "uuwddddd", "uuuuuuuu"],
            "or as soon as it answers",
        ),
        (
            THREE,
            ["xxx.----", "xxx.----", "+++.----"],
            ["uudddddd", "uudddddd", "uuuuuuww"],
            "what refused before it fell silent is down already",
        ),
    ];
    for (policy, histories, want, why) in rows {
        assert_eq!(run(policy, &histories).0, want, "{histories:?}: {why}");
    }
}

#[test]
fn an_own_fault_is_known_as_such() {
    let rows = [("----------", true, "it lasts"), ("----------+", false, "it ended")];
    for (history, want, why) in rows {
        let (_, fault) = run(THREE, &[history; 3]);
        assert_eq!(fault.since().is_some(), want, "{history}: {why}");
    }
}
