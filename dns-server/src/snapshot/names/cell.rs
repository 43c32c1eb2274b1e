//! How a name lies in memory.
//!
//! A cell is a head of [`HEAD`] octets, the name, and the RRsets, each a head
//! of [`RRSET`] octets and its items with two octets of length before each.
//! Numbers are little-endian and nothing is aligned: a load does not care.

use rhumb_zones::{Rtype, ServiceId, ZoneId};

use super::{Node, NodeId, Role, RrSet};

/// Octets before the name: zone, service, the cut above, the length of the
/// name, the kind, how many RRsets.
pub(super) const HEAD: usize = 16;

/// Octets before an RRset's items: type, how many items, TTL, octets of items.
pub(super) const RRSET: usize = 12;

/// Where the kind stands in a head.
pub(super) const KIND: usize = 13;

/// Where the number of RRsets stands in a head.
pub(super) const RRSETS: usize = 14;

/// Where the service stands in a head.
pub(super) const SERVICE: usize = 4;

/// Where the cut above stands in a head.
pub(super) const ABOVE: usize = 8;

/// In the kind: a wildcard lies right under the name.
pub(super) const WILDCARD: u8 = 0x80;

/// No service, no cut above; no cell starts there.
pub(super) const NONE: u32 = u32::MAX;

/// The head of a bare name.
pub(super) fn head(zone: ZoneId, name_length: u8) -> [u8; HEAD] {
    let mut head = [0; HEAD];
    head[..4].copy_from_slice(&index(zone.index()).to_le_bytes());
    head[SERVICE..ABOVE].copy_from_slice(&NONE.to_le_bytes());
    head[12] = name_length;
    head
}

/// An id as it stands in a cell.
pub(super) fn index(id: usize) -> u32 {
    u32::try_from(id).expect("ids are 32 bits wide")
}

/// What the head at `id` says.
#[inline]
pub(super) fn node(id: NodeId, head: &[u8; HEAD]) -> Node {
    let [z0, z1, z2, z3, s0, s1, s2, s3, a0, a1, a2, a3, name_length, kind, r0, r1] = *head;
    let service = u32::from_le_bytes([s0, s1, s2, s3]);
    Node {
        id,
        name_length,
        rrsets: u16::from_le_bytes([r0, r1]),
        wildcard_child: kind & WILDCARD != 0,
        zone: ZoneId::new(u32::from_le_bytes([z0, z1, z2, z3]) as usize),
        role: match kind & !WILDCARD {
            0 => Role::Plain,
            1 => Role::Apex,
            2 => Role::Cut,
            3 => Role::Redirect,
            _ => Role::Below(NodeId(u32::from_le_bytes([a0, a1, a2, a3]))),
        },
        service: (service != NONE).then(|| ServiceId::new(service as usize)),
    }
}

/// The kind and the cut above that say `role`.
pub(super) const fn kind(role: Role) -> (u8, u32) {
    match role {
        Role::Plain => (0, NONE),
        Role::Apex => (1, NONE),
        Role::Cut => (2, NONE),
        Role::Redirect => (3, NONE),
        Role::Below(NodeId(above)) => (4, above),
    }
}

/// The head of an RRset.
pub(super) fn rrset_head(rrset: &RrSet) -> [u8; RRSET] {
    let mut head = [0; RRSET];
    head[..2].copy_from_slice(&rrset.rtype.0.to_le_bytes());
    head[2..4].copy_from_slice(&rrset.count.to_le_bytes());
    head[4..8].copy_from_slice(&rrset.ttl.to_le_bytes());
    head[8..].copy_from_slice(&rrset.octets.to_le_bytes());
    head
}

/// The RRset whose head stands `at`.
#[inline]
pub(super) fn rrset(at: usize, head: &[u8; RRSET]) -> RrSet {
    let [y0, y1, c0, c1, t0, t1, t2, t3, o0, o1, o2, o3] = *head;
    RrSet {
        rtype: Rtype(u16::from_le_bytes([y0, y1])),
        count: u16::from_le_bytes([c0, c1]),
        ttl: u32::from_le_bytes([t0, t1, t2, t3]),
        #[expect(clippy::cast_possible_truncation, reason = "cells end before 4 GiB")]
        rdata_at: (at + RRSET) as u32,
        octets: u32::from_le_bytes([o0, o1, o2, o3]),
    }
}
