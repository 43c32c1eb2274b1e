//! Whether a target works.
//!
//! Three values and not two: a server that cannot see a target must not say
//! that it is down. What an unknown target counts as is the policy's to say
//! (`assume:`) and the last verdict's.

/// The state of a target as far as it is known.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Status {
    /// Enough votes say that it works.
    Up,
    /// Enough votes say that it does not.
    Down,
    /// No verdict yet, only stale votes, or masked by a broken path to it.
    #[default]
    Unknown,
}
