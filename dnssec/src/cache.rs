//! Signatures, made once and found again by what they sign.
//!
//! A signature costs some 30 µs and an answer a fraction of one, so no RRset
//! is signed twice while its signature is good. The key of an entry is a
//! [`Digest`] of the content — key, owner, type, TTL, data — and not a place
//! in some zone: a reload or a change of health asks for the same content and
//! finds it, a content that is gone is no longer asked for, and its entry
//! gives way to others.
//!
//! The table is fixed in size and shared by all threads without a lock. Each
//! entry is a sequence lock: its writer makes the sequence odd, a reader that
//! sees it odd or changed has found nothing. Two writers of one entry never
//! wait for each other, the second simply does not write. So the query path
//! reads three cache lines and calls nothing.
//!
//! A map per worker was refused (each would sign everything anew), and so was
//! storing signatures beside the records (they would have to be rebuilt with
//! every snapshot, and steered answers have no place to store them in).
//!
//! What exists only in a question (names that a compact denial makes up) is
//! kept as *passing*: it gives way before anything else, and takes no place
//! from what lasts, or a flood of names nobody has would empty the table.
//!
//! **Invariant:** what [`Cache::find`] gives is what some [`Cache::insert`]
//! was given, whole.

use std::sync::atomic::{AtomicU64, Ordering, fence};

/// What a signature is of, as 128 bits that nobody outside can aim at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Digest(pub(crate) [u64; 2]);

/// From when to when a signature holds, seconds since 1970.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Window {
    /// Not before.
    pub inception: u32,
    /// Not after.
    pub expiration: u32,
}

/// Entries that share a place: a newcomer takes the one that expires first.
const WAYS: usize = 4;

/// Words of an entry before its signature: sequence with length, digest,
/// window.
const HEAD: usize = 4;

/// The sequence counts in the lower bits of its word; above stand the octets
/// of the signature, and whether it is passing.
const LENGTH_SHIFT: u32 = 48;
const PASSING: u64 = 1 << 63;
const COUNTER: u64 = (1 << LENGTH_SHIFT) - 1;

/// The table.
#[derive(Debug)]
pub struct Cache {
    words: Box<[AtomicU64]>,
    /// Places less one; a power of two of them.
    mask: usize,
    /// Words of one signature.
    octets: usize,
}

impl Cache {
    /// A table for about `entries` signatures of at most `octets` octets.
    #[must_use]
    pub fn new(entries: usize, octets: usize) -> Self {
        let places = entries.div_ceil(WAYS).next_power_of_two();
        let octets = octets.next_multiple_of(8);
        let words = places * WAYS * (HEAD + octets / 8);
        Self { words: (0..words).map(|_| AtomicU64::new(0)).collect(), mask: places - 1, octets }
    }

    /// How many signatures it can hold.
    #[must_use]
    pub const fn capacity(&self) -> usize {
        (self.mask + 1) * WAYS
    }

    /// The longest signature it can hold, octets.
    #[must_use]
    pub const fn octets(&self) -> usize {
        self.octets
    }

    /// Finds a signature, writes it to `out` and gives its window and length.
    pub fn find(&self, digest: Digest, out: &mut [u8]) -> Option<(Window, usize)> {
        self.place(digest).find_map(|entry| {
            let sequence = entry[0].load(Ordering::Acquire);
            if sequence & 1 == 1 || read(entry) != digest {
                return None;
            }
            let length = length(sequence);
            let window = entry[3].load(Ordering::Relaxed);
            let out = out.get_mut(..length)?;
            for (chunk, word) in out.chunks_mut(8).zip(&entry[HEAD..]) {
                chunk.copy_from_slice(&word.load(Ordering::Relaxed).to_be_bytes()[..chunk.len()]);
            }
            fence(Ordering::Acquire);
            (entry[0].load(Ordering::Relaxed) == sequence && length > 0).then(|| (unpack(window), length))
        })
    }

    /// Keeps a signature; one that is longer than the table was made for is
    /// forgotten at once, and so is a passing one without a place.
    pub fn insert(&self, digest: Digest, (window, passing): (Window, bool), signature: &[u8]) {
        if signature.len() > self.octets || signature.is_empty() {
            return;
        }
        let known = self.place(digest).find(|entry| read(entry) == digest);
        let oldest = || {
            let rank = |entry: &&[AtomicU64]| {
                let sequence = entry[0].load(Ordering::Relaxed);
                let lasts = length(sequence) > 0 && sequence & PASSING == 0;
                let expiration = unpack(entry[3].load(Ordering::Relaxed)).expiration;
                (lasts, length(sequence) > 0, expiration)
            };
            self.place(digest).min_by_key(rank).filter(|entry| !passing || !rank(entry).0)
        };
        let Some(entry) = known.or_else(oldest) else { return };
        let before = entry[0].load(Ordering::Relaxed);
        let writing = (before & COUNTER) + 1;
        if before & 1 == 1
            || entry[0].compare_exchange(before, writing, Ordering::Acquire, Ordering::Relaxed).is_err()
        {
            return;
        }
        fence(Ordering::Release);
        for (word, value) in entry[1..HEAD].iter().zip([digest.0[0], digest.0[1], pack(window)]) {
            word.store(value, Ordering::Relaxed);
        }
        for (word, chunk) in entry[HEAD..].iter().zip(signature.chunks(8)) {
            let mut bytes = [0; 8];
            bytes[..chunk.len()].copy_from_slice(chunk);
            word.store(u64::from_be_bytes(bytes), Ordering::Relaxed);
        }
        let mark = if passing { PASSING } else { 0 };
        let after = (writing + 1) & COUNTER | (signature.len() as u64) << LENGTH_SHIFT | mark;
        entry[0].store(after, Ordering::Release);
    }

