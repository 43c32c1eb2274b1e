//! Edits while the server runs.

use std::os::unix::fs::symlink;
use std::time::{Duration, Instant};

use rustix::process::{Signal, kill_process};

use crate::run::{PATIENCE, Scratch, Server, testdata, text};

const WWW: &str = "www.example.com. A";

fn policy(address: &str) -> String {
    format!(
        "zone: example.com\ndatacenters: {{ dc: {{ at: [50, 8] }} }}\nservices: {{ www: {{ vips: {{ dc: {address} }} }} }}\n"
    )
}

type Edit = fn(&Scratch, &str);

/// The ways in which a file gets a new content.
const EDITS: [(Edit, &str); 4] = [
    (|scratch, text| scratch.write("policies/a.yaml", text), "written in place"),
    (
        |scratch, text| {
            scratch.write("policies/.a.yaml.swp", text);
            std::fs::rename(scratch.path("policies/.a.yaml.swp"), scratch.path("policies/a.yaml")).unwrap();
        },
        "renamed over, as editors do",
    ),
    (
        |scratch, text| {
            std::fs::remove_file(scratch.path("policies/a.yaml")).unwrap();
            scratch.write("policies/b.yaml", text);
        },
        "moved to another file of the directory",
    ),
    (
        |scratch, text| {
            std::fs::remove_dir_all(scratch.path("policies")).unwrap();
            scratch.write("policies/a.yaml", text);
        },
        "the directory made anew",
    ),
];

#[test]
fn edits_are_served_within_a_second() {
    let scratch = Scratch::new("edits");
    scratch.write("policies/a.yaml", &policy("192.0.2.0"));
    let server = Server::start(&scratch, &["policies"]);
    assert_eq!(server.ask(WWW), "192.0.2.0");
    let mut quickest = Duration::MAX;
    for (round, (edit, why)) in (1..).zip(EDITS) {
        let address = format!("192.0.2.{round}");
        edit(&scratch, &policy(&address));
        quickest = quickest.min(server.ask_until(WWW, &address, why));
        assert_eq!(server.status()["generation"], round + 1, "{why}: one edit, one generation");
    }
    // The quickest, because a machine that runs tests is busy.
    assert!(quickest < Duration::from_secs(1), "the quickest edit took {quickest:?}");
}

#[test]
fn links_may_be_swapped() {
    let scratch = Scratch::new("links");
    for version in 1..=3 {
        scratch.write(&format!("map/..{version}/a.yaml"), &policy(&format!("192.0.2.{version}")));
    }
    symlink("..1", scratch.path("map/..data")).unwrap();
    symlink("..data/a.yaml", scratch.path("map/a.yaml")).unwrap();
    let server = Server::start(&scratch, &["map"]);
    assert_eq!(server.ask(WWW), "192.0.2.1");
    for version in 2..=3 {
        symlink(format!("..{version}"), scratch.path("map/..data_tmp")).unwrap();
        std::fs::rename(scratch.path("map/..data_tmp"), scratch.path("map/..data")).unwrap();
        server.ask_until(WWW, &format!("192.0.2.{version}"), "a config map is updated");
    }
}

#[test]
fn a_wrong_edit_changes_nothing_and_says_so() {
    let scratch = Scratch::new("wrong");
    scratch.write("policy.yaml", &policy("192.0.2.1"));
    let server = Server::start(&scratch, &["policy.yaml"]);
    scratch.write("policy.yaml", &policy("192.0.2.300"));
    let refused = server.tell(&["reload"]);
    assert_eq!(refused.status.code(), Some(1), "the files are bad");
    let complaint = "policy.yaml:3:32: service www: vips.dc.address: must be";
    assert!(text(&refused.stderr).contains(complaint), "{}", text(&refused.stderr));
    assert_eq!(server.ask(WWW), "192.0.2.1", "the old policy is served");
    let status = server.status();
    assert_eq!(status["generation"], 1);
    assert!(status["refused"]["diagnostics"].to_string().contains(complaint), "{status}");
    assert!(text(&server.tell(&["status"]).stdout).contains("THE FILES ON DISK ARE WRONG"));

    assert_eq!(server.tell(&["reload"]).status.code(), Some(1), "still bad");
    let logged = scratch.read("server.log").matches(complaint).count();
    assert_eq!(logged, 1, "and logged once: {}", scratch.read("server.log"));

    scratch.write("policy.yaml", &policy("192.0.2.1"));
    let mended = server.tell(&["reload"]);
    assert!(mended.status.success());
    let status = server.status();
    assert_eq!(
        (&status["generation"], &status["refused"]),
        (&1.into(), &serde_json::Value::Null),
        "as it was"
    );
}

