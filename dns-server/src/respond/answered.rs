//! What an answer was, for those who wrap [`respond`](super::respond).
//!
//! Limiting and observing look at an answer after it is written, so `respond`
//! stays without side effects; what they need to know is left in the worker's
//! scratch, so that nobody parses an answer of our own.

use crate::query::{HEADER, Rcode};

/// What kind of answer it is, as far as a flood of it is told from another.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[repr(u8)]
pub enum Class {
    /// Data.
    #[default]
    Positive,
    /// The name has no such data.
    NoData,
    /// No such name.
    NxDomain,
    /// Ask the child.
    Referral,
    /// An rcode and nothing else.
    Error,
}

impl Class {
    /// How many there are.
    pub const COUNT: usize = 5;
}

/// The last answer of a worker.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Answered {
    /// What kind it is.
    pub class: Class,
    /// Its rcode, with the bits that stand in the OPT.
    pub rcode: u16,
    /// Whether the client proved by a cookie that it receives at its address.
    pub proved: bool,
    /// Octets of header and question.
    pub(crate) head: usize,
    /// Where the OPT stands; the end if there is none.
    pub(crate) opt: usize,
}

impl Answered {
    /// Of an answer without records; `opt` is where its OPT stands.
    pub(super) const fn bare(rcode: Rcode, opt: usize) -> Self {
        Self { class: Class::Error, rcode: rcode as u16, proved: false, head: opt, opt }
    }

    /// Of a whole message that another made.
    pub(super) fn whole(reply: &[u8]) -> Self {
        let rcode = reply.get(3).map_or(0, |low| u16::from(low & 0x0f));
        Self { class: Class::Error, rcode, proved: false, head: HEADER, opt: HEADER }
    }

    /// Cuts the answer in `reply`, `length` octets long, down to what makes a
    /// client come back over TCP, and gives the length left. An error is short
    /// as it is, and stays.
    pub fn cut(&self, reply: &mut [u8], length: usize) -> usize {
        /// Where TC and the rcode stand in a header.
        const TC: (usize, u8) = (2, 0x02);
        const RCODE: (usize, u8) = (3, 0x0f);
        let Self { class, head, opt, .. } = *self;
        if class == Class::Error || length < opt || opt < head || head < HEADER || reply.len() < length {
            return length;
        }
        reply.copy_within(opt..length, head);
        reply[TC.0] |= TC.1;
        // The rcode that counts comes over TCP.
        reply[RCODE.0] &= !RCODE.1;
        reply[6..HEADER].fill(0);
        reply[HEADER - 1] = u8::from(length > opt);
        head + length - opt
    }
}
