//! Class CHAOS: which server is this?
//!
//! `version.bind`, `version.server`, `id.server` and `hostname.bind` as TXT
//! (RFC 4892), each refused when its option is off.

use rhumb_zones::Rtype;

use super::opt::Why;
use super::reply::Reply;
use crate::compose::{Owner, Row};
use crate::query::Rcode;
use crate::snapshot::Options;

/// Answers `name` (folded) in class CHAOS.
pub(super) fn answer(options: &Options, name: &[u8], qtype: u16, reply: &mut Reply<'_>) {
    let text = match name {
        b"\x07version\x04bind\0" | b"\x07version\x06server\0" => options.version.as_deref(),
        b"\x02id\x06server\0" | b"\x08hostname\x04bind\0" => options.identity.as_deref(),
        _ => None,
    };
    let Some(text) = text.filter(|_| matches!(Rtype(qtype), Rtype::TXT | Rtype::ANY)) else {
        reply.refuse(Rcode::Refused, Why::Prohibited);
        return;
    };
    // Options are bounded to one character-string when they are read.
    let mut rdata = [0u8; 256];
    let length = text.len().min(255);
    rdata[0] = u8::try_from(length).unwrap_or(u8::MAX);
    rdata[1..=length].copy_from_slice(&text.as_bytes()[..length]);
    reply.authoritative = true;
    let row = Row { owner: Owner::Question, rtype: Rtype::TXT, ttl: 0, rdata: &rdata[..=length] };
    reply.require_chaos(&row);
}
