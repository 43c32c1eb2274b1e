//! Gateways and host identities: IPSECKEY (RFC 4025), AMTRELAY (RFC 8777),
//! HIP (RFC 8005).
//!
//! A gateway's kind stands in byte 1 of the data of both types: 0 nothing,
//! 1 IPv4, 2 IPv6, 3 a name; AMTRELAY keeps its discovery bit above it.
//! HIP puts all its lengths in front, so it is one field.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::codec::{self, Digits};
use super::display::push_name;
use super::input::Input;
use super::text::number;
use super::wire::name_length;
use crate::lexer::ScanError;

const DISCOVERY: u8 = 0x80;
const KINDS: std::ops::RangeInclusive<u8> = 0..=3;

/// Appends the kind of the later gateway.
pub(super) fn scan_kind(input: &mut Input<'_, '_>) -> Result<(), ScanError> {
    let token = input.need("a gateway type")?;
    let kind = number(token.text).filter(|kind| KINDS.contains(kind));
    input.wire.push(kind.ok_or_else(|| token.error("must be a gateway type from 0 to 3"))?);
    Ok(())
}

/// Appends the discovery bit and the kind of the later relay.
pub(super) fn scan_relay_kind(input: &mut Input<'_, '_>) -> Result<(), ScanError> {
    let token = input.need("the discovery bit")?;
    let discovery = match token.text {
        "0" => 0,
        "1" => DISCOVERY,
        _ => return Err(token.error("the discovery bit must be 0 or 1")),
    };
    scan_kind(input)?;
    if let Some(kind) = input.wire.last_mut() {
        *kind |= discovery;
    }
    Ok(())
}

/// Appends the gateway of the kind that byte 1 gives.
pub(super) fn scan(input: &mut Input<'_, '_>) -> Result<(), ScanError> {
    let kind = input.wire.get(1).map_or(0, |kind| kind & !DISCOVERY);
    if kind == 3 {
        return input.name();
    }
    let token = input.need("a gateway")?;
    match kind {
        1 => {
            let address = token.text.parse::<Ipv4Addr>();
            let address = address.map_err(|_| token.error("a gateway of type 1 must be an IPv4 address"))?;
            input.wire.extend(address.octets());
        }
        2 => {
            let address = token.text.parse::<Ipv6Addr>();
            let address = address.map_err(|_| token.error("a gateway of type 2 must be an IPv6 address"))?;
            input.wire.extend(address.octets());
        }
        _ if token.text == "." => {}
        _ => return Err(token.error("a gateway of type 0 must be .")),
    }
    Ok(())
}

/// The length of a gateway of this kind that starts `wire`.
pub(super) fn length(kind: u8, wire: &[u8]) -> Option<usize> {
    let fixed = |length| (wire.len() >= length).then_some(length);
    match kind & !DISCOVERY {
        0 => Some(0),
        1 => fixed(4),
        2 => fixed(16),
        3 => name_length(wire),
        _ => None,
    }
}

/// Whether the byte is the kind of a gateway.
pub(super) fn is_kind(byte: u8) -> bool {
    KINDS.contains(&byte)
}

/// Whether the byte is the kind of a relay.
pub(super) fn is_relay_kind(byte: u8) -> bool {
    KINDS.contains(&(byte & !DISCOVERY))
}

/// Appends discovery bit and kind.
pub(super) fn display_relay_kind(out: &mut String, byte: u8) {
    out.push_str(&format!("{} {}", byte >> 7, byte & !DISCOVERY));
}

/// Appends a gateway of this kind.
pub(super) fn display(out: &mut String, kind: u8, wire: &[u8]) {
    match (kind & !DISCOVERY, wire.first_chunk::<4>(), wire.first_chunk::<16>()) {
        (1, Some(&v4), _) => out.push_str(&Ipv4Addr::from(v4).to_string()),
        (2, _, Some(&v6)) => out.push_str(&Ipv6Addr::from(v6).to_string()),
        (3, ..) => push_name(out, wire),
        _ => out.push('.'),
    }
}

/// Appends a host identity and its rendezvous servers.
pub(super) fn scan_host_identity(input: &mut Input<'_, '_>) -> Result<(), ScanError> {
    let token = input.need("a public key algorithm")?;
    let algorithm = number(token.text);
    let algorithm = algorithm.ok_or_else(|| token.error("must be a public key algorithm from 0 to 255"))?;
    input.wire.extend([0, algorithm, 0, 0]);

    let token = input.need("a host identity tag in hex")?;
    let mut digits = Digits::default();
    digits.hex(input.wire, token)?;
    digits.end_hex(token.at)?;
    let tag = u8::try_from(input.wire.len() - 4).ok().filter(|&length| length > 0);
    input.wire[0] = tag.ok_or_else(|| token.error("a host identity tag must be of 1 to 255 bytes"))?;

    let token = input.need("a public key in base64")?;
    let key = input.wire.len();
    let mut digits = Digits::default();
    digits.base64(input.wire, token)?;
    digits.end_base64(token.at)?;
    let length = u16::try_from(input.wire.len() - key).ok().filter(|&length| length > 0);
    let length = length.ok_or_else(|| token.error("a public key must be of 1 to 65535 bytes"))?;
    input.wire[2..4].copy_from_slice(&length.to_be_bytes());

    input.names()
}

/// The parts of a host identity.
pub(super) struct HostIdentity<'a> {
    algorithm: u8,
    tag: &'a [u8],
    key: &'a [u8],
    servers: Vec<&'a [u8]>,
}

/// Takes data that is a host identity to its end.
pub(super) fn host_identity(wire: &[u8]) -> Option<HostIdentity<'_>> {
    let (&[tag_length, algorithm, high, low], rest) = wire.split_first_chunk()?;
    let (tag, rest) = rest.split_at_checked(usize::from(tag_length))?;
    let (key, mut rest) = rest.split_at_checked(usize::from(u16::from_be_bytes([high, low])))?;
    let mut servers = Vec::new();
    while !rest.is_empty() {
        let (server, after) = rest.split_at(name_length(rest)?);
        servers.push(server);
        rest = after;
    }
    (!tag.is_empty() && !key.is_empty()).then_some(HostIdentity { algorithm, tag, key, servers })
}

/// Appends a host identity.
pub(super) fn display_host_identity(out: &mut String, wire: &[u8]) {
    let Some(HostIdentity { algorithm, tag, key, servers }) = host_identity(wire) else { return };
    out.push_str(&format!("{algorithm} "));
    codec::hex(out, tag);
    out.push(' ');
    codec::base64(out, key);
    for server in servers {
        out.push(' ');
        push_name(out, server);
    }
}
