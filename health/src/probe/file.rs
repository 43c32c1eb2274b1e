//! State that another program writes to a file.

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
}
