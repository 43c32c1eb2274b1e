//! Votes over the wire: the listening side under friends and strangers, and
//! whole processes that vote. Nothing sleeps: a test waits for what must
//! happen, and gives up after a time that no working machine needs.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod papers;
mod processes;
mod strangers;
