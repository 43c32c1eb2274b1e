//! From an RRset to its RRSIG (RFC 4034 §3, §6).
//!
//! A [`Signer`] is one key at work for one zone. It first looks for the
//! signature of this very content in the [`Cache`]; only where there is none,
//! or one that is due, does it put the RRset in canonical form and sign it.
//! Signatures hold from an hour ago, because clocks differ, for the policy's
//! validity. They are due somewhere between half and five eighths of that,
//! where exactly is the content's own chance: a million signatures made in one
//! minute are renewed over days, and a validator's cache never meets the end.
//!
//! **Invariant:** a signature that is found costs no allocation and no system
//! call; making one costs both.

use std::borrow::Cow;
use std::hash::{BuildHasher as _, Hasher as _};
use std::sync::Arc;

use foldhash::fast::RandomState;
use rhumb_zones::{Rtype, rdata};

use crate::cache::{Cache, Digest, Window};
use crate::pair::KeyPair;

/// Octets of RRSIG rdata before the signer's name (RFC 4034 §3.1).
const HEAD: usize = 18;

/// Room for any RRSIG rdata: head, a name, and a signature of RSA with 4,096
/// bits.
pub const MAX_RRSIG: usize = HEAD + 255 + 512;

/// How far back signatures begin, seconds: more than clocks are wrong.
const SKEW: u32 = 3_600;

/// An RRset about to be signed.
#[derive(Clone, Copy, Debug)]
pub struct RrSet<'a, I> {
    /// Its owner in wire form and lower case; a wildcard's own name where
    /// that was expanded (RFC 4035 §5.3.2).
    pub owner: &'a [u8],
    /// Its type.
    pub rtype: Rtype,
    /// Its TTL in the zone: that of an answer may be lower (RFC 4034 §3.1.4).
    pub ttl: u32,
    /// Its data, uncompressed, in any order and without duplicates.
    pub rdata: I,
}

/// What all signers of a server share.
#[derive(Debug)]
pub struct Shared {
    /// Signatures already made.
    pub cache: Cache,
    /// Two seeds make 128 bits that nobody can aim at.
    seeds: [RandomState; 2],
}

impl Shared {
    /// An empty cache for `entries` signatures of at most `octets` octets.
    #[must_use]
    pub fn new(entries: usize, octets: usize) -> Self {
        Self { cache: Cache::new(entries, octets), seeds: [RandomState::default(), RandomState::default()] }
    }
}

/// One key at work for one zone.
#[derive(Clone, Debug)]
pub struct Signer {
    key: Arc<KeyPair>,
    /// The zone in wire form and lower case.
    apex: Arc<[u8]>,
    /// How long a signature holds, seconds.
    validity: u32,
    shared: Arc<Shared>,
}

/// Why there is no signature: the key cannot make one.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the key cannot sign")]
pub struct Unsigned;

impl Signer {
    /// `key` signing for the zone `apex` (wire form, lower case) for `validity`
    /// seconds.
    #[must_use]
    pub const fn new(key: Arc<KeyPair>, apex: Arc<[u8]>, validity: u32, shared: Arc<Shared>) -> Self {
        Self { key, apex, validity, shared }
    }

