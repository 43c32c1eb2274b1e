//! Records into messages, as many as fit (RFC 5936 §2.2).
//!
//! Every message repeats the question, which is where names of the zone are
//! compressed to; the first has an OPT if the request had one. Names keep
//! their case (§3.4). A message is about 16 KiB, as far as compression
//! reaches; a record that is larger gets a message of its own.
//!
//! **Invariant:** one message is held at a time.

use std::iter::Peekable;

use super::content::Item;
use super::request::Request;
use super::signed::Piece;
use crate::compose::{Composer, Full, Owner, Row, Section, Targets};
use crate::query::{HEADER, Rcode};

/// Octets after which a message is full: a compression pointer reaches no
/// further (RFC 1035 §4.1.4).
const USUAL: usize = 0x4000;
/// Octets of the largest message of a stream.
const LARGEST: usize = 0xffff;

const RESPONSE: u16 = 0x8000;
const AUTHORITATIVE: u16 = 0x0400;

/// An OPT record without options that allows 1,232 octets over UDP.
const OPT: [u8; 11] = [0, 0, 41, 0x04, 0xd0, 0, 0, 0, 0, 0, 0];

/// Messages that answer one request.
pub(crate) struct Packer<'r> {
    request: &'r Request<'r>,
    /// Octets that the seal of a message takes.
    reserved: usize,
    buffer: Vec<u8>,
    targets: Targets,
    is_first: bool,
}

impl<'r> Packer<'r> {
    /// For messages that `reserved` octets are added to.
    pub(crate) fn new(request: &'r Request<'r>, reserved: usize) -> Self {
        Self { request, reserved, buffer: Vec::new(), targets: Targets::keeping_case(), is_first: true }
    }

    /// The next message; nothing when no records are left.
    ///
    /// # Errors
    /// When a record fits no message at all, or cannot be signed.
    pub(crate) fn next<'s>(
        &mut self,
        items: &mut Peekable<impl Iterator<Item = Piece<'s>>>,
    ) -> Result<Option<&mut Vec<u8>>, Full> {
        if items.peek().is_none() {
            return Ok(None);
        }
        let opt = if self.request.edns && self.is_first { &OPT[..] } else { &[] };
        self.start(Rcode::NoError, AUTHORITATIVE);
        let room = LARGEST - self.reserved - opt.len();
        let question = self.request.question.wire.len();
        let mut composer = Composer::new(&mut self.buffer, question, room, &mut self.targets);
        while let Some(piece) = items.peek() {
            let Item { owner, rtype, ttl, rdata } = piece.as_ref().map_err(|_| Full)?;
            let before = composer.mark();
            let row = Row { owner: Owner::Name(owner), rtype: *rtype, ttl: *ttl, rdata };
            let written = composer.row(Section::Answer, &row);
            let is_alone = composer.counts()[0] <= 1;
            match written {
                Err(Full) if composer.counts()[0] == 0 => return Err(Full),
                Err(Full) => break,
                Ok(()) if composer.length() > USUAL && !is_alone => {
                    composer.roll_back(before);
                    break;
                }
                Ok(()) => {}
            }
            items.next();
        }
        let (length, [answers, ..]) = (composer.length(), composer.counts());
        self.finish(length, answers, opt);
        Ok(Some(&mut self.buffer))
    }

    /// A message that is an rcode and nothing else.
    pub(crate) fn refusal(&mut self, rcode: Rcode) -> &mut Vec<u8> {
        self.start(rcode, 0);
        let opt = if self.request.edns { &OPT[..] } else { &[] };
        self.finish(HEADER + self.request.question.wire.len(), 0, opt);
        &mut self.buffer
    }

    /// Header and question.
    fn start(&mut self, rcode: Rcode, flags: u16) {
        let Request { id, flags: repeated, question, .. } = self.request;
        self.buffer.clear();
        let bits = RESPONSE | flags | repeated | rcode as u16;
        for word in [*id, bits, 1, 0, 0, 0] {
            self.buffer.extend(word.to_be_bytes());
        }
        self.buffer.extend(question.wire);
        self.buffer.resize(LARGEST, 0);
    }

    fn finish(&mut self, length: usize, answers: u16, opt: &[u8]) {
        self.buffer.truncate(length);
        self.buffer.extend(opt);
        self.buffer[6..8].copy_from_slice(&answers.to_be_bytes());
        self.buffer[11] = u8::from(!opt.is_empty());
        self.is_first = false;
    }
}
