//! Any bytes as a query, over UDP and TCP: dropped, or answered with a reply
//! that another library reads, within the room that the client has for it.

#![no_main]

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::{Arc, LazyLock};

use domain::base::Message;
use domain::rdata::AllRecordData;
use libfuzzer_sys::fuzz_target;
use rhumb::front;
use rhumb::load::{Loader, Sources};
use rhumb::reload::Reloader;
use rhumb::respond::{Meta, Scratch, Transport};
use rhumb::serial::Serials;
use rhumb::snapshot::{Options, Snapshot};
use rhumb::stats::Stats;
use rhumb_zones::LoadOptions;

/// The zone that real resolvers are tested with: every kind of name in it.
static SNAPSHOT: LazyLock<Arc<Snapshot>> = LazyLock::new(|| {
    let policy = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/resolvers/policy.yaml");
    let sources = Sources { policies: vec![policy], ..Sources::default() };
    let loader = Loader::new(sources, LoadOptions::default());
    let options = Options { identity: Some("fuzz".to_owned()), ..Options::default() };
    let reloader = Reloader::new(loader, Serials::default(), Arc::new(options));
    reloader.unwrap_or_else(|wrong| panic!("{wrong:?}")).publisher().current()
});

fuzz_target!(|packet: &[u8]| {
    for transport in [Transport::Udp, Transport::Tcp, Transport::Tls] {
        let meta = Meta {
            // Loopback may ask _why.
            source: IpAddr::V4(Ipv4Addr::LOCALHOST),
            local: None,
            transport,
            // Only streams say how long they may be idle.
            idle: (transport == Transport::Tcp).then_some(100),
            now: 1_800_000_000,
            draw: 0x9E37_79B9_7F4A_7C15,
        };
        let first = answer(packet, &meta);
        assert_eq!(first, answer(packet, &meta), "the same input gives the same bytes");
        if let Some(reply) = first {
            check(packet, transport, &reply);
        }
    }
});

fn answer(packet: &[u8], meta: &Meta) -> Option<Vec<u8>> {
    let mut scratch = Scratch::new(Stats::default().block());
    let mut out = vec![0; usize::from(u16::MAX)];
    let length = front::answer(&SNAPSHOT, &mut scratch, (packet, meta), &mut out)?;
    out.truncate(length);
    Some(out)
}

fn check(packet: &[u8], transport: Transport, reply: &[u8]) {
    let query = Message::from_octets(packet).expect("what has no header gets no reply");
    assert!(!query.header().qr(), "an answer to a response");
    let message = Message::from_octets(reply).expect("a reply has a header");
    assert!(message.header().qr(), "a reply says that it is one");
    assert_eq!(message.header().id(), query.header().id(), "the id comes back");
    assert_eq!(message.header().opcode(), query.header().opcode(), "and the opcode");

    for question in message.question() {
        question.expect("a question");
    }
    let (_, answers, authority, additional) = message.sections().expect("four sections");
    for section in [answers, authority, additional] {
        for record in section.limit_to::<AllRecordData<_, _>>() {
            record.expect("a record");
        }
    }

    let room = match (transport, query.opt()) {
        (Transport::Udp, Some(opt)) => usize::from(opt.udp_payload_size().clamp(512, Options::UDP_SIZE)),
        (Transport::Udp, None) => 512,
        _ => usize::from(u16::MAX),
    };
    assert!(reply.len() <= room, "{} octets, room for {room}", reply.len());
}
