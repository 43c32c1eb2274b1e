//! Validating resolvers between Rhumb and those who ask, and dnsviz.
//!
//! In a network of its own, NSD serves an unsigned root that delegates a zone
//! to Rhumb, which signs it; the resolver has the zone's key as its trust
//! anchor and nothing else to believe in. What is signed must come with AD,
//! what is insecure without, nothing may be SERVFAIL: that is how a resolver
//! says bogus. dnsviz then finds neither errors nor warnings.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::dig::dig;
use crate::support::network::in_own_network;
use crate::support::programs::{Program, Rhumb, fresh_directory, missing, testdata};

/// Addresses in the tests' network: the world above, Rhumb, the resolver.
const WORLD: &str = "203.0.113.1";
const RHUMB: &str = "203.0.113.53";
const RESOLVER: &str = "198.51.100.1";

const DENIALS: [&str; 3] = ["nsec", "nsec3", "compact"];

/// Name, type, status, how many answers, whether it is secure, why. With
/// compact denial a name that is not there is one without data (RFC 9824 §2).
const ROWS: &[(&str, &str, &str, usize, bool, &str)] = &[
    ("www", "A", "NOERROR", 1, true, "steered"),
    ("www", "AAAA", "NOERROR", 1, true, "steered, the other family"),
    ("www", "MX", "NOERROR", 0, true, "another type at a steered name"),
    ("x.app", "A", "NOERROR", 1, true, "a steered wildcard"),
    ("x.app", "AAAA", "NOERROR", 0, true, "a family that it lacks"),
    ("mail", "A", "NOERROR", 1, true, "static"),
    ("mail", "TXT", "NOERROR", 0, true, "no such type"),
    ("nope", "A", "NXDOMAIN", 0, true, "no such name"),
    ("leaf.nope", "A", "NXDOMAIN", 0, true, "below no such name"),
    ("inside", "A", "NOERROR", 0, true, "an empty non-terminal"),
    ("x.any", "A", "NOERROR", 1, true, "a wildcard"),
    ("y.x.any", "A", "NOERROR", 1, true, "two labels under it"),
    ("x.any", "MX", "NOERROR", 0, true, "a type that the wildcard lacks"),
    ("alias", "A", "NOERROR", 2, true, "an alias of a steered name"),
    ("static", "AAAA", "NOERROR", 2, true, "an alias of a static one"),
    ("wildalias", "A", "NOERROR", 2, true, "an alias into a wildcard"),
    ("host.old", "A", "NOERROR", 3, true, "a renamed subtree"),
    ("nope.old", "A", "NXDOMAIN", 2, true, "nothing where it was renamed to"),
    ("host.insecure", "A", "NOERROR", 1, false, "below an insecure delegation"),
    ("insecure", "DS", "NOERROR", 0, true, "which is proved to be one"),
    ("host.child", "A", "NOERROR", 1, true, "below a secure delegation"),
    ("nope.child", "A", "NXDOMAIN", 0, true, "nothing there"),
    ("child", "DS", "NOERROR", 1, true, "its DS, from the parent"),
    ("@", "MX", "NOERROR", 1, true, "the apex"),
    ("@", "NS", "NOERROR", 1, true, "its servers"),
    ("@", "SOA", "NOERROR", 1, true, "its SOA"),
    ("@", "CAA", "NOERROR", 1, true, "RFC 8659"),
    ("@", "DNSKEY", "NOERROR", 1, true, "its key"),
    ("svc", "HTTPS", "NOERROR", 1, true, "RFC 9460"),
    ("_sip._tcp", "SRV", "NOERROR", 1, true, "below an empty non-terminal"),
    ("txt", "TXT", "NOERROR", 1, true, "two strings"),
    ("odd", "TYPE65280", "NOERROR", 1, true, "a type nobody knows"),
];

/// Names that dnsviz looks at, besides the apex: delegations have zones of
/// their own.
const SEEN: [&str; 9] = ["www", "mail", "nope", "inside", "x.any", "alias", "wildalias", "host.old", "txt"];

/// The network with everything in it but a resolver.
struct Network {
    directory: PathBuf,
    anchors: Vec<(String, String)>,
    _world: Program,
    _rhumb: Rhumb,
}

impl Network {
    fn new(test: &str) -> Self {
        let directory = fresh_directory(&format!("validators-{test}"));
        let rhumb = rhumb(&directory);
        let world = world(&directory);
        let zones = DENIALS.map(|denial| format!("{denial}.example"));
        let anchors = zones.map(|zone| (key(&zone), zone)).map(|(key, zone)| (zone, key)).into();
        for denial in DENIALS {
            secure(&directory, denial);
        }
        Self { directory, anchors, _world: world, _rhumb: rhumb }
    }

    /// One line for each trust anchor: `before ZONE between KEY after`.
    fn anchors(&self, line: impl Fn(&str, &str) -> String) -> String {
        self.anchors.iter().map(|(zone, key)| line(zone, key)).collect()
    }
}

