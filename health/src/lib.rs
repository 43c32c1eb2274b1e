//! What is up.
//!
//! Probes look at targets, their votes make verdicts, and verdicts are what
//! paths are made of. [`Status`] is the noun that leaves this crate; how
//! targets are probed stands in [`probe`].
//!
//! **Invariant:** this crate knows what operators declared, but no client, no
//! steering and no packet of the name server's own.

pub mod ballot;
mod clock;
mod fault;
mod machine;
pub mod probe;
mod reply;
pub mod roster;
pub mod run;
mod status;
mod window;

pub use fault::{Opinion, OwnFault};
pub use machine::{Machine, Standing};
pub use reply::{Cause, Failure, Measure, Reply};
pub use status::Status;
pub use window::Window;
