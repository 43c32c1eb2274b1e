//! What happened to each VIP, in words.
//!
//! A VIP that is not usable is told with every obstacle on every path that was
//! tried, because fixing one of them may be enough. A force that breaks
//! several hops of a path (on a datacenter, say) is told once, as the force it
//! is, with its author and reason: that is whom to ask at 3 a.m.

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;

use rhumb_zones::VipId;
use serde_json::{Value as Json, json};

use super::moment::moment;
use super::{Teller, list};
use crate::choose::is_inside;
use crate::mask::Slot;
use crate::state::Phase;
use crate::statuses::LeftOut;

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
    /// Its addresses that are not answered because they are down.
    pub left_out: Vec<IpAddr>,
}

impl fmt::Display for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is {}", self.vip, if self.is_usable { "usable" } else { "not usable" })?;
        match &self.removed_by[..] {
            [] => f.write_str(".")?,
            reasons if self.is_usable => write!(f, ", but {}.", list(reasons.iter().cloned()))?,
            reasons => write!(f, ": {}.", list(reasons.iter().cloned()))?,
        }
        if !self.left_out.is_empty() {
            write!(f, " Left out as down: {}.", list(self.left_out.iter().map(ToString::to_string)))?;
        }
        Ok(())
    }
}

impl Candidate {
    pub(super) fn to_json(&self) -> Json {
        let Self { vip, is_usable, is_answered, removed_by, left_out } = self;
        let left_out: Vec<_> = left_out.iter().map(ToString::to_string).collect();
        json!({
            "vip": vip,
            "usable": is_usable,
            "answered": is_answered,
            "removed-by": removed_by,
            "left-out": left_out,
        })
    }
}

impl Teller<'_> {
    pub(super) fn candidate(&self, slot: Slot, picks: &[VipId]) -> Candidate {
        let model = self.world.model();
        let id = model.service(self.id).vips[slot.index()];
        let vip = model.vip(id);
        let obstacles = self.state.path(self.world, self.id).obstacles(vip);
        let mut removed_by: Vec<_> =
            obstacles.iter().map(|&obstacle| self.words.obstacle(obstacle)).collect();
        if !vip.enabled {
            removed_by.push("it is disabled".to_owned());
        }
        let statuses = &self.state.statuses;
        removed_by.extend(statuses.exclusion(self.world, vip.target).map(|word| self.words.word(word)));
        removed_by.extend(statuses.drain(self.world, vip.target).map(|word| self.words.word(word)));
        removed_by.extend(self.rule(slot));
        if obstacles.is_empty() {
            removed_by.extend(self.state.phase(self.world, id).and_then(|phase| self.phase(slot, phase)));
        }
        let mut told = BTreeSet::new();
        removed_by.retain(|reason| told.insert(reason.clone())); // one force may break several hops
        Candidate {
            vip: model.target(vip.target).name.to_string(),
            is_usable: obstacles.is_empty(),
            is_answered: picks.contains(&id),
            removed_by,
            left_out: self.left_out(id),
        }
    }

    /// The rule that keeps a VIP out, or in the second tier.
    fn rule(&self, slot: Slot) -> Option<String> {
        let name = |rule: usize| &self.world.model().rules()[rule].name;
        if let Some(rule) = self.effects.excluder(slot) {
            return Some(format!("excluded by rule {}", name(rule)));
        }
        let (_, rule) = self.effects.avoid.filter(|_| self.effects.avoided().has(slot))?;
        Some(format!("avoided by rule {}", name(rule)))
    }

    /// What is left of a recovery; nothing where it does not concern the client.
    fn phase(&self, slot: Slot, phase: Phase) -> Option<String> {
        match phase {
            Phase::Held(until) => Some(format!("held down until {}", moment(until))),
            Phase::Ramping(share) => {
                let percent = f64::from(share) * 100.0 / 2_f64.powi(32);
                let is_outside = !is_inside(self.shape, slot, share, self.hash);
                is_outside.then(|| format!("ramping at {percent:.0} %, and this client is not yet inside"))
            }
        }
    }

    fn left_out(&self, id: VipId) -> Vec<IpAddr> {
        let LeftOut { v4, v6 } = self.state.left_out(id);
        let addresses = &self.world.model().vip(id).addresses;
        let of = |is_in: fn(&IpAddr) -> bool, mask: u64| {
            let family = addresses.iter().copied().filter(is_in).take(64).enumerate();
            family.filter(move |(bit, _)| mask >> bit & 1 == 1).map(|(_, address)| address)
        };
        of(IpAddr::is_ipv4, v4).chain(of(IpAddr::is_ipv6, v6)).collect()
    }
}
