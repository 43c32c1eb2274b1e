//! From the model's zones to the frozen table of names.
//!
//! Zones go in deepest first, so that where a child is served beside its
//! parent, every name from the child's apex down is already the child's when
//! the parent comes by. Records of a zone are in canonical order: an ancestor
//! comes before what lies below it, so one look at the last cut or DNAME
//! tells whether a name is below one.

use std::borrow::Cow;

use rhumb_dnssec::ZoneKeys;
use rhumb_zones::{
    Denial, Dnssec, Model, Name, NameRef, Record, RecordRef, RecordSlice, Rtype, Service, ServiceId, Zone,
    ZoneId,
};

use super::Views;
use super::names::{Names, NodeId, Role, RrSet, TooLarge, ZoneEntry};
use super::signing::{Signatures, Signing, hashing};

/// Compiles every zone of `model`; `serials` are by zone.
pub(super) fn names(
    model: &Model,
    serials: &[u32],
    (signatures, views): (&Signatures, &Views),
) -> Result<Names, TooLarge> {
    let mut order: Vec<ZoneId> = (0..model.zones().len()).map(ZoneId::new).collect();
    order.sort_by_key(|&id| std::cmp::Reverse(model.zone(id).name.labels().count()));
    let mut names = Names::new();
    let mut entries: Vec<Option<ZoneEntry>> = order.iter().map(|_| None).collect();
    let mut compilers = Vec::with_capacity(order.len());
    for (done, &id) in order.iter().enumerate() {
        let children: Vec<&Name> = order[..done]
            .iter()
            .map(|&child| &model.zone(child).name)
            .filter(|child| child.is_within(&model.zone(id).name))
            .collect();
        let first = names.len();
        let mut compiler =
            Compiler { model, signatures, views, id, zone: model.zone(id), children, first, above: None };
        entries[id.index()] = Some(compiler.compile(&mut names, serials[id.index()])?);
        compilers.push(compiler);
    }
    names.zones = entries.into_iter().map(|entry| entry.expect("every zone is in the order")).collect();
    let mut names = names.freeze();
    for compiler in compilers {
        names.zones[compiler.id.index()].signing = compiler.signing(&names);
    }
    Ok(names)
}

/// A table while it is made.
type Builder = Names<Vec<u8>>;

/// Octets of a record in the table besides its rdata: most RRsets have one.
const RECORD: usize = 14;

struct Compiler<'m> {
    model: &'m Model,
    signatures: &'m Signatures,
    views: &'m Views,
    id: ZoneId,
    zone: &'m Zone,
    /// Apexes of served zones below this one.
    children: Vec<&'m Name>,
    /// Names there were before it.
    first: usize,
    /// The last cut or redirect met.
    above: Option<(NameRef<'m>, NodeId)>,
}

impl<'m> Compiler<'m> {
    fn compile(&mut self, names: &mut Builder, serial: u32) -> Result<ZoneEntry, TooLarge> {
        let zone = self.zone;
        let apex = names.insert(&zone.name.folded(), self.id, 0)?;
        names.set_role(apex, Role::Apex);
        let parent = self.parent();
        let mut negative_soa = None;
        for records in zone.records.records.slice().nodes() {
            let owner = records.first().owner;
            if let Some(child) = self.children.iter().find(|child| owner.is_within(child)) {
                self.ancestors(names, child.view())?;
                continue;
            }
            let node = self.place(names, records)?;
            for rrset in records.rrsets() {
                let soa = add(names, node, rrset, serial)?;
                negative_soa = negative_soa.or(soa);
            }
            if owner == zone.name {
                self.keys(names, node)?;
                self.parents_signers(names, (node, parent))?;
            }
        }
        for &service in &zone.services {
            self.steer(names, service)?;
        }
        let negative_soa = negative_soa.expect("ZoneData has an SOA");
        let is_soa = |record: &RecordRef<'_>| record.rtype == Rtype::SOA;
        let soa_ttl = zone.records.records.iter().find(is_soa).map_or(negative_soa.ttl, |soa| soa.ttl);
        let allow_query = zone.allow_query.clone().map(Vec::into_boxed_slice);
        Ok(ZoneEntry { apex, negative_soa, soa_ttl, parent, allow_query, signing: None })
    }

    /// The zone's keys, if it is signed.
    fn dnssec(&self) -> Option<(&'m Dnssec, &'m ZoneKeys)> {
        self.zone.dnssec.as_ref().zip(self.signatures.keys[self.id.index()].as_deref())
    }

    /// Adds what is made here to the apex: what the keys publish, the digest.
    fn keys(&self, names: &mut Builder, apex: NodeId) -> Result<(), TooLarge> {
        for (rtype, ttl, rdata) in
            self.dnssec().into_iter().flat_map(|(policy, keys)| apex_records(policy, keys))
        {
            names.add(apex, (rtype, ttl), rdata.iter().map(Vec::as_slice))?;
        }
        let is_digest = |record: &&Record| record.rtype == Rtype::ZONEMD && record.owner == self.zone.name;
        if let Some(digest) = self.views.zone(self.id).iter().find(is_digest) {
            names.add(apex, (Rtype::ZONEMD, digest.ttl), [&*digest.rdata])?;
        }
        Ok(())
    }

    fn signing(&self, names: &Names) -> Option<Signing> {
        let (policy, keys) = self.dnssec()?;
        // Of zones within zones, only the outermost are ours to delegate.
        let outermost =
            |child: &&&Name| !self.children.iter().any(|other| other != *child && child.is_within(other));
        let children: Vec<NodeId> =
            self.children.iter().filter(outermost).filter_map(|child| names.exact(&child.folded())).collect();
        let shared = (policy, keys, &self.signatures.shared);
        Some(Signing::new(shared, (names, self.first), (self.id, &self.zone.name), &children))
    }

