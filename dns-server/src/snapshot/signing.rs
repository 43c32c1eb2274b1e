//! What a signed zone needs at query time: keys at work, and the order of its
//! names.
//!
//! A proof that something does not exist is made of *links*: NSEC or NSEC3
//! records, each owned by one name (or hash) and pointing at the next. Every
//! name that a proof speaks of is proven by the link at or before it in the
//! zone's order, so one search serves all kinds of proofs: the name's own
//! link where it has one, else the one that covers it. Links are composed
//! when they are needed; only their order is kept, four octets a name (24 for
//! hashed ones).
//!
//! The order is canonical (RFC 4034 §6.1) and cyclic. Names without data of
//! their own have no NSEC, but an NSEC3 (RFC 5155 §7.1); what lies below cuts
//! and DNAMEs has neither.
//!
//! **Invariant:** a zone without keys at work has no [`Signing`].

use std::num::NonZero;
use std::sync::Arc;
use std::thread;

use rhumb_dnssec::denial::{self, HASH, Types};
use rhumb_dnssec::{KeyPair, Shared, Signer, ZoneKeys};
use rhumb_zones::{Denial as Kind, Dnssec, Model, Name, Nsec3, Rtype, Zone, ZoneId};

use super::names::{Names, NodeId, Role, RrSet};

/// Fewest places for signatures, 1.5 MB: wildcards and combinations of VIPs
/// need some however small the zone.
const MIN_ENTRIES: usize = 1 << 14;

/// Most places, 100 MB with keys on elliptic curves: zones of up to a quarter
/// of a million names keep all their signatures, larger ones those in use.
const MAX_ENTRIES: usize = 1 << 20;

/// Names that one core hashes sooner than a thread would start.
const FEW: usize = 1 << 10;

/// Places for each service: eight VIPs with two types each.
const SERVICE: usize = 16;

/// Keys of one signed zone, and its links.
#[derive(Debug)]
pub(crate) struct Signing {
    zone: Box<[Signer]>,
    keys: Box<[Signer]>,
    pub(crate) denial: Denial,
}

/// How a zone denies.
#[derive(Debug)]
pub(crate) enum Denial {
    /// Owners of NSEC records, in canonical order.
    Nsec(Box<[NodeId]>),
    /// Names by their hashes.
    Nsec3(Hashed),
    /// One NSEC at the name that was asked for (RFC 9824).
    Compact,
}

/// The names of a zone by their hashes.
#[derive(Debug)]
pub(crate) struct Hashed {
    pub(crate) how: Nsec3,
    pub(crate) links: Box<[([u8; HASH], NodeId)]>,
}

/// What NSEC3 and NSEC3PARAM begin with, before the salt: SHA-1, no flags,
/// rounds, octets of salt (RFC 5155 §3.2, §4.2).
pub(crate) fn hashing(how: &Nsec3) -> [u8; 5] {
    let [high, low] = how.iterations.to_be_bytes();
    [1, 0, high, low, u8::try_from(how.salt.len()).unwrap_or(u8::MAX)]
}

/// What signs the zones of a model.
#[derive(Clone, Debug)]
pub struct Signatures {
    /// By zone; nothing where a zone is not signed.
    pub keys: Vec<Option<Arc<ZoneKeys>>>,
    /// Signatures made so far, kept from one snapshot to the next.
    pub shared: Arc<Shared>,
}

impl Signatures {
    /// Of `model` without keys: no zone is signed.
    #[must_use]
    pub fn none(model: &Model) -> Self {
        Self::of(model, vec![None; model.zones().len()], &Arc::new(Shared::new(0, 0)))
    }

    /// Of `model` with these keys by zone. Goes on with the signatures that
    /// are there, unless they have too little room for this world.
    #[must_use]
    pub fn of(model: &Model, keys: Vec<Option<Arc<ZoneKeys>>>, shared: &Arc<Shared>) -> Self {
        let zones = model.zones().iter().zip(&keys).filter_map(|(zone, keys)| Some((zone, keys.as_deref()?)));
        // Each RRset and each link has a signature, and so has what VIPs are
        // answered with.
        let needed = |zone: &Zone| 2 * zone.records.records.len() + SERVICE * zone.services.len();
        let (mut entries, mut octets) = (0, 0);
        for (zone, keys) in zones {
            entries += needed(zone);
            octets =
                keys.ksk.iter().chain(&keys.zsk).map(|key| key.signature_octets()).fold(octets, usize::max);
        }
        let entries = if octets == 0 { 0 } else { (2 * entries).clamp(MIN_ENTRIES, MAX_ENTRIES) };
        let roomy = shared.cache.capacity() >= entries && shared.cache.octets() >= octets;
        let shared = if roomy { Arc::clone(shared) } else { Arc::new(Shared::new(entries, octets)) };
        Self { keys, shared }
    }
}

