//! The moment of a step, and the next moment at which something changes by
//! itself.
//!
//! Whatever has an end (a hold, a ramp, an override) says so here, so that the
//! caller can sleep until the earliest of them instead of looking every second.

use std::time::Duration;

/// Times are since the Unix epoch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    pub(crate) now: Duration,
    /// Whether it is before the last step: then all moments are looked at anew.
    pub(crate) is_set_back: bool,
    /// The earliest moment asked for.
    pub(crate) wake: Option<Duration>,
}

impl Clock {
    pub(crate) fn new(now: Duration, before: Duration) -> Self {
        Self { now, is_set_back: now < before, wake: None }
    }

    /// Asks to be called at `moment`, if that is to come.
    pub(crate) fn wake_at(&mut self, moment: Duration) {
        if moment > self.now {
            self.wake = Some(self.wake.map_or(moment, |wake| wake.min(moment)));
        }
    }
}
