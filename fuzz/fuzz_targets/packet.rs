//! Any bytes as a query, over UDP and TCP: dropped, or answered with a reply
//! that another library reads, within the room that the client has for it.

#![no_main]

use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use domain::base::Message;
use domain::rdata::AllRecordData;
use libfuzzer_sys::fuzz_target;
use rhumb::respond::{Meta, Scratch, Transport, respond};
use rhumb::snapshot::{Options, Parts, Snapshot};
use rhumb::stats::Stats;
use rhumb_geo::PlaceTable;
use rhumb_health::Status;
use rhumb_policies::{Inputs, State, World, advance};
use rhumb_zones::{Files, LoadOptions, ReadError, Source};

/// The zone that real resolvers are tested with: every kind of name in it.
static SNAPSHOT: LazyLock<Snapshot> = LazyLock::new(|| {
    let folder = Folder(concat!(env!("CARGO_MANIFEST_DIR"), "/../testdata/resolvers"));
    let (path, bytes) = folder.read("", "policy.yaml").expect("it is in the repository");
    let source = Source { path: path.into(), bytes };
    let loaded = rhumb_zones::load(&[source], &folder, &LoadOptions::default());
    let (world, wrong) = World::compile(loaded.model);
    assert!(!loaded.diagnostics.refuse() && !wrong.refuse(), "{}{wrong}", loaded.diagnostics);
    let carriers = world.model().carriers();
    let places = PlaceTable::new(Arc::new(rhumb_geo::Gazetteer::unknown()), carriers, world.operator_prefixes());
    let atlas = rhumb_policies::Atlas::survey(&world, &places).expect("few classes");
    let inputs = Inputs::new(world.model(), Status::Up);
    let state = advance(&world, &State::default(), &inputs, Duration::ZERO);
    let options = Options { identity: Some("fuzz".to_owned()), ..Options::default() };
    Snapshot::compile(Parts {
        serials: vec![1; world.model().zones().len()],
        world: Arc::new(world),
        places: Arc::new(places),
        atlas: Arc::new(atlas),
        state: Arc::new(state),
        generation: 1,
        options: Arc::new(options),
    })
    .expect("few names")
});

struct Folder(&'static str);

impl Files for Folder {
    fn read(&self, _from: &str, path: &str) -> Result<(String, Vec<u8>), ReadError> {
        let bytes = fs::read(Path::new(self.0).join(path)).map_err(|error| ReadError(error.to_string()))?;
        Ok((path.to_owned(), bytes))
    }
}

fuzz_target!(|packet: &[u8]| {
    for transport in [Transport::Udp, Transport::Tcp] {
        let meta = Meta {
            // Loopback may ask _why.
            source: IpAddr::V4(Ipv4Addr::LOCALHOST),
            local: None,
            transport,
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
    let length = respond(&SNAPSHOT, &mut scratch, (packet, meta), &mut out)?;
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
        (Transport::Tcp, _) => usize::from(u16::MAX),
        (Transport::Udp, Some(opt)) => usize::from(opt.udp_payload_size().clamp(512, Options::UDP_SIZE)),
        (Transport::Udp, None) => 512,
    };
    assert!(reply.len() <= room, "{} octets, room for {room}", reply.len());
}