/// Serves a parent and its child in each kind of denial.
fn rhumb(directory: &Path) -> Rhumb {
    let data = testdata().join("conformance/validators");
    let mut policy = "datacenters: { fra: { at: [50.1, 8.7] }, iad: { at: [38.9, -77.0] } }\n".to_owned();
    for denial in DENIALS {
        let parent = fs::read_to_string(data.join("signed.zone")).unwrap();
        let child = fs::read_to_string(data.join("child.zone")).unwrap();
        fs::write(
            directory.join(format!("{denial}.zone")),
            parent.replace("child.ds", &format!("{denial}.ds")),
        )
        .unwrap();
        fs::write(directory.join(format!("{denial}.ds")), "").unwrap();
        fs::write(
            directory.join(format!("{denial}.child")),
            child
                .replace("@PARENT@", &format!("{denial}.example"))
                .replace("SOA ns ", &format!("SOA ns.{denial}.example. ")),
        )
        .unwrap();
        let _ = write!(
            policy,
            "---\nzone: {denial}.example\nrecords: {denial}.zone\ndnssec: {{ denial: {denial} }}\nservices:\n  \
             www: {{ vips: {{ fra: [192.0.2.10, \"2001:db8:1::10\"], iad: [192.0.2.20, \"2001:db8:2::20\"] }} }}\n  \
             \"*.app\": {{ vips: {{ fra: 192.0.2.11, iad: 192.0.2.21 }} }}\n\
             ---\nzone: child.{denial}.example\nrecords: {denial}.child\ndnssec: {{ denial: {denial} }}\n"
        );
    }
    let file = directory.join("policy.yaml");
    fs::write(&file, policy).unwrap();
    Rhumb::serve(directory, &file, &[&format!("{RHUMB}:53")], &[])
}

/// The root above, and the insecure children.
fn world(directory: &Path) -> Program {
    let mut root =
        format!(". 3600 SOA ns.root. h.root. 1 1 1 1 60\n. 3600 NS ns.root.\nns.root. 3600 A {WORLD}\n");
    let mut zones = "zone:\n  name: \".\"\n  zonefile: root.zone\n".to_owned();
    for denial in DENIALS {
        let _ = write!(
            root,
            "{denial}.example. 3600 NS ns.{denial}.example.\nns.{denial}.example. 3600 A {RHUMB}\n"
        );
        let _ = write!(zones, "zone:\n  name: insecure.{denial}.example\n  zonefile: insecure.zone\n");
    }
    fs::write(directory.join("root.zone"), root).unwrap();
    let insecure =
        format!("@ 300 SOA ns h 1 1 1 1 60\n@ 300 NS ns\nns 300 A {WORLD}\nhost 300 A 192.0.2.50\n");
    fs::write(directory.join("insecure.zone"), insecure).unwrap();
    fs::write(directory.join("root.hints"), format!(". 3600 NS ns.root.\nns.root. 3600 A {WORLD}\n"))
        .unwrap();
    let config = format!(
        "server:\n  ip-address: {WORLD}\n  username: \"\"\n  database: \"\"\n  pidfile: \"\"\n  \
         zonelistfile: zone.list\n  xfrdfile: \"\"\n  xfrdir: .\n  zonesdir: \"\"\n  server-count: 1\n\
         remote-control:\n  control-enable: no\n{zones}"
    );
    let mut nsd = with_config(directory, ("nsd.conf", &config), &["nsd", "-d", "-c", "nsd.conf"]);
    nsd.await_ready(|| dig(&format!("@{WORLD} . SOA +time=1")).status == "NOERROR");
    nsd
}

/// The data of a zone's DNSKEY, once the server has made it.
fn key(zone: &str) -> String {
    let prefix = format!("{zone}. DNSKEY ");
    loop {
        let reply = dig(&format!("@{RHUMB} {zone} DNSKEY"));
        if let Some(line) = reply.answers.iter().find(|line| line.starts_with(&prefix)) {
            return line[prefix.len()..].to_owned();
        }
    }
}

/// Has the parent vouch for the child.
fn secure(directory: &Path, denial: &str) {
    let child = format!("child.{denial}.example");
    fs::write(directory.join("child.key"), format!("{child}. 3600 IN DNSKEY {}\n", key(&child))).unwrap();
    let mut command = Command::new("dnssec-dsfromkey");
    let output = command.args(["-2", "-f", "child.key", &child]).current_dir(directory).output().unwrap();
    fs::write(directory.join(format!("{denial}.ds")), output.stdout).unwrap();
    while dig(&format!("@{RHUMB} {child} DS")).answers.is_empty() {}
}

/// A program with a configuration file in `directory`.
fn with_config(directory: &Path, (file, text): (&str, &str), words: &[&str]) -> Program {
    fs::write(directory.join(file), text).unwrap();
    let mut command = Command::new(words[0]);
    // Debian keeps daemons where only root's PATH leads.
    let path = std::env::var("PATH").unwrap_or_default();
    command.env("PATH", format!("{path}:/usr/sbin")).args(&words[1..]);
    Program::start(directory, command)
}

