//! Everything that remembers, and the step from one state to the next.
//!
//! [`advance`] is pure: the policy, the state before, what is observed and
//! ordered now, and the time go in; the next state comes out. The query path
//! sees of it one small [`ServiceState`] per service, in which tiers are
//! already decided: no tier depends on the client, so the choice of tier is
//! made once per change of health instead of once per query.
//!
//! Tiers: 1 usable and allowed, 2 usable but drained, 3 the last resort. A VIP
//! that is disabled, or under a target forced down, is in none.
//!
//! **Law:** no lower tier is answered while a higher one has a VIP; no answer
//! names an unusable VIP while a usable, not excluded one exists.

use std::time::Duration;

use rhumb_zones::{DatacenterId, LastResort, Service, ServiceId};

use crate::inputs::Inputs;
use crate::mask::{Slot, VipMask};
use crate::path::Path;
use crate::statuses::Statuses;
use crate::world::World;

/// What holds now, and what must be remembered.
#[derive(Clone, Default, Debug)]
pub struct State {
    services: Vec<ServiceState>,
    pub(crate) statuses: Statuses,
    /// The last non-empty set of usable VIPs, by service.
    kept: Vec<VipMask>,
    /// By service.
    primaries: Vec<Option<DatacenterId>>,
}

/// What the query path needs to know of a service's health.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ServiceState {
    /// What kind of answer is due.
    pub outcome: Outcome,
    /// The VIPs that may be answered, in order of preference: those of an
    /// earlier set come before all of a later one.
    pub sets: [VipMask; Self::SETS],
    /// Of answers now, in seconds.
    pub ttl: u32,
}

impl ServiceState {
    /// Tiers 1 and 2 are one set; `everything` has four: VIPs that would be
    /// usable with every target up, the same drained, the rest, the rest
    /// drained.
    const SETS: usize = 4;
}

/// The kind of an answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// VIPs of this tier.
    Vips(Tier),
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
    /// Usable, but drained.
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

impl State {
    /// What the query path needs to know of `service`.
    #[must_use]
    pub fn service(&self, service: ServiceId) -> &ServiceState {
        &self.services[service.index()]
    }

    /// Where the writable store of `service` is now.
    #[must_use]
    pub fn primary(&self, service: ServiceId) -> Option<DatacenterId> {
        self.primaries[service.index()]
    }

    /// What was usable when last something was.
    pub(crate) fn kept(&self, service: ServiceId) -> VipMask {
        self.kept[service.index()]
    }

    pub(crate) fn path<'a>(&'a self, world: &'a World, service: ServiceId) -> Path<'a> {
        let primary = self.primary(service);
        Path { world, service: world.model().service(service), primary, statuses: Some(&self.statuses) }
    }
}

/// The state that follows `previous` when `inputs` hold at `now` (since the
/// Unix epoch). `previous` is of the same world; a default one remembers
/// nothing.
#[must_use]
pub fn advance(world: &World, previous: &State, inputs: &Inputs, now: Duration) -> State {
    let model = world.model();
    let statuses = Statuses::new(world, &previous.statuses, inputs, now);
    let mut primaries: Vec<_> = model
        .services()
        .iter()
        .map(|service| service.primary.as_ref().map(|primary| primary.initially))
        .collect();
    for &(service, datacenter) in &inputs.primaries {
        primaries[service.index()] = Some(datacenter);
    }
    let mut next = State { services: Vec::new(), statuses, kept: previous.kept.clone(), primaries };
    next.kept.resize(model.services().len(), VipMask::EMPTY);
    next.services.reserve_exact(model.services().len());
    for service in (0..model.services().len()).map(ServiceId::new) {
        let usable = next.path(world, service).usable();
        if !usable.is_empty() {
            next.kept[service.index()] = usable;
        }
        let tiers = Tiers::new(world, &next, service, usable);
        next.services.push(tiers.decide());
    }
    next
}

/// One service's VIPs, sorted by what may be done with them.
struct Tiers<'a> {
    path: Path<'a>,
    /// Not excluded from every tier.
    candidates: VipMask,
    usable: VipMask,
    drained: VipMask,
    kept: VipMask,
}

impl<'a> Tiers<'a> {
    fn new(world: &'a World, state: &'a State, id: ServiceId, usable: VipMask) -> Self {
        let path = state.path(world, id);
        let vips = || path.service.vips.iter().map(|&vip| world.model().vip(vip)).enumerate();
        let statuses = &state.statuses;
        let allowed =
            vips().filter(|(_, vip)| vip.enabled && statuses.exclusion(world, vip.target).is_none());
        let drained = vips().filter(|(_, vip)| statuses.drain(world, vip.target).is_some());
        Self {
            path,
            candidates: allowed.map(|(slot, _)| Slot::new(slot)).collect(),
            usable,
            drained: drained.map(|(slot, _)| Slot::new(slot)).collect(),
            kept: state.kept(id),
        }
    }

    fn decide(&self) -> ServiceState {
        let usable = self.usable.and(self.candidates);
        let (first, second) = (usable.without(self.drained), usable.and(self.drained));
        if !first.is_empty() {
            self.answer(Outcome::Vips(Tier::Allowed), &[first])
        } else if !second.is_empty() {
            self.answer(Outcome::Vips(Tier::Avoided), &[second])
        } else {
            self.last_resort()
        }
    }

    fn last_resort(&self) -> ServiceState {
        let kept = self.kept.and(self.candidates);
        match &self.path.service.last_resort {
            LastResort::Keep if !kept.is_empty() => self.answer(Outcome::Vips(Tier::LastResort), &[kept]),
            // With nothing kept, failing open is nearest to what was asked.
            LastResort::Everything | LastResort::Keep if !self.candidates.is_empty() => self.everything(),
            LastResort::Addresses(_) => self.answer(Outcome::FallbackAddresses, &[]),
            LastResort::Name(_) => self.answer(Outcome::FallbackName, &[]),
            LastResort::Everything | LastResort::Keep | LastResort::Fail => self.answer(Outcome::Fail, &[]),
        }
    }

    fn everything(&self) -> ServiceState {
        let sound = Path { statuses: None, ..self.path }.usable().and(self.candidates);
        let rest = self.candidates.without(sound);
        let halves = |set: VipMask| [set.without(self.drained), set.and(self.drained)];
        self.answer(Outcome::Vips(Tier::LastResort), &[halves(sound), halves(rest)].concat())
    }

    /// The policy's TTL while steady, the floor for last-resort answers.
    fn answer(&self, outcome: Outcome, ordered: &[VipMask]) -> ServiceState {
        let mut sets = [VipMask::EMPTY; ServiceState::SETS];
        sets[..ordered.len()].copy_from_slice(ordered);
        let Service { ttl, ttl_floor, .. } = self.path.service;
        let is_steady = matches!(outcome, Outcome::Vips(Tier::Allowed | Tier::Avoided));
        let ttl = if is_steady { ttl } else { ttl_floor };
        ServiceState { outcome, sets, ttl: u32::try_from(ttl.as_secs()).unwrap_or(u32::MAX) }
    }
}

impl State {
    /// Whether it is the state before the first.
    pub(crate) const fn is_blank(&self) -> bool {
        self.services.is_empty()
    }
}
