//! Whether a request is what it says (RFC 8945 §5.2): key, MAC, time, in that
//! order.

use rhumb_zones::Name;
use ring::hmac;

use super::seal::{Session, variables};
use super::{Key, Keyring, Tsig};
use crate::query::HEADER;

/// What a TSIG record's error field says (RFC 8945 §3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u16)]
pub(crate) enum TsigError {
    Signature = 16,
    Key = 17,
    Time = 18,
    Truncation = 22,
}

/// Why a request is not believed.
#[derive(Debug)]
pub(crate) enum Fault<'k> {
    /// Its MAC is shorter than any may be: a format error (§5.2.2.1).
    Malformed,
    /// Nobody can be answered with a seal.
    Unproven(TsigError),
    /// The MAC held and the clock did not: the answer is sealed (§5.2.3).
    Late(Session<'k>),
}

/// Verifies the TSIG at the end of `message`, at `now` seconds since 1970.
///
/// # Errors
/// With what is wrong.
pub(crate) fn verify<'k>(
    keyring: &'k Keyring,
    message: &[u8],
    tsig: &Tsig<'_>,
    now: u64,
) -> Result<Session<'k>, Fault<'k>> {
    let unproven = |error| Err(Fault::Unproven(error));
    let named = Name::from_wire(tsig.key).ok();
    let Some(key) = named.and_then(|name| keyring.find(&name)).filter(|key| uses(key, tsig)) else {
        return unproven(TsigError::Key);
    };
    let whole = key.algorithm.hmac().digest_algorithm().output_len();
    if tsig.mac.len() > whole || tsig.mac.len() < whole / 2 {
        return Err(Fault::Malformed);
    }
    if tsig.mac.len() < whole {
        return unproven(TsigError::Truncation);
    }
    if hmac::verify(&key.secret, &signed(key, message, tsig), tsig.mac).is_err() {
        return unproven(TsigError::Signature);
    }
    let session = Session::new(key, tsig);
    if now.abs_diff(tsig.time) > u64::from(tsig.fudge) {
        return Err(Fault::Late(session.late(now)));
    }
    Ok(session)
}

fn uses(key: &Key, tsig: &Tsig<'_>) -> bool {
    tsig.algorithm.eq_ignore_ascii_case(key.algorithm.wire())
}

/// What the MAC of a request is made of (§4.3.3): the message as it was
/// before the TSIG, and the record's own fields.
fn signed(key: &Key, message: &[u8], tsig: &Tsig<'_>) -> Vec<u8> {
    let mut data = without(message, tsig);
    data[..2].copy_from_slice(&tsig.original_id.to_be_bytes());
    variables(key, (tsig.time, tsig.fudge), (tsig.error, tsig.other), &mut data);
    data
}

/// The message as it was before the TSIG, but for its id.
pub(crate) fn without(message: &[u8], tsig: &Tsig<'_>) -> Vec<u8> {
    let mut message = message.get(..tsig.start).unwrap_or_default().to_vec();
    if let Some(count) = message.get_mut(HEADER - 2..HEADER) {
        let less = u16::from_be_bytes([count[0], count[1]]).saturating_sub(1);
        count.copy_from_slice(&less.to_be_bytes());
    }
    message
}
