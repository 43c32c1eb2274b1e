//! What happened lately, for `rhumb events`.
//!
//! In memory only: what must outlive the process is in the log.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rhumb_policies::Event;

/// A ring of the newest events.
#[derive(Default, Debug)]
pub struct History {
    ring: Mutex<VecDeque<Event>>,
}

impl History {
    /// Most events kept: at one to five kilobytes each, a few megabytes.
    pub const MAX: usize = 1_000;

    /// Adds events, oldest first.
    pub fn push(&self, events: &[Event]) {
        let mut ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        let events = &events[events.len().saturating_sub(Self::MAX)..];
        let excess = (ring.len() + events.len()).saturating_sub(Self::MAX);
        ring.drain(..excess);
        ring.extend(events.iter().cloned());
    }

    /// The newest `most` events that happened at `since` (since the Unix
    /// epoch) or later, oldest first.
    #[must_use]
    pub fn recent(&self, most: usize, since: Duration) -> Vec<Event> {
        let ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        let is_recent = |event: &&Event| Duration::from_millis(event.at_ms) >= since;
        let mut recent: Vec<_> = ring.iter().rev().filter(is_recent).take(most).cloned().collect();
        recent.reverse();
        recent
    }
}