#[test]
fn serials_follow_content() {
    let scratch = Scratch::new("serials");
    let zone =
        |text: &str| format!("$TTL 60\n@ SOA ns1 host 7 1h 1h 1w 1m\n@ NS ns1\nns1 A 192.0.2.53\n{text}\n");
    let policy = |rest: &str| format!("zone: example.com\nrecords: example.zone\n{rest}\n");
    scratch.write("policy.yaml", &policy(""));
    scratch.write("example.zone", &zone(""));
    let serial = |server: &Server<'_>| server.status()["zones"][0]["serial"].as_u64().unwrap();
    let arguments = ["policy.yaml", "--state", "state"];
    {
        let server = Server::start(&scratch, &arguments);
        let reload = || assert!(server.tell(&["reload"]).status.success());
        assert_eq!(serial(&server), 7, "the operator's");
        scratch.write("policy.yaml", &policy("datacenters: { dc: { at: [1, 2] } }"));
        reload();
        assert_eq!(serial(&server), 7, "the world changed, the zone did not");
        scratch.write("example.zone", &zone("www A 192.0.2.1"));
        reload();
        assert_eq!(serial(&server), 8, "the zone changed, its serial was forgotten");
        assert_eq!(server.ask(WWW), "192.0.2.1");
    }
    scratch.write("example.zone", &zone("www A 192.0.2.2"));
    let server = Server::start(&scratch, &arguments);
    assert_eq!(serial(&server), 9, "a restart does not make it go back");
}

#[test]
fn databases_are_followed_and_broken_ones_refused() {
    let scratch = Scratch::new("databases");
    scratch.write(
        "policy.yaml",
        "zone: example.com
datacenters: { fra: { at: [50.1, 8.7] }, iad: { at: [38.9, -77.0] } }
services: { www: { vips: { fra: 192.0.2.10, iad: 198.51.100.10 } } }
",
    );
    let install = |database: &str| {
        std::fs::copy(testdata(&format!("geo/{database}")), scratch.path("new.mmdb")).unwrap();
        std::fs::rename(scratch.path("new.mmdb"), scratch.path("geo.mmdb")).unwrap();
    };
    install("city.mmdb");
    let server = Server::start(&scratch, &["policy.yaml", "--geo", "geo.mmdb"]);
    let answer = || {
        let told = server.tell(&["explain", "www", "--client", "198.51.100.1", "--json"]);
        let told: serde_json::Value = serde_json::from_slice(&told.stdout).unwrap();
        told["answers"][0]["data"].as_str().unwrap().to_owned()
    };
    assert_eq!(answer(), "198.51.100.10", "the client is in Ashburn");
    install("empty.mmdb");
    let refused = server.tell(&["reload"]);
    assert_eq!(refused.status.code(), Some(1), "a database that says nothing is refused");
    assert!(text(&refused.stderr).contains("geo.mmdb"), "{}", text(&refused.stderr));
    assert_eq!(answer(), "198.51.100.10", "the one before it is kept");
    install("flat-city-v4.mmdb");
    let start = Instant::now();
    while answer() != "192.0.2.10" {
        assert!(start.elapsed() < PATIENCE, "the client, now in Tokyo, is not nearer to Frankfurt");
    }
    assert_eq!(server.status()["refused"], serde_json::Value::Null);
}

#[test]
fn signals() {
    let scratch = Scratch::new("signals");
    scratch.write("policy.yaml", &policy("192.0.2.1"));
    let server = Server::start(&scratch, &["policy.yaml"]);
    let kill = |signal| kill_process(server.pid(), signal).unwrap();
    scratch.write("policy.yaml", &policy("192.0.2.2"));
    kill(Signal::HUP);
    server.ask_until(WWW, "192.0.2.2", "SIGHUP reloads and does not end it");
    kill(Signal::TERM);
    assert_eq!(server.end(), Some(0), "SIGTERM ends it well");
    assert!(!scratch.path("admin.sock").exists(), "and its socket with it");
}

#[test]
fn no_query_is_lost_while_edits_come() {
    let scratch = Scratch::new("load");
    scratch.write("policy.yaml", &policy("192.0.2.0"));
    let server = Server::start(&scratch, &["policy.yaml"]);
    for round in 1..=20 {
        let (before, after) = (format!("192.0.2.{}", round - 1), format!("192.0.2.{round}"));
        scratch.write("policy.yaml", &policy(&after));
        loop {
            // `ask` fails when an answer is lost.
            let got = server.ask(WWW);
            if got == after {
                break;
            }
            assert_eq!(got, before, "an answer is of one generation or the next");
        }
        assert_eq!(server.ask(WWW), after, "never back");
    }
}
