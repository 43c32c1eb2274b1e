//! What is still to be delivered: bounded, oldest out.
//!
//! Whoever fills it must never wait, so a queue that is full forgets its oldest
//! event: of a storm, the newest say what is so. What is forgotten is counted,
//! and said once when its courier next comes by.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use rhumb_policies::Event;
use tokio::sync::Notify;

/// Events for one courier.
#[derive(Default, Debug)]
pub(super) struct Queue {
    inside: Mutex<Inside>,
    wake: Notify,
}

#[derive(Default, Debug)]
struct Inside {
    events: VecDeque<Arc<Event>>,
    dropped: usize,
    is_closed: bool,
}

/// Events to deliver together.
#[derive(Debug)]
pub(super) struct Batch {
    /// Oldest first.
    pub(super) events: Vec<Arc<Event>>,
    /// How many were forgotten before these.
    pub(super) dropped: usize,
}

impl Queue {
    /// Most events kept: ten thousand services that all fail, come back and fail
    /// again. At a kilobyte each, thirty megabytes, which all queues share.
    pub(super) const MAX: usize = 30_000;

    pub(super) fn push(&self, event: Arc<Event>) {
        self.with(|inside| {
            if inside.events.len() == Self::MAX {
                inside.events.pop_front();
                inside.dropped += 1;
            }
            inside.events.push_back(event);
        });
        self.wake.notify_one();
    }

    /// Waits for events and takes at most `most`; nothing once it is closed
    /// and empty. Only one courier may take.
    pub(super) async fn take(&self, most: usize) -> Option<Batch> {
        loop {
            let (batch, is_closed) = self.with(|inside| {
                let count = inside.events.len().min(most);
                let events: Vec<_> = inside.events.drain(..count).collect();
                (Batch { events, dropped: std::mem::take(&mut inside.dropped) }, inside.is_closed)
            });
            if !batch.events.is_empty() {
                return Some(batch);
            }
            if is_closed {
                return None;
            }
            self.wake.notified().await;
        }
    }

    pub(super) fn close(&self) {
        self.with(|inside| inside.is_closed = true);
        self.wake.notify_one();
    }

    fn with<T>(&self, body: impl FnOnce(&mut Inside) -> T) -> T {
        body(&mut self.inside.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
