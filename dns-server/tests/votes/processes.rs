//! Servers and probers as operators run them, on loopback: what each site
//! sees is a port that the test opens and closes.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rhumb::votes::Identity;
use rustix::process::{Pid, Signal};
use serde_json::Value;

use crate::papers::{Authority, Scratch};

/// How long to wait for what must happen.
const PATIENCE: Duration = Duration::from_secs(60);

/// A process in the scratch directory, killed when dropped.
struct Process<'s> {
    scratch: &'s Scratch,
    child: Child,
    name: &'static str,
    /// What it said when it was ready.
    said: String,
}

impl<'s> Process<'s> {
    /// Starts it and waits for a line that begins with `ready`.
    fn start(scratch: &'s Scratch, name: &'static str, arguments: &[&str], ready: &str) -> Self {
        let log = std::fs::File::create(scratch.0.join(format!("{name}.log"))).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_rhumb"))
            .args(arguments)
            .current_dir(&scratch.0)
            .env_remove("RHUMB_LOG")
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let said = lines.map_while(Result::ok).find(|line| line.contains(ready));
        let said = said.unwrap_or_else(|| panic!("{name}: {}", scratch.read(&format!("{name}.log"))));
        Self { scratch, child, name, said }
    }

    /// Serves `policy.yaml`, with these votes in its configuration.
    fn serve(scratch: &'s Scratch, name: &'static str, site: &str, votes: &str) -> Self {
        scratch.write(&format!("{name}.config"), &format!("votes: {{ {votes} }}\n"));
        let (config, admin, state) =
            (format!("{name}.config"), format!("{name}.sock"), format!("{name}.state"));
        let fixed =
            ["serve", "policy.yaml", "--listen", "127.0.0.1:0", "--workers", "1", "--config", &config];
        let ready = if votes.contains("listen") { "votes heard on " } else { "admin socket " };
        Self::start(
            scratch,
            name,
            &[&fixed[..], &["--admin", &admin, "--state", &state, "--site", site]].concat(),
            ready,
        )
    }

    /// Probes what `policy` says.
    fn probe(
        scratch: &'s Scratch,
        name: &'static str,
        (policy, site, to): (&str, &str, SocketAddr),
        identity: &Identity,
    ) -> Self {
        let to = to.to_string();
        let Identity { ca, cert, key } = identity;
        let path = |path: &Path| path.to_str().unwrap().to_owned();
        let (ca, cert, key) = (path(ca), path(cert), path(key));
        let papers = ["--ca", &ca, "--cert", &cert, "--key", &key, "--name", name];
        Self::start(
            scratch,
            name,
            &[&["probe", policy, "--site", site, "--to", &to], &papers[..]].concat(),
            " probes for site ",
        )
    }

    /// Where it hears votes.
    fn address(&self) -> SocketAddr {
        self.said.strip_prefix("votes heard on ").unwrap().parse().unwrap()
    }

    /// Waits until its log has `text`.
    fn await_log(&self, text: &str, why: &str) {
        let start = Instant::now();
        let log = || self.scratch.read(&format!("{}.log", self.name));
        while !log().contains(text) {
            assert!(start.elapsed() < PATIENCE, "{why}: {text:?} is not in\n{}", log());
            std::thread::yield_now();
        }
    }

    /// Runs a command that talks to it; gives back what it prints.
    fn tell(&self, arguments: &[&str]) -> Vec<u8> {
        let admin = format!("{}.sock", self.name);
        let command = Command::new(env!("CARGO_BIN_EXE_rhumb"))
            .args(arguments)
            .args(["--admin", &admin])
            .current_dir(&self.scratch.0)
            .output()
            .unwrap();
        command.stdout
    }

    fn targets(&self) -> Value {
        serde_json::from_slice(&self.tell(&["targets", "--json"])).unwrap_or_default()
    }

