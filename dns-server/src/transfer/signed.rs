//! A signed zone on its way out (RFC 4035 §2).
//!
//! Records come in the order of the zone, each RRset of the zone's own with
//! its signatures, then the links of the denial chain. Signatures come from
//! the cache that answers use: a zone that was asked about, or transferred
//! before, is hardly signed anew. What lies below cuts and DNAMEs is not
//! signed, of a delegation only DS is. Types at a name are those that answers
//! deny by where all is as assumed.
//!
//! A secondary serves these signatures until it fetches others, so while a
//! signed zone may be transferred its serial moves with time:
//! [`epoch`] says when.

use std::borrow::Cow;

use rhumb_dnssec::denial::{self, HASH, MAX_BITMAP, Types};
use rhumb_dnssec::{MAX_RRSIG, RrSet, Signer, Unsigned};
use rhumb_zones::{Name, Record, RecordRef, Rtype, Zone};

use super::content::{Content, Item};
use crate::snapshot::Snapshot;
use crate::snapshot::compile::apex_records;
use crate::snapshot::names::{NodeId, Role};
use crate::snapshot::signing::{Denial, Hashed, Signing, hashing};

/// How many times a zone is signed anew while a signature holds. Signatures
/// are renewed when half to five eighths of their time are over, so that a
/// secondary's are good for at least a quarter of it.
const EPOCHS: u32 = 8;

/// A record, or why it cannot be signed.
pub(super) type Piece<'s> = Result<Item<'s>, Unsigned>;

/// Which stretch of time `now` (seconds since 1970) lies in: with each, the
/// serial of a signed zone that may be transferred moves. Nothing for others.
pub(crate) fn epoch(zone: &Zone, now: u32) -> Option<u32> {
    let validity = zone.dnssec.as_ref().filter(|_| zone.transfer.is_some())?.validity;
    let stretch = u32::try_from(validity.as_secs()).unwrap_or(u32::MAX) / EPOCHS;
    Some(now / stretch.max(1))
}

/// All of a signed zone after its SOA; `now` in seconds since 1970.
pub(super) fn records<'s>(
    (snapshot, content): (&'s Snapshot, &Content<'s>),
    signing: &'s Signing,
    now: u32,
) -> impl Iterator<Item = Piece<'s>> + use<'s> {
    let names = snapshot.names();
    let seal = Seal { signing, now };
    let parts = snapshot.parts();
    let id = content.id;
    let apex = names.name(names.node(names.zone(id).apex));
    let keys = content.zone.dnssec.as_ref().zip(parts.signatures.keys[id.index()].as_deref());
    let keys = keys.into_iter().flat_map(|(policy, keys)| apex_records(policy, keys));
    let published = keys.flat_map(move |(rtype, ttl, rdata)| {
        let items = rdata.iter().map(|rdata| Item {
            owner: Cow::Borrowed(apex),
            rtype,
            ttl,
            rdata: Cow::Owned(rdata.clone()),
        });
        seal.with_signatures(apex.to_vec(), items.collect())
    });
    let soa = seal.with_signatures(apex.to_vec(), vec![content.soa()]).into_iter().skip(1);
    let mut static_records = content.records().peekable();
    let sets = std::iter::from_fn(move || {
        let first = static_records.next()?;
        let mut set = vec![first];
        let same = |record: &RecordRef<'_>| record.rtype == first.rtype && record.owner == first.owner;
        while let Some(record) = static_records.next_if(same) {
            set.push(record);
        }
        Some(set)
    });
    let own = sets.flat_map(move |set| {
        let owner = set[0].owner.folded();
        let node = names.exact(&owner).map(|id| names.node(id));
        let rtype = set[0].rtype;
        let is_ours = node.is_some_and(|node| match node.role {
            Role::Below(_) => false,
            Role::Cut => rtype == Rtype::DS,
            _ if node.zone != id => rtype == Rtype::DS && node.role == Role::Apex,
            _ => true,
        });
        let items: Vec<Item<'s>> = set.into_iter().map(Item::from).collect();
        if is_ours { seal.with_signatures(owner, items) } else { items.into_iter().map(Ok).collect() }
    });
    let chain = Links { snapshot, content: *content, signing };
    let links = chain.into_items().flat_map(move |item| {
        let owner = item.owner.to_vec();
        seal.with_signatures(owner, vec![item])
    });
    soa.chain(published).chain(own).chain(links)
}

#[derive(Clone, Copy)]
struct Seal<'s> {
    signing: &'s Signing,
    now: u32,
}

