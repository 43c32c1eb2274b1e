//! Operators' own conditions, and what follows from them.
//!
//! The condition is text here: its language belongs to the crate that knows
//! the state it speaks of. The actions name targets that exist, so that a rule
//! which can do nothing because of a typing error is found at load, not on the
//! night it was written for.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::diagnostic::Location;
use crate::ids::{ServiceId, TargetId};

/// A rule: a condition and what it does.
#[derive(Debug)]
pub struct Rule {
    /// Its name.
    pub name: Arc<str>,
    /// Where the policy declares it.
    pub location: Location,
    /// The CEL condition, unparsed.
    pub when: Arc<str>,
    /// Where the condition stands.
    pub when_at: Location,
    /// Services it applies to; empty means all.
    pub services: Vec<ServiceId>,
    /// Its actions, at most one of each kind.
    pub apply: Vec<RuleAction>,
}

/// One action of a rule.
#[derive(Clone, PartialEq, Debug)]
pub enum RuleAction {
    /// Only these are answered.
    Only(Vec<TargetId>),
    /// These go to the second tier.
    Avoid(Vec<TargetId>),
    /// These come first within their tier.
    Prefer(Vec<TargetId>),
    /// Only the primary's datacenter is answered.
    AllToPrimary,
    /// Preference does not move.
    Freeze,
    /// These addresses are answered.
    Answer(Vec<IpAddr>),
    /// This TTL is used.
    Ttl(Duration),
}
