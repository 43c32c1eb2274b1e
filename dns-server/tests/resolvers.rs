//! Real resolvers, sent to Rhumb by a real delegation.
//!
//! In a network of its own, NSD serves the root and `com`, which delegates
//! `gslb.example.com` with glue; the resolver starts from root hints and
//! finds Rhumb on port 53 by itself. What it answers must be what the policy
//! and the zone file say: a resolver that minimises names, mixes case, asks
//! again over TCP or rejects what is out of bailiwick finds other mistakes
//! than a client that asks one question.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "support/all.rs"]
mod support;

use std::fs;
use std::path::Path;
use std::process::Command;

use support::dig::dig;
use support::network::in_own_network;
use support::programs::{Program, Rhumb, fresh_directory, missing, testdata};

/// Addresses in the tests' network: the world above, Rhumb, the resolver.
const WORLD: &str = "203.0.113.1";
const RHUMB: &str = "203.0.113.53";
const RESOLVER: &str = "198.51.100.1";

/// Name, type, status, answers, why. All resolvers lie in Europe.
const ROWS: &[(&str, &str, &str, &[&str], &str)] = &[
    ("www", "A", "NOERROR", &["www A 192.0.2.10"], "steered to the nearest datacenter"),
    ("www", "AAAA", "NOERROR", &["www AAAA 2001:db8:1::10"], "the same datacenter in the other family"),
    ("www", "MX", "NOERROR", &[], "any other type at a steered name is NODATA"),
    ("v4.only.deep", "AAAA", "NOERROR", &[], "a family that the service lacks"),
    ("only.deep", "A", "NOERROR", &[], "an empty non-terminal above a service"),
    ("shoes.shops", "A", "NOERROR", &["shoes.shops A 192.0.2.11"], "a steered wildcard"),
    ("mail", "A", "NOERROR", &["mail A 192.0.2.30"], "static"),
    ("mail", "AAAA", "NOERROR", &["mail AAAA 2001:db8::30"], "static, the other family"),
    ("nothing", "A", "NXDOMAIN", &[], "no such name"),
    ("leaf.nothing", "A", "NXDOMAIN", &[], "no such name below no such name"),
    ("inside", "A", "NOERROR", &[], "an empty non-terminal: minimised names pass through it"),
    ("leaf.inside", "A", "NOERROR", &["leaf.inside A 192.0.2.31"], "the name below it"),
    ("@", "MX", "NOERROR", &["@ MX 10 mail"], "the apex"),
    ("@", "NS", "NOERROR", &["@ NS ns1"], "the child's own name servers"),
    ("text", "TXT", "NOERROR", &["text TXT \"two\" \"strings\""], "two strings stay two"),
    ("_sip._tcp", "SRV", "NOERROR", &["_sip._tcp SRV 10 5 5060 mail"], "below an empty non-terminal"),
    ("alias", "A", "NOERROR", &["alias CNAME www", "www A 192.0.2.10"], "an alias of a steered name"),
    ("alias", "CNAME", "NOERROR", &["alias CNAME www"], "the alias itself"),
    (
        "chain",
        "AAAA",
        "NOERROR",
        &["alias CNAME www", "chain CNAME alias", "www AAAA 2001:db8:1::10"],
        "an alias of an alias",
    ),
    ("x.any", "A", "NOERROR", &["x.any A 192.0.2.32"], "a static wildcard"),
    ("y.x.any", "A", "NOERROR", &["y.x.any A 192.0.2.32"], "two labels under it"),
    (
        "host.old",
        "A",
        "NOERROR",
        &["host.new A 192.0.2.33", "host.old CNAME host.new", "old DNAME new"],
        "a renamed subtree",
    ),
    ("host.sub", "A", "NOERROR", &["host.sub A 192.0.2.40"], "a referral further down, with glue"),
    ("WwW", "A", "NOERROR", &["www A 192.0.2.10"], "case does not matter"),
];

/// The network with everything in it but a resolver.
struct Network {
    directory: std::path::PathBuf,
    _world: Program,
    rhumb: Rhumb,
}

