//! Policy tests: what operators expect of their own policy, as data.
//!
//! A file names a policy and lists cases: a question, a client, the faults of
//! the moment, and what must come out. The policy is loaded once; each case
//! is a state of its world, made by the same `advance` that the server uses,
//! and is answered by the same `respond`, packet in and packet out. Faults
//! have lasted for a month, so nothing waits and nothing is random.
//!
//! A client that is given by place or carrier instead of an address becomes a
//! group of `clients:` with one address of 240.0.0.0/8, which nobody has
//! (RFC 1112 §4), so that it too goes the whole way through the place table.
//!
//! **Invariant:** a case cannot see what the one before it did.

mod judge;
mod prepare;
pub mod spec;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rhumb_health::Status;
use rhumb_policies::{Inputs, State, advance};
use rhumb_zones::{Diagnostics, LoadOptions, Location, Tree};

use crate::ask::{Told, ask};
use crate::load::{Loader, Sources};
use crate::reload::Reloader;
use crate::serial::Serials;
use crate::snapshot::{Options, Snapshot};

use judge::Difference;
use prepare::Prepared;
use spec::CaseFile;

/// What came of a file.
#[derive(Debug)]
pub struct Report {
    /// Cases that came out as expected.
    pub passed: usize,
    /// Those that did not.
    pub failures: Vec<Failure>,
}

/// A case that did not come out as expected.
#[derive(Debug)]
pub struct Failure {
    /// Where the case stands, and its name.
    title: String,
    differences: Vec<Difference>,
    told: Told,
}

/// Why a file's cases were not run.
#[derive(Debug, thiserror::Error)]
pub enum CasesError {
    /// It cannot be read.
    #[error("{}: cannot be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It or its policy is wrong; one diagnostic each.
    #[error("the cases or their policy are wrong")]
    Wrong(Vec<String>),
}

/// Runs the cases of the file at `path`, with `geo` instead of the databases
/// that it names, if any.
///
/// # Errors
/// When the file or its policy is unreadable or wrong.
pub fn run(path: &Path, geo: &[PathBuf]) -> Result<Report, CasesError> {
    let bytes = std::fs::read(path).map_err(|source| CasesError::Read { path: path.to_owned(), source })?;
    let mut out = Diagnostics::default();
    let file = read(path, &bytes, &mut out).ok_or_else(|| wrong(&out))?;
    let base = path.parent().unwrap_or_else(|| Path::new(""));
    let paths = |paths: &[String]| paths.iter().map(|path| base.join(path)).collect::<Vec<_>>();
    let named = file.geo.as_ref().map_or(&[][..], |geo| &geo.0);
    let sources = Sources {
        policies: paths(&file.policy.0),
        geo: if geo.is_empty() { paths(named) } else { geo.to_vec() },
        embedded: prepare::clients(path, &file.cases).into_iter().collect(),
        ..Sources::default()
    };
    let reloader = Reloader::new(
        Loader::new(sources, LoadOptions::default()),
        Serials::default(),
        Arc::new(Options::default()),
    );
    let snapshot = reloader.map_err(CasesError::Wrong)?.publisher().current();
    let world = &snapshot.parts().world;
    let mut cases = Vec::new();
    for (index, case) in file.cases.iter().enumerate() {
        cases.extend(prepare::case(world.model(), (index, case), &mut out));
    }
    if out.refuse() {
        return Err(wrong(&out));
    }
    let failures: Vec<Failure> = cases.iter().filter_map(|prepared| try_out(&snapshot, prepared)).collect();
    Ok(Report { passed: cases.len() - failures.len(), failures })
}

fn wrong(out: &Diagnostics) -> CasesError {
    CasesError::Wrong(out.iter().map(ToString::to_string).collect())
}

fn read(path: &Path, bytes: &[u8], out: &mut Diagnostics) -> Option<CaseFile> {
    let trees = Tree::parse(&Arc::from(path.to_string_lossy()), bytes, out);
    let [tree] = &trees[..] else {
        let at = Location { file: Arc::from(path.to_string_lossy()), line: 0, column: 0 };
        out.error(&at, "cases", "document", "must be one, with policy: and cases:");
        return None;
    };
    rhumb_zones::read(tree, ["cases", ""], out).filter(|_| !out.refuse())
}

/// How long the faults of a case have lasted: longer than any hold, so that
/// they count, and any TTL, so that they are settled.
const SETTLED: Duration = Duration::from_secs(30 * 86_400);

/// Runs one case; gives back how it failed, if it did.
fn try_out(snapshot: &Snapshot, prepared: &Prepared<'_>) -> Option<Failure> {
    let Prepared { title, question, inputs, expect } = prepared;
    let world = &snapshot.parts().world;
    let now = Duration::from_secs(question.now.into());
    let began = now.saturating_sub(SETTLED);
    // What was usable before the faults is what `last-resort: keep` keeps.
    let before = advance(world, &State::default(), &Inputs::new(world.model(), Status::Up), began);
    let atlas = &snapshot.parts().atlas;
    let mut state = advance(world, &before, inputs, began);
    state.select(world, atlas, inputs);
    let mut state = advance(world, &state, inputs, now);
    state.select(world, atlas, inputs);
    let told = ask(&snapshot.with_state(Arc::new(state)), question);
    let differences = judge::differences(world.model(), *expect, &told);
    (!differences.is_empty()).then(|| Failure { title: title.clone(), differences, told })
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { title, differences, told } = self;
        writeln!(f, "FAILED {title}")?;
        for Difference { which, expected, got } in differences {
            writeln!(f, "  {which}: expected {expected}")?;
            writeln!(f, "  {:width$}  got      {got}", "", width = which.len())?;
        }
        let told = told.to_string();
        told.lines().try_for_each(|line| writeln!(f, "    {line}"))
    }
}
