//! SvcParams of SVCB and HTTPS (RFC 9460 §2, keys of §14.3.2, RFC 9461 §5,
//! RFC 9540 §4).
//!
//! In text `key`, `key=value` or `key="value"` in any order; on the wire
//! sorted by key. A value is a character string first, so its escapes come
//! off before a list is cut at its commas: a comma inside an ALPN id is
//! written `\\,`.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::codec::{self, Digits};
use super::input::Input;
use super::text::{self, number};
use crate::lexer::{ScanError, Token};

const MANDATORY: u16 = 0;
const ALPN: u16 = 1;
const NO_DEFAULT_ALPN: u16 = 2;
const PORT: u16 = 3;
const IPV4HINT: u16 = 4;
const ECH: u16 = 5;
const IPV6HINT: u16 = 6;
const OHTTP: u16 = 8;
/// Reserved: a key that nothing may use (RFC 9460 §14.3.2).
const INVALID: u16 = 65_535;

/// Names of keys, by number.
const KEYS: [&str; 9] =
    ["mandatory", "alpn", "no-default-alpn", "port", "ipv4hint", "ech", "ipv6hint", "dohpath", "ohttp"];

/// A key and its value on the wire.
type Parameter<'a> = (u16, &'a [u8]);

/// Appends the parameters to the end of the entry; there may be none.
pub(super) fn scan(input: &mut Input<'_, '_>) -> Result<(), ScanError> {
    let start = input.lexer.end();
    let mut found: Vec<(u16, Vec<u8>)> = Vec::new();
    while let Some(token) = input.lexer.pair()? {
        let (key, value) = parameter(token)?;
        match found.binary_search_by_key(&key, |&(key, _)| key) {
            Ok(_) => return Err(token.wrong("a key must not occur twice")),
            Err(place) => found.insert(place, (key, value)),
        }
    }
    let list: Vec<Parameter<'_>> = found.iter().map(|(key, value)| (*key, &value[..])).collect();
    if let Some(fault) = fault(&list) {
        return Err(ScanError::new(start, fault));
    }
    for (key, value) in list {
        let length = u16::try_from(value.len());
        let length = length.map_err(|_| ScanError::new(start, "a value must be at most 65535 bytes"))?;
        input.wire.extend(key.to_be_bytes());
        input.wire.extend(length.to_be_bytes());
        input.wire.extend_from_slice(value);
    }
    Ok(())
}

fn parameter(token: Token<'_>) -> Result<(u16, Vec<u8>), ScanError> {
    let (name, value) = match token.text.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (token.text, None),
    };
    let key = key_number(name).filter(|_| !token.quoted);
    let key = key.ok_or_else(|| token.error("must be a parameter such as alpn=h2 or key65280=value"))?;
    let quoted = value.and_then(|value| value.strip_prefix('"')?.strip_suffix('"'));
    let mut bytes = Vec::new();
    text::unescape_onto(&mut bytes, Token { text: quoted.or(value).unwrap_or_default(), ..token })?;
    // `keyN` takes its bytes as they are, whatever N stands for.
    let named = KEYS.iter().any(|known| known.eq_ignore_ascii_case(name));
    let value = if named { value_of(key, &bytes, token)? } else { bytes };
    match value_fault(key, &value) {
        Some(fault) => Err(token.wrong(fault)),
        None => Ok((key, value)),
    }
}

fn key_number(name: &str) -> Option<u16> {
    let known = KEYS.iter().position(|key| key.eq_ignore_ascii_case(name));
    let number = match known {
        Some(index) => u16::try_from(index).ok(),
        None if name.len() > 4 && name.starts_with("key0") => None,
        None => number(name.strip_prefix("key")?),
    };
    number.filter(|&key| key != INVALID)
}

/// The wire form of a known key's value.
fn value_of(key: u16, text: &[u8], token: Token<'_>) -> Result<Vec<u8>, ScanError> {
    let mut wire = Vec::new();
    let items = || std::str::from_utf8(text).unwrap_or_default().split(',');
    match key {
        MANDATORY => {
            let keys: Option<Vec<u16>> = items().map(key_number).collect();
            let mut keys = keys.ok_or_else(|| token.wrong("must list keys"))?;
            keys.sort_unstable();
            wire.extend(keys.into_iter().flat_map(u16::to_be_bytes));
        }
        ALPN => {
            for id in list(text) {
                let length = u8::try_from(id.len());
                wire.push(length.map_err(|_| token.wrong("an ALPN id must be at most 255 bytes"))?);
                wire.extend(id);
            }
        }
        PORT => {
            let port = items().next().and_then(number::<u16>).filter(|_| items().count() == 1);
            wire.extend(port.ok_or_else(|| token.wrong("must be a port from 0 to 65535"))?.to_be_bytes());
        }
        IPV4HINT => {
            for item in items() {
                let address: Ipv4Addr = item.parse().map_err(|_| token.wrong("must list IPv4 addresses"))?;
                wire.extend(address.octets());
            }
        }
        IPV6HINT => {
            for item in items() {
                let address: Ipv6Addr = item.parse().map_err(|_| token.wrong("must list IPv6 addresses"))?;
                wire.extend(address.octets());
            }
        }
        ECH => {
            let mut digits = Digits::default();
            let text = std::str::from_utf8(text).unwrap_or("\u{fffd}");
            digits.base64(&mut wire, Token { text, at: token.at, quoted: false })?;
            digits.end_base64(token.at)?;
        }
        _ => wire.extend_from_slice(text),
    }
    Ok(wire)
}

