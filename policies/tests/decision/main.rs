//! Decisions against what must hold, found by other means.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod effects;
mod events;
mod explaining;
mod histories;
mod holds;
mod increments;
mod links;
mod memory;
mod models;
mod oracle;
mod paths;
mod plans;
mod ramps;
mod reading;
mod rules;
mod saving;
mod shares;
mod steering;
mod surveys;
mod topology;
mod ttls;
mod world;
