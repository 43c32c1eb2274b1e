//! Sockets, files, commands and the wire.

mod compose;
pub mod net;
pub mod publish;
mod query;
pub mod respond;
pub mod snapshot;
pub mod stats;