    /// Writes the rdata of the RRSIG of `set` and gives its length. `passing`
    /// says that the set exists for this question alone.
    ///
    /// # Errors
    /// When the key cannot sign.
    pub fn sign<'r, I>(
        &self,
        set: &RrSet<'_, I>,
        (now, passing): (u32, bool),
        out: &mut [u8; MAX_RRSIG],
    ) -> Result<usize, Unsigned>
    where
        I: Iterator<Item = &'r [u8]> + Clone,
    {
        let digest = self.digest(set);
        let start = HEAD + self.apex.len();
        let (head, signature) = out.split_at_mut_checked(start).ok_or(Unsigned)?;
        let found = self.shared.cache.find(digest, signature);
        let found = found.filter(|(window, _)| now < self.due(*window, digest) && now >= window.inception);
        let (window, length) = match found {
            Some(found) => found,
            None => self.make((set, digest), (now, passing), (head, signature))?,
        };
        self.head(set, window, head);
        Ok(start + length)
    }

    fn make<'r, I>(
        &self,
        (set, digest): (&RrSet<'_, I>, Digest),
        (now, passing): (u32, bool),
        (head, signature): (&mut [u8], &mut [u8]),
    ) -> Result<(Window, usize), Unsigned>
    where
        I: Iterator<Item = &'r [u8]> + Clone,
    {
        let window =
            Window { inception: now.saturating_sub(SKEW), expiration: now.saturating_add(self.validity) };
        self.head(set, window, head);
        let mut data = head.to_vec();
        canonical(set, &mut data);
        let length = self.key.sign(&data, signature).map_err(|_| Unsigned)?;
        self.shared.cache.insert(digest, (window, passing), signature.get(..length).unwrap_or_default());
        Ok((window, length))
    }

    /// When a signature should be made anew.
    fn due(&self, window: Window, digest: Digest) -> u32 {
        let jitter = u32::try_from(digest.0[1] % u64::from(self.validity / 8).max(1)).unwrap_or_default();
        window.expiration.saturating_sub(self.validity / 2).saturating_add(jitter)
    }

    fn digest<'r, I>(&self, set: &RrSet<'_, I>) -> Digest
    where
        I: Iterator<Item = &'r [u8]> + Clone,
    {
        let lane = |seed: &RandomState| {
            let mut hasher = seed.build_hasher();
            hasher.write_u64(self.key.id());
            hasher.write_u64(u64::from(self.validity) << 16 | u64::from(self.key.tag()));
            hasher.write_u64(u64::from(set.ttl) << 16 | u64::from(set.rtype.0));
            hasher.write(set.owner);
            // A sum: the same set in another order is the same content.
            set.rdata.clone().fold(hasher.finish(), |sum, rdata| sum.wrapping_add(seed.hash_one(rdata)))
        };
        Digest([lane(&self.shared.seeds[0]), lane(&self.shared.seeds[1])])
    }

    fn head<I>(&self, set: &RrSet<'_, I>, window: Window, out: &mut [u8]) {
        let [a, b] = set.rtype.0.to_be_bytes();
        let [t, u, v, w] = set.ttl.to_be_bytes();
        let [e, f, g, h] = window.expiration.to_be_bytes();
        let [i, j, k, l] = window.inception.to_be_bytes();
        let [x, y] = self.key.tag().to_be_bytes();
        let algorithm = self.key.algorithm().number();
        let numbers = [a, b, algorithm, labels(set.owner), t, u, v, w, e, f, g, h, i, j, k, l, x, y];
        let (head, name) = out.split_at_mut(HEAD);
        head.copy_from_slice(&numbers);
        name.copy_from_slice(&self.apex);
    }
}

/// Labels of an owner, without the root and a leading asterisk
/// (RFC 4034 §3.1.3).
fn labels(owner: &[u8]) -> u8 {
    let (mut at, mut count) = (0, 0u8);
    while let Some(&length) = owner.get(at).filter(|&&length| length > 0) {
        at += usize::from(length) + 1;
        count += 1;
    }
    count - u8::from(owner.starts_with(b"\x01*"))
}

/// Appends the RRset as it is signed: each record with its original TTL,
/// names in lower case, sorted by data (RFC 4034 §6.2, §6.3).
fn canonical<'r, I>(set: &RrSet<'_, I>, data: &mut Vec<u8>)
where
    I: Iterator<Item = &'r [u8]> + Clone,
{
    let mut items: Vec<Cow<'_, [u8]>> =
        set.rdata.clone().map(|item| rdata::canonical(set.rtype, item)).collect();
    items.sort_unstable();
    items.dedup();
    for item in items {
        data.extend_from_slice(set.owner);
        data.extend_from_slice(&set.rtype.0.to_be_bytes());
        data.extend_from_slice(&[0, 1]);
        data.extend_from_slice(&set.ttl.to_be_bytes());
        data.extend_from_slice(&u16::try_from(item.len()).unwrap_or(u16::MAX).to_be_bytes());
        data.extend_from_slice(&item);
    }
}

#[cfg(test)]
mod tests {
    use rhumb_zones::Name;

    use super::*;
    use crate::algorithm::Algorithm;
    use crate::text::KeyText;

    const ZONE: &[u8] = b"\x07example\x03com\x00";

