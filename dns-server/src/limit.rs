//! Response rate limiting: what we send must not be a weapon.
//!
//! A forged source makes a server send answers to a victim. So answers over
//! UDP are counted per network of the source and class of answer, and beyond
//! a rate they are dropped, or cut short so that a real client comes back
//! over TCP, which cannot be forged. Who proved an address by a cookie is not
//! limited, nor is who is exempt. Names do not count: a flood that asks for a
//! new name each time fares no better.
//!
//! The state is one table of fixed size shared by all workers: eight buckets
//! a set, one set a cache line, a bucket one atomic word of sixteen bits of
//! hash and the time until which the network has used its rate up. There is no
//! lock, nothing to sweep, and a network that is forgotten for want of room
//! is only limited a little later. Answers beyond the rate count too, as far
//! as the window: a flood gets nothing but what slips until it ends.
//!
//! **Invariant:** time and chance are arguments; nothing here allocates after
//! [`Limiter::new`].

use std::hash::BuildHasher as _;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use foldhash::fast::RandomState;
use rhumb_zones::Prefix;

use crate::respond::{Answered, Class, Meta, Scratch};

/// Sets in the table: 2^18 buckets in 2 MiB. A flood forged from more
/// networks than that gives each victim too little to hurt.
const SETS: usize = 1 << 15;

/// Buckets in a set: one cache line.
const WAYS: usize = 8;

/// Bits of a bucket that hold microseconds since the start: nine years.
const TIME_BITS: u32 = 48;
const TIME: u64 = (1 << TIME_BITS) - 1;

/// A network may be ahead of its rate by what it may have in this time.
const BURST_MICROSECONDS: u64 = 1_000_000;

/// How often a bucket is tried that other workers write too; then the answer
/// goes uncounted, which matters to nobody.
const TRIES: usize = 4;

/// How answers are limited.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RateLimits {
    /// Answers a second for each network, by [`Class`]; 0 is no limit.
    pub rates: [u32; Class::COUNT],
    /// How long after a flood a network may be kept waiting, seconds.
    pub window: u32,
    /// One in so many limited answers is sent cut short; 0 is none.
    pub slip: u32,
    /// One in so many limited answers is sent whole; 0 is none.
    pub leak: u32,
    /// Length of networks, v4 and v6.
    pub lengths: [u8; 2],
    /// Who is not limited.
    pub exempt: Vec<Prefix>,
    /// Whether limits are counted, and not enforced.
    pub log_only: bool,
}

/// What becomes of an answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It is sent.
    Send,
    /// It is beyond the rate, and sent all the same.
    Spare,
    /// It is cut short.
    Slip,
    /// It is not sent.
    Drop,
}

/// Who has had how much.
#[derive(Debug)]
pub struct Limiter {
    limits: RateLimits,
    sets: Box<[Set]>,
    hasher: RandomState,
}

#[derive(Debug, Default)]
#[repr(align(64))]
struct Set([AtomicU64; WAYS]);

impl Limiter {
    /// Nobody has had anything yet.
    #[must_use]
    pub fn new(limits: RateLimits) -> Self {
        let sets = std::iter::repeat_with(Set::default).take(SETS).collect();
        Self { limits, sets, hasher: RandomState::default() }
    }

    /// Counts an answer to `source` at `now`, microseconds since any one
    /// time, and says what becomes of it; `draw` is chance.
    pub fn judge(&self, answered: &Answered, source: IpAddr, (now, draw): (u64, u64)) -> Verdict {
        let RateLimits { rates, lengths, exempt, slip, leak, log_only, .. } = &self.limits;
        let rate = rates[answered.class as usize];
        if rate == 0 || answered.proved {
            return Verdict::Send;
        }
        let length = lengths[usize::from(source.is_ipv6())];
        let key = (network(source, length), source.is_ipv6(), answered.class as u8);
        if self.takes(self.hasher.hash_one(key), now, rate)
            || exempt.iter().any(|prefix| prefix.contains(source))
        {
            return Verdict::Send;
        }
        // The draw has also chosen the answer: other bits decide here.
        let chance = draw.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let hit = |one_in: u32, bits: u64| one_in != 0 && bits.is_multiple_of(u64::from(one_in));
        if *log_only || hit(*leak, chance >> 48) {
            Verdict::Spare
        } else if hit(*slip, chance >> 32 & 0xffff) {
            Verdict::Slip
        } else {
            Verdict::Drop
        }
    }

    /// Judges the answer of `length` octets in `reply` that `scratch` has just
    /// given, counts the verdict, and gives the octets to send, if any.
    pub(crate) fn apply(
        &self,
        scratch: &Scratch,
        (meta, now): (&Meta, u64),
        (reply, length): (&mut [u8], usize),
    ) -> Option<usize> {
        let answered = scratch.answered();
        let verdict = self.judge(answered, meta.source, (now, meta.draw));
        scratch.counters().limit(verdict);
        match verdict {
            Verdict::Send | Verdict::Spare => Some(length),
            Verdict::Slip => Some(answered.cut(reply, length)),
            Verdict::Drop => None,
        }
    }

    /// Charges a network for one answer; false when it had its rate already.
    fn takes(&self, hash: u64, now: u64, rate: u32) -> bool {
        let now = now & TIME;
        let tag = hash >> TIME_BITS;
        let set = &self.sets[usize::try_from(hash).unwrap_or_default() & (SETS - 1)];
        let bucket = set.find(tag);
        let window = BURST_MICROSECONDS * u64::from(self.limits.window);
        let cost = BURST_MICROSECONDS / u64::from(rate);
        let mut known = bucket.load(Ordering::Relaxed);
        for _ in 0..TRIES {
            // A bucket of another network starts anew.
            let used = if known >> TIME_BITS == tag { (known & TIME).max(now) } else { now };
            let next = (used + cost).min(now + window) & TIME;
            let wanted = tag << TIME_BITS | next;
            match bucket.compare_exchange_weak(known, wanted, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return used + cost <= now + BURST_MICROSECONDS,
                Err(other) => known = other,
            }
        }
        true
    }
}

impl Set {
    /// The bucket of `tag`, or else the one that is free the soonest.
    fn find(&self, tag: u64) -> &AtomicU64 {
        let [first, ..] = &self.0;
        let mut soonest = (first, u64::MAX);
        for bucket in &self.0 {
            let known = bucket.load(Ordering::Relaxed);
            if known >> TIME_BITS == tag {
                return bucket;
            }
            if known & TIME < soonest.1 {
                soonest = (bucket, known & TIME);
            }
        }
        soonest.0
    }
}

/// The first `length` bits.
fn network(address: IpAddr, length: u8) -> u128 {
    let (bits, width) = match address {
        IpAddr::V4(v4) => (u128::from(v4.to_bits()), 32),
        IpAddr::V6(v6) => (v6.to_bits(), 128),
    };
    bits.checked_shr(width - u32::from(length).min(width)).unwrap_or(0)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests;
