//! Records in canonical order, and look-ups in them.
//!
//! [`Name`] compares label by label from the right, some 100 ns each time; a
//! million records take twenty million comparisons. So each owner is spelt
//! once as a key whose bytes compare like the name does: labels from the
//! right, in lower case, each ended by a zero. Keys live in one arena, the
//! first eight bytes beside the index, where most comparisons end.

use std::cmp::Ordering;

use crate::master::Entry;
use crate::name::Name;
use crate::rdata;

/// Entries in canonical order without duplicates.
pub(super) struct Sorted {
    entries: Vec<Entry>,
    nodes: Vec<Node>,
    keys: Vec<u8>,
    /// Labels of the apex, which no key spells.
    apex: usize,
}

/// Entries of one owner.
struct Node {
    key: Key,
    first: usize,
}

/// Where the bytes of a key are.
#[derive(Clone, Copy)]
struct Key {
    prefix: u64,
    start: usize,
    length: usize,
}

impl Key {
    fn compare(self, other: Self, keys: &[u8]) -> Ordering {
        self.prefix.cmp(&other.prefix).then_with(|| self.bytes(keys).cmp(other.bytes(keys)))
    }

    fn bytes(self, keys: &[u8]) -> &[u8] {
        &keys[self.start..self.start + self.length]
    }
}

impl Sorted {
    /// Sorts by owner, type and data; `twin` sees each duplicate, which is
    /// the later one in the file.
    pub(super) fn new(entries: Vec<Entry>, apex: &Name, twin: impl FnMut(&Entry)) -> Self {
        let mut sorted =
            Self { entries: Vec::new(), nodes: Vec::new(), keys: Vec::new(), apex: apex.labels().count() };
        let mut order: Vec<(Key, usize)> = Vec::with_capacity(entries.len());
        for (index, Entry { record, .. }) in entries.iter().enumerate() {
            // Records of one owner mostly stand together.
            let same = index > 0 && entries[index - 1].record.owner.as_wire() == record.owner.as_wire();
            let key = match order.last() {
                Some(&(key, _)) if same => key,
                _ => sorted.push_key(&record.owner),
            };
            order.push((key, index));
        }
        let keys = &sorted.keys;
        order.sort_unstable_by(|&(a, i), &(b, j)| {
            let (x, y) = (&entries[i], &entries[j]);
            a.compare(b, keys).then_with(|| compare(x, y)).then_with(|| x.at.cmp(&y.at)).then(i.cmp(&j))
        });
        sorted.fill(entries, &order, twin);
        sorted
    }

    /// Takes entries over in this order, without duplicates.
    fn fill(&mut self, entries: Vec<Entry>, order: &[(Key, usize)], mut twin: impl FnMut(&Entry)) {
        let mut slots: Vec<Option<Entry>> = entries.into_iter().map(Some).collect();
        self.entries.reserve_exact(slots.len());
        for &(key, index) in order {
            let Some(mut entry) = slots[index].take() else { continue };
            let same = self.nodes.last().is_some_and(|node| node.key.compare(key, &self.keys).is_eq());
            match self.entries.last_mut() {
                Some(last) if same && compare(last, &entry).is_eq() => {
                    last.record.ttl = last.record.ttl.min(entry.record.ttl);
                    twin(&entry);
                    continue;
                }
                // One spelling and one allocation for all records of a name.
                Some(last) if same => entry.record.owner = last.record.owner.clone(),
                _ => self.nodes.push(Node { key, first: self.entries.len() }),
            }
            self.entries.push(entry);
        }
    }

    /// Entries of each owner, in order.
    pub(super) fn nodes(&self) -> impl Iterator<Item = &[Entry]> {
        (0..self.nodes.len()).map(|node| self.node(node))
    }

    /// Runs of entries of one owner and type, to be changed.
    pub(super) fn rrsets(&mut self) -> impl Iterator<Item = &mut [Entry]> {
        self.entries.chunk_by_mut(|a, b| a.record.rtype == b.record.rtype && a.record.owner == b.record.owner)
    }

    /// Entries of this owner; none if nothing stands there.
    pub(super) fn find(&self, name: &Name) -> &[Entry] {
        match self.search(name) {
            Ok(node) => self.node(node),
            Err(_) => &[],
        }
    }

    /// Whether the name exists: it or one below it has records.
    pub(super) fn exists(&self, name: &Name) -> bool {
        match self.search(name) {
            Ok(_) => true,
            Err(next) => next < self.nodes.len() && self.node(next)[0].record.owner.is_within(name),
        }
    }

    pub(super) fn into_entries(self) -> impl Iterator<Item = Entry> {
        self.entries.into_iter()
    }

    fn node(&self, node: usize) -> &[Entry] {
        let end = self.nodes.get(node + 1).map_or(self.entries.len(), |next| next.first);
        &self.entries[self.nodes[node].first..end]
    }

    fn search(&self, name: &Name) -> Result<usize, usize> {
        let mut spelt = Vec::with_capacity(name.as_wire().len());
        spell(&mut spelt, name, self.apex);
        let prefix = prefix(&spelt);
        self.nodes.binary_search_by(|Node { key, .. }| {
            key.prefix.cmp(&prefix).then_with(|| key.bytes(&self.keys).cmp(&spelt))
        })
    }

    fn push_key(&mut self, name: &Name) -> Key {
        let start = self.keys.len();
        spell(&mut self.keys, name, self.apex);
        let bytes = &self.keys[start..];
        Key { prefix: prefix(bytes), start, length: bytes.len() }
    }
}

/// Order within one owner.
fn compare(a: &Entry, b: &Entry) -> Ordering {
    let (a, b) = (&a.record, &b.record);
    a.rtype.cmp(&b.rtype).then_with(|| rdata::compare(a.rtype, &a.rdata, &b.rdata))
}

/// Appends the key of a name, without the labels of the apex. The bytes 0
/// and 1 are written as two, so that zero only ends labels.
fn spell(keys: &mut Vec<u8>, name: &Name, apex: usize) {
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
