//! What proves that something does not exist: the pieces of NSEC and NSEC3.
//!
//! Which names a proof needs is the server's business; here are the parts
//! that do not depend on it: the type bitmap (RFC 4034 §4.1.2), the hash of
//! a name (RFC 5155 §5), its text, and the order of names (RFC 4034 §6.1).
//!
//! **Invariant:** nothing here allocates.

use std::cmp::Ordering;

use rhumb_zones::Rtype;
use ring::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY};

/// Octets of a SHA-1 hash, the only one there is for NSEC3 (RFC 5155 §11).
pub const HASH: usize = 20;
/// Octets of its text in base32hex.
pub const HASH_TEXT: usize = 32;

/// Most octets a bitmap of [`Types::MAX`] types takes: each in a window of
/// its own at worst.
pub const MAX_BITMAP: usize = Types::MAX * 34;

/// The types at one name, for a bitmap.
#[derive(Clone, Debug)]
pub struct Types {
    list: [u16; Self::MAX],
    count: usize,
}

impl Types {
    /// Types one name may have: all that are in use together, and more than
    /// any zone gives one name.
    pub const MAX: usize = 128;

    /// No type.
    #[must_use]
    pub const fn new() -> Self {
        Self { list: [0; Self::MAX], count: 0 }
    }

    /// Adds a type; one that is there already is not added again.
    pub fn add(&mut self, rtype: Rtype) {
        let Err(at) = self.list[..self.count].binary_search(&rtype.0) else { return };
        if self.count < Self::MAX {
            self.list.copy_within(at..self.count, at + 1);
            self.list[at] = rtype.0;
            self.count += 1;
        }
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Whether this one is there.
    #[must_use]
    pub fn has(&self, rtype: Rtype) -> bool {
        self.list[..self.count].binary_search(&rtype.0).is_ok()
    }

    /// Whether anything at the name is signed: of a delegation only DS is
    /// (RFC 5155 §7.1).
    #[must_use]
    pub fn is_signed(&self) -> bool {
        !self.is_empty() && (self.has(Rtype::DS) || !self.has(Rtype::NS) || self.has(Rtype::SOA))
    }

    /// Writes the bitmap at the start of `out` and gives its length.
    pub fn write(&self, out: &mut [u8; MAX_BITMAP]) -> usize {
        let mut end = 0;
        for window in self.list[..self.count].chunk_by(|a, b| a >> 8 == b >> 8) {
            let start = end + 2;
            let [block, last] = window[window.len() - 1].to_be_bytes();
            let octets = usize::from(last) / 8 + 1;
            out[start..start + octets].fill(0);
            for rtype in window {
                let [_, low] = rtype.to_be_bytes();
                out[start + usize::from(low) / 8] |= 0x80 >> (low % 8);
            }
            out[end] = block;
            out[end + 1] = last / 8 + 1;
            end = start + octets;
        }
        end
    }
}

impl Default for Types {
    fn default() -> Self {
        Self::new()
    }
}

/// Hashes a name (wire form, lower case) as RFC 5155 §5 says.
#[must_use]
pub fn hash(name: &[u8], salt: &[u8], iterations: u16) -> [u8; HASH] {
    let round = |data: &[u8]| {
        let mut context = Context::new(&SHA1_FOR_LEGACY_USE_ONLY);
        context.update(data);
        context.update(salt);
        let mut hash = [0; HASH];
        hash.copy_from_slice(context.finish().as_ref());
        hash
    };
    (0..iterations).fold(round(name), |hash, _| round(&hash))
}

/// A hash as a label's text: base32hex, lower case, no padding.
#[must_use]
pub fn text(hash: &[u8; HASH]) -> [u8; HASH_TEXT] {
    const DIGITS: &[u8; 32] = b"0123456789abcdefghijklmnopqrstuv";
    let mut out = [0; HASH_TEXT];
    for (five, eight) in hash.chunks_exact(5).zip(out.chunks_exact_mut(8)) {
        let bits = five.iter().fold(0u64, |bits, &byte| bits << 8 | u64::from(byte));
        for (index, digit) in eight.iter_mut().enumerate() {
            *digit = DIGITS[usize::try_from(bits >> (35 - 5 * index) & 31).unwrap_or_default()];
        }
    }
    out
}

/// Compares two names in wire form and lower case in canonical order
/// (RFC 4034 §6.1): label by label from the right.
#[must_use]
pub fn compare(a: &[u8], b: &[u8]) -> Ordering {
    let (mut starts_a, mut starts_b) = ([0u8; 128], [0u8; 128]);
    let (labels_a, labels_b) = (starts(a, &mut starts_a), starts(b, &mut starts_b));
    let label = |name: &'_ [u8], at: u8| -> (usize, usize) {
        let at = usize::from(at);
        (at + 1, at + 1 + usize::from(name[at]))
    };
    for (&x, &y) in starts_a[..labels_a].iter().rev().zip(starts_b[..labels_b].iter().rev()) {
        let ((from_a, to_a), (from_b, to_b)) = (label(a, x), label(b, y));
        let order = a[from_a..to_a].cmp(&b[from_b..to_b]);
        if order.is_ne() {
            return order;
        }
    }
    labels_a.cmp(&labels_b)
}

