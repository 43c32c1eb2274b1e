//! The class that holds most addresses of a network that covers several.
//!
//! Resolvers that hide more of their clients send short sources. Adding up the
//! ranges of a network answers them exactly, but a short source covers very
//! many, and anyone may send one. So networks of more than [`MAX_SCAN`] ranges
//! are added up beforehand; they are few, since networks of one length share
//! no range.

use rustc_hash::FxHashMap;

use crate::class::ClassId;
use crate::ranges::{Key, Ranges};

/// Ranges added up at query time: about a microsecond.
const MAX_SCAN: usize = 256;
/// Ranges of most networks that cover several.
const FEW: usize = 8;

/// Networks of more than [`MAX_SCAN`] ranges, with their classes.
#[derive(Debug)]
pub(super) struct Pluralities<K> {
    classes: FxHashMap<(K, u8), ClassId>,
}

impl<K: Key> Pluralities<K> {
    /// Adds up all large networks of at most `max_length` bits.
    pub(super) fn new(ranges: &Ranges<K, ClassId>, max_length: u8) -> Self {
        let mut pluralities = Self { classes: FxHashMap::default() };
        pluralities.add_up(ranges, max_length, (K::FIRST, 0));
        pluralities
    }

    /// Addresses of each class in a network: from its halves, so that every
    /// range is looked at about once.
    fn add_up(
        &mut self,
        ranges: &Ranges<K, ClassId>,
        max_length: u8,
        (first, length): (K, u8),
    ) -> FxHashMap<ClassId, u128> {
        let network = Network::new(ranges, first, length);
        let small = network.to - network.from < MAX_SCAN;
        let mut sums: FxHashMap<ClassId, u128> = FxHashMap::default();
        let mut add = |(class, size)| *sums.entry(class).or_default() += size;
        if small || length == max_length {
            network.pieces(ranges).for_each(&mut add);
        } else {
            let second = network.last.first_of(length + 1);
            for half in [first, second] {
                self.add_up(ranges, max_length, (half, length + 1)).into_iter().for_each(&mut add);
            }
        }
        if !small {
            self.classes.insert((first, length), largest(sums.iter().map(|(class, sum)| (*class, *sum))));
        }
        sums
    }

    /// The class that holds most addresses of the network; of equal ones the
    /// first.
    pub(super) fn class(&self, ranges: &Ranges<K, ClassId>, first: K, length: u8) -> ClassId {
        let network = Network::new(ranges, first, length);
        if network.to - network.from >= MAX_SCAN {
            return self.classes[&(first, length)];
        }
        // Clearing the large one would cost more than the few ranges that a
        // network usually covers.
        match network.to - network.from {
            0..FEW => scan::<FEW>(network.pieces(ranges)),
            _ => scan::<MAX_SCAN>(network.pieces(ranges)),
        }
    }
}

/// The class of most addresses among at most `N` pieces.
fn scan<const N: usize>(pieces: impl Iterator<Item = (ClassId, u128)>) -> ClassId {
    let mut sums = [(ClassId::EMBEDDED, 0); N];
    let mut used = 0;
    for (class, size) in pieces {
        match sums[..used].iter_mut().find(|(known, _)| *known == class) {
            Some((_, sum)) => *sum += size,
            None => {
                sums[used] = (class, size);
                used += 1;
            }
        }
    }
    largest(sums[..used].iter().copied())
}

/// A network and the ranges, first to last, that it covers in part or whole.
struct Network<K> {
    first: K,
    last: K,
    from: usize,
    to: usize,
}

impl<K: Key> Network<K> {
    fn new(ranges: &Ranges<K, ClassId>, first: K, length: u8) -> Self {
        let last = first.last_of(length);
        Self { first, last, from: ranges.find(first), to: ranges.find(last) }
    }

    /// What each range has in the network: its class and addresses.
    fn pieces<'a>(&'a self, ranges: &'a Ranges<K, ClassId>) -> impl Iterator<Item = (ClassId, u128)> + 'a {
        (self.from..=self.to).map(|range| {
            let first = ranges.start(range).max(self.first);
            let last = ranges.end(range).map_or(self.last, |end| end.min(self.last));
            (ranges.value(range), last.minus(first).saturating_add(1))
        })
    }
}

/// The class of the largest sum; of equal ones the first. Addresses that stand
/// for others count for nothing.
fn largest(sums: impl IntoIterator<Item = (ClassId, u128)>) -> ClassId {
    let classes = sums.into_iter().map(|(class, sum)| match class {
        ClassId::EMBEDDED => (0, std::cmp::Reverse(class)),
        _ => (sum, std::cmp::Reverse(class)),
    });
    classes.max().map_or(ClassId::EMBEDDED, |(_, class)| class.0)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::class::MAX_SCOPE_V4;
    use crate::ranges::Steps;

    proptest! {
        #[test]
        fn prepared_sums_are_those_of_a_scan(
            mut starts in prop::collection::vec((any::<u32>(), 0..5usize), 1_000..2_000),
            networks in prop::collection::vec((any::<u32>(), 0..=MAX_SCOPE_V4), 64),
        ) {
            // Half of them close together, so that long networks are large too.
            starts.iter_mut().step_by(2).for_each(|(start, _)| *start = 0xc000_0000 | *start >> 22);
            starts.sort_unstable();
            let mut steps = Steps::all(ClassId::new(0).unwrap());
            for (start, class) in &starts {
                let class = if *class == 4 { ClassId::EMBEDDED } else { ClassId::new(*class).unwrap() };
                steps.push(*start, class);
            }
            let ranges = Ranges::new(steps);
            let pluralities = Pluralities::new(&ranges, MAX_SCOPE_V4);
            for (address, length) in networks {
                let (first, last) = (address.first_of(length), address.last_of(length));
                let mut sums: BTreeMap<ClassId, u64> = BTreeMap::new();
                let mut at = u64::from(first);
                while at <= last.into() {
                    let range = ranges.find(u32::try_from(at).unwrap());
                    let end = ranges.end(range).unwrap_or(u32::MAX).min(last);
                    *sums.entry(ranges.value(range)).or_default() += u64::from(end) + 1 - at;
                    at = u64::from(end) + 1;
                }
                sums.remove(&ClassId::EMBEDDED);
                let want = sums.into_iter().rev().max_by_key(|(_, sum)| *sum).map(|(class, _)| class);
                let got = pluralities.class(&ranges, first, length);
                prop_assert_eq!(got, want.unwrap_or(ClassId::EMBEDDED), "{:#x}/{}", first, length);
            }
        }
    }
}
