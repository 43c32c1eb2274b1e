//! The words of the configuration against abuse, and for observing.

use std::io;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rhumb_zones::{Bounded, Prefix, Read, Reader, Tree, spec};
use rustix::rand::{GetRandomFlags, getrandom};
use serde_json::Value as Json;

use crate::cookie::{Cookies, Secret};
use crate::limit::RateLimits;
use crate::observe::{Sampling, TapTo};

/// A rate: more than a million a second is no limit.
type Rate = Bounded<0, 1_000_000>;

/// Answers a second to one network, unless given: a busy resolver's share,
/// and one megabit a second to a victim.
const PER_SECOND: u32 = 1_000;

/// Longest window: a flood an hour ago is none.
const MAX_WINDOW: Duration = Duration::from_secs(3_600);

spec! {
    /// DNS cookies (RFC 7873).
    pub struct CookieKeys {
        /// File of secrets shared with the other servers of the zones, one a line as 32 hexadecimal digits:
        /// the first makes cookies, all are accepted. A random one per process unless given.
        secrets: Option<String>,
        /// Whether UDP without a valid cookie gets no data: BADCOOKIE to who sends one, TC to others.
        require: bool = false,
    }
}

spec! {
    /// How answers over UDP are limited, by network and class of answer.
    pub struct RateLimitKeys {
        /// Answers a second for each network and class; 0 is no limit.
        per_second: Rate = Bounded(PER_SECOND),
        /// The same for answers with data.
        positive: Option<Rate>,
        /// The same where the name has no such data.
        no_data: Option<Rate>,
        /// The same where there is no such name.
        nxdomain: Option<Rate>,
        /// The same for referrals.
        referrals: Option<Rate>,
        /// The same for errors.
        errors: Option<Rate>,
        /// How long after a flood a network may be kept waiting, 1s to 1h.
        window: Window = Window(15),
        /// One in so many limited answers is sent cut short, so that a real client comes over TCP; 0 is none.
        slip: Bounded<0, 1_000> = Bounded(2),
        /// One in so many limited answers is sent whole; 0 is none.
        leak: Bounded<0, 1_000> = Bounded(0),
        /// Length of v4 networks.
        prefix_v4: Bounded<8, 32> = Bounded(24),
        /// Length of v6 networks.
        prefix_v6: Bounded<16, 128> = Bounded(56),
        /// Who is not limited.
        exempt: Vec<Prefix>,
        /// Whether limits are counted, and not enforced.
        log_only: bool = false,
    }
}

spec! {
    /// A log of queries, one JSON object a line.
    pub struct QueryLogKeys {
        /// The file; a new one is made when it is renamed or removed.
        file: String,
        /// One query in so many, by chance.
        one_in: NonZeroU32 = NonZeroU32::MIN,
        /// At most so many a second.
        per_second: NonZeroU32 = DEFAULT_PER_SECOND,
    }
}

spec! {
    /// Queries and replies as dnstap, to a socket or a file.
    struct DnstapSpec {
        /// Unix socket that a collector listens on.
        socket: Option<String>,
        /// The file; written anew at start, and when it is renamed or removed.
        file: Option<String>,
        /// One query in so many, by chance.
        one_in: NonZeroU32 = NonZeroU32::MIN,
        /// At most so many a second.
        per_second: NonZeroU32 = DEFAULT_PER_SECOND,
    }
}

/// Lines a second unless given: 300 kB, a disk's leisure.
const DEFAULT_PER_SECOND: NonZeroU32 = NonZeroU32::new(1_000).expect("is not 0");

/// Where dnstap goes, its path as written.
#[derive(Clone, Debug)]
pub struct DnstapKeys {
    to: TapTo,
    sampling: Sampling,
}

/// Whole seconds, 1 to 3,600.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Window(u32);

impl CookieKeys {
    /// The file of secrets, and what holds until it is read; cookies are made
    /// without any word of them too.
    ///
    /// # Errors
    /// When the system gives no randomness.
    pub(super) fn settings(keys: Option<Self>, base: &Path) -> io::Result<(Option<PathBuf>, Cookies)> {
        let (secrets, require) = keys.map_or((None, false), |Self { secrets, require }| (secrets, require));
        let mut key = [0; 16];
        getrandom(&mut key, GetRandomFlags::empty())?;
        Ok((secrets.map(|file| base.join(file)), Cookies::new(vec![Secret::new(key)], require)))
    }
}

impl RateLimitKeys {
    pub(super) fn settings(self) -> RateLimits {
        let Self { per_second, positive, no_data, nxdomain, referrals, errors, .. } = self;
        let Self { window, slip, leak, prefix_v4, prefix_v6, exempt, log_only, .. } = self;
        // In the order of `Class`.
        let rates = [positive, no_data, nxdomain, referrals, errors];
        let short = |length: u32| u8::try_from(length).unwrap_or(u8::MAX);
        RateLimits {
            rates: rates.map(|rate| rate.unwrap_or(per_second).0),
            window: window.0,
            slip: slip.0,
            leak: leak.0,
            lengths: [short(prefix_v4.0), short(prefix_v6.0)],
            exempt,
            log_only,
        }
    }
}

