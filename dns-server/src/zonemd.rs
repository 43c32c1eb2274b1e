//! The digest of a whole zone (RFC 8976).
//!
//! A ZONEMD in a zone file says what the file's author meant it to hold. It is
//! checked when the file is loaded, against the file's records alone, with the
//! simple scheme and SHA-384 or SHA-512; other schemes and hashes are left to
//! those who know them. One that matches is enough (§4): while a zone moves
//! from one hash to another it has two, and a hash nobody knows proves nothing.
//!
//! One that `transfer: {zonemd: true}` asks for is made of what is transferred,
//! and stands in the zone's view.
//!
//! **Invariant:** nothing here changes what else is served.

use std::borrow::Cow;
use std::fmt::Write as _;

use rhumb_zones::{Diagnostics, Model, Name, Record, RecordRef, Rtype, Zone, ZoneId, rdata};
use ring::digest::{Algorithm, Context, SHA384, SHA512};

use crate::snapshot::Views;
use crate::transfer::{Content, Item};

/// The only scheme there is: every record in canonical order (§3.3.1).
const SIMPLE: u8 = 1;
/// Octets of serial, scheme and hash, before the digest.
const HEAD: usize = 6;
/// Where RRSIG says what it covers.
const COVERED: usize = 2;

/// Reports zones whose file was not meant to hold what it holds.
pub(crate) fn check(model: &Model, out: &mut Diagnostics) {
    for zone in model.zones() {
        let who = format!("zone {}", zone.name);
        if zone.dnssec.is_some() && zone.records.records.iter().any(|record| is_digest(zone, &record)) {
            let what = "must not have ZONEMD: the zone is signed here, which no digest of its file foresees";
            out.error(&zone.location, &who, "records", what);
            continue;
        }
        let digests = zone.records.records.iter().filter(|record| is_digest(zone, record));
        let known: Vec<_> = digests.filter_map(|record| read(record.rdata)).collect();
        let mut wrong = None;
        let matches = known.iter().any(|(serial, algorithm, digest)| {
            let made = of(zone, algorithm);
            let same = made == *digest && Some(*serial) == serial_of(zone);
            wrong = wrong.take().or_else(|| Some((hex(digest), hex(&made), *serial)));
            same
        });
        if let (false, Some((said, made, serial))) = (matches, wrong) {
            let what = format!("ZONEMD says {said} at serial {serial}, and the records amount to {made}");
            let hint = "the file was changed after it was digested, or damaged".to_owned();
            out.hinted(&zone.location, [&who, "records"], what, Some(hint));
        }
    }
}

fn is_digest(zone: &Zone, record: &RecordRef<'_>) -> bool {
    record.rtype == Rtype::ZONEMD && record.owner == zone.name
}

/// Serial, hash and digest of a ZONEMD that is understood.
fn read(rdata: &[u8]) -> Option<(u32, &'static Algorithm, &[u8])> {
    let (head, digest) = rdata.split_first_chunk::<HEAD>()?;
    let [a, b, c, d, scheme, hash] = *head;
    let algorithm = match hash {
        1 => &SHA384,
        2 => &SHA512,
        _ => return None,
    };
    (scheme == SIMPLE).then_some((u32::from_be_bytes([a, b, c, d]), algorithm, digest))
}

fn serial_of(zone: &Zone) -> Option<u32> {
    let soa = zone.records.records.iter().find(|record| record.rtype == Rtype::SOA)?;
    soa.rdata.last_chunk::<20>()?.first_chunk().map(|serial| u32::from_be_bytes(*serial))
}

/// The digest of a zone's records.
fn of(zone: &Zone, algorithm: &'static Algorithm) -> Vec<u8> {
    digest(&zone.name, &zone.records.records.iter().collect::<Vec<_>>(), algorithm)
}

