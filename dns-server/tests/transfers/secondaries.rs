//! Real secondaries, each in a network of its own, with the configurations of
//! `testdata/transfers`: one zone by address, one by key.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::serve;
use super::support::dig::dig;
use super::support::network::in_own_network;
use super::support::programs::{Program, fresh_directory, missing, testdata};

const PRIMARY: &str = "127.0.0.1";

/// What is asked for on both sides, and must be answered alike.
const QUESTIONS: &[&str] = &[
    "example.com SOA",
    "example.com NS",
    "example.com MX",
    "www.example.com TXT",
    "x.any.example.com A",
    "under.deep.wood.example.com TXT",
    "deep.wood.example.com TXT",
    "nothing.example.com A",
    "example.net SOA",
    "ns1.example.net A",
];

/// What a secondary answers everyone: as the view is answered.
const VIEW: &[(&str, &str)] = &[
    ("www.example.com A", "www.example.com. A 192.0.2.2"),
    ("www.example.com AAAA", "www.example.com. AAAA 2001:db8::2"),
    ("api.example.com SRV", "api.example.com. SRV 0 1 8443 api.example.com."),
    ("a.apps.example.com CNAME", "a.apps.example.com. CNAME apps.example.org."),
];

/// A secondary: its configuration in `testdata/transfers`, its address, its
/// command line, and what it says when it was sent differences.
struct Secondary {
    configuration: &'static str,
    address: &'static str,
    command: &'static [&'static str],
    says: &'static str,
}

#[test]
fn knot_follows() {
    let command = &["knotd", "-c", "knot.conf"];
    let says = "IXFR, incoming, remote 127.0.0.1@53, finished";
    follows(
        "secondaries::knot_follows",
        Secondary { configuration: "knot.conf", address: "127.0.0.2", command, says },
    );
}

#[test]
fn nsd_follows() {
    let command = &["nsd", "-d", "-c", "nsd.conf"];
    let says = "zone example.com committed \"received update to serial 1001";
    follows(
        "secondaries::nsd_follows",
        Secondary { configuration: "nsd.conf", address: "127.0.0.3", command, says },
    );
}

#[test]
fn bind_follows() {
    let command = &["named", "-g", "-c", "named.conf"];
    let says = "1 messages, 5 records";
    follows(
        "secondaries::bind_follows",
        Secondary { configuration: "named.conf", address: "127.0.0.4", command, says },
    );
}

/// It transfers both zones, follows a change long before its refresh timer,
/// and answers as the primary does.
fn follows(test: &str, secondary: Secondary) {
    let Secondary { configuration, address, command, says } = secondary;
    if missing(&[command[0], "dig", "ip", "unshare"]) {
        return;
    }
    in_own_network(test, &["127.0.0.4/32"], || {
        let directory = fresh_directory(&format!("transfers-{configuration}"));
        let rhumb = serve(&directory, &format!("{PRIMARY}:53"));
        let mut program = start(&directory.join("secondary"), configuration, command);
        program.await_ready(|| {
            ["example.com", "example.net"].iter().all(|zone| serial(address, zone).is_some())
        });
        same(address);
        let zone = directory.join("example.com.zone");
        let text = fs::read_to_string(&zone).unwrap();
        fs::write(&zone, format!("{text}added A 192.0.2.99\n")).unwrap();
        rhumb.tell(&["reload"]);
        program.await_ready(|| serial(address, "example.com") == Some(1001));
        let added = dig(&format!("@{address} added.example.com A +norec")).answers;
        assert_eq!(added, ["added.example.com. A 192.0.2.99"], "{}", program.output());
        same(address);
        program.await_ready(|| program_said(&directory, command[0], says));
    });
}

fn start(directory: &Path, configuration: &str, command: &[&str]) -> Program {
    fs::create_dir(directory).unwrap();
    let text = fs::read_to_string(testdata().join("transfers").join(configuration)).unwrap();
    let path = directory.to_str().unwrap();
    fs::write(directory.join(configuration), text.replace("PATH", path)).unwrap();
    let mut started = Command::new(command[0]);
    started.args(&command[1..]);
    Program::start(directory, started)
}

fn program_said(directory: &Path, program: &str, text: &str) -> bool {
    let log = directory.join("secondary").join(program).with_extension("log");
    fs::read_to_string(log).unwrap_or_default().contains(text)
}

fn serial(server: &str, zone: &str) -> Option<u32> {
    let answers = dig(&format!("@{server} {zone} SOA +norec")).answers;
    answers.first()?.split(' ').nth(4)?.parse().ok()
}

/// Both answer alike, but for case: some secondaries fold names.
fn same(address: &str) {
    let ask = |server: &str, question: &str| {
        let reply = dig(&format!("@{server} {question} +norec"));
        (reply.status, reply.answers.join("\n").to_ascii_lowercase())
    };
    for question in QUESTIONS {
        assert_eq!(ask(PRIMARY, question), ask(address, question), "{question} at {address}");
    }
    for (question, answer) in VIEW {
        let (_, answers) = ask(address, question);
        assert_eq!(answers, answer.to_ascii_lowercase(), "{question} at {address}");
    }
}
