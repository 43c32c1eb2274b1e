//! The OPT record of a reply (RFC 6891 §6.1.1) and its options.
//!
//! Its length is known when a reply is begun, so room is set aside before
//! anything else is written. Only the extended error (RFC 8914) and padding
//! (RFC 7830) come as extras: they are written where room is left, and never
//! cost a record.

use crate::cookie::Judged;
use crate::query::Query;
use crate::query::edns::{
    OPTION_COOKIE, OPTION_KEEPALIVE, OPTION_NSID, OPTION_PADDING, OPTION_SUBNET, Subnet,
};
use crate::snapshot::Options;

use super::Meta;
use super::reply::STREAM;

/// Octets of an OPT record without options.
const FIXED: usize = 11;
/// Octets of an option's code and length.
const HEAD: usize = 4;
const DNSSEC_OK: u16 = 0x8000;

const OPTION_EXTENDED_ERROR: u16 = 15;
/// Octets of keepalive's value.
const TIMEOUT: usize = 2;
/// Encrypted replies to clients that pad are a multiple of this (RFC 8467 §4.1).
const BLOCK: usize = 468;

/// Why a query is not answered with data (RFC 8914 §4, by number).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u16)]
pub(crate) enum Why {
    /// Not for this client.
    Prohibited = 18,
    /// Not a zone of this server's.
    NotAuthoritative = 20,
    /// This type or operation is not implemented.
    NotSupported = 21,
    /// The zone is ours, and there is nothing that may be said of it now.
    InvalidData = 24,
}

/// An OPT record to be written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Opt<'a> {
    udp_size: u16,
    dnssec_ok: bool,
    identity: Option<&'a [u8]>,
    subnet: Option<Subnet<'a>>,
    cookie: Option<Judged>,
    /// How long the connection may be idle, in tenths of a second.
    keepalive: Option<u16>,
    padded: bool,
    /// Octets, without the extras.
    length: usize,
}

/// What is known of it only in the end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Late {
    /// The high bits of the rcode.
    pub(super) rcode: u8,
    /// SCOPE PREFIX-LENGTH of the Client Subnet.
    pub(super) scope: u8,
    /// The extended error, if one is due and fits.
    pub(super) why: Option<Why>,
    /// Octets of the message before it.
    pub(super) before: usize,
}

impl<'a> Opt<'a> {
    /// What `query` is owed; nothing without EDNS.
    #[inline]
    pub(super) fn of(query: &Query<'a>, options: &'a Options, meta: &Meta) -> Option<Self> {
        let edns = query.edns.as_ref()?;
        let mut opt = Self {
            udp_size: options.udp_size,
            dnssec_ok: edns.dnssec_ok,
            identity: options.identity.as_deref().map(str::as_bytes).filter(|_| edns.nsid),
            subnet: edns.subnet,
            cookie: edns.cookie.and_then(|cookie| options.cookies.judge(&cookie, meta.source, meta.now)),
            keepalive: meta.idle.filter(|_| edns.keepalive),
            padded: edns.padding && meta.transport.is_encrypted(),
            length: FIXED,
        };
        opt.length += opt.subnet.map_or(0, |subnet| HEAD + subnet.wire.len());
        opt.length += opt.identity.map_or(0, |identity| HEAD + identity.len());
        opt.length += opt.cookie.map_or(0, |cookie| HEAD + cookie.answer.len());
        opt.length += opt.keepalive.map_or(0, |_| HEAD + TIMEOUT);
        Some(opt)
    }

    /// One that only says that EDNS is spoken.
    pub(super) const fn bare(udp_size: u16) -> Self {
        Self {
            udp_size,
            dnssec_ok: false,
            identity: None,
            subnet: None,
            cookie: None,
            keepalive: None,
            padded: false,
            length: FIXED,
        }
    }

    /// Whether the client proved that it receives at its address.
    pub(super) fn proved(&self) -> bool {
        self.cookie.is_some_and(|cookie| cookie.valid)
    }

    /// Whether the client sent a cookie, right or wrong, and gets one.
    pub(super) const fn has_cookie(&self) -> bool {
        self.cookie.is_some()
    }

    /// Octets, without the extras.
    pub(super) const fn length(&self) -> usize {
        self.length
    }

    /// Octets that an extended error adds.
    pub(super) const fn why_length() -> usize {
        HEAD + 2
    }

    /// Writes it through `put`.
    #[inline]
    pub(super) fn write(&self, late: Late, mut put: impl FnMut(&[u8])) {
        let length = self.length + late.why.map_or(0, |_| Self::why_length());
        let padding = self.padding(late.before + length);
        let rdata = length - FIXED + padding.map_or(0, |zeros| HEAD + zeros.len());
        let [s, t] = self.udp_size.to_be_bytes();
        let [f, g] = if self.dnssec_ok { DNSSEC_OK } else { 0 }.to_be_bytes();
        let [l, m] = u16::try_from(rdata).unwrap_or_default().to_be_bytes();
        put(&[0, 0, 41, s, t, late.rcode, 0, f, g, l, m]);
        if let Some(subnet) = &self.subnet
            && let Some((&[family_high, family_low, source, _], address)) = subnet.wire.split_first_chunk()
        {
            let [c, d, l, m] = option(OPTION_SUBNET, subnet.wire.len());
            put(&[c, d, l, m, family_high, family_low, source, late.scope]);
            put(address);
        }
        let mut rare = |code: u16, data: &[u8]| {
            put(&option(code, data.len()));
            put(data);
        };
        if let Some(identity) = self.identity {
            rare(OPTION_NSID, identity);
        }
        if let Some(cookie) = &self.cookie {
            rare(OPTION_COOKIE, &cookie.answer);
        }
        if let Some(idle) = self.keepalive {
            rare(OPTION_KEEPALIVE, &idle.to_be_bytes());
        }
        if let Some(why) = late.why {
            rare(OPTION_EXTENDED_ERROR, &(why as u16).to_be_bytes());
        }
        if let Some(zeros) = padding {
            rare(OPTION_PADDING, zeros);
        }
    }

    /// The zeros that fill a message of `length` octets up to a whole number
    /// of blocks, or as far as it may go, where the client pads and it helps.
    #[inline]
    fn padding(&self, length: usize) -> Option<&'static [u8]> {
        static ZEROS: [u8; BLOCK] = [0; BLOCK];
        let room = STREAM.checked_sub(length + HEAD)?;
        let short = (length + HEAD).next_multiple_of(BLOCK) - length - HEAD;
        ZEROS.get(..short.min(room)).filter(|_| self.padded)
    }
}

/// The head of an option.
fn option(code: u16, length: usize) -> [u8; HEAD] {
    let ([c, d], [l, m]) = (code.to_be_bytes(), u16::try_from(length).unwrap_or_default().to_be_bytes());
    [c, d, l, m]
}
