//! Every key against abuse and for observing, from a file to what it does.

use std::fs;
use std::time::Instant;

use crate::support::dig::dig;
use crate::support::programs::{PATIENCE, Rhumb, fresh_directory, missing, testdata};

const CONFIG: &str = "
udp-size: 4096
udp-size-without-cookie: 512
cookies: { require: false }
rate-limit: { per-second: 1, log-only: true }
chaos-from: [192.0.2.0/24]
client-subnet-from: [192.0.2.0/24]
query-log: { file: queries.json, one-in: 1 }
dnstap: { file: tap, per-second: 10 }
";

#[test]
fn keys_do_what_they_say() {
    if missing(&["dig"]) {
        return;
    }
    let directory = fresh_directory("guarded");
    let config = directory.join("config.yaml");
    fs::write(&config, CONFIG).unwrap();
    let policy = testdata().join("abuse/policy.yaml");
    let rhumb = Rhumb::serve(&directory, &policy, &["127.0.0.1:0"], &["--config", config.to_str().unwrap()]);
    let port = rhumb.listening[0].port();
    let ask = |words: &str| dig(&format!("@127.0.0.1 -p {port} {words}"));
    let long = "long.gslb.example.com TXT +ignore +bufsize=4096";
    let rows = [
        ("www.gslb.example.com A", "status: NOERROR", "answered"),
        ("www.gslb.example.com A +subnet=5.0.1.0/24", "CLIENT-SUBNET: 5.0.1.0/24/0", "not believed"),
        ("version.bind TXT CH", "EDE: 18", "CHAOS is not for loopback here"),
        ("www.inner.example.com A", "EDE: 18", "nor is the inner zone"),
        ("www.elsewhere.example A", "EDE: 20", "not ours"),
        (long, "flags: qr aa tc", "too long for who proved nothing"),
    ];
    for (words, want, why) in rows {
        let text = ask(words).text;
        assert!(text.contains(want), "{why}: {words}: {want} in\n{text}");
    }
    let told = |name: &str| {
        let status = rhumb.tell(&["status"]);
        let counted =
            status.split([',', '\n']).find_map(|part| part.trim().strip_prefix(name)?.strip_prefix(' '));
        counted.unwrap_or_else(|| panic!("{name} in\n{status}")).parse::<usize>().unwrap()
    };
    let start = Instant::now();
    while told("log_lines") < rows.len() || told("dnstap_messages") < rows.len() {
        assert!(start.elapsed() < PATIENCE, "all are written: {}", rhumb.tell(&["status"]));
    }
    let lines = fs::read_to_string(directory.join("queries.json")).unwrap();
    assert_eq!(lines.lines().count(), rows.len(), "{lines}");
    assert!(fs::metadata(directory.join("tap")).unwrap().len() > 0, "dnstap is written");
    assert!(told("rate_spared") + told("rate_dropped") < rows.len(), "and nothing was dropped");
}
