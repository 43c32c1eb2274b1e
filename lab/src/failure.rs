//! Why something in the lab did not happen.
//!
//! The lab is a test: nobody acts on the kind of a failure, somebody reads
//! it. So it is a sentence, made longer on its way up by what was being done.

use std::fmt;

/// A sentence.
#[derive(Debug)]
pub(crate) struct Failure(String);

/// What most things here yield.
pub(crate) type Done<T = ()> = Result<T, Failure>;

impl Failure {
    /// A failure that reads `text`.
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// An `Err` that reads `text`.
    pub(crate) fn because<T>(text: impl Into<String>) -> Done<T> {
        Err(Self::new(text))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Says what was being done when something failed.
pub(crate) trait While<T> {
    /// The same, or `act: why`.
    fn doing(self, act: impl fmt::Display) -> Done<T>;
}

impl<T, E: fmt::Display> While<T> for Result<T, E> {
    fn doing(self, act: impl fmt::Display) -> Done<T> {
        self.map_err(|error| Failure(format!("{act}: {error}")))
    }
}
