//! Sealing what is answered (RFC 8945 §5.3).
//!
//! The MAC of the first answer covers that of the request, each further one
//! covers the MAC before it, so that a stream of messages cannot be reordered
//! or cut in the middle. Every message is sealed, though the standard lets
//! some go without: it costs a microsecond.

use ring::hmac;

use super::verify::TsigError;
use super::{Key, Tsig};
use crate::query::HEADER;

/// Longest MAC: of SHA-512.
const MAX_MAC: usize = 64;

/// Octets of a TSIG record besides its names and MAC: type, class, TTL,
/// length, time, fudge, MAC's length, id, error, length of other data, and
/// the six octets of time that a late one gets.
const FIXED: usize = 10 + 6 + 2 + 2 + 2 + 2 + 2 + 6;

/// How wrong the asker's clock may be, seconds: what RFC 8945 §10 recommends.
const FUDGE: u16 = 300;

/// Answers to one signed request.
#[derive(Clone, Debug)]
pub(crate) struct Session<'k> {
    key: &'k Key,
    prior: [u8; MAX_MAC],
    length: usize,
    original_id: u16,
    is_first: bool,
    /// For a request that came late: when it says it was signed, and now.
    late: Option<(u64, u64)>,
    asked: u64,
}

impl<'k> Session<'k> {
    pub(super) fn new(key: &'k Key, tsig: &Tsig<'_>) -> Self {
        let mut prior = [0; MAX_MAC];
        let length = tsig.mac.len().min(MAX_MAC);
        prior[..length].copy_from_slice(&tsig.mac[..length]);
        let (original_id, asked) = (tsig.original_id, tsig.time);
        Self { key, prior, length, original_id, is_first: true, late: None, asked }
    }

    /// For a message of our own, which answers none.
    pub(crate) const fn opening(key: &'k Key, id: u16) -> Self {
        let prior = [0; MAX_MAC];
        Self { key, prior, length: 0, original_id: id, is_first: true, late: None, asked: 0 }
    }

    pub(super) fn late(self, now: u64) -> Self {
        Self { late: Some((self.asked, now)), ..self }
    }

    /// Who signed the request.
    pub(crate) const fn key(&self) -> &'k Key {
        self.key
    }

    /// Octets that a seal takes.
    pub(crate) fn reserve(&self) -> usize {
        self.key.name.as_wire().len() + self.key.algorithm.wire().len() + FIXED + MAX_MAC
    }

    /// Appends a TSIG to `message`, at `now` seconds since 1970.
    pub(crate) fn seal(&mut self, message: &mut Vec<u8>, now: u64) {
        let (time, error, other) = match self.late {
            // §5.2.3: the asker's own time, and ours beside it.
            Some((asked, now)) => (asked, TsigError::Time as u16, now.to_be_bytes()[2..].to_vec()),
            None => (now, 0, Vec::new()),
        };
        let mut context = hmac::Context::with_key(&self.key.secret);
        if self.length > 0 {
            context.update(&u16::try_from(self.length).unwrap_or_default().to_be_bytes());
            context.update(&self.prior[..self.length]);
        }
        let mut data = Vec::new();
        if self.is_first {
            variables(self.key, (time, FUDGE), (error, &other), &mut data);
        } else {
            timers((time, FUDGE), &mut data);
        }
        if let [a, b, ..] = message[..] {
            // The id may have been changed on the way here.
            message[..2].copy_from_slice(&self.original_id.to_be_bytes());
            context.update(message);
            message[..2].copy_from_slice(&[a, b]);
        }
        context.update(&data);
        let mac = context.sign();
        self.length = mac.as_ref().len().min(MAX_MAC);
        self.prior[..self.length].copy_from_slice(&mac.as_ref()[..self.length]);
        self.is_first = false;
        let names = (self.key.name.as_wire(), self.key.algorithm.wire());
        append(message, names, (time, FUDGE, mac.as_ref()), (self.original_id, error, &other));
    }
}

/// Appends a TSIG that says what is wrong and proves nothing (§5.2).
pub(crate) fn seal_error(message: &mut Vec<u8>, tsig: &Tsig<'_>, error: TsigError) {
    let Tsig { key, algorithm, time, fudge, original_id, .. } = *tsig;
    append(message, (key, algorithm), (time, fudge, &[]), (original_id, error as u16, &[]));
}

/// The fields of a TSIG record that are signed (§4.3.3), names in lower case.
pub(super) fn variables(
    key: &Key,
    (time, fudge): (u64, u16),
    (error, other): (u16, &[u8]),
    data: &mut Vec<u8>,
) {
    data.extend(key.name.folded());
    data.extend([0, 255, 0, 0, 0, 0]);
    data.extend(key.algorithm.wire());
    timers((time, fudge), data);
    data.extend(error.to_be_bytes());
    data.extend(u16::try_from(other.len()).unwrap_or_default().to_be_bytes());
    data.extend(other);
}

/// Those of messages after the first (§5.3.1).
fn timers((time, fudge): (u64, u16), data: &mut Vec<u8>) {
    data.extend(&time.to_be_bytes()[2..]);
    data.extend(fudge.to_be_bytes());
}

fn append(
    message: &mut Vec<u8>,
    (key, algorithm): (&[u8], &[u8]),
    (time, fudge, mac): (u64, u16, &[u8]),
    (id, error, other): (u16, u16, &[u8]),
) {
    let length = |bytes: &[u8]| u16::try_from(bytes.len()).unwrap_or_default().to_be_bytes();
    let mut rdata = algorithm.to_vec();
    timers((time, fudge), &mut rdata);
    rdata.extend(length(mac));
    rdata.extend(mac);
    rdata.extend(id.to_be_bytes());
    rdata.extend(error.to_be_bytes());
    rdata.extend(length(other));
    rdata.extend(other);
    message.extend(key);
    message.extend([0, 250, 0, 255, 0, 0, 0, 0]);
    message.extend(length(&rdata));
    message.extend(&rdata);
    if let Some(count) = message.get_mut(HEADER - 2..HEADER) {
        let more = u16::from_be_bytes([count[0], count[1]]).saturating_add(1);
        count.copy_from_slice(&more.to_be_bytes());
    }
}
