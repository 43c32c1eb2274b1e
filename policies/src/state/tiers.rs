//! One service's VIPs, sorted by what may be done with them.

use std::sync::Arc;

use rhumb_zones::LastResort;

use super::recovery::Recovery;
use super::{Effects, Memory, Phase};
use crate::mask::{Slot, VipMask};
use crate::path::Path;

/// What the query path needs to know of a service's health.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ServiceState {
    /// What kind of answer is due; while a ramp runs, [`choose`](crate::choose)
    /// knows better.
    pub outcome: Outcome,
    /// Of answers now, in seconds.
    pub ttl: u32,
    /// Whether some VIP leaves out addresses: see
    /// [`State::left_out`](crate::State::left_out).
    pub leaves_out: bool,
    /// Whether every VIP is usable and allowed, and nothing is changing.
    pub(crate) is_calm: bool,
    /// The VIPs that may be answered.
    first: VipMask,
    /// More of them: those of an earlier set come before all of a later one.
    rest: Option<Arc<[VipMask]>>,
    /// While it lasts, the sets above do not count.
    pub(crate) ramp: Option<Arc<Ramp>>,
}

/// Tiers that depend on the client.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Ramp {
    /// First tier for everybody.
    pub(crate) open: VipMask,
    /// First tier for a share of the clients, a fraction of 2³², and second
    /// for the others.
    pub(crate) shares: Arc<[(Slot, u32)]>,
    /// The second tier.
    pub(crate) second: VipMask,
    /// Those that come first within a tier.
    pub(crate) preferred: VipMask,
}

/// The kind of an answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// VIPs of this tier.
    Vips(Tier),
    /// The addresses of the rule with this index: see
    /// [`Model::rules`](rhumb_zones::Model::rules).
    RuleAddresses(usize),
    /// The addresses of the service's `last-resort: {fallback: …}`.
    FallbackAddresses,
    /// The alias of the service's `last-resort: {fallback: …}`.
    FallbackName,
    /// SERVFAIL.
    Fail,
}

/// How good the VIPs of an answer are.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Tier {
    /// Usable and allowed.
    Allowed,
    /// Usable, but held down, outside its ramp's share, avoided or drained.
    Avoided,
    /// Not usable: nothing is.
    LastResort,
}

impl Tier {
    /// 1, 2 or 3.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8 + 1
    }
}

impl ServiceState {
    /// The sets of VIPs that may be answered, best first; some may be empty.
    pub(crate) fn sets(&self) -> impl Iterator<Item = &VipMask> {
        std::iter::once(&self.first).chain(self.rest.iter().flat_map(|rest| &**rest))
    }

    /// Whether the VIP of `slot` may be answered to some client.
    pub(crate) fn may_answer(&self, slot: Slot) -> bool {
        let in_ramp = self.ramp.iter().any(|ramp| {
            ramp.open.has(slot) || ramp.second.has(slot) || ramp.shares.iter().any(|(one, _)| *one == slot)
        });
        in_ramp || self.sets().any(|set| set.has(slot))
    }
}

/// The first tier: VIPs for all clients, and VIPs for a share of them.
#[derive(Clone, Default, Debug)]
pub(super) struct Preferred {
    pub(super) open: VipMask,
    pub(super) shares: Arc<[(Slot, u32)]>,
}

impl Preferred {
    fn only(&self, allowed: VipMask) -> Self {
        let open = self.open.and(allowed);
        if self.shares.iter().all(|(slot, _)| allowed.has(*slot)) {
            return Self { open, shares: Arc::clone(&self.shares) };
        }
        Self { open, shares: self.shares.iter().copied().filter(|(slot, _)| allowed.has(*slot)).collect() }
    }

    fn is_empty(&self) -> bool {
        self.open.is_empty() && self.shares.is_empty()
    }
}

/// One service's VIPs, sorted.
pub(super) struct Tiers<'a> {
    path: &'a Path<'a>,
    effects: &'a Effects,
    recoveries: &'a [Recovery],
    /// Not excluded from every tier.
    candidates: VipMask,
    usable: VipMask,
    /// Drained, or avoided by a rule.
    avoided: VipMask,
    kept: VipMask,
}

impl<'a> Tiers<'a> {
    pub(super) fn new(
        path: &'a Path<'a>,
        memory: &Memory,
        effects: &'a Effects,
        recoveries: &'a [Recovery],
    ) -> Self {
        let candidates = path.slots(|vip| vip.enabled && path.exclusion(vip).is_none());
        let candidates = candidates.without(effects.excluded());
        let drained = path.slots(|vip| path.drain(vip).is_some());
        Self {
            path,
            effects,
            recoveries,
            candidates,
            usable: memory.usable.and(candidates),
            avoided: drained.or(effects.avoided()),
            kept: memory.kept,
        }
    }

