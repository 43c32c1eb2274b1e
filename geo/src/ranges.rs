//! The address line cut into ranges: the one data structure of this crate.
//!
//! [`Steps`] is a step function over all addresses of a family: ascending
//! starts, each with the value that holds from there to the next. Layers are
//! laid over each other by walking two of them in step ([`sweep`]); networks
//! come sorted out of a database, so that nothing is ever sorted or put in a
//! trie. [`Ranges`] is the frozen form with an index for look-ups.
//!
//! A prefix trie was refused: a look-up in one is a chain of cache misses,
//! and the only thing it knows more — the depth of the leaf — follows from
//! the bounds of the range by two XORs ([`Ranges::depth`]).
//!
//! **Invariant:** the first start is 0 and neighbours differ in value.

use std::fmt::Debug;
use std::hash::Hash;

/// An address as an integer.
pub(crate) trait Key: Copy + Ord + Hash + Debug {
    /// The first address.
    const FIRST: Self;

    /// How many leading bits two addresses share, 0 to 32 or 128.
    fn common(self, other: Self) -> u8;
    /// The address before; not of the first.
    fn before(self) -> Self;
    /// The address after; nothing after the last.
    fn after(self) -> Option<Self>;
    /// How far it is above `other`, which it is not below.
    fn minus(self, other: Self) -> u128;
    /// The first address of the prefix of `length` bits around this one.
    fn first_of(self, length: u8) -> Self;
    /// The last address of the prefix of `length` bits around this one.
    fn last_of(self, length: u8) -> Self;
    /// Which slot of an index of [`Key::slots`] slots it falls in; never
    /// descends as addresses ascend.
    fn slot(self, bits: u8) -> usize;
    /// How many slots an index of `bits` bits has.
    fn slots(bits: u8) -> usize;
}

impl Key for u32 {
    const FIRST: Self = 0;

    #[expect(clippy::cast_possible_truncation, reason = "at most 32")]
    fn common(self, other: Self) -> u8 {
        (self ^ other).leading_zeros() as u8
    }

    fn before(self) -> Self {
        self - 1
    }

    fn after(self) -> Option<Self> {
        self.checked_add(1)
    }

    fn minus(self, other: Self) -> u128 {
        u128::from(self - other)
    }

    fn first_of(self, length: u8) -> Self {
        self & !Self::MAX.checked_shr(length.into()).unwrap_or(0)
    }

    fn last_of(self, length: u8) -> Self {
        self | Self::MAX.checked_shr(length.into()).unwrap_or(0)
    }

    fn slot(self, bits: u8) -> usize {
        (self >> (32 - bits)) as usize
    }

    fn slots(bits: u8) -> usize {
        1 << bits
    }
}

/// Nearly all of IPv6 in use is in 2000::/3 (RFC 4291 §2.4), so the index
/// spends its bits there; what is below and above gets one slot each.
const GLOBAL_UNICAST_BITS: u8 = 3;
const GLOBAL_UNICAST: u64 = 0b001;

impl Key for u128 {
    const FIRST: Self = 0;

    #[expect(clippy::cast_possible_truncation, reason = "at most 128")]
    fn common(self, other: Self) -> u8 {
        (self ^ other).leading_zeros() as u8
    }

    fn before(self) -> Self {
        self - 1
    }

    fn after(self) -> Option<Self> {
        self.checked_add(1)
    }

    fn minus(self, other: Self) -> u128 {
        self - other
    }

    fn first_of(self, length: u8) -> Self {
        self & !Self::MAX.checked_shr(u32::from(length)).unwrap_or(0)
    }

    fn last_of(self, length: u8) -> Self {
        self | Self::MAX.checked_shr(u32::from(length)).unwrap_or(0)
    }

    #[expect(clippy::cast_possible_truncation, reason = "the upper half of 128 bits")]
    fn slot(self, bits: u8) -> usize {
        let high = (self >> 64) as u64;
        match (high >> (64 - GLOBAL_UNICAST_BITS)).cmp(&GLOBAL_UNICAST) {
            std::cmp::Ordering::Less => 0,
            std::cmp::Ordering::Equal => 1 + ((high << GLOBAL_UNICAST_BITS) >> (64 - bits)) as usize,
            std::cmp::Ordering::Greater => 1 + (1 << bits),
        }
    }

    fn slots(bits: u8) -> usize {
        2 + (1 << bits)
    }
}

/// A step function, while it is made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Steps<K, V> {
    starts: Vec<K>,
    values: Vec<V>,
}

impl<K: Key, V: Copy + Eq> Steps<K, V> {
    /// `value` everywhere.
    pub(crate) fn all(value: V) -> Self {
        Self { starts: vec![K::FIRST], values: vec![value] }
    }

