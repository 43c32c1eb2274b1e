//! Nothing on the query path allocates.
//!
//! Every kind of question is asked as a UDP worker asks it, limiter included,
//! twice to make signatures and whatever else is made once, then 64 times with
//! an allocator that counts. It is a test of its own because an allocator is a
//! program's. `_why` is left out, and so are messages sealed with TSIG and
//! transfers: they are for the few who may, and say that they allocate.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use allocation_counter::measure;
use rhumb::cookie::{Cookies, Secret};
use rhumb::front;
use rhumb::keys::KeySource;
use rhumb::limit::{Limiter, RateLimits, Verdict};
use rhumb::load::{Document, Loader, Sources};
use rhumb::reload::Reloader;
use rhumb::respond::{Class, Meta, Scratch, Transport};
use rhumb::serial::Serials;
use rhumb::snapshot::{Options, Snapshot};
use rhumb::stats::Stats;
use rhumb_zones::LoadOptions;

/// Two zones, one of them signed, with the same names.
const POLICY: &str = "
datacenters:
  fra: { at: [50.1, 8.7], links: { a: {}, b: {} } }
  iad: { at: [38.9, -77.0], links: { a: {}, b: {} } }
---
zone: plain.example
records: zone
services:
  www:
    vips:
      fra: { a: { address: [192.0.2.1, '2001:db8::1'], alpn: [h2] }, b: { address: [192.0.2.2, '2001:db8::2'], alpn: [h2] } }
      iad: { a: { address: [192.0.2.3, '2001:db8::3'], alpn: [h2] }, b: { address: [192.0.2.4, '2001:db8::4'], alpn: [h2] } }
---
zone: signed.example
records: zone
dnssec: {}
services:
  www:
    vips:
      fra: { a: { address: [192.0.2.1, '2001:db8::1'], alpn: [h2] }, b: { address: [192.0.2.2, '2001:db8::2'], alpn: [h2] } }
      iad: { a: { address: [192.0.2.3, '2001:db8::3'], alpn: [h2] }, b: { address: [192.0.2.4, '2001:db8::4'], alpn: [h2] } }
";

const ZONE: &str = "
@ 300 SOA ns1 hostmaster 1 3600 600 604800 300
@ 300 NS ns1
ns1 300 A 203.0.113.53
mail 300 MX 10 ns1
*.wild 300 A 192.0.2.30
deep.ent 300 TXT text
one 300 CNAME two
two 300 CNAME www
out 300 CNAME www.elsewhere.example.
old 300 DNAME wild
sub 300 NS ns.sub
ns.sub 300 A 203.0.113.54
";

const A: u16 = 1;
const SOA: u16 = 6;
const MX: u16 = 15;
const AAAA: u16 = 28;
const DNSKEY: u16 = 48;
const HTTPS: u16 = 65;
const ANY: u16 = 255;

/// Client Subnet (RFC 7871 §6) of a /24, a /56, and one that is too long.
const V4: &[u8] = &[0, 8, 0, 7, 0, 1, 24, 0, 193, 0, 6];
const V6: &[u8] = &[0, 8, 0, 11, 0, 2, 56, 0, 0x20, 1, 6, 0x7c, 2, 0xe8, 0];
const BAD: &[u8] = &[0, 8, 0, 7, 0, 1, 99, 0, 193, 0, 6];
/// COOKIE of a client that has none of ours yet (RFC 7873 §4), and a false one.
const COOKIE: &[u8] = &[0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8];
const FALSE: &[u8] = &[0, 10, 0, 24, 1, 2, 3, 4, 5, 6, 7, 8, 1, 0, 0, 0, 0, 0, 0, 1, 9, 9, 9, 9, 9, 9, 9, 9];
/// NSID (RFC 5001).
const NSID: &[u8] = &[0, 3, 0, 0];

