//! Where a message meets the server, whatever brought it.
//!
//! The query path knows neither seals nor transfers. What ends with a TSIG is
//! verified here, asked without it, and answered with one; IXFR in a datagram
//! is told the current SOA (RFC 1995 §2) and comes back over a stream, where
//! [`transfer::serve`] takes it. Everything else, which is nearly everything,
//! goes straight through: that costs it a look at its header; a seal is met
//! where the query is parsed, and sent back here.
//!
//! **Invariant:** a message without a seal allocates nothing here.

use rhumb_zones::Name;

use crate::query::reader::Reader;
use crate::query::{HEADER, Rcode};
use crate::respond::{Meta, Scratch, Transport, respond};
use crate::snapshot::Snapshot;
use crate::transfer;
use crate::tsig::{self, Fault, Found, Key, Tsig};

/// Octets that every UDP client takes (RFC 1035 §4.2.1).
const PLAIN_UDP: u16 = 512;

/// In the first octet of flags.
const RESPONSE: u8 = 0x80;
/// Likewise.
const TRUNCATED: u8 = 0x02;
const REPEATED: u16 = 0x7910;

/// The counts of nearly all queries, but for the last octet: one question, no
/// answers, no authorities, and at most one record more, an OPT.
const USUAL_COUNTS: [u8; 7] = [0, 1, 0, 0, 0, 0, 0];
/// In the first octet of flags.
const OPCODE: u8 = 0x78;

/// Answers `packet` into `out` and gives the reply's length; nothing when the
/// packet deserves no answer.
#[inline]
pub fn answer(
    snapshot: &Snapshot,
    scratch: &mut Scratch,
    (packet, meta): (&[u8], &Meta),
    out: &mut [u8],
) -> Option<usize> {
    let usual =
        packet.first_chunk::<HEADER>().is_some_and(|&[_, _, bits, _, a, b, c, d, e, f, g, additionals]| {
            bits & (RESPONSE | OPCODE) == 0 && [a, b, c, d, e, f, g] == USUAL_COUNTS && additionals <= 1
        });
    if usual {
        let length = respond(snapshot, scratch, (packet, meta), out);
        if !scratch.is_sealed() {
            return length;
        }
    }
    unusual(snapshot, scratch, (packet, meta), out)
}

/// The same for whatever may be sealed or ask for a transfer.
#[cold]
fn unusual(
    snapshot: &Snapshot,
    scratch: &mut Scratch,
    (packet, meta): (&[u8], &Meta),
    out: &mut [u8],
) -> Option<usize> {
    match tsig::find(packet) {
        // A response, sealed or not, deserves no answer.
        _ if packet.get(2).is_some_and(|bits| bits & RESPONSE != 0) => {
            respond(snapshot, scratch, (packet, meta), out)
        }
        Found::Nothing => match datagram((snapshot, packet), meta, None) {
            Some(reply) => put(scratch, out, &fit(packet, reply, usize::from(PLAIN_UDP))),
            None => respond(snapshot, scratch, (packet, meta), out),
        },
        Found::Malformed => put(scratch, out, &bare(packet, Rcode::FormErr)),
        Found::Tsig(tsig) => {
            let room = room(snapshot, &tsig, meta).min(out.len());
            let reply = sealed(snapshot, scratch, (packet, meta), (&tsig, room))?;
            put(scratch, out, &fit(packet, reply, room))
        }
    }
}

/// The answer to IXFR in a datagram; it brings a record in its authority
/// section, and nothing else does.
fn datagram((snapshot, packet): (&Snapshot, &[u8]), meta: &Meta, key: Option<&Key>) -> Option<Vec<u8>> {
    let may_be = meta.transport == Transport::Udp
        && packet.get(8..10).is_some_and(|count| count != [0, 0])
        && transfer::may_be(packet);
    if may_be { transfer::datagram((snapshot, packet), meta.source, key) } else { None }
}

/// Octets that the answer may have.
fn room(snapshot: &Snapshot, tsig: &Tsig<'_>, meta: &Meta) -> usize {
    let least = snapshot.options().udp_size.min(tsig.udp_size.unwrap_or(PLAIN_UDP)).max(PLAIN_UDP);
    usize::from(if meta.transport == Transport::Udp { least } else { u16::MAX })
}

fn sealed(
    snapshot: &Snapshot,
    scratch: &mut Scratch,
    (packet, meta): (&[u8], &Meta),
    (tsig, room): (&Tsig<'_>, usize),
) -> Option<Vec<u8>> {
    let now = u64::from(meta.now);
    let mut session = match tsig::verify(&snapshot.options().tsig, packet, tsig, now) {
        Ok(session) => session,
        Err(fault) => return Some(refusal(packet, tsig, fault, now)),
    };
    let asked = tsig::without(packet, tsig);
    let mut reply = match datagram((snapshot, &asked), meta, Some(session.key())) {
        Some(reply) => reply,
        None => {
            let mut reply = vec![0; room.checked_sub(session.reserve())?];
            let length = respond(snapshot, scratch, (&asked, meta), &mut reply)?;
            reply.truncate(length);
            reply
        }
    };
    session.seal(&mut reply, now);
    Some(reply)
}

/// What is told to one whose seal does not hold.
pub(crate) fn refusal(packet: &[u8], tsig: &Tsig<'_>, fault: Fault<'_>, now: u64) -> Vec<u8> {
    let mut reply = bare(packet, if let Fault::Malformed = fault { Rcode::FormErr } else { Rcode::NotAuth });
    match fault {
        Fault::Malformed => {}
        Fault::Unproven(error) => tsig::seal_error(&mut reply, tsig, error),
        Fault::Late(mut session) => session.seal(&mut reply, now),
    }
    reply
}

/// Header and question, where it can be read, with an rcode.
fn bare(packet: &[u8], rcode: Rcode) -> Vec<u8> {
    let mut reader = Reader::new(packet);
    let [id, bits] = reader.words().unwrap_or_default();
    let question = reader.take(HEADER - 4).and_then(|_| {
        let start = reader.position();
        reader.skip_name()?;
        reader.take(4)?;
        Some(reader.since(start))
    });
    // One that is compressed cannot be repeated as it stands.
    let question = question.filter(|question| Name::from_wire(&question[..question.len() - 4]).is_ok());
    let bits = u16::from(RESPONSE) << 8 | bits & REPEATED | rcode as u16;
    let words = [id, bits, u16::from(question.is_some()), 0, 0, 0];
    words
        .iter()
        .flat_map(|word| word.to_be_bytes())
        .chain(question.unwrap_or_default().iter().copied())
        .collect()
}

/// A reply as it is, or cut short: names of keys and zones may be too long
/// for a datagram.
fn fit(packet: &[u8], reply: Vec<u8>, room: usize) -> Vec<u8> {
    if reply.len() <= room {
        return reply;
    }
    let mut short = bare(packet, Rcode::NoError);
    short[2..4].copy_from_slice(&reply[2..4]);
    short[2] |= TRUNCATED;
    short
}

/// Gives a reply that `respond` did not make, or not last.
fn put(scratch: &mut Scratch, out: &mut [u8], reply: &[u8]) -> Option<usize> {
    scratch.hand_in(reply);
    out.get_mut(..reply.len())?.copy_from_slice(reply);
    Some(reply.len())
}
