//! Certificates held against the authorities that the machine trusts: the
//! test's own, in an inner run that is told so by `SSL_CERT_FILE`.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests read files, and may panic")]

#[path = "support/all.rs"]
mod support;

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use rhumb_health::Cause::{Local, Wrong};
use support::certificates::{Authority, DAY, Ends};
use support::servers::Manner::{Behind, Mute, Repeats};
use support::servers::serve;
use support::{LOOPBACKS, Want, check, reply_at};

/// Ports of the outer run's servers, in the inner.
const PORTS: &str = "RHUMB_TEST_PORTS";

/// A probe, the number of its server, what must come of it, why.
type Row = (&'static str, usize, Want, &'static str);

const ROWS: [Row; 11] = [
    ("tls: PORT, name: www.example.com", 0, Ok(()), "trusted, and of the name"),
    ("tls: PORT", 0, Ok(()), "no name is asked for, so any will do"),
    ("tls: PORT, name: mail.example.com", 0, Err((Wrong, "does not bear mail.example.com")), "another name"),
    ("tls: PORT, name: www.example.com, expires: 7d", 0, Ok(()), "long enough"),
    ("tls: PORT, name: www.example.com, expires: 14d", 0, Err((Wrong, "expires in 9 days")), "too soon"),
    (
        "tls: PORT, name: www.example.com",
        1,
        Err((Wrong, "TLS: invalid peer certificate: certificate expired")),
        "expired",
    ),
    ("tls: PORT, name: www.example.com", 2, Err((Wrong, "certificate not valid yet")), "begins tomorrow"),
    ("tls: PORT, name: www.example.com", 3, Err((Wrong, "TLS: invalid peer certificate")), "of a stranger"),
    ("http: 'https://www.example.com:PORT/', verify: true", 4, Ok(()), "the same for HTTP"),
    (
        "http: 'https://mail.example.com:PORT/', verify: true",
        4,
        Err((Wrong, "does not bear mail.example.com")),
        "another name",
    ),
    (
        "http: 'https://mail.example.com:PORT/', sni: www.example.com, verify: true",
        4,
        Ok(()),
        "the name of TLS counts",
    ),
];

#[tokio::test]
async fn trust() {
    if let Ok(ports) = std::env::var(PORTS) {
        return inside(&ports).await;
    }
    let (ours, stranger) = (Authority::new(), Authority::new());
    let name = "www.example.com";
    let ten_days = DAY * 10 - DAY / 2;
    let mute = |config| Behind(config, Box::new(Mute));
    let servers = [
        mute(ours.server(name, (DAY, Ends::In(ten_days)), &[])),
        mute(ours.server(name, (ten_days, Ends::Ago(DAY)), &[])),
        mute(ours.server_from_tomorrow(name)),
        mute(stranger.server(name, (DAY, Ends::In(ten_days)), &[])),
        Behind(ours.server(name, (DAY, Ends::In(ten_days)), &["http/1.1"]), Box::new(Repeats)),
    ];
    let mut ports = Vec::new();
    for manner in servers {
        ports.push(serve(LOOPBACKS[0], manner).await.port().to_string());
    }
    let store = Path::new(env!("CARGO_TARGET_TMPDIR")).join("trusted.pem");
    std::fs::write(&store, &ours.pem).unwrap();
    let ports = ports.join(" ");
    run_inside(&store, &ports).await;
    let empty = Path::new(env!("CARGO_TARGET_TMPDIR")).join("nobody.pem");
    std::fs::write(&empty, "").unwrap();
    run_inside(&empty, &format!("none {ports}")).await;
}

async fn run_inside(store: &Path, ports: &str) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["trust", "--exact", "--nocapture"]).env(PORTS, ports);
    command.env("SSL_CERT_FILE", store).env_remove("SSL_CERT_DIR");
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

async fn inside(ports: &str) {
    let at = |port: &str| SocketAddr::new(LOOPBACKS[0], port.parse().unwrap());
    if let Some(ports) = ports.strip_prefix("none ") {
        let got = reply_at("{ tls: PORT }", at(ports.split(' ').next().unwrap())).await;
        return check(&got, Err((Local, "trusts no authority")), "an empty store");
    }
    let ports: Vec<SocketAddr> = ports.split(' ').map(at).collect();
    for (text, server, want, why) in ROWS {
        check(&reply_at(&format!("{{ {text} }}"), ports[server]).await, want, &format!("{text}: {why}"));
    }
}
