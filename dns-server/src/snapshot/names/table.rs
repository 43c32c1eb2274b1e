//! The table: slots that say where cells are, and the cells.
//!
//! While it is made it grows; [`Names::freeze`] then moves it to memory of its
//! own, whole pages, large ones where the system gives them.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use memmap2::{Advice, MmapMut};
use rhumb_zones::{Rtype, ServiceId, ZoneId};

use super::cell::{self, HEAD, NONE, RRSET};
use super::{Found, Node, NodeId, Role, RrSet, ZoneEntry};

/// Octets of a slot: the name's tag, and where its cell is.
const SLOT: usize = 8;

/// Slots to start with.
const FEW: usize = 64;

/// Octets that come from memory at once.
const LINE: usize = 64;

/// What large pages are made of: smaller tables gain nothing by them.
const LARGE: usize = 2 << 20;

/// The table of names.
#[derive(Debug)]
pub(crate) struct Names<B = Frozen> {
    hasher: RandomState,
    /// [`SLOT`] octets each, a power of two of them.
    slots: B,
    cells: B,
    /// Where cells start, in the order they were made.
    order: Vec<u32>,
    pub(crate) zones: Vec<ZoneEntry>,
    /// Labels of the deepest name: a longer query name cannot be found whole.
    max_labels: usize,
}

/// Memory that is written once.
#[derive(Debug)]
pub(crate) struct Frozen(MmapMut);

impl Frozen {
    fn new(bytes: &[u8]) -> Self {
        let mut map =
            MmapMut::map_anon(bytes.len().max(1)).expect("memory for a copy, as for any allocation");
        if bytes.len() >= LARGE {
            // A system without large pages serves from small ones.
            _ = map.advise(Advice::HugePage);
        }
        map[..bytes.len()].copy_from_slice(bytes);
        Self(map)
    }
}

