//! The one pointer through which all workers see the world.
//!
//! A reload or a change of state builds a whole [`Snapshot`] aside and swaps
//! it in; a worker takes one reference per batch, so an answer never mixes
//! two generations. Workers bound their wait for packets, so an idle one lets
//! go of an old snapshot within [`crate::net`]'s receive timeout.
//!
//! Whoever drops the last reference frees the snapshot, and freeing takes
//! longer than a client should wait. So what is published no more is kept
//! here until nobody else holds it; the publishing thread then frees it, and
//! the reloading one what is big ([`crate::reload`] holds each old generation
//! once more). As a worker holds at most one, few are ever kept.

use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;

use crate::snapshot::Snapshot;
use crate::transfer::Transfers;

/// A handle to the current snapshot; clones share it.
#[derive(Clone, Debug)]
pub struct Publisher {
    current: Arc<ArcSwap<Snapshot>>,
    /// Published before, and perhaps still in use.
    retired: Arc<Mutex<Vec<Arc<Snapshot>>>>,
    transfers: Arc<Transfers>,
}

impl Publisher {
    /// Starts with `first`.
    #[must_use]
    pub fn new(first: Snapshot) -> Self {
        let current = Arc::new(ArcSwap::from_pointee(first));
        Self { current, retired: Arc::default(), transfers: Arc::default() }
    }

    /// Makes `next` what every following batch of queries is answered from.
    pub fn publish(&self, next: Arc<Snapshot>) {
        let before = self.current.swap(next);
        self.retired.lock().unwrap_or_else(PoisonError::into_inner).push(before);
        self.retire();
    }

    /// Frees what was published before and is in nobody's hands any more.
    pub(crate) fn retire(&self) {
        let mut retired = self.retired.lock().unwrap_or_else(PoisonError::into_inner);
        // Nobody can take one up again: it is found here alone.
        retired.retain(|snapshot| Arc::strong_count(snapshot) > 1);
    }

    /// The snapshot in use.
    #[must_use]
    pub fn current(&self) -> Arc<Snapshot> {
        self.current.load_full()
    }

    /// What transfers of it share.
    pub(crate) fn transfers(&self) -> &Transfers {
        &self.transfers
    }

    /// A reader that keeps its own reference between loads.
    pub(crate) fn cache(&self) -> arc_swap::Cache<Arc<ArcSwap<Snapshot>>, Arc<Snapshot>> {
        arc_swap::Cache::new(Arc::clone(&self.current))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Weak;

    use rhumb_zones::LoadOptions;

    use super::*;
    use crate::load::{Document, Loader, Sources};
    use crate::reload::Reloader;
    use crate::serial::Serials;

    const POLICY: &str = "zone: a.example
datacenters: { d: {} }
services: { www: { vips: { d: 192.0.2.1 } } }
";

    #[test]
    fn a_worker_never_frees_a_snapshot() {
        let document = Document { name: "a.yaml".into(), bytes: POLICY.as_bytes().into() };
        let loader =
            Loader::new(Sources { embedded: vec![document], ..Sources::default() }, LoadOptions::default());
        let publisher =
            Reloader::new(loader, Serials::default(), Arc::default()).unwrap().publisher().clone();
        let mut worker = publisher.cache();
        let mut known = vec![Arc::downgrade(worker.load())];
        for _ in 0..100 {
            let snapshot = publisher.current();
            let next = Arc::new(snapshot.with_state(Arc::clone(&snapshot.parts().state)));
            drop(snapshot);
            known.push(Arc::downgrade(&next));
            publisher.publish(next);
            let alive = known.iter().filter(|one| one.strong_count() > 0).count();
            assert!(alive <= 3, "the worker's, the last and the new one, not {alive}");
        }
        let first = known[0].clone();
        assert_eq!(first.strong_count(), 2, "the worker's hand and the publisher's");
        let mine = std::thread::spawn(move || {
            worker.load();
            worker
        });
        let worker = mine.join().unwrap();
        assert_eq!(first.strong_count(), 1, "the worker let go and freed nothing");
        publisher.retire();
        let alive: Vec<&Weak<Snapshot>> = known.iter().filter(|one| one.strong_count() > 0).collect();
        assert_eq!(alive.len(), 1, "what is served");
        drop(worker);
    }
}
