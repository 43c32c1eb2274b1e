//! Zone keys on disk: a directory per zone, BIND's pair of files per key.
//!
//! `KEYS/example.com/Kexample.com.+013+12345.key` and `.private`, as
//! dnssec-keygen and every other tool of the trade knows them. The files are
//! the only state there is: the [`steward`] and `rhumb keys` change them, the
//! loader reads them, and whoever copies them to another server has a second
//! one that gives valid answers.
//!
//! A private file is 0600, a directory 0700. Each file is replaced whole, the
//! private one first, and a key counts only when its `.key` is there: a crash
//! leaves a key or none. A file is believed when its name is that of the key
//! in it and the key is the zone's.
//!
//! **Invariant:** what is wrong with a key file is said with its name and
//! never with its content.

mod disk;
mod plan;
pub mod steward;
mod words;

use std::path::{Path, PathBuf};

pub use disk::{Keyed, Lock, Store, StoreError};
pub(crate) use disk::{check_published, is_key_file, place};
pub use plan::{policy_of, rollover_policy};
pub(crate) use words::moment;
pub use words::state;

/// What is done about keys when policies are loaded.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum KeySource {
    /// Nothing: the policy alone is of interest.
    #[default]
    Ignored,
    /// There is no place for keys, so a signed zone is an error.
    Nowhere,
    /// Keys are read.
    Read(PathBuf),
    /// Keys are read, and the first of a zone are made.
    Kept(PathBuf),
}

impl KeySource {
    /// Where a server keeps its keys: `--keys`, else `keys` in `--state`.
    #[must_use]
    pub fn of_server(keys: Option<PathBuf>, state: Option<&Path>) -> Self {
        keys.or_else(|| Some(state?.join("keys"))).map_or(Self::Nowhere, Self::Kept)
    }

    /// The directory of keys, if there is one.
    #[must_use]
    pub fn directory(&self) -> Option<&Path> {
        match self {
            Self::Ignored | Self::Nowhere => None,
            Self::Read(directory) | Self::Kept(directory) => Some(directory),
        }
    }
}