    /// The first tier: that of `frozen` as far as it still stands, else by
    /// what holds now.
    pub(super) fn first(&self, frozen: Option<&Preferred>) -> Preferred {
        let allowed = self.usable.without(self.avoided);
        let frozen = frozen.map(|before| before.only(allowed)).filter(|first| !first.is_empty());
        frozen.unwrap_or_else(|| {
            let mut open = allowed;
            let mut shares = Vec::new();
            for recovery in self.recoveries.iter().filter(|recovery| allowed.has(recovery.slot)) {
                open.remove(recovery.slot);
                if let Some(Phase::Ramping(share)) = recovery.phase {
                    shares.push((recovery.slot, share));
                }
            }
            Preferred { open, shares: shares.into() }
        })
    }

    pub(super) fn decide(&self, first: &Preferred, is_steady: bool) -> ServiceState {
        if let Some(rule) = self.effects.answer {
            return self.answer(Outcome::RuleAddresses(rule), &[], is_steady);
        }
        let ramping: VipMask = first.shares.iter().map(|(slot, _)| *slot).collect();
        let second = self.usable.without(first.open).without(ramping);
        if !first.shares.is_empty() {
            let Preferred { open, shares } = first.clone();
            let state = self.answer(Outcome::Vips(Tier::Allowed), &[], is_steady);
            let ramp = Ramp { open, shares, second, preferred: self.effects.preferred() };
            ServiceState { ramp: Some(Arc::new(ramp)), ..state }
        } else if !first.open.is_empty() {
            let is_calm = is_steady && first.open == self.candidates;
            let state = self.answer(Outcome::Vips(Tier::Allowed), &[first.open], is_steady);
            ServiceState { is_calm, ..state }
        } else if !second.is_empty() {
            self.answer(Outcome::Vips(Tier::Avoided), &[second], is_steady)
        } else {
            self.last_resort()
        }
    }

    fn last_resort(&self) -> ServiceState {
        let kept = self.kept.and(self.candidates);
        let answer = |outcome, sets: &[VipMask]| self.answer(outcome, sets, false);
        match &self.path.service.last_resort {
            LastResort::Keep if !kept.is_empty() => answer(Outcome::Vips(Tier::LastResort), &[kept]),
            // With nothing kept, failing open is nearest to what was asked.
            LastResort::Everything | LastResort::Keep if !self.candidates.is_empty() => {
                answer(Outcome::Vips(Tier::LastResort), &self.everything())
            }
            LastResort::Addresses(_) => answer(Outcome::FallbackAddresses, &[]),
            LastResort::Name(_) => answer(Outcome::FallbackName, &[]),
            LastResort::Everything | LastResort::Keep | LastResort::Fail => answer(Outcome::Fail, &[]),
        }
    }

    /// Those that would be usable with every target up, then the rest, the
    /// avoided last among each.
    fn everything(&self) -> [VipMask; 4] {
        let sound = Path { statuses: None, ..*self.path }.usable().and(self.candidates);
        let rest = self.candidates.without(sound);
        let halves = |set: VipMask| [set.without(self.avoided), set.and(self.avoided)];
        let ([a, b], [c, d]) = (halves(sound), halves(rest));
        [a, b, c, d]
    }

    /// The policy's TTL, or that of a rule, while steady; else the floor.
    fn answer(&self, outcome: Outcome, ordered: &[VipMask], is_steady: bool) -> ServiceState {
        let preferred = self.effects.preferred();
        let mut sets: Vec<VipMask> = Vec::new();
        for set in ordered {
            let halves = [set.and(preferred), set.without(preferred)];
            sets.extend(halves.into_iter().filter(|set| !set.is_empty()));
        }
        let (first, rest) =
            sets.split_first().map_or((VipMask::EMPTY, &[][..]), |(first, rest)| (*first, rest));
        let ttl = super::ttl::steady(self.path.service, self.effects);
        let ttl = if is_steady { ttl } else { ttl.min(self.path.service.ttl_floor) };
        ServiceState {
            outcome,
            ttl: u32::try_from(ttl.as_secs()).unwrap_or(u32::MAX),
            leaves_out: false,
            is_calm: false,
            first,
            rest: (!rest.is_empty()).then(|| rest.into()),
            ramp: None,
        }
    }
}
