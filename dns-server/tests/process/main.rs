//! The program as operators run it: the real binary, real files, real
//! signals. Nothing sleeps: a test asks until what must happen has happened,
//! and gives up after a time that no working machine needs.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod cli;
mod health;
mod keys;
mod links;
mod policy_tests;
mod reload;
mod run;
#[path = "../support/all.rs"]
mod support;
mod transports;
