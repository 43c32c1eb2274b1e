//! Who a choice is for: the client's network if we are told, else its
//! resolver.
//!
//! RFC 7871 §7.1: a Client Subnet with SOURCE 0 asks not to be located by it,
//! and one from private space says nothing about where the client is; both
//! fall back to the sender's address and are echoed with SCOPE 0. So does one
//! from a sender that is not among those believed (§11.3): anybody could
//! otherwise ask what is answered elsewhere.

use std::net::IpAddr;

use super::Meta;
use crate::query::Query;
use crate::snapshot::Options;

/// The client behind a query.
#[derive(Clone, Copy, Debug)]
pub(super) struct Client<'q> {
    /// Who sent the packet.
    pub(super) source: IpAddr,
    /// The network behind it and its length, if told and of use.
    pub(super) subnet: Option<(IpAddr, u8)>,
    pub(super) dnssec_ok: bool,
    /// Takes NXDOMAIN with a compact denial (RFC 9824 §5).
    pub(super) compact_ok: bool,
    /// Seconds since 1970.
    pub(super) now: u32,
    pub(super) draw: u64,
    /// The question's name on the wire.
    pub(super) qname: &'q [u8],
}

impl<'q> Client<'q> {
    #[inline]
    pub(super) fn new(query: &Query<'q>, meta: &Meta, options: &Options) -> Self {
        let edns = query.edns.as_ref();
        let believed = || Options::admits(options.client_subnet_from.as_deref(), meta.source);
        let subnet = edns
            .and_then(|edns| edns.subnet)
            .filter(|subnet| subnet.source > 0 && !rhumb_geo::is_private(subnet.address) && believed())
            .map(|subnet| (subnet.address, subnet.source));
        Self {
            source: meta.source,
            subnet,
            dnssec_ok: edns.is_some_and(|edns| edns.dnssec_ok),
            compact_ok: edns.is_some_and(|edns| edns.compact_ok),
            now: meta.now,
            draw: meta.draw,
            qname: query.question.name,
        }
    }
}
