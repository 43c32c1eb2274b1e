//! A question as a packet, and a reply as what it says.
//!
//! Own code, small because it only reads what this program composes; the
//! tests of the server read its replies with a library's.

use std::fmt;

use rhumb_zones::{Name, Prefix, Record, Rtype};

/// EDNS option code of Client Subnet (RFC 7871 §6).
const SUBNET: u16 = 8;

/// Payload a client of ours takes: the largest a test may want to see whole.
const PAYLOAD: u16 = u16::MAX;

/// A response code (RFC 6895 §2.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Code(pub u16);

impl Code {
    /// Those this server gives, by name.
    pub const NAMES: [(Self, &str); 8] = [
        (Self(0), "NOERROR"),
        (Self(1), "FORMERR"),
        (Self(2), "SERVFAIL"),
        (Self(3), "NXDOMAIN"),
        (Self(4), "NOTIMP"),
        (Self(5), "REFUSED"),
        (Self(6), "YXDOMAIN"),
        (Self(16), "BADVERS"),
    ];
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Self::NAMES.iter().find(|(code, _)| code == self) {
            Some((_, name)) => f.write_str(name),
            None => write!(f, "RCODE{}", self.0),
        }
    }
}

/// The packet that asks for `name`, on behalf of `client` if given.
pub(crate) fn question(name: &Name, rtype: Rtype, client: Option<Prefix>) -> Vec<u8> {
    let subnet = client.map(subnet).unwrap_or_default();
    let length = u16::try_from(subnet.len()).expect("a subnet option has at most 24 octets");
    let bytes = |words: &[u16]| words.iter().flat_map(|word| word.to_be_bytes()).collect::<Vec<u8>>();
    // No id, no flags, one question, one additional record.
    let head = bytes(&[0, 0, 1, 0, 0, 1]);
    let edns = bytes(&[Rtype::OPT.0, PAYLOAD, 0, 0, length]);
    [&head, name.as_wire(), &bytes(&[rtype.0, 1]), &[0], &edns, &subnet].concat()
}

/// The option that tells the client's network.
fn subnet(client: Prefix) -> Vec<u8> {
    let (family, octets) = match client.address() {
        std::net::IpAddr::V4(v4) => (1u16, v4.octets().to_vec()),
        std::net::IpAddr::V6(v6) => (2u16, v6.octets().to_vec()),
    };
    let told = &octets[..usize::from(client.length()).div_ceil(8)];
    let size = u16::try_from(told.len() + 4).expect("an address has at most 16 octets");
    let head = [SUBNET, size, family].map(u16::to_be_bytes).concat();
    [&head[..], &[client.length(), 0], told].concat()
}

/// What a reply says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reply {
    /// How it went.
    pub rcode: Code,
    /// The answer section; names in data uncompressed.
    pub answers: Vec<Record>,
    /// The scope of its Client Subnet, if it has one.
    pub scope: Option<u8>,
}

impl Reply {
    /// Reads a reply; nothing when it is malformed.
    pub(crate) fn parse(packet: &[u8]) -> Option<Self> {
        let mut at = 4;
        let [questions, answers, authority, additional] = [(); 4].map(|()| word(packet, &mut at));
        for _ in 0..questions? {
            name(packet, &mut at)?;
            at += 4;
        }
        let mut reply =
            Self { rcode: Code(u16::from(packet.get(3)? & 15)), answers: Vec::new(), scope: None };
        for _ in 0..answers? {
            reply.answers.push(record(packet, &mut at)?);
        }
        for _ in 0..authority? + additional? {
            let record = record(packet, &mut at)?;
            if record.rtype == Rtype::OPT {
                let [high, ..] = record.ttl.to_be_bytes();
                reply.rcode.0 |= u16::from(high) << 4;
                reply.scope = scope(&record.rdata);
            }
        }
        Some(reply)
    }
}

fn scope(mut options: &[u8]) -> Option<u8> {
    while !options.is_empty() {
        let mut at = 0;
        let (code, length) = (word(options, &mut at)?, word(options, &mut at)?);
        let (value, rest) = options[at..].split_at_checked(usize::from(length))?;
        if code == SUBNET {
            return value.get(3).copied();
        }
        options = rest;
    }
    None
}

fn word(packet: &[u8], at: &mut usize) -> Option<u16> {
    let bytes = packet.get(*at..)?.first_chunk()?;
    *at += 2;
    Some(u16::from_be_bytes(*bytes))
}

fn record(packet: &[u8], at: &mut usize) -> Option<Record> {
    let owner = name(packet, at)?;
    let (rtype, _class) = (Rtype(word(packet, at)?), word(packet, at)?);
    let ttl = u32::from(word(packet, at)?) << 16 | u32::from(word(packet, at)?);
    let end = usize::from(word(packet, at)?) + *at;
    let mut rdata = Vec::new();
    // Only data of RFC 1035 types may hold compressed names (RFC 3597 §4).
    let (before, names) = match rtype {
        Rtype::CNAME | Rtype::NS | Rtype::PTR => (0, 1),
        Rtype::MX => (2, 1),
        Rtype::SOA => (0, 2),
        _ => (0, 0),
    };
    rdata.extend_from_slice(packet.get(*at..*at + before)?);
    *at += before;
    for _ in 0..names {
        rdata.extend_from_slice(name(packet, at)?.as_wire());
    }
    rdata.extend_from_slice(packet.get(*at..end)?);
    *at = end;
    Some(Record { owner, rtype, ttl, rdata: rdata.into() })
}

/// The name at `at`, which moves past it; pointers only lead back.
fn name(packet: &[u8], at: &mut usize) -> Option<Name> {
    let mut wire = Vec::new();
    let mut here = *at;
    let mut after = None;
    loop {
        match *packet.get(here)? {
            0 => break,
            length @ 1..=63 => {
                let next = here + 1 + usize::from(length);
                wire.extend_from_slice(packet.get(here..next)?);
                here = next;
            }
            high @ 192.. => {
                let target = usize::from(high & 63) << 8 | usize::from(*packet.get(here + 1)?);
                after = after.or(Some(here + 2));
                if target >= here {
                    return None;
                }
                here = target;
            }
            _ => return None,
        }
        if wire.len() > Name::MAX_WIRE {
            return None;
        }
    }
    wire.push(0);
    *at = after.unwrap_or(here + 1);
    Name::from_wire(&wire).ok()
}
