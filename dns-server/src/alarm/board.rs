//! What stands, as an Alertmanager must see it.
//!
//! An alert is known by its kind and target. It stands from the event that
//! begins it to the one that ends it; an end is kept until it was delivered
//! once, or is so old that the alert has long ended by itself.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rhumb_policies::{Event, EventKind, Phase};
use tokio::sync::Notify;

/// What one Alertmanager is told.
#[derive(Default, Debug)]
pub(super) struct Board {
    inside: Mutex<Inside>,
    wake: Notify,
}

#[derive(Default, Debug)]
struct Inside {
    alerts: BTreeMap<Key, Alert>,
    is_closed: bool,
}

type Key = (EventKind, String);

/// An alert. Times are since the Unix epoch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Alert {
    /// The event that began it.
    pub(super) event: Event,
    /// When it ended, if it has.
    pub(super) ended: Option<Duration>,
}

impl Board {
    /// How long an end is worth telling; Prometheus repeats ends as long.
    const KEPT: Duration = Duration::from_secs(15 * 60);

    pub(super) fn hear(&self, event: &Event) {
        let key = (event.kind, event.target.clone());
        self.with(|inside| match event.phase {
            Phase::Begins => {
                inside.alerts.insert(key, Alert { event: event.clone(), ended: None });
            }
            Phase::Ends => {
                if let Some(alert) = inside.alerts.get_mut(&key) {
                    alert.ended = Some(Duration::from_millis(event.at_ms));
                }
            }
            Phase::Notice => {}
        });
        self.wake.notify_one();
    }

    /// These stand, and no others of the kinds that states tell.
    pub(super) fn replace(&self, events: &[Event], now: Duration) {
        self.with(|inside| {
            for alert in inside.alerts.values_mut().filter(|alert| alert.event.kind.is_of_state()) {
                alert.ended = alert.ended.or(Some(now));
            }
            for event in events.iter().filter(|event| event.phase == Phase::Begins) {
                let key = (event.kind, event.target.clone());
                let fresh = Alert { event: event.clone(), ended: None };
                // What stood already began when it began.
                let alert = inside.alerts.entry(key).or_insert(fresh);
                alert.ended = None;
            }
        });
        self.wake.notify_one();
    }

    /// All that is to be told at `now`.
    pub(super) fn letter(&self, now: Duration) -> Vec<Alert> {
        self.with(|inside| {
            inside.alerts.retain(|_, alert| alert.ended.is_none_or(|ended| now < ended + Self::KEPT));
            inside.alerts.values().cloned().collect()
        })
    }

    /// The ends in `letter` were told.
    pub(super) fn was_told(&self, letter: &[Alert]) {
        self.with(|inside| {
            for told in letter.iter().filter(|alert| alert.ended.is_some()) {
                let key = (told.event.kind, told.event.target.clone());
                if inside.alerts.get(&key) == Some(told) {
                    inside.alerts.remove(&key);
                }
            }
        });
    }

    /// Waits until something is new.
    pub(super) async fn changed(&self) {
        self.wake.notified().await;
    }

    pub(super) fn is_closed(&self) -> bool {
        self.with(|inside| inside.is_closed)
    }

    pub(super) fn close(&self) {
        self.with(|inside| inside.is_closed = true);
        self.wake.notify_one();
    }

    fn with<T>(&self, body: impl FnOnce(&mut Inside) -> T) -> T {
        body(&mut self.inside.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
