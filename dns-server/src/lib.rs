//! Sockets, files, commands and the wire.

mod compose;
pub mod log;
pub mod net;
pub mod publish;
mod query;
pub mod respond;
pub mod serial;
pub mod snapshot;
pub mod stats;
pub mod watch;