impl Signing {
    /// Of `zone`, whose names from `first` on are in `names`; `children` are
    /// served beside it.
    pub(super) fn new(
        (policy, keys, shared): (&Dnssec, &ZoneKeys, &Arc<Shared>),
        (names, first): (&Names, usize),
        (zone, apex): (ZoneId, &Name),
        children: &[NodeId],
    ) -> Self {
        let apex: Arc<[u8]> = Arc::from(apex.folded());
        let validity = u32::try_from(policy.validity.as_secs()).unwrap_or(u32::MAX);
        let signer = |key: &Arc<KeyPair>| {
            Signer::new(Arc::clone(key), Arc::clone(&apex), validity, Arc::clone(shared))
        };
        let mut owners: Vec<NodeId> = names.of(zone, first).chain(children.iter().copied()).collect();
        let denial = match &policy.denial {
            Kind::Compact => Denial::Compact,
            Kind::Nsec => {
                owners.retain(|&id| children.contains(&id) || names.has_data(id));
                let name = |id: NodeId| names.name(names.node(id));
                owners.sort_by(|&a, &b| denial::compare(name(a), name(b)));
                Denial::Nsec(owners.into())
            }
            Kind::Nsec3 => {
                let how = policy.nsec3.clone();
                let links =
                    hashed(&owners, |id| denial::hash(names.name(names.node(id)), &how.salt, how.iterations));
                Denial::Nsec3(Hashed { how, links })
            }
        };
        let zone = keys.zsk.iter().map(signer).collect();
        Self { zone, keys: keys.ksk.iter().map(signer).collect(), denial }
    }

    /// Who signs RRsets of this type.
    pub(crate) fn signers(&self, rtype: Rtype) -> &[Signer] {
        match rtype {
            Rtype::DNSKEY | Rtype::CDS | Rtype::CDNSKEY => &self.keys,
            _ => &self.zone,
        }
    }
}

/// Names by their hashes. A million take a second of one core, so all cores
/// take part.
fn hashed(owners: &[NodeId], hash: impl Fn(NodeId) -> [u8; HASH] + Sync) -> Box<[([u8; HASH], NodeId)]> {
    let by_hash = |&(hash, _): &([u8; HASH], NodeId)| hash;
    let part = |owners: &[NodeId]| {
        let mut links: Vec<_> = owners.iter().map(|&id| (hash(id), id)).collect();
        links.sort_unstable_by_key(by_hash);
        links
    };
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let mut links = thread::scope(|scope| {
        let parts: Vec<_> = owners
            .chunks(owners.len().div_ceil(cores).max(FEW))
            .map(|owners| scope.spawn(|| part(owners)))
            .collect();
        parts.into_iter().flat_map(|part| part.join().expect("hashing cannot fail")).collect::<Vec<_>>()
    });
    // This one merges what is sorted already.
    links.sort_by_key(by_hash);
    links.into()
}

impl Denial {
    /// The link at or before `name` (folded): its own, or the one that covers
    /// it. Nothing where links are not kept.
    pub(crate) fn link(&self, names: &Names, name: &[u8]) -> Option<usize> {
        match self {
            Self::Nsec(owners) => {
                let at = |id: &NodeId| denial::compare(names.name(names.node(*id)), name).is_le();
                owners.partition_point(at).checked_sub(1)
            }
            Self::Nsec3(hashed) => {
                let hash = denial::hash(name, &hashed.how.salt, hashed.how.iterations);
                let at = hashed.links.partition_point(|(other, _)| *other <= hash);
                at.checked_sub(1).or_else(|| hashed.links.len().checked_sub(1))
            }
            Self::Compact => None,
        }
    }
}

impl Names {
    /// Names that the zone is asked about: not what lies below cuts.
    fn of(&self, zone: ZoneId, first: usize) -> impl Iterator<Item = NodeId> {
        self.ids_from(first).filter(move |&id| {
            let node = self.node(id);
            node.zone == zone && !matches!(node.role, Role::Below(_))
        })
    }

    /// The static types at a name as `zone` sees it: of a delegation only what
    /// is the parent's, and of an apex all but that.
    pub(crate) fn types(&self, zone: ZoneId, id: NodeId) -> Types {
        let node = self.node(id);
        let mut types = Types::new();
        if node.role == Role::Cut || node.zone != zone {
            types.add(Rtype::NS);
            if self.rrset(node, Rtype::DS).is_some() {
                types.add(Rtype::DS);
            }
            return types;
        }
        let own = |rrset: &RrSet| node.role != Role::Apex || rrset.rtype != Rtype::DS;
        self.rrsets(node).filter(own).for_each(|rrset| types.add(rrset.rtype));
        types
    }

    fn has_data(&self, id: NodeId) -> bool {
        let node = self.node(id);
        node.service.is_some() || !node.is_empty()
    }
}