impl AsRef<[u8]> for Frozen {
    #[inline]
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl<B: AsRef<[u8]>> Names<B> {
    #[inline]
    pub(crate) fn node(&self, id: NodeId) -> Node {
        cell::node(id, self.chunk(id.0 as usize))
    }

    #[inline]
    fn chunk<const N: usize>(&self, at: usize) -> &[u8; N] {
        self.cells.as_ref()[at..].first_chunk().expect("cells are whole")
    }

    pub(crate) fn zone(&self, id: ZoneId) -> &ZoneEntry {
        &self.zones[id.index()]
    }

    /// How many names there are, empty non-terminals included.
    pub(crate) fn len(&self) -> usize {
        self.order.len()
    }

    /// Every node from the `first`th on.
    pub(crate) fn ids_from(&self, first: usize) -> impl Iterator<Item = NodeId> {
        self.order.iter().skip(first).copied().map(NodeId)
    }

    /// The folded wire form of a node's name.
    #[inline]
    pub(crate) fn name(&self, node: Node) -> &[u8] {
        let start = node.id.0 as usize + HEAD;
        &self.cells.as_ref()[start..start + usize::from(node.name_length)]
    }

    pub(crate) fn rrsets(&self, node: Node) -> impl Iterator<Item = RrSet> {
        let mut at = node.id.0 as usize + HEAD + usize::from(node.name_length);
        (0..node.rrsets).map(move |_| {
            let rrset = cell::rrset(at, self.chunk(at));
            at += RRSET + rrset.octets as usize;
            rrset
        })
    }

    pub(crate) fn rrset(&self, node: Node, rtype: Rtype) -> Option<RrSet> {
        self.rrsets(node).find(|rrset| rrset.rtype == rtype)
    }

    /// The items of an RRset, uncompressed.
    pub(crate) fn rdata(&self, rrset: RrSet) -> impl Iterator<Item = &[u8]> + Clone {
        let mut rest = &self.cells.as_ref()[rrset.rdata_at as usize..][..rrset.octets as usize];
        (0..rrset.count).map(move |_| {
            let (length, tail) = rest.split_at(2);
            let (item, after) = tail.split_at(usize::from(u16::from_be_bytes([length[0], length[1]])));
            rest = after;
            item
        })
    }

    /// Looks `name` (folded, `labels` long) up.
    pub(crate) fn find(&self, name: &[u8], labels: usize) -> Found {
        if let Some(node) = self.exact(name) {
            return Found::Exact(node);
        }
        let (mut below, mut labels) = (0, labels);
        while let Some(&length) = name.get(below).filter(|&&length| length > 0) {
            below += usize::from(length) + 1;
            labels -= 1;
            if labels > self.max_labels {
                continue;
            }
            if let Some(node) = name.get(below..).and_then(|rest| self.exact(rest)) {
                return Found::Encloser { node, below };
            }
        }
        Found::Nowhere
    }

    /// Looks a folded name up whose labels nobody counted.
    pub(crate) fn find_folded(&self, name: &[u8]) -> Found {
        self.find(name, count_labels(name))
    }

    /// The node of `*` right under `node`, if there is one (RFC 4592).
    pub(crate) fn wildcard_under(&self, node: NodeId) -> Option<NodeId> {
        let node = self.node(node);
        if !node.wildcard_child {
            return None;
        }
        let name = self.name(node);
        let mut bytes = [0u8; 257];
        bytes.get_mut(..2)?.copy_from_slice(b"\x01*");
        bytes.get_mut(2..2 + name.len())?.copy_from_slice(name);
        self.exact(bytes.get(..2 + name.len())?)
    }

    /// A hash of a folded name that nobody outside can aim at.
    #[inline]
    pub(crate) fn hash(&self, name: &[u8]) -> u64 {
        self.hasher.hash_one(name)
    }

    /// The node of exactly this folded name.
    #[inline]
    pub(crate) fn exact(&self, name: &[u8]) -> Option<NodeId> {
        self.slot(name).1
    }

    /// Reads the slot that a name of this hash should be in.
    #[inline]
    pub(crate) fn approach(&self, hash: u64) -> u32 {
        let slots = self.slots.as_ref();
        read(slots, (hash >> 32) as usize & (slots.len() / SLOT - 1)).1
    }

    /// The node that a name of this hash should be.
    #[inline]
    pub(crate) fn candidate(&self, hash: u64) -> Option<Node> {
        let id = self.approach(hash);
        (id != NONE).then(|| self.node(NodeId(id)))
    }

    /// Which slot holds `name` or would, its node, and the name's tag.
    #[inline]
    fn slot(&self, name: &[u8]) -> (usize, Option<NodeId>, u32) {
        let hash = self.hash(name);
        let slots = self.slots.as_ref();
        let mask = slots.len() / SLOT - 1;
        let [.., a, b, c, d] = hash.to_be_bytes();
        let tag = u32::from_be_bytes([a, b, c, d]);
        let mut at = (hash >> 32) as usize & mask;
        loop {
            let (other, id) = read(slots, at);
            if id == NONE {
                return (at, None, tag);
            }
            let id = NodeId(id);
            if other == tag && self.name(self.node(id)) == name {
                return (at, Some(id), tag);
            }
            at = (at + 1) & mask;
        }
    }
}

impl Names<Vec<u8>> {
    /// An empty table.
    pub(crate) fn new() -> Self {
        Self {
            hasher: RandomState::default(),
            slots: free(FEW),
            cells: Vec::new(),
            order: Vec::new(),
            zones: Vec::new(),
            max_labels: 0,
        }
    }

    /// The same, never to change again.
    pub(crate) fn freeze(mut self) -> Names {
        self.order.shrink_to_fit();
        let Self { hasher, slots, cells, order, zones, max_labels } = self;
        Names { hasher, slots: Frozen::new(&slots), cells: Frozen::new(&cells), order, zones, max_labels }
    }