/// How the additional section is.
#[derive(Clone, Copy)]
enum Edns {
    None,
    With(&'static [u8]),
    /// DO besides (RFC 3225).
    Do(&'static [u8]),
}

use Edns::{Do, None as Plain, With};

const NOERROR: u8 = 0;
const FORMERR: u8 = 1;
const NXDOMAIN: u8 = 3;
const REFUSED: u8 = 5;

/// Name, type, EDNS, RCODE, why.
type Row = (&'static str, u16, Edns, u8, &'static str);

const ROWS: &[Row] = &[
    ("ns1.plain.example", A, Plain, NOERROR, "static, without EDNS"),
    ("NS1.Plain.Example", A, With(&[]), NOERROR, "letters of both cases are folded in the worker's scratch"),
    ("mail.plain.example", MX, With(&[]), NOERROR, "with additional records and compressed names"),
    ("plain.example", SOA, With(&[]), NOERROR, "the serial is patched"),
    ("plain.example", ANY, With(&[]), NOERROR, "ANY (RFC 8482)"),
    ("a.b.wild.plain.example", A, With(&[]), NOERROR, "a wildcard's owner is the question's"),
    ("www.plain.example", A, Plain, NOERROR, "steered by the resolver's address"),
    ("www.plain.example", A, With(V4), NOERROR, "steered by an IPv4 subnet"),
    ("www.plain.example", AAAA, With(V6), NOERROR, "steered by an IPv6 subnet"),
    ("www.plain.example", HTTPS, With(V4), NOERROR, "hints of the same decision"),
    ("one.plain.example", A, With(V4), NOERROR, "a chain of aliases that ends steered"),
    ("out.plain.example", A, With(&[]), NOERROR, "an alias that leads out"),
    ("a.old.plain.example", A, With(&[]), NOERROR, "DNAME makes an alias"),
    ("a.sub.plain.example", A, With(&[]), NOERROR, "a referral with glue"),
    ("www.plain.example", MX, With(V4), NOERROR, "no such data at a steered name"),
    ("ent.plain.example", A, With(&[]), NOERROR, "an empty non-terminal"),
    ("nothing.plain.example", A, With(V4), NXDOMAIN, "no such name"),
    ("www.other.example", A, With(V4), REFUSED, "no zone of ours"),
    ("www.plain.example", A, With(COOKIE), NOERROR, "a cookie is made"),
    ("www.plain.example", A, With(FALSE), NOERROR, "a cookie is judged"),
    ("ns1.plain.example", A, With(NSID), NOERROR, "this server's name"),
    ("www.plain.example", A, With(BAD), FORMERR, "a subnet that cannot be"),
    ("ns1.signed.example", A, Do(&[]), NOERROR, "signed, warm"),
    ("www.signed.example", A, Do(V4), NOERROR, "steered and signed, warm"),
    ("www.signed.example", AAAA, Do(V6), NOERROR, "the same for IPv6"),
    ("www.signed.example", HTTPS, Do(V4), NOERROR, "and hints"),
    ("one.signed.example", A, Do(V4), NOERROR, "each link of a chain has its signature"),
    ("a.wild.signed.example", A, Do(&[]), NOERROR, "a wildcard's proof"),
    ("a.old.signed.example", A, Do(&[]), NOERROR, "DNAME and its signature"),
    ("www.signed.example", MX, Do(V4), NOERROR, "proof that there is no such type"),
    ("nothing.signed.example", A, Do(&[]), NXDOMAIN, "proof that there is no such name"),
    ("a.sub.signed.example", A, Do(&[]), NOERROR, "a referral that proves that it is not signed"),
    ("signed.example", DNSKEY, Do(&[]), NOERROR, "the keys"),
    ("www.signed.example", A, With(V4), NOERROR, "signed zones answer others as well"),
];

/// Packets that no name and type describe, and whether they are answered.
const PACKETS: &[(&[u8], bool, &str)] = &[
    (&[], false, "nothing"),
    (&[0; 11], false, "less than a header"),
    (&[0, 0, 0x80, 0, 0, 1, 0, 0, 0, 0, 0, 0], false, "a response"),
    (&[0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 63, b'a'], true, "a label that ends early: FORMERR"),
    (
        &[0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xc0, 12, 0, 1, 0, 1],
        true,
        "a name that points at itself: FORMERR",
    ),
    (&[0, 0, 0x28, 0, 0, 0, 0, 0, 0, 0, 0, 0], true, "UPDATE: NOTIMP"),
    (&[0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 3], true, "class CHAOS"),
];

/// Asks a message, as often as a test likes.
struct Worker {
    snapshot: Arc<Snapshot>,
    scratch: Scratch,
    limiter: Limiter,
    meta: Meta,
    reply: Vec<u8>,
}

impl Worker {
    fn new() -> Self {
        let keys = Path::new(env!("CARGO_TARGET_TMPDIR")).join("allocations-keys");
        let document = |name: &str, text: &str| Document { name: name.into(), bytes: text.as_bytes().into() };
        let sources = Sources {
            embedded: vec![document("policy.yaml", POLICY), document("zone", ZONE)],
            keys: KeySource::Kept(keys),
            ..Sources::default()
        };
        let cookies = Cookies::new(vec![Secret::new([7; 16])], false);
        let options = Options { cookies, identity: Some("ns1".to_owned()), ..Options::default() };
        let loader = Loader::new(sources, LoadOptions::default());
        let reloader = Reloader::new(loader, Serials::default(), Arc::new(options));
        let limits = RateLimits {
            rates: [1; Class::COUNT],
            window: 10,
            slip: 2,
            leak: 0,
            lengths: [24, 56],
            exempt: Vec::new(),
            log_only: false,
        };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let (source, now) = (IpAddr::V4(Ipv4Addr::new(192, 0, 2, 53)), u32::try_from(now).unwrap());
        Self {
            snapshot: reloader.unwrap_or_else(|wrong| panic!("{wrong:?}")).publisher().current(),
            scratch: Scratch::new(Stats::default().block()),
            limiter: Limiter::new(limits),
            meta: Meta { source, local: None, transport: Transport::Udp, idle: None, now, draw: 0 },
            reply: vec![0; usize::from(u16::MAX)],
        }
    }

    /// Octets of the reply.
    fn answer(&mut self, packet: &[u8]) -> Option<usize> {
        let Self { snapshot, scratch, meta, reply, .. } = self;
        front::answer(snapshot, scratch, (packet, meta), reply)
    }

    /// What the limiter says of it, with what that takes.
    fn ask(&mut self, packet: &[u8]) -> Option<Verdict> {
        self.meta.draw = self.meta.draw.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let length = self.answer(packet)?;
        let answered = self.scratch.answered();
        let verdict = self.limiter.judge(answered, self.meta.source, (1_000_000, self.meta.draw));
        if verdict == Verdict::Slip {
            answered.cut(&mut self.reply, length);
        }
        Some(verdict)
    }

    /// Asks often, so that both kinds of limited answers occur.
    fn check(&mut self, packet: &[u8], (what, why): (&str, &str)) {
        let mut verdicts = [0; 4];
        self.ask(packet);
        self.ask(packet);
        let counted = measure(|| {
            for _ in 0..64 {
                if let Some(verdict) = self.ask(packet) {
                    verdicts[verdict as usize] += 1;
                }
            }
        });
        assert_eq!((counted.count_total, counted.bytes_total), (0, 0), "{what}: {why}");
        let limited = verdicts[Verdict::Slip as usize] > 0 && verdicts[Verdict::Drop as usize] > 0;
        assert!(limited || verdicts == [0; 4], "{what}: {why}: {verdicts:?}");
    }
}

/// A query of one question.
fn query(name: &str, rtype: u16, edns: Edns) -> Vec<u8> {
    let (options, dnssec) = match edns {
        Plain => (None, 0),
        With(options) => (Some(options), 0),
        Do(options) => (Some(options), 0x80),
    };
    let mut packet = vec![0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, u8::from(options.is_some())];
    for label in name.split('.') {
        packet.push(u8::try_from(label.len()).unwrap());
        packet.extend_from_slice(label.as_bytes());
    }
    packet.push(0);
    packet.extend_from_slice(&rtype.to_be_bytes());
    packet.extend_from_slice(&[0, 1]);
    if let Some(options) = options {
        packet.extend_from_slice(&[
            0,
            0,
            41,
            4,
            208,
            0,
            0,
            dnssec,
            0,
            0,
            u8::try_from(options.len()).unwrap(),
        ]);
        packet.extend_from_slice(options);
    }
    packet
}

#[test]
fn answers_allocate_nothing() {
    let mut worker = Worker::new();
    for &(name, rtype, edns, rcode, why) in ROWS {
        let packet = query(name, rtype, edns);
        assert!(worker.answer(&packet).is_some(), "{name}: {why}");
        assert_eq!(worker.reply[3] & 0x0f, rcode, "{name}: {why}");
        worker.check(&packet, (name, why));
    }
    for &(packet, answered, why) in PACKETS {
        assert_eq!(worker.answer(packet).is_some(), answered, "{why}");
        worker.check(packet, ("packet", why));
    }
}

#[test]
fn the_counter_counts() {
    let counted = measure(|| drop(std::hint::black_box(vec![0u8; 100])));
    assert_eq!((counted.count_total, counted.bytes_total), (1, 100), "or the other test says nothing");
}
