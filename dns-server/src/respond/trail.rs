//! The aliases that an answer went through.
//!
//! Kept by the worker and only begun anew: most answers meet no alias, and
//! clearing half a kilobyte for each of them was a tenth of their cost.

use crate::compose::Owner;

/// Aliases followed in one answer: enough for any sane chain, and a loop ends.
pub(super) const MAX_HOPS: usize = 16;

/// Longest name on the wire, octets.
const NAME: usize = 255;

/// Where a chain of aliases has been, and where it is.
#[derive(Debug)]
pub(super) struct Trail {
    /// The name of the current hop, as its alias spelled it; empty while it
    /// is the question's.
    pub(super) alias: Alias,
    /// Hashes of the owners of the aliases and DNAMEs in the answer.
    owners: [u64; 2 * MAX_HOPS],
    owned: usize,
}

impl Trail {
    pub(super) const fn new() -> Self {
        Self { alias: Alias::EMPTY, owners: [0; 2 * MAX_HOPS], owned: 0 }
    }

    /// Begins at a question.
    pub(super) const fn restart(&mut self) {
        self.alias.length = 0;
        self.owned = 0;
    }

    /// Whether the name of this hash owns an alias in the answer.
    pub(super) fn has(&self, owner: u64) -> bool {
        self.owners.iter().take(self.owned).any(|other| *other == owner)
    }

    /// Notes the owner of an alias or a DNAME; false if it stands in the
    /// answer already.
    pub(super) fn is_first(&mut self, owner: u64) -> bool {
        let new = !self.has(owner);
        if let Some(free) = self.owners.get_mut(self.owned).filter(|_| new) {
            *free = owner;
            self.owned += 1;
        }
        new
    }
}

/// A wire name kept by value: a chain crosses borrows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Alias {
    bytes: [u8; NAME],
    length: usize,
}

impl Alias {
    const EMPTY: Self = Self { bytes: [0; NAME], length: 0 };

    /// `head` and `tail` in one; nothing if that is too long.
    pub(super) fn join(head: &[u8], tail: &[u8]) -> Option<Self> {
        let mut joined = Self { length: head.len() + tail.len(), ..Self::EMPTY };
        joined.bytes.get_mut(..head.len())?.copy_from_slice(head);
        joined.bytes.get_mut(head.len()..joined.length)?.copy_from_slice(tail);
        Some(joined)
    }

    /// The name; nothing for the question's.
    pub(super) fn name(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }

    pub(super) fn owner(&self) -> Owner<'_> {
        if self.length == 0 { Owner::Question } else { Owner::Name(self.name()) }
    }

    pub(super) fn set(&mut self, name: &[u8]) -> Option<()> {
        self.bytes.get_mut(..name.len())?.copy_from_slice(name);
        self.length = name.len();
        Some(())
    }
}