    /// The node of `name`, made as a bare name of `zone` if it is new. Its
    /// RRsets, some `octets` in all, are to be added before the next name is.
    pub(crate) fn insert(&mut self, name: &[u8], zone: ZoneId, octets: usize) -> Result<NodeId, TooLarge> {
        let (at, known, tag) = self.slot(name);
        if let Some(id) = known {
            return Ok(id);
        }
        let name_length = u8::try_from(name.len()).map_err(|_| TooLarge)?;
        let (used, length) = (self.cells.len() % LINE, HEAD + name.len() + octets);
        if used + length > LINE && length <= LINE {
            self.cells.resize(self.cells.len() + LINE - used, 0);
        }
        let id = u32::try_from(self.cells.len()).map_err(|_| TooLarge)?;
        self.cells.extend_from_slice(&cell::head(zone, name_length));
        self.cells.extend_from_slice(name);
        self.order.push(id);
        self.max_labels = self.max_labels.max(count_labels(name));
        write(&mut self.slots, at, (tag, id));
        // Three quarters full, probes grow longer than a cache line.
        if self.order.len() * 4 > self.slots.len() / SLOT * 3 {
            self.grow();
        }
        Ok(NodeId(id))
    }

    fn grow(&mut self) {
        self.slots = free(self.slots.len() / SLOT * 2);
        for at in 0..self.order.len() {
            let id = NodeId(self.order[at]);
            let (at, _, tag) = self.slot(self.name(self.node(id)));
            write(&mut self.slots, at, (tag, id.0));
        }
    }

    /// Says what a node is to its zone.
    pub(crate) fn set_role(&mut self, NodeId(id): NodeId, role: Role) {
        let (kind, above) = cell::kind(role);
        let head = &mut self.cells[id as usize..][..HEAD];
        head[cell::KIND] = kind | head[cell::KIND] & cell::WILDCARD;
        head[cell::ABOVE..][..4].copy_from_slice(&above.to_le_bytes());
    }

    /// Says that a wildcard lies right under a node.
    pub(crate) fn set_wildcard_child(&mut self, NodeId(id): NodeId) {
        self.cells[id as usize + cell::KIND] |= cell::WILDCARD;
    }

    /// Says which service answers at a node.
    pub(crate) fn set_service(&mut self, NodeId(id): NodeId, service: ServiceId) {
        let service = cell::index(service.index()).to_le_bytes();
        self.cells[id as usize + cell::SERVICE..][..4].copy_from_slice(&service);
    }

    /// Adds an RRset to `node`, the last name that was inserted.
    pub(crate) fn add<'r>(
        &mut self,
        node: NodeId,
        (rtype, ttl): (Rtype, u32),
        items: impl IntoIterator<Item = &'r [u8]>,
    ) -> Result<RrSet, TooLarge> {
        assert_eq!(self.order.last(), Some(&node.0), "RRsets of a node come in a row");
        let at = self.cells.len();
        self.cells.resize(at + RRSET, 0);
        let rdata_at = u32::try_from(self.cells.len()).map_err(|_| TooLarge)?;
        let mut count = 0u16;
        for item in items {
            let length = u16::try_from(item.len()).map_err(|_| TooLarge)?;
            self.cells.extend_from_slice(&length.to_be_bytes());
            self.cells.extend_from_slice(item);
            count = count.checked_add(1).ok_or(TooLarge)?;
        }
        let octets = u32::try_from(self.cells.len() - at - RRSET).map_err(|_| TooLarge)?;
        let rrset = RrSet { rtype, count, ttl, rdata_at, octets };
        self.cells[at..at + RRSET].copy_from_slice(&cell::rrset_head(&rrset));
        let rrsets = &mut self.cells[node.0 as usize + cell::RRSETS..][..2];
        let number = u16::from_le_bytes([rrsets[0], rrsets[1]]).checked_add(1).ok_or(TooLarge)?;
        rrsets.copy_from_slice(&number.to_le_bytes());
        Ok(rrset)
    }
}

/// `count` free slots.
fn free(count: usize) -> Vec<u8> {
    vec![0xff; count * SLOT]
}

#[inline]
fn read(slots: &[u8], at: usize) -> (u32, u32) {
    let [a, b, c, d, e, f, g, h] = *slots[at * SLOT..].first_chunk::<SLOT>().expect("slots are whole");
    (u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h]))
}

