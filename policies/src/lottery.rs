//! Fixed arithmetic behind every random or hashed choice.
//!
//! One lottery serves `weighted` and `sticky`: each member draws a number from
//! a seed and its own name, and the smallest `−ln(u) / weight` wins (weighted
//! rendezvous hashing; Thaler and Ravishankar 1998, weights as in Efraimidis
//! and Spirakis 2006). Shares are proportional to weight among whoever takes
//! part, further ranks are drawn without replacement, and a member that joins
//! or leaves moves only its own share. The seed is the query's random draw for
//! `weighted`, the hash of the client's scope for `sticky`.
//!
//! Every server of a zone, today's and next year's, must make the same sticky
//! choice: so members are known by name, not by index, the hash is spelled out
//! here instead of taken from a crate that may change it, and the logarithm
//! uses only operations that IEEE 754 rounds alike everywhere.

use std::net::IpAddr;

use rhumb_zones::Prefix;

/// Where a member's luck comes from.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Seed {
    /// A fresh random number per query.
    Draw,
    /// The client's scope prefix.
    Client,
}

/// The hash of a client's scope prefix, for [`Client`](crate::Client).
#[must_use]
pub fn client_hash(scope: Prefix) -> u64 {
    let hash = match scope.address() {
        IpAddr::V4(address) => name_hash(&address.octets()),
        IpAddr::V6(address) => name_hash(&address.octets()),
    };
    mix(hash ^ u64::from(scope.length()))
}

/// FNV-1a of 64 bits (Fowler, Noll, Vo).
pub(crate) fn name_hash(name: &[u8]) -> u64 {
    name.iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// A member's result; the lowest wins. Weight 0 comes after all others.
pub(crate) fn score(seed: u64, name: u64, weight: u32) -> u64 {
    if weight == 0 {
        return u64::MAX;
    }
    (minus_ln(mix(seed ^ name)) / f64::from(weight)).to_bits() // positive floats order like their bits
}

/// Where a client stands in the ramp of a datacenter, as a fraction of 2³²: it
/// is inside while the ramp's share is above. Independent of [`score`], or
/// ramps would fill with the clients that like a datacenter best.
pub(crate) const fn ramp_place(client: u64, datacenter: u64) -> u32 {
    /// [`name_hash`] of `ramp`.
    const SALT: u64 = 0x6db0_031f_d1e8_d129;
    let bytes = mix(client ^ datacenter ^ SALT).to_be_bytes();
    u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}

/// The finaliser of SplitMix64: every input bit reaches every output bit.
pub(crate) const fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// −ln of `random` as a fraction of 2⁶⁴, to 2·10⁻⁷: far below the 1 % that
/// shares are held to.
fn minus_ln(random: u64) -> f64 {
    let random = random | 1; // never zero
    let halvings = random.leading_zeros();
    // The rest is in [½, 1): 53 bits of it fit a float exactly.
    let rest = (random << halvings >> 11) as f64 / (1_u64 << 53) as f64;
    // ln(x) = 2 artanh((x − 1) / (x + 1)), whose argument is within [−⅓, 0).
    let s = (1.0 - rest) / (1.0 + rest);
    let s2 = s * s;
    let tail = 1.0 / 7.0 + s2 * (1.0 / 9.0 + s2 / 11.0);
    let series = s * (1.0 + s2 * (1.0 / 3.0 + s2 * (1.0 / 5.0 + s2 * tail)));
    2.0 * series + f64::from(halvings) * std::f64::consts::LN_2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logarithm() {
        for random in [1, 3, 1 << 20, u64::MAX / 3, u64::MAX / 2, u64::MAX / 2 + 1, u64::MAX - 9_999] {
            let want = -(((random | 1) as f64) / 2_f64.powi(64)).ln();
            assert!((minus_ln(random) - want).abs() < 2e-7, "{random}: {} is not {want}", minus_ln(random));
        }
    }

    #[test]
    fn the_algorithm_is_fixed() {
        assert_eq!(name_hash(b"foobar"), 0x8594_4171_f739_67e8, "the test vector of FNV-1a");
        let scope = "192.0.2.0/24".parse().unwrap();
        assert_eq!(client_hash(scope), 0x0244_a803_20bb_c247, "changing it moves every sticky client");
        assert_eq!(
            score(client_hash(scope), name_hash(b"north"), 3),
            4_592_767_384_939_687_665,
            "so does this"
        );
    }

    #[test]
    fn shares_follow_weights() {
        let weights = [("north", 5), ("south", 3), ("east", 2), ("off", 0)];
        let draws = 400_000_u64;
        let mut won = [0.0; 4];
        for draw in 0..draws {
            let winner =
                (0..4).min_by_key(|&i| score(mix(draw), name_hash(weights[i].0.as_bytes()), weights[i].1));
            won[winner.unwrap()] += 1.0 / draws as f64;
        }
        for ((name, weight), share) in weights.iter().zip(won) {
            let want = f64::from(*weight) / 10.0;
            assert!((share - want).abs() <= want / 100.0, "{name}: {share} is not {want}");
        }
    }
}
