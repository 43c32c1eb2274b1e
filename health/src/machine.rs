//! From replies to a leaning, for one probe: rise, fall and flaps.
//!
//! The machine is pure and knows no clock: replies come with the time at which
//! they were known. `fall` failures in a row make it lean down, `rise`
//! successes in a row make it lean up; one contrary reply starts the count
//! again. A probe that has never leaned either way believes its first success,
//! because there is nothing to protect from flapping yet.
//!
//! Each time it comes up and goes down again within [`Machine::CALM`], the
//! rise it wants is doubled, up to eight times (`findings.md`: flap damping); a
//! calm spell takes that back. Failures never need to be more: a target that
//! flaps is to be left early and trusted late.
//!
//! While a count is under way the machine is *unsettled* and asks to be probed
//! at the fast interval. Being long down is settled.
//!
//! **Invariant:** a leaning is this prober's opinion, not a verdict: whether it
//! counts, and what own faults do to it, is the ballot's business.

use std::time::Duration;

use rhumb_zones::Probe;

use crate::reply::Reply;
use crate::status::Status;

/// The memory of one probe.
#[derive(Clone, Debug)]
pub struct Machine {
    interval: Duration,
    fast_interval: Duration,
    fall: u8,
    rise: u8,
    leaning: Status,
    /// Replies in a row against the leaning.
    contrary: u16,
    /// Of the failures in a row, the first: when it was known.
    failing_since: Option<Duration>,
    /// Whether each of them may be this server's own fault.
    may_be_ours: bool,
    /// How often the rise was doubled.
    flaps: u8,
    /// When it last came up.
    up_since: Option<Duration>,
}

/// What a machine thinks now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Standing {
    /// Up, down, or unknown before it could tell.
    pub leaning: Status,
    /// Whether no count is under way.
    pub is_settled: bool,
    /// When the first of the present failures in a row was known, since the
    /// Unix epoch.
    pub failing_since: Option<Duration>,
    /// Whether each of these failures may be this server's own fault.
    pub may_be_ours: bool,
}

impl Machine {
    /// How long it must have been up for its next fall not to count as a flap.
    pub const CALM: Duration = Duration::from_secs(300);

    /// Doublings of the rise at most: eight times.
    const MAX_FLAPS: u8 = 3;

    /// A machine that starts with what was known before: after a restart, a
    /// target that was down must rise, and one that was up must fall.
    #[must_use]
    pub const fn new(probe: &Probe, initial: Status) -> Self {
        Self {
            interval: probe.interval,
            fast_interval: probe.fast_interval,
            fall: probe.fall,
            rise: probe.rise,
            leaning: initial,
            contrary: 0,
            failing_since: None,
            may_be_ours: true,
            flaps: 0,
            up_since: None,
        }
    }

    /// Takes note of a reply known at `now` (since the Unix epoch).
    pub fn consume(&mut self, reply: &Reply, now: Duration) {
        let failure = reply.outcome.as_ref().err();
        match failure {
            None => (self.failing_since, self.may_be_ours) = (None, true),
            Some(failure) => {
                self.failing_since.get_or_insert(now);
                self.may_be_ours &= failure.cause.may_be_ours();
            }
        }
        let (toward, needed) = match (failure, self.leaning) {
            (None, Status::Unknown) => (Status::Up, 1),
            (None, _) => (Status::Up, u16::from(self.rise) << self.flaps),
            (Some(_), _) => (Status::Down, u16::from(self.fall)),
        };
        if toward == self.leaning {
            self.contrary = 0;
            return;
        }
        self.contrary += 1;
        if self.contrary >= needed {
            self.turn(toward, now);
        }
    }

    fn turn(&mut self, toward: Status, now: Duration) {
        if toward == Status::Up {
            // Coming into sight is no recovery.
            self.up_since = (self.leaning == Status::Down).then_some(now);
        } else if let Some(since) = self.up_since.take() {
            let is_flap = now.saturating_sub(since) < Self::CALM;
            self.flaps = if is_flap { (self.flaps + 1).min(Self::MAX_FLAPS) } else { 0 };
        }
        (self.leaning, self.contrary) = (toward, 0);
    }

    /// What it thinks now.
    #[must_use]
    pub const fn standing(&self) -> Standing {
        let Self { leaning, contrary, failing_since, may_be_ours, .. } = *self;
        Standing { leaning, is_settled: contrary == 0, failing_since, may_be_ours }
    }

    /// From the start of the last probe to the start of the next, before
    /// jitter.
    #[must_use]
    pub const fn next(&self) -> Duration {
        if self.contrary == 0 { self.interval } else { self.fast_interval }
    }
}
