//! Any text as the query string of a DNS-over-HTTPS request, and any octets as
//! its body: what is decoded is what was written, what is answered may be kept
//! as long as its records say and no longer.

#![no_main]

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::{Arc, LazyLock};

use domain::base::iana::Rtype;
use domain::base::{Message, Ttl, UnknownRecordData};
use libfuzzer_sys::fuzz_target;
use rhumb::load::{Loader, Sources};
use rhumb::net::https::{from_url, lifetime};
use rhumb::reload::Reloader;
use rhumb::respond::{Meta, Scratch, Transport, respond};
use rhumb::serial::Serials;
use rhumb::snapshot::{Options, Snapshot};
use rhumb::stats::Stats;
use rhumb_zones::LoadOptions;

static SNAPSHOT: LazyLock<Arc<Snapshot>> = LazyLock::new(|| {
    let policy = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/resolvers/policy.yaml");
    let sources = Sources { policies: vec![policy], ..Sources::default() };
    let loader = Loader::new(sources, LoadOptions::default());
    let reloader = Reloader::new(loader, Serials::default(), Arc::new(Options::default()));
    reloader.unwrap_or_else(|wrong| panic!("{wrong:?}")).publisher().current()
});

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Ok(query) = from_url(text)
    {
        let value = text.split('&').find_map(|pair| pair.strip_prefix("dns="));
        assert_eq!(value, Some(&*base64url(&query)), "there is one way to write it");
        answer(&query);
    }
    answer(bytes);
    // A reply that no server of ours would send must not trouble the reader.
    let _ = lifetime(bytes);
});

fn answer(query: &[u8]) {
    let meta = Meta {
        source: IpAddr::V4(Ipv4Addr::LOCALHOST),
        local: None,
        transport: Transport::Https,
        idle: None,
        now: 1_800_000_000,
        draw: 7,
    };
    let mut scratch = Scratch::new(Stats::default().block());
    let mut out = vec![0; usize::from(u16::MAX)];
    let Some(length) = respond(&SNAPSHOT, &mut scratch, (query, &meta), &mut out) else { return };
    let reply = &out[..length];
    let message = Message::from_octets(reply).expect("a reply has a header");
    let records = message.answer().expect("answers").limit_to::<UnknownRecordData<_>>();
    let least: Option<Ttl> = records.map(|record| record.expect("a record").ttl()).min();
    let kept = lifetime(reply);
    match least {
        Some(ttl) => assert_eq!(kept, ttl.as_secs(), "the smallest TTL of the answers"),
        None => {
            let authority = message.authority().expect("authority").limit_to::<UnknownRecordData<_>>();
            let soa = authority.map(|record| record.expect("a record")).find(|record| record.rtype() == Rtype::SOA);
            assert!(kept <= soa.map_or(0, |soa| soa.ttl().as_secs()), "no longer than the SOA allows");
        }
    }
}

/// RFC 4648 §5 without padding.
fn base64url(octets: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for group in octets.chunks(3) {
        let bits = group.iter().fold(0u32, |bits, &octet| bits << 8 | u32::from(octet)) << (24 - 8 * group.len());
        for place in 0..=group.len() {
            text.push(char::from(LETTERS[(bits >> (18 - 6 * place)) as usize & 63]));
        }
    }
    text
}
