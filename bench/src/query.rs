//! Questions as text lines and as packets, and what must come back.
//!
//! A line is `NAME CLIENT ADDRESS [do|signed]`: the name whose A is asked; the
//! client's IPv4 /24 or IPv6 /56 as its first address, or `-` for no Client
//! Subnet; the address that must be answered; and whether DNSSEC is asked for
//! (RFC 3225) and, if `signed`, must come: the address and its signature.

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

/// Octets of payload that queries with EDNS take.
const PAYLOAD: [u8; 2] = 1232_u16.to_be_bytes();

/// One prepared question.
pub struct Query {
    /// The packet, its id zero.
    pub packet: Vec<u8>,
    /// The address that must be answered.
    pub expected: Ipv4Addr,
    /// Records that the answer section must have.
    pub answers: u16,
}

/// Reads a file of lines.
///
/// # Errors
/// When the file cannot be read or a line is none.
pub fn read(path: &Path) -> io::Result<Vec<Query>> {
    let text = fs::read_to_string(path)?;
    text.lines().map(|line| line_to_query(line).ok_or_else(|| io::Error::other(line.to_owned()))).collect()
}

fn line_to_query(line: &str) -> Option<Query> {
    let mut words = line.split(' ');
    let (name, client, expected) = (words.next()?, words.next()?, words.next()?);
    let client = match client {
        "-" => None,
        address => Some(address.parse().ok()?),
    };
    let (dnssec, answers) = match words.next() {
        None => (false, 1),
        Some("do") => (true, 1),
        Some("signed") => (true, 2),
        Some(_) => return None,
    };
    Some(Query { packet: compose(name, client, dnssec)?, expected: expected.parse().ok()?, answers })
}

/// A query for the A of `name`, with EDNS if it has a client or asks for DNSSEC;
/// nothing if that is no name.
#[must_use]
pub fn compose(name: &str, client: Option<IpAddr>, dnssec: bool) -> Option<Vec<u8>> {
    let edns = client.is_some() || dnssec;
    let mut packet = vec![0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, u8::from(edns)];
    for label in name.trim_end_matches('.').split('.') {
        packet.push(u8::try_from(label.len()).ok()?);
        packet.extend_from_slice(label.as_bytes());
    }
    packet.extend_from_slice(&[0, 0, 1, 0, 1]);
    if edns {
        let subnet = client.map_or_else(Vec::new, subnet);
        packet.extend_from_slice(&[0, 0, 41, PAYLOAD[0], PAYLOAD[1], 0, 0, u8::from(dnssec) << 7, 0]);
        packet.extend_from_slice(&[0, u8::try_from(subnet.len()).ok()?]);
        packet.extend_from_slice(&subnet);
    }
    Some(packet)
}

/// The Client Subnet option (RFC 7871 §6): what large resolvers send, a /24 or
/// a /56.
fn subnet(client: IpAddr) -> Vec<u8> {
    match client {
        IpAddr::V4(v4) => [&[0, 8, 0, 7, 0, 1, 24, 0], &v4.octets()[..3]].concat(),
        IpAddr::V6(v6) => [&[0, 8, 0, 11, 0, 2, 56, 0], &v6.octets()[..7]].concat(),
    }
}

/// What one reply says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reply {
    /// Its id.
    pub id: u16,
    /// Its RCODE, the four bits of the header.
    pub rcode: u8,
    /// Records in its answer section.
    pub answers: u16,
}

/// Reads the header of a reply; nothing if it is no reply.
#[must_use]
pub fn header(packet: &[u8]) -> Option<Reply> {
    let head: &[u8; 12] = packet.first_chunk()?;
    (head[2] & 0x80 != 0).then(|| Reply {
        id: u16::from_be_bytes([head[0], head[1]]),
        rcode: head[3] & 0x0F,
        answers: u16::from_be_bytes([head[6], head[7]]),
    })
}

/// The address of the first answer record, if that is an A.
#[must_use]
pub fn first_address(packet: &[u8]) -> Option<Ipv4Addr> {
    let after_question = skip_name(packet, 12)? + 4;
    let fixed = skip_name(packet, after_question)?;
    match *packet.get(fixed..)?.first_chunk()? {
        [0, 1, 0, 1, _, _, _, _, 0, 4, a, b, c, d] => Some(Ipv4Addr::new(a, b, c, d)),
        _ => None,
    }
}

/// The scope of the Client Subnet in a reply, if it has one (RFC 7871 §6).
#[must_use]
pub fn scope(packet: &[u8]) -> Option<u8> {
    let word = |at: usize| Some(usize::from(u16::from_be_bytes(*packet.get(at..)?.first_chunk()?)));
    let mut at = skip_name(packet, 12)? + 4;
    for _ in 0..word(6)? + word(8)? + word(10)? {
        let fixed = skip_name(packet, at)?;
        at = fixed + 10 + word(fixed + 8)?;
        let mut option = fixed + 10;
        while word(fixed)? == 41 && option < at {
            if word(option)? == 8 {
                return packet.get(option + 7).copied();
            }
            option += 4 + word(option + 2)?;
        }
    }
    None
}

fn skip_name(packet: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match *packet.get(at)? {
            0 => return Some(at + 1),
            pointer if pointer >= 0xC0 => return Some(at + 2),
            length => at += usize::from(length) + 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        let rows = [
            ("a.b - 192.0.2.1", Some(12 + 5 + 4), "no client, no EDNS"),
            ("a.b - 192.0.2.1 do", Some(12 + 5 + 4 + 11), "OPT alone"),
            ("a.b 1.2.3.0 192.0.2.1", Some(12 + 5 + 4 + 11 + 11), "OPT with a /24"),
            ("a.b 2001:db8:: 192.0.2.1 signed", Some(12 + 5 + 4 + 11 + 15), "OPT with a /56"),
            ("a.b 1.2.3.0", None, "no expected address"),
            ("a.b x 192.0.2.1", None, "no client"),
            ("a.b - 192.0.2.1 DO", None, "no such word"),
        ];
        for (line, length, why) in rows {
            assert_eq!(line_to_query(line).map(|query| query.packet.len()), length, "{line}: {why}");
        }
    }

    #[test]
    fn replies() {
        let mut reply = compose("a.b", None, false).unwrap();
        reply[2] |= 0x80;
        reply[7] = 1;
        reply.extend_from_slice(&[0xC0, 12, 0, 1, 0, 1, 0, 0, 0, 30, 0, 4, 192, 0, 2, 1]);
        assert_eq!(header(&reply), Some(Reply { id: 0, rcode: 0, answers: 1 }));
        assert_eq!(first_address(&reply), Some(Ipv4Addr::new(192, 0, 2, 1)));
        assert_eq!(scope(&reply), None, "no OPT");
        reply[11] = 1;
        let subnet = [0, 3, 0, 1, b'x', 0, 8, 0, 7, 0, 1, 24, 17, 1, 2, 3];
        let opt = [&[0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 16], &subnet[..]].concat();
        assert_eq!(scope(&[&reply[..], &opt].concat()), Some(17), "the second option of OPT");
        reply.truncate(reply.len() - 1);
        assert_eq!(first_address(&reply), None, "cut short");
    }
}
