//! Signatures beside the RRsets they are of (RFC 4035 §3.1.1).
//!
//! Only for clients that set DO, only in zones with keys at work. The owner
//! that is signed is the node's own name, so an expanded wildcard carries the
//! wildcard's signature; where a zone denies compactly there is no proof to go
//! with that, and the name is signed as if it stood there (RFC 9824 §3.3).

use rhumb_dnssec::{MAX_RRSIG, RrSet};
use rhumb_zones::{Rtype, ZoneId};

use super::chain::{Chain, Hit};
use super::reply::Reply;
use crate::compose::{Owner, Row, Section};
use crate::query::Rcode;
use crate::snapshot::names::{self, Names, Role};
use crate::snapshot::signing::{Denial, Signing};

/// Where an RRset was written, and for how long it may be kept.
#[derive(Clone, Copy)]
pub(super) struct Written<'a> {
    pub(super) section: Section,
    pub(super) owner: Owner<'a>,
    pub(super) ttl: u32,
}

impl<'s> Chain<'_, 's> {
    /// What signs `zone`, if this client wants signatures.
    pub(super) fn signing(&self, zone: ZoneId) -> Option<&'s Signing> {
        let snapshot = self.snapshot;
        snapshot.names().zone(zone).signing.as_ref().filter(|_| self.client.dnssec_ok)
    }

    /// The owner that is signed for an answer at `hit`.
    pub(super) fn signed_owner(&self, hit: &Hit, signing: &Signing) -> &[u8] {
        let names = self.snapshot.names();
        match (&hit.expanded, &signing.denial) {
            (Some(_), Denial::Compact) => self.name(),
            _ => names.name(names.node(hit.id)),
        }
    }

    /// Adds the signatures of an RRset of `zone` that was just written.
    pub(super) fn seal<'r, I>(&self, zone: ZoneId, at: Written<'_>, set: &RrSet<'_, I>, reply: &mut Reply<'_>)
    where
        I: Iterator<Item = &'r [u8]> + Clone,
    {
        if let Some(signing) = self.signing(zone) {
            self.write_signatures(signing, at, set, reply);
        }
    }

    fn write_signatures<'r, I>(
        &self,
        signing: &Signing,
        at: Written<'_>,
        set: &RrSet<'_, I>,
        reply: &mut Reply<'_>,
    ) where
        I: Iterator<Item = &'r [u8]> + Clone,
    {
        let Written { section, owner, ttl } = at;
        // Compact denial signs names that stand in no zone.
        let passing =
            matches!(signing.denial, Denial::Compact) && self.snapshot.names().exact(set.owner).is_none();
        for signer in signing.signers(set.rtype) {
            let mut rdata = [0; MAX_RRSIG];
            let Ok(length) = signer.sign(set, (self.client.now, passing), &mut rdata) else {
                reply.rcode = Rcode::ServFail;
                return;
            };
            let row = Row { owner, rtype: Rtype::RRSIG, ttl, rdata: rdata.get(..length).unwrap_or_default() };
            match section {
                Section::Additional => _ = reply.offer([row]),
                _ => reply.require(section, [row]),
            }
        }
    }

    /// The same for an answer from the tables at `hit`.
    pub(super) fn seal_static(&self, (hit, rrset): (&Hit, names::RrSet), reply: &mut Reply<'_>) {
        let Some(signing) = self.signing(hit.zone) else { return };
        let at = Written { section: Section::Answer, owner: self.owner(), ttl: rrset.ttl };
        let set = self.snapshot.names().signable(self.signed_owner(hit, signing), rrset);
        self.seal(hit.zone, at, &set, reply);
    }

    /// Signatures themselves, asked for by type: those of the records that
    /// stand there, whoever asks (RFC 4035 §3.1.1 leaves it open). Says
    /// whether there were any.
    pub(super) fn signatures(&self, hit: &Hit, reply: &mut Reply<'_>) -> bool {
        let names = self.snapshot.names();
        let Some(signing) = &names.zone(hit.zone).signing else { return false };
        let mut any = false;
        let node = names.node(hit.id);
        // DS at an apex is the parent's.
        let own = |rrset: &names::RrSet| node.role != Role::Apex || rrset.rtype != Rtype::DS;
        for rrset in names.rrsets(node).filter(own) {
            let at = Written { section: Section::Answer, owner: self.owner(), ttl: rrset.ttl };
            let set = names.signable(self.signed_owner(hit, signing), rrset);
            self.write_signatures(signing, at, &set, reply);
            any = true;
        }
        any
    }
}

impl Names {
    /// An RRset of the tables, ready to be signed.
    pub(super) fn signable<'a>(
        &'a self,
        owner: &'a [u8],
        rrset: names::RrSet,
    ) -> RrSet<'a, impl Iterator<Item = &'a [u8]> + Clone> {
        RrSet { owner, rtype: rrset.rtype, ttl: rrset.ttl, rdata: self.rdata(rrset) }
    }
}
