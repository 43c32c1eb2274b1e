//! Records in canonical order, and look-ups in them.
//!
//! [`Name`] compares label by label from the right, some 100 ns each time; a
//! million records take twenty million comparisons. So each owner is spelt
//! once as a key whose bytes compare like the name does: labels from the
//! right, in lower case, each ended by a zero. Keys live in one arena, the
//! first eight bytes beside the index, where most comparisons end.

use std::cmp::Ordering;

use crate::master::{Place, Scanned};
use crate::name::{Name, NameRef};
use crate::rdata;
use crate::record::RecordRef;
use crate::records::{RecordSlice, Records};

/// A record and where it stands.
#[derive(Clone, Copy)]
pub(super) struct Entry<'z> {
    pub(super) record: RecordRef<'z>,
    pub(super) at: Place,
}

/// Entries of one owner.
#[derive(Clone, Copy)]
pub(super) struct Node<'z> {
    records: RecordSlice<'z>,
    places: &'z [Place],
}

impl<'z> Node<'z> {
    pub(super) fn owner(self) -> NameRef<'z> {
        self.records.first().owner
    }

    pub(super) fn iter(self) -> impl Iterator<Item = Entry<'z>> {
        self.records.iter().zip(self.places).map(|(record, &at)| Entry { record, at })
    }
}

/// Records in canonical order without duplicates.
pub(super) struct Sorted {
    records: Records,
    places: Vec<Place>,
    nodes: Vec<Start>,
    keys: Vec<u8>,
    /// Labels of the apex, which no key spells.
    apex: usize,
}

/// Where the entries of one owner start.
struct Start {
    key: Key,
    first: u32,
}

/// Where the bytes of a key are.
#[derive(Clone, Copy)]
struct Key {
    prefix: u64,
    start: u32,
    length: u16,
}

impl Key {
    fn compare(self, other: Self, keys: &[u8]) -> Ordering {
        self.prefix.cmp(&other.prefix).then_with(|| self.bytes(keys).cmp(other.bytes(keys)))
    }

    fn bytes(self, keys: &[u8]) -> &[u8] {
        let start = self.start as usize;
        &keys[start..start + usize::from(self.length)]
    }
}

impl Sorted {
    /// Sorts by owner, type and data; `twin` sees each duplicate, which is
    /// the later one in the file.
    pub(super) fn new(
        Scanned { records, places }: Scanned,
        apex: &Name,
        twin: impl FnMut(Entry<'_>),
    ) -> Self {
        let apex = apex.labels().count();
        let mut keys = Vec::new();
        let mut order: Vec<(Key, u32)> = Vec::with_capacity(records.len());
        let mut before: Option<NameRef<'_>> = None;
        for (index, record) in (0..).zip(&records) {
            // Records of one owner mostly stand together.
            let same = before.is_some_and(|before| before.wire() == record.owner.wire());
            before = Some(record.owner);
            let key = match order.last() {
                Some(&(key, _)) if same => key,
                _ => push_key(&mut keys, record.owner, apex),
            };
            order.push((key, index));
        }
        order.sort_unstable_by(|&(a, i), &(b, j)| {
            let data = || compare(records.get(i as usize), records.get(j as usize));
            let place = || places[i as usize].cmp(&places[j as usize]);
            a.compare(b, &keys).then_with(data).then_with(place).then(i.cmp(&j))
        });
        let mut sorted = Self { records, places, nodes: Vec::new(), keys, apex };
        sorted.arrange(&order, twin);
        sorted
    }

    /// Puts records in this order, without duplicates.
    fn arrange(&mut self, order: &[(Key, u32)], mut twin: impl FnMut(Entry<'_>)) {
        let mut kept: Vec<u32> = Vec::with_capacity(order.len());
        for &(key, index) in order {
            let (record, at) = (self.records.get(index as usize), self.places[index as usize]);
            let same = self.nodes.last().is_some_and(|node| node.key.compare(key, &self.keys).is_eq());
            match kept.last() {
                Some(&last) if same => {
                    let other = self.records.get(last as usize);
                    if compare(other, record).is_eq() {
                        let ttl = other.ttl.min(record.ttl);
                        twin(Entry { record, at });
                        self.records.set_ttl(last as usize, ttl);
                        continue;
                    }
                    // One spelling for all records of a name.
                    self.records.share_owner(index as usize, last as usize);
                }
                _ => self.nodes.push(Start { key, first: to_u32(kept.len()) }),
            }
            kept.push(index);
        }
        self.records.select(&kept);
        self.places = kept.iter().map(|&index| self.places[index as usize]).collect();
    }

    /// Entries of each owner, in order.
    pub(super) fn nodes(&self) -> impl Iterator<Item = Node<'_>> {
        (0..self.nodes.len()).map(|node| self.node(node))
    }

    /// How many records there are.
    pub(super) fn len(&self) -> usize {
        self.records.len()
    }

    pub(super) fn entry(&self, index: usize) -> Entry<'_> {
        Entry { record: self.records.get(index), at: self.places[index] }
    }

