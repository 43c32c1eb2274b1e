//! The one pointer through which all workers see the world.
//!
//! A reload or a change of state builds a whole [`Snapshot`] aside and swaps
//! it in; a worker takes one reference per batch, so an answer never mixes
//! two generations. Workers bound their wait for packets, so an idle one lets
//! go of an old snapshot within [`crate::net`]'s receive timeout.

use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::snapshot::Snapshot;
use crate::transfer::Transfers;

/// A handle to the current snapshot; clones share it.
#[derive(Clone, Debug)]
pub struct Publisher {
    current: Arc<ArcSwap<Snapshot>>,
    transfers: Arc<Transfers>,
}

impl Publisher {
    /// Starts with `first`.
    #[must_use]
    pub fn new(first: Snapshot) -> Self {
        Self { current: Arc::new(ArcSwap::from_pointee(first)), transfers: Arc::default() }
    }

    /// Makes `next` what every following batch of queries is answered from.
    pub fn publish(&self, next: Arc<Snapshot>) {
        self.current.store(next);
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
