//! The OPT record of a query and the options Rhumb knows.
//!
//! RFC 6891; Client Subnet is RFC 7871 §6 and its malformations §7.1.2;
//! NSID is RFC 5001, COOKIE RFC 7873, keepalive RFC 7828, padding RFC 7830.
//! Options nobody here knows are skipped, as §6.1.2 asks.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::reader::Reader;
use crate::cookie::Cookie;

const OPT: u16 = 41;
const TSIG: u16 = 250;
/// Octets of an OPT record before its options, its owner the root.
const OPT_HEAD: usize = 11;
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

/// Reads the additional section, and says whether it has a TSIG, which is for
/// others to look at.
///
/// # Errors
/// When a record or a known option is malformed, or there are two OPTs: the
/// value says whether an OPT had been read whole before.
#[inline]
pub(crate) fn read<'a>(reader: &mut Reader<'a>, records: u16) -> Result<(Option<Edns<'a>>, bool), bool> {
    let (mut edns, mut is_sealed) = (None, false);
    for _ in 0..records {
        let found = edns.is_some();
        match read_record(reader).ok_or(found)? {
            Record::Opt(_) if found => return Err(true),
            Record::Opt(opt) => edns = Some(read_options(&opt).ok_or(true)?),
            Record::Tsig => is_sealed = true,
            Record::Other => {}
        }
    }
    Ok((edns, is_sealed))
}

/// The network of the client, if the next record is an OPT that tells it well.
pub(super) fn glance(reader: &mut Reader<'_>) -> Option<IpAddr> {
    let Record::Opt(opt) = read_record(reader)? else { return None };
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

/// A record of the additional section.
enum Record<'a> {
    Opt(Opt<'a>),
    Tsig,
    /// Something to ignore.
    Other,
}

/// The next record; nothing if it is malformed.
#[inline]
fn read_record<'a>(reader: &mut Reader<'a>) -> Option<Record<'a>> {
    if let Some(&[0, 0, 41, s, t, v, w, x, y, l, m]) = reader.peek::<OPT_HEAD>() {
        let [udp_size, high, low, length] = [[s, t], [v, w], [x, y], [l, m]].map(u16::from_be_bytes);
        reader.take(OPT_HEAD)?;
        let rdata = reader.take(usize::from(length))?;
        return Some(Record::Opt(Opt { udp_size, ttl: [high, low], rdata }));
    }
    match skip_record(reader)? {
        // Its owner is not the root, which is all that it may be.
        OPT => None,
        TSIG => Some(Record::Tsig),
        _ => Some(Record::Other),
    }
}

/// Skips a record and tells its type.
fn skip_record(reader: &mut Reader<'_>) -> Option<u16> {
    reader.skip_name()?;
    let [rtype, _class, _ttl_high, _ttl_low, length] = reader.words()?;
    reader.take(usize::from(length))?;
    Some(rtype)
}

#[inline]
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
#[inline]
fn read_subnet(data: &[u8]) -> Option<Subnet<'_>> {
    let (&[family_high, family, source, scope], bytes) = data.split_first_chunk()?;
    if family_high != 0 || scope != 0 || bytes.len() != usize::from(source).div_ceil(8) {
        return None;
    }
    let address = match family {
        0 if source == 0 => Ipv4Addr::UNSPECIFIED.into(),
        1 => Ipv4Addr::from(first_bits::<4>(bytes).map(u32::from_be_bytes)?).into(),
        2 => Ipv6Addr::from(first_bits::<16>(bytes).map(u128::from_be_bytes)?).into(),
        _ => return None,
    };
    // Nothing may stand beyond the bits that count.
    let spare = bytes.len() * 8 - usize::from(source);
    let stray = bytes.last().is_some_and(|last| last & !(u8::MAX << spare) != 0);
    (!stray).then_some(Subnet { address, source, wire: data })
}

/// `bytes` as the first of `N`, the rest zero; nothing if they are more.
fn first_bits<const N: usize>(bytes: &[u8]) -> Option<[u8; N]> {
    let mut raw = [0; N];
    raw.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    (bytes.len() <= N).then_some(raw)
}
