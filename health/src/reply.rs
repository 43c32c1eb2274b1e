//! What one probe found out.
//!
//! A probe asks up to `tries` times within its timeout; the first good answer
//! ends it. Tries that stayed without answer are counted even when a later
//! one succeeds: loss is a measure of quality, not of life.
//!
//! Why a probe failed matters to one question only, whose fault it is: silence
//! and local errors may be this server's own, a refusal or a wrong answer
//! proves that the network between is well.

use std::time::Duration;

/// The outcome of one probe, all its tries included.
#[derive(Clone, PartialEq, Debug)]
pub struct Reply {
    /// Whether the target works, or why it is taken not to.
    pub outcome: Result<(), Failure>,
    /// Tries made; 0 when nothing could be sent.
    pub tries: u8,
    /// Tries that stayed without an answer in time.
    pub lost: u8,
    /// From sending to the answer of the first try that had one.
    pub delay: Option<Duration>,
    /// The first word of the answer, for probes that report which side is
    /// writable; at most [`Reply::MAX_REPORT`] bytes.
    pub report: Option<Box<str>>,
}

impl Reply {
    /// Longest report kept: the name of a datacenter is a DNS label or so.
    pub const MAX_REPORT: usize = 64;
}

/// Why a probe failed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// What kind of failure.
    pub cause: Cause,
    /// In words, for people, at most [`Failure::MAX_TEXT`] bytes: `status 503`,
    /// `no answer within 1 s`.
    pub text: Box<str>,
}

impl Failure {
    /// Longest text kept: what a target says is a stranger's word.
    pub const MAX_TEXT: usize = 120;
}

/// The kinds of failures.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Cause {
    /// Nothing came back in time.
    Silent,
    /// This machine could not ask: no route, no such source address, no file
    /// descriptors, the script cannot be started.
    Local,
    /// The target, or a router near it, refused: a reset, an ICMP error.
    Refused,
    /// The target answered, and wrongly.
    Wrong,
}

impl Cause {
    /// Whether the fault may be this server's own.
    #[must_use]
    pub const fn may_be_ours(self) -> bool {
        matches!(self, Self::Silent | Self::Local)
    }
}

/// What a target's recent probes measured.
#[derive(Clone, Copy, PartialEq, Default, Debug)]
pub struct Measure {
    /// Share of tries lost, 0–1.
    pub loss: f64,
    /// Mean delay, milliseconds; none when nothing was answered.
    pub delay_ms: Option<f64>,
    /// Median delay, milliseconds.
    pub p50_ms: Option<f64>,
    /// 95th percentile of delay, milliseconds.
    pub p95_ms: Option<f64>,
    /// Mean difference of neighbouring delays, milliseconds (RFC 3550 §6.4.1
    /// without its smoothing).
    pub jitter_ms: Option<f64>,
    /// Tries it rests on.
    pub tries: u32,
}
