//! Queries with options, replies as one line, and a world to ask.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use rhumb::load::{Loader, Sources};
use rhumb::publish::Publisher;
use rhumb::reload::Reloader;
use rhumb::respond::{Meta, Scratch, Transport, respond};
use rhumb::serial::Serials;
use rhumb::snapshot::{Options, Snapshot};
use rhumb::stats::Stats;
use rhumb_zones::{LoadOptions, Name, Rtype};

/// When the queries of rows are asked, seconds since 1970.
pub(crate) const NOW: u32 = 1_800_000_000;

/// The zones of `testdata/abuse`, served with `options`.
pub(crate) fn world(options: Options) -> Arc<Snapshot> {
    publisher(options).current()
}

/// The same, to be served.
pub(crate) fn publisher(options: Options) -> Publisher {
    let policy = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../testdata/abuse/policy.yaml");
    let loader =
        Loader::new(Sources { policies: vec![policy], ..Sources::default() }, LoadOptions::default());
    let reloader = Reloader::new(loader, Serials::default(), Arc::new(options)).unwrap();
    reloader.publisher().clone()
}

/// `NAME TYPE` with EDNS, a UDP size and `options` in hexadecimal; a name of
/// `-` is no question at all.
pub(crate) fn query(question: &str, size: u16, options: &str) -> Vec<u8> {
    let (name, rtype) = question.split_once(' ').unwrap();
    let mut out = vec![0x2a, 0x17, 0, 0, 0, u8::from(name != "-"), 0, 0, 0, 0, 0, 1];
    if name != "-" {
        out.extend(Name::scan_absolute(name).unwrap().as_wire());
        out.extend(rtype.parse::<Rtype>().unwrap().0.to_be_bytes());
        out.extend([0, 1]);
    }
    let options = unhex(options);
    out.extend([0, 0, 41]);
    out.extend(size.to_be_bytes());
    out.extend([0; 4]);
    out.extend(u16::try_from(options.len()).unwrap().to_be_bytes());
    out.extend(options);
    out
}

/// Asks from `source`; nothing for silence.
pub(crate) fn ask(
    world: &Snapshot,
    packet: &[u8],
    (source, transport): (&str, Transport),
) -> Option<Vec<u8>> {
    let source: IpAddr = source.parse().unwrap();
    let meta = Meta { source, local: None, transport, idle: None, now: NOW, draw: 0 };
    let mut scratch = Scratch::new(Stats::default().block());
    let mut out = vec![0; 65_535];
    let length = respond(world, &mut scratch, (packet, &meta), &mut out)?;
    out.truncate(length);
    Some(out)
}

/// `RCODE [tc] AN/NS/AR [CODE:HEX]…`: rcode with the OPT's bits, counts, options.
pub(crate) fn line(reply: &[u8]) -> String {
    let word = |at: usize| u16::from_be_bytes([reply[at], reply[at + 1]]);
    let mut rcode = word(2) & 0x0f;
    let tc = if word(2) & 0x0200 == 0 { "" } else { " tc" };
    let mut at = 12;
    for _ in 0..word(4) {
        at = after_name(reply, at) + 4;
    }
    let mut options = String::new();
    for _ in 0..word(6) + word(8) + word(10) {
        at = after_name(reply, at);
        let (rtype, end) = (word(at), at + 10 + usize::from(word(at + 8)));
        if rtype == 41 {
            rcode |= u16::from(reply[at + 4]) << 4;
            let mut option = at + 10;
            while option < end {
                let length = usize::from(word(option + 2));
                let data = &reply[option + 4..option + 4 + length];
                options += &format!(" {}:{}", word(option), hex(data));
                option += 4 + length;
            }
        }
        at = end;
    }
    assert_eq!(at, reply.len(), "nothing follows the last record");
    format!("{rcode}{tc} {}/{}/{}{options}", word(6), word(8), word(10))
}

fn after_name(reply: &[u8], mut at: usize) -> usize {
    loop {
        match reply[at] {
            0 => return at + 1,
            length @ 1..=63 => at += 1 + usize::from(length),
            _ => return at + 2,
        }
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn unhex(text: &str) -> Vec<u8> {
    let digits: String = text.split_whitespace().collect();
    (0..digits.len() / 2).map(|at| u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).unwrap()).collect()
}