/// Cuts at commas; `\,` and `\\` are themselves (RFC 9460 appendix A.1).
fn list(text: &[u8]) -> Vec<Vec<u8>> {
    let mut items = vec![Vec::new()];
    let mut bytes = text.iter();
    while let Some(&byte) = bytes.next() {
        match byte {
            b',' => items.push(Vec::new()),
            b'\\' => items.last_mut().into_iter().for_each(|item| item.extend(bytes.next())),
            _ => items.last_mut().into_iter().for_each(|item| item.push(byte)),
        }
    }
    items
}

/// What is wrong with the value of one key.
fn value_fault(key: u16, value: &[u8]) -> Option<&'static str> {
    match key {
        MANDATORY if value.is_empty() || !value.len().is_multiple_of(2) => Some("must list keys"),
        MANDATORY if !keys(value).is_sorted_by(|a, b| a < b) => Some("mandatory keys must be distinct"),
        MANDATORY if keys(value).any(|key| key == MANDATORY) => Some("mandatory must not list itself"),
        ALPN if !is_alpn(value) => Some("must list ALPN ids, none empty"),
        NO_DEFAULT_ALPN | OHTTP if !value.is_empty() => Some("must have no value"),
        PORT if value.len() != 2 => Some("must be a port"),
        IPV4HINT if value.is_empty() || !value.len().is_multiple_of(4) => Some("must list IPv4 addresses"),
        IPV6HINT if value.is_empty() || !value.len().is_multiple_of(16) => Some("must list IPv6 addresses"),
        ECH if value.is_empty() => Some("must have a value"),
        _ => None,
    }
}

fn keys(value: &[u8]) -> impl Iterator<Item = u16> {
    value.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
}

fn is_alpn(value: &[u8]) -> bool {
    super::wire::strings(value).is_some_and(|ids| !ids.is_empty() && ids.iter().all(|id| !id.is_empty()))
}

/// What is wrong with parameters together; each is right by itself.
fn fault(list: &[Parameter<'_>]) -> Option<&'static str> {
    let has = |key| list.iter().any(|&(other, _)| other == key);
    if list.iter().any(|&(key, value)| key == MANDATORY && !keys(value).all(has)) {
        return Some("every mandatory key must be present");
    }
    (has(NO_DEFAULT_ALPN) && !has(ALPN)).then_some("no-default-alpn must come with alpn")
}

/// The parameters on the wire, or nothing where they break off.
fn parse(mut wire: &[u8]) -> Option<Vec<Parameter<'_>>> {
    let mut found = Vec::new();
    while !wire.is_empty() {
        let (&[k0, k1, l0, l1], rest) = wire.split_first_chunk()?;
        let (value, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes([l0, l1])))?;
        found.push((u16::from_be_bytes([k0, k1]), value));
        wire = rest;
    }
    Some(found)
}

/// Whether the bytes are parameters in order, alone and together right.
pub(super) fn valid(wire: &[u8]) -> bool {
    parse(wire).is_some_and(|list| {
        list.is_sorted_by(|a, b| a.0 < b.0)
            && list.iter().all(|&(key, value)| key != INVALID && value_fault(key, value).is_none())
            && fault(&list).is_none()
    })
}

/// Appends valid parameters.
pub(super) fn display(out: &mut String, wire: &[u8]) {
    for (index, (key, value)) in parse(wire).unwrap_or_default().into_iter().enumerate() {
        out.push_str(if index == 0 { "" } else { " " });
        out.push_str(&key_name(key));
        if !value.is_empty() {
            out.push('=');
            text::quote(out, &value_text(key, value));
        }
    }
}

fn key_name(key: u16) -> String {
    KEYS.get(usize::from(key)).map_or_else(|| format!("key{key}"), |&name| name.to_owned())
}

/// A value as the bytes of its character string.
fn value_text(key: u16, value: &[u8]) -> Vec<u8> {
    let join = |items: Vec<String>| items.join(",").into_bytes();
    match key {
        MANDATORY => join(keys(value).map(key_name).collect()),
        ALPN => {
            let escaped = |id: &&[u8]| id.iter().flat_map(|&byte| escape_item(byte)).collect::<Vec<u8>>();
            super::wire::strings(value)
                .unwrap_or_default()
                .iter()
                .map(escaped)
                .collect::<Vec<_>>()
                .join(&b',')
        }
        PORT => join(keys(value).map(|port| port.to_string()).collect()),
        IPV4HINT => join(value.as_chunks::<4>().0.iter().map(|&v4| Ipv4Addr::from(v4).to_string()).collect()),
        IPV6HINT => {
            join(value.as_chunks::<16>().0.iter().map(|&v6| Ipv6Addr::from(v6).to_string()).collect())
        }
        ECH => {
            let mut text = String::new();
            codec::base64(&mut text, value);
            text.into_bytes()
        }
        _ => value.to_vec(),
    }
}

fn escape_item(byte: u8) -> impl Iterator<Item = u8> {
    let escape = matches!(byte, b',' | b'\\').then_some(b'\\');
    escape.into_iter().chain([byte])
}
