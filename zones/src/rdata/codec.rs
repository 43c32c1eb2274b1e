//! Hex, base64 and base32hex, over as many tokens as the author liked.
//!
//! The decoders take one character at a time, because base64 in zone files
//! is broken into lines at any place; a fault points at its character.

use crate::lexer::{ScanError, Token};

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const BASE32: &[u8; 32] = b"0123456789ABCDEFGHIJKLMNOPQRSTUV";
const HEX: &[u8; 16] = b"0123456789ABCDEF";

/// Bits gathered from digits until they make bytes.
#[derive(Default)]
pub(super) struct Digits {
    bits: u32,
    count: u32,
    digits: usize,
    padding: usize,
}

impl Digits {
    /// Appends what the token's hex digits complete.
    pub(super) fn hex(&mut self, wire: &mut Vec<u8>, token: Token<'_>) -> Result<(), ScanError> {
        for (index, byte) in token.text.bytes().enumerate() {
            let digit = char::from(byte).to_digit(16);
            let digit = digit.ok_or_else(|| stray(token, index, "must be hex digits"))?;
            self.take(wire, digit, 4);
        }
        Ok(())
    }

    /// Appends what the token's base64 digits complete.
    pub(super) fn base64(&mut self, wire: &mut Vec<u8>, token: Token<'_>) -> Result<(), ScanError> {
        for (index, byte) in token.text.bytes().enumerate() {
            if byte == b'=' {
                self.padding += 1;
                continue;
            }
            let digit = match byte {
                b'A'..=b'Z' => byte - b'A',
                b'a'..=b'z' => byte - b'a' + 26,
                b'0'..=b'9' => byte - b'0' + 52,
                b'+' => 62,
                b'/' => 63,
                _ => return Err(stray(token, index, "must be base64")),
            };
            if self.padding > 0 {
                return Err(stray(token, index, "base64 must end at its ="));
            }
            self.take(wire, u32::from(digit), 6);
        }
        Ok(())
    }

    /// Appends the bytes of one token of base32hex, without padding.
    pub(super) fn base32(&mut self, wire: &mut Vec<u8>, token: Token<'_>) -> Result<(), ScanError> {
        for (index, byte) in token.text.bytes().enumerate() {
            let digit = char::from(byte).to_digit(32);
            let digit = digit.ok_or_else(|| stray(token, index, "must be base32hex"))?;
            self.take(wire, digit, 5);
        }
        Ok(())
    }

    /// Hex must come in pairs.
    pub(super) fn end_hex(&self, at: usize) -> Result<(), ScanError> {
        match self.digits % 2 {
            0 => Ok(()),
            _ => Err(ScanError::new(at, "hex digits must come in pairs")),
        }
    }

    /// Base64 must fill groups of four, with `=`, and leave no bit over.
    pub(super) fn end_base64(&self, at: usize) -> Result<(), ScanError> {
        let whole = (self.digits + self.padding).is_multiple_of(4) && self.padding <= 2;
        if whole && self.left_over() == 0 {
            Ok(())
        } else {
            Err(ScanError::new(at, "base64 must come in groups of four, filled up with ="))
        }
    }

    /// Base32hex must leave no bit over (RFC 4648 §6).
    pub(super) fn end_base32(&self, at: usize) -> Result<(), ScanError> {
        if matches!(self.digits % 8, 0 | 2 | 4 | 5 | 7) && self.left_over() == 0 {
            Ok(())
        } else {
            Err(ScanError::new(at, "base32hex must be of whole bytes"))
        }
    }

    fn take(&mut self, wire: &mut Vec<u8>, digit: u32, width: u32) {
        self.bits = self.bits << width | digit;
        self.count += width;
        self.digits += 1;
        if self.count >= 8 {
            self.count -= 8;
            wire.push((self.bits >> self.count).to_be_bytes()[3]);
            self.bits &= (1 << self.count) - 1;
        }
    }

    fn left_over(&self) -> u32 {
        self.bits & ((1 << self.count) - 1)
    }
}

fn stray(token: Token<'_>, index: usize, what: &str) -> ScanError {
    let stray = token.text[index..].chars().next().unwrap_or(char::REPLACEMENT_CHARACTER);
    ScanError::new(token.at + usize::from(token.quoted) + index, format!("{what}, not \"{stray}\""))
}

/// Appends bytes as hex digits.
pub(super) fn hex(out: &mut String, bytes: &[u8]) {
    spell(out, bytes, (4, HEX));
}

/// Appends bytes as base64 with padding.
pub(super) fn base64(out: &mut String, bytes: &[u8]) {
    spell(out, bytes, (6, BASE64));
    let padding = [0, 2, 1][bytes.len() % 3];
    out.extend(std::iter::repeat_n('=', padding));
}

/// The bytes of one word of base64 with its padding; nothing when it is none.
#[must_use]
pub fn scan_base64(text: &str) -> Option<Vec<u8>> {
    let (mut digits, mut wire) = (Digits::default(), Vec::new());
    digits.base64(&mut wire, Token { text, at: 0, quoted: false }).ok()?;
    digits.end_base64(0).ok()?;
    Some(wire)
}

/// Bytes as one word of base64 with its padding.
#[must_use]
pub fn to_base64(bytes: &[u8]) -> String {
    let mut out = String::new();
    base64(&mut out, bytes);
    out
}

/// Appends bytes as base32hex without padding.
pub(super) fn base32(out: &mut String, bytes: &[u8]) {
    spell(out, bytes, (5, BASE32));
}

fn spell(out: &mut String, bytes: &[u8], (width, alphabet): (u32, &[u8])) {
    let (mut bits, mut count) = (0u32, 0);
    for &byte in bytes {
        bits = bits << 8 | u32::from(byte);
        count += 8;
        while count >= width {
            count -= width;
            out.push(char::from(alphabet[(bits >> count) as usize]));
            bits &= (1 << count) - 1;
        }
    }
    if count > 0 {
        out.push(char::from(alphabet[(bits << (width - count)) as usize]));
    }
}
