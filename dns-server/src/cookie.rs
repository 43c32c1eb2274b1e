//! DNS cookies: a weak proof that a client receives what is sent to it.
//!
//! A client picks eight octets; the server adds a hash over them, the time
//! and the client's address (RFC 7873). Who sends the hash back has received
//! an answer at that address before, so the address is not forged: such a
//! client may have large UDP answers and is not rate limited.
//!
//! The hash is that of RFC 9018 §4, which all who share a secret compute
//! alike, whatever their software: servers of one zone, or behind one
//! address, hand out cookies that the others take. Secrets stand in a file,
//! one a line: the first makes cookies, all are accepted, so a new one can be
//! rolled in everywhere before it is used (RFC 9018 §5). Without a file the
//! secret is the process's own.
//!
//! A cookie still fresh is sent back as it came, which saves its making.
//!
//! **Invariant:** nothing here looks at a clock or keeps a cookie: the server
//! has no state per client.

use std::fmt;
use std::net::IpAddr;

use siphasher::sip::SipHasher24;

/// Octets that the client picks (RFC 7873 §4.1).
pub(crate) const CLIENT: usize = 8;
/// Octets of a whole cookie of ours: the client's, and 16 of RFC 9018 §4.
pub(crate) const WHOLE: usize = 24;
/// Version 1 and three reserved octets (RFC 9018 §4.1, §4.2).
const VERSION: [u8; 4] = [1, 0, 0, 0];
/// How old a cookie may be, seconds (RFC 9018 §4.3).
const OLD: u32 = 3_600;
/// From what age on a new one is sent (RFC 9018 §4.3).
const STALE: u32 = 1_800;
/// How far a cookie may come from the future: clocks of servers differ
/// (RFC 9018 §4.3).
const EARLY: u32 = 300;
/// More secrets than a rotation ever needs (old, current, next), and so few
/// that a false cookie costs no more than a look-up.
const MAX_SECRETS: usize = 4;

/// A well-formed COOKIE option of a query.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cookie<'a> {
    /// What the client picked.
    pub(crate) client: [u8; CLIENT],
    /// What it says a server gave it: empty, or 8 to 32 octets.
    pub(crate) server: &'a [u8],
}

/// What a cookie is worth, and the one to send back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Judged {
    /// Its server part is ours, for this address, and not too old.
    pub(crate) valid: bool,
    pub(crate) answer: [u8; WHOLE],
}

/// A key of 128 bits (RFC 9018 §4.4).
#[derive(Clone, PartialEq, Eq)]
pub struct Secret([u8; 16]);

/// The secrets in use.
#[derive(Clone, Debug, Default)]
pub struct Cookies {
    /// The first makes cookies, all are accepted; none means that the option
    /// is ignored.
    secrets: Vec<Secret>,
    /// Whether UDP without a valid cookie gets no data.
    pub require: bool,
}

/// Why a file of secrets is of no use.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SecretsError {
    /// A line is no secret.
    #[error("line {0}: must be 32 hexadecimal digits")]
    Line(usize),
    /// There are none, or too many.
    #[error("must hold one to {MAX_SECRETS} secrets, one a line")]
    Count,
}

impl<'a> Cookie<'a> {
    /// Reads the option's data; nothing if its length is none of a cookie's
    /// (RFC 7873 §5.2.2).
    pub(crate) fn read(data: &'a [u8]) -> Option<Self> {
        let (client, server) = data.split_first_chunk::<CLIENT>()?;
        matches!(server.len(), 0 | 8..=32).then_some(Self { client: *client, server })
    }
}

impl Secret {
    /// A key from 16 octets.
    #[must_use]
    pub const fn new(key: [u8; 16]) -> Self {
        Self(key)
    }

