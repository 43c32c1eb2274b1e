//! The filesystem as an argument.
//!
//! Zone files include others and policies name zone files and prefix lists.
//! This crate asks for them by path; the server reads the disk and remembers
//! what it read, so that it knows what to watch; tests answer from memory.

/// Where named files come from.
pub trait Files {
    /// The whole content of `path`, resolved by the implementer relative to
    /// the file that names it (`from`).
    ///
    /// # Errors
    /// When it cannot be read or is larger than the implementer allows.
    fn read(&self, from: &str, path: &str) -> Result<(String, Vec<u8>), ReadError>;
}

/// No files at all: for policies that name none.
#[derive(Clone, Copy, Debug)]
pub struct NoFiles;

impl Files for NoFiles {
    fn read(&self, _: &str, _: &str) -> Result<(String, Vec<u8>), ReadError> {
        Err(ReadError("cannot be read: there are no files here".to_owned()))
    }
}

/// Why a named file could not be had; the text completes "FILE: …".
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub struct ReadError(pub String);
