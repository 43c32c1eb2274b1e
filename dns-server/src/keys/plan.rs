//! A zone's `dnssec:` as the policy of rollovers.

use std::time::Duration;

use rhumb_dnssec::Algorithm;
use rhumb_dnssec::rollover::RolloverPolicy;
use rhumb_zones::{Dnssec, KeyAlgorithm, KeyPlan, Model, Name, Rtype, Zone};

/// How the keys of a zone are rolled; nothing when it is not signed.
#[must_use]
pub fn rollover_policy(model: &Model, zone: &Zone) -> Option<RolloverPolicy> {
    let dnssec = zone.dnssec.as_ref()?;
    let Dnssec { algorithm, keys, dnskey_ttl, zsk_lifetime, ksk_lifetime, cds, .. } = dnssec;
    Some(RolloverPolicy {
        algorithm: match algorithm {
            KeyAlgorithm::EcdsaP256 => Algorithm::EcdsaP256,
            KeyAlgorithm::Ed25519 => Algorithm::Ed25519,
            KeyAlgorithm::RsaSha256 => Algorithm::RsaSha256,
        },
        split: *keys == KeyPlan::Split,
        cds: *cds,
        dnskey_ttl: seconds(*dnskey_ttl),
        max_ttl: longest_ttl(model, zone),
        propagation: seconds(dnssec.propagation),
        parent_ttl: seconds(dnssec.parent_ttl),
        parent_delay: seconds(dnssec.parent_delay),
        zsk_lifetime: zsk_lifetime.map(seconds),
        ksk_lifetime: ksk_lifetime.map(seconds),
    })
}

/// The same of the zone with this name.
#[must_use]
pub fn policy_of(model: &Model, name: &Name) -> Option<RolloverPolicy> {
    rollover_policy(model, model.zones().iter().find(|zone| zone.name == *name)?)
}

/// How long anything of the zone may be cached: records, steered answers and
/// denials, whose TTL is at most the SOA's (RFC 2308 §5).
fn longest_ttl(model: &Model, zone: &Zone) -> u32 {
    let records = zone.records.records.iter().filter(|record| record.rtype != Rtype::DNSKEY);
    let services = zone.services.iter().map(|&id| seconds(model.service(id).ttl));
    records.map(|record| record.ttl).chain(services).max().unwrap_or(0)
}

fn seconds(time: Duration) -> u32 {
    u32::try_from(time.as_secs()).unwrap_or(u32::MAX)
}
