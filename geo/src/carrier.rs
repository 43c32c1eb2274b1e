//! Built-in carriers: the prefixes of China's network operators.
//!
//! Where carriers interconnect badly, a client should be answered with an
//! address of its own carrier, and there prefix lists know better than ASNs,
//! since provincial networks announce under many. The lists are those of
//! china-operator-ip-lists, made from BGP tables; see `data/README.md`. Each
//! is a number of prefixes and then, for each, one byte for its length and the
//! gap before it; IPv4 first, then IPv6 in /64s.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use rhumb_zones::Prefix;

use crate::packed::Packed;

/// Names of the built-in carriers, in alphabetical order.
pub const NAMES: [&str; 6] = ["cernet", "chinanet", "cmcc", "cstnet", "drpeng", "unicom"];

const LISTS: &[u8] = include_bytes!("../data/carriers.bin");

/// The prefixes of a built-in carrier, ascending and disjoint, IPv4 first;
/// nothing when there is none of that name.
#[must_use]
pub fn builtin(name: &str) -> Option<Vec<Prefix>> {
    let wanted = NAMES.iter().position(|known| *known == name)?;
    let mut packed = Packed(LISTS);
    (0..=wanted).map(|_| list(&mut packed)).last()
}

fn list(packed: &mut Packed) -> Vec<Prefix> {
    let v4 =
        |start| IpAddr::V4(Ipv4Addr::from_bits(u32::try_from(start).expect("prefixes end with the family")));
    let v6 = |start| IpAddr::V6(Ipv6Addr::from_bits(start));
    let mut prefixes = family(packed, 32, 0, v4);
    prefixes.extend(family(packed, 128, 64, v6));
    prefixes
}

fn family(packed: &mut Packed, bits: u8, shift: u32, address: impl Fn(u128) -> IpAddr) -> Vec<Prefix> {
    let mut start = 0u128;
    let count = packed.number();
    let mut next = || {
        let length = packed.byte();
        start += packed.number() << shift;
        let prefix = Prefix::containing(address(start), length).expect("embedded data is well-formed");
        start += 1 << (bits - length);
        prefix
    };
    (0..count).map(|_| next()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn builtin_lists() {
        let rows = [
            ("chinanet", "202.96.128.86", true, "a resolver of Guangdong Telecom"),
            ("chinanet", "240e::1", true, "240e::/18 and more"),
            ("chinanet", "202.106.0.20", false, "a resolver of Beijing Unicom"),
            ("unicom", "202.106.0.20", true, "a resolver of Beijing Unicom"),
            ("unicom", "2408:8000::1", true, "2408:8000::/20"),
            ("cmcc", "221.130.33.52", true, "a resolver of China Mobile"),
            ("cernet", "202.112.0.35", true, "Tsinghua"),
            ("cstnet", "159.226.8.6", true, "the Academy of Sciences"),
            ("drpeng", "8.8.8.8", false, "not in China"),
        ];
        for (name, address, want, why) in rows {
            let address = address.parse().unwrap();
            let held = builtin(name).unwrap().iter().any(|prefix| prefix.contains(address));
            assert_eq!(held, want, "{name} {address}: {why}");
        }
        assert_eq!(builtin("telecom"), None, "no such list");
    }

    #[test]
    fn every_list_is_read_to_its_end() {
        let mut packed = Packed(LISTS);
        let lists = NAMES.map(|_| list(&mut packed));
        assert_eq!(packed.0.len(), 0);
        for (name, list) in NAMES.iter().zip(lists) {
            assert!(list.len() > 30, "{name}");
            assert!(list.is_sorted_by(|a, b| a < b), "{name}");
        }
    }
}
