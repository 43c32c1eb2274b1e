//! What can be up or down, and how that is found out.
//!
//! Every target bears its own merged settings, so that nobody has to ask its
//! service or `defaults:` again. Probes are shared: a hundred services with
//! `check: web` hold one [`Probe`], and the prober may see by its address that
//! they are one.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::plugin::Plugin;
use crate::diagnostic::Location;
use crate::spec;
use crate::target::TargetName;

/// Anything that can be up or down.
#[derive(Debug)]
pub struct Target {
    /// Its name.
    pub name: TargetName,
    /// Where the policy declares it.
    pub location: Location,
    /// Its probe; without one its verdict is `assume`.
    pub probe: Option<Arc<Probe>>,
    /// What an unknown verdict counts as when no last one is known.
    pub assume: Assume,
    /// How long it is held down after a recovery.
    pub hold_down: Duration,
    /// Whether an operator must confirm a recovery.
    pub recovery: Recovery,
}

spec! {
    /// `assume:` of a target.
    pub enum Assume {
        /// Up until a probe says otherwise.
        Up,
        /// Down until a probe says otherwise.
        Down,
    }
}

spec! {
    /// `recovery:` of a target.
    pub enum Recovery {
        /// By probes and hold-down alone.
        Auto,
        /// By an operator's word.
        Manual,
    }
}

/// A probe declared by name under `checks:`.
#[derive(Debug)]
pub struct Check {
    /// Its name.
    pub name: Arc<str>,
    /// What it does.
    pub probe: Arc<Probe>,
}

/// How a target is probed. Targets with the same named check share one.
#[derive(Clone, Debug)]
pub struct Probe {
    /// Where the policy declares it.
    pub location: Location,
    /// Probe kind and its arguments: all keys that are not listed below. A
    /// URL is the one argument of the kind that its scheme names.
    pub kind: Plugin,
    /// Start to start while steady.
    pub interval: Duration,
    /// Start to start after a first failure.
    pub fast_interval: Duration,
    /// Covers all tries.
    pub timeout: Duration,
    /// Tries inside one probe.
    pub tries: u8,
    /// Failures in a row that make it down.
    pub fall: u8,
    /// Successes in a row that make it up.
    pub rise: u8,
    /// Random spread of the interval, a fraction 0–1.
    pub jitter: f64,
    /// Source address of the probe.
    pub source: Option<IpAddr>,
    /// Interface the probe leaves through.
    pub interface: Option<String>,
    /// Sites that probe it; empty means the default of its kind of target.
    pub from: Vec<Arc<str>>,
    /// How votes combine.
    pub quorum: Quorum,
    /// Age after which a vote does not count.
    pub stale: Duration,
}

/// `quorum:` of a probe.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Quorum {
    /// More than half of the sites.
    Majority,
    /// At least `k`, of `n` expected.
    KOfN {
        /// Votes needed.
        k: u16,
        /// Sites expected.
        n: u16,
    },
    /// More than this fraction, 0–1.
    Fraction(f64),
}
