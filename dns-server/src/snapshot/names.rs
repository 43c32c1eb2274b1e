//! Every name Rhumb is authoritative for, frozen for look-ups.
//!
//! One table serves all zones: open addressing over folded wire names. All
//! that is known of a name lies in one *cell*: what it is to its zone, the
//! name, then its RRsets with their rdata, one after another. A cell of a host
//! with an address is some sixty octets and starts where it does not cross a
//! cache line without need, so a look-up is one hash, one probe of a slot and
//! one line of memory. Nodes, names, RRsets and rdata in lists of their own
//! were refused: four lines, each as far away as memory is, cost more than
//! all the rest of an answer.
//!
//! Empty non-terminals are nodes without RRsets (RFC 4592 §2.2.2), so the
//! closest encloser is the first ancestor that is found at all. What lies
//! below a zone cut or a DNAME is marked when the table is built, so an exact
//! hit never walks up. Where a child zone is served beside its parent, names
//! from the child's apex down belong to the child; of the parent's data there
//! only DS is kept, and it stays the parent's (RFC 4035 §3.1.4.1).
//!
//! **Invariant:** nothing here knows of clients, services' choices or health.

mod cell;
mod table;

use rhumb_zones::{Prefix, Rtype, ServiceId, ZoneId};

use super::signing::Signing;
pub(crate) use table::Names;
pub use table::TooLarge;

/// Where a node's cell is.
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
#[derive(Clone, Copy, Debug)]
pub(crate) struct Node {
    id: NodeId,
    name_length: u8,
    rrsets: u16,
    pub(crate) wildcard_child: bool,
    pub(crate) zone: ZoneId,
    pub(crate) role: Role,
    pub(crate) service: Option<ServiceId>,
}

impl Node {
    /// Whether there is no static data.
    pub(crate) const fn is_empty(&self) -> bool {
        self.rrsets == 0
    }
}

/// One RRset; its rdata lies in its node's cell as length-prefixed items.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct RrSet {
    pub(crate) rtype: Rtype,
    pub(crate) count: u16,
    pub(crate) ttl: u32,
    rdata_at: u32,
    octets: u32,
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
    /// Who may ask; nothing is everybody.
    pub(crate) allow_query: Option<Box<[Prefix]>>,
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