impl QueryLogKeys {
    pub(super) fn settings(self, base: &Path) -> (PathBuf, Sampling) {
        let Self { file, one_in, per_second } = self;
        (base.join(file), Sampling { one_in, per_second })
    }
}

impl DnstapKeys {
    pub(super) fn settings(self, base: &Path) -> (TapTo, Sampling) {
        let Self { to, sampling } = self;
        let to = match to {
            TapTo::Socket(path) => TapTo::Socket(base.join(path)),
            TapTo::File(path) => TapTo::File(base.join(path)),
        };
        (to, sampling)
    }
}

impl Read for DnstapKeys {
    fn read(tree: &Tree, reader: &mut Reader<'_>) -> Option<Self> {
        let DnstapSpec { socket, file, one_in, per_second } = DnstapSpec::read(tree, reader)?;
        let to = match (socket, file) {
            (Some(socket), None) => TapTo::Socket(socket.into()),
            (None, Some(file)) => TapTo::File(file.into()),
            _ => {
                reader.wrong(&tree.at, "must have either socket or file");
                return None;
            }
        };
        Some(Self { to, sampling: Sampling { one_in, per_second } })
    }

    fn schema() -> Json {
        DnstapSpec::schema()
    }
}

impl Read for Window {
    fn read(tree: &Tree, reader: &mut Reader<'_>) -> Option<Self> {
        let window = Duration::read(tree, reader)?;
        let fits = window.subsec_nanos() == 0 && !window.is_zero() && window <= MAX_WINDOW;
        let seconds = u32::try_from(window.as_secs()).ok().filter(|_| fits);
        seconds.map(Self).or_else(|| reader.must_be(tree, "whole seconds, 1s to 1h"))
    }

    fn schema() -> Json {
        Duration::schema()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use std::sync::Arc;

    use rhumb_zones::Diagnostics;

    use super::*;

    fn read<T: Read + std::fmt::Debug>(text: &str, show: impl Fn(T) -> String) -> String {
        let mut out = Diagnostics::default();
        let trees = Tree::parse(&Arc::from("F"), text.as_bytes(), &mut out);
        match rhumb_zones::read(&trees[0], ["configuration", ""], &mut out) {
            Some(keys) if !out.refuse() => show(keys),
            _ => {
                out.sort();
                out.to_string()
            }
        }
    }

    #[test]
    fn rates_are_read_or_refused() {
        let rows = [
            ("{}", "[1000, 1000, 1000, 1000, 1000] 15 2 0 [24, 56] false", "as usual"),
            (
                "{per-second: 50, nxdomain: 5, errors: 0, window: 1m, slip: 1, leak: 4, prefix-v4: 32, prefix-v6: 64}",
                "[50, 50, 5, 50, 0] 60 1 4 [32, 64] false",
                "each by itself",
            ),
            ("log-only: true", "[1000, 1000, 1000, 1000, 1000] 15 2 0 [24, 56] true", "a rehearsal"),
            (
                "{window: 2h, prefix-v4: 33, slip: -1}",
                "F:1:10: configuration: window: must be whole seconds, 1s to 1h, not 2h\n\
                 F:1:25: configuration: prefix-v4: must be a whole number, 8 to 32, not 33\n\
                 F:1:35: configuration: slip: must be a whole number, 0 to 1000, not -1\n",
                "all mistakes at once",
            ),
        ];
        for (text, want, why) in rows {
            let got = read(text, |keys: RateLimitKeys| {
                let RateLimits { rates, window, slip, leak, lengths, log_only, .. } = keys.settings();
                format!("{rates:?} {window} {slip} {leak} {lengths:?} {log_only}")
            });
            assert_eq!(got, want, "{why}");
        }
    }

    #[test]
    fn outputs_are_read_or_refused() {
        let rows = [
            ("socket: tap.sock", "Socket(\"/etc/rhumb/tap.sock\") 1 1000", "a collector's"),
            ("{file: /var/tap, one-in: 100, per-second: 5}", "File(\"/var/tap\") 100 5", "a file"),
            ("{}", "F:1:1: configuration: declaration: must have either socket or file\n", "nowhere"),
            (
                "{socket: a, file: b}",
                "F:1:1: configuration: declaration: must have either socket or file\n",
                "which?",
            ),
        ];
        for (text, want, why) in rows {
            let got = read(text, |keys: DnstapKeys| {
                let (to, Sampling { one_in, per_second }) = keys.settings(Path::new("/etc/rhumb"));
                format!("{to:?} {one_in} {per_second}")
            });
            assert_eq!(got, want, "{why}");
        }
    }
}
