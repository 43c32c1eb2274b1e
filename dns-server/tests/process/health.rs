//! Faults, recoveries, operators' words and restarts, as a client and an
//! operator see them: real probes of real doors.

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use rustix::process::{Signal, kill_process};

use crate::run::{Scratch, Server, rhumb, text, wait_until};

const WWW: &str = "www.example.com. A";
const DB: &str = "db.example.com. A";

/// What `www` answers while `a` or `b` is preferred.
const A: &str = "192.0.2.1";
const B: &str = "192.0.2.2";

/// A port that is open or not.
struct Door {
    address: SocketAddr,
    listener: Option<TcpListener>,
}

impl Door {
    fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        Self { address: listener.local_addr().unwrap(), listener: Some(listener) }
    }

    /// From now on whoever knocks is refused.
    fn close(&mut self) {
        self.listener = None;
    }

    fn reopen(&mut self) {
        let mut listener = None;
        wait_until("the port is free again", || {
            listener = TcpListener::bind(self.address).ok();
            listener.is_some()
        });
        self.listener = listener;
    }
}

/// Two datacenters with a probed link each, brisk; `a` before `b`. `db` is
/// written where a file says.
fn policy(a: &Door, b: &Door, more: &str) -> String {
    format!(
        "zone: example.com
defaults: {{ interval: 200ms, fast-interval: 100ms, timeout: 200ms, fall: 2, rise: 2, hold-down: 300ms, ttl: 30s }}
datacenters:
  a: {{ links: {{ l: {{ probe: {{ tcp: '{}' }} {more} }} }} }}
  b: {{ links: {{ l: {{ probe: {{ tcp: '{}' }} }} }} }}
services:
  www: {{ steer: [{{ priority: [a, b] }}], vips: {{ a: {{ l: {A} }}, b: {{ l: {B} }} }} }}
  db:
    data: primary
    primary: {{ initially: a, probe: {{ file: primary }} }}
    vips: {{ a: {{ l: {A} }}, b: {{ l: {B} }} }}
  api:
    data: primary
    primary: a
    vips: {{ a: {{ l: {A} }}, b: {{ l: {B} }} }}
",
        a.address, b.address
    )
}

/// A scratch directory with that policy, and its doors.
fn scene(name: &str, more: &str) -> (Scratch, Door, Door) {
    let (scratch, a, b) = (Scratch::new(name), Door::open(), Door::open());
    scratch.write("policy.yaml", &policy(&a, &b, more));
    scratch.write("primary", "a");
    (scratch, a, b)
}

/// Texts of all events so far.
fn events(server: &Server<'_>) -> Vec<String> {
    let events = server.json(&["events", "-n", "1000"]);
    events.as_array().unwrap().iter().map(|event| event["text"].as_str().unwrap().to_owned()).collect()
}

/// A target as `rhumb targets` knows it.
fn target(server: &Server<'_>, name: &str) -> serde_json::Value {
    let report = server.json(&["targets"]);
    let found = report["targets"].as_array().unwrap().iter().find(|target| target["name"] == name);
    found.unwrap_or_else(|| panic!("{name} is a target")).clone()
}

#[test]
fn what_fails_is_left_and_comes_back() {
    let (scratch, mut a, _b) = scene("fails", "");
    let server = Server::start(&scratch, &["policy.yaml"]);
    assert_eq!(server.ask(WWW), A, "what is not known yet is taken to be up");
    wait_until("probes run", || target(&server, "link:b/l")["verdict"] == "up");
    let before = server.ttl(WWW);
    a.close();
    server.ask_until(WWW, B, "the door is closed");
    assert_eq!((before, server.ttl(WWW)), (30, 5), "steady, and just changed");
    let down = target(&server, "link:a/l");
    assert_eq!((&down["status"], &down["verdict"]), (&"down".into(), &"down".into()));
    assert!(down["notes"][0].as_str().unwrap().contains("refused"), "it says why: {down}");
    a.reopen();
    server.ask_until(WWW, A, "the door is open, and the hold-down over");
    let events = events(&server);
    for part in ["link:a/l is down", "link:a/l is up again"] {
        assert!(events.iter().any(|text| text.contains(part)), "{part} is told: {events:?}");
    }
}