    /// The entries that `digest` may be in.
    fn place(&self, digest: Digest) -> impl Iterator<Item = &[AtomicU64]> {
        let [low, ..] = digest.0;
        let stride = HEAD + self.octets / 8;
        let at = usize::try_from(low & self.mask as u64).unwrap_or_default() * WAYS * stride;
        self.words[at..at + WAYS * stride].chunks_exact(stride)
    }
}

/// Octets of the signature in an entry with this first word.
fn length(sequence: u64) -> usize {
    usize::try_from((sequence & !PASSING) >> LENGTH_SHIFT).unwrap_or_default()
}

fn read(entry: &[AtomicU64]) -> Digest {
    Digest([entry[1].load(Ordering::Relaxed), entry[2].load(Ordering::Relaxed)])
}

fn pack(window: Window) -> u64 {
    u64::from(window.inception) << 32 | u64::from(window.expiration)
}

fn unpack(word: u64) -> Window {
    let [a, b, c, d, e, f, g, h] = word.to_be_bytes();
    Window { inception: u32::from_be_bytes([a, b, c, d]), expiration: u32::from_be_bytes([e, f, g, h]) }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use super::*;

    /// Of a signature that lasts.
    fn window(expiration: u32) -> (Window, bool) {
        (Window { inception: 1, expiration }, false)
    }

    fn found(cache: &Cache, digest: Digest) -> Option<(u32, Vec<u8>)> {
        let mut out = [0; 512];
        cache.find(digest, &mut out).map(|(window, length)| (window.expiration, out[..length].to_vec()))
    }

    #[test]
    fn what_is_kept_is_found() {
        let cache = Cache::new(8, 68);
        let rows: [(u64, u32, &[u8], bool, &str); 4] = [
            (0, 9, &[7; 64], true, "the first"),
            (0, 10, &[8; 68], true, "the same content takes its old entry"),
            (1, 10, &[1; 3], true, "any length that fits"),
            (3, 10, &[1; 73], false, "longer than any is not kept"),
        ];
        for (digest, expiration, signature, kept, why) in rows {
            let digest = Digest([digest, digest]);
            cache.insert(digest, window(expiration), signature);
            let want = kept.then(|| (expiration, signature.to_vec()));
            assert_eq!(found(&cache, digest), want, "{why}");
        }
        assert_eq!(found(&cache, Digest([0, 1])), None, "both halves count");
    }

    #[test]
    fn the_first_to_expire_gives_way() {
        let cache = Cache::new(4, 8);
        for (digest, expiration) in [(1, 50), (2, 40), (3, 60), (4, 70), (5, 80)] {
            cache.insert(Digest([digest, 0]), window(expiration), &[1]);
        }
        let left: Vec<u64> = (1..=5).filter(|&digest| found(&cache, Digest([digest, 0])).is_some()).collect();
        assert_eq!(left, [1, 3, 4, 5]);
    }

    #[test]
    fn what_passes_takes_nothing_from_what_lasts() {
        let cache = Cache::new(4, 8);
        let passing = |digest| cache.insert(Digest([digest, 0]), (window(90).0, true), &[1]);
        let lasting = |digest, expiration| cache.insert(Digest([digest, 0]), window(expiration), &[1]);
        let left =
            || (1..=9).filter(|&digest| found(&cache, Digest([digest, 0])).is_some()).collect::<Vec<u64>>();
        lasting(1, 50);
        (2..=6).for_each(passing);
        assert_eq!(left(), [1, 3, 4, 6], "passing ones take free places and each other's");
        lasting(7, 10);
        lasting(8, 20);
        lasting(9, 30);
        assert_eq!(left(), [1, 7, 8, 9], "lasting ones take theirs, however long they hold");
        passing(2);
        assert_eq!(left(), [1, 7, 8, 9], "and keep them");
    }

    #[test]
    fn readers_never_see_halves() {
        let cache = Cache::new(4, 64);
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for writer in 0..2u8 {
                let (cache, stop) = (&cache, &stop);
                scope.spawn(move || {
                    let mut round = writer;
                    while !stop.load(Ordering::Relaxed) {
                        round = round.wrapping_add(2);
                        cache.insert(
                            Digest([0, u64::from(round % 8)]),
                            window(u32::from(round)),
                            &[round; 64],
                        );
                    }
                });
            }
            let mut seen = 0;
            for digest in (0..8).cycle().take(200_000) {
                if let Some((expiration, signature)) = found(&cache, Digest([0, digest])) {
                    seen += 1;
                    assert!(signature.iter().all(|&byte| u32::from(byte) == expiration), "one write");
                    assert_eq!(u64::from(expiration % 8), digest, "under its own digest");
                }
            }
            stop.store(true, Ordering::Relaxed);
            assert!(seen > 0, "nothing was ever found");
        });
    }
}
