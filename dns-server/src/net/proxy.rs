//! For whom a proxy speaks: the PROXY protocol, version 2.
//!
//! A load balancer before this server (dnsdist, HAProxy) puts a header before
//! each datagram, or once before everything else on a stream, with the
//! client's address and the one it asked. From a listed source the header must
//! be there, from any other it is never looked for: a header that anybody may
//! send would be a way to be anybody.
//!
//! Answers go back to the proxy, without a header. What else a header may
//! carry (ports, names, TLS) is skipped. Source: `proxy-protocol.txt` of
//! HAProxy, §2.2.
#![deny(clippy::indexing_slicing)]

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use rhumb_zones::Prefix;
use tokio::io::{AsyncRead, AsyncReadExt as _};

/// What every header starts with.
const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";

/// Octets of a header before its addresses.
const FIXED: usize = 16;

/// Longest rest of a header taken from a stream: addresses and all that
/// proxies are known to add. §2.2.7 advises 216 octets of room at least.
const REST_MAX: usize = 2048;

/// Sources whose headers are believed.
#[derive(Clone, Debug)]
pub(super) struct Proxies(Arc<[Prefix]>);

/// Both ends of a conversation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ends {
    /// The client.
    pub source: IpAddr,
    /// The address it asked, where known.
    pub local: Option<IpAddr>,
}

/// What a header says: nothing when the proxy speaks for itself.
pub type Told = Option<Ends>;

impl Proxies {
    pub(super) fn new(listed: &[Prefix]) -> Self {
        Self(listed.into())
    }

    pub(super) fn include(&self, source: IpAddr) -> bool {
        self.0.iter().any(|prefix| prefix.contains(source.to_canonical()))
    }

    /// The query in a datagram and who it is between; nothing when a proxy
    /// says it wrong.
    pub(super) fn strip<'d>(&self, datagram: &'d [u8], ends: Ends) -> Option<(&'d [u8], Ends)> {
        if !self.include(ends.source) {
            return Some((datagram, ends));
        }
        let (told, query) = split(datagram)?;
        Some((query, told.unwrap_or(ends)))
    }
}

/// The header that a datagram starts with and what follows it; nothing when
/// there is none, or none that is whole.
#[must_use]
pub fn split(datagram: &[u8]) -> Option<(Told, &[u8])> {
    let (fixed, rest) = datagram.split_first_chunk::<FIXED>()?;
    let (rest, query) = rest.split_at_checked(rest_of(fixed)?)?;
    Some((told(fixed, rest)?, query))
}

/// The header that a stream starts with.
///
/// # Errors
/// When there is none, or it is too long, or the stream fails.
pub(super) async fn read<S: AsyncRead + Unpin>(stream: &mut S) -> io::Result<Told> {
    let malformed = || io::Error::from(io::ErrorKind::InvalidData);
    let mut fixed = [0; FIXED];
    stream.read_exact(&mut fixed).await?;
    let length = rest_of(&fixed).filter(|&length| length <= REST_MAX).ok_or_else(malformed)?;
    let mut rest = vec![0; length];
    stream.read_exact(&mut rest).await?;
    told(&fixed, &rest).ok_or_else(malformed)
}

/// How many octets follow.
fn rest_of(fixed: &[u8; FIXED]) -> Option<usize> {
    let (signature, [_, _, high, low]) = fixed.split_first_chunk()? else { return None };
    (*signature == SIGNATURE).then_some(usize::from(u16::from_be_bytes([*high, *low])))
}

/// What the header says; the outer nothing when it is malformed.
fn told(fixed: &[u8; FIXED], rest: &[u8]) -> Option<Told> {
    let [.., version_and_command, family, _, _] = *fixed;
    match (version_and_command, family >> 4) {
        // LOCAL: a health check of the proxy's. UNSPEC: it does not know.
        (0x20, _) | (0x21, 0) => Some(None),
        (0x21, 1) => {
            let (addresses, _) = rest.split_first_chunk::<12>()?;
            let [a, b, c, d, e, f, g, h, ..] = *addresses;
            let (source, local) = (Ipv4Addr::new(a, b, c, d), Ipv4Addr::new(e, f, g, h));
            Some(Some(Ends { source: source.into(), local: Some(local.into()) }))
        }
        (0x21, 2) => {
            let (_ports_too, _) = rest.split_first_chunk::<36>()?;
            let (source, after) = rest.split_first_chunk::<16>()?;
            let local = after.first_chunk::<16>()?;
            let [source, local] = [source, local].map(|octets| IpAddr::V6(Ipv6Addr::from(*octets)));
            Some(Some(Ends { source: source.to_canonical(), local: Some(local.to_canonical()) }))
        }
        _ => None,
    }
}
