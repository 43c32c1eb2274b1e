//! The message being answered: header, question, sections, OPT.
//!
//! Room for the OPT record is set aside before anything else is written, so
//! a reply never has to choose between its data and its EDNS. What does not
//! fit sets TC and takes the whole RRset back (RFC 2181 §9); only additional
//! records may go missing without it.

use crate::compose::{Composer, Mark, Row, Section, Targets};
use crate::query::{CLASS_CH, HEADER, Query, Rcode, Reject};
use crate::snapshot::Options;

use super::answered::{Answered, Class};
use super::opt::{Late, Opt, Why};
use super::proof::Links;
use super::{Meta, Transport};

const AUTHORITATIVE: u16 = 0x0400;
const TRUNCATED: u16 = 0x0200;
/// Largest reply to a client without EDNS (RFC 1035 §2.3.4).
const PLAIN_UDP: usize = 512;
/// Largest message with a length of two octets before it.
pub(super) const STREAM: usize = 65_535;

/// An answer under construction.
pub(crate) struct Reply<'a> {
    pub(super) rcode: Rcode,
    pub(super) authoritative: bool,
    /// Narrowest scope of any choice made, for Client Subnet.
    pub(super) scope: u8,
    /// What the client is told besides the rcode, if it speaks EDNS.
    pub(super) why: Option<Why>,
    opt: Option<Opt<'a>>,
    /// Octets the whole message may have.
    limit: usize,
    /// What is still to be proven in the authority section.
    pub(super) links: &'a mut Links,
    composer: Composer<'a>,
    start: Mark,
    truncated: bool,
}

/// What was written.
pub(super) struct Written {
    pub(super) length: usize,
    pub(super) rcode: Rcode,
    pub(super) truncated: bool,
    pub(super) answered: Answered,
}

impl<'a> Reply<'a> {
    /// Writes the question and sets room for the OPT aside; nothing if the
    /// buffer is smaller than the smallest reply.
    #[inline]
    pub(super) fn start(
        query: &Query<'a>,
        (options, meta): (&'a Options, &Meta),
        (out, targets, links): (&'a mut [u8], &'a mut Targets, &'a mut Links),
    ) -> Option<Self> {
        links.clear();
        let opt = Opt::of(query, options, meta);
        let proved = opt.as_ref().is_some_and(Opt::proved);
        let ours = if proved { options.udp_size } else { options.udp_size_without_cookie };
        let limit = match (meta.transport, &query.edns) {
            (Transport::Udp, None) => PLAIN_UDP,
            (Transport::Udp, Some(edns)) => usize::from(edns.udp_size.min(ours)).max(PLAIN_UDP),
            _ => STREAM,
        };
        let question = query.question.wire;
        out.get_mut(HEADER..HEADER + question.len())?.copy_from_slice(question);
        let limit = limit.min(out.len());
        let reserved = opt.as_ref().map_or(0, Opt::length);
        let composer = Composer::new(out, question.len(), limit.checked_sub(reserved)?, targets);
        let start = composer.mark();
        Some(Self {
            rcode: Rcode::NoError,
            authoritative: false,
            scope: 0,
            why: None,
            opt,
            limit,
            links,
            composer,
            start,
            truncated: false,
        })
    }

    /// Adds an RRset that the answer cannot do without.
    #[inline]
    pub(super) fn require<'r>(&mut self, section: Section, rows: impl IntoIterator<Item = Row<'r>>) {
        if self.truncated {
            return;
        }
        for row in rows {
            if self.composer.row(section, &row).is_err() {
                return self.truncate();
            }
        }
    }

    /// Adds an RRset that may be left out; says whether it fitted.
    pub(super) fn offer<'r>(&mut self, rows: impl IntoIterator<Item = Row<'r>>) -> bool {
        let before = self.composer.mark();
        if self.truncated {
            return false;
        }
        for row in rows {
            if self.composer.row(Section::Additional, &row).is_err() {
                self.composer.roll_back(before);
                return false;
            }
        }
        true
    }

    /// Adds answer records of `stride` octets each that are whole but for
    /// their TTL, at octet 6.
    #[inline]
    pub(super) fn copy(&mut self, bytes: &[u8], stride: usize, ttl: u32) {
        if self.truncated {
            return;
        }
        let count = bytes.len() / stride;
        let Ok(start) = self.composer.rows(Section::Answer, bytes, u16::try_from(count).unwrap_or_default())
        else {
            return self.truncate();
        };
        for row in 0..count {
            self.composer.patch(start + row * stride + 6, &ttl.to_be_bytes());
        }
    }

