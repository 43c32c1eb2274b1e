//! What the tests of probing share: a probe from a line of policy, made once;
//! servers; certificates.
#![allow(dead_code, reason = "each test binary uses a part of it")]
#![allow(clippy::disallowed_methods, reason = "tests look at the clock")]

pub(crate) mod certificates;
// As the name server's tests have it.
#[path = "../../../dns-server/tests/support/network.rs"]
pub(crate) mod network;
pub(crate) mod programs;
pub(crate) mod router;
pub(crate) mod servers;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rhumb_health::probe::{self, Kind, Tools, Way};
use rhumb_health::{Cause, Reply};
use rhumb_zones::{Files, LoadOptions, Probe, ReadError, Reader, Source, load};

/// Both families.
pub(crate) const LOOPBACKS: [IpAddr; 2] = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];

struct NoFiles;

impl Files for NoFiles {
    fn read(&self, _: &str, path: &str) -> Result<(String, Vec<u8>), ReadError> {
        Err(ReadError(format!("{path} is not there")))
    }
}

/// A probe as a policy writes it.
///
/// # Panics
/// When there is something wrong with it.
pub(crate) fn probe(text: &str) -> (Arc<dyn Kind>, Arc<Probe>) {
    let policy = format!("checks: {{ c: {text} }}");
    let sources = [Source { path: Arc::from("f"), bytes: policy.into_bytes() }];
    let loaded = load(&sources, &NoFiles, &LoadOptions::default());
    let mut out = loaded.diagnostics;
    let check = loaded.model.checks().first().unwrap_or_else(|| panic!("{text}: {out}"));
    let kind = probe::read(&check.probe, &mut Reader::new(&mut out, "c"));
    assert!(out.is_empty(), "{text}: {out}");
    (kind.expect("it was read").into(), Arc::clone(&check.probe))
}

/// Makes a probe of `address` once.
///
/// # Panics
/// When it takes longer than its timeout.
pub(crate) async fn reply(text: &str, address: Option<IpAddr>) -> Reply {
    let (kind, probe) = probe(text);
    let tools = Tools::new();
    let way = Way { probe: &probe, address, tools: &tools };
    let start = Instant::now();
    let reply = kind.run(&way).await;
    let took = start.elapsed();
    // Generous, for a machine that has other things to do.
    assert!(took < probe.timeout * 3 / 2 + Duration::from_millis(200), "{text}: {took:?} for {reply:?}");
    reply
}

/// As [`reply`], where the policy says `PORT`.
pub(crate) async fn reply_at(text: &str, at: SocketAddr) -> Reply {
    reply(&text.replace("PORT", &at.port().to_string()), Some(at.ip())).await
}

/// What a probe must come to: `up`, or a cause and a part of its text.
pub(crate) type Want = Result<(), (Cause, &'static str)>;

/// Holds a reply against what it must be.
///
/// # Panics
/// When it is not.
pub(crate) fn check(reply: &Reply, want: Want, why: &str) {
    match (&reply.outcome, want) {
        (Ok(()), Ok(())) => assert!(reply.tries > reply.lost, "{why}: {reply:?}"),
        (Err(failure), Err((cause, text))) => {
            assert!(failure.cause == cause && failure.text.contains(text), "{why}: {reply:?}, not {want:?}");
        }
        _ => panic!("{why}: {reply:?}, not {want:?}"),
    }
}

/// Waits until a process is gone: reaped, or left to whoever adopts it.
///
/// # Panics
/// When it lives on.
pub(crate) fn await_end(pid: &str) {
    let start = Instant::now();
    let is_alive = || {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
        stat.rsplit(')').next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with(" Z"))
    };
    while is_alive() {
        assert!(start.elapsed() < Duration::from_secs(10), "{pid} lives on");
        std::thread::yield_now();
    }
}
