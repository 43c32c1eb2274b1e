//! The programs that operators look at answers with: `dig`, `kdig`, `drill`.
//!
//! Each row is one invocation and what its output must and must not say, so
//! that these tools understand every part of a reply that they print.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "support/all.rs"]
mod support;

use std::fs;
use std::process::Command;

use support::programs::{Rhumb, fresh_directory, missing, testdata};

/// Program and words (`@` is the server), what must be said, what must not, why.
type Row = (&'static str, &'static [&'static str], &'static [&'static str], &'static str);

const DIG: &[Row] = &[
    (
        "dig @ www.gslb.example.com A +subnet=5.1.2.0/24",
        &["192.0.2.10", "CLIENT-SUBNET: 5.1.2.0/24/16", "flags: qr aa"],
        &["192.0.2.20"],
        "a European",
    ),
    (
        "dig @ www.gslb.example.com A +subnet=5.0.5.0/24",
        &["192.0.2.20", "CLIENT-SUBNET: 5.0.5.0/24/16"],
        &["192.0.2.10"],
        "an American",
    ),
    (
        "dig @ www.gslb.example.com AAAA +subnet=5.0.5.0/24",
        &["2001:db8:2::20"],
        &["2001:db8:1::10"],
        "the same datacenter in the other family",
    ),
    (
        "dig @ www.gslb.example.com A +subnet=2a00:100::/56",
        &["192.0.2.20", "CLIENT-SUBNET: 2a00:100::/56/32"],
        &[],
        "a client known by its IPv6 network",
    ),
    (
        "dig @ www.gslb.example.com A +subnet=0.0.0.0/0",
        &["CLIENT-SUBNET: 0.0.0.0/0/0", "ANSWER: 1"],
        &[],
        "a client that wants to stay unknown",
    ),
    (
        "dig @ mail.gslb.example.com A +subnet=5.1.2.0/24",
        &["192.0.2.30", "CLIENT-SUBNET: 5.1.2.0/24/0"],
        &[],
        "what is not steered is the same for all",
    ),
    (
        "dig @ nothing.gslb.example.com A +subnet=5.1.2.0/24",
        &["status: NXDOMAIN", "SOA", "CLIENT-SUBNET: 5.1.2.0/24/0"],
        &[],
        "nor is what does not exist",
    ),
    ("dig @ www.gslb.example.com A +tcp", &["(TCP)", "ANSWER: 1", "flags: qr aa"], &[], "over TCP"),
    (
        "dig @ www.gslb.example.com A +tcp +keepopen mail.gslb.example.com A",
        &["192.0.2.30", "(TCP)"],
        &["failed"],
        "two questions over one connection",
    ),
    ("dig @ www.gslb.example.com A +noedns", &["ANSWER: 1"], &["OPT PSEUDOSECTION"], "no EDNS in, none out"),
    (
        "dig @ www.gslb.example.com A +edns=1 +noednsneg",
        &["status: BADVERS"],
        &["192.0.2."],
        "a version of EDNS to come",
    ),
    (
        "dig @ www.gslb.example.com A +ednsopt=65001:deadbeef",
        &["status: NOERROR", "ANSWER: 1"],
        &["deadbeef"],
        "an option nobody knows is skipped",
    ),
    (
        "dig @ www.gslb.example.com A +cookie",
        &["status: NOERROR", "ANSWER: 1"],
        &["FORMERR"],
        "as is a cookie",
    ),
    (
        "dig @ www.gslb.example.com A +dnssec",
        &["flags: do", "ANSWER: 1"],
        &["RRSIG"],
        "DO is echoed; the zone is not signed",
    ),
    ("dig @ www.gslb.example.com A +nsid", &["NSID:", "(\"ns-under-test\")"], &[], "which server is this"),
    ("dig @ CH TXT id.server", &["\"ns-under-test\"", "flags: qr aa"], &[], "the same in class CHAOS"),
    ("dig @ CH TXT version.bind", &["TXT", "status: NOERROR"], &[], "and its version"),
    ("dig @ CH TXT nothing.bind", &["status: REFUSED"], &[], "CHAOS knows nothing else"),
    (
        "dig @ www.gslb.example.com ANY",
        &["HINFO", "\"RFC8482\""],
        &["192.0.2."],
        "ANY gets the least that is true",
    ),
    (
        "dig @ WwW.gSlB.eXaMpLe.CoM A",
        &["WwW.gSlB.eXaMpLe.CoM.\t"],
        &["www.gslb"],
        "the case of the question is kept",
    ),
    (
        "dig @ big.gslb.example.com TXT +ignore +bufsize=1232",
        &["flags: qr aa tc"],
        &["\"record"],
        "too large for a datagram: truncated",
    ),
    (
        "dig @ big.gslb.example.com TXT +bufsize=1232",
        &["Truncated, retrying in TCP mode", "ANSWER: 40"],
        &[],
        "and whole over TCP",
    ),
    (
        "dig @ big.gslb.example.com TXT +ignore +noedns",
        &["flags: qr aa tc"],
        &["\"record"],
        "nor for 512 octets",
    ),
    ("dig @ www.example.org A", &["status: REFUSED"], &["ANSWER: 1"], "not our zone"),
    (
        "dig @ host.sub.gslb.example.com A",
        &["AUTHORITY: 1", "ns.sub.gslb.example.com.", "203.0.113.1"],
        &["flags: qr aa"],
        "a referral with glue, not ours to answer",
    ),
    ("dig @ mail.gslb.example.com MX", &["status: NOERROR", "ANSWER: 0", "SOA"], &[], "NODATA with SOA"),
    (
        "dig @ gslb.example.com MX",
        &["10 mail.gslb.example.com.", "192.0.2.30"],
        &[],
        "an exchange and its address",
    ),
    ("dig @ +opcode=notify gslb.example.com SOA", &["status: NOTAUTH"], &[], "nobody's secondary"),
    ("dig @ +opcode=update gslb.example.com SOA", &["status: NOTIMP"], &[], "no dynamic updates"),
    ("dig @ gslb.example.com AXFR +tcp", &["Transfer failed"], &["203.0.113.53"], "no transfers"),
];

const KDIG: &[Row] = &[
    (
        "kdig @ www.gslb.example.com A +subnet=5.1.2.0/24",
        &["192.0.2.10", "CLIENT-SUBNET: 5.1.2.0/24/16"],
        &["192.0.2.20", "WARNING"],
        "a European",
    ),
    (
        "kdig @ www.gslb.example.com A +subnet=5.0.5.0/24",
        &["192.0.2.20"],
        &["192.0.2.10", "WARNING"],
        "an American",
    ),
    (
        "kdig @ +tcp +keepopen www.gslb.example.com A mail.gslb.example.com A",
        &["192.0.2.30", "(TCP)"],
        &["WARNING", ";; ERROR"],
        "two questions over one connection",
    ),
    (
        "kdig @ www.gslb.example.com A +nsid",
        &["NSID:", "\"ns-under-test\""],
        &["WARNING"],
        "which server is this",
    ),
    (
        "kdig @ big.gslb.example.com TXT +bufsize=1232 +ignore",
        &["Flags: qr aa tc"],
        &["\"record"],
        "too large for a datagram",
    ),
    ("kdig @ big.gslb.example.com TXT", &["ANSWER: 40"], &[";; ERROR"], "and whole over TCP"),
    ("kdig @ id.server CH TXT", &["\"ns-under-test\""], &["WARNING"], "class CHAOS"),
    (
        "kdig @ _sip._tcp.gslb.example.com SRV",
        &["10 5 5060 mail.gslb.example.com."],
        &["WARNING"],
        "a name in record data",
    ),
];

const DRILL: &[Row] = &[
    ("drill @ www.gslb.example.com A", &["rcode: NOERROR", "flags: qr aa", "192.0.2."], &["Error"], "UDP"),
    ("drill -t @ mail.gslb.example.com AAAA", &["2001:db8::30"], &["Error"], "TCP"),
    ("drill @ nothing.gslb.example.com A", &["rcode: NXDOMAIN", "SOA"], &["Error"], "no such name"),
    (
        "drill @ host.old.gslb.example.com A",
        &["DNAME", "CNAME", "192.0.2.33"],
        &["Error"],
        "a renamed subtree",
    ),
    ("drill -t @ big.gslb.example.com TXT", &["ANSWER: 40"], &["Error"], "4 kB over TCP"),
];

/// Serves the resolvers' zone on both loopbacks and runs every row on each.
fn check(test: &str, program: &str, rows: &[Row]) {
    if missing(&[program]) {
        return;
    }
    let directory = fresh_directory(&format!("clients-{test}"));
    let config = directory.join("server.yaml");
    fs::write(&config, "identity: ns-under-test\n").unwrap();
    let policy = testdata().join("resolvers/policy.yaml");
    let rhumb = Rhumb::serve(
        &directory,
        &policy,
        &["127.0.0.1:0", "[::1]:0"],
        &["--config", config.to_str().expect("the target directory's path is text")],
    );
    for address in &rhumb.listening {
        for (words, said, unsaid, why) in rows {
            let mut words = words.split(' ');
            let mut command = Command::new(words.next().unwrap());
            for word in words {
                match word {
                    "@" => {
                        command.arg(format!("@{}", address.ip())).arg("-p").arg(address.port().to_string())
                    }
                    word => command.arg(word),
                };
            }
            let output = command.output().unwrap();
            let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
            // The heading repeats the question as it was typed.
            let text: Vec<&str> = text.lines().filter(|line| !line.starts_with("; <<>>")).collect();
            let text = text.join("\n");
            for part in *said {
                assert!(text.contains(part), "{command:?}: {why}: says no {part:?}:\n{text}");
            }
            for part in *unsaid {
                assert!(!text.contains(part), "{command:?}: {why}: says {part:?}:\n{text}");
            }
        }
    }
}

#[test]
fn with_dig() {
    check("dig", "dig", DIG);
}

#[test]
fn with_kdig() {
    check("kdig", "kdig", KDIG);
}

#[test]
fn with_drill() {
    check("drill", "drill", DRILL);
}