impl Seal<'_> {
    /// An RRset and its signatures; `owner` in lower case.
    fn with_signatures<'s>(self, owner: Vec<u8>, items: Vec<Item<'s>>) -> Vec<Piece<'s>> {
        let Some(Item { rtype, ttl, .. }) = items.first() else { return Vec::new() };
        let (rtype, ttl) = (*rtype, *ttl);
        let rdata = items.iter().map(|item| &*item.rdata);
        let set = RrSet { owner: &owner, rtype, ttl, rdata };
        let sign = |signer: &Signer| {
            let mut rdata = [0; MAX_RRSIG];
            let length = signer.sign(&set, (self.now, false), &mut rdata)?;
            let rdata = Cow::Owned(rdata[..length].to_vec());
            Ok(Item { owner: Cow::Owned(owner.clone()), rtype: Rtype::RRSIG, ttl, rdata })
        };
        let signatures: Vec<Piece<'s>> = self.signing.signers(rtype).iter().map(sign).collect();
        items.into_iter().map(Ok).chain(signatures).collect()
    }
}

/// The denial chain of what is transferred.
#[derive(Clone, Copy)]
struct Links<'s> {
    snapshot: &'s Snapshot,
    content: Content<'s>,
    signing: &'s Signing,
}

impl<'s> Links<'s> {
    fn into_items(self) -> Box<dyn Iterator<Item = Item<'s>> + 's> {
        match &self.signing.denial {
            Denial::Nsec(owners) => {
                // A service may be answered nothing in the view.
                let has_data = |id: &NodeId| !self.types(*id).is_empty();
                let owners: Vec<NodeId> = owners.iter().copied().filter(has_data).collect();
                Box::new((0..owners.len()).map(move |at| {
                    let next = owners[(at + 1) % owners.len()];
                    self.nsec(owners[at], next)
                }))
            }
            Denial::Nsec3(hashed) => {
                let Hashed { links, .. } = hashed;
                Box::new((0..links.len()).map(move |at| {
                    let (next, _) = links[(at + 1) % links.len()];
                    self.nsec3(hashed, links[at], next)
                }))
            }
            // The policy refuses it beside `transfer:`.
            Denial::Compact => Box::new(std::iter::empty()),
        }
    }

    fn nsec(&self, id: NodeId, next: NodeId) -> Item<'s> {
        let name = |id| self.snapshot.names().name(self.snapshot.names().node(id));
        let mut types = self.types(id);
        types.add(Rtype::RRSIG);
        types.add(Rtype::NSEC);
        self.item(Rtype::NSEC, Cow::Borrowed(name(id)), [name(next).to_vec(), bitmap(&types)].concat())
    }

    /// RFC 5155 §3.2, §7.1.
    fn nsec3(&self, hashed: &Hashed, (hash, id): ([u8; HASH], NodeId), next: [u8; HASH]) -> Item<'s> {
        let Hashed { how, .. } = hashed;
        let mut types = self.types(id);
        if types.is_signed() {
            types.add(Rtype::RRSIG);
        }
        let text = denial::text(&hash);
        let length = |bytes: &[u8]| u8::try_from(bytes.len()).unwrap_or(u8::MAX);
        let owner = [&[length(&text)], &text[..], &self.content.zone.name.folded()].concat();
        let rdata = [&hashing(how)[..], &how.salt, &[length(&next)], &next, &bitmap(&types)].concat();
        self.item(Rtype::NSEC3, Cow::Owned(owner), rdata)
    }

    fn item(&self, rtype: Rtype, owner: Cow<'s, [u8]>, rdata: Vec<u8>) -> Item<'s> {
        let ttl = self.snapshot.names().zone(self.content.id).negative_soa.ttl;
        Item { owner, rtype, ttl, rdata: Cow::Owned(rdata) }
    }

    /// The types at a name as it is transferred.
    fn types(&self, id: NodeId) -> Types {
        let names = self.snapshot.names();
        let mut types = names.types(self.content.id, id);
        let node = names.node(id);
        if node.service.is_some()
            && node.zone == self.content.id
            && let Ok(owner) = Name::from_wire(names.name(node))
        {
            self.content.steered(&owner).for_each(|record: &Record| types.add(record.rtype));
        }
        types
    }
}

fn bitmap(types: &Types) -> Vec<u8> {
    let mut bitmap = [0; MAX_BITMAP];
    let length = types.write(&mut bitmap);
    bitmap[..length].to_vec()
}