    /// Waits until the link is so: its status, verdict and notes in a line.
    fn await_link(&self, want: &str, why: &str) -> Duration {
        let start = Instant::now();
        loop {
            let targets = self.targets();
            let link = targets["targets"]
                .as_array()
                .and_then(|all| all.iter().find(|one| one["name"] == "link:east/a"));
            let mut line = String::new();
            if let Some(link) = link {
                write!(line, "{} {} {}", link["status"], link["verdict"], link["notes"]).unwrap();
            }
            let line = line.replace('"', "");
            if line.contains(want) {
                return start.elapsed();
            }
            assert!(
                start.elapsed() < PATIENCE,
                "{why}: {line}, not {want}\n{}",
                self.scratch.read(&format!("{}.log", self.name))
            );
        }
    }
}

impl Drop for Process<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a site sees: a port, open or not.
struct Target {
    address: SocketAddr,
    listener: Option<TcpListener>,
}

impl Target {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        Self { address: listener.local_addr().unwrap(), listener: Some(listener) }
    }

    fn close(&mut self) {
        self.listener = None;
    }

    fn open(&mut self) {
        self.listener = Some(TcpListener::bind(self.address).unwrap());
    }
}

/// A policy whose link is looked at by two sites.
fn policy(target: SocketAddr) -> String {
    format!(
        "zone: example.com
datacenters:
  east:
    at: [50, 8]
    links:
      a:
        hold-down: 0s
        probe: {{ tcp: '{target}', interval: 300ms, timeout: 300ms, rise: 2, fall: 2, stale: 3s, from: [north, south] }}
services:
  www: {{ vips: {{ east: {{ a: 192.0.2.10 }} }} }}
"
    )
}

fn votes(rest: &str, Identity { ca, cert, key }: &Identity) -> String {
    format!("{rest}, ca: '{}', cert: '{}', key: '{}'", ca.display(), cert.display(), key.display())
}

#[test]
fn two_sites_decide() {
    let scratch = Scratch::new("sites");
    let authority = Authority::new(&scratch, "ours");
    let server = authority.issue(&["127.0.0.1", "west"]);
    let (north, south) = (authority.issue(&["north"]), authority.issue(&["south"]));
    let (mut seen_north, mut seen_south) = (Target::new(), Target::new());
    scratch.write("policy.yaml", &policy(seen_north.address));
    scratch.write("north.yaml", &policy(seen_north.address));
    scratch.write("south.yaml", &policy(seen_south.address));
    let hall = Process::serve(&scratch, "west", "west", &votes("listen: '127.0.0.1:0'", &server));
    let to = hall.address();
    let probe =
        |name, site, identity| Process::probe(&scratch, name, (&format!("{site}.yaml"), site, to), identity);
    let mut first = probe("p-north", "north", &north);
    let before = probe("p-south", "south", &south);
    hall.await_link("up up []", "both see it up");

    seen_south.close();
    hall.await_link("1 up, 1 down of 2 sites", "one of two sees it down");
    hall.await_link("up ", "which changes nothing");
    seen_north.close();
    let took = hall.await_link("down down", "both see it down");
    println!("from a closed port to a verdict elsewhere, after two probes 300 ms apart at most: {took:?}");
    seen_north.open();
    seen_south.open();
    hall.await_link("up up []", "and up again");

    drop(before);
    seen_north.close();
    hall.await_link("0 up, 1 down of 2 sites", "the votes of one that was killed grow stale");
    hall.await_link("up ", "and too few are left to change anything");
    hall.tell(&["forget", "south"]);
    hall.await_link("down down", "an operator says that it is not to be waited for");
    seen_south.close();
    let _south = probe("p-south", "south", &south);
    hall.await_link("0 up, 2 down of 2 sites", "it counts again when it is back");

    drop(hall);
    let listen = votes(&format!("listen: '{to}'"), &server);
    let hall = Process::serve(&scratch, "west", "west", &listen);
    seen_north.open();
    seen_south.open();
    hall.await_link("up up []", "probers find a server that was restarted");

    // A prober reads its policy again.
    scratch.write("south.yaml", &policy("127.0.0.1:1".parse().unwrap()));
    hall.await_link("1 up, 1 down of 2 sites", "an edit is probed");

    rustix::process::kill_process(Pid::from_child(&first.child), Signal::TERM).unwrap();
    assert_eq!(first.child.wait().unwrap().code(), Some(0), "SIGTERM ends a prober well");
}

