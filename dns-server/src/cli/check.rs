//! `rhumb check`: every mistake, before it is served.

use std::path::PathBuf;

use rhumb_zones::{Diagnostic, Diagnostics, LoadOptions, Severity};
use serde_json::{Value, json};

use super::{Ending, Failure, complain, print};
use crate::keys::KeySource;
use crate::load::{Load, Loaded, Loader, Sources};

/// Report every mistake in a policy.
#[derive(clap::Args)]
pub(super) struct Check {
    /// Policy files, and directories of *.yaml and *.yml files
    #[arg(required = true, value_name = "PATH")]
    policies: Vec<PathBuf>,
    /// Geo database to load with it; may be repeated
    #[arg(long, value_name = "FILE")]
    geo: Vec<PathBuf>,
    /// Directory of keys to check too
    #[arg(long, value_name = "DIR")]
    keys: Option<PathBuf>,
    /// Print JSON: one object with `ok`, what was counted, and all diagnostics
    #[arg(long)]
    json: bool,
}

impl Check {
    pub(super) fn run(self) -> Result<Ending, Failure> {
        let Self { policies, geo, keys, json } = self;
        let keys = keys.map_or(KeySource::Ignored, KeySource::Read);
        let Load { loaded, diagnostics, .. } =
            Loader::new(Sources { policies, geo, keys, ..Sources::default() }, LoadOptions::default()).load();
        if json {
            print(&format_args!("{:#}", report(loaded.as_ref(), &diagnostics)))?;
        } else {
            if !diagnostics.is_empty() {
                complain(&diagnostics.to_string().trim_end());
            }
            if let Some(loaded) = &loaded {
                print(&format_args!("ok: {}", counted(loaded)))?;
            }
        }
        Ok(if loaded.is_some() { Ending::Well } else { Ending::Bad })
    }
}

/// `1 zone, 2 services, …`.
pub(super) fn counted(loaded: &Loaded) -> String {
    let counts = counts(loaded).map(|(noun, count)| match count {
        1 => format!("1 {noun}"),
        _ => format!("{count} {noun}s"),
    });
    counts.join(", ")
}

fn counts(loaded: &Loaded) -> [(&'static str, usize); 5] {
    let model = loaded.world.model();
    [
        ("zone", model.zones().len()),
        ("service", model.services().len()),
        ("datacenter", model.datacenters().len()),
        ("record", model.zones().iter().map(|zone| zone.records.records.len()).sum()),
        ("target", model.targets().len()),
    ]
}

fn report(loaded: Option<&Loaded>, diagnostics: &Diagnostics) -> Value {
    let counts = loaded.map(|loaded| counts(loaded).map(|(noun, count)| (format!("{noun}s"), count.into())));
    json!({
        "ok": loaded.is_some(),
        "counts": counts.map(|counts| counts.into_iter().collect::<serde_json::Map<_, Value>>()),
        "diagnostics": diagnostics.iter().map(one).collect::<Vec<_>>(),
    })
}

fn one(diagnostic: &Diagnostic) -> Value {
    let Diagnostic { at, severity, who, which, what, hint } = diagnostic;
    json!({
        "file": *at.file, "line": at.line, "column": at.column,
        "severity": match severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        },
        "who": who, "which": which, "what": what, "hint": hint,
    })
}