impl Network {
    fn new(test: &str) -> Self {
        let directory = fresh_directory(&format!("resolvers-{test}"));
        let data = testdata().join("resolvers");
        fs::write(directory.join("root.hints"), format!(". 3600 NS ns.root.\nns.root. 3600 A {WORLD}\n"))
            .unwrap();
        let zones: String = [(".", "root"), ("com", "com"), ("sub.gslb.example.com", "sub")]
            .map(|(name, file)| {
                format!("zone:\n  name: \"{name}\"\n  zonefile: {}/{file}.zone\n", data.display())
            })
            .concat();
        let config = format!(
            "server:\n  ip-address: {WORLD}\n  username: \"\"\n  database: \"\"\n  pidfile: \"\"\n  \
             zonelistfile: zone.list\n  xfrdfile: \"\"\n  xfrdir: .\n  zonesdir: \"\"\n  server-count: 1\n\
             remote-control:\n  control-enable: no\n{zones}"
        );
        let nsd = with_config("nsd", &directory, "nsd.conf", &config, &["-d", "-c", "nsd.conf"]);
        let mut world = Program::start(&directory, nsd);
        world.await_ready(|| dig(&format!("@{WORLD} . SOA +time=1")).status == "NOERROR");
        let rhumb = Rhumb::serve(&directory, &data.join("policy.yaml"), &[&format!("{RHUMB}:53")], &[]);
        Self { directory, _world: world, rhumb }
    }

    /// Starts a resolver and waits until it finds its way to Rhumb.
    fn start(&self, resolver: Command) -> Program {
        let mut resolver = Program::start(&self.directory, resolver);
        resolver.await_ready(|| dig(&format!("@{RESOLVER} mail.gslb.example.com A")).status == "NOERROR");
        resolver
    }
}

/// A command with a configuration file in `directory`.
fn with_config(program: &str, directory: &Path, file: &str, text: &str, arguments: &[&str]) -> Command {
    fs::write(directory.join(file), text).unwrap();
    let mut command = Command::new(program);
    // Debian keeps daemons where only root's PATH leads.
    let path = std::env::var("PATH").unwrap_or_default();
    command.env("PATH", format!("{path}:/usr/sbin")).args(arguments);
    command
}

/// Every row, through the resolver that `configure` makes of the network.
fn check(test: &str, programs: &[&str], configure: impl FnOnce(&Network) -> Command) {
    if missing(&[programs, &["nsd", "dig"]].concat()) {
        return;
    }
    in_own_network(test, &[WORLD, RHUMB, RESOLVER], || {
        let network = Network::new(test);
        let resolver = network.start(configure(&network));
        for (name, rtype, status, answers, why) in ROWS {
            let reply = dig(&format!("@{RESOLVER} {} {rtype}", full(name)));
            let mut want: Vec<String> = answers.iter().map(|answer| full_record(answer)).collect();
            want.sort();
            let got: Vec<String> = reply.answers.iter().map(|answer| answer.to_lowercase()).collect();
            let want: Vec<String> = want.iter().map(|answer| answer.to_lowercase()).collect();
            assert_eq!(
                (reply.status.as_str(), got),
                (*status, want),
                "{test}: {name} {rtype}: {why}\n{}\n{}",
                reply.text,
                resolver.output()
            );
        }
        let big = dig(&format!("@{RESOLVER} {} TXT +tcp", full("big")));
        assert_eq!(big.answers.len(), 40, "{test}: a set that only TCP carries\n{}", big.text);
    });
}

/// A name relative to the zone, in full.
fn full(name: &str) -> String {
    match name {
        "@" => "gslb.example.com.".to_owned(),
        name => format!("{name}.gslb.example.com."),
    }
}

/// `OWNER TYPE DATA` with its names in full.
fn full_record(record: &str) -> String {
    let words: Vec<&str> = record.split(' ').collect();
    let [owner, rtype, data @ .., last] = &words[..] else { panic!("{record}: owner, type, data") };
    let last = match *rtype {
        "CNAME" | "DNAME" | "NS" | "MX" | "SRV" => full(last),
        _ => (*last).to_owned(),
    };
    [&[&full(owner), *rtype], data, &[&last]].concat().join(" ")
}

#[test]
fn bind() {
    check("bind", &["named"], |network| {
        let config = format!(
            "options {{ directory \"{}\"; listen-on {{ {RESOLVER}; }}; listen-on-v6 {{ none; }};\n\
             recursion yes; allow-recursion {{ any; }}; dnssec-validation no; empty-zones-enable no;\n\
             pid-file none; session-keyfile none; qname-minimization strict;\n\
             query-source address {RESOLVER}; }};\n\
             controls {{ }};\nzone \".\" {{ type hint; file \"root.hints\"; }};\n",
            network.directory.display()
        );
        with_config(
            "named",
            &network.directory,
            "named.conf",
            &config,
            &["-g", "-n", "1", "-c", "named.conf"],
        )
    });
}