    pub(super) fn set_ttl(&mut self, index: usize, ttl: u32) {
        self.records.set_ttl(index, ttl);
    }

    /// Entries of this owner; nothing if none stands there.
    pub(super) fn find(&self, name: NameRef<'_>) -> Option<Node<'_>> {
        self.search(name).ok().map(|node| self.node(node))
    }

    /// Whether the name exists: it or one below it has records.
    pub(super) fn exists(&self, name: NameRef<'_>) -> bool {
        match self.search(name) {
            Ok(_) => true,
            Err(next) => next < self.nodes.len() && self.node(next).owner().is_within(&name),
        }
    }

    pub(super) fn into_records(self) -> Records {
        self.records
    }

    fn node(&self, node: usize) -> Node<'_> {
        let first = self.nodes[node].first as usize;
        let end = self.nodes.get(node + 1).map_or(self.records.len(), |next| next.first as usize);
        Node { records: self.records.slice().range(first, end), places: &self.places[first..end] }
    }

    fn search(&self, name: NameRef<'_>) -> Result<usize, usize> {
        let mut spelt = Vec::with_capacity(name.wire().len());
        spell(&mut spelt, name, self.apex);
        let prefix = prefix(&spelt);
        self.nodes.binary_search_by(|Start { key, .. }| {
            key.prefix.cmp(&prefix).then_with(|| key.bytes(&self.keys).cmp(&spelt))
        })
    }
}

fn push_key(keys: &mut Vec<u8>, name: NameRef<'_>, apex: usize) -> Key {
    let start = keys.len();
    spell(keys, name, apex);
    let bytes = &keys[start..];
    let length = u16::try_from(bytes.len()).expect("at most twice a name's 255 octets");
    Key { prefix: prefix(bytes), start: to_u32(start), length }
}

/// Records are counted, and their octets limited, so that this holds.
fn to_u32(count: usize) -> u32 {
    u32::try_from(count).expect("a zone has at most 2 GiB of octets")
}

/// Order within one owner.
fn compare(a: RecordRef<'_>, b: RecordRef<'_>) -> Ordering {
    a.rtype.cmp(&b.rtype).then_with(|| rdata::compare(a.rtype, a.rdata, b.rdata))
}

/// Appends the key of a name, without the labels of the apex. The bytes 0
/// and 1 are written as two, so that zero only ends labels.
fn spell(keys: &mut Vec<u8>, name: NameRef<'_>, apex: usize) {
    let mut labels = [&[][..]; 128];
    let mut count = 0;
    for label in name.labels() {
        labels[count] = label;
        count += 1;
    }
    for label in labels[..count.saturating_sub(apex)].iter().rev() {
        for &byte in *label {
            match byte {
                0 | 1 => keys.extend([1, byte + 1]),
                _ => keys.push(byte.to_ascii_lowercase()),
            }
        }
        keys.push(0);
    }
}

/// The first eight bytes, zeros beyond the end.
fn prefix(key: &[u8]) -> u64 {
    let mut bytes = [0; 8];
    let length = key.len().min(8);
    bytes[..length].copy_from_slice(&key[..length]);
    u64::from_be_bytes(bytes)
}
