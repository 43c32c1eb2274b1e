//! The four servers, each with the same zones on a port of its own.

use std::fmt::Write as _;
use std::fs;
use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::process::Command;

use crate::ask::{self, Way};
use crate::question::Question;
use crate::support::programs::{Program, Rhumb, fresh_directory};
use crate::zones::Zone;
use rhumb_zones::Rtype;

/// The servers, in the order of their replies.
pub(crate) const NAMES: [&str; 4] = ["rhumb", "knot", "nsd", "bind"];

/// Replies of each server to each question.
pub(crate) type Replies = [Vec<Option<Vec<u8>>>; 4];

/// Four running servers.
pub(crate) struct Servers {
    addresses: [SocketAddr; 4],
    _rhumb: Rhumb,
    _others: [Program; 3],
}

impl Servers {
    /// Starts all of them with `zones`.
    pub(crate) fn start(test: &str, zones: &[Zone]) -> Self {
        let directory = fresh_directory(&format!("conformance-{test}"));
        let rhumb = rhumb(&directory, zones, "");
        let ports = free_ports();
        let mut others = [
            knot(&directory, zones, ports[0]),
            nsd(&directory, zones, ports[1]),
            bind(&directory, zones, ports[2]),
        ];
        let local = |port: u16| SocketAddr::from(([127, 0, 0, 1], port));
        let addresses = [rhumb.listening[0], local(ports[0]), local(ports[1]), local(ports[2])];
        for ((program, address), name) in others.iter_mut().zip(&addresses[1..]).zip(&NAMES[1..]) {
            for zone in zones.iter().filter(|zone| zone.loads_in(name)) {
                program.await_ready(|| serves(*address, zone));
            }
        }
        Self { addresses, _rhumb: rhumb, _others: others }
    }

    /// Asks all servers, each in a thread of its own.
    pub(crate) fn ask(&self, questions: &[&Question], way: Way) -> Replies {
        std::thread::scope(|scope| {
            self.addresses
                .map(|address| scope.spawn(move || ask::all(address, questions, way)))
                .map(|thread| thread.join().unwrap())
        })
    }
}

/// Whether the server answers for the zone's apex.
fn serves(address: SocketAddr, zone: &Zone) -> bool {
    let question = Question { name: zone.data.apex.clone(), rtype: Rtype::SOA };
    let reply = ask::once(address, &question);
    reply.is_some_and(|reply| reply[3] & 0x0f == 0 && reply[2] & 0x04 != 0)
}

/// Three ports that were free for datagrams a moment ago.
fn free_ports() -> [u16; 3] {
    [(); 3]
        .map(|()| UdpSocket::bind("127.0.0.1:0").unwrap())
        .map(|socket| socket.local_addr().unwrap().port())
}

/// Rhumb with `zones`, each with `more` keys.
pub(crate) fn rhumb(directory: &Path, zones: &[Zone], more: &str) -> Rhumb {
    let (file, config) = (directory.join("policy.yaml"), directory.join("server.yaml"));
    fs::write(&file, policy(zones, more)).unwrap();
    fs::write(&config, "udp-size: 4096\n").unwrap();
    Rhumb::serve(directory, &file, &["127.0.0.1:0"], &["--config", config.to_str().unwrap()])
}

/// A policy of `zones`, each with `more` keys.
fn policy(zones: &[Zone], more: &str) -> String {
    let mut text = "datacenters: {}\n".to_owned();
    for Zone { path, data, .. } in zones {
        let _ = writeln!(text, "---\nzone: {:?}\nrecords: {path:?}\n{more}", data.apex.to_string());
    }
    text
}

/// A command with a configuration file in `directory`.
fn with_config(directory: &Path, file: &str, text: &str, words: &[&str]) -> Program {
    fs::write(directory.join(file), text).unwrap();
    let mut command = Command::new(words[0]);
    // Debian keeps daemons where only root's PATH leads.
    let path = std::env::var("PATH").unwrap_or_default();
    command.env("PATH", format!("{path}:/usr/sbin")).args(&words[1..]);
    Program::start(directory, command)
}

fn knot(directory: &Path, zones: &[Zone], port: u16) -> Program {
    let here = directory.display();
    let mut config = format!(
        "server:\n  listen: 127.0.0.1@{port}\n  rundir: {here}\n  udp-workers: 1\n  tcp-workers: 1\n  \
         background-workers: 1\n  udp-max-payload: 4096\n\
         log:\n  - target: stderr\n    any: warning\n\
         database:\n  storage: {here}/knot\n\
         template:\n  - id: default\n    storage: {here}\n    zonefile-load: whole\n    zonefile-sync: -1\n    \
         journal-content: none\n    semantic-checks: off\n\
         zone:\n"
    );
    for Zone { path, data, .. } in zones {
        let _ = writeln!(config, "  - domain: \"{}\"\n    file: {:?}", data.apex, path);
    }
    with_config(directory, "knot.conf", &config, &["knotd", "-c", "knot.conf"])
}

fn nsd(directory: &Path, zones: &[Zone], port: u16) -> Program {
    let mut config = format!(
        "server:\n  ip-address: 127.0.0.1@{port}\n  username: \"\"\n  database: \"\"\n  pidfile: \"\"\n  \
         zonelistfile: nsd.list\n  xfrdfile: \"\"\n  xfrdir: .\n  zonesdir: \"\"\n  server-count: 1\n  \
         ipv4-edns-size: 4096\n  rrl-ratelimit: 0\n\
         remote-control:\n  control-enable: no\n"
    );
    for Zone { path, data, .. } in zones {
        let _ = writeln!(config, "zone:\n  name: \"{}\"\n  zonefile: {:?}", data.apex, path);
    }
    with_config(directory, "nsd.conf", &config, &["nsd", "-d", "-c", "nsd.conf"])
}

fn bind(directory: &Path, zones: &[Zone], port: u16) -> Program {
    let here = directory.display();
    let mut config = format!(
        "options {{ directory \"{here}\"; listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};\n\
         recursion no; dnssec-validation no; empty-zones-enable no; notify no; max-udp-size 4096;\n\
         minimal-responses no-auth; minimal-any no; check-names primary ignore; check-integrity no; max-records-per-type 0;\n\
         pid-file none; session-keyfile none; }};\ncontrols {{ }};\n"
    );
    for Zone { path, data, .. } in zones.iter().filter(|zone| zone.loads_in("bind")) {
        let _ = writeln!(
            config,
            "zone \"{}\" {{ type primary; file {:?}; }};",
            data.apex.to_string().replace('\\', "\\\\"),
            path
        );
    }
    with_config(directory, "named.conf", &config, &["named", "-g", "-n", "1", "-c", "named.conf"])
}
