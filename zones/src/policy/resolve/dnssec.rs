//! `dnssec:` of zones, and what a signed zone must hold to.
//!
//! A resolver keeps a denial for whoever asks next (RFC 8198), so that in a
//! signed zone every VIP of a service, and whatever is answered in its place,
//! must offer the same types: a "no AAAA" that is true for one client would be
//! believed by all.

use std::sync::Arc;

use super::super::defaults::MIN_VALIDITY;
use super::super::dnssec::{DnssecSpec, Lifetime, Nsec3Spec, Salt, Server};
use super::Resolver;
use crate::diagnostic::Location;
use crate::model::{Denial, Dnssec, LastResort, Nsec3, RuleAction, Service, Vip};
use crate::name::Name;
use crate::read::{Bounded, OneOrMany, Spanned, Ttl};
use crate::record::Rtype;
use crate::zone::ZoneData;

/// What is made here, so that a file's own is dropped.
const MADE: [Rtype; 4] = [Rtype::RRSIG, Rtype::NSEC, Rtype::NSEC3, Rtype::NSEC3PARAM];
/// What comes of keys, so that a file's own would contradict them.
const OF_KEYS: [Rtype; 3] = [Rtype::DNSKEY, Rtype::CDS, Rtype::CDNSKEY];

/// Most types of one name: bitmaps, with what signing and services add, have
/// room for 128.
const MAX_TYPES: usize = 110;
/// Longest name of a zone with hashed names: each has 33 octets before it.
const MAX_HASHED_ZONE: usize = 255 - 33;

