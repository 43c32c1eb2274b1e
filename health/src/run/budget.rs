//! So many starts a second, for all probes together.
//!
//! A virtual clock (the generic cell rate algorithm, ITU-T I.371): each start
//! moves it on by its share of a second, and who comes before it waits for it.
//! That is first come, first served, and needs no timer of its own.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// How much may come in one go after a lull: 1,000 starts at the default rate,
/// which socket buffers hold. A process that was not let run for a while catches
/// up the sooner.
const BURST: Duration = Duration::from_millis(50);

/// A rate that nobody exceeds.
#[derive(Debug)]
pub(super) struct Budget {
    share: Duration,
    next: Mutex<Option<Instant>>,
}

impl Budget {
    pub(super) fn new(starts_per_second: u32) -> Self {
        let share = Duration::from_secs(1) / starts_per_second.max(1);
        Self { share, next: Mutex::new(None) }
    }

    /// Waits for a start.
    pub(super) async fn take(&self) {
        let now = Instant::now();
        let at = {
            let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
            let earliest = now.checked_sub(BURST).unwrap_or(now);
            let at = next.unwrap_or(earliest).max(earliest);
            *next = Some(at + self.share);
            at
        };
        if at > now {
            sleep_until(at).await;
        }
    }
}
