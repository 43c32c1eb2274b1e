//! What happened to each VIP, in words.
//!
//! A VIP that is not usable is told with every obstacle on every path that was
//! tried, because fixing one of them may be enough. A force that breaks
//! several hops of a path (on a datacenter, say) is told once, as the force it
//! is, with its author and reason: that is whom to ask at 3 a.m.

use std::collections::BTreeSet;
use std::fmt;

use rhumb_zones::{TargetId, VipId};
use serde_json::{Value as Json, json};

use super::{Teller, list};
use crate::inputs::{Action, Override};
use crate::mask::Slot;
use crate::path::Obstacle;

/// A VIP and why it is, or is not, answered.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Its name as a target.
    pub vip: String,
    /// Whether an unbroken path leads through it.
    pub is_usable: bool,
    /// Whether it is among those answered.
    pub is_answered: bool,
    /// What removed it from the first tier: clauses, such as
    /// `link:north/telecom is down`.
    pub removed_by: Vec<String>,
}

impl fmt::Display for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is {}", self.vip, if self.is_usable { "usable" } else { "not usable" })?;
        match &self.removed_by[..] {
            [] => f.write_str("."),
            reasons if self.is_usable => write!(f, ", but {}.", list(reasons.iter().cloned())),
            reasons => write!(f, ": {}.", list(reasons.iter().cloned())),
        }
    }
}

impl Candidate {
    pub(super) fn to_json(&self) -> Json {
        let Self { vip, is_usable, is_answered, removed_by } = self;
        json!({ "vip": vip, "usable": is_usable, "answered": is_answered, "removed-by": removed_by })
    }
}

impl Teller<'_> {
    pub(super) fn candidate(&self, slot: Slot, picks: &[VipId]) -> Candidate {
        let model = self.world.model();
        let id = model.service(self.id).vips[slot.index()];
        let vip = model.vip(id);
        let obstacles = self.state.path(self.world, self.id).obstacles(vip);
        let mut removed_by: Vec<_> = obstacles.iter().map(|obstacle| self.obstacle(*obstacle)).collect();
        if !vip.enabled {
            removed_by.push("it is disabled".to_owned());
        }
        let statuses = &self.state.statuses;
        removed_by.extend(statuses.exclusion(self.world, vip.target).map(|word| self.word(word)));
        removed_by.extend(statuses.drain(self.world, vip.target).map(|word| self.word(word)));
        let mut told = BTreeSet::new();
        removed_by.retain(|reason| told.insert(reason.clone())); // one force may break several hops
        Candidate {
            vip: model.target(vip.target).name.to_string(),
            is_usable: obstacles.is_empty(),
            is_answered: picks.contains(&id),
            removed_by,
        }
    }

    fn obstacle(&self, obstacle: Obstacle) -> String {
        let model = self.world.model();
        match obstacle {
            Obstacle::Down(target) => self.down(target),
            Obstacle::NoInterconnect(a, b) => {
                let name = |datacenter| &model.datacenter(datacenter).name;
                format!("no interconnect joins {} and {}", name(a), name(b))
            }
            Obstacle::NoNode => "no node is enabled".to_owned(),
        }
    }

    /// `link:north/telecom is down`, or whose word makes it so.
    fn down(&self, target: TargetId) -> String {
        let name = &self.world.model().target(target).name;
        let statuses = &self.state.statuses;
        match statuses.force(self.world, target) {
            Some(word) => self.word(word),
            None if statuses.known[target.index()].is_none() => format!("{name} is assumed down"),
            None => format!("{name} is down"),
        }
    }

    /// `link:north/telecom is forced down by ann (new router)`.
    fn word(&self, Override { target, action, reason, author, .. }: &Override) -> String {
        let name = &self.world.model().target(*target).name;
        let action = match action {
            Action::Up => "forced up",
            Action::Down => "forced down",
            Action::Drain => "drained",
        };
        let author = if author.is_empty() { String::new() } else { format!(" by {author}") };
        let reason = if reason.is_empty() { String::new() } else { format!(" ({reason})") };
        format!("{name} is {action}{author}{reason}")
    }
}
