//! Text → wire, field by field.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::RangeInclusive;
use std::str::FromStr;

use super::codec::Digits;
use super::input::Input;
use super::table::{self, Field};
use super::text::{self, number};
use super::time::{scan_seconds, scan_time};
use super::{address_prefixes, fits, gateway, location, parameters, types, wire};
use crate::lexer::{ScanError, Token};
use crate::record::Rtype;

/// Appends the data of one record; what follows it in the entry is left.
pub(super) fn fields(rtype: Rtype, input: &mut Input<'_, '_>) -> Result<(), ScanError> {
    if let Some(token) = input.lexer.take_if("\\#")? {
        return opaque(rtype, token, input);
    }
    table::fields(rtype.0).iter().try_for_each(|&field| scan(field, input))
}

fn scan(field: Field, input: &mut Input<'_, '_>) -> Result<(), ScanError> {
    match field {
        Field::U8 => put(input, "a number from 0 to 255", number::<u8>, u8::to_be_bytes),
        Field::U16 => put(input, "a number from 0 to 65535", number::<u16>, u16::to_be_bytes),
        Field::U32 => put(input, "a number from 0 to 4294967295", number::<u32>, u32::to_be_bytes),
        Field::Seconds => put(input, "a time such as 3600 or 1h30m", scan_seconds, u32::to_be_bytes),
        Field::Time => put(input, "a time as YYYYMMDDHHmmSS in UTC", scan_time, u32::to_be_bytes),
        Field::Code8(words) => put(input, "a number from 0 to 255 or its name", code(words), u8::to_be_bytes),
        Field::Code16(words) => {
            put(input, "a number from 0 to 65535 or its name", code(words), u16::to_be_bytes)
        }
        Field::Type => {
            let mnemonic = |text: &str| text.parse().ok().map(|Rtype(number)| number);
            put(input, "a record type", mnemonic, u16::to_be_bytes)
        }
        Field::Ip4 => put(input, "an IPv4 address", parsed::<Ipv4Addr>, |address| address.octets()),
        Field::Ip6 => put(input, "an IPv6 address", parsed::<Ipv6Addr>, |address| address.octets()),
        Field::Eui(length) => groups(input, ('-', 2..=2, length)),
        Field::Locator => groups(input, (':', 1..=4, 4)),
        Field::Name(_) => input.name(),
        Field::Text => string(input),
        Field::OptionalText => input.more()?.map_or(Ok(()), |token| text::string_onto(input.wire, token)),
        Field::Texts => {
            string(input)?;
            while let Some(token) = input.more()? {
                text::string_onto(input.wire, token)?;
            }
            Ok(())
        }
        Field::Tag => tag(input),
        Field::Rest(empty) => rest(input, empty),
        Field::Nsap => nsap(input),
        Field::Hex(lengths) => hex(input, lengths),
        Field::Base64(optional) => base64(input, optional),
        Field::Salt => salt(input),
        Field::Hash => hash(input),
        Field::Types => types::scan(input),
        Field::Location => location::scan(input),
        Field::Prefixes => address_prefixes::scan(input),
        Field::Parameters => parameters::scan(input),
        Field::GatewayKind => gateway::scan_kind(input),
        Field::RelayKind => gateway::scan_relay_kind(input),
        Field::Gateway => gateway::scan(input),
        Field::HostIdentity => gateway::scan_host_identity(input),
        Field::Opaque => {
            let token = input.need("\\#")?;
            Err(token.error("data of this type must be written as \\# LENGTH HEX (RFC 3597)"))
        }
    }
}

/// One token that is a number of some width.
fn put<T, const N: usize>(
    input: &mut Input<'_, '_>,
    what: &str,
    read: impl Fn(&str) -> Option<T>,
    bytes: impl Fn(T) -> [u8; N],
) -> Result<(), ScanError> {
    let token = input.need(what)?;
    let value = read(token.text).ok_or_else(|| token.error(format_args!("must be {what}")))?;
    input.wire.extend(bytes(value));
    Ok(())
}

fn parsed<T: FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}

fn code<T: FromStr + Copy>(words: &'static [(&'static str, T)]) -> impl Fn(&str) -> Option<T> {
    move |text| {
        let word = words.iter().find(|(word, _)| word.eq_ignore_ascii_case(text));
        word.map_or_else(|| number(text), |&(_, code)| Some(code))
    }
}

/// `count` groups of so many hex digits, leading zeros left out where fewer
/// will do.
fn groups(
    input: &mut Input<'_, '_>,
    (between, widths, count): (char, RangeInclusive<usize>, usize),
) -> Result<(), ScanError> {
    let width = *widths.end();
    let what = format!("{count} groups of {width} hex digits with {between} between");
    let token = input.need(&what)?;
    let mut parts = 0;
    for part in token.text.split(between) {
        parts += 1;
        if !widths.contains(&part.len()) || parts > count {
            return Err(token.error(format_args!("must be {what}")));
        }
        let mut digits = Digits::default();
        digits.hex(input.wire, Token { text: &"000"[..width - part.len()], ..token })?;
        digits.hex(input.wire, Token { text: part, ..token })?;
    }
    if parts == count { Ok(()) } else { Err(token.error(format_args!("must be {what}"))) }
}