fn write(slots: &mut [u8], at: usize, (tag, id): (u32, u32)) {
    slots[at * SLOT..][..4].copy_from_slice(&tag.to_le_bytes());
    slots[at * SLOT + 4..][..4].copy_from_slice(&id.to_le_bytes());
}

fn count_labels(name: &[u8]) -> usize {
    let (mut at, mut labels) = (0, 0);
    while let Some(&length) = name.get(at).filter(|&&length| length > 0) {
        at += usize::from(length) + 1;
        labels += 1;
    }
    labels
}

/// More names or data than the table's 32-bit offsets can address.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("more than 4 GiB of names and records, or more than 65,535 records in one RRset")]
pub struct TooLarge;

#[cfg(test)]
mod tests {
    use super::*;
    use rhumb_zones::Name;

    #[test]
    fn find_tells_exact_encloser_and_nowhere() {
        let mut names = Names::new();
        for index in 0..1_000 {
            let name = Name::scan_absolute(&format!("n{index}.b.example")).unwrap();
            let node = names.insert(&name.folded(), ZoneId::new(0), 18).unwrap();
            names.add(node, (Rtype::A, 60), [&[192, 0, 2, 1][..]]).unwrap();
        }
        names.insert(&Name::scan_absolute("example").unwrap().folded(), ZoneId::new(0), 0).unwrap();
        let names = names.freeze();
        let rows = [
            ("n7.b.example", "exact", "a name that is there"),
            ("n999.b.example", "exact", "after the table grew"),
            ("x.n7.b.example", "2", "below a name; the encloser starts after x"),
            ("b.example", "2", "no empty non-terminal was inserted here"),
            ("a.very.deep.name.example", "17", "deeper than any name"),
            ("org", "nowhere", "no zone"),
        ];
        for (text, want, why) in rows {
            let name = Name::scan_absolute(text).unwrap();
            let got = match names.find(&name.folded(), name.labels().count()) {
                Found::Exact(id) => {
                    assert_eq!(names.name(names.node(id)), name.folded());
                    "exact".to_owned()
                }
                Found::Encloser { below, .. } => below.to_string(),
                Found::Nowhere => "nowhere".to_owned(),
            };
            assert_eq!(got, want, "{text}: {why}");
        }
    }

    #[test]
    fn a_cell_keeps_what_it_is_told() {
        let mut names = Names::new();
        let mut insert = |text: &str| {
            names.insert(&Name::scan_absolute(text).unwrap().folded(), ZoneId::new(3), 0).unwrap()
        };
        let (cut, glue) = (insert("cut.example"), insert("ns.cut.example"));
        names.set_role(cut, Role::Cut);
        names.set_wildcard_child(cut);
        names.set_role(cut, Role::Redirect);
        names.set_role(glue, Role::Below(cut));
        names.set_service(glue, ServiceId::new(7));
        names.add(glue, (Rtype::A, 60), [&[192, 0, 2, 1][..], &[192, 0, 2, 2]]).unwrap();
        names.add(glue, (Rtype::TXT, 61), [&b"\x01x"[..]]).unwrap();
        let names = names.freeze();
        let (above, below) = (names.node(cut), names.node(glue));
        assert_eq!((above.role, above.wildcard_child, above.service), (Role::Redirect, true, None));
        assert_eq!((below.role, below.wildcard_child), (Role::Below(cut), false));
        assert_eq!((below.zone, below.service), (ZoneId::new(3), Some(ServiceId::new(7))));
        let txt = names.rrset(below, Rtype::TXT).unwrap();
        assert_eq!((txt.ttl, names.rdata(txt).collect::<Vec<_>>()), (61, vec![&b"\x01x"[..]]));
        let a = names.rrset(below, Rtype::A).unwrap();
        assert_eq!(names.rdata(a).map(|rdata| rdata[3]).collect::<Vec<_>>(), [1, 2]);
        assert!(above.is_empty() && !below.is_empty());
    }
}
