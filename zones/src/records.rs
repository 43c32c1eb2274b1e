//! The records of one zone, packed.
//!
//! A zone may have a million records, and as many owners. A [`Record`] each is
//! 40 bytes and two allocations, 120 bytes in all where the owner and an
//! address are 25. So owners and data lie back to back in one list of octets,
//! each owner once, and a record is a head of 16 bytes that says where. What
//! others see are views: [`RecordRef`], and [`RecordSlice`] for several.
//!
//! Compiling zones and dropping this was refused: a transfer gives owners in
//! the case that the operator wrote, occluded records and glue included, and
//! in canonical order, none of which an answer needs.
//!
//! **Invariant:** neighbours of one owner share its octets, so that telling
//! owners apart is comparing two numbers.

use crate::name::NameRef;
use crate::record::{Record, RecordRef, Rtype};

/// Octets of a zone's owners and data. Offsets have 32 bits, and so do those
/// of the keys that owners are sorted by, which may be twice as long.
const MAX_OCTETS: usize = 1 << 31;

/// A zone's records, each after the other.
#[derive(Clone, Default, Debug)]
pub struct Records {
    heads: Vec<Head>,
    octets: Vec<u8>,
}

/// Where the parts of one record are.
#[derive(Clone, Copy, Debug)]
struct Head {
    owner: Owner,
    rdata: u32,
    ttl: u32,
    rtype: Rtype,
    length: u16,
}

/// Where an owner is: its length in one octet, then its wire form.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Owner(u32);

impl Owner {
    fn name(self, octets: &[u8]) -> NameRef<'_> {
        let start = self.0 as usize + 1;
        NameRef::known(&octets[start..start + usize::from(octets[start - 1])])
    }
}

impl Head {
    fn of(self, octets: &[u8]) -> RecordRef<'_> {
        let start = self.rdata as usize;
        RecordRef {
            owner: self.owner.name(octets),
            rtype: self.rtype,
            ttl: self.ttl,
            rdata: &octets[start..start + usize::from(self.length)],
        }
    }
}

/// More than [`MAX_OCTETS`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Full;

impl Records {
    /// A copy of these, which are few.
    pub(crate) fn of(list: &[Record]) -> Self {
        let mut records = Self::default();
        list.iter().for_each(|record| records.add(record).expect("a handful of records"));
        records
    }

    /// All of them.
    #[must_use]
    pub fn slice(&self) -> RecordSlice<'_> {
        RecordSlice { heads: &self.heads, octets: &self.octets }
    }

    /// One after the other.
    #[must_use]
    pub fn iter(&self) -> RecordIter<'_> {
        self.slice().into_iter()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.heads.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.heads.is_empty()
    }

    /// The `index`-th.
    pub(crate) fn get(&self, index: usize) -> RecordRef<'_> {
        self.heads[index].of(&self.octets)
    }

    pub(crate) fn name(&self, owner: Owner) -> NameRef<'_> {
        owner.name(&self.octets)
    }

    /// Takes an owner in, for records to come.
    pub(crate) fn own(&mut self, name: NameRef<'_>) -> Result<Owner, Full> {
        let at = self.room(1 + name.wire().len())?;
        // A name has at most 255 octets.
        self.octets.push(u8::try_from(name.wire().len()).map_err(|_| Full)?);
        self.octets.extend_from_slice(name.wire());
        Ok(Owner(at))
    }

    /// Adds a record; its data has at most 65,535 octets.
    pub(crate) fn push(
        &mut self,
        owner: Owner,
        (rtype, ttl): (Rtype, u32),
        rdata: &[u8],
    ) -> Result<(), Full> {
        let at = self.room(rdata.len())?;
        let length = u16::try_from(rdata.len()).map_err(|_| Full)?;
        self.octets.extend_from_slice(rdata);
        self.heads.push(Head { owner, rdata: at, ttl, rtype, length });
        Ok(())
    }

    /// Adds a copy of a record.
    pub(crate) fn add(&mut self, record: &Record) -> Result<(), Full> {
        let last = self.heads.last().map(|head| head.owner);
        let owner = match last.filter(|last| self.name(*last) == record.owner) {
            Some(owner) => owner,
            None => self.own(record.owner.view())?,
        };
        self.push(owner, (record.rtype, record.ttl), &record.rdata)
    }

    /// Where `length` octets more would be.
    fn room(&self, length: usize) -> Result<u32, Full> {
        let fits = self.octets.len() + length <= MAX_OCTETS;
        u32::try_from(self.octets.len()).ok().filter(|_| fits).ok_or(Full)
    }

    pub(crate) fn set_ttl(&mut self, index: usize, ttl: u32) {
        self.heads[index].ttl = ttl;
    }

    /// Gives one record the owner of another, which is the same name.
    pub(crate) fn share_owner(&mut self, index: usize, other: usize) {
        self.heads[index].owner = self.heads[other].owner;
    }

    /// Keeps the records at these indexes, in this order.
    pub(crate) fn select(&mut self, order: &[u32]) {
        self.heads = order.iter().map(|&index| self.heads[index as usize]).collect();
        self.octets.shrink_to_fit();
    }

    /// Keeps the records that `wanted` says.
    pub(crate) fn retain(&mut self, wanted: impl Fn(RecordRef<'_>) -> bool) {
        self.heads.retain(|head| wanted(head.of(&self.octets)));
    }
}

