//! Any bytes as a zone file: refused with diagnostics, or a zone that keeps
//! what `ZoneData` promises.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rhumb_zones::{Diagnostics, Files, Name, ReadError, Rtype, ZoneData, ZoneSource};

/// `$INCLUDE again` finds the file under test, so that cycles are within
/// reach; any other name finds a small file, so that most inputs are cheap.
struct Included<'a>(&'a [u8]);

impl Files for Included<'_> {
    fn read(&self, _from: &str, path: &str) -> Result<(String, Vec<u8>), ReadError> {
        let bytes = if path == "again" { self.0 } else { b"$TTL 600\nhost A 192.0.2.9\n" };
        Ok((path.to_owned(), bytes.to_vec()))
    }
}

fuzz_target!(|bytes: &[u8]| {
    let apex = Name::scan_absolute("example.com").expect("a name");
    let steered = [Name::scan_absolute("www.example.com").expect("a name")];
    let source = ZoneSource {
        apex: &apex,
        path: "example.com.zone",
        bytes,
        files: &Included(bytes),
        steered: &steered,
        defaults: &[],
    };
    let mut out = Diagnostics::default();
    match ZoneData::read(&source, &mut out) {
        None => assert!(out.refuse(), "nothing came out and nobody says why"),
        Some(_) if bytes.is_empty() => {}
        Some(zone) => check(&apex, &zone),
    }
});

fn check(apex: &Name, zone: &ZoneData) {
    let records = &zone.records;
    let at_apex =
        |rtype| records.iter().filter(|record| record.owner == *apex && record.rtype == rtype).count();
    assert_eq!(at_apex(Rtype::SOA), 1, "one SOA at the apex");
    assert!(at_apex(Rtype::NS) >= 1, "an NS at the apex");
    for record in records {
        assert!(record.owner.is_within(apex), "{record:?} lies in the zone");
        assert!(record.ttl <= i32::MAX as u32, "{record:?} has a TTL");
    }
    for (a, b) in records.iter().zip(records.iter().skip(1)) {
        let (before, after) = ((a.owner, a.rtype, a.rdata), (b.owner, b.rtype, b.rdata));
        assert!(before < after, "sorted, without duplicates: {a:?} {b:?}");
        let one_set = (a.owner, a.rtype) == (b.owner, b.rtype);
        assert!(!one_set || a.ttl == b.ttl || a.rtype == Rtype::RRSIG, "one TTL per RRset: {a:?} {b:?}");
    }
}
