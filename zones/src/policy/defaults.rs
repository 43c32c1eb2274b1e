//! What holds when a policy does not say, each with its reason.
//!
//! The figures for probes and TTLs are weighed in the health documentation:
//! 5 % loss with these makes one lone prober wrong 0.06 % of the time. They
//! stand in one file because they are one decision: changing the interval
//! alone would move the time to detect a fault, the staleness of votes and the
//! sense of the TTL.

use std::time::Duration;

use crate::diagnostic::Location;
use crate::read::Spanned;

/// Two seconds find a silent fault in 5.5 s with [`FALL`] and [`FAST_INTERVAL`].
pub(super) const INTERVAL: Duration = Duration::from_secs(2);
/// After a first failure, to be sure soon; never above the interval.
pub(super) const FAST_INTERVAL: Duration = Duration::from_millis(500);
/// Above the delay of any healthy path; never above the interval.
pub(super) const TIMEOUT: Duration = Duration::from_secs(1);
/// 20 % loss fails 0.8 % of probes of three tries.
pub(super) const TRIES: u8 = 3;
/// Failures in a row until down.
pub(super) const FALL: u8 = 3;
/// Successes in a row until up; more than [`FALL`], for a flap costs more
/// than a late recovery.
pub(super) const RISE: u8 = 5;
/// Enough to keep probers out of step.
pub(super) const JITTER: f64 = 0.05;
/// A vote is stale when this many intervals have passed without another.
pub(super) const STALE_INTERVALS: u32 = 3;
/// Faster would be load rather than knowledge.
pub(super) const MIN_INTERVAL: Duration = Duration::from_millis(10);

/// The finest that durations say.
pub(super) const MIN_TIMEOUT: Duration = Duration::from_millis(1);

/// One steady TTL: caches have seen the recovery before traffic returns.
pub(super) const HOLD_DOWN: Duration = Duration::from_secs(30);
/// A cut shorter than this moves no traffic between datacenters.
pub(super) const INTERCONNECT_HOLD: Duration = Duration::from_secs(10);

/// Short enough to move clients, long enough to spare resolvers.
pub(super) const TTL: Duration = Duration::from_secs(30);
/// Below this many resolvers stretch the TTL anyway.
pub(super) const TTL_FLOOR: Duration = Duration::from_secs(5);
/// The steering chain: the purpose of the whole.
pub(super) const STEERING: &str = "nearest";

/// A link's rating: the middle.
pub(super) const QUALITY: u32 = 50;
/// Largest weight: sums of 256 of them fit 32 bits.
pub(super) const MAX_WEIGHT: u32 = 1 << 20;

/// TTL of SOA, NS and glue that no zone file gives: an hour, in which a name
/// server can be moved.
pub(super) const STATIC_TTL: u32 = 3_600;
/// Start of the serial of a zone without a file; the server counts on.
pub(super) const SERIAL: u32 = 1;
/// How often secondaries ask: RFC 1912 §2.2 advises 20 minutes to 12 hours,
/// and NOTIFY is faster.
pub(super) const REFRESH: u32 = 7_200;
/// How soon they ask again: a fraction of [`REFRESH`] (RFC 1912 §2.2).
pub(super) const RETRY: u32 = 1_800;
/// When they give up: two weeks (RFC 1912 §2.2).
pub(super) const EXPIRE: u32 = 1_209_600;
/// How long resolvers remember that a name is not there (RFC 2308 §4): short,
/// for a service that is just being added must not stay unknown.
pub(super) const NEGATIVE_TTL: u32 = 60;

/// How long signatures hold: two weeks, so that a fault that stops signing can
/// be mended over a long weekend.
pub(super) const VALIDITY: Duration = Duration::from_secs(14 * 86_400);
/// Less leaves no room for clocks that differ.
pub(super) const MIN_VALIDITY: Duration = Duration::from_secs(60);
/// An hour, in which a new key reaches every resolver (RFC 6781 §4.4.1).
pub(super) const DNSKEY_TTL: Duration = Duration::from_secs(3_600);
/// A zone-signing key rolls by itself, so it may as well: every 90 days, as
/// RFC 6781 §3.1.1 has it.
pub(super) const ZSK_LIFETIME: Duration = Duration::from_secs(90 * 86_400);
/// Servers that share keys by file copies may be an hour late.
pub(super) const PROPAGATION: Duration = Duration::from_secs(3_600);
/// TTL of DS at most registries.
pub(super) const PARENT_TTL: Duration = Duration::from_secs(86_400);
/// Registries publish within an hour.
pub(super) const PARENT_DELAY: Duration = Duration::from_secs(3_600);
/// More are treated as insecure by validators (RFC 9276 §3.2; BIND's limit).
pub(super) const MAX_ITERATIONS: u32 = 50;

/// A value at no place of a file.
pub(super) fn built_in<T>(value: T) -> Spanned<T> {
    Spanned { at: Location { file: "built-in".into(), line: 0, column: 0 }, value }
}
