//! Zones handed to others: what `dig` gets, who is refused, and real
//! secondaries — Knot, NSD, BIND — that transfer, follow a change that they
//! are told of, and answer the same.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod copies;
mod rows;
mod secondaries;
#[path = "../support/all.rs"]
mod support;

use std::path::{Path, PathBuf};

use support::programs::{Rhumb, testdata};

/// The secret of the key `secondary` of `testdata/transfers/server.yaml`.
const SECRET: &str = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";

/// Serves a copy of `testdata/transfers` that the test may edit.
fn serve(directory: &Path, listen: &str) -> Rhumb {
    for file in std::fs::read_dir(testdata().join("transfers")).unwrap() {
        let file: PathBuf = file.unwrap().path();
        std::fs::copy(&file, directory.join(file.file_name().unwrap())).unwrap();
    }
    let configuration = directory.join("server.yaml");
    let more = ["--config", configuration.to_str().unwrap()];
    Rhumb::serve(directory, &directory.join("policy.yaml"), &[listen], &more)
}