    fn hash(&self, (client, head): ([u8; CLIENT], [u8; 8]), source: IpAddr) -> [u8; 8] {
        let mut input = [0; CLIENT + 8 + 16];
        let (cookie, address) = input.split_at_mut(CLIENT + 8);
        cookie[..CLIENT].copy_from_slice(&client);
        cookie[CLIENT..].copy_from_slice(&head);
        let length = match source {
            IpAddr::V4(v4) => {
                address[..4].copy_from_slice(&v4.octets());
                4
            }
            IpAddr::V6(v6) => {
                address.copy_from_slice(&v6.octets());
                16
            }
        };
        SipHasher24::new_with_key(&self.0).hash(&input[..CLIENT + 8 + length]).to_le_bytes()
    }
}

impl Cookies {
    /// With `secrets`: the first makes cookies, all are accepted.
    #[must_use]
    pub const fn new(secrets: Vec<Secret>, require: bool) -> Self {
        Self { secrets, require }
    }

    /// Reads a file of secrets: one a line as 32 hexadecimal digits; empty
    /// lines and what follows `#` do not count.
    ///
    /// # Errors
    /// When a line is something else, or there are too few or too many.
    pub fn scan(text: &str) -> Result<Vec<Secret>, SecretsError> {
        let mut secrets = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.split('#').next().unwrap_or_default().trim();
            if !line.is_empty() {
                secrets.push(unhex(line).ok_or(SecretsError::Line(index + 1))?);
            }
        }
        if secrets.is_empty() || secrets.len() > MAX_SECRETS {
            return Err(SecretsError::Count);
        }
        Ok(secrets)
    }

    /// Judges `cookie`, sent from `source` at `now` (seconds since 1970);
    /// nothing when cookies are off.
    pub(crate) fn judge(&self, cookie: &Cookie<'_>, source: IpAddr, now: u32) -> Option<Judged> {
        let first = self.secrets.first()?;
        let found = self.find(cookie, source, now);
        let mut answer = [0; WHOLE];
        let (client, server) = answer.split_at_mut(CLIENT);
        client.copy_from_slice(&cookie.client);
        if found == Some((0, true)) {
            server.copy_from_slice(cookie.server);
        } else {
            let [a, b, c, d] = VERSION;
            let [t, u, v, w] = now.to_be_bytes();
            let head = [a, b, c, d, t, u, v, w];
            let (to_head, to_hash) = server.split_at_mut(head.len());
            to_head.copy_from_slice(&head);
            to_hash.copy_from_slice(&first.hash((cookie.client, head), source));
        }
        Some(Judged { valid: found.is_some(), answer })
    }

    /// Which secret made it, and whether it is still fresh; nothing if none
    /// did or it is too old.
    fn find(&self, cookie: &Cookie<'_>, source: IpAddr, now: u32) -> Option<(usize, bool)> {
        let (head, hash) = cookie.server.split_first_chunk::<8>()?;
        let [version, reserved @ .., t, u, v, w] = *head;
        // Serial arithmetic (RFC 1982): the clock's 32 bits may wrap.
        let age = now.wrapping_sub(u32::from_be_bytes([t, u, v, w]));
        if version != VERSION[0] || (age > OLD && age.wrapping_neg() > EARLY) {
            return None;
        }
        let made = |secret: &Secret| same(&secret.hash((cookie.client, *head), source), hash);
        let index = self.secrets.iter().position(made)?;
        Some((index, age <= STALE && reserved == VERSION[1..]))
    }
}

/// Compares without telling by the time it takes how much is right.
fn same(ours: &[u8; 8], theirs: &[u8]) -> bool {
    theirs.len() == ours.len() && ours.iter().zip(theirs).fold(0, |sum, (a, b)| sum | (a ^ b)) == 0
}

fn unhex(text: &str) -> Option<Secret> {
    let mut key = [0; 16];
    if text.len() != 2 * key.len() || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    for (octet, at) in key.iter_mut().zip((0..).step_by(2)) {
        *octet = u8::from_str_radix(text.get(at..at + 2)?, 16).ok()?;
    }
    Some(Secret(key))
}

/// A secret is not shown.
impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests;