/// Which types something answers, and the words for them.
type Types = [(&'static str, bool); 5];

impl Resolver<'_> {
    pub(super) fn dnssec(&mut self, zone: &Name, spec: Spanned<DnssecSpec>) -> Dnssec {
        let Spanned { at: location, value: spec } = spec;
        let who = format!("zone {zone}");
        let DnssecSpec {
            algorithm,
            keys,
            denial,
            nsec3,
            validity: Spanned { at: validity_at, value: Ttl(validity) },
            dnskey_ttl: Ttl(dnskey_ttl),
            zsk_lifetime,
            ksk_lifetime,
            propagation: Ttl(propagation),
            parent_ttl: Ttl(parent_ttl),
            parent_delay: Ttl(parent_delay),
            parent,
            cds,
            manual,
        } = spec;
        if validity < MIN_VALIDITY {
            let what = format!("must be at least {MIN_VALIDITY:?}");
            self.error(&validity_at, [&who, "dnssec.validity"], what);
        }
        if matches!(denial, Denial::Nsec3) && zone.as_wire().len() > MAX_HASHED_ZONE {
            let what =
                format!("leaves no room for hashes below a name of more than {MAX_HASHED_ZONE} octets");
            self.error(&location, [&who, "dnssec.denial"], what);
        }
        let handover = propagation + dnskey_ttl;
        for (which, lifetime) in [("zsk-lifetime", &zsk_lifetime), ("ksk-lifetime", &ksk_lifetime)] {
            if lifetime.value.0.is_some_and(|lifetime| lifetime <= handover) {
                let what = format!("must be longer than propagation and dnskey-ttl together, {handover:?}");
                let said = lifetime.at.line > 0;
                let at = if said { &lifetime.at } else { &location };
                self.error(at, [&who, &format!("dnssec.{which}")], what);
            }
        }
        let nsec3 = nsec3.map_or_else(Nsec3::default, |nsec3| self.nsec3(&who, nsec3));
        let (Lifetime(zsk_lifetime), Lifetime(ksk_lifetime)) = (zsk_lifetime.value, ksk_lifetime.value);
        let parent = parent.map_or_else(Vec::new, |OneOrMany(servers)| servers);
        Dnssec {
            location,
            algorithm,
            keys,
            denial,
            nsec3,
            validity,
            dnskey_ttl,
            zsk_lifetime,
            ksk_lifetime,
            propagation,
            parent_ttl,
            parent_delay,
            parent: parent.into_iter().map(|Server(address)| address).collect(),
            cds,
            manual,
        }
    }

    fn nsec3(&mut self, who: &str, Spanned { at, value }: Spanned<Nsec3Spec>) -> Nsec3 {
        let Nsec3Spec { iterations: Bounded(iterations), salt: Salt(salt) } = value;
        if iterations > 0 || !salt.is_empty() {
            let what = "has iterations or a salt: they cost every resolver and hide nothing (RFC 9276 §3.1)";
            self.context.out.warn(&at, who, "dnssec.nsec3", what);
        }
        Nsec3 { iterations: u16::try_from(iterations).unwrap_or(u16::MAX), salt: salt.into() }
    }

    /// Takes out of a zone's records what signing brings.
    pub(super) fn without_signatures(&mut self, data: &mut ZoneData, file: Option<&Spanned<Arc<str>>>) {
        let Some(file) = file else { return };
        let who = format!("zone {}", data.apex);
        for node in data.records.slice().nodes() {
            let types = node.rrsets().count();
            if types > MAX_TYPES {
                let what = format!(
                    "{} has {types} types at {}: a signed zone may have {MAX_TYPES}",
                    file.value,
                    node.first().owner
                );
                self.context.out.error(&file.at, &who, "dnssec", what);
            }
        }
        let found = |rtypes: &[Rtype]| data.records.iter().find(|record| rtypes.contains(&record.rtype));
        if let Some(record) = found(&OF_KEYS) {
            let what = format!("{} has {}, which comes of the zone's keys", file.value, record.rtype);
            let hint = "take it out, and import the keys: rhumb keys import".to_owned();
            self.context.out.hinted(&file.at, [&who, "dnssec"], what, Some(hint));
        }
        if let Some(record) = found(&MADE) {
            let what = format!(
                "{} has {}: signatures and denials in it are dropped, for the zone is signed here",
                file.value, record.rtype
            );
            self.context.out.warn(&file.at, &who, "dnssec", what);
            data.records.retain(|record| !MADE.contains(&record.rtype));
        }
    }

    /// Whether all that a service of a signed zone may answer offers the same
    /// types.
    pub(super) fn check_signed_services(&mut self) {
        let mut wrong = Vec::new();
        for service in &self.model.services {
            if self.model.zones[service.zone.index()].dnssec.is_some() {
                lacks(&self.offers(service), service, &mut wrong);
            }
        }
        for (at, who, which, what) in wrong {
            let hint = "a denial is kept for every client: in a signed zone all must offer the same types";
            self.context.out.hinted(&at, [&who, &which], what, Some(hint.to_owned()));
        }
    }

    /// What a service may answer: its VIPs, and what stands in for them.
    fn offers(&self, service: &Service) -> Vec<(Location, String, Types)> {
        let vips = service.vips.iter().map(|&id| self.model.vip(id)).filter(|vip| vip.enabled);
        let mut offers: Vec<_> = vips
            .map(|vip| {
                let target = self.model.target(vip.target);
                (target.location.clone(), target.name.to_string(), types(vip))
            })
            .collect();
        let in_place = |addresses: &[std::net::IpAddr]| -> Types {
            let (v4, v6) = (addresses.iter().any(|a| a.is_ipv4()), addresses.iter().any(|a| a.is_ipv6()));
            [("A", v4), ("AAAA", v6), ("HTTPS", false), ("SRV", false), ("an alias", false)]
        };
        let last = match &service.last_resort {
            LastResort::Addresses(addresses) => Some(in_place(addresses)),
            LastResort::Name(_) => {
                let mut alias = in_place(&[]);
                alias[4].1 = true;
                Some(alias)
            }
            LastResort::Everything | LastResort::Keep | LastResort::Fail => None,
        };
        offers.extend(last.map(|types| (service.location.clone(), "last-resort".to_owned(), types)));
        let id = self.model.services.iter().position(|other| std::ptr::eq(other, service));
        for rule in &self.model.rules {
            let applies = rule.services.is_empty() || rule.services.iter().any(|of| Some(of.index()) == id);
            for action in rule.apply.iter().filter(|_| applies) {
                if let RuleAction::Answer(addresses) = action {
                    offers.push((rule.location.clone(), format!("rule {}", rule.name), in_place(addresses)));
                }
            }
        }
        offers
    }
}

/// The types that a VIP answers.
fn types(vip: &Vip) -> Types {
    let has_addresses = !vip.addresses.is_empty();
    let is_https = !vip.alpn.is_empty() || vip.port.is_some_and(|port| port != HTTPS_PORT);
    [
        ("A", vip.addresses.iter().any(std::net::IpAddr::is_ipv4)),
        ("AAAA", vip.addresses.iter().any(std::net::IpAddr::is_ipv6)),
        ("HTTPS", has_addresses && is_https),
        ("SRV", vip.port.is_some()),
        ("an alias", !has_addresses && vip.alias.is_some()),
    ]
}

/// The port of HTTPS, which needs no record of its own (RFC 9460 §9.1).
const HTTPS_PORT: u16 = 443;

/// Who lacks a type that another has.
fn lacks(
    offers: &[(Location, String, Types)],
    service: &Service,
    wrong: &mut Vec<(Location, String, String, String)>,
) {
    for (at, who, types) in offers {
        for (index, (word, has)) in types.iter().enumerate() {
            let other = offers.iter().find(|(_, _, types)| types[index].1);
            if let (false, Some((_, other, _))) = (has, other) {
                let what = format!("{who} must offer {word}, as {other} does");
                wrong.push((at.clone(), format!("service {}", service.name), "dnssec".to_owned(), what));
            }
        }
    }
}
