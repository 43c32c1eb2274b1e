//! Every name Rhumb is authoritative for, frozen for look-ups.
//!
//! One table serves all zones: open addressing over folded wire names that
//! lie back to back in one arena, nodes and RRsets in dense lists, rdata in
//! one blob. A million names cost about 80 bytes each besides their own, and
//! a look-up is one hash, one probe of a slot and one compare.
//!
//! Empty non-terminals are nodes without RRsets (RFC 4592 §2.2.2), so the
//! closest encloser is the first ancestor that is found at all. What lies
//! below a zone cut or a DNAME is marked when the table is built, so an exact
//! hit never walks up. Where a child zone is served beside its parent, names
//! from the child's apex down belong to the child; of the parent's data there
//! only DS is kept, and it stays the parent's (RFC 4035 §3.1.4.1).
//!
//! **Invariant:** nothing here knows of clients, services' choices or health.

use foldhash::fast::RandomState;
use rhumb_zones::{Rtype, ServiceId, ZoneId};
use std::hash::BuildHasher;

use super::signing::Signing;

/// Index of a node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct NodeId(u32);

/// What a name is to the zone it lies in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Role {
    /// A name with authoritative data, or an empty non-terminal.
    Plain,
    /// The zone's own name.
    Apex,
    /// A delegation: NS here is the child's (RFC 1034 §4.2.1).
    Cut,
    /// Owner of a DNAME: what lies below is redirected.
    Redirect,
    /// Below that cut or redirect: glue at best, never an answer by itself.
    Below(NodeId),
}

/// One name.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    name_at: u32,
    name_length: u8,
    pub(crate) wildcard_child: bool,
    pub(crate) zone: ZoneId,
    pub(crate) role: Role,
    pub(crate) service: Option<ServiceId>,
    rrsets_at: u32,
    rrsets: u16,
}

/// One RRset; its rdata lies in the blob as length-prefixed items.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RrSet {
    pub(crate) rtype: Rtype,
    pub(crate) count: u16,
    pub(crate) ttl: u32,
    rdata_at: u32,
}

/// What a zone needs at query time.
#[derive(Debug)]
pub(crate) struct ZoneEntry {
    pub(crate) apex: NodeId,
    /// Its TTL is already that of negative answers: the lesser of the SOA's
    /// own and its MINIMUM (RFC 2308 §3).
    pub(crate) negative_soa: RrSet,
    /// The SOA's own TTL, which is what its signature says.
    pub(crate) soa_ttl: u32,
    /// The served zone above, which owns DS at the apex.
    pub(crate) parent: Option<ZoneId>,
    /// What signs it, if it is signed.
    pub(crate) signing: Option<Signing>,
}

/// Where a name ended up.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Found {
    /// It exists.
    Exact(NodeId),
    /// It does not; this is its closest encloser, and `below` is where in the
    /// name the encloser starts.
    Encloser { node: NodeId, below: usize },
    /// It lies in no zone of ours.
    Nowhere,
}

/// The frozen table.
#[derive(Debug)]
pub(crate) struct Names {
    hasher: RandomState,
    /// Hash tag and node, `EMPTY` where free; a power of two of them.
    slots: Vec<(u32, u32)>,
    arena: Vec<u8>,
    nodes: Vec<Node>,
    rrsets: Vec<RrSet>,
    rdata: Vec<u8>,
    pub(crate) zones: Vec<ZoneEntry>,
    /// Labels of the deepest name: a longer query name cannot be found whole.
    max_labels: usize,
}

const EMPTY: u32 = u32::MAX;

impl Names {
    pub(crate) fn new() -> Self {
        Self {
            hasher: RandomState::default(),
            slots: vec![(0, EMPTY); 64],
            arena: Vec::new(),
            nodes: Vec::new(),
            rrsets: Vec::new(),
            rdata: Vec::new(),
            zones: Vec::new(),
            max_labels: 0,
        }
    }