    /// Gives up on the sections: the client must come back over TCP.
    pub(super) fn truncate(&mut self) {
        self.truncated = true;
        self.composer.roll_back(self.start);
    }

    /// Adds one answer record of class CHAOS.
    pub(super) fn require_chaos(&mut self, row: &Row<'_>) {
        let class_at = self.composer.length() + 4;
        self.require(Section::Answer, [*row]);
        self.composer.patch(class_at, &CLASS_CH.to_be_bytes());
    }

    /// Whether any answer record stands.
    pub(super) fn has_answer(&self) -> bool {
        self.composer.counts()[0] > 0
    }

    /// Whether the client proved by a cookie that it receives at its address.
    pub(super) fn proved(&self) -> bool {
        self.opt.as_ref().is_some_and(Opt::proved)
    }

    /// Whether the reply bears a cookie.
    pub(super) fn has_cookie(&self) -> bool {
        self.opt.as_ref().is_some_and(Opt::has_cookie)
    }

    /// Gives no data, and says why to who understands it.
    pub(super) const fn refuse(&mut self, rcode: Rcode, why: Why) {
        self.rcode = rcode;
        self.why = Some(why);
    }

    /// What kind of answer `counts` of answers and authorities make.
    #[inline]
    fn class(&self, counts: [u16; 2]) -> Class {
        match (self.rcode, counts) {
            (Rcode::NxDomain, _) => Class::NxDomain,
            (Rcode::NoError, [0, _]) if self.truncated => Class::Positive,
            (Rcode::NoError, [0, signposts]) if signposts > 0 && !self.authoritative => Class::Referral,
            (Rcode::NoError, [0, _]) => Class::NoData,
            (Rcode::NoError, _) => Class::Positive,
            _ => Class::Error,
        }
    }

    /// Writes OPT and header.
    #[inline]
    pub(super) fn finish(&mut self, query: &Query<'_>) -> Written {
        let mut bits = query.flags.response() | self.rcode as u16 & 0x0f;
        if self.authoritative {
            bits |= AUTHORITATIVE;
        }
        if self.truncated {
            bits |= TRUNCATED;
        }
        let questions = u16::from(!query.question.wire.is_empty());
        let [answers, authorities, mut additionals] = self.composer.counts();
        let mut length = self.composer.length();
        if let Some(opt) = &self.opt {
            let fits = length + opt.length() + Opt::why_length() <= self.limit;
            let why = self.why.filter(|_| fits && !self.truncated);
            let late = Late { rcode: self.rcode as u8 >> 4, scope: self.scope, why, before: length };
            opt.write(late, |bytes| {
                self.composer.patch(length, bytes);
                length += bytes.len();
            });
            additionals += 1;
        }
        let words = [query.id, bits, questions, answers, authorities, additionals];
        let mut header = [0; HEADER];
        for (pair, word) in header.as_chunks_mut().0.iter_mut().zip(words) {
            *pair = word.to_be_bytes();
        }
        self.composer.patch(0, &header);
        let head = HEADER + query.question.wire.len();
        let (class, rcode) = (self.class([answers, authorities]), self.rcode as u16);
        let answered = Answered { class, rcode, proved: self.proved(), head, opt: self.composer.length() };
        Written { length, rcode: self.rcode, truncated: self.truncated, answered }
    }
}

/// Writes an answer that is an rcode and nothing else.
pub(super) fn reject(reject: &Reject<'_>, udp_size: u16, out: &mut [u8]) -> Option<usize> {
    let question = reject.question.map_or(&[][..], |question| question.wire);
    let bits = reject.flags.response() | reject.rcode as u16 & 0x0f;
    let words = [reject.id, bits, u16::from(!question.is_empty()), 0, 0, u16::from(reject.edns)];
    let mut length = 0;
    let mut put = |bytes: &[u8]| {
        out.get_mut(length..length + bytes.len())?.copy_from_slice(bytes);
        length += bytes.len();
        Some(())
    };
    for word in words {
        put(&word.to_be_bytes())?;
    }
    put(question)?;
    if reject.edns {
        let late = Late { rcode: reject.rcode as u8 >> 4, scope: 0, why: None, before: 0 };
        let mut fits = Some(());
        Opt::bare(udp_size).write(late, |bytes| fits = fits.and_then(|()| put(bytes)));
        fits?;
    }
    Some(length)
}
