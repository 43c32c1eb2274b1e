//! Addresses that stand for others.
//!
//! Translated and tunnelled IPv6 carries the client's IPv4 address inside;
//! databases know the latter only. Private addresses say nothing about where
//! a client is: a query with such a Client Subnet is located by its sender
//! (RFC 7871 §11.2).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// How IPv6 carries an IPv4 address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Embedding {
    /// First address of the IPv6 prefix.
    pub(crate) start: u128,
    /// Length of that prefix, 0–128 bits.
    pub(crate) length: u8,
    /// Bits before the inner address.
    pub(crate) offset: u8,
    /// What the inner address is XORed with.
    mask: u32,
}

/// All of them; disjoint, in ascending order.
pub(crate) const EMBEDDINGS: [Embedding; 4] = [
    // IPv4-mapped, RFC 4291 §2.5.5.2.
    embedding([0, 0, 0, 0, 0, 0xffff], 96, 96, 0),
    // NAT64's well-known prefix, RFC 6052 §2.1.
    embedding([0x64, 0xff9b, 0, 0, 0, 0], 96, 96, 0),
    // Teredo, RFC 4380 §4: the client's address comes last, inverted.
    embedding([0x2001, 0, 0, 0, 0, 0], 32, 96, u32::MAX),
    // 6to4, RFC 3056 §2.
    embedding([0x2002, 0, 0, 0, 0, 0], 16, 16, 0),
];

const fn embedding([a, b, c, d, e, f]: [u16; 6], length: u8, offset: u8, mask: u32) -> Embedding {
    let start = Ipv6Addr::new(a, b, c, d, e, f, 0, 0).to_bits();
    Embedding { start, length, offset, mask }
}

impl Embedding {
    /// The one that `address` uses.
    pub(crate) fn of(address: u128) -> Option<&'static Self> {
        EMBEDDINGS.iter().find(|e| address >> (128 - e.length) == e.start >> (128 - e.length))
    }

    /// The IPv4 address inside `address`.
    #[expect(clippy::cast_possible_truncation, reason = "the inner address is these 32 bits")]
    pub(crate) const fn inner(&self, address: u128) -> u32 {
        (address >> (96 - self.offset)) as u32 ^ self.mask
    }
}

/// The IPv4 address that an IPv6 address stands for: IPv4-mapped, 6to4,
/// Teredo, or NAT64's well-known prefix.
#[must_use]
pub fn inner_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let bits = address.to_bits();
    Embedding::of(bits).map(|embedding| Ipv4Addr::from_bits(embedding.inner(bits)))
}

/// Whether `address`, or the IPv4 address that it stands for, says nothing
/// about where its bearer is on the Internet: private, shared, loopback,
/// link-local, unique local, site-local or unspecified. Documentation prefixes
/// are not among them: nobody is there, and tests and examples are.
#[must_use]
#[inline]
pub fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_private_v4(v4),
        IpAddr::V6(v6) => inner_v4(v6).map_or_else(|| is_private_v6(v6), is_private_v4),
    }
}

fn is_private_v4(address: Ipv4Addr) -> bool {
    let [first, second, ..] = address.octets();
    let this_network = first == 0; // RFC 791 §3.2
    let shared = first == 100 && second & 0xc0 == 64; // RFC 6598
    this_network || shared || address.is_private() || address.is_loopback() || address.is_link_local()
}

fn is_private_v6(address: Ipv6Addr) -> bool {
    let site_local = address.segments()[0] & 0xffc0 == 0xfec0; // RFC 3879
    let host = address.is_unspecified() || address.is_loopback();
    site_local || host || address.is_unique_local() || address.is_unicast_link_local()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inner_addresses() {
        let rows = [
            ("::ffff:192.0.2.1", Some("192.0.2.1"), "mapped"),
            ("64:ff9b::c000:201", Some("192.0.2.1"), "NAT64"),
            ("64:ff9b:1::c000:201", None, "NAT64 of a local prefix has its own layout"),
            ("2002:c000:201:5::1", Some("192.0.2.1"), "6to4, whatever the subnet"),
            ("2001:0:4136:e378:8000:63bf:3fff:fdfe", Some("192.0.2.1"), "Teredo, inverted"),
            ("2001:db8::1", None, "next to Teredo"),
            ("::192.0.2.1", None, "IPv4-compatible is deprecated (RFC 4291 §2.5.5.1)"),
        ];
        for (text, want, why) in rows {
            let got = inner_v4(text.parse().unwrap()).map(|v4| v4.to_string());
            assert_eq!(got.as_deref(), want, "{why}");
        }
    }

    #[test]
    fn private_addresses() {
        let rows = [
            ("10.1.2.3", true, "RFC 1918"),
            ("172.32.0.1", false, "just beyond 172.16/12"),
            ("100.127.255.255", true, "the last of 100.64/10"),
            ("203.0.113.1", false, "documentation is treated as public"),
            ("2001:db8::1", false, "documentation is treated as public"),
            ("fd00::1", true, "unique local"),
            ("0.1.2.3", true, "this network"),
            ("169.254.1.1", true, "link-local"),
            ("192.168.255.255", true, "RFC 1918"),
            ("fe80::1", true, "link-local"),
            ("fec0::1", true, "site-local"),
            ("::", true, "unspecified"),
            ("64:ff9b::a00:1", true, "NAT64 of 10.0.0.1"),
            ("::1", true, "loopback"),
            ("::2", false, "not loopback"),
            ("::ffff:127.0.0.1", true, "by its inner address"),
            ("2002:a00:1::1", true, "6to4 of 10.0.0.1"),
            ("2a00::1", false, "global"),
        ];
        for (text, want, why) in rows {
            assert_eq!(is_private(text.parse().unwrap()), want, "{text}: {why}");
        }
    }
}
