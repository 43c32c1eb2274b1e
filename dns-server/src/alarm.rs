//! What happened, told: to the log, and to whoever asks later.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use rhumb_policies::{Event, Severity};

/// Tells the log.
#[derive(Clone, Debug, Default)]
pub struct Herald;

/// Whom to tell besides.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Webhook {}

impl Herald {
    /// A herald for these.
    #[must_use]
    pub fn spawn(_: Vec<Webhook>) -> Self {
        Self
    }

    /// Tells what happened; never waits.
    pub fn tell(&self, events: Vec<Event>) {
        for event in events {
            let (kind, target) = (event.kind.name(), &event.target);
            match event.severity {
                Severity::Info => tracing::info!(kind, target, "{}", event.text),
                Severity::Warning => tracing::warn!(kind, target, "{}", event.text),
                Severity::Critical => tracing::error!(kind, target, "{}", event.text),
            }
        }
    }
}

/// The last events.
#[derive(Debug, Default)]
pub struct History(Mutex<VecDeque<Event>>);

impl History {
    /// Events remembered: a bad night's worth, some 300 KB.
    const KEPT: usize = 1_000;

    /// Adds `events`, and forgets the oldest when full.
    pub fn push(&self, events: &[Event]) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend(events.iter().cloned());
        let excess = kept.len().saturating_sub(Self::KEPT);
        kept.drain(..excess);
    }

    /// The last `count`, oldest first.
    #[must_use]
    pub fn recent(&self, count: usize) -> Vec<Event> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().skip(kept.len().saturating_sub(count)).cloned().collect()
    }
}
