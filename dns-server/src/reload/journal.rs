//! What the reloader did, for `rhumb status` to tell.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// The last things that happened.
#[derive(Debug)]
pub struct Journal(Mutex<Entry>);

/// What holds now. Times are Unix seconds.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// When the current generation was published.
    pub(crate) published: u64,
    /// Why the files on disk are not served, if so.
    pub(crate) refused: Option<Refusal>,
}

/// Files that are not served because they are wrong.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Refusal {
    /// Since when there have been wrong ones, in Unix seconds.
    pub since: u64,
    /// What is wrong, one diagnostic each.
    pub diagnostics: Vec<String>,
}

impl Journal {
    pub(super) fn new() -> Self {
        Self(Mutex::new(Entry { published: now(), refused: None }))
    }

    /// A new generation was published.
    pub(super) fn publish(&self) {
        *self.entry() = Entry { published: now(), refused: None };
    }

    /// The files are again as they are served.
    pub(super) fn accept(&self) {
        self.entry().refused = None;
    }

    /// The files are wrong.
    pub(super) fn refuse(&self, diagnostics: &[String]) {
        let mut entry = self.entry();
        let since = entry.refused.as_ref().map_or_else(now, |refusal| refusal.since);
        entry.refused = Some(Refusal { since, diagnostics: diagnostics.to_vec() });
    }

    pub(crate) fn read(&self) -> Entry {
        self.entry().clone()
    }

    fn entry(&self) -> MutexGuard<'_, Entry> {
        // Entries are replaced whole: a panic leaves none half-written.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Seconds since 1970.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
