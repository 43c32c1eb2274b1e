//! Type bitmaps (RFC 4034 §4.1.2): windows of 256 types, each with the bytes
//! up to its last bit.

use super::input::Input;
use crate::lexer::ScanError;
use crate::record::Rtype;

/// Appends the types to the end of the entry, in any order.
pub(super) fn scan(input: &mut Input<'_, '_>) -> Result<(), ScanError> {
    let mut numbers = Vec::new();
    while let Some(token) = input.more()? {
        let rtype: Rtype = token.text.parse().map_err(|error| token.error(error))?;
        numbers.push(rtype.0);
    }
    numbers.sort_unstable();
    let mut rest = &numbers[..];
    while let Some(&first) = rest.first() {
        let [window, _] = first.to_be_bytes();
        let (here, above) = rest.split_at(rest.partition_point(|number| number.to_be_bytes()[0] == window));
        let mut bits = [0u8; 32];
        let mut length = 0;
        for number in here {
            let [_, low] = number.to_be_bytes();
            bits[usize::from(low / 8)] |= 0x80 >> (low % 8);
            length = low / 8 + 1;
        }
        input.wire.extend([window, length]);
        input.wire.extend_from_slice(&bits[..usize::from(length)]);
        rest = above;
    }
    Ok(())
}

/// The types of a bitmap, or nothing where it breaks the rules: windows in
/// order, none empty, none with a zero byte at its end.
pub(super) fn parse(mut wire: &[u8]) -> Option<Vec<Rtype>> {
    let mut found = Vec::new();
    let mut least = 0u16;
    while !wire.is_empty() {
        let (&[window, length], rest) = wire.split_first_chunk()?;
        let (bits, rest) = rest.split_at_checked(usize::from(length))?;
        if u16::from(window) < least || bits.len() > 32 || bits.last().is_none_or(|&last| last == 0) {
            return None;
        }
        for (byte, low) in bits.iter().zip((0u8..=248).step_by(8)) {
            let set = (0..8).filter(|bit| byte & (0x80 >> bit) != 0);
            found.extend(set.map(|bit| Rtype(u16::from_be_bytes([window, low + bit]))));
        }
        least = u16::from(window) + 1;
        wire = rest;
    }
    Some(found)
}

/// Whether [`parse`] finds no fault.
pub(super) fn valid(wire: &[u8]) -> bool {
    parse(wire).is_some()
}
