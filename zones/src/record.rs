//! Resource records as zone files give them.

use std::fmt;
use std::str::FromStr;

use crate::name::{Name, NameRef};
use crate::rdata;

/// A record type by number (RFC 1035 §3.2.2 and the IANA registry).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Rtype(pub u16);

impl Rtype {
    /// IPv4 address.
    pub const A: Self = Self(1);
    /// Name server.
    pub const NS: Self = Self(2);
    /// Alias.
    pub const CNAME: Self = Self(5);
    /// Start of authority.
    pub const SOA: Self = Self(6);
    /// Pointer.
    pub const PTR: Self = Self(12);
    /// Mail exchange.
    pub const MX: Self = Self(15);
    /// Text.
    pub const TXT: Self = Self(16);
    /// IPv6 address.
    pub const AAAA: Self = Self(28);
    /// Service locator.
    pub const SRV: Self = Self(33);
    /// Naming authority pointer.
    pub const NAPTR: Self = Self(35);
    /// Alias of a subtree (RFC 6672).
    pub const DNAME: Self = Self(39);
    /// EDNS options (RFC 6891).
    pub const OPT: Self = Self(41);
    /// Delegation signer.
    pub const DS: Self = Self(43);
    /// Signature.
    pub const RRSIG: Self = Self(46);
    /// Next name.
    pub const NSEC: Self = Self(47);
    /// Zone key.
    pub const DNSKEY: Self = Self(48);
    /// Hashed next name.
    pub const NSEC3: Self = Self(50);
    /// How names are hashed (RFC 5155).
    pub const NSEC3PARAM: Self = Self(51);
    /// What the parent's DS shall be (RFC 7344).
    pub const CDS: Self = Self(59);
    /// The key that the parent's DS shall be of (RFC 7344).
    pub const CDNSKEY: Self = Self(60);
    /// Digest of a whole zone (RFC 8976).
    pub const ZONEMD: Self = Self(63);
    /// Service binding (RFC 9460).
    pub const SVCB: Self = Self(64);
    /// Service binding for HTTPS (RFC 9460).
    pub const HTTPS: Self = Self(65);
    /// Everything (RFC 8482).
    pub const ANY: Self = Self(255);

    /// Whether it can be the type of a record in a zone: not 0, OPT, the
    /// query and meta types 128–255 or 65535 (RFC 6895 §3.1).
    #[must_use]
    pub const fn is_data(self) -> bool {
        !matches!(self.0, 0 | 41 | 128..=255 | 65_535)
    }
}

impl fmt::Display for Rtype {
    /// Its mnemonic, or `TYPE` and its number (RFC 3597 §5).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match rdata::mnemonic(*self) {
            Some(mnemonic) => f.pad(mnemonic),
            None => f.pad(&format!("TYPE{}", self.0)),
        }
    }
}

impl FromStr for Rtype {
    type Err = RtypeError;

    /// Scans a mnemonic or `TYPE` and a number, whatever the case.
    fn from_str(text: &str) -> Result<Self, RtypeError> {
        rdata::by_mnemonic(text).ok_or(RtypeError)
    }
}

/// A text names no record type.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("must be a record type such as AAAA or TYPE65280")]
pub struct RtypeError;

/// One record, class IN.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    /// Its owner.
    pub owner: Name,
    /// Its type.
    pub rtype: Rtype,
    /// Seconds, 0 to 2³¹ − 1 (RFC 2181 §8).
    pub ttl: u32,
    /// Its data in wire form, names uncompressed.
    pub rdata: Box<[u8]>,
}

impl Record {
    /// The same record, borrowed.
    #[must_use]
    pub fn view(&self) -> RecordRef<'_> {
        RecordRef { owner: self.owner.view(), rtype: self.rtype, ttl: self.ttl, rdata: &self.rdata }
    }
}

/// One record of somebody's, class IN.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RecordRef<'a> {
    /// Its owner.
    pub owner: NameRef<'a>,
    /// Its type.
    pub rtype: Rtype,
    /// Seconds, 0 to 2³¹ − 1 (RFC 2181 §8).
    pub ttl: u32,
    /// Its data in wire form, names uncompressed.
    pub rdata: &'a [u8],
}

impl RecordRef<'_> {
    /// The same record on its own.
    #[must_use]
    pub fn to_record(&self) -> Record {
        Record { owner: self.owner.to_name(), rtype: self.rtype, ttl: self.ttl, rdata: self.rdata.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mnemonics() {
        let rows = [
            ("AAAA", Some("AAAA"), "a mnemonic"),
            ("nsec3param", Some("NSEC3PARAM"), "whatever the case"),
            ("type28", Some("AAAA"), "a known number"),
            ("TYPE65280", Some("TYPE65280"), "an unknown one"),
            ("TYPE65536", None, "too large"),
            ("TYPE+1", None, "no sign"),
            ("TYPE", None, "no number"),
            ("TÝPE1", None, "a character cut in two by a careless slice"),
            ("AAA", None, "no type"),
            ("", None, "nothing"),
        ];
        for (text, want, why) in rows {
            let got = text.parse::<Rtype>().ok().map(|rtype| rtype.to_string());
            assert_eq!(got.as_deref(), want, "{text}: {why}");
        }
    }
}