/// The digest of records that are in canonical order: all but the ZONEMD of
/// the apex and its signatures, in canonical form (§3.3.1).
fn digest(apex: &Name, records: &[RecordRef<'_>], algorithm: &'static Algorithm) -> Vec<u8> {
    let mut context = Context::new(algorithm);
    let is_own = |record: &&RecordRef<'_>| {
        let covers = record.rtype == Rtype::RRSIG
            && record.rdata.starts_with(&Rtype::ZONEMD.0.to_be_bytes()[..COVERED]);
        record.owner == *apex && (record.rtype == Rtype::ZONEMD || covers)
    };
    for set in records.chunk_by(|a, b| a.rtype == b.rtype && a.owner == b.owner) {
        let counted = set.iter().filter(|record| !is_own(record));
        let mut items: Vec<(Cow<'_, [u8]>, u32)> =
            counted.map(|record| (rdata::canonical(record.rtype, record.rdata), record.ttl)).collect();
        items.sort_unstable();
        items.dedup();
        let (owner, rtype) = (set[0].owner.folded(), set[0].rtype);
        for (item, ttl) in items {
            context.update(&owner);
            context.update(&rtype.0.to_be_bytes());
            context.update(&[0, 1]);
            context.update(&ttl.to_be_bytes());
            context.update(&u16::try_from(item.len()).unwrap_or(u16::MAX).to_be_bytes());
            context.update(&item);
        }
    }
    context.finish().as_ref().to_vec()
}

/// Puts a ZONEMD in the view of every zone that wants one: of what is
/// transferred, the served serial included.
pub(crate) fn make(model: &Model, serials: &[u32], views: &mut Views) {
    for (index, zone) in model.zones().iter().enumerate() {
        if !zone.transfer.as_ref().is_some_and(|transfer| transfer.zonemd) {
            continue;
        }
        let (id, serial) = (ZoneId::new(index), serials[index]);
        let content = Content::new((id, zone), serial, views.zone(id));
        let Item { ttl, rdata, .. } = content.soa();
        let owner = zone.name.clone();
        let soa = Record { owner: owner.clone(), rtype: Rtype::SOA, ttl, rdata: rdata.into() };
        let mut records: Vec<RecordRef<'_>> = content.records().chain([soa.view()]).collect();
        records.sort_by(|a, b| (&a.owner, a.rtype).cmp(&(&b.owner, b.rtype)));
        // Simple scheme, SHA-384.
        let head = [&serial.to_be_bytes()[..], &[SIMPLE, 1]].concat();
        let rdata = [head, digest(&zone.name, &records, &SHA384)].concat().into();
        views.add(id, Record { owner, rtype: Rtype::ZONEMD, ttl, rdata });
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use rhumb_zones::LoadOptions;

    use crate::load::{Document, Loader, Sources};

    const POLICY: &[u8] = b"{ zone: example, records: example.zone }";

    /// RFC 8976 §A.1.
    const ZONE: &str = "\
example. 86400 IN SOA ns1 admin 2018031900 1800 900 604800 86400
example. 86400 IN NS ns1
example. 86400 IN NS ns2
example. 86400 IN ZONEMD 2018031900 1 1 c68090d90a7aed716bc459f9340e3d7c1370d4d24b7e2fc3a1ddc0b9a87153b9a9713b3c9ae5cc27777f98b8e730044c
ns1 3600 IN A 203.0.113.63
ns2 3600 IN AAAA 2001:db8::63
";

    #[test]
    fn zones_are_what_their_digests_say() {
        let other = ZONE.replace("ZONEMD 2018031900 1 1 c6", "ZONEMD 2018031900 1 1 c7");
        let unknown = ZONE.replace("ZONEMD 2018031900 1 1", "ZONEMD 2018031900 1 240");
        let rows = [
            (ZONE.to_owned(), "", "as the RFC has it"),
            (ZONE.replace("ns1 3600", "NS1 3600"), "", "case does not count"),
            (ZONE.replace("::63", "::64"), "and the records amount to", "an address was changed"),
            (
                ZONE.replace("SOA ns1 admin 2018031900", "SOA ns1 admin 2018031901"),
                "at serial 2018031900",
                "a serial was",
            ),
            (other, "ZONEMD says c7", "the digest was"),
            (format!("{ZONE}ns3 60 IN A 192.0.2.1\n"), "and the records amount to", "a record came"),
            (unknown, "", "a hash that is not understood proves nothing"),
        ];
        for (zone, want, why) in rows {
            let document = |name: &str, bytes: &[u8]| Document { name: name.into(), bytes: bytes.into() };
            let embedded = vec![document("policy.yaml", POLICY), document("example.zone", zone.as_bytes())];
            let sources = Sources { embedded, ..Sources::default() };
            let load = Loader::new(sources, LoadOptions::default()).load();
            let said = load.diagnostics.to_string();
            assert_eq!(load.diagnostics.refuse(), !want.is_empty(), "{why}: {said}");
            assert!(said.contains(want), "{why}: {said}");
        }
    }
}
