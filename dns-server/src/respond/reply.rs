//! The message being answered: header, question, sections, OPT.
//!
//! Room for the OPT record is set aside before anything else is written, so
//! a reply never has to choose between its data and its EDNS. What does not
//! fit sets TC and takes the whole RRset back (RFC 2181 §9); only additional
//! records may go missing without it.

use crate::compose::{Composer, Mark, Row, Section, Targets};
use crate::query::edns::{Edns, OPTION_KEEPALIVE, OPTION_NSID, OPTION_PADDING, OPTION_SUBNET};
use crate::query::{CLASS_CH, HEADER, Query, Rcode, Reject};
use crate::snapshot::Options;

use super::{Meta, Transport};

const AUTHORITATIVE: u16 = 0x0400;
const TRUNCATED: u16 = 0x0200;
/// Largest reply to a client without EDNS (RFC 1035 §2.3.4).
const PLAIN_UDP: usize = 512;
/// Largest message with a length of two octets before it.
const STREAM: usize = 65_535;
/// Octets of an OPT record without options.
const OPT: usize = 11;
/// Octets of an option's code and length.
const OPTION: usize = 4;
const DNSSEC_OK: u16 = 0x8000;
/// Octets of keepalive's value.
const TIMEOUT: usize = 2;
/// Encrypted replies to clients that pad are a multiple of this (RFC 8467 §4.1).
const BLOCK: usize = 468;

/// An answer under construction.
pub(crate) struct Reply<'a> {
    pub(super) rcode: Rcode,
    pub(super) authoritative: bool,
    /// Narrowest scope of any choice made, for Client Subnet.
    pub(super) scope: u8,
    composer: Composer<'a>,
    meta: &'a Meta,
    start: Mark,
    truncated: bool,
}

/// What was written.
pub(super) struct Written {
    pub(super) length: usize,
    pub(super) rcode: Rcode,
    pub(super) truncated: bool,
}

impl<'a> Reply<'a> {
    /// Writes the question and sets room for the OPT aside; nothing if the
    /// buffer is smaller than the smallest reply.
    pub(super) fn start(
        query: &Query<'_>,
        (options, meta): (&Options, &'a Meta),
        (out, targets): (&'a mut [u8], &'a mut Targets),
    ) -> Option<Self> {
        let limit = match (meta.transport, &query.edns) {
            (Transport::Udp, None) => PLAIN_UDP,
            (Transport::Udp, Some(edns)) => usize::from(edns.udp_size.min(options.udp_size)).max(PLAIN_UDP),
            _ => STREAM,
        };
        let question = query.question.wire;
        out.get_mut(HEADER..HEADER + question.len())?.copy_from_slice(question);
        let reserved = query.edns.as_ref().map_or(0, |edns| opt_length(edns, (options, meta)));
        let limit = limit.min(out.len()).checked_sub(reserved)?;
        let composer = Composer::new(out, question.len(), limit, targets);
        let start = composer.mark();
        Some(Self {
            rcode: Rcode::NoError,
            authoritative: false,
            scope: 0,
            composer,
            meta,
            start,
            truncated: false,
        })
    }

    /// Adds an RRset that the answer cannot do without.
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

    /// Writes OPT and header.
    pub(super) fn finish(mut self, query: &Query<'_>, options: &Options) -> Written {
        let mut bits = query.flags.response() | self.rcode as u16 & 0x0f;
        if self.authoritative {
            bits |= AUTHORITATIVE;
        }
        if self.truncated {
            bits |= TRUNCATED;
        }
        let [answers, authorities, mut additionals] = self.composer.counts();
        let mut length = self.composer.length();
        if let Some(edns) = &query.edns {
            length = self.opt(length, (edns, options));
            additionals += 1;
        }
        for (index, word) in [query.id, bits, 1, answers, authorities, additionals].into_iter().enumerate() {
            self.composer.patch(2 * index, &word.to_be_bytes());
        }
        Written { length, rcode: self.rcode, truncated: self.truncated }
    }

    /// Writes the OPT record at `at`, in the room set aside for it.
    fn opt(&mut self, mut at: usize, (edns, options): (&Edns<'_>, &Options)) -> usize {
        let flags = if edns.dnssec_ok { DNSSEC_OK } else { 0 };
        let length = opt_length(edns, (options, self.meta));
        let padding = padding(edns, self.meta.transport, at + length);
        let rdata = length - OPT + padding.map_or(0, |zeros| OPTION + zeros.len());
        let mut put = |bytes: &[u8]| {
            self.composer.patch(at, bytes);
            at += bytes.len();
        };
        put(&opt_head(options.udp_size, flags, u16::try_from(rdata).unwrap_or_default()));
        let mut option = |code: u16, data: &[u8]| {
            put(&code.to_be_bytes());
            put(&u16::try_from(data.len()).unwrap_or_default().to_be_bytes());
            put(data);
        };
        if let Some(identity) = nsid(edns, options) {
            option(OPTION_NSID, identity);
        }
        if let Some(idle) = keepalive(edns, self.meta) {
            option(OPTION_KEEPALIVE, &idle.to_be_bytes());
        }
        if let Some(zeros) = padding {
            option(OPTION_PADDING, zeros);
        }
        if let Some(subnet) = &edns.subnet {
            option(OPTION_SUBNET, subnet.wire);
            let scope_at = at - subnet.wire.len() + 3;
            self.composer.patch(scope_at, &[self.scope]);
        }
        at
    }
}

fn nsid<'o>(edns: &Edns<'_>, options: &'o Options) -> Option<&'o [u8]> {
    options.identity.as_deref().map(str::as_bytes).filter(|_| edns.nsid)
}

/// What a client that asks is told of how long its connection may be idle.
fn keepalive(edns: &Edns<'_>, meta: &Meta) -> Option<u16> {
    meta.idle.filter(|_| edns.keepalive)
}

/// The zeros that fill a message of `length` octets up to a whole number of
/// blocks, or as far as it may go, where the client pads and it helps.
fn padding(edns: &Edns<'_>, transport: Transport, length: usize) -> Option<&'static [u8]> {
    static ZEROS: [u8; BLOCK] = [0; BLOCK];
    let room = STREAM.checked_sub(length + OPTION)?;
    let short = (length + OPTION).next_multiple_of(BLOCK) - length - OPTION;
    ZEROS.get(..short.min(room)).filter(|_| edns.padding && transport.is_encrypted())
}

/// Octets of the OPT record, without padding.
fn opt_length(edns: &Edns<'_>, (options, meta): (&Options, &Meta)) -> usize {
    let subnet = edns.subnet.map_or(0, |subnet| OPTION + subnet.wire.len());
    let identity = nsid(edns, options).map_or(0, |identity| OPTION + identity.len());
    OPT + subnet + identity + keepalive(edns, meta).map_or(0, |_| OPTION + TIMEOUT)
}

fn opt_head(udp_size: u16, flags: u16, rdata: u16) -> [u8; OPT] {
    let [s, t] = udp_size.to_be_bytes();
    let [f, g] = flags.to_be_bytes();
    let [l, m] = rdata.to_be_bytes();
    [0, 0, 41, s, t, 0, 0, f, g, l, m]
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
        let mut opt = opt_head(udp_size, 0, 0);
        opt[5] = reject.rcode as u8 >> 4;
        put(&opt)?;
    }
    Some(length)
}
