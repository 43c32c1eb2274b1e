//! Questions as text lines and as packets, and what must come back.
//!
//! A line is `NAME CLIENT ADDRESS`: the name whose A is asked; the client's
//! IPv4 /24 as its first address, or `-` for no EDNS at all; and the address
//! that must be answered.

use std::fs;
use std::io;
use std::net::Ipv4Addr;
use std::path::Path;

/// One prepared question.
pub struct Query {
    /// The packet, its id zero.
    pub packet: Vec<u8>,
    /// The address that must be answered.
    pub expected: Ipv4Addr,
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
    Some(Query { packet: compose(name, client)?, expected: expected.parse().ok()? })
}

/// A query for the A of `name`, with EDNS and Client Subnet if a client is given.
fn compose(name: &str, client: Option<Ipv4Addr>) -> Option<Vec<u8>> {
    let mut packet = vec![0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, u8::from(client.is_some())];
    for label in name.trim_end_matches('.').split('.') {
        packet.push(u8::try_from(label.len()).ok()?);
        packet.extend_from_slice(label.as_bytes());
    }
    packet.extend_from_slice(&[0, 0, 1, 0, 1]);
    if let Some(client) = client {
        // OPT, 1232 octets of payload, 11 octets of options: Client Subnet
        // (RFC 7871 §6), family 1, source length 24, scope 0.
        packet.extend_from_slice(&[0, 0, 41, 1232_u16.to_be_bytes()[0], 1232_u16.to_be_bytes()[1]]);
        packet.extend_from_slice(&[0, 0, 0, 0, 0, 11, 0, 8, 0, 7, 0, 1, 24, 0]);
        packet.extend_from_slice(&client.octets()[..3]);
    }
    Some(packet)
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
            ("a.b 1.2.3.0 192.0.2.1", Some(12 + 5 + 4 + 11 + 11), "OPT with a /24"),
            ("a.b 1.2.3.0", None, "no expected address"),
            ("a.b x 192.0.2.1", None, "no client"),
        ];
        for (line, length, why) in rows {
            assert_eq!(line_to_query(line).map(|query| query.packet.len()), length, "{line}: {why}");
        }
    }

    #[test]
    fn replies() {
        let mut reply = compose("a.b", None).unwrap();
        reply[2] |= 0x80;
        reply[7] = 1;
        reply.extend_from_slice(&[0xC0, 12, 0, 1, 0, 1, 0, 0, 0, 30, 0, 4, 192, 0, 2, 1]);
        assert_eq!(header(&reply), Some(Reply { id: 0, rcode: 0, answers: 1 }));
        assert_eq!(first_address(&reply), Some(Ipv4Addr::new(192, 0, 2, 1)));
        reply.truncate(reply.len() - 1);
        assert_eq!(first_address(&reply), None, "cut short");
    }
}
