//! The prober as a whole: a thread that probes, reports and stops.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests write files, and may panic")]

#[path = "support/all.rs"]
mod support;

use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::mpsc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rhumb_health::Status;
use rhumb_health::run::{Finding, Limits, Prober, Task, TaskId};
use support::{await_end, probe};

const PATIENCE: Duration = Duration::from_secs(20);

fn task(id: u32, key: &str, text: &str) -> Task {
    let (kind, probe) = probe(text);
    let address = Some(IpAddr::V4(Ipv4Addr::LOCALHOST));
    Task { id: TaskId(id), key: key.into(), kind, probe, address, initial: Status::Unknown }
}

fn prober() -> (Prober, mpsc::Receiver<Finding>) {
    let (send, receive) = mpsc::channel();
    let report = move |batch: Vec<Finding>| batch.into_iter().for_each(|finding| drop(send.send(finding)));
    (Prober::spawn(Limits::of_this_process(), report).unwrap(), receive)
}

/// Findings until one fits.
fn until(findings: &mpsc::Receiver<Finding>, mut fits: impl FnMut(&Finding) -> bool) -> Finding {
    loop {
        let finding = findings.recv_timeout(PATIENCE).expect("it comes in time");
        if fits(&finding) {
            return finding;
        }
    }
}

#[test]
fn what_changes_is_found() {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("prober-state");
    fs::write(&path, "up").unwrap();
    let (prober, findings) = prober();
    let keys = "interval: 50ms, timeout: 50ms, fall: 3, rise: 2";
    prober.assign(vec![
        task(1, "file", &format!("{{ file: '{}', {keys} }}", path.display())),
        task(2, "ping", &format!("{{ ping: , {keys} }}")),
    ]);
    let first = until(&findings, |finding| finding.task == TaskId(1));
    assert_eq!(first.standing.leaning, Status::Up, "who is not known is believed at once");
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    assert!(now.abs_diff(first.at) < PATIENCE, "findings bear the time");
    let ping = until(&findings, |finding| finding.task == TaskId(2));
    assert_eq!(ping.standing.leaning, Status::Up, "{ping:?}");
    assert!(ping.reply.delay.is_some_and(|delay| delay < Duration::from_millis(50)), "{ping:?}");
    fs::write(&path, "down").unwrap();
    let mut failures = 0;
    until(&findings, |finding| {
        failures += u8::from(finding.task == TaskId(1) && finding.reply.outcome.is_err());
        finding.task == TaskId(1) && finding.standing.leaning == Status::Down
    });
    assert_eq!(failures, 3, "three in a row");
    fs::write(&path, "up").unwrap();
    until(&findings, |finding| finding.task == TaskId(1) && finding.standing.leaning == Status::Up);
    let figures = prober.figures();
    assert!(figures.starts > 8, "{figures:?}");
    drop(prober);
    while findings.try_recv().is_ok() {}
    assert_eq!(findings.recv(), Err(mpsc::RecvError), "whoever reported is gone");
}

#[test]
fn dropping_ends_commands() {
    let pid = Path::new(env!("CARGO_TARGET_TMPDIR")).join("prober-pid");
    let _ = fs::remove_file(&pid);
    let (prober, _findings) = prober();
    let script = format!("echo $$ > {0}.new; mv {0}.new {0}; sleep 1000", pid.display());
    prober.assign(vec![task(
        1,
        "x",
        &format!("{{ exec: [/bin/sh, -c, '{script}'], interval: 1h, timeout: 1h }}"),
    )]);
    while !pid.exists() {
        std::thread::yield_now();
    }
    drop(prober);
    await_end(&fs::read_to_string(pid).unwrap());
}
