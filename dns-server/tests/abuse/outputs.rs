//! The query log and dnstap, read back by those who did not write them.

use std::fs;
use std::net::{SocketAddr, UdpSocket};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rhumb::net::{NetOptions, Running, Server};
use rhumb::observe::{Sampling, TapTo, Watching};
use rhumb::snapshot::Options;
use rhumb::stats::Stats;
use serde_json::Value;

use crate::flood::over_tcp;
use crate::message::{publisher, query};
use crate::support::programs::{fresh_directory, missing};

const PATIENCE: Duration = Duration::from_secs(20);
const WWW: &str = "www.gslb.example.com. A";
const ALL: Sampling = Sampling { one_in: NonZeroU32::MIN, per_second: NonZeroU32::MAX };

fn serve(watching: Watching, stats: &Stats) -> (SocketAddr, Running) {
    let listen = vec!["127.0.0.1:0".parse().unwrap()];
    let options = NetOptions { watching, ..NetOptions::new(listen, 1) };
    let server = Server::bind(&options, &publisher(Options::default()), stats).unwrap();
    (server.addresses()[0], server.run().unwrap())
}

fn over_udp(address: SocketAddr, packet: &[u8]) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket.send_to(packet, address).unwrap();
    socket.recv(&mut [0; 4096]).unwrap();
}

fn wait(what: &str, done: impl Fn() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < PATIENCE, "{what}");
        std::thread::yield_now();
    }
}

fn lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn the_log_says_what_was_asked_and_follows_a_rotation() {
    let directory = fresh_directory("query-log");
    let (path, old) = (directory.join("queries.json"), directory.join("queries.json.1"));
    let stats = Stats::default();
    let watching = Watching { log: Some((path.clone(), ALL)), ..Watching::default() };
    let (address, running) = serve(watching, &stats);
    over_udp(address, &query(WWW, 1232, "0008 0007 0001 18 00 050001"));
    over_tcp(address, &query("nothing.gslb.example.com. TXT", 1232, ""));
    wait("both are written", || lines(&path).len() == 2);
    let said = lines(&path);
    let rows = [
        ("/name", ["www.gslb.example.com", "nothing.gslb.example.com"]),
        ("/type", ["A", "TXT"]),
        ("/transport", ["udp", "tcp"]),
        ("/rcode", ["NOERROR", "NXDOMAIN"]),
        ("/flags/0", ["aa", "aa"]),
        ("/client", ["127.0.0.1", "127.0.0.1"]),
    ];
    let mut said_of: Vec<&Value> = said.iter().collect();
    said_of.sort_by_key(|line| line["transport"] == "tcp");
    for (pointer, wants) in rows {
        for (line, want) in said_of.iter().zip(wants) {
            let got = line.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
            assert_eq!(got.trim_end_matches('.'), want, "{pointer} of {line}");
        }
    }
    assert_eq!(said_of[0]["subnet"], "5.0.1.0/24");
    assert_eq!((&said_of[0]["answers"], &said_of[1]["answers"]), (&Value::from(1), &Value::from(0)));
    fs::rename(&path, &old).unwrap();
    wait("a new file is made", || path.exists());
    over_udp(address, &query("mail.gslb.example.com. MX", 1232, ""));
    wait("it is written to", || lines(&path).len() == 1);
    assert_eq!((lines(&old).len(), stats.totals().log_lines, stats.totals().log_lost), (2, 3, 0));
    drop(running);
}

/// What `dnstap-read` makes of a file.
fn read_back(path: &Path) -> String {
    let output = Command::new("dnstap-read").arg("-p").arg(path).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn ask_both_ways(address: SocketAddr) {
    over_udp(address, &query(WWW, 1232, ""));
    over_tcp(address, &query("nothing.gslb.example.com. TXT", 1232, ""));
}

/// Said by whoever reads the two queries above.
fn assert_read(text: &str) {
    for want in
        ["UDP", "TCP", "www.gslb.example.com/IN/A", "nothing.gslb.example.com/IN/TXT", "NXDOMAIN", "AR"]
    {
        assert!(text.contains(want), "{want} in\n{text}");
    }
}

#[test]
fn dnstap_files_are_read_by_bind() {
    if missing(&["dnstap-read"]) {
        return;
    }
    let path = fresh_directory("dnstap-file").join("tap");
    let watching = Watching {
        dnstap: Some((TapTo::File(path.clone()), ALL)),
        identity: Some("ns1".to_owned()),
        ..Watching::default()
    };
    let (address, running) = serve(watching, &Stats::default());
    ask_both_ways(address);
    drop(running);
    assert_read(&read_back(&path));
}

/// A collector, killed however the test ends.
struct Collector(Child);

impl Collector {
    fn start(socket: &Path, to: &Path) -> Self {
        let mut command = Command::new("fstrm_capture");
        command.args(["-t", "protobuf:dnstap.Dnstap"]).arg("-u").arg(socket).arg("-w").arg(to);
        Self(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }

    /// Asked to end, it writes what it has.
    fn finish(mut self) {
        let id = self.0.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        self.0.wait().unwrap();
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn dnstap_sockets_are_tried_until_somebody_listens() {
    if missing(&["dnstap-read", "fstrm_capture"]) {
        return;
    }
    let directory = fresh_directory("dnstap-socket");
    let socket = PathBuf::from(format!("/tmp/rhumb-tap-{}.sock", std::process::id()));
    let stats = Stats::default();
    let watching = Watching { dnstap: Some((TapTo::Socket(socket.clone()), ALL)), ..Watching::default() };
    let (address, running) = serve(watching, &stats);
    over_udp(address, &query(WWW, 1232, ""));
    wait("nobody listens: lost and counted", || stats.totals().dnstap_lost == 1);
    for round in ["first", "second"] {
        let to = directory.join(round);
        let collector = Collector::start(&socket, &to);
        let before = stats.totals().dnstap_messages;
        wait("it is found", || {
            over_udp(address, &query(WWW, 1232, ""));
            stats.totals().dnstap_messages > before
        });
        over_tcp(address, &query("nothing.gslb.example.com. TXT", 1232, ""));
        over_udp(address, &query("last.gslb.example.com. A", 1232, ""));
        let told = |stats: &Stats| stats.totals().dnstap_messages + stats.totals().dnstap_lost;
        wait("all are told", || told(&stats) == stats.totals().udp_queries + stats.totals().tcp_queries);
        if round == "second" {
            // Says that it ends, and waits until the collector has it all.
            drop(running);
            collector.finish();
            assert_read(&read_back(&to));
            break;
        }
        collector.finish();
    }
    let _ = fs::remove_file(&socket);
}
