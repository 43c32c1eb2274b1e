//! Proofs that something does not exist (RFC 4035 §3.1.3, RFC 5155 §7.2).
//!
//! While a chain of names is followed, what must be proven is noted as links
//! of the zone's order; they are written once, after the answers and before
//! anything additional, and no link twice. Which names a proof speaks of is
//! [`Denied`] spelt out; the link at or before each is found by one search.
//!
//! With compact denial (RFC 9824) there is one link, made for the very name:
//! nothing stands between it and itself with `\000` in front. A name that
//! does not exist then is one without types but NXNAME, and the rcode says so
//! only to clients that ask for it.

use rhumb_dnssec::RrSet;
use rhumb_dnssec::denial::{self, HASH, HASH_TEXT, MAX_BITMAP, Types};
use rhumb_zones::{Rtype, ZoneId};

use super::chain::{Chain, Hit};
use super::reply::Reply;
use super::seal::Written;
use super::steered;
use crate::compose::{Owner, Row, Section};
use crate::query::Rcode;
use crate::snapshot::names::NodeId;
use crate::snapshot::signing::{Denial, Hashed, hashing};

/// The type that says a name does not exist (RFC 9824 §3.1).
const NXNAME: Rtype = Rtype(128);

/// Longest name on the wire.
const NAME: usize = 255;

/// Octets of NSEC3 rdata before the salt, and of the hash's length.
const NSEC3_HEAD: usize = 5;

/// Most rdata of a link.
const MAX_LINK: usize = NSEC3_HEAD + NAME + 1 + HASH + MAX_BITMAP;

/// What does not exist.
#[derive(Clone, Copy)]
pub(super) enum Denied {
    /// The current name: nothing stands between it and `encloser`, which
    /// starts at `below` in it.
    Name { encloser: NodeId, below: usize },
    /// The type, at the node that answers for the current name.
    Type(Hit),
}

/// Links noted for the authority section.
#[derive(Clone, Copy, Debug)]
pub(super) struct Links {
    list: [(ZoneId, u32); Self::MAX],
    count: usize,
}

impl Links {
    /// One for each alias by wildcard, three for the end; a chain that needs
    /// more is nobody's.
    const MAX: usize = 19;

    pub(super) fn new() -> Self {
        Self { list: [(ZoneId::new(0), 0); Self::MAX], count: 0 }
    }

    pub(super) const fn clear(&mut self) {
        self.count = 0;
    }

    fn add(&mut self, zone: ZoneId, link: usize) {
        let link = (zone, u32::try_from(link).unwrap_or(u32::MAX));
        let known = self.list.iter().take(self.count).any(|other| *other == link);
        if let Some(free) = self.list.get_mut(self.count).filter(|_| !known) {
            *free = link;
            self.count += 1;
        }
    }
}