    pub(crate) fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0 as usize]
    }

    pub(crate) fn node_mut(&mut self, id: NodeId) -> &mut Node {
        &mut self.nodes[id.0 as usize]
    }

    pub(crate) fn zone(&self, id: ZoneId) -> &ZoneEntry {
        &self.zones[id.index()]
    }

    /// How many names there are, empty non-terminals included.
    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Where the next name will be.
    pub(super) fn next_id(&self) -> NodeId {
        NodeId(u32::try_from(self.nodes.len()).unwrap_or(u32::MAX))
    }

    /// Every node from `first` on.
    pub(super) fn ids_from(&self, first: NodeId) -> impl Iterator<Item = NodeId> {
        (first.0..self.next_id().0).map(NodeId)
    }

    /// At most `count` nodes from the `from`th on.
    pub(crate) fn slice(&self, from: usize, count: usize) -> impl Iterator<Item = NodeId> {
        let from = u32::try_from(from).unwrap_or(u32::MAX);
        self.ids_from(NodeId(from)).take(count)
    }

    /// The folded wire form of a node's name.
    pub(crate) fn name(&self, node: &Node) -> &[u8] {
        let start = node.name_at as usize;
        &self.arena[start..start + usize::from(node.name_length)]
    }

    pub(crate) fn rrsets(&self, node: &Node) -> &[RrSet] {
        let start = node.rrsets_at as usize;
        &self.rrsets[start..start + usize::from(node.rrsets)]
    }

    pub(crate) fn rrset(&self, node: &Node, rtype: Rtype) -> Option<&RrSet> {
        self.rrsets(node).iter().find(|rrset| rrset.rtype == rtype)
    }

    /// The items of an RRset, uncompressed.
    pub(crate) fn rdata(&self, rrset: &RrSet) -> impl Iterator<Item = &[u8]> + Clone {
        let mut rest = &self.rdata[rrset.rdata_at as usize..];
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
    pub(crate) fn hash(&self, name: &[u8]) -> u64 {
        self.hasher.hash_one(name)
    }

    /// The node of exactly this folded name.
    pub(crate) fn exact(&self, name: &[u8]) -> Option<NodeId> {
        let (_, node) = self.slots[self.slot(name).0];
        (node != EMPTY).then_some(NodeId(node))
    }

    /// The slot that holds `name` or would, and its tag.
    fn slot(&self, name: &[u8]) -> (usize, u32) {
        let hash = self.hasher.hash_one(name);
        let mask = self.slots.len() - 1;
        let [.., a, b, c, d] = hash.to_be_bytes();
        let tag = u32::from_be_bytes([a, b, c, d]);
        let mut at = (hash >> 32) as usize & mask;
        loop {
            let (other, node) = self.slots[at];
            if node == EMPTY || (other == tag && self.name(&self.nodes[node as usize]) == name) {
                return (at, tag);
            }
            at = (at + 1) & mask;
        }
    }

    /// The node of `name`, made as a bare name of `zone` if it is new.
    pub(crate) fn insert(&mut self, name: &[u8], zone: ZoneId) -> Result<NodeId, TooLarge> {
        let (at, tag) = self.slot(name);
        if self.slots[at].1 != EMPTY {
            return Ok(NodeId(self.slots[at].1));
        }
        let id = u32::try_from(self.nodes.len()).map_err(|_| TooLarge)?;
        let name_at = u32::try_from(self.arena.len()).map_err(|_| TooLarge)?;
        let name_length = u8::try_from(name.len()).map_err(|_| TooLarge)?;
        self.arena.extend_from_slice(name);
        self.nodes.push(Node {
            name_at,
            name_length,
            wildcard_child: false,
            zone,
            role: Role::Plain,
            service: None,
            rrsets_at: 0,
            rrsets: 0,
        });
        self.max_labels = self.max_labels.max(count_labels(name));
        self.slots[at] = (tag, id);
        // Three quarters full, probes grow longer than a cache line.
        if self.nodes.len() * 4 > self.slots.len() * 3 {
            self.grow();
        }
        Ok(NodeId(id))
    }

    fn grow(&mut self) {
        self.slots = vec![(0, EMPTY); self.slots.len() * 2];
        for id in 0..self.nodes.len() {
            let (at, tag) = self.slot(self.name(&self.nodes[id]));
            self.slots[at] = (tag, u32::try_from(id).expect("insert bounds the nodes"));
        }
    }

    /// Adds an RRset to `node`; all of one node must come in a row.
    pub(crate) fn add<'r>(
        &mut self,
        node: NodeId,
        (rtype, ttl): (Rtype, u32),
        items: impl IntoIterator<Item = &'r [u8]>,
    ) -> Result<(), TooLarge> {
        let rrset = self.store(rtype, ttl, items)?;
        let next = u32::try_from(self.rrsets.len()).map_err(|_| TooLarge)?;
        self.rrsets.push(rrset);
        let node = self.node_mut(node);
        if node.rrsets == 0 {
            node.rrsets_at = next;
        }
        debug_assert_eq!(node.rrsets_at + u32::from(node.rrsets), next, "RRsets of a node come in a row");
        node.rrsets += 1;
        Ok(())
    }

    /// Puts rdata in the blob without giving it an owner.
    pub(crate) fn store<'r>(
        &mut self,
        rtype: Rtype,
        ttl: u32,
        items: impl IntoIterator<Item = &'r [u8]>,
    ) -> Result<RrSet, TooLarge> {
        let rdata_at = u32::try_from(self.rdata.len()).map_err(|_| TooLarge)?;
        let mut count = 0u16;
        for item in items {
            let length = u16::try_from(item.len()).map_err(|_| TooLarge)?;
            self.rdata.extend_from_slice(&length.to_be_bytes());
            self.rdata.extend_from_slice(item);
            count = count.checked_add(1).ok_or(TooLarge)?;
        }
        Ok(RrSet { rtype, count, ttl, rdata_at })
    }
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
            names.insert(&name.folded(), ZoneId::new(0)).unwrap();
        }
        names.insert(&Name::scan_absolute("example").unwrap().folded(), ZoneId::new(0)).unwrap();
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
}
