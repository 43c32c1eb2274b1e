//! A request for a transfer, parsed from its message.
//!
//! RFC 5936 §2.1 for AXFR; RFC 1995 §3 for IXFR, which brings the SOA of what
//! the other side has in its authority section. A message that is anything
//! else, or not well-formed, is no request: the ordinary path answers it.
#![deny(clippy::indexing_slicing)]

use crate::query::reader::Reader;
use crate::query::{CLASS_IN, Folded, HEADER, Question};

const IXFR: u16 = 251;
const AXFR: u16 = 252;
const SOA: u16 = 6;
const OPT: u16 = 41;

/// Opcode and QR of a plain query are zero.
const OPCODE_AND_RESPONSE: u16 = 0xf800;
const RECURSION_DESIRED: u16 = 0x0100;
const CHECKING_DISABLED: u16 = 0x0010;

/// Who wants what.
#[derive(Debug)]
pub(crate) struct Request<'a> {
    pub(crate) id: u16,
    pub(crate) flags: u16,
    pub(crate) question: Question<'a>,
    /// For IXFR, the serial that the other side has.
    pub(crate) has: Option<u32>,
    /// Whether it came with EDNS.
    pub(crate) edns: bool,
}

impl<'a> Request<'a> {
    /// Parses `message`, folding the zone's name into `folded`.
    pub(crate) fn parse(message: &'a [u8], folded: &mut Folded) -> Option<Self> {
        let mut reader = Reader::new(message);
        let [id, bits, questions, answers, authorities, additionals] = reader.words()?;
        if bits & OPCODE_AND_RESPONSE != 0 || questions != 1 || answers != 0 {
            return None;
        }
        let question = Question::read(&mut reader, folded)?;
        let has = match (question.qtype, authorities) {
            (AXFR, 0) => None,
            (IXFR, 1) => Some(read_serial(&mut reader)?),
            _ => return None,
        };
        let mut edns = false;
        for _ in 0..additionals {
            edns |= skip_record(&mut reader)? == OPT;
        }
        let is_whole = reader.is_empty() && question.qclass == CLASS_IN;
        let flags = bits & (RECURSION_DESIRED | CHECKING_DISABLED);
        is_whole.then_some(Self { id, flags, question, has, edns })
    }
}

/// Whether `message` may be a request, by its question's type alone.
pub(crate) fn may_be(message: &[u8]) -> bool {
    let mut reader = Reader::new(message);
    let qtype = reader.take(HEADER).and_then(|_| {
        reader.skip_name()?;
        reader.word()
    });
    matches!(qtype, Some(IXFR | AXFR))
}

/// The serial of the SOA in the authority section.
fn read_serial(reader: &mut Reader<'_>) -> Option<u32> {
    reader.skip_name()?;
    let [rtype, _, _, _, length] = reader.words()?;
    let rdata = reader.take(usize::from(length))?;
    let serial = rdata.last_chunk::<20>()?.first_chunk()?;
    (rtype == SOA).then_some(u32::from_be_bytes(*serial))
}

/// Skips a record and gives its type.
fn skip_record(reader: &mut Reader<'_>) -> Option<u16> {
    reader.skip_name()?;
    let [rtype, _, _, _, length] = reader.words()?;
    reader.take(usize::from(length))?;
    Some(rtype)
}
