//! What happened, for people: the difference of two states.
//!
//! A cut line brings down a link, the VIPs on it and the answers of every
//! service there; whoever is woken wants to read one sentence. So a state is
//! first reduced to its *faults*: what is wrong and has no cause among what is
//! known (`fault`). The rest is masked, each part under one fault. Events are
//! the faults that begin and those that end, and a transition is named once:
//! as the subject of an event, or as masked under one. A transition under a
//! fault that goes on is a notice of that fault.
//!
//! Faults are taken from states, not from transitions. So a VIP that fails a
//! second before its link is found down stops being a fault of its own then,
//! and is one again if it stays down when the link is back; what is told to an
//! alert manager at any time are the roots of what is wrong at that time, and
//! after a restart they can be told again ([`standing`]).
//!
//! A service has an event of its own only when its answers get worse in kind:
//! drained or avoided VIPs, or the last resort. That some of its VIPs are gone is told
//! with the fault that took them.
//!
//! **Invariant:** an event changes nothing; it is not even known to
//! [`advance`](crate::advance).

mod diff;
mod fault;
mod moves;
mod words;

use std::time::Duration;

pub use moves::link_moves;

use serde::{Deserialize, Serialize};

use crate::state::State;
use crate::world::World;

/// Something that operators should know.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Event {
    /// When, in milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// What kind of thing.
    pub kind: EventKind,
    /// Whether it begins or ends.
    pub phase: Phase,
    /// Whose, by its target's name, or `rule:NAME`, or `server`.
    pub target: String,
    /// How bad it is; the same when it begins and when it ends.
    pub severity: Severity,
    /// One sentence.
    pub text: String,
    /// The target at the root of it, where that is another.
    pub cause: Option<String>,
    /// What changed with it, by name: targets, and services whose VIPs were
    /// gained or lost; at most [`Event::MAX_MASKED`].
    pub masked: Vec<String>,
    /// How many there are.
    pub masked_count: usize,
}

impl Event {
    /// Most names in `masked`: a link may carry ten thousand VIPs, and nobody
    /// reads beyond a screen.
    pub const MAX_MASKED: usize = 50;

    /// An event that is no difference of states, about `target`.
    #[must_use]
    pub fn new(kind: EventKind, (phase, severity): (Phase, Severity), target: &str, text: String) -> Self {
        let (target, masked) = (target.to_owned(), Vec::new());
        Self { at_ms: 0, kind, phase, target, severity, text, cause: None, masked, masked_count: 0 }
    }

    /// The same, at `now` (since the Unix epoch).
    #[must_use]
    pub fn at(self, now: Duration) -> Self {
        Self { at_ms: u64::try_from(now.as_millis()).unwrap_or(u64::MAX), ..self }
    }
}

/// Kinds of events.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Debug)]
#[serde(rename_all = "kebab-case")]
pub enum EventKind {
    /// An operator forced a target up.
    ForcedUp,
    /// An operator forced a target down.
    ForcedDown,
    /// An operator drained a target.
    Drained,
    /// A target is down.
    TargetDown,
    /// All of a datacenter's links are.
    EgressDown,
    /// All of a datacenter's balancers are.
    BalancersDown,
    /// All that a service answers is drained, or avoided by a rule.
    ServiceDegraded,
    /// Nothing of a service is usable.
    ServiceLastResort,
    /// The primary of a service is elsewhere now.
    PrimaryChanged,
    /// A target with `recovery: manual` is well and waits for an operator.
    RecoveryWaits,
    /// A rule's condition holds.
    RuleOn,
    /// A rule counts as off for lack of a measure.
    RuleUnmeasured,
    /// A rule counts as off because its condition has no value.
    RuleFailed,
    /// Everything is silent: the fault is this server's own.
    OwnFault,
    /// An operator's order was carried out.
    Order,
    /// A prober of a site that was not known votes.
    SiteHeard,
    /// No prober of a site is heard any more.
    SiteSilent,
    /// What was kept over a restart makes no sense.
    StateLost,
    /// A probe reports a primary that is no datacenter.
    StrangePrimary,
    /// Clients got another link, because it is better.
    LinksMoved,
    /// A link model that was learned here is in use from now on.
    LinkModelPromoted,
    /// One was learned and is not put in use.
    LinkModelRefused,
    /// An earlier link model is in use again.
    LinkModelRolledBack,
    /// Links are not what their model was trained on: the formula is used.
    LinkDrift,
    /// What links are learned from, or what was learned, cannot be kept.
    LinkFiles,
}

impl EventKind {
    /// Whether [`standing`] would tell it: events of other kinds are those of
    /// whoever watches and orders.
    #[must_use]
    pub const fn is_of_state(self) -> bool {
        let others = matches!(
            self,
            Self::OwnFault
                | Self::Order
                | Self::SiteHeard
                | Self::SiteSilent
                | Self::StateLost
                | Self::StrangePrimary
                | Self::LinksMoved
                | Self::LinkModelPromoted
                | Self::LinkModelRefused
                | Self::LinkModelRolledBack
                | Self::LinkDrift
                | Self::LinkFiles
        );
        !others
    }

    /// Its name in JSON, logs and alerts.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ForcedUp => "forced-up",
            Self::ForcedDown => "forced-down",
            Self::Drained => "drained",
            Self::TargetDown => "target-down",
            Self::EgressDown => "egress-down",
            Self::BalancersDown => "balancers-down",
            Self::ServiceDegraded => "service-degraded",
            Self::ServiceLastResort => "service-last-resort",
            Self::PrimaryChanged => "primary-changed",
            Self::RecoveryWaits => "recovery-waits",
            Self::RuleOn => "rule-on",
            Self::RuleUnmeasured => "rule-unmeasured",
            Self::RuleFailed => "rule-failed",
            Self::OwnFault => "own-fault",
            Self::Order => "order",
            Self::SiteHeard => "site-heard",
            Self::SiteSilent => "site-silent",
            Self::StateLost => "state-lost",
            Self::StrangePrimary => "strange-primary",
            Self::LinksMoved => "links-moved",
            Self::LinkModelPromoted => "link-model-promoted",
            Self::LinkModelRefused => "link-model-refused",
            Self::LinkModelRolledBack => "link-model-rolled-back",
            Self::LinkDrift => "link-drift",
            Self::LinkFiles => "link-files",
        }
    }
}

/// What an event says of its kind.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Debug)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// It is so from now on.
    Begins,
    /// It is so no more.
    Ends,
    /// Something happened, or went on.
    Notice,
}

impl Phase {
    /// Its name in JSON and logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Begins => "begins",
            Self::Ends => "ends",
            Self::Notice => "notice",
        }
    }
}

/// How bad an event is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Debug)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Good to know.
    Info,
    /// Something is broken; answers avoid it.
    Warning,
    /// Clients may notice.
    Critical,
}

impl Severity {
    /// Its name in JSON, logs and alerts.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

/// What happened between two states of one world, at `now` (since the Unix
/// epoch). Before the first state nothing was wrong.
#[must_use]
pub fn events(world: &World, before: &State, after: &State, now: Duration) -> Vec<Event> {
    diff::Diff::new(world, before, after).events(now)
}

/// What is wrong in `state`, as events that begin: what an alert manager must
/// hear after a restart or a reload.
#[must_use]
pub fn standing(world: &World, state: &State, now: Duration) -> Vec<Event> {
    events(world, &State::default(), state, now)
}
