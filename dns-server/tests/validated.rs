//! A validating resolver in front of a signed zone whose keys roll.
//!
//! In a network of its own, one server has a signed parent and a signed child
//! with lifetimes of seconds. The test plays the registry: whenever the child
//! publishes a CDS, the parent's DS follows (RFC 7344). Unbound trusts the
//! parent's key alone and keeps asking, for many client subnets, through both
//! kinds of rollover and a failover. Nothing may ever be bogus or fail, and
//! everything must be shown to be authentic.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "support/all.rs"]
mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use support::dig::{Reply, dig};
use support::network::in_own_network;
use support::programs::{Program, Rhumb, fresh_directory, missing};

const RHUMB: &str = "203.0.113.53";
const RESOLVER: &str = "198.51.100.1";

/// Both keys of the child have rolled at least once by then.
const LIMIT: Duration = Duration::from_secs(100);

const CHILD: &str = "gslb.example.com";

/// The child's policy: everything that takes time takes a second.
const POLICY: &str = "
zone: example.com
records: parent.zone
dnssec: {}
---
zone: gslb.example.com
records: child.zone
dnssec:
  keys: split
  denial: DENIAL
  dnskey-ttl: 1s
  zsk-lifetime: 6s
  ksk-lifetime: 10s
  propagation: 1s
  parent-ttl: 1s
  parent-delay: 1s
  parent: [203.0.113.53]
datacenters: { fra: { at: [50.1, 8.7] }, iad: { at: [38.9, -77.0] } }
services:
  www:
    ttl: 1s
    ttl-floor: 1s
    vips:
      fra: { address: [192.0.2.10, '2001:db8:1::10'], alpn: [h2] }
      iad: { address: [198.51.100.10, '2001:db8:2::10'], alpn: [h2] }
";

const ZONE: &str = "
@ 1 SOA ns1 hostmaster 1 3600 600 86400 1
@ 1 NS ns1
ns1 1 A 203.0.113.53
mail 1 MX 10 ns1
text 1 TXT text
deep.ent 1 CAA 0 issue \"ca.example.net\"
*.wild 1 A 192.0.2.30
alias 1 CNAME www
old 1 DNAME wild
";

/// Name, type and what must come of it.
const QUESTIONS: &[(&str, &str, &str)] = &[
    ("www", "A", "NOERROR"),
    ("www", "AAAA", "NOERROR"),
    ("www", "HTTPS", "NOERROR"),
    ("www", "TXT", "NOERROR"),
    ("alias", "A", "NOERROR"),
    ("mail", "MX", "NOERROR"),
    ("text", "TXT", "NOERROR"),
    ("ent", "A", "NOERROR"),
    ("deep.ent", "CAA", "NOERROR"),
    ("a.wild", "A", "NOERROR"),
    ("a.wild", "AAAA", "NOERROR"),
    ("b.old", "A", "NOERROR"),
    ("nothing", "A", "NXDOMAIN"),
    ("@", "SOA", "NOERROR"),
    ("@", "DNSKEY", "NOERROR"),
];

/// Clients in Europe and in America, by turns.
const CLIENTS: [&str; 4] = ["193.0.6.0/24", "199.43.0.0/24", "194.0.0.0/24", "198.6.0.0/24"];

/// The server, the resolver, and the registry between parent and child.
struct World {
    directory: PathBuf,
    rhumb: Rhumb,
    resolver: Program,
    signers: BTreeSet<String>,
    /// What a validator that does not know compact denial says of a name that
    /// is not there (RFC 9824 §4).
    missing: &'static str,
}

impl World {
    fn new(denial: &str) -> Self {
        let directory = fresh_directory(&format!("validated-{denial}"));
        fs::write(directory.join("child.zone"), ZONE).unwrap();
        fs::write(directory.join("parent.zone"), parent(&[])).unwrap();
        let policy = directory.join("policy.yaml");
        fs::write(&policy, POLICY.replace("DENIAL", denial)).unwrap();
        let missing = if denial == "compact" { "NOERROR" } else { "NXDOMAIN" };
        let rhumb = Rhumb::serve(&directory, &policy, &[&format!("{RHUMB}:53")], &[]);
        let resolver = Program::start(&directory, unbound(&directory));
        let mut world = Self { directory, rhumb, resolver, signers: BTreeSet::new(), missing };
        let start = Instant::now();
        while !world.ask(&format!("www.{CHILD} A")).flags.contains("ad") {
            world.registry();
            assert!(start.elapsed() < LIMIT, "never authentic:\n{}", world.resolver.output());
        }
        world
    }

