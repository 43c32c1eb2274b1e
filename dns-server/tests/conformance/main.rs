//! Differential conformance: Rhumb beside Knot, NSD and BIND.
//!
//! All four serve the zones of `testdata/conformance/zones` and are asked the
//! same questions, made from the names in the zones. On each part of an
//! answer — header, answer, authority, additional — Rhumb must agree with at
//! least two of the others, or a row of `testdata/conformance/explained.rows`
//! must say by which RFC it may differ; a row that explains nothing fails.
//!
//! Questions are made, not drawn: the same zones give the same ones.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod ask;
mod compare;
mod explained;
mod question;
mod seen;
mod servers;
mod signed;
mod storm;
mod text;
mod validators;
mod zones;

#[path = "../support/all.rs"]
mod support;

use ask::Way;
use compare::Judge;
use explained::Explained;
use question::Question;
use servers::Servers;
use support::programs::{missing, testdata};

/// How questions go, and of how many one: TCP carries the same answers but for
/// the largest, and that is seen soon.
const WAYS: [(Way, usize); 2] = [(Way::Udp(Some(4096)), 1), (Way::Tcp, 4)];

#[test]
fn as_knot_nsd_and_bind() {
    if missing(&["knotd", "nsd", "named"]) {
        return;
    }
    let zones = zones::read(&testdata().join("conformance/zones"));
    let servers = Servers::start("plain", &zones);
    let questions = question::all(&zones);
    let mut judge = Judge::new(Explained::read(&testdata().join("conformance/explained.rows")));
    for (way, step) in WAYS {
        let asked: Vec<&Question> = questions.iter().step_by(step).collect();
        let replies = servers.ask(&asked, way);
        for (index, question) in asked.into_iter().enumerate() {
            judge.hear(question, way, &replies.each_ref().map(|list| list[index].as_deref()));
        }
    }
    judge.end();
    assert!(questions.len() >= 20_000, "{} questions are too few", questions.len());
}