/// Every row in every kind of denial, through the resolver that `start` starts.
fn check(test: &str, program: &str, start: impl FnOnce(&Network) -> Program) {
    if missing(&[program, "nsd", "dig", "dnssec-dsfromkey"]) {
        return;
    }
    in_own_network(&format!("validators::{test}"), &[WORLD, RHUMB, RESOLVER], || {
        let network = Network::new(test);
        let mut resolver = start(&network);
        resolver.await_ready(|| dig(&format!("@{RESOLVER} mail.nsec.example A +time=1")).status == "NOERROR");
        for denial in DENIALS {
            for (name, rtype, status, answers, secure, why) in ROWS {
                let full = match *name {
                    "@" => format!("{denial}.example"),
                    name => format!("{name}.{denial}.example"),
                };
                let status = if denial == "compact" { "NOERROR" } else { status };
                let reply = dig(&format!("@{RESOLVER} {full} {rtype} +adflag"));
                let ad = reply.flags.split(' ').any(|flag| flag == "ad");
                assert_eq!(
                    (reply.status.as_str(), reply.answers.len(), ad),
                    (status, *answers, *secure),
                    "{test}: {full} {rtype}: {why}\n{}\n{}",
                    reply.text,
                    resolver.output()
                );
            }
        }
    });
}

#[test]
fn unbound() {
    check("unbound", "unbound", |network| {
        let directory = network.directory.display();
        let anchors = network.anchors(|zone, key| format!("  trust-anchor: \"{zone}. DNSKEY {key}\"\n"));
        let config = format!(
            "server:\n  interface: {RESOLVER}\n  access-control: 0.0.0.0/0 allow\n  username: \"\"\n  \
             chroot: \"\"\n  pidfile: \"\"\n  directory: \"{directory}\"\n  root-hints: root.hints\n  \
             module-config: \"validator iterator\"\n  use-syslog: no\n  log-servfail: yes\n  val-log-level: 2\n  \
             outgoing-interface: {RESOLVER}\n  do-ip6: no\n{anchors}"
        );
        with_config(&network.directory, ("unbound.conf", &config), &["unbound", "-d", "-c", "unbound.conf"])
    });
}

#[test]
fn bind() {
    check("bind", "named", |network| {
        let anchors = network.anchors(|zone, key| {
            let words: Vec<&str> = key.splitn(4, ' ').collect();
            format!("  \"{zone}\" static-key {} {} {} \"{}\";\n", words[0], words[1], words[2], words[3])
        });
        let config = format!(
            "options {{ directory \"{}\"; listen-on {{ {RESOLVER}; }}; listen-on-v6 {{ none; }};\n\
             recursion yes; allow-recursion {{ any; }}; dnssec-validation yes; empty-zones-enable no;\n\
             pid-file none; session-keyfile none; query-source address {RESOLVER}; }};\n\
             controls {{ }};\nzone \".\" {{ type hint; file \"root.hints\"; }};\ntrust-anchors {{\n{anchors}}};\n",
            network.directory.display()
        );
        with_config(
            &network.directory,
            ("named.conf", &config),
            &["named", "-g", "-n", "1", "-c", "named.conf"],
        )
    });
}

#[test]
fn knot_resolver() {
    check("knot_resolver", "kresd", |network| {
        let anchors =
            network.anchors(|zone, key| format!("trust_anchors.add('{zone}. 3600 DNSKEY {key}')\n"));
        let config = format!(
            "net.listen('{RESOLVER}', 53, {{ kind = 'dns' }})\ncache.size = 10 * MB\n\
             modules = {{ 'hints > iterate' }}\nhints.root_file('root.hints')\ntrust_anchors.remove('.')\n\
             {anchors}net.ipv6 = false\nnet.outgoing_v4('{RESOLVER}')\n"
        );
        with_config(&network.directory, ("kresd.conf", &config), &["kresd", "-n", "-c", "kresd.conf", "."])
    });
}

#[test]
fn dnsviz_finds_nothing() {
    if missing(&["dnsviz", "nsd", "dig", "dnssec-dsfromkey"]) {
        return;
    }
    in_own_network("validators::dnsviz_finds_nothing", &[WORLD, RHUMB, RESOLVER], || {
        let network = Network::new("dnsviz");
        for (zone, key) in &network.anchors {
            fs::write(network.directory.join("anchor.key"), format!("{zone}. 3600 IN DNSKEY {key}\n"))
                .unwrap();
            let mut command = Command::new("/usr/bin/python3");
            command.arg(testdata().join("conformance/dnsviz")).args(["anchor.key", zone, RHUMB]);
            command.args(SEEN.map(|name| format!("{name}.{zone}"))).current_dir(&network.directory);
            let output = command.output().unwrap();
            assert!(output.status.success(), "{zone}: {}", String::from_utf8_lossy(&output.stdout));
        }
    });
}
