//! Encrypted transports as others' clients see them, and serving as a user
//! who may do little.

use std::fs;
use std::process::Command;

use rcgen::generate_simple_self_signed;

use crate::run::{Scratch, Server, testdata, text};
use crate::support::programs::{missing, skipped};

/// The address of `listening on HOW://ADDRESS`.
fn port<'l>(lines: &'l [String], how: &str) -> &'l str {
    let start = format!("listening on {how}://127.0.0.1:");
    lines.iter().find_map(|line| line.strip_prefix(&start)).unwrap()
}

#[test]
fn kdig_is_answered_over_every_transport() {
    if missing(&["kdig"]) {
        return;
    }
    let scratch = Scratch::new("kdig");
    let issued = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    scratch.write("server.crt", &issued.cert.pem());
    scratch.write("server.key", &issued.signing_key.serialize_pem());
    scratch.write(
        "config.yaml",
        &format!(
            "policies: {}\n\
             tls: {{certificate: server.crt, key: server.key, dot: '127.0.0.1:0', doh: '127.0.0.1:0'}}\n",
            testdata("cases/static.yaml")
        ),
    );
    let config = scratch.path("config.yaml");
    let words = ["--config", config.to_str().unwrap(), "--doq", "127.0.0.1:0"];
    let (_server, lines) = Server::start_telling(&scratch, &words);
    let authority = format!("+tls-ca={}", scratch.path("server.crt").display());
    let rows: [(&str, &str, &[&str], &str); 5] = [
        ("tls", "+tls", &["+keepopen"], "TLS"),
        ("tls", "+tls", &["+padding", "+nsid"], "TLS, padded"),
        ("https", "+https", &[], "HTTPS, POST"),
        ("https", "+https", &["+https-get"], "HTTPS, GET"),
        ("quic", "+quic", &[], "QUIC"),
    ];
    for (how, option, more, why) in rows {
        let mut command = Command::new("kdig");
        // The transport last: words on TLS choose TLS.
        command.args(["@127.0.0.1", "-p", port(&lines, how), &authority, "+tls-hostname=localhost", option]);
        command.args(["+retry=0", "+time=10"]).args(more);
        // Two questions: with +keepopen, on one connection.
        let output = command.args(["www.example.com", "A", "nope.example.com", "A"]).output().unwrap();
        let said = text(&output.stdout);
        assert!(output.status.success(), "{why}: {said}{}", text(&output.stderr));
        for want in ["status: NOERROR", "status: NXDOMAIN", "www.example.com."] {
            assert!(said.contains(want), "{why}: {want}: {said}");
        }
    }
}

#[test]
fn a_certificate_is_needed_and_named_when_it_is_wrong() {
    let scratch = Scratch::new("certificates");
    let policy = testdata("cases/steered.yaml");
    scratch.write("none.pem", "no certificate");
    let rows: [(&[&str], &str, &str); 3] = [
        (&[], "need --certificate and --key", "neither"),
        (&["--certificate", "none.pem", "--key", "none.pem"], "none.pem: holds no certificate", "no PEM"),
        (&["--certificate", "away.pem", "--key", "none.pem"], "away.pem: cannot be read", "no file"),
    ];
    for (words, want, why) in rows {
        let fixed = ["serve", &*policy, "--listen", "127.0.0.1:0", "--admin", "x.sock"];
        let output = scratch.run(&[&fixed[..], &["--dot", "127.0.0.1:0"], words].concat());
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{why}: {said}");
        assert!(said.contains(want), "{why}: {said}");
    }
}

#[test]
fn it_serves_as_a_user_who_may_do_little() {
    const USER: &str = "nobody";
    if !rustix::process::geteuid().is_root() {
        return skipped("needs root, to become another user");
    }
    let scratch = Scratch::new("user");
    fs::create_dir(scratch.path("state")).unwrap();
    let policy = testdata("cases/static.yaml");
    let state = scratch.path("state");
    let words = [&*policy, "--user", USER, "--state", state.to_str().unwrap()];
    let server = Server::start(&scratch, &words);
    assert_eq!(server.ask("www.example.com. A"), "192.0.2.80", "it answers");
    assert!(server.status()["pid"].is_number(), "the admin socket is of use");
    let user = number_of(USER);
    let tasks = format!("/proc/{}/task", server.pid().as_raw_nonzero());
    let mut threads = 0;
    for task in fs::read_dir(tasks).unwrap() {
        let status = fs::read_to_string(task.unwrap().path().join("status")).unwrap();
        let of = |key: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(key)).unwrap();
            line.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(of("Uid:"), vec![user.clone(); 4], "real, effective, saved and for files");
        // CAP_NET_RAW is bit 13.
        let capabilities = u64::from_str_radix(&of("CapPrm:")[0], 16).unwrap();
        assert_eq!(capabilities & !(1 << 13), 0, "no thread may do anything but ping");
        threads += 1;
    }
    assert!(threads > 3, "every thread was looked at");
    let unknown =
        ["serve", &*policy, "--listen", "127.0.0.1:0", "--admin", "x.sock", "--user", "no-such-user"];
    let output = scratch.run(&unknown);
    assert!(text(&output.stderr).contains("there is no such user"), "{}", text(&output.stderr));
}

/// The number of a user, as `id` says it.
fn number_of(user: &str) -> String {
    let output = Command::new("id").args(["-u", user]).output().unwrap();
    text(&output.stdout).trim().to_owned()
}
