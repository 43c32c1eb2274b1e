//! Decisions against what must hold, found by other means.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod events;
mod explaining;
mod memory;
mod oracle;
mod paths;
mod reading;
mod rules;
mod shares;
mod steering;
mod surveys;
mod topology;
mod world;
