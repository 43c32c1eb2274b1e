//! What operators know of clients by prefix, and how prefixes nest.
//!
//! Geo marks a place with the longest named prefix that holds its addresses,
//! and no more. A client in a nested prefix also belongs to every prefix
//! around it: a head office of a region is in the region too. So each prefix
//! keeps the list of those around it, and what a nested group does not say
//! (its `carrier:`, say) is taken from the next one around.

use rhumb_zones::{ClientGroupId, Model, Prefix};
use rustc_hash::FxHashMap;

use crate::steer::Chain;

/// The named prefixes, in ascending order, and what lies around each.
#[derive(Debug)]
pub(crate) struct Operators {
    prefixes: Vec<Prefix>,
    /// By prefix: itself and those around it, longest first.
    around: Vec<Vec<Prefix>>,
    /// By prefix: the groups of those, in the same order.
    groups: Vec<Vec<ClientGroupId>>,
}

impl Operators {
    pub(crate) fn new<'a>(model: &Model, chains: impl Iterator<Item = &'a Chain>) -> Self {
        let mut owners = FxHashMap::default();
        for (group, clients) in model.clients().iter().enumerate() {
            owners.extend(clients.prefixes.iter().map(|&prefix| (prefix, ClientGroupId::new(group))));
        }
        let mut prefixes: Vec<_> = owners.keys().copied().chain(chains.flat_map(Chain::prefixes)).collect();
        prefixes.sort_unstable(); // so that what lies around a prefix precedes it
        prefixes.dedup();
        let mut open: Vec<Prefix> = Vec::new();
        let mut around = Vec::with_capacity(prefixes.len());
        for &prefix in &prefixes {
            while open.last().is_some_and(|last| !last.contains(prefix.address())) {
                open.pop();
            }
            open.push(prefix);
            around.push(open.iter().rev().copied().collect::<Vec<_>>());
        }
        let groups =
            around.iter().map(|all| all.iter().filter_map(|prefix| owners.get(prefix).copied()).collect());
        let groups = groups.collect();
        Self { prefixes, around, groups }
    }

    pub(crate) fn prefixes(&self) -> &[Prefix] {
        &self.prefixes
    }

    /// The prefix of that index and those around it, longest first.
    pub(crate) fn around(&self, index: Option<usize>) -> &[Prefix] {
        index.map_or(&[], |index| &self.around[index])
    }

    /// The client groups of those, in the same order.
    pub(crate) fn groups(&self, index: Option<usize>) -> &[ClientGroupId] {
        index.map_or(&[], |index| &self.groups[index])
    }
}
