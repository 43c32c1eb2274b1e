//! The OPT record of a query and the options Rhumb knows.
//!
//! RFC 6891; Client Subnet is RFC 7871 §6 and its malformations §7.1.2;
//! NSID is RFC 5001, COOKIE RFC 7873, keepalive RFC 7828, padding RFC 7830.
//! Options nobody here knows are skipped, as §6.1.2 asks.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::reader::Reader;
use crate::cookie::Cookie;

const OPT: u16 = 41;
pub(crate) const OPTION_NSID: u16 = 3;
pub(crate) const OPTION_SUBNET: u16 = 8;
pub(crate) const OPTION_COOKIE: u16 = 10;
pub(crate) const OPTION_KEEPALIVE: u16 = 11;
pub(crate) const OPTION_PADDING: u16 = 12;

/// What an OPT record says.
#[derive(Debug)]
pub(crate) struct Edns<'a> {
    /// Largest UDP message the client takes, octets.
    pub(crate) udp_size: u16,
    pub(crate) version: u8,
    pub(crate) dnssec_ok: bool,
    /// CO: a compact denial may come with NXDOMAIN (RFC 9824 §5.1).
    pub(crate) compact_ok: bool,
    pub(crate) nsid: bool,
    /// Whether the client asks how long its connection may be idle.
    pub(crate) keepalive: bool,
    /// Whether the client hides the length of its messages.
    pub(crate) padding: bool,
    pub(crate) subnet: Option<Subnet<'a>>,
    pub(crate) cookie: Option<Cookie<'a>>,
}

/// A well-formed Client Subnet option.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subnet<'a> {
    /// The network, host bits zero.
    pub(crate) address: IpAddr,
    /// SOURCE PREFIX-LENGTH.
    pub(crate) source: u8,
    /// FAMILY, SOURCE, SCOPE and ADDRESS as received, to be repeated.
    pub(crate) wire: &'a [u8],
}

/// Reads the additional section.
///
/// # Errors
/// When a record or a known option is malformed, or there are two OPTs: the
/// value says whether an OPT had been read whole before.
pub(crate) fn read<'a>(reader: &mut Reader<'a>, records: u16) -> Result<Option<Edns<'a>>, bool> {
    let mut edns = None;
    for _ in 0..records {
        let found = edns.is_some();
        match read_record(reader) {
            Some(None) => {}
            Some(Some(_)) if found => return Err(true),
            Some(Some(opt)) => edns = Some(read_options(&opt).ok_or(true)?),
            None => return Err(found),
        }
    }
    Ok(edns)
}

/// The network of the client, if the next record is an OPT that tells it well.
pub(super) fn glance(reader: &mut Reader<'_>) -> Option<IpAddr> {
    let opt = read_record(reader)??;
    let mut options = Reader::new(opt.rdata);
    loop {
        let [code, length] = options.words()?;
        let data = options.take(usize::from(length))?;
        if code == OPTION_SUBNET {
            return read_subnet(data).map(|subnet| subnet.address);
        }
    }
}

struct Opt<'a> {
    udp_size: u16,
    ttl: [u16; 2],
    rdata: &'a [u8],
}

/// The next record: an OPT, or something to ignore.
fn read_record<'a>(reader: &mut Reader<'a>) -> Option<Option<Opt<'a>>> {
    let start = reader.position();
    reader.skip_name()?;
    let root = reader.since(start) == [0];
    let [rtype, class, ttl_high, ttl_low, length] = reader.words()?;
    let rdata = reader.take(usize::from(length))?;
    match (rtype, root) {
        (OPT, true) => Some(Some(Opt { udp_size: class, ttl: [ttl_high, ttl_low], rdata })),
        (OPT, false) => None,
        _ => Some(None),
    }
}

fn read_options<'a>(opt: &Opt<'a>) -> Option<Edns<'a>> {
    let [_, version] = opt.ttl[0].to_be_bytes();
    let mut edns = Edns {
        udp_size: opt.udp_size,
        version,
        dnssec_ok: opt.ttl[1] & 0x8000 != 0,
        compact_ok: opt.ttl[1] & 0x4000 != 0,
        nsid: false,
        keepalive: false,
        padding: false,
        subnet: None,
        cookie: None,
    };
    // What options look like in another version, nobody knows: BADVERS.
    let mut options = Reader::new(if version == 0 { opt.rdata } else { &[] });
    while !options.is_empty() {
        let [code, length] = options.words()?;
        let data = options.take(usize::from(length))?;
        match code {
            OPTION_NSID => edns.nsid = true,
            OPTION_KEEPALIVE => edns.keepalive = true,
            OPTION_PADDING => edns.padding = true,
            // Of several, the first counts (RFC 7873 §5.2).
            OPTION_COOKIE if edns.cookie.is_none() => edns.cookie = Some(Cookie::read(data)?),
            // RFC 7871 does not say what two mean; the first stands.
            OPTION_SUBNET if edns.subnet.is_none() => edns.subnet = Some(read_subnet(data)?),
            _ => {}
        }
    }
    Some(edns)
}

/// RFC 7871 §7.1.2: SCOPE must be 0, the address as short as SOURCE allows
/// and zero beyond it, the family known; else FORMERR. Family 0 with nothing
/// behind it is how some clients say "no subnet".
fn read_subnet(data: &[u8]) -> Option<Subnet<'_>> {
    let mut reader = Reader::new(data);
    let family = reader.word()?;
    let (source, scope) = (reader.byte()?, reader.byte()?);
    let octets = usize::from(source).div_ceil(8);
    let bytes = reader.take(octets)?;
    let mut raw = [0u8; 16];
    raw.get_mut(..octets)?.copy_from_slice(bytes);
    let bits = u128::from_be_bytes(raw);
    let stray = bits.checked_shl(u32::from(source)).unwrap_or(0);
    let address = match family {
        0 if source == 0 => Ipv4Addr::UNSPECIFIED.into(),
        1 if source <= 32 => {
            let [a, b, c, d, ..] = raw;
            Ipv4Addr::new(a, b, c, d).into()
        }
        2 if source <= 128 => Ipv6Addr::from(bits).into(),
        _ => return None,
    };
    (scope == 0 && stray == 0 && reader.is_empty()).then_some(Subnet { address, source, wire: data })
}
