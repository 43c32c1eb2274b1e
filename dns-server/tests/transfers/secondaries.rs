//! Real secondaries.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use super::support::dig::dig;
use super::support::network::in_own_network;
use super::support::programs::{PATIENCE, Program, Rhumb, fresh_directory, missing};
use super::{SECRET, serve};

const PRIMARY: &str = "127.0.0.1";

/// Names and types that are asked for on both sides.
const QUESTIONS: &[&str] = &[
    "example.com SOA",
    "example.com NS",
    "example.com MX",
    "www.example.com TXT",
    "x.any.example.com A",
    "under.deep.wood.example.com TXT",
    "deep.wood.example.com TXT",
    "nothing.example.com A",
    "a.old.example.com A",
    "example.net SOA",
    "ns1.example.net A",
];

/// What the view is answered.
const VIEW: &[(&str, &[&str])] = &[
    ("www.example.com A", &["www.example.com. A 192.0.2.2"]),
    ("www.example.com AAAA", &["www.example.com. AAAA 2001:db8::2"]),
    ("api.example.com SRV", &["api.example.com. SRV 0 1 8443 api.example.com."]),
    ("a.apps.example.com CNAME", &["a.apps.example.com. CNAME apps.example.org."]),
];

/// Runs a secondary at `address`; what it says of IXFR contains `ixfr`.
fn follows(name: &str, address: &str, start: impl FnOnce(&Path) -> Program, ixfr: &str) {
    let directory = fresh_directory(name);
    let rhumb = serve(&directory, &format!("{PRIMARY}:53"));
    let own = directory.join("secondary");
    fs::create_dir(&own).unwrap();
    let mut program = start(&own);
    let serial = |server: &str, zone: &str| {
        let answers = dig(&format!("@{server} {zone} SOA +norec")).answers;
        answers.first().and_then(|soa| soa.split(' ').nth(4)?.parse::<u32>().ok())
    };
    program
        .await_ready(|| serial(address, "example.com").is_some() && serial(address, "example.net").is_some());
    same(address);
    // Adding a record moves the serial, by NOTIFY long before a refresh.
    let zone = directory.join("example.com.zone");
    let text = fs::read_to_string(&zone).unwrap();
    fs::write(&zone, format!("{text}added A 192.0.2.99\n")).unwrap();
    rhumb.tell(&["reload"]);
    program.await_ready(|| serial(address, "example.com") == serial(PRIMARY, "example.com"));
    let added = dig(&format!("@{address} added.example.com A +norec"));
    assert_eq!(added.answers, ["added.example.com. A 192.0.2.99"], "{}", program.output());
    same(address);
    let waited = Instant::now();
    while !said(&own, &program, ixfr) {
        assert!(waited.elapsed() < PATIENCE, "no {ixfr:?} in\n{}", program.output());
        std::thread::sleep(Duration::from_millis(50));
    }
    drop(rhumb);
}

fn said(_directory: &Path, program: &Program, text: &str) -> bool {
    program.output().contains(text)
}

/// Both sides answer alike.
fn same(address: &str) {
    for question in QUESTIONS {
        let [ours, theirs] = [PRIMARY, address].map(|server| dig(&format!("@{server} {question} +norec")));
        assert_eq!((ours.status, ours.answers), (theirs.status, theirs.answers), "{question} at {address}");
    }
    for (question, answers) in VIEW {
        assert_eq!(
            dig(&format!("@{address} {question} +norec")).answers,
            *answers,
            "{question} at {address}"
        );
    }
}

