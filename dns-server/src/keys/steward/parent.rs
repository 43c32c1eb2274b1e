//! What the parent's servers say of a zone's DS.
//!
//! A plain question over UDP, over TCP when the answer is cut, to servers that
//! an operator named: authoritative ones, whose word needs no cache to expire.

use std::io::{self, Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, UdpSocket};
use std::time::Duration;

use rhumb_zones::{Name, Rtype};

use crate::ask::{Reply, question};

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(2);

/// How often a question is sent over UDP.
const TRIES: usize = 2;

/// The data of the zone's DS records at this server of its parent.
///
/// # Errors
/// When there is no authoritative answer.
pub(super) fn ds_of(server: SocketAddr, zone: &Name) -> io::Result<Vec<Vec<u8>>> {
    let mut query = question(zone, Rtype::DS, None);
    let id = fastrand::u16(..).to_be_bytes();
    query[..2].copy_from_slice(&id);
    let mut packet = over_udp(server, &query)?;
    const TRUNCATED: u8 = 2;
    if packet[2] & TRUNCATED != 0 {
        packet = over_tcp(server, &query)?;
    }
    const AUTHORITATIVE: u8 = 4;
    let reply = Reply::parse(&packet).filter(|reply| reply.rcode.0 == 0 && packet[2] & AUTHORITATIVE != 0);
    let reply = reply.ok_or_else(|| io::Error::other("no authoritative answer"))?;
    let records = reply.answers.into_iter();
    let records = records.filter(|record| record.rtype == Rtype::DS && record.owner == *zone);
    Ok(records.map(|record| record.rdata.to_vec()).collect())
}

fn over_udp(server: SocketAddr, query: &[u8]) -> io::Result<Vec<u8>> {
    let any: IpAddr =
        if server.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0))?;
    socket.connect(server)?;
    socket.set_read_timeout(Some(TIMEOUT))?;
    let mut room = vec![0; usize::from(u16::MAX)];
    let mut failure = io::Error::from(io::ErrorKind::TimedOut);
    for _ in 0..TRIES {
        socket.send(query)?;
        match socket.recv(&mut room) {
            Ok(length) if answers(&room[..length], query) => return Ok(room[..length].to_vec()),
            Ok(_) => {}
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

fn over_tcp(server: SocketAddr, query: &[u8]) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect_timeout(&server, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    let length = u16::try_from(query.len()).map_err(io::Error::other)?;
    stream.write_all(&[&length.to_be_bytes(), query].concat())?;
    let mut head = [0; 2];
    stream.read_exact(&mut head)?;
    let mut packet = vec![0; usize::from(u16::from_be_bytes(head))];
    stream.read_exact(&mut packet)?;
    if answers(&packet, query) { Ok(packet) } else { Err(io::Error::other("no answer to the question")) }
}

/// Whether a packet is a response to the query: header and question agree.
fn answers(packet: &[u8], query: &[u8]) -> bool {
    const HEADER: usize = 12;
    const RESPONSE: u8 = 0x80;
    // A root, type and class at least; our question ends where its OPT begins.
    let question = HEADER..query.len().saturating_sub(OPT);
    packet.len() >= HEADER
        && packet[..2] == query[..2]
        && packet[2] & RESPONSE != 0
        && packet.get(question.clone()).is_some_and(|asked| asked.eq_ignore_ascii_case(&query[question]))
}

/// Octets of an OPT record without options (RFC 6891 §6.1.2).
const OPT: usize = 11;
