//! The law of the house, executable: file length, import law, module essays.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::fs;
use std::path::{Path, PathBuf};

/// Longest source file, lines.
const MAX_LINES: usize = 500;

/// Who may import whom, besides the outside world.
const IMPORTS: [(&str, &[&str]); 8] = [
    ("zones", &[]),
    ("dnssec", &["rhumb-zones"]),
    ("geo", &["rhumb-zones"]),
    ("health", &["rhumb-zones"]),
    ("policies", &["rhumb-zones", "rhumb-geo", "rhumb-health"]),
    ("dns-server", &["rhumb-zones", "rhumb-dnssec", "rhumb-geo", "rhumb-health", "rhumb-policies"]),
    // Knows the server as its users do.
    ("lab", &[]),
    // Must not lean on what it judges.
    ("testdata/links", &[]),
];

/// Crates that stay out of every folder but `dns-server`.
const RUNTIMES: [&str; 4] = ["tokio", "axum", "hyper", "libc"];

/// What `health` needs of them to probe.
const PROBING: [&str; 2] = ["tokio", "hyper"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            if !path.ends_with("target") {
                sources(&path, found);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn source_files_are_short_and_say_why() {
    let mut found = Vec::new();
    for (folder, _) in IMPORTS {
        sources(&root().join(folder), &mut found);
    }
    assert!(found.len() > 20, "the walk finds the sources");
    let mut complaints = Vec::new();
    for path in found {
        let text = fs::read_to_string(&path).unwrap();
        let lines = text.lines().count();
        if lines > MAX_LINES {
            complaints.push(format!("{}: {lines} lines, at most {MAX_LINES}: split by idea", path.display()));
        }
        if !text.starts_with("//! ") {
            complaints.push(format!("{}: must open with its essay (//!)", path.display()));
        }
        if path.ends_with("mod.rs") {
            complaints.push(format!("{}: must be foo.rs beside foo/", path.display()));
        }
        if text.contains("allow(unsafe_code)")
            && !path.ends_with("net/batch.rs")
            && !path.ends_with("lab/src/tun.rs")
            && !path.ends_with("tidy.rs")
        {
            complaints
                .push(format!("{}: unsafe lives in net/batch.rs and lab/src/tun.rs only", path.display()));
        }
    }
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

/// Names of the crates in `[dependencies]`.
fn dependencies(folder: &str) -> Vec<String> {
    let manifest = fs::read_to_string(root().join(folder).join("Cargo.toml")).unwrap();
    let (_, rest) = manifest.split_once("[dependencies]").unwrap();
    let section = rest.split("\n[").next().unwrap();
    section
        .lines()
        .filter(|line| line.starts_with(|first: char| first.is_ascii_alphabetic()))
        .filter_map(|line| line.split([' ', '.', '=']).next())
        .map(str::to_owned)
        .collect()
}

#[test]
fn imports_point_one_way() {
    for (folder, allowed) in IMPORTS {
        for crate_name in dependencies(folder) {
            if crate_name.starts_with("rhumb") {
                assert!(allowed.contains(&crate_name.as_str()), "{folder} must not import {crate_name}");
            }
            let probes = folder == "health" && PROBING.contains(&crate_name.as_str());
            if folder != "dns-server" && !probes {
                assert!(!RUNTIMES.contains(&crate_name.as_str()), "{folder} must not know {crate_name}");
            }
        }
    }
}

#[test]
fn the_readme_stays_short() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    assert!(readme.lines().count() <= 120, "README.md has at most 120 lines");
}
