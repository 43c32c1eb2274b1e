//! Client address → class and Client Subnet scope, on the path of every query.
//!
//! A shape of policy tells few places apart: two datacenters and four carriers
//! make eight classes out of a third of a million places. A [`ClassMap`] is the
//! place table with neighbours of one class merged.
//!
//! The *scope* of an answer is the widest prefix around the client that lies
//! in one class (RFC 7871 §7.2.1): too short a scope poisons caches, too long
//! only costs hits. It is not stored: it follows from the bounds of the range.
//! Classes know nothing of health, so a scope never moves when something
//! fails. Scopes are no longer than [`MAX_SCOPE_V4`] and [`MAX_SCOPE_V6`],
//! whatever the source: more would tell caches apart by household.
//!
//! A source shorter than its leaf covers several classes; it gets the one that
//! holds most of its addresses, and the depth of the leaf as scope, which asks
//! for a longer source next time.
//!
//! **Invariant:** look-ups neither allocate nor fail.

mod plurality;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::address::Embedding;
use crate::class::plurality::Pluralities;
use crate::ranges::{Key, Ranges, Steps};

/// Longest IPv4 scope, RFC 7871 §11.1.
pub const MAX_SCOPE_V4: u8 = 24;
/// Longest IPv6 scope, RFC 7871 §11.1.
pub const MAX_SCOPE_V6: u8 = 56;

/// Bits of the index over IPv4: 2²⁰ slots are 4 MiB and leave few ranges to a
/// slot even where networks are smallest, so that one line of memory holds
/// those that a search looks at.
const INDEX_V4: u8 = 20;
/// Bits of the index over IPv6: 2¹⁸ slots tell 2000::/3 apart by /21.
const INDEX_V6: u8 = 18;

/// Index of a class of clients that no policy of a shape can tell apart.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ClassId(u16);

impl ClassId {
    /// How many classes a shape may have.
    pub const MAX_CLASSES: usize = u16::MAX as usize;
    /// No class: the address stands for an IPv4 address.
    pub(crate) const EMBEDDED: Self = Self(u16::MAX);

    /// The `index`-th class of a shape; nothing from
    /// [`ClassId::MAX_CLASSES`] on.
    #[must_use]
    pub fn new(index: usize) -> Option<Self> {
        u16::try_from(index).ok().filter(|index| *index != u16::MAX).map(Self)
    }

    /// Its number.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// Where in a map an address is going to be looked for.
#[derive(Clone, Copy, Debug)]
pub enum Approach {
    /// Among the ranges of IPv4.
    V4(usize),
    /// Among those of IPv6.
    V6(usize),
}

/// Every address's class, for one shape of policy.
#[derive(Debug)]
pub struct ClassMap {
    v4: Family<u32>,
    v6: Family<u128>,
    nowhere: ClassId,
}

impl ClassMap {
    pub(crate) fn new(v4: Steps<u32, ClassId>, v6: Steps<u128, ClassId>, nowhere: ClassId) -> Self {
        Self {
            v4: Family::new(v4, (MAX_SCOPE_V4, INDEX_V4)),
            v6: Family::new(v6, (MAX_SCOPE_V6, INDEX_V6)),
            nowhere,
        }
    }

    /// How many ranges it has, IPv4 and IPv6: what it costs in memory, at 6
    /// and 18 bytes each.
    #[must_use]
    pub fn ranges(&self) -> (usize, usize) {
        (self.v4.ranges.len(), self.v6.ranges.len())
    }

    /// The class of a client whose whole address is known.
    #[must_use]
    #[inline]
    pub fn class(&self, address: IpAddr) -> ClassId {
        match address {
            IpAddr::V4(ip) => self.class_v4(ip),
            IpAddr::V6(ip) => self.class_v6(ip),
        }
    }

    fn class_v4(&self, address: Ipv4Addr) -> ClassId {
        let address = address.to_bits();
        self.v4.ranges.value(self.v4.ranges.find(address))
    }

    fn class_v6(&self, address: Ipv6Addr) -> ClassId {
        let address = address.to_bits();
        let class = self.v6.ranges.value(self.v6.ranges.find(address));
        match Embedding::of(address) {
            Some(embedding) if class == ClassId::EMBEDDED => {
                self.class_v4(Ipv4Addr::from_bits(embedding.inner(address)))
            }
            _ => class,
        }
    }

    /// The first of two steps that bring nearer what [`ClassMap::find`] and
    /// [`ClassMap::class`] are going to read; nothing is found yet.
    #[inline]
    #[must_use]
    pub fn approach(&self, address: IpAddr) -> Approach {
        match address {
            IpAddr::V4(ip) => Approach::V4(self.v4.ranges.approach(ip.to_bits())),
            IpAddr::V6(ip) => Approach::V6(self.v6.ranges.approach(ip.to_bits())),
        }
    }

    /// The second; the result only says that something was read.
    #[inline]
    #[must_use]
    pub fn arrive(&self, approach: Approach) -> ClassId {
        match approach {
            Approach::V4(at) => self.v4.ranges.arrive(at).1,
            Approach::V6(at) => self.v6.ranges.arrive(at).1,
        }
    }

    /// The class and scope of the `source` first bits of `network`, as a
    /// Client Subnet option gives them; bits beyond must be 0. `source` is at
    /// least 1: without a source there is no network to find.
    #[must_use]
    #[inline]
    pub fn find(&self, network: IpAddr, source: u8) -> (ClassId, u8) {
        match network {
            IpAddr::V4(ip) => self.v4.find(ip.to_bits(), source),
            IpAddr::V6(ip) => {
                let bits = ip.to_bits();
                match Embedding::of(bits) {
                    None => self.v6.find(bits, source),
                    Some(embedding) => self.find_embedded(embedding, bits, source),
                }
            }
        }
    }

    /// A network of addresses that stand for IPv4 addresses: 2002:c000:200::/40
    /// is 192.0.2.0/24. A source that ends before the inner address says
    /// nothing of where the client is.
    fn find_embedded(&self, embedding: &Embedding, network: u128, source: u8) -> (ClassId, u8) {
        match source.checked_sub(embedding.offset) {
            Some(inner) if inner > 0 => {
                let mask = Key::last_of(0, inner);
                let (class, scope) = self.v4.find(embedding.inner(network) & !mask, inner);
                (class, embedding.offset + scope)
            }
            _ if source < embedding.length => self.v6.find(network, source),
            _ => (self.nowhere, embedding.offset.min(MAX_SCOPE_V6)),
        }
    }
}

#[derive(Debug)]
struct Family<K> {
    ranges: Ranges<K, ClassId>,
    pluralities: Pluralities<K>,
    max_scope: u8,
}

impl<K: Key> Family<K> {
    fn new(steps: Steps<K, ClassId>, (max_scope, index): (u8, u8)) -> Self {
        let ranges = Ranges::indexed(steps, index);
        let pluralities = Pluralities::new(&ranges, max_scope);
        Self { ranges, pluralities, max_scope }
    }

    #[inline]
    fn find(&self, network: K, source: u8) -> (ClassId, u8) {
        let source = source.min(self.max_scope);
        let network = network.first_of(source);
        let range = self.ranges.find(network);
        let depth = self.ranges.depth(range, network);
        if depth <= source {
            return (self.ranges.value(range), depth);
        }
        (self.pluralities.class(&self.ranges, network, source), depth.min(self.max_scope))
    }
}