#[test]
fn orders_are_obeyed_or_refused() {
    let (scratch, _a, _b) = scene("orders", "");
    let server = Server::start(&scratch, &["policy.yaml"]);
    // Arguments, exit code, part of what is said, what www then answers, why.
    type Row<'a> = (&'a str, i32, &'a str, &'a str, &'a str);
    let rows: [Row<'_>; 23] = [
        (
            "drain a --reason upgrade --by kim",
            1,
            "db, api would be left without",
            A,
            "db and api live in a alone",
        ),
        (
            "drain a --service www --by kim --reason upgrade",
            0,
            "by kim: upgrade",
            B,
            "www can live without a",
        ),
        ("drain b --service www", 1, "refused: www would be left", B, "but not without both"),
        ("drain b --service www --yes-all-down", 0, "www is left without", A, "unless that is meant"),
        ("undrain b", 0, "taken back", B, "back to the one drain"),
        ("undrain", 0, "taken back", A, "all drains"),
        ("undrain", 1, "there is no drain", A, "none is left"),
        ("force link:a/l down --yes-all-down --for 2h", 0, "force down link:a/l", B, "a force excludes"),
        (
            "drain link:b/l --yes-all-down",
            0,
            "drain link:b/l",
            B,
            "what is drained is better than what is excluded",
        ),
        ("force link:a/l up", 0, "force up link:a/l", A, "the last word about a target counts"),
        ("unforce link:a/l", 0, "taken back", A, "and is taken back"),
        ("unforce link:a/l", 1, "there is no force", A, "once"),
        ("undrain link:b/l", 0, "taken back", A, "by name"),
        ("force link:a/x down", 1, "link:a/x is not declared", A, "no such target"),
        ("drain intranet:a", 1, "cannot be drained", A, "nothing is answered under it"),
        ("drain a --service nobody", 1, "no service is named", A, "no such service"),
        ("drain a --for soon", 2, "must be a duration", A, "no such span"),
        ("promote api b", 0, "b is the primary of api now", A, "a static primary moves by word"),
        ("promote db b", 1, "follows a probe", A, "a followed one does not"),
        ("promote www b", 1, "has no primary", A, "nor does one that is not there"),
        ("recover link:a/l", 1, "does not wait", A, "nothing waits"),
        ("forget x", 1, "no site x has voted", A, "nobody to forget"),
        ("forget none", 1, "own site", A, "not oneself"),
    ];
    for (arguments, code, part, answer, why) in rows {
        let arguments: Vec<&str> = arguments.split(' ').collect();
        let output = server.tell(&arguments);
        let said = text(&output.stdout) + &text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {why}: {said}");
        assert!(said.contains(part), "{arguments:?}: {why}: {said}");
        assert_eq!(server.ask(WWW), answer, "{arguments:?}: {why}");
    }
    assert_eq!(server.ask("api.example.com. A"), B, "promoted");
}

#[test]
fn words_end_and_begin_by_themselves() {
    let (scratch, _a, _b) = scene("spans", "");
    let server = Server::start(&scratch, &["policy.yaml"]);
    assert!(server.tell(&["drain", "a", "--service", "www", "--for", "1s"]).status.success());
    assert_eq!(
        (server.ask(WWW).as_str(), server.ttl(WWW)),
        (B, 5),
        "at once, and the TTL knows that it ends soon"
    );
    server.ask_until(WWW, A, "a second later");
    let soon = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(2);
    assert!(server.tell(&["drain", "a", "--service", "www", "--at", &soon.to_string()]).status.success());
    assert_eq!((server.ask(WWW).as_str(), server.ttl(WWW)), (A, 5), "not yet, but soon");
    server.ask_until(WWW, B, "two seconds later");
    let status = text(&server.tell(&["status"]).stdout);
    assert!(status.contains("drain datacenter:a for www"), "{status}");
}