    /// Gives the parent the DS that the child asks for; notes who signs now.
    fn registry(&mut self) {
        let wanted = dig(&format!("@{RHUMB} {CHILD} CDS"));
        let wanted: Vec<String> = wanted.answers.iter().map(|line| line.replace(" CDS ", " 1 DS ")).collect();
        let zone = parent(&wanted);
        let path = self.directory.join("parent.zone");
        if !wanted.is_empty() && fs::read_to_string(&path).unwrap() != zone {
            fs::write(&path, zone).unwrap();
        }
        for rtype in ["SOA", "DNSKEY"] {
            let signed = dig(&format!("@{RHUMB} {CHILD} {rtype} +dnssec"));
            let tag = |line: &String| {
                let (_, data) = line.split_once(" RRSIG ")?;
                Some(format!("{rtype} {}", data.split(' ').nth(6)?))
            };
            self.signers.extend(signed.answers.iter().filter_map(tag));
        }
    }

    fn ask(&self, question: &str) -> Reply {
        dig(&format!("@{RESOLVER} {question} +dnssec"))
    }

    /// Every question once, for a client each.
    fn round(&self, round: usize, failed: &mut Vec<String>) {
        for (at, (name, rtype, status)) in QUESTIONS.iter().enumerate() {
            let name = if *name == "@" { CHILD.to_owned() } else { format!("{name}.{CHILD}") };
            let client = CLIENTS[(round + at) % CLIENTS.len()];
            let reply = self.ask(&format!("{name} {rtype} +subnet={client}"));
            let status = if *status == "NXDOMAIN" { self.missing } else { status };
            if reply.status != status || !reply.flags.contains("ad") {
                failed.push(format!("round {round}: {name} {rtype} for {client}:\n{}", reply.text));
            }
        }
    }

    /// How many keys have signed RRsets of this type.
    fn signers(&self, rtype: &str) -> usize {
        self.signers.iter().filter(|signer| signer.starts_with(rtype)).count()
    }
}

/// The parent zone with these DS records.
fn parent(signers: &[String]) -> String {
    let mut zone = ZONE.replace("old 1 DNAME wild\n", "gslb 1 NS ns1.gslb\nns1.gslb 1 A 203.0.113.53\n");
    for signer in signers {
        zone.push_str(signer);
        zone.push('\n');
    }
    zone
}

fn unbound(directory: &Path) -> Command {
    let anchor = dig(&format!("@{RHUMB} example.com DNSKEY"));
    let anchors: String =
        anchor.answers.iter().map(|line| format!("{}\n", line.replace(" DNSKEY ", " IN DNSKEY "))).collect();
    fs::write(directory.join("anchor"), anchors).unwrap();
    let config = format!(
        "server:\n  interface: {RESOLVER}\n  access-control: 0.0.0.0/0 allow\n  username: \"\"\n  chroot: \"\"\n  \
         pidfile: \"\"\n  directory: \"{}\"\n  module-config: \"subnetcache validator iterator\"\n  \
         trust-anchor-file: anchor\n  send-client-subnet: {RHUMB}\n  client-subnet-always-forward: yes\n  \
         use-syslog: no\n  val-log-level: 2\n  log-servfail: yes\n  outgoing-interface: {RESOLVER}\n  do-ip6: no\n  \
         harden-below-nxdomain: yes\n  aggressive-nsec: yes\n\
         remote-control:\n  control-enable: no\n\
         stub-zone:\n  name: example.com\n  stub-addr: {RHUMB}\n",
        directory.display()
    );
    fs::write(directory.join("unbound.conf"), config).unwrap();
    let mut command = Command::new("unbound");
    let path = std::env::var("PATH").unwrap_or_default();
    command.env("PATH", format!("{path}:/usr/sbin")).args(["-d", "-c", "unbound.conf"]);
    command
}

fn check(test: &str, denial: &str) {
    if missing(&["unbound", "dig"]) {
        return;
    }
    in_own_network(test, &[RHUMB, RESOLVER], || {
        let mut world = World::new(denial);
        let start = Instant::now();
        let (mut round, mut failed) = (0, Vec::new());
        while world.signers("DNSKEY") < 3 || world.signers("SOA") < 3 {
            world.round(round, &mut failed);
            world.registry();
            round += 1;
            if round == 10 {
                world.rhumb.tell(&["force", "datacenter:fra", "down", "--reason", "a test"]);
            }
            assert!(failed.is_empty(), "{}\n{}", failed.concat(), world.resolver.output());
            assert!(start.elapsed() < LIMIT, "keys do not roll: {:?}", world.signers);
        }
        assert!(round > 10, "the failover was in it");
        let moved = dig(&format!("@{RESOLVER} www.{CHILD} A +subnet={}", CLIENTS[0]));
        assert!(moved.text.contains("198.51.100.10"), "{}", moved.text);
    });
}

#[test]
fn never_bogus_with_nsec() {
    check("never_bogus_with_nsec", "nsec");
}

#[test]
fn never_bogus_with_nsec3() {
    check("never_bogus_with_nsec3", "nsec3");
}

#[test]
fn never_bogus_with_compact_denial() {
    check("never_bogus_with_compact_denial", "compact");
}