    /// From `start` on it is `value`.
    ///
    /// # Panics
    /// If `start` is before the last one.
    pub(crate) fn push(&mut self, start: K, value: V) {
        // The usual case by far: a layer laid over another changes little.
        if self.values.last() == Some(&value) {
            return;
        }
        let last = self.starts.len() - 1;
        assert!(start >= self.starts[last], "steps ascend");
        if start == self.starts[last] {
            self.starts.pop();
            self.values.pop();
        }
        if self.values.last() != Some(&value) {
            self.starts.push(start);
            self.values.push(value);
        }
    }
}

/// Walks two step functions as one: calls `each` with every start of either
/// and the two values that hold from there. Fast where `b` is the coarser.
pub(crate) fn sweep<K: Key, A: Copy, B: Copy>(
    a: (&[K], &[A]),
    b: (&[K], &[B]),
    mut each: impl FnMut(K, A, B),
) {
    let mut i = 0;
    for (j, (start, value)) in b.0.iter().zip(b.1).enumerate() {
        let end = b.0.get(j + 1);
        if a.0.get(i + 1) == Some(start) {
            i += 1;
        }
        each(*start, a.1[i], *value);
        while let Some(next) = a.0.get(i + 1).filter(|next| end.is_none_or(|end| *next < end)) {
            i += 1;
            each(*next, a.1[i], *value);
        }
    }
}

impl<K, V> Steps<K, V> {
    /// Starts and values, as [`sweep`] takes them.
    pub(crate) fn parts(&self) -> (&[K], &[V]) {
        (&self.starts, &self.values)
    }
}

/// A step function, frozen and indexed.
#[derive(Debug)]
pub(crate) struct Ranges<K, V> {
    starts: Box<[K]>,
    values: Box<[V]>,
    /// By slot: how many starts lie in earlier slots; one more at the end.
    index: Box<[u32]>,
    bits: u8,
}

/// Bits of the largest index of what queries do not meet: 2¹⁸ slots are 1 MiB.
const MAX_INDEX_BITS: u8 = 18;
/// Bits of the smallest.
const MIN_INDEX_BITS: u8 = 4;

impl<K: Key, V: Copy + Eq> Ranges<K, V> {
    /// Freezes `steps`.
    pub(crate) fn new(steps: Steps<K, V>) -> Self {
        Self::indexed(steps, MAX_INDEX_BITS)
    }

    /// Freezes `steps` with an index of at most `max_bits` bits.
    pub(crate) fn indexed(steps: Steps<K, V>, max_bits: u8) -> Self {
        let Steps { starts, values } = steps;
        let bits = starts.len().next_power_of_two().trailing_zeros().try_into().unwrap_or(u8::MAX);
        let bits = bits.clamp(MIN_INDEX_BITS, max_bits);
        let mut index = vec![0u32; K::slots(bits) + 1];
        for start in &starts {
            index[start.slot(bits) + 1] += 1;
        }
        let mut sum = 0;
        for slot in &mut index {
            sum += *slot;
            *slot = sum;
        }
        Self { starts: starts.into(), values: values.into(), index: index.into(), bits }
    }

    /// Which range holds `address`.
    #[inline]
    pub(crate) fn find(&self, address: K) -> usize {
        let slot = address.slot(self.bits);
        let (from, to) = (self.index[slot] as usize, self.index[slot + 1] as usize);
        // The first start is 0, so at least one start is not above `address`.
        from + self.starts[from..to].partition_point(|start| *start <= address) - 1
    }

    /// The first range that may hold `address`: all that is read is the index.
    #[inline]
    pub(crate) fn approach(&self, address: K) -> usize {
        self.index[address.slot(self.bits)] as usize
    }

    /// Start and value of a range that [`Ranges::approach`] gave, or of the
    /// last.
    #[inline]
    pub(crate) fn arrive(&self, range: usize) -> (K, V) {
        let range = range.min(self.starts.len() - 1);
        (self.starts[range], self.values[range])
    }

    /// The value of the `range`-th range.
    #[inline]
    pub(crate) fn value(&self, range: usize) -> V {
        self.values[range]
    }

    /// Length of the widest prefix around `address` inside its `range`: it
    /// must not reach the address before the range nor the one after it.
    #[inline]
    pub(crate) fn depth(&self, range: usize, address: K) -> u8 {
        let below = if range == 0 { 0 } else { address.common(self.starts[range].before()) + 1 };
        let above = self.starts.get(range + 1).map_or(0, |next| address.common(*next) + 1);
        below.max(above)
    }

    /// The first address of the `range`-th range.
    pub(crate) fn start(&self, range: usize) -> K {
        self.starts[range]
    }

    /// Its last address; nothing for the last range.
    pub(crate) fn end(&self, range: usize) -> Option<K> {
        self.starts.get(range + 1).map(|next| next.before())
    }

    /// Starts and values, as [`sweep`] takes them.
    pub(crate) fn parts(&self) -> (&[K], &[V]) {
        (&self.starts, &self.values)
    }

    /// How many ranges there are, at least one.
    pub(crate) fn len(&self) -> usize {
        self.starts.len()
    }
}
