//! One DNS query, parsed from its packet.
//!
//! Only what an authoritative server reads is read: the header, one question
//! and the OPT record with the options it knows. Names stay where they are in
//! the packet; the question's name is also folded to lower case into the
//! worker's scratch, because that is the key of every look-up.
//!
//! A packet falls in one of three: a [`Query`]; a [`Reject`] that names the
//! rcode to send; or one that deserves no answer (too short for a header, or
//! itself a response: answering those makes loops).
//!
//! **Invariant:** no byte of a packet is indexed without a check, and nothing
//! here allocates.
//!
//! RFC 1035 §4.1, RFC 6891 §6.1, RFC 7871 §6.
#![deny(clippy::indexing_slicing)]

pub(crate) mod edns;
mod lifetime;
pub(crate) mod reader;

use std::net::IpAddr;

use reader::Reader;

pub use lifetime::lifetime;

use self::edns::Edns;

/// Octets of a message header.
pub(crate) const HEADER: usize = 12;

/// Response codes: their low four bits stand in the header, the rest in the OPT.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Rcode {
    /// Answered, perhaps with no data.
    NoError = 0,
    /// The query is malformed.
    FormErr = 1,
    /// The server failed.
    ServFail = 2,
    /// No such name.
    NxDomain = 3,
    /// This opcode or type is not implemented.
    NotImp = 4,
    /// Not a zone of this server's, or not for this client.
    Refused = 5,
    /// A DNAME led to a name that is too long (RFC 6672 §2.2).
    YxDomain = 6,
    /// Not a zone of this server's, or a seal that does not hold (RFC 8945).
    NotAuth = 9,
    /// An EDNS version that is not implemented (RFC 6891 §6.1.3).
    BadVers = 16,
    /// A cookie is asked for, and none or a false one was sent (RFC 7873 §8).
    BadCookie = 23,
}

/// Header bits of a query that its response repeats.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Flags(u16);

impl Flags {
    const RESPONSE: u16 = 0x8000;
    const OPCODE: u16 = 0x7800;
    const RECURSION_DESIRED: u16 = 0x0100;
    const CHECKING_DISABLED: u16 = 0x0010;

    /// Those of the response so far: QR set, opcode, RD and CD repeated
    /// (RFC 1035 §4.1.1, RFC 4035 §3.1.6).
    pub(crate) const fn response(self) -> u16 {
        Self::RESPONSE | (self.0 & (Self::OPCODE | Self::RECURSION_DESIRED | Self::CHECKING_DISABLED))
    }
}

/// A query that can be answered.
#[derive(Debug)]
pub(crate) struct Query<'a> {
    pub(crate) id: u16,
    pub(crate) flags: Flags,
    pub(crate) question: Question<'a>,
    pub(crate) edns: Option<Edns<'a>>,
    /// Whether it bears a TSIG.
    pub(crate) is_sealed: bool,
}

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Question<'a> {
    /// The name on the wire, in the case the client chose (0x20).
    pub(crate) name: &'a [u8],
    /// Name, type and class as they stand in the packet.
    pub(crate) wire: &'a [u8],
    pub(crate) labels: usize,
    pub(crate) qtype: u16,
    pub(crate) qclass: u16,
}

/// A query that gets an rcode and nothing else.
#[derive(Debug)]
pub(crate) struct Reject<'a> {
    pub(crate) id: u16,
    pub(crate) flags: Flags,
    pub(crate) rcode: Rcode,
    /// Repeated where it could be read.
    pub(crate) question: Option<Question<'a>>,
    /// Whether the query had a readable OPT, so that the answer has one.
    pub(crate) edns: bool,
}

/// Class of the Internet.
pub(crate) const CLASS_IN: u16 = 1;
/// Class of server metadata (`version.bind`).
pub(crate) const CLASS_CH: u16 = 3;

const OPCODE_QUERY: u16 = 0;
const OPCODE_NOTIFY: u16 = 4;