#[test]
fn a_restart_in_mid_fault_flips_nothing() {
    for (signal, why) in [(Signal::KILL, "killed"), (Signal::TERM, "stopped")] {
        let (scratch, mut a, _b) = scene(why, "");
        let arguments = ["policy.yaml", "--state", "state"];
        let server = Server::start(&scratch, &arguments);
        scratch.write("primary", "b");
        server.ask_until(DB, B, "the primary is followed");
        for order in ["promote api b", "force link:b/l up --by kim --reason why --for 1h"] {
            let arguments: Vec<&str> = order.split(' ').collect();
            assert!(server.tell(&arguments).status.success(), "{order}");
        }
        a.close();
        server.ask_until(WWW, B, "the door is closed");
        wait_until("the state is written", || {
            scratch.read("state/state.json").contains("\"link:a/l\":false")
        });
        kill_process(server.pid(), signal).unwrap();
        server.end();
        std::fs::remove_file(scratch.path("primary")).unwrap();
        let server = Server::start(&scratch, &arguments);
        for question in [WWW, DB, "api.example.com. A"] {
            assert_eq!(server.ask(question), B, "{why}: {question}: the first answer after a restart");
        }
        let words = server.status()["health"]["words"].clone();
        let word = (&words[0]["target"], &words[0]["author"], &words[0]["reason"]);
        assert_eq!(word, (&"link:b/l".into(), &"kim".into(), &"why".into()), "{why}: {words}");
        wait_until("probes agree", || {
            assert_eq!(server.ask(WWW), B, "{why}: while it looks for itself");
            target(&server, "link:a/l")["notes"][0].as_str().is_some_and(|note| note.contains("refused"))
        });
        a.reopen();
        server.ask_until(WWW, A, "the fault is over");
    }
}

#[test]
fn what_an_operator_was_told_is_done_survives_a_crash() {
    let (scratch, _a, _b) = scene("told", "");
    let arguments = ["policy.yaml", "--state", "state"];
    for (order, answer) in
        [("drain a --service www", B), ("undrain", A), ("force link:a/l down --yes-all-down", B)]
    {
        let server = Server::start(&scratch, &arguments);
        let order: Vec<&str> = order.split(' ').collect();
        assert!(server.tell(&order).status.success(), "{order:?}");
        kill_process(server.pid(), Signal::KILL).unwrap();
        server.end();
        let server = Server::start(&scratch, &arguments);
        assert_eq!(server.ask(WWW), answer, "{order:?}, and a crash at once");
    }
}

#[test]
fn state_that_makes_no_sense_is_set_aside() {
    let rows = [
        ("", "empty"),
        ("{\"saved\": 1, \"sta", "truncated"),
        ("[1, 2, 3]", "something else"),
        (
            "{\"saved\":1,\"state\":{\"targets\":7},\"ledger\":{\"words\":3},\"known\":{},\"sites\":{},\"votes\":[]}",
            "wrong inside",
        ),
        ("\u{0}\u{1}\u{2}", "no text"),
        (
            "{\"saved\":1,\"state\":[7],\"ledger\":{\"words\":[]},\"known\":{},\"sites\":{},\"votes\":[]}",
            "wrong in its heart",
        ),
    ];
    for (content, why) in rows {
        let (scratch, _a, _b) = scene("aside", "");
        scratch.write("state/state.json", content);
        let server = Server::start(&scratch, &["policy.yaml", "--state", "state"]);
        assert_eq!(server.ask(WWW), A, "{why}: it starts clean");
        assert_eq!(scratch.read("state/state.json.bad"), content, "{why}: it is kept for a look");
        let events = events(&server);
        assert!(events.iter().any(|text| text.contains("makes no sense")), "{why}: an alarm: {events:?}");
    }
}

#[test]
fn a_reload_in_mid_fault_flips_nothing() {
    let (scratch, mut a, b) = scene("carried", "");
    let server = Server::start(&scratch, &["policy.yaml"]);
    a.close();
    server.ask_until(WWW, B, "the door is closed");
    let edited =
        policy(&a, &b, "").replace("ttl: 30s", "ttl: 40s").replace("  a: { links", "  c: {}\n  a: { links");
    scratch.write("policy.yaml", &edited);
    wait_until("the edit is served", || {
        assert_eq!(server.ask(WWW), B, "before, while and after");
        server.status()["generation"] == 2
    });
    assert_eq!(server.ask(WWW), B, "a new policy, with another order of targets");
    a.reopen();
    server.ask_until(WWW, A, "its probes go on");
}