fn string(input: &mut Input<'_, '_>) -> Result<(), ScanError> {
    let token = input.need("a string")?;
    text::string_onto(input.wire, token)
}

fn tag(input: &mut Input<'_, '_>) -> Result<(), ScanError> {
    let token = input.need("a property tag")?;
    if !wire::is_tag(token.text.as_bytes()) {
        return Err(token.error("must be a property tag of letters and digits, such as issue"));
    }
    text::string_onto(input.wire, token)
}

fn rest(input: &mut Input<'_, '_>, empty: bool) -> Result<(), ScanError> {
    let token = input.need("a value")?;
    let before = input.wire.len();
    text::unescape_onto(input.wire, token)?;
    if empty || input.wire.len() > before { Ok(()) } else { Err(token.wrong("must not be empty")) }
}

fn nsap(input: &mut Input<'_, '_>) -> Result<(), ScanError> {
    let token = input.need("an NSAP address")?;
    let what = "must be an NSAP address such as 0x47.0005.80";
    let hex = token.text.strip_prefix("0x").or_else(|| token.text.strip_prefix("0X"));
    let mut digits = Digits::default();
    let before = input.wire.len();
    for part in hex.ok_or_else(|| token.error(what))?.split('.') {
        digits.hex(input.wire, Token { text: part, ..token })?;
    }
    digits.end_hex(token.at)?;
    if input.wire.len() > before { Ok(()) } else { Err(token.error(what)) }
}

fn hex(input: &mut Input<'_, '_>, lengths: &[(u8, usize)]) -> Result<(), ScanError> {
    let mut digits = Digits::default();
    let first = input.need("hex digits")?;
    let before = input.wire.len();
    digits.hex(input.wire, first)?;
    while let Some(token) = input.more()? {
        digits.hex(input.wire, token)?;
    }
    digits.end_hex(first.at)?;
    match wire::is_digest(input.wire, before, lengths) {
        true => Ok(()),
        false => {
            let what = format!("{} bytes are no digest of this kind", input.wire.len() - before);
            Err(ScanError::new(first.at, what))
        }
    }
}

fn base64(input: &mut Input<'_, '_>, optional: bool) -> Result<(), ScanError> {
    let mut digits = Digits::default();
    let first = match input.more()? {
        Some(token) => token,
        None if optional => return Ok(()),
        None => input.need("base64")?,
    };
    let before = input.wire.len();
    digits.base64(input.wire, first)?;
    while let Some(token) = input.more()? {
        digits.base64(input.wire, token)?;
    }
    digits.end_base64(first.at)?;
    if optional || input.wire.len() > before { Ok(()) } else { Err(first.error("must be base64")) }
}

fn salt(input: &mut Input<'_, '_>) -> Result<(), ScanError> {
    let token = input.need("a salt in hex")?;
    let head = input.wire.len();
    input.wire.push(0);
    if token.text != "-" {
        let mut digits = Digits::default();
        digits.hex(input.wire, token)?;
        digits.end_hex(token.at)?;
    }
    close(input.wire, head, token)
}

fn hash(input: &mut Input<'_, '_>) -> Result<(), ScanError> {
    let token = input.need("a hash in base32hex")?;
    let head = input.wire.len();
    input.wire.push(0);
    let mut digits = Digits::default();
    digits.base32(input.wire, token)?;
    digits.end_base32(token.at)?;
    if token.text.is_empty() { Err(token.error("must be base32hex")) } else { close(input.wire, head, token) }
}

/// Writes the length of what follows `head` to it.
fn close(wire: &mut [u8], head: usize, token: Token<'_>) -> Result<(), ScanError> {
    let length = u8::try_from(wire.len() - head - 1);
    wire[head] = length.map_err(|_| token.wrong("must be at most 255 bytes"))?;
    Ok(())
}

/// RFC 3597 §5: `\# LENGTH HEX`.
fn opaque(rtype: Rtype, mark: Token<'_>, input: &mut Input<'_, '_>) -> Result<(), ScanError> {
    let token = input.need("a length")?;
    let length = number::<u16>(token.text).ok_or_else(|| token.error("must be a length from 0 to 65535"))?;
    let mut digits = Digits::default();
    while let Some(token) = input.more()? {
        digits.hex(input.wire, token)?;
    }
    digits.end_hex(token.at)?;
    if input.wire.len() != usize::from(length) {
        return Err(
            token.wrong(format_args!("{} bytes follow, and the length must say so", input.wire.len()))
        );
    }
    if fits(rtype, input.wire) {
        Ok(())
    } else {
        Err(ScanError::new(mark.at, format!("the bytes must be data of type {rtype}")))
    }
}
