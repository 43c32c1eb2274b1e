//! A question for addresses and its answer, over UDP, in as many lines.
//!
//! The lab asks two servers, both known: one under test and one resolver. So
//! a reply is trusted to be well formed, and anything else counts as none.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::Duration;

/// A reply: addresses in order, and the least of their TTLs in seconds.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(crate) struct Reply {
    /// Response code (RFC 1035 §4.1.1).
    pub(crate) code: u8,
    /// The A records.
    pub(crate) addresses: Vec<Ipv4Addr>,
    /// How long they may be kept.
    pub(crate) ttl: u32,
}

/// Header and one question: all that precedes the answers.
const HEADER: usize = 12;
/// Type A, class IN.
const A_IN: [u8; 4] = [0, 1, 0, 1];
/// Recursion desired: what resolvers want and servers ignore.
const RECURSION_DESIRED: u8 = 1;

/// Asks `server` for the addresses of `name`.
///
/// # Errors
/// When nothing that makes sense comes within `patience`.
pub(crate) fn ask(server: SocketAddr, name: &str, patience: Duration) -> io::Result<Reply> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
    socket.connect(server)?;
    socket.set_read_timeout(Some(patience))?;
    // The port is new for each question, so the id need not be.
    let mut query = vec![0, 1, RECURSION_DESIRED, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in name.split('.') {
        query.push(u8::try_from(label.len()).map_err(io::Error::other)?);
        query.extend_from_slice(label.as_bytes());
    }
    query.push(0);
    query.extend_from_slice(&A_IN);
    socket.send(&query)?;
    let mut buffer = [0; 1232];
    let length = socket.recv(&mut buffer)?;
    parse(&buffer[..length], query.len()).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// Reads the answers after a question that ends at `at`.
fn parse(reply: &[u8], mut at: usize) -> Option<Reply> {
    let number = |at: usize| Some(usize::from(u16::from_be_bytes(reply.get(at..at + 2)?.try_into().ok()?)));
    let mut found = Reply { code: reply.get(3)? & 0x0f, ttl: u32::MAX, ..Reply::default() };
    for _ in 0..number(HEADER - 6)? {
        // Owner: labels, then a pointer or the root.
        while reply.get(at)? & 0xc0 == 0 && *reply.get(at)? != 0 {
            at += 1 + usize::from(*reply.get(at)?);
        }
        at += if *reply.get(at)? == 0 { 1 } else { 2 };
        let fixed = reply.get(at..at + 10)?;
        let length = number(at + 8)?;
        let data = reply.get(at + 10..at + 10 + length)?;
        if let (true, Ok(octets)) = (fixed.starts_with(&A_IN), <[u8; 4]>::try_from(data)) {
            found.addresses.push(octets.into());
            found.ttl = found.ttl.min(u32::from_be_bytes(fixed[4..8].try_into().ok()?));
        }
        at += 10 + length;
    }
    Some(found)
}
