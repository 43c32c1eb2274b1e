//! A TSIG record on the wire (RFC 8945 §4.2).
//!
//! It is the last record of the additional section or it is nowhere; two, or
//! one that is not last, are a format error (§5.1). Its names are not
//! compressed.
#![deny(clippy::indexing_slicing)]

use crate::query::HEADER;
use crate::query::reader::Reader;

const TSIG: u16 = 250;
const OPT: u16 = 41;
const ANY: u16 = 255;

/// A TSIG record and what it ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tsig<'a> {
    /// Octets of the message before it.
    pub(crate) start: usize,
    /// The key's name, in wire form.
    pub(crate) key: &'a [u8],
    /// The algorithm's name, in wire form.
    pub(crate) algorithm: &'a [u8],
    /// When it was signed, seconds since 1970: 48 bits.
    pub(crate) time: u64,
    /// How wrong a clock may be, seconds.
    pub(crate) fudge: u16,
    pub(crate) mac: &'a [u8],
    /// The id that the message was signed with.
    pub(crate) original_id: u16,
    pub(crate) error: u16,
    pub(crate) other: &'a [u8],
    /// Largest UDP message that the sender takes, if it said so.
    pub(crate) udp_size: Option<u16>,
}

/// What a message ends with.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Found<'a> {
    /// Anything else; also where the message cannot be read.
    Nothing,
    /// A TSIG that is malformed or out of place.
    Malformed,
    /// A TSIG.
    Tsig(Tsig<'a>),
}

/// Looks for a TSIG in `message`.
pub(crate) fn find(message: &[u8]) -> Found<'_> {
    walk(message).unwrap_or(Found::Nothing)
}

fn walk(message: &[u8]) -> Option<Found<'_>> {
    let mut reader = Reader::new(message);
    let [_, _, questions, answers, authorities, additionals] = reader.words()?;
    if additionals == 0 {
        return None;
    }
    for _ in 0..questions {
        reader.skip_name()?;
        reader.take(4)?;
    }
    for _ in 0..u32::from(answers) + u32::from(authorities) {
        record(&mut reader)?;
    }
    let mut udp_size = None;
    for left in (0..additionals).rev() {
        let start = reader.position();
        let Record { rtype, class, ttl, name, rdata } = record(&mut reader)?;
        match rtype {
            OPT => udp_size = Some(class),
            TSIG if left > 0 || class != ANY || ttl != [0, 0] || !reader.is_empty() => {
                return Some(Found::Malformed);
            }
            TSIG => {
                let tsig = read(start, name, rdata);
                return Some(tsig.map_or(Found::Malformed, |tsig| Found::Tsig(Tsig { udp_size, ..tsig })));
            }
            _ => {}
        }
    }
    None
}

struct Record<'a> {
    name: &'a [u8],
    rtype: u16,
    class: u16,
    ttl: [u16; 2],
    rdata: &'a [u8],
}

fn record<'a>(reader: &mut Reader<'a>) -> Option<Record<'a>> {
    let start = reader.position();
    reader.skip_name()?;
    let name = reader.since(start);
    let [rtype, class, high, low, length] = reader.words()?;
    let rdata = reader.take(usize::from(length))?;
    Some(Record { name, rtype, class, ttl: [high, low], rdata })
}

fn read<'a>(start: usize, key: &'a [u8], rdata: &'a [u8]) -> Option<Tsig<'a>> {
    let mut reader = Reader::new(rdata);
    reader.skip_name()?;
    let algorithm = reader.since(0);
    let [high, middle, low, fudge, length] = reader.words()?;
    let time = u64::from(high) << 32 | u64::from(middle) << 16 | u64::from(low);
    let mac = reader.take(usize::from(length))?;
    let [original_id, error, length] = reader.words()?;
    let other = reader.take(usize::from(length))?;
    let plain = |name: &[u8]| rhumb_zones::Name::from_wire(name).is_ok();
    let sane = reader.is_empty() && plain(key) && plain(algorithm) && start >= HEADER;
    sane.then_some(Tsig {
        start,
        key,
        algorithm,
        time,
        fudge,
        mac,
        original_id,
        error,
        other,
        udp_size: None,
    })
}
