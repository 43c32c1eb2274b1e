//! What the tests of probing share: a probe from a line of policy, made once.
#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::net::IpAddr;
use std::sync::Arc;

use rhumb_health::probe::{self, Kind, Tools, Way};
use rhumb_health::{Cause, Reply};
use rhumb_zones::{Files, LoadOptions, Probe, ReadError, Reader, Source, load};

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
pub(crate) async fn reply(text: &str, address: Option<IpAddr>) -> Reply {
    let (kind, probe) = probe(text);
    let tools = Tools::new();
    let way = Way { probe: &probe, address, tools: &tools };
    kind.run(&way).await
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