#[test]
fn who_is_not_trusted_says_so() {
    let scratch = Scratch::new("trust");
    let authority = Authority::new(&scratch, "ours");
    let server = authority.issue(&["127.0.0.1", "west"]);
    let foreign = Authority::new(&scratch, "theirs").issue(&["south"]);
    let nameless = authority.issue(&["elsewhere.example.com"]);
    scratch.write("policy.yaml", &policy(Target::new().address));
    let hall = Process::serve(&scratch, "west", "west", &votes("listen: '127.0.0.1:0'", &server));
    let other = Process::serve(&scratch, "other", "west", &votes("listen: '127.0.0.1:0'", &nameless));
    let (north, south) = (authority.issue(&["north"]), authority.issue(&["south"]));
    let expired_authority = Identity { ca: foreign.ca.clone(), ..south.clone() };
    let rows = [
        (&hall, &south, "votes are counted there", "a prober votes", "well"),
        (
            &hall,
            &north,
            "it says: its certificate is for north, not for site south",
            "its certificate is for north",
            "another site's",
        ),
        (
            &hall,
            &foreign,
            "its certificate is not good: UnknownIssuer",
            "no TLS: received fatal alert",
            "two worlds",
        ),
        (
            &hall,
            &expired_authority,
            "its certificate is not good: UnknownIssuer",
            "UnknownCA",
            "the server's authority is not believed",
        ),
        (&other, &south, "certificate not valid for name", "", "another host's"),
    ];
    for (server, identity, at_prober, at_server, why) in rows {
        let prober = Process::probe(&scratch, "prober", ("policy.yaml", "south", server.address()), identity);
        prober.await_log(at_prober, why);
        server.await_log(at_server, why);
    }
}

#[test]
fn servers_vote_at_each_other() {
    let scratch = Scratch::new("servers");
    let authority = Authority::new(&scratch, "ours");
    let target = Target::new();
    scratch.write("policy.yaml", &policy(target.address));
    let south = authority.issue(&["127.0.0.1", "south"]);
    let south =
        Process::serve(&scratch, "s-south", "south", &votes("prober: s, listen: '127.0.0.1:0'", &south));
    let rest = format!("prober: n, to: '{}'", south.address());
    let north = votes(&rest, &authority.issue(&["north"]));
    let north = Process::serve(&scratch, "s-north", "north", &north);
    north.await_log("votes are counted there", "it says so");
    drop(target);
    south.await_link("down down", "it needs both");
    let start = Instant::now();
    while !south.targets()["sites"].to_string().contains("north") {
        assert!(start.elapsed() < PATIENCE, "the other site is heard: {}", south.targets());
    }
}

#[test]
fn what_an_operator_gets_wrong() {
    let scratch = Scratch::new("mistakes");
    let authority = Authority::new(&scratch, "ours");
    let (north, south) = (authority.issue(&["north"]), authority.issue(&["south"]));
    let path = |path: &Path| path.to_str().unwrap().to_owned();
    scratch.write("policy.yaml", &policy(Target::new().address));
    scratch.write("empty.pem", "");
    let rows = [
        (
            path(&south.ca),
            path(&south.cert),
            path(&south.key),
            "south and a half",
            "a site must have a name",
            "no name",
        ),
        (
            "absent.pem".to_owned(),
            path(&south.cert),
            path(&south.key),
            "south",
            "absent.pem: cannot be read",
            "no file",
        ),
        (
            "empty.pem".to_owned(),
            path(&south.cert),
            path(&south.key),
            "south",
            "empty.pem: holds no certificate",
            "an empty file",
        ),
        (
            path(&south.ca),
            path(&south.cert),
            path(&north.key),
            "south",
            "does not fit the private key",
            "another's key",
        ),
        (path(&south.ca), path(&south.cert), path(&south.cert), "south", "holds no private key", "no key"),
    ];
    for (ca, cert, key, site, want, why) in rows {
        let output = Command::new(env!("CARGO_BIN_EXE_rhumb"))
            .args(["probe", "policy.yaml", "--to", "127.0.0.1:1", "--site", site])
            .args(["--ca", &ca, "--cert", &cert, "--key", &key])
            .current_dir(&scratch.0)
            .output()
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains(want) && output.status.code() == Some(2), "{why}: {said}");
    }
}
