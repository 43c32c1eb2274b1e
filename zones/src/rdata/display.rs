//! Wire → text, field by field: the inverse of `scan`.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::Range;

use super::table::Field;
use super::time::display_time;
use super::{address_prefixes, codec, gateway, location, parameters, text, types, wire};
use crate::name::Name;
use crate::record::Rtype;

/// Data that fits its type; nothing where it does not.
pub(super) fn rdata(rtype: Rtype, rdata: &[u8]) -> Option<String> {
    let mut parts: Vec<String> = Vec::new();
    let mut known = true;
    wire::walk(rtype.0, rdata, |field, range| {
        known &= !matches!(field, Field::Opaque);
        let text = display(field, rdata, range);
        if !text.is_empty() {
            parts.push(text);
        }
    })?;
    known.then(|| parts.join(" "))
}

/// RFC 3597 §5.
pub(super) fn opaque(rdata: &[u8]) -> String {
    let mut out = format!("\\# {}", rdata.len());
    if !rdata.is_empty() {
        out.push(' ');
        codec::hex(&mut out, rdata);
    }
    out
}

/// Appends an absolute name with its final dot.
pub(super) fn push_name(out: &mut String, wire: &[u8]) {
    if let Ok(name) = Name::from_wire(wire) {
        out.push_str(&name.to_string());
    }
    if wire.len() > 1 {
        out.push('.');
    }
}

fn display(field: Field, rdata: &[u8], range: Range<usize>) -> String {
    let bytes = &rdata[range];
    let mut out = String::new();
    match field {
        Field::U8 | Field::Code8(_) | Field::GatewayKind => out = integer(bytes).to_string(),
        Field::U16 | Field::Code16(_) | Field::U32 | Field::Seconds => out = integer(bytes).to_string(),
        Field::Time => out = display_time(integer(bytes)),
        Field::Type => out = rtype(bytes).to_string(),
        Field::Name(_) => push_name(&mut out, bytes),
        Field::Ip4 => out.extend(bytes.first_chunk::<4>().map(|&v4| Ipv4Addr::from(v4).to_string())),
        Field::Ip6 => out.extend(bytes.first_chunk::<16>().map(|&v6| Ipv6Addr::from(v6).to_string())),
        Field::Eui(_) => groups(&mut out, bytes, (1, '-')),
        Field::Locator => groups(&mut out, bytes, (2, ':')),
        Field::Nsap => {
            out.push_str("0x");
            codec::hex(&mut out, bytes);
        }
        Field::Text | Field::OptionalText | Field::Texts => {
            for (index, string) in wire::strings(bytes).unwrap_or_default().into_iter().enumerate() {
                out.push_str(if index == 0 { "" } else { " " });
                text::quote(&mut out, string);
            }
        }
        Field::Tag => text::escape(&mut out, &bytes[1..]),
        Field::Rest(_) => text::quote(&mut out, bytes),
        Field::Hex(_) => codec::hex(&mut out, bytes),
        Field::Base64(_) => codec::base64(&mut out, bytes),
        Field::Salt if bytes.len() == 1 => out.push('-'),
        Field::Salt => codec::hex(&mut out, &bytes[1..]),
        Field::Hash => codec::base32(&mut out, &bytes[1..]),
        Field::Types => {
            let types = types::parse(bytes).unwrap_or_default();
            out = types.iter().map(Rtype::to_string).collect::<Vec<_>>().join(" ");
        }
        Field::Location => location::display(&mut out, bytes),
        Field::Prefixes => address_prefixes::display(&mut out, bytes),
        Field::Parameters => parameters::display(&mut out, bytes),
        Field::RelayKind => gateway::display_relay_kind(&mut out, bytes[0]),
        Field::Gateway => gateway::display(&mut out, rdata[1], bytes),
        Field::HostIdentity => gateway::display_host_identity(&mut out, bytes),
        Field::Opaque => {}
    }
    out
}

fn integer(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |value, &byte| value << 8 | u32::from(byte))
}

fn rtype(bytes: &[u8]) -> Rtype {
    let [.., high, low] = integer(bytes).to_be_bytes();
    Rtype(u16::from_be_bytes([high, low]))
}

fn groups(out: &mut String, bytes: &[u8], (width, between): (usize, char)) {
    for (index, group) in bytes.chunks(width).enumerate() {
        if index > 0 {
            out.push(between);
        }
        codec::hex(out, group);
    }
}