impl<'a> Query<'a> {
    /// Parses `packet`, folding the question's name into `folded`.
    ///
    /// # Errors
    /// `Some(reject)` when an rcode is due, `None` when silence is.
    #[inline]
    pub(crate) fn parse(packet: &'a [u8], folded: &mut Folded) -> Result<Self, Option<Reject<'a>>> {
        let mut reader = Reader::new(packet);
        let header: [u16; 6] = reader.words().ok_or(None)?;
        let [id, bits, questions, answers, authorities, additionals] = header;
        let flags = Flags(bits);
        if bits & Flags::RESPONSE != 0 {
            return Err(None);
        }
        let reject = |rcode, question, edns| Err(Some(Reject { id, flags, rcode, question, edns }));
        match (bits & Flags::OPCODE) >> 11 {
            OPCODE_QUERY => {}
            // This server fetches no zones (RFC 1996 §3.10).
            OPCODE_NOTIFY => return reject(Rcode::NotAuth, None, false),
            _ => return reject(Rcode::NotImp, None, false),
        }
        // RFC 9619: a QUERY has one question, or none when it asks for a
        // cookie; records in its answer or authority section belong to other
        // opcodes and to IXFR.
        if questions > 1 || answers != 0 || authorities != 0 {
            return reject(Rcode::FormErr, None, false);
        }
        let read = if questions == 0 { Some(Question::NONE) } else { Question::read(&mut reader, folded) };
        let Some(question) = read else {
            return reject(Rcode::FormErr, None, false);
        };
        match edns::read(&mut reader, additionals) {
            Ok((edns, is_sealed)) if reader.is_empty() => match &edns {
                Some(edns) if edns.version != 0 => reject(Rcode::BadVers, Some(question), true),
                _ => Ok(Self { id, flags, question, edns, is_sealed }),
            },
            Ok((edns, _)) => reject(Rcode::FormErr, Some(question), edns.is_some()),
            Err(edns) => reject(Rcode::FormErr, Some(question), edns),
        }
    }
}

impl<'a> Question<'a> {
    /// That of a query which has none (RFC 7873 §5.4).
    const NONE: Self = Self { name: &[], wire: &[], labels: 0, qtype: 0, qclass: 0 };

    #[inline]
    pub(crate) fn read(reader: &mut Reader<'a>, folded: &mut Folded) -> Option<Self> {
        let start = reader.position();
        let labels = folded.fill(reader)?;
        let name = reader.since(start);
        let [qtype, qclass] = reader.words()?;
        Some(Self { name, wire: reader.since(start), labels, qtype, qclass })
    }
}

/// What can be told of `packet` at a glance: its name, into `folded`, and the
/// client's network if an OPT comes next that has it. Nothing if even the name
/// cannot be read.
pub(crate) fn glance(packet: &[u8], folded: &mut Folded) -> Option<Option<IpAddr>> {
    let mut reader = Reader::new(packet);
    reader.take(HEADER)?;
    Question::read(&mut reader, folded)?;
    Some(edns::glance(&mut reader))
}

/// A name in wire form and lower case.
#[derive(Debug)]
pub(crate) struct Folded {
    bytes: [u8; 256],
    length: u8,
}

impl Folded {
    pub(crate) const fn new() -> Self {
        Self { bytes: [0; 256], length: 1 }
    }

    /// The name last filled in.
    pub(crate) fn name(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.length)).unwrap_or_default()
    }

    /// Takes over a name that is already whole.
    pub(crate) fn set(&mut self, name: &[u8]) -> Option<usize> {
        self.fill(&mut Reader::new(name))
    }

    /// Reads an uncompressed name and says how many labels it has.
    #[inline]
    fn fill(&mut self, reader: &mut Reader<'_>) -> Option<usize> {
        let (name, labels) = reader.name()?;
        self.length = u8::try_from(name.len()).ok()?;
        self.bytes.get_mut(..name.len())?.copy_from_slice(name);
        // Octets of length are at most 63, below any letter; what an earlier
        // name left behind this one may be folded too.
        let (steps, _) = self.bytes.as_chunks_mut::<STEP>();
        for step in steps.iter_mut().take(name.len().div_ceil(STEP)) {
            step.iter_mut().for_each(|byte| *byte = byte.to_ascii_lowercase());
        }
        Some(labels)
    }
}

/// Octets folded at once: of a fixed number the compiler makes vectors.
const STEP: usize = 32;