#[test]
fn knot_resolver() {
    check("knot_resolver", &["kresd"], |network| {
        let config = format!(
            "net.listen('{RESOLVER}', 53, {{ kind = 'dns' }})\ncache.size = 10 * MB\n\
             modules = {{ 'hints > iterate' }}\nhints.root_file('root.hints')\ntrust_anchors.remove('.')\n\
             net.ipv6 = false\nnet.outgoing_v4('{RESOLVER}')\n"
        );
        with_config("kresd", &network.directory, "kresd.conf", &config, &["-n", "-c", "kresd.conf", "."])
    });
}

#[test]
fn powerdns_recursor() {
    check("powerdns_recursor", &["pdns_recursor"], |network| {
        let config = format!(
            "local-address={RESOLVER}\nhint-file=root.hints\ndont-query=\ndnssec=off\ndaemon=no\n\
             query-local-address={RESOLVER}\nallow-from=0.0.0.0/0\n\
             socket-dir={}\nwrite-pid=no\nsecurity-poll-suffix=\nquiet=yes\nthreads=1\n",
            network.directory.display()
        );
        with_config("pdns_recursor", &network.directory, "recursor.conf", &config, &["--config-dir=."])
    });
}

#[test]
fn unbound() {
    check("unbound", &["unbound"], |network| unbound_command(network, "iterator"));
}

fn unbound_command(network: &Network, modules: &str) -> Command {
    let directory = network.directory.display();
    let config = format!(
        "server:\n  interface: {RESOLVER}\n  access-control: 0.0.0.0/0 allow\n  username: \"\"\n  chroot: \"\"\n  \
         pidfile: \"\"\n  directory: \"{directory}\"\n  root-hints: root.hints\n  module-config: \"{modules}\"\n  \
         send-client-subnet: {RHUMB}\n  client-subnet-always-forward: yes\n  use-caps-for-id: yes\n  \
         qname-minimisation-strict: yes\n  use-syslog: no\n  log-servfail: yes\n  \
         outgoing-interface: {RESOLVER}\n  extended-statistics: yes\n  do-ip6: no\n\
         remote-control:\n  control-enable: yes\n  control-interface: {directory}/control\n  \
         control-use-cert: no\n"
    );
    with_config("unbound", &network.directory, "unbound.conf", &config, &["-d", "-c", "unbound.conf"])
}

/// A resolver that forwards Client Subnet asks once per scope and serves the
/// rest of the scope from its cache.
#[test]
fn unbound_keeps_client_subnets_apart() {
    let test = "unbound_keeps_client_subnets_apart";
    if missing(&["unbound", "unbound-control", "nsd", "dig"]) {
        return;
    }
    in_own_network(test, &[WORLD, RHUMB, RESOLVER], || {
        let network = Network::new(test);
        let resolver = network.start(unbound_command(&network, "subnetcache iterator"));
        let rows = [
            ("5.1.2.0/24", "192.0.2.10", false, "the first European"),
            ("5.1.2.0/24", "192.0.2.10", true, "again"),
            ("5.0.5.0/24", "192.0.2.20", false, "an American is not served the European answer"),
            ("5.1.3.0/24", "192.0.2.10", true, "another European in the scope of the first"),
            ("5.1.200.0/24", "192.0.2.10", true, "far from the first, still in its scope"),
            ("5.0.250.0/24", "192.0.2.20", true, "another American"),
        ];
        for (client, address, cached, why) in rows {
            let before = subnet_cache_hits(&network);
            let reply = dig(&format!("@{RESOLVER} www.gslb.example.com A +subnet={client}"));
            let hit = subnet_cache_hits(&network) > before;
            let want = format!("www.gslb.example.com. A {address}");
            assert_eq!(
                (reply.answers.as_slice(), hit),
                (&[want][..], cached),
                "{client}: {why}\n{}\n{}",
                reply.text,
                resolver.output()
            );
            let direct = dig(&format!("@{RHUMB} www.gslb.example.com A +subnet={client}"));
            assert_eq!(reply.scope(), direct.scope(), "{client}: the scope passed on: {why}\n{}", reply.text);
            assert_eq!(direct.scope(), Some(16), "{client}: as wide as the operator's prefix");
        }
        drop(network.rhumb);
    });
}

fn subnet_cache_hits(network: &Network) -> u64 {
    let mut command = Command::new("/usr/sbin/unbound-control");
    let output =
        command.current_dir(&network.directory).args(["-c", "unbound.conf", "stats_noreset"]).output();
    let text = String::from_utf8(output.unwrap().stdout).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("num.query.subnet_cache="));
    line.and_then(|count| count.parse().ok()).unwrap_or_else(|| panic!("no subnet cache figure in:\n{text}"))
}