/// Where the labels of a name start, and how many there are.
fn starts(name: &[u8], out: &mut [u8; 128]) -> usize {
    let (mut at, mut count) = (0, 0);
    while let Some(&length) = name.get(at).filter(|&&length| length > 0) {
        out[count] = u8::try_from(at).unwrap_or(u8::MAX);
        count += 1;
        at += usize::from(length) + 1;
    }
    count
}

#[cfg(test)]
mod tests {
    use rhumb_zones::{Name, rdata};

    use super::*;

    #[test]
    fn bitmaps() {
        let rows: [(&[u16], &str); 4] = [
            (&[1, 15, 46, 47, 1234], "A MX RRSIG NSEC TYPE1234"),
            (&[47, 1, 46, 1], "A RRSIG NSEC"),
            (&[257, 65_534, 128], "NXNAME CAA TYPE65534"),
            (&[], ""),
        ];
        for (types, want) in rows {
            let mut set = Types::new();
            types.iter().for_each(|&rtype| set.add(Rtype(rtype)));
            let mut bitmap = [0xff; MAX_BITMAP];
            let length = set.write(&mut bitmap);
            let mut nsec = vec![0];
            nsec.extend_from_slice(&bitmap[..length]);
            assert_eq!(rdata::display(Rtype::NSEC, &nsec).trim_start_matches('.').trim(), want, "{types:?}");
        }
    }

    /// The example zone of RFC 5155, appendix A.
    #[test]
    fn hashes_of_rfc_5155() {
        let salt = [0xaa, 0xbb, 0xcc, 0xdd];
        let rows = [
            ("example.", "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom"),
            ("a.example.", "35mthgpgcu1qg68fab165klnsnk3dpvl"),
            ("*.w.example.", "r53bq7cc2uvmubfu5ocmm6pers9tk9en"),
        ];
        for (name, want) in rows {
            let name = Name::scan_absolute(name).expect("a name");
            assert_eq!(text(&hash(&name.folded(), &salt, 12)), *want.as_bytes(), "{name}");
        }
    }

    #[test]
    fn order_of_rfc_4034() {
        let names = [
            "example.",
            "a.example.",
            "yljkjljk.a.example.",
            "z.a.example.",
            "zabc.a.example.",
            "z.example.",
            "\\001.z.example.",
            "*.z.example.",
            "\\200.z.example.",
        ];
        let names = names.map(|name| Name::scan_absolute(name).expect("a name").folded());
        for (i, a) in names.iter().enumerate() {
            for (j, b) in names.iter().enumerate() {
                assert_eq!(compare(a, b), i.cmp(&j), "{i} and {j}");
            }
        }
    }
}
