//! What it costs to answer: processor time per query, beside a bare echo.
//!
//! Programs driven by `bench/run`:
//!
//! - `prepare` writes the same zones for every server, and the queries with
//!   the answers they must get;
//! - `echo` receives a batch, sets QR and sends it back. No server that uses
//!   the same system calls can be cheaper, so its price is the unit;
//! - `load` asks, counts what was answered and reads the server's processor
//!   time before and after.
//!
//! Processor time per query, not queries per second, is measured: on a small
//! machine the generator and the server share caches and the loopback path,
//! rates move by tens of percent from minute to minute, and the ratio to an
//! echo measured just before does not. Queries are prepared as bytes before
//! the clock starts, so that the generator is never the bottleneck.

pub mod batch;
pub mod failover;
pub mod generator;
pub mod geography;
pub mod histogram;
pub mod peers;
pub mod policies;
pub mod process;
pub mod query;
