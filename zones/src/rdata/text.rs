//! Numbers, and character strings with their escapes off and on.

use std::str::FromStr;

use crate::lexer::{ScanError, Token};
use crate::name::unescape;

/// Longest character string (RFC 1035 §3.3).
const MAX_STRING: usize = 255;

/// Decimal digits and nothing else; `parse` alone would take `+5`.
pub(crate) fn number<T: FromStr>(text: &str) -> Option<T> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

/// Appends a token with its escapes undone (RFC 1035 §5.1).
pub(super) fn unescape_onto(wire: &mut Vec<u8>, token: Token<'_>) -> Result<(), ScanError> {
    let mut bytes = token.text.bytes();
    while let Some(byte) = bytes.next() {
        wire.push(match byte {
            b'\\' => unescape(&mut bytes).map_err(|error| token.wrong(error))?,
            _ => byte,
        });
    }
    Ok(())
}

/// Appends a token as a character string.
pub(super) fn string_onto(wire: &mut Vec<u8>, token: Token<'_>) -> Result<(), ScanError> {
    let head = wire.len();
    wire.push(0);
    unescape_onto(wire, token)?;
    let length = wire.len() - head - 1;
    wire[head] = u8::try_from(length).map_err(|_| {
        let what = format!("a string must be at most {MAX_STRING} bytes, not {length}: split it in several");
        ScanError::new(token.at, what)
    })?;
    Ok(())
}

/// Appends bytes in quotes, escaped where text needs it.
pub(super) fn quote(out: &mut String, bytes: &[u8]) {
    out.push('"');
    escape(out, bytes);
    out.push('"');
}

/// Appends bytes as they stand inside quotes.
pub(super) fn escape(out: &mut String, bytes: &[u8]) {
    for &byte in bytes {
        match byte {
            b'"' | b'\\' => out.extend(['\\', char::from(byte)]),
            0x20..=0x7e => out.push(char::from(byte)),
            _ => {
                out.push('\\');
                out.extend([byte / 100, byte / 10 % 10, byte % 10].map(|digit| char::from(b'0' + digit)));
            }
        }
    }
}
