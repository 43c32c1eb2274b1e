//! APL: lists of address prefixes (RFC 3123), `[!]family:address/length`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::input::Input;
use super::text::number;
use crate::lexer::{ScanError, Token};

/// Address families (IANA): the number on the wire and its bits.
const FAMILIES: [(u16, u8); 2] = [(1, 32), (2, 128)];
const NEGATED: u8 = 0x80;

/// Appends the items to the end of the entry; there may be none.
pub(super) fn scan(input: &mut Input<'_, '_>) -> Result<(), ScanError> {
    while let Some(token) = input.more()? {
        let (family, length, negated, address) = item(token)
            .ok_or_else(|| token.error("must be like 1:192.0.2.0/24, !1:192.0.2.7/32 or 2:2001:db8::/32"))?;
        let used = address.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
        let [.., count] = used.to_be_bytes();
        input.wire.extend(family.to_be_bytes());
        input.wire.extend([length, count | if negated { NEGATED } else { 0 }]);
        input.wire.extend_from_slice(&address[..used]);
    }
    Ok(())
}

fn item(token: Token<'_>) -> Option<(u16, u8, bool, Vec<u8>)> {
    let (negated, text) = match token.text.strip_prefix('!') {
        Some(text) => (true, text),
        None => (false, token.text),
    };
    let (family, prefix) = text.split_once(':')?;
    let (address, length) = prefix.split_once('/')?;
    let (family, length) = (number(family)?, number(length)?);
    let (_, most) = FAMILIES.into_iter().find(|&(number, _)| number == family)?;
    let address = match most {
        32 => address.parse::<Ipv4Addr>().ok()?.octets().to_vec(),
        _ => address.parse::<Ipv6Addr>().ok()?.octets().to_vec(),
    };
    (length <= most).then_some((family, length, negated, address))
}

/// One item of a list.
struct Item {
    family: u16,
    length: u8,
    negated: bool,
    address: IpAddr,
}

/// The first item and what follows it.
fn parse(wire: &[u8]) -> Option<(Item, &[u8])> {
    let (&[high, low, length, flag], rest) = wire.split_first_chunk()?;
    let family = u16::from_be_bytes([high, low]);
    let (_, most) = FAMILIES.into_iter().find(|&(number, _)| number == family)?;
    let (used, rest) = rest.split_at_checked(usize::from(flag & !NEGATED))?;
    if length > most || used.len() > usize::from(most / 8) || used.last() == Some(&0) {
        return None;
    }
    let mut bytes = [0u8; 16];
    bytes[..used.len()].copy_from_slice(used);
    let address = match bytes.first_chunk::<4>() {
        Some(&v4) if most == 32 => Ipv4Addr::from(v4).into(),
        _ => Ipv6Addr::from(bytes).into(),
    };
    Some((Item { family, length, negated: flag & NEGATED != 0, address }, rest))
}

/// Whether the bytes are a list of known families, in shortest form.
pub(super) fn valid(mut wire: &[u8]) -> bool {
    while !wire.is_empty() {
        match parse(wire) {
            Some((_, rest)) => wire = rest,
            None => return false,
        }
    }
    true
}

/// Appends a valid list.
pub(super) fn display(out: &mut String, mut wire: &[u8]) {
    while let Some((Item { family, length, negated, address }, rest)) = parse(wire) {
        let (space, mark) = (if out.is_empty() { "" } else { " " }, if negated { "!" } else { "" });
        out.push_str(&format!("{space}{mark}{family}:{address}/{length}"));
        wire = rest;
    }
}