#[test]
fn knot_follows() {
    if missing(&["knotd", "dig", "ip", "unshare"]) {
        return;
    }
    in_own_network("secondaries::knot_follows", &[], || {
        follows(
            "transfers-knot",
            "127.0.0.2",
            |directory| {
                let path = directory.display();
                let configuration = format!(
                    "server: {{ rundir: {path}, listen: [127.0.0.2@53] }}\n\
                 log: [{{ target: stderr, any: info }}]\n\
                 database: {{ storage: {path} }}\n\
                 key: [{{ id: secondary, algorithm: hmac-sha256, secret: {SECRET} }}]\n\
                 remote: [{{ id: plain, address: {PRIMARY}@53, via: 127.0.0.2 }}, {{ id: keyed, address: {PRIMARY}@53, via: 127.0.0.2, key: secondary }}]\n\
                 acl: [{{ id: plain, address: {PRIMARY}, action: notify }}, {{ id: keyed, address: {PRIMARY}, key: secondary, action: notify }}]\n\
                 template: [{{ id: default, storage: {path} }}]\n\
                 zone: [{{ domain: example.com, master: plain, acl: plain }}, {{ domain: example.net, master: keyed, acl: keyed }}]\n"
                );
                fs::write(directory.join("knot.conf"), configuration).unwrap();
                let mut command = Command::new("knotd");
                command.args(["-c", "knot.conf"]);
                Program::start(directory, command)
            },
            "IXFR, incoming",
        );
    });
}

#[test]
fn nsd_follows() {
    if missing(&["nsd", "dig", "ip", "unshare"]) {
        return;
    }
    in_own_network("secondaries::nsd_follows", &[], || {
        follows(
            "transfers-nsd",
            "127.0.0.3",
            |directory| {
                let zone = |name: &str, key: &str| {
                    format!(
                        "zone:\n  name: {name}\n  zonefile: {name}.zone\n  request-xfr: {PRIMARY}@53 {key}\n  \
                     allow-notify: {PRIMARY} {key}\n  outgoing-interface: 127.0.0.3\n"
                    )
                };
                let path = directory.display();
                let configuration = format!(
                    "server:\n  ip-address: 127.0.0.3\n  username: \"\"\n  zonesdir: {path}\n  database: \"\"\n  \
                 pidfile: nsd.pid\n  xfrdfile: xfrd.state\n  xfrdir: {path}\n  zonelistfile: zones.list\n  verbosity: 3\n\
                 remote-control:\n  control-enable: no\n\
                 key:\n  name: secondary\n  algorithm: hmac-sha256\n  secret: {SECRET}\n{}{}",
                    zone("example.com", "NOKEY"),
                    zone("example.net", "secondary")
                );
                fs::write(directory.join("nsd.conf"), configuration).unwrap();
                let mut command = Command::new("nsd");
                command.args(["-d", "-c", "nsd.conf"]);
                Program::start(directory, command)
            },
            "xfrd: zone example.com committed",
        );
    });
}

#[test]
fn bind_follows() {
    if missing(&["named", "dig", "ip", "unshare"]) {
        return;
    }
    in_own_network("secondaries::bind_follows", &[], || {
        follows(
            "transfers-bind",
            "127.0.0.4",
            |directory| {
                let zone = |name: &str, key: &str| {
                    format!(
                        "zone {name} {{ type secondary; primaries {{ {PRIMARY} {key}; }}; file \"{name}.db\"; transfer-source 127.0.0.4; }};\n"
                    )
                };
                let path = directory.display();
                let configuration = format!(
                    "options {{ directory \"{path}\"; pid-file none; listen-on {{ 127.0.0.4; }}; listen-on-v6 {{ none; }}; recursion no; dnssec-validation no; notify no; query-source address 127.0.0.4; }};\n\
                 controls {{ }};\n\
                 key secondary {{ algorithm hmac-sha256; secret \"{SECRET}\"; }};\n{}{}",
                    zone("example.com", ""),
                    zone("example.net", "key secondary")
                );
                fs::write(directory.join("named.conf"), configuration).unwrap();
                let mut command = Command::new("named");
                command.args(["-g", "-c", "named.conf"]);
                Program::start(directory, command)
            },
            "got incremental response",
        );
    });
}
