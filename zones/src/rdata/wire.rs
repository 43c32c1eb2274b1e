//! Record data cut into the fields of its type.
//!
//! [`walk`] is the one place that knows where a field ends and whether its
//! bytes make sense. What was scanned from text passes it by construction;
//! RFC 3597 data of a known type must pass it before it is let in.

use std::ops::Range;

use super::table::{self, Field};
use super::{address_prefixes, gateway, location, parameters, types};
use crate::name::Name;

/// Calls `each` for every field; nothing when the data does not fit its type.
pub(super) fn walk(number: u16, rdata: &[u8], mut each: impl FnMut(Field, Range<usize>)) -> Option<()> {
    let mut at = 0;
    for &field in table::fields(number) {
        let end = at + length(field, rdata, at)?;
        each(field, at..end);
        at = end;
    }
    (at == rdata.len()).then_some(())
}

/// The length of the field at `at`, which is at most `rdata.len()`.
fn length(field: Field, rdata: &[u8], at: usize) -> Option<usize> {
    let rest = rdata.get(at..)?;
    let fixed = |length| (rest.len() >= length).then_some(length);
    let all = |holds: bool| holds.then_some(rest.len());
    match field {
        Field::U8 | Field::Code8(_) => fixed(1),
        Field::GatewayKind => fixed(1).filter(|_| gateway::is_kind(rest[0])),
        Field::RelayKind => fixed(1).filter(|_| gateway::is_relay_kind(rest[0])),
        Field::U16 | Field::Code16(_) | Field::Type => fixed(2),
        Field::U32 | Field::Seconds | Field::Time | Field::Ip4 => fixed(4),
        Field::Locator => fixed(8),
        Field::Ip6 => fixed(16),
        Field::Eui(length) => fixed(length),
        Field::Name(_) => name_length(rest),
        Field::Text | Field::Salt => string_length(rest),
        Field::Hash => string_length(rest).filter(|&length| length > 1),
        Field::OptionalText if rest.is_empty() => Some(0),
        Field::OptionalText => string_length(rest),
        Field::Texts => all(!rest.is_empty() && strings(rest).is_some()),
        Field::Tag => string_length(rest).filter(|&end| is_tag(&rest[1..end])),
        Field::Rest(empty) | Field::Base64(empty) => all(empty || !rest.is_empty()),
        Field::Nsap => all(!rest.is_empty()),
        Field::Hex(lengths) => all(is_digest(rdata, at, lengths)),
        Field::Types => all(types::valid(rest)),
        Field::Location => all(location::valid(rest)),
        Field::Prefixes => all(address_prefixes::valid(rest)),
        Field::Parameters => all(parameters::valid(rest)),
        Field::Gateway => gateway::length(*rdata.get(1)?, rest),
        Field::HostIdentity => all(gateway::host_identity(rest).is_some()),
        Field::Opaque => Some(rest.len()),
    }
}

/// Whether the data from `at` on is as long as the kind before it asks.
pub(super) fn is_digest(rdata: &[u8], at: usize, lengths: &[(u8, usize)]) -> bool {
    let found = rdata.len() - at;
    let kind = at.checked_sub(1).and_then(|before| rdata.get(before));
    let want = lengths.iter().find(|(known, _)| Some(known) == kind);
    want.map_or(found > 0, |&(_, length)| found == length)
}

/// The length of the uncompressed name that starts `wire`.
pub(super) fn name_length(wire: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        match *wire.get(at)? {
            0 => return (at < Name::MAX_WIRE).then_some(at + 1),
            length @ 1..=63 => at += 1 + usize::from(length),
            _ => return None,
        }
    }
}

/// The length of the character string that starts `wire`, its own length byte
/// included.
pub(super) fn string_length(wire: &[u8]) -> Option<usize> {
    let length = 1 + usize::from(*wire.first()?);
    (length <= wire.len()).then_some(length)
}

/// All of `wire` as character strings.
pub(super) fn strings(mut wire: &[u8]) -> Option<Vec<&[u8]>> {
    let mut found = Vec::new();
    while !wire.is_empty() {
        let (string, rest) = wire.split_at(string_length(wire)?);
        found.push(&string[1..]);
        wire = rest;
    }
    Some(found)
}

/// RFC 8659 §4.1: letters and digits.
pub(super) fn is_tag(tag: &[u8]) -> bool {
    !tag.is_empty() && tag.iter().all(u8::is_ascii_alphanumeric)
}