    fn signer(key: KeyPair, validity: u32) -> Signer {
        Signer::new(Arc::new(key), Arc::from(ZONE), validity, Arc::new(Shared::new(1_024, 64)))
    }

    fn sign(signer: &Signer, (owner, rtype): (&str, Rtype), items: &[&str], now: u32) -> String {
        let owner = Name::scan_absolute(owner).unwrap().folded();
        let items: Vec<_> =
            items.iter().map(|item| rdata::scan(rtype, item, &Name::root()).unwrap()).collect();
        let set = RrSet { owner: &owner, rtype, ttl: 3_600, rdata: items.iter().map(Vec::as_slice) };
        let mut out = [0; MAX_RRSIG];
        let length = signer.sign(&set, (now, false), &mut out).unwrap();
        rdata::display(Rtype::RRSIG, &out[..length])
    }

    /// RFC 8080 §6.1: Ed25519 gives the same signature every time.
    #[test]
    fn the_example_of_rfc_8080() {
        let text = KeyText {
            public: "example.com. 3600 IN DNSKEY 257 3 15 l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4="
                .into(),
            private: "Private-key-format: v1.2\nAlgorithm: 15 (ED25519)\n\
                PrivateKey: ODIyNjAzODQ2MjgwODAxMjI2NDUxOTAyMDQxNDIyNjI=\n"
                .into(),
        };
        let key = Arc::into_inner(text.scan().unwrap().pair).unwrap();
        let rrsig = sign(
            &signer(key, 1_810_800),
            ("example.com.", Rtype::MX),
            &["10 MAIL.example.com."],
            1_438_207_200 + SKEW,
        );
        let signature =
            "oL9krJun7xfBOIWcGHi7mag5/hdZrKWw15jPGrHpjQeRAvTdszaPD+QLs3fx8A4M3e23mRZ9VrbpMngwcrqNAg==";
        assert_eq!(
            rrsig,
            format!("MX 15 2 3600 20150819220000 20150729220000 3613 example.com. {signature}")
        );
    }

    /// A key on P-256 never signs twice alike, so what is alike was kept.
    #[test]
    fn what_is_signed_is_signed_once() {
        let signer = signer(KeyPair::generate(Algorithm::EcdsaP256, false).unwrap(), 800_000);
        let name = ("a.example.com.", Rtype::A);
        let (one, two): (&[&str], &[&str]) = (&["192.0.2.1"], &["192.0.2.2", "192.0.2.1"]);
        let start = 1_000_000;
        let first = sign(&signer, name, two, start);
        let rows: [(_, &[&str], u32, bool, &str); 8] = [
            (name, two, start, true, "the same again"),
            (name, &["192.0.2.1", "192.0.2.2"], start, true, "in another order"),
            (name, one, start, false, "other data"),
            (("b.example.com.", Rtype::A), two, start, false, "another owner"),
            (("*.example.com.", Rtype::A), two, start, false, "a wildcard"),
            (name, two, start + 400_000, true, "half of its time is not over"),
            (name, two, start + 500_001, false, "five eighths are"),
            (name, two, start - SKEW - 1, false, "a clock that went back is not in the window"),
        ];
        for (name, items, now, same, why) in rows {
            if now > start + 500_000 {
                assert_ne!(sign(&signer, name, items, now), first, "{why}");
                continue;
            }
            assert_eq!(sign(&signer, name, items, now) == first, same, "{why}");
        }
    }

    /// Signatures made together come due apart.
    #[test]
    fn signatures_come_due_apart() {
        let signer = signer(KeyPair::generate(Algorithm::Ed25519, false).unwrap(), 800_000);
        let window = Window { inception: 0, expiration: 800_000 };
        let seeds = &signer.shared.seeds;
        let due: Vec<u32> = (0..1_000u32)
            .map(|item| signer.due(window, Digest([seeds[0].hash_one(item), seeds[1].hash_one(item)])))
            .collect();
        for (from, to) in [(400_000, 425_000), (425_000, 450_000), (450_000, 475_000), (475_000, 500_000)] {
            let share = due.iter().filter(|&&due| (from..to).contains(&due)).count();
            assert!((150..=350).contains(&share), "{share} of 1000 are due from {from} to {to}");
        }
    }
}
