//! Any bytes as a policy: a model and diagnostics, within bounded time and
//! memory, and never a panic.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rhumb_zones::{Files, LoadOptions, ReadError, Source, load};

/// Every file that a policy names is the same small zone.
struct OneZone;

const ZONE: &[u8] = b"$TTL 300\n@ SOA ns1 hostmaster 1 3600 600 604800 60\n@ NS ns1\nns1 A 192.0.2.1\n\
    mail A 192.0.2.2\n@ MX 10 mail\nalias CNAME www\n*.any TXT text\nsub NS ns.sub\nns.sub A 192.0.2.3\n";

impl Files for OneZone {
    fn read(&self, _from: &str, path: &str) -> Result<(String, Vec<u8>), ReadError> {
        Ok((path.to_owned(), ZONE.to_vec()))
    }
}

fuzz_target!(|bytes: &[u8]| {
    let source = Source { path: "policy.yaml".into(), bytes: bytes.to_vec() };
    let loaded = load(&[source], &OneZone, &LoadOptions::default());
    for diagnostic in loaded.diagnostics.iter() {
        // What operators read must be printable, whatever they wrote.
        assert!(!diagnostic.to_string().is_empty());
    }
});
