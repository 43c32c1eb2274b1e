//! Sockets, files, commands and the wire.

pub mod admin;
pub mod alarm;
pub mod ask;
pub mod cases;
pub mod cli;
mod compose;
pub mod config;
pub mod demo;
pub mod keeper;
pub mod load;
pub mod log;
pub mod lookout;
pub mod naming;
pub mod net;
pub mod orders;
pub mod publish;
mod query;
pub mod reload;
pub mod respond;
pub mod school;
pub mod serial;
pub mod serve;
pub mod snapshot;
pub mod station;
pub mod stats;
pub mod votes;
pub mod watch;