impl<'a> IntoIterator for &'a Records {
    type Item = RecordRef<'a>;
    type IntoIter = RecordIter<'a>;

    fn into_iter(self) -> RecordIter<'a> {
        self.iter()
    }
}

/// Some records of a zone that stand together.
#[derive(Clone, Copy, Debug)]
pub struct RecordSlice<'a> {
    heads: &'a [Head],
    octets: &'a [u8],
}

impl<'a> RecordSlice<'a> {
    /// The first of them.
    ///
    /// # Panics
    /// When there are none: not of what [`nodes`](Self::nodes) and
    /// [`rrsets`](Self::rrsets) yield.
    #[must_use]
    pub fn first(self) -> RecordRef<'a> {
        self.heads[0].of(self.octets)
    }

    /// How many there are.
    #[must_use]
    pub const fn len(self) -> usize {
        self.heads.len()
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.heads.is_empty()
    }

    /// Those from `start` to before `end`.
    pub(crate) fn range(self, start: usize, end: usize) -> Self {
        Self { heads: &self.heads[start..end], ..self }
    }

    /// Those of each owner.
    pub fn nodes(self) -> impl Iterator<Item = Self> + Clone {
        let nodes = self.heads.chunk_by(|a, b| a.owner == b.owner);
        nodes.map(move |heads| Self { heads, ..self })
    }

    /// Those of each owner and type.
    pub fn rrsets(self) -> impl Iterator<Item = Self> + Clone {
        let rrsets = self.heads.chunk_by(|a, b| a.rtype == b.rtype && a.owner == b.owner);
        rrsets.map(move |heads| Self { heads, ..self })
    }

    /// One after the other.
    #[must_use]
    pub fn iter(self) -> RecordIter<'a> {
        RecordIter { heads: self.heads.iter(), octets: self.octets }
    }
}

impl<'a> IntoIterator for RecordSlice<'a> {
    type Item = RecordRef<'a>;
    type IntoIter = RecordIter<'a>;

    fn into_iter(self) -> RecordIter<'a> {
        self.iter()
    }
}

/// Records, one after the other.
#[derive(Clone, Debug)]
pub struct RecordIter<'a> {
    heads: std::slice::Iter<'a, Head>,
    octets: &'a [u8],
}

impl<'a> Iterator for RecordIter<'a> {
    type Item = RecordRef<'a>;

    fn next(&mut self) -> Option<RecordRef<'a>> {
        self.heads.next().map(|head| head.of(self.octets))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.heads.size_hint()
    }
}

impl ExactSizeIterator for RecordIter<'_> {}
