//! Sets of a service's VIPs, small enough to copy.
//!
//! Health reaches the query path as such sets: four words per service, no
//! client dimension, so that a change of health copies a few bytes per service
//! and a query tests one bit per candidate.

use rhumb_zones::Service;

/// A VIP by its position within its service's `vips`.
///
/// Services of one shape agree on what a slot stands for: the same datacenter
/// and link, each with an address of its own.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct Slot(u8);

impl Slot {
    /// The slot of the `index`-th VIP.
    ///
    /// # Panics
    /// If `index` is not below [`Service::MAX_VIPS`], which `zones` ensures.
    #[must_use]
    pub fn new(index: usize) -> Self {
        Self(u8::try_from(index).expect("a service has at most MAX_VIPS VIPs"))
    }

    /// Its position within the service's `vips`.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

const WORDS: usize = Service::MAX_VIPS / 64;

/// A set of slots.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub struct VipMask([u64; WORDS]);

impl VipMask {
    /// No slot.
    pub const EMPTY: Self = Self([0; WORDS]);

    /// Whether `slot` is in it.
    #[must_use]
    pub const fn has(&self, slot: Slot) -> bool {
        self.0[slot.index() / 64] >> (slot.index() % 64) & 1 == 1
    }

    /// Whether nothing is in it.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0[0] | self.0[1] | self.0[2] | self.0[3] == 0
    }

    /// Those in both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(std::array::from_fn(|word| self.0[word] & other.0[word]))
    }

    /// Those not in `other`.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self(std::array::from_fn(|word| self.0[word] & !other.0[word]))
    }

    /// Those in either.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self(std::array::from_fn(|word| self.0[word] | other.0[word]))
    }

    /// Its slots, ascending.
    pub fn iter(&self) -> impl Iterator<Item = Slot> {
        self.0.iter().enumerate().flat_map(|(word, &bits)| {
            let rest = |bits: &u64| Some(bits & (bits - 1)).filter(|bits| *bits != 0);
            let some = std::iter::successors(Some(bits).filter(|bits| *bits != 0), rest);
            some.map(move |bits| Slot::new(word * 64 + bits.trailing_zeros() as usize))
        })
    }

    /// Puts `slot` in.
    pub(crate) const fn insert(&mut self, slot: Slot) {
        self.0[slot.index() / 64] |= 1 << (slot.index() % 64);
    }

    /// Takes `slot` out.
    pub(crate) const fn remove(&mut self, slot: Slot) {
        self.0[slot.index() / 64] &= !(1 << (slot.index() % 64));
    }
}

impl FromIterator<Slot> for VipMask {
    fn from_iter<I: IntoIterator<Item = Slot>>(slots: I) -> Self {
        let mut mask = Self::EMPTY;
        for slot in slots {
            mask.insert(slot);
        }
        mask
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets() {
        let mask = |slots: &[usize]| slots.iter().map(|&slot| Slot::new(slot)).collect::<VipMask>();
        let (a, b) = (mask(&[0, 63, 64, 255]), mask(&[63, 64, 128]));
        assert_eq!(a.and(b), mask(&[63, 64]), "both");
        assert_eq!(a.without(b), mask(&[0, 255]), "word edges");
        assert_eq!(a.or(b), mask(&[0, 63, 64, 128, 255]), "either");
        assert_eq!(a.iter().map(Slot::index).collect::<Vec<_>>(), [0, 63, 64, 255], "ascending");
        assert!(a.without(a).is_empty() && !mask(&[255]).is_empty(), "the last word counts");
        let mut one = mask(&[255]);
        one.remove(Slot::new(255));
        assert_eq!(one, VipMask::EMPTY, "taken out");
    }
}
