//! Keys that many nouns share, and how the nearest word wins.
//!
//! A probe's own key beats `defaults:`, which beats the built-in default; a
//! VIP's target keys beat its service's. [`or`](TargetKeys::or) is that law.
//! Times keep their places, so that two that contradict each other are reported
//! where one of them is written.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::steer::Steps;
use crate::model::{Assume, Data, LastResort, LinkSelection, Quorum, Recovery};
use crate::read::{Bounded, Fraction, OneOrMany, Spanned, Ttl};
use crate::spec;

/// Most rises, falls and tries: more would not end within an operator's day.
const MAX_COUNT: u32 = 100;

/// How many in a row.
pub(crate) type Count = Bounded<1, MAX_COUNT>;

spec! {
    /// Keys of every probe.
    pub(crate) struct ProbeKeys {
        /// Start to start, while steady.
        interval: Option<Spanned<Duration>>,
        /// Start to start, after a first failure.
        fast_interval: Option<Spanned<Duration>>,
        /// Time for all tries of one probe.
        timeout: Option<Spanned<Duration>>,
        /// Tries in one probe.
        tries: Option<Count>,
        /// Failures in a row that make it down.
        fall: Option<Count>,
        /// Successes in a row that make it up.
        rise: Option<Count>,
        /// Random spread of the interval.
        jitter: Option<Fraction>,
        /// Source address of the probe.
        source: Option<IpAddr>,
        /// Network interface that the probe leaves through.
        interface: Option<Arc<str>>,
        /// Sites that probe.
        from: Option<OneOrMany<Arc<str>>>,
        /// Votes that make a verdict: majority, `2 of 3`, or a fraction.
        quorum: Option<Quorum>,
        /// Age after which a vote does not count.
        stale: Option<Spanned<Duration>>,
    }
}

spec! {
    /// Keys of everything that can be up or down.
    pub(crate) struct TargetKeys {
        /// What counts while nothing is known.
        assume: Option<Assume>,
        /// How long it stays out of preference after a recovery.
        hold_down: Option<Duration>,
        /// Whether a recovery needs an operator's word.
        recovery: Option<Recovery>,
    }
}

spec! {
    /// Keys of every service.
    pub(crate) struct ServiceKeys {
        /// What a path must reach: any node, or one that reaches the primary's data.
        data: Option<Data>,
        /// The steering chain; each step refines the order of datacenters.
        steer: Option<Steps>,
        /// How links inside a datacenter are chosen.
        link_selection: Option<LinkSelection>,
        /// TTL of answers while steady.
        ttl: Option<Spanned<Ttl>>,
        /// TTL of answers while something on their path changes.
        ttl_floor: Option<Spanned<Ttl>>,
        /// Time over which a share grows back after a recovery; 0s is at once.
        ramp: Option<Duration>,
        /// What to answer when nothing is usable.
        last_resort: Option<LastResort>,
    }
}

impl ProbeKeys {
    /// These, and `outer`'s where these say nothing.
    pub(crate) fn or(self, outer: &Self) -> Self {
        let Self { interval, fast_interval, timeout, tries, fall, rise, jitter, .. } = self;
        let Self { source, interface, from, quorum, stale, .. } = self;
        Self {
            interval: interval.or_else(|| outer.interval.clone()),
            fast_interval: fast_interval.or_else(|| outer.fast_interval.clone()),
            timeout: timeout.or_else(|| outer.timeout.clone()),
            tries: tries.or(outer.tries),
            fall: fall.or(outer.fall),
            rise: rise.or(outer.rise),
            jitter: jitter.or(outer.jitter),
            source: source.or(outer.source),
            interface: interface.or_else(|| outer.interface.clone()),
            from: from.or_else(|| outer.from.clone()),
            quorum: quorum.or(outer.quorum),
            stale: stale.or_else(|| outer.stale.clone()),
        }
    }
}

impl TargetKeys {
    /// These, and `outer`'s where these say nothing.
    pub(crate) fn or(self, outer: &Self) -> Self {
        let Self { assume, hold_down, recovery } = self;
        Self {
            assume: assume.or(outer.assume),
            hold_down: hold_down.or(outer.hold_down),
            recovery: recovery.or(outer.recovery),
        }
    }
}

impl ServiceKeys {
    /// These, and `outer`'s where these say nothing.
    pub(crate) fn or(self, outer: &Self) -> Self {
        let Self { data, steer, link_selection, ttl, ttl_floor, ramp, last_resort } = self;
        Self {
            data: data.or(outer.data),
            steer: steer.or_else(|| outer.steer.clone()),
            link_selection: link_selection.or_else(|| outer.link_selection.clone()),
            ttl: ttl.or_else(|| outer.ttl.clone()),
            ttl_floor: ttl_floor.or_else(|| outer.ttl_floor.clone()),
            ramp: ramp.or(outer.ramp),
            last_resort: last_resort.or_else(|| outer.last_resort.clone()),
        }
    }
}
