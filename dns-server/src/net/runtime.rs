//! A thread of streams: one small runtime, whose tasks stay where they are.
//!
//! Connections mostly wait, so one thread holds thousands of them. Tasks never
//! leave it: what they share needs no lock, and one block of counters has one
//! writer.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::task::LocalSet;
use tokio::time::interval;

/// How soon the thread sees that it should stop.
const STOP_CHECK: Duration = Duration::from_millis(100);

/// Runs what `start` spawns until `stop`, and calls `look` from time to time.
/// Everything still open is closed then.
pub(super) fn run(what: &str, stop: &AtomicBool, start: impl FnOnce(), mut look: impl FnMut()) {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!(%error, "cannot serve {what}");
            return;
        }
    };
    LocalSet::new().block_on(&runtime, async {
        start();
        let mut ticks = interval(STOP_CHECK);
        while !stop.load(Ordering::Relaxed) {
            ticks.tick().await;
            look();
        }
    });
}