#[test]
fn some_wait_for_an_operator() {
    let (scratch, mut a, _b) = scene("manual", ", recovery: manual");
    let server = Server::start(&scratch, &["policy.yaml"]);
    a.close();
    server.ask_until(WWW, B, "the door is closed");
    a.reopen();
    wait_until("probes see it up", || target(&server, "link:a/l")["verdict"] == "up");
    assert_eq!(server.ask(WWW), B, "up is not enough");
    let notes = target(&server, "link:a/l")["notes"].to_string();
    assert!(notes.contains("rhumb recover"), "it says what is missing: {notes}");
    assert!(server.tell(&["recover", "link:a/l"]).status.success());
    server.ask_until(WWW, A, "a word later");
}

#[test]
fn slow_doors_are_measured() {
    let (scratch, _a, _b) = scene("measured", "");
    let arguments = ["policy.yaml", "--state", "state"];
    let server = Server::start(&scratch, &arguments);
    wait_until("delay is known", || target(&server, "link:a/l")["delay_ms"].as_f64().is_some());
    let known = target(&server, "link:a/l");
    assert_eq!(known["loss"], 0.0, "{known}");
    let delay = Duration::from_secs_f64(known["delay_ms"].as_f64().unwrap() / 1e3);
    assert!(delay < Duration::from_secs(1), "loopback is quick: {delay:?}");
    let table = text(&server.tell(&["targets"]).stdout);
    assert!(table.contains("link:a/l") && table.contains("% lost"), "{table}");
    let tries = |server: &Server<'_>| target(server, "link:a/l")["tries"].as_u64().unwrap_or(0);
    wait_until("some probes ran", || tries(&server) >= 8);
    kill_process(server.pid(), Signal::TERM).unwrap();
    server.end();
    let server = Server::start(&scratch, &arguments);
    wait_until("it probes again", || target(&server, "link:a/l")["verdict"] == "up");
    assert!(tries(&server) >= 8, "what was measured before the restart is not forgotten");
}

#[test]
fn the_demonstration_breaks_and_mends() {
    const ORDERS: &str = "orders.gslb.example.com. A";
    let scratch = Scratch::new("demo");
    let (server, said) = Server::demo(&scratch);
    let play = |scene: &[&str]| {
        let output =
            rhumb(&[&["demo"], scene].concat()).env("XDG_RUNTIME_DIR", scratch.path("")).output().unwrap();
        (output.status.code(), text(&output.stdout) + &text(&output.stderr))
    };
    let before = server.ask(ORDERS);
    let (code, told) = play(&["break", "nothing"]);
    assert_eq!(code, Some(2), "{told}");
    assert!(told.contains("there are link-fra-blue"), "what can break is said: {told}");
    assert_eq!(play(&["break", "fra"]), (Some(0), "link-fra-blue: down\nlink-fra-green: down\n".to_owned()));
    // Written in fra: what is left is iad, over the interconnect.
    server.ask_until(ORDERS, "192.0.2.111", "all links of fra are cut");
    assert_eq!(play(&["mend", "fra"]).0, Some(0));
    server.ask_until(ORDERS, &before, "mended");
    assert_eq!(play(&["break", "interconnect"]).0, Some(0));
    let admin = said.iter().find_map(|line| line.split_once("rhumb status --admin ")).unwrap().1;
    let why = ["explain", "orders", "--client", "199.43.0.0", "--admin", admin];
    wait_until("iad cannot reach the data", || {
        text(&rhumb(&why).output().unwrap().stdout).contains("is not usable: interconnect:fra/iad is down")
    });
    assert!(said.iter().any(|line| line.contains("rhumb demo break fra")), "it is announced: {said:?}");
    kill_process(server.pid(), Signal::TERM).unwrap();
    assert_eq!(server.end(), Some(0));
    let left: Vec<_> =
        std::fs::read_dir(scratch.path("")).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(left, ["server.log"], "nothing is left behind");
}