impl<'s> Chain<'_, 's> {
    /// Notes what proves that a wildcard answers for the current name rightly:
    /// no closer match exists.
    pub(super) fn prove_expansion(&self, hit: &Hit, reply: &mut Reply<'_>) {
        let Some((_, below)) = hit.expanded else { return };
        let closer = self.next_closer(below);
        match self.signing(hit.zone).map(|signing| &signing.denial) {
            Some(Denial::Nsec(_)) => self.note(hit.zone, self.name(), reply),
            Some(Denial::Nsec3(_)) => self.note(hit.zone, closer, reply),
            _ => {}
        }
    }

    /// Notes, or for compact denial writes, what proves `denied` in `zone`.
    pub(super) fn prove(&self, zone: ZoneId, denied: Denied, reply: &mut Reply<'_>) {
        let Some(signing) = self.signing(zone) else { return };
        let names = self.snapshot.names();
        let (expanded, hit) = match denied {
            Denied::Name { encloser, below } => (Some((encloser, below)), None),
            Denied::Type(hit) => (hit.expanded, Some(hit)),
        };
        if matches!(signing.denial, Denial::Compact) {
            return self.compact(zone, hit, reply);
        }
        let hashed = matches!(signing.denial, Denial::Nsec3(_));
        let Some((encloser, below)) = expanded else { return self.note(zone, self.name(), reply) };
        let encloser = names.name(names.node(encloser));
        if hashed {
            self.note(zone, encloser, reply);
            self.note(zone, self.next_closer(below), reply);
        } else {
            self.note(zone, self.name(), reply);
        }
        let mut wildcard = [0; NAME + 2];
        wildcard[..2].copy_from_slice(b"\x01*");
        if let Some(rest) = wildcard.get_mut(2..2 + encloser.len()) {
            rest.copy_from_slice(encloser);
            self.note(zone, wildcard.get(..2 + encloser.len()).unwrap_or_default(), reply);
        }
    }

    /// Proves that a delegation has no DS (RFC 4035 §3.1.4.1).
    pub(super) fn prove_insecure(&self, zone: ZoneId, cut: NodeId, reply: &mut Reply<'_>) {
        let Some(signing) = self.signing(zone) else { return };
        let names = self.snapshot.names();
        let owner = names.name(names.node(cut));
        match signing.denial {
            Denial::Compact => {
                let types = self.types(zone, cut);
                self.write_compact(zone, (Owner::Name(owner), owner), types, reply);
            }
            _ => self.note(zone, owner, reply),
        }
    }

    fn note(&self, zone: ZoneId, name: &[u8], reply: &mut Reply<'_>) {
        let names = self.snapshot.names();
        let link = self.signing(zone).and_then(|signing| signing.denial.link(names, name));
        if let Some(link) = link {
            reply.links.add(zone, link);
        }
    }

    /// The current name from one label above `below` on.
    fn next_closer(&self, below: usize) -> &[u8] {
        let name = self.name();
        let mut at = 0;
        while let Some(&length) = name.get(at) {
            let next = at + 1 + usize::from(length);
            if next >= below || length == 0 {
                break;
            }
            at = next;
        }
        name.get(at..).unwrap_or_default()
    }

    /// Writes the links noted so far.
    #[inline]
    pub(super) fn write_links(&self, reply: &mut Reply<'_>) {
        if reply.links.count > 0 {
            self.write_noted(reply);
        }
    }

    fn write_noted(&self, reply: &mut Reply<'_>) {
        let Links { list, count } = *reply.links;
        reply.links.clear();
        for (zone, link) in list.into_iter().take(count) {
            let link = usize::try_from(link).unwrap_or(usize::MAX);
            match self.signing(zone).map(|signing| &signing.denial) {
                Some(Denial::Nsec(owners)) => {
                    self.write_nsec((zone, owners), link, Section::Authority, reply)
                }
                Some(Denial::Nsec3(hashed)) => self.write_nsec3((zone, hashed), link, reply),
                _ => {}
            }
        }
    }

    /// The NSEC of the node that answers, asked for by type; says whether it
    /// has one.
    pub(super) fn nsec(&self, hit: &Hit, reply: &mut Reply<'_>) -> bool {
        let names = self.snapshot.names();
        let Some(signing) = &names.zone(hit.zone).signing else { return false };
        match &signing.denial {
            Denial::Nsec(owners) => {
                let name = names.name(names.node(hit.id));
                let link = signing.denial.link(names, name);
                let Some(link) = link.filter(|&link| owners.get(link) == Some(&hit.id)) else { return false };
                self.write_nsec((hit.zone, owners), link, Section::Answer, reply);
                true
            }
            _ => false,
        }
    }

    fn write_nsec(
        &self,
        (zone, owners): (ZoneId, &[NodeId]),
        link: usize,
        section: Section,
        reply: &mut Reply<'_>,
    ) {
        let names = self.snapshot.names();
        let next = owners.get(link + 1).or_else(|| owners.first());
        let (Some(&id), Some(&next)) = (owners.get(link), next) else { return };
        let name = names.name(names.node(id));
        let owner = if section == Section::Answer { self.owner() } else { Owner::Name(name) };
        let mut types = self.types(zone, id);
        types.add(Rtype::RRSIG);
        types.add(Rtype::NSEC);
        let link = Link { zone, rtype: Rtype::NSEC, section, owner, signed: name };
        self.write_link(link, &[names.name(names.node(next))], &types, reply);
    }

    fn write_nsec3(&self, (zone, hashed): (ZoneId, &Hashed), link: usize, reply: &mut Reply<'_>) {
        let names = self.snapshot.names();
        let Hashed { how, links } = hashed;
        let next = links.get(link + 1).or_else(|| links.first());
        let (Some((hash, id)), Some((next, _))) = (links.get(link), next) else { return };
        let apex = names.name(names.node(names.zone(zone).apex));
        let mut owner = [0; 1 + HASH_TEXT + NAME];
        owner[0] = 32;
        owner[1..=HASH_TEXT].copy_from_slice(&denial::text(hash));
        owner[1 + HASH_TEXT..][..apex.len()].copy_from_slice(apex);
        let owner = owner.get(..1 + HASH_TEXT + apex.len()).unwrap_or_default();
        let mut types = self.types(zone, *id);
        if types.is_signed() {
            types.add(Rtype::RRSIG);
        }
        let link = Link {
            zone,
            rtype: Rtype::NSEC3,
            section: Section::Authority,
            owner: Owner::Name(owner),
            signed: owner,
        };
        self.write_link(link, &[&hashing(how), &how.salt, &[20], next], &types, reply);
    }

    /// RFC 9824 §3.1, §3.2.
    fn compact(&self, zone: ZoneId, hit: Option<Hit>, reply: &mut Reply<'_>) {
        let mut types = Types::new();
        match hit {
            Some(hit) => types = self.types(zone, hit.id),
            None => {
                types.add(NXNAME);
                if !self.client.compact_ok {
                    reply.rcode = Rcode::NoError;
                }
            }
        }
        self.write_compact(zone, (self.owner(), self.name()), types, reply);
    }

    fn write_compact(
        &self,
        zone: ZoneId,
        (owner, signed): (Owner<'_>, &[u8]),
        mut types: Types,
        reply: &mut Reply<'_>,
    ) {
        types.add(Rtype::RRSIG);
        types.add(Rtype::NSEC);
        let link = Link { zone, rtype: Rtype::NSEC, section: Section::Authority, owner, signed };
        // Nothing stands between a name and itself below \000. The longest
        // names leave no room for it: the apex closes the circle.
        let names = self.snapshot.names();
        let apex = names.name(names.node(names.zone(zone).apex));
        match signed.len() + 2 <= NAME {
            true => self.write_link(link, &[&[1, 0], signed], &types, reply),
            false => self.write_link(link, &[apex], &types, reply),
        }
    }

    fn write_link(&self, link: Link<'_>, head: &[&[u8]], types: &Types, reply: &mut Reply<'_>) {
        let names = self.snapshot.names();
        let Link { zone, rtype, section, owner, signed } = link;
        let ttl = names.zone(zone).negative_soa.ttl;
        let mut rdata = [0; MAX_LINK];
        let mut length = 0;
        let mut bitmap = [0; MAX_BITMAP];
        let bits = types.write(&mut bitmap);
        for part in head.iter().copied().chain([bitmap.get(..bits).unwrap_or_default()]) {
            let Some(to) = rdata.get_mut(length..length + part.len()) else { return };
            to.copy_from_slice(part);
            length += part.len();
        }
        let rdata = rdata.get(..length).unwrap_or_default();
        reply.require(section, [Row { owner, rtype, ttl, rdata }]);
        let set = RrSet { owner: signed, rtype, ttl, rdata: std::iter::once(rdata) };
        self.seal(zone, Written { section, owner, ttl }, &set, reply);
    }

    /// The types at a node, as its zone sees it.
    fn types(&self, zone: ZoneId, id: NodeId) -> Types {
        let names = self.snapshot.names();
        let mut types = names.types(zone, id);
        let node = names.node(id);
        if let Some(service) = node.service.filter(|_| node.zone == zone) {
            steered::types(self.snapshot, service, |rtype| types.add(rtype));
        }
        types
    }
}

/// Where a link goes.
struct Link<'a> {
    zone: ZoneId,
    rtype: Rtype,
    section: Section,
    owner: Owner<'a>,
    /// Its owner in lower case.
    signed: &'a [u8],
}
