//! State that another program writes to a file.
//!
//! The bridge from monitoring that exists already: it writes `up` or `down`,
//! as often as it likes. Nothing but the first word is looked at, so that a
//! person can leave the reason beside it.

use rhumb_zones::spec;

use super::Kind;

spec! {
    /// Reads a file whose first word is `up` or `down`.
    pub struct File {
        /// The path of the file.
        file: String,
    }
}

impl Kind for File {
    fn describe(&self) -> String {
        format!("file {}", self.file)
    }

    fn needs_target_address(&self) -> bool {
        false
    }

    fn uses_network(&self) -> bool {
        false
    }
}
