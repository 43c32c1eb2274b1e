//! Address prefixes: `203.0.113.0/24`, `2001:db8::/32`.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// An IPv4 or IPv6 prefix whose host bits are zero.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Prefix {
    address: IpAddr,
    length: u8,
}

impl Prefix {
    /// The prefix of `length` bits that holds `address`.
    ///
    /// # Errors
    /// When `length` is more than the family has bits.
    pub fn containing(address: IpAddr, length: u8) -> Result<Self, PrefixError> {
        let address = match address {
            IpAddr::V4(v4) if length <= 32 => {
                let mask = u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0);
                IpAddr::V4(Ipv4Addr::from(u32::from(v4) & mask))
            }
            IpAddr::V6(v6) if length <= 128 => {
                let mask = u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0);
                IpAddr::V6(Ipv6Addr::from(u128::from(v6) & mask))
            }
            _ => return Err(PrefixError::Length(length)),
        };
        Ok(Self { address, length })
    }

    /// Its first address.
    #[must_use]
    pub const fn address(self) -> IpAddr {
        self.address
    }

    /// Its length in bits: 0–32 or 0–128.
    #[must_use]
    pub const fn length(self) -> u8 {
        self.length
    }

    /// Whether it holds `address`; never across families.
    #[must_use]
    pub fn contains(self, address: IpAddr) -> bool {
        address.is_ipv4() == self.address.is_ipv4() && Self::containing(address, self.length) == Ok(self)
    }
}

impl FromStr for Prefix {
    type Err = PrefixError;

    /// Scans `ADDRESS/LENGTH`, or a bare address as its own longest prefix.
    fn from_str(text: &str) -> Result<Self, PrefixError> {
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| PrefixError::Address)?;
        let length = match length {
            Some(digits) => digits.parse().map_err(|_| PrefixError::Syntax)?,
            None if address.is_ipv4() => 32,
            None => 128,
        };
        let prefix = Self::containing(address, length)?;
        if prefix.address == address { Ok(prefix) } else { Err(PrefixError::HostBits(prefix)) }
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.length)
    }
}

/// Why a text is not a prefix.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PrefixError {
    /// The part before `/` is no address.
    #[error("must start with an IPv4 or IPv6 address")]
    Address,
    /// The part after `/` is no number.
    #[error("must be ADDRESS/LENGTH")]
    Syntax,
    /// More bits than the family has.
    #[error("a length of {0} is more than the address has bits")]
    Length(u8),
    /// Bits set beyond the length; probably a typing error.
    #[error("has bits set beyond its length; did you mean {0}?")]
    HostBits(Prefix),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes() {
        let rows = [
            ("203.0.113.0/24", Ok("203.0.113.0/24"), "plain"),
            ("203.0.113.7", Ok("203.0.113.7/32"), "a bare address is one host"),
            ("0.0.0.0/0", Ok("0.0.0.0/0"), "a shift by the whole width"),
            ("2001:db8::/32", Ok("2001:db8::/32"), "v6"),
            ("::/0", Ok("::/0"), "all of v6"),
            ("203.0.113.7/24", Err("203.0.113.0/24"), "host bits are named in the hint"),
            ("203.0.113.0/33", Err("33"), "too long"),
            ("x/24", Err("address"), "no address"),
            ("203.0.113.0/x", Err("LENGTH"), "no number"),
        ];
        for (text, want, why) in rows {
            match (text.parse::<Prefix>(), want) {
                (Ok(prefix), Ok(want)) => assert_eq!(prefix.to_string(), want, "{why}"),
                (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{why}: {error}"),
                (got, _) => panic!("{text}: {why}: {got:?}"),
            }
        }
    }
}