    /// Makes the owner's node and says what it is to the zone.
    fn place(&mut self, names: &mut Builder, records: RecordSlice<'m>) -> Result<NodeId, TooLarge> {
        let owner = records.first().owner;
        self.above = self.above.filter(|(above, _)| owner.is_within(above));
        self.ancestors(names, owner)?;
        let octets = records.iter().map(|record| RECORD + record.rdata.len()).sum();
        let node = names.insert(&owner.folded(), self.id, octets)?;
        if let Some((_, above)) = self.above {
            names.set_role(node, Role::Below(above));
        } else if owner != self.zone.name {
            let has = |rtype| records.iter().any(|record| record.rtype == rtype);
            let role = [(Rtype::NS, Role::Cut), (Rtype::DNAME, Role::Redirect)];
            if let Some((_, role)) = role.into_iter().find(|(rtype, _)| has(*rtype)) {
                names.set_role(node, role);
                self.above = Some((owner, node));
            }
        }
        Ok(node)
    }

    /// Makes the names between `owner` and what is there already.
    fn ancestors(&self, names: &mut Builder, owner: NameRef<'_>) -> Result<(), TooLarge> {
        let mut child = owner.to_name();
        while child != self.zone.name
            && let Some(parent) = child.parent()
        {
            let known = names.exact(&parent.folded());
            let node = match known {
                Some(node) => node,
                None => names.insert(&parent.folded(), self.id, 0)?,
            };
            if known.is_none()
                && let Some((_, above)) =
                    self.above.filter(|(above, _)| parent.is_within(above) && parent != *above)
            {
                names.set_role(node, Role::Below(above));
            }
            if child.is_wildcard() {
                names.set_wildcard_child(node);
            }
            if known.is_some() {
                break;
            }
            child = parent;
        }
        Ok(())
    }

    /// The nearest served zone above.
    fn parent(&self) -> Option<ZoneId> {
        (0..self.model.zones().len())
            .map(ZoneId::new)
            .filter(|&id| id != self.id && self.zone.name.is_within(&self.model.zone(id).name))
            .max_by_key(|&id| self.model.zone(id).name.labels().count())
    }

    /// Takes the DS at our apex out of the parent's records.
    fn parents_signers(
        &self,
        names: &mut Builder,
        (node, parent): (NodeId, Option<ZoneId>),
    ) -> Result<(), TooLarge> {
        let Some(parent) = parent else { return Ok(()) };
        let records = &self.model.zone(parent).records.records;
        let is_signer = |record: &RecordRef<'_>| record.owner == self.zone.name && record.rtype == Rtype::DS;
        let Some(ttl) = records.iter().find(is_signer).map(|record| record.ttl) else { return Ok(()) };
        let signers = records.iter().filter(is_signer).map(|record| record.rdata);
        names.add(node, (Rtype::DS, ttl), signers).map(drop)
    }

    fn steer(&self, names: &mut Builder, id: ServiceId) -> Result<(), TooLarge> {
        let service: &Service = self.model.service(id);
        self.ancestors(names, service.owner.view())?;
        let node = names.insert(&service.owner.folded(), self.id, 0)?;
        names.set_service(node, id);
        Ok(())
    }
}

/// RRsets that a signed zone has at its apex besides the operator's.
pub(crate) fn apex_records<'k>(
    policy: &Dnssec,
    keys: &'k ZoneKeys,
) -> impl Iterator<Item = (Rtype, u32, Cow<'k, [Vec<u8>]>)> {
    let ttl = u32::try_from(policy.dnskey_ttl.as_secs()).unwrap_or(u32::MAX);
    let parameters = match &policy.denial {
        Denial::Nsec3 => {
            vec![[&hashing(&policy.nsec3)[..], &policy.nsec3.salt].concat()]
        }
        _ => Vec::new(),
    };
    [
        (Rtype::DNSKEY, ttl, Cow::Borrowed(&keys.dnskeys[..])),
        (Rtype::CDS, ttl, Cow::Borrowed(&keys.cds[..])),
        (Rtype::CDNSKEY, ttl, Cow::Borrowed(&keys.cdnskeys[..])),
        (Rtype::NSEC3PARAM, 0, Cow::Owned(parameters)),
    ]
    .into_iter()
    .filter(|(_, _, rdata)| !rdata.is_empty())
}

/// Adds one RRset; gives back the SOA's, shaped for negative answers.
fn add(
    names: &mut Builder,
    node: NodeId,
    rrset: RecordSlice<'_>,
    serial: u32,
) -> Result<Option<RrSet>, TooLarge> {
    let RecordRef { rtype, ttl, rdata, .. } = rrset.first();
    if rtype != Rtype::SOA {
        names.add(node, (rtype, ttl), rrset.iter().map(|record| record.rdata))?;
        return Ok(None);
    }
    // SERIAL, REFRESH, RETRY, EXPIRE and MINIMUM are the last twenty octets.
    let mut soa = rdata.to_vec();
    let numbers = soa.len() - 20;
    soa[numbers..numbers + 4].copy_from_slice(&serial.to_be_bytes());
    let minimum = u32::from_be_bytes([16, 17, 18, 19].map(|at| soa[numbers + at]));
    let mut negative = names.add(node, (Rtype::SOA, ttl), [&soa[..]])?;
    negative.ttl = negative.ttl.min(minimum);
    Ok(Some(negative))
}
