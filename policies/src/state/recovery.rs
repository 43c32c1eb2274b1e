//! What happens after a VIP was unusable or drained: hold-down, then ramp.
//!
//! A VIP that was unusable because something was seen down stays in the second
//! tier for the largest `hold-down:` of the targets that stood in its way: what
//! broke once may break again. Then, and after a drain or a force ends, the
//! share of clients for whom it is of the first tier grows from none to all
//! over the `ramp:` of its service or datacenter, whichever is larger.
//!
//! Only VIPs in trouble are remembered, so that a calm world costs nothing. A
//! world seen for the first time has no past and holds nothing down.

use std::time::Duration;

use rhumb_zones::{TargetId, VipId};
use rustc_hash::FxHashMap;

use crate::clock::Clock;
use crate::mask::{Slot, VipMask};
use crate::path::{Obstacle, Path};
use crate::world::World;

/// What is remembered of VIPs in trouble.
#[derive(Clone, Default, Debug)]
pub(crate) struct Recoveries(FxHashMap<VipId, Trouble>);

/// How a VIP fares.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Trouble {
    /// It is not usable; when it is again, it will be held down so long.
    Out { hold: Duration },
    /// It is usable again; its ramp starts at this moment, since the Unix epoch.
    Back { from: Duration },
}

/// What follows for the tier of a usable VIP.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Phase {
    /// Second tier until this moment.
    Held(Duration),
    /// First tier for this share of clients, as a fraction of 2³².
    Ramping(u32),
}

/// The recovery of one VIP.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Recovery {
    vip: VipId,
    trouble: Trouble,
    pub(crate) slot: Slot,
    /// Nothing while it is not usable.
    pub(crate) phase: Option<Phase>,
    /// When the phase changes.
    next: Duration,
    /// When the recovery is over.
    pub(crate) end: Duration,
}

/// Shares grow in so many steps, but at most once a second: each step is a
/// new snapshot, and moves at most a sixty-fourth of the clients.
const STEPS: u32 = 64;
const STEP: Duration = Duration::from_secs(1);

impl Recoveries {
    /// The recoveries of one service's VIPs, given which are usable now and
    /// which just were released from a drain or force.
    pub(super) fn step(
        &self,
        path: &Path<'_>,
        (usable, released): (VipMask, VipMask),
        now: Duration,
    ) -> Vec<Recovery> {
        let vips = path.service.vips.iter().enumerate().map(|(slot, &vip)| (Slot::new(slot), vip));
        vips.filter_map(|(slot, vip)| {
            let before = self.0.get(&vip).copied();
            let ramp = ramp(path.world, vip);
            let trouble = match before {
                _ if !usable.has(slot) => {
                    let so_far = match before {
                        Some(Trouble::Out { hold }) => hold,
                        _ => Duration::ZERO,
                    };
                    Trouble::Out { hold: so_far.max(blame(path, vip)) }
                }
                Some(Trouble::Out { hold }) => Trouble::Back { from: now.saturating_add(hold) },
                Some(Trouble::Back { from }) if released.has(slot) => Trouble::Back { from: from.max(now) },
                Some(back) => back,
                None if released.has(slot) && !ramp.is_zero() => Trouble::Back { from: now },
                None => return None,
            };
            Recovery::new((slot, vip), trouble, ramp, now)
        })
        .collect()
    }

    /// Puts these in place of all of one service's VIPs before.
    pub(super) fn replace(&mut self, vips: &[VipId], recoveries: &[Recovery]) {
        if !self.0.is_empty() {
            vips.iter().for_each(|vip| _ = self.0.remove(vip));
        }
        self.0.extend(recoveries.iter().map(|recovery| (recovery.vip, recovery.trouble)));
    }

    pub(super) fn phase(&self, world: &World, vip: VipId, now: Duration) -> Option<Phase> {
        let trouble = *self.0.get(&vip)?;
        Recovery::new((Slot::new(0), vip), trouble, ramp(world, vip), now)?.phase
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (VipId, Trouble)> {
        self.0.iter().map(|(&vip, &trouble)| (vip, trouble))
    }

    pub(super) fn insert(&mut self, vip: VipId, trouble: Trouble) {
        self.0.insert(vip, trouble);
    }
}

impl Recovery {
    /// Where it stands at `now`; nothing when it is over.
    fn new((slot, vip): (Slot, VipId), trouble: Trouble, ramp: Duration, now: Duration) -> Option<Self> {
        let Trouble::Back { from } = trouble else {
            return Some(Self { vip, trouble, slot, phase: None, next: now, end: now });
        };
        let end = from.saturating_add(ramp);
        if now < from {
            return Some(Self { vip, trouble, slot, phase: Some(Phase::Held(from)), next: from, end });
        }
        if now >= end {
            return None;
        }
        let step = (ramp / STEPS).max(STEP).as_nanos();
        let steps = (now - from).as_nanos() / step;
        let share = ((steps * step) << 32) / ramp.as_nanos();
        let share = u32::try_from(share).unwrap_or(u32::MAX);
        let next = u64::try_from((steps + 1) * step).map_or(ramp, Duration::from_nanos);
        let next = from.saturating_add(next).min(end);
        Some(Self { vip, trouble, slot, phase: Some(Phase::Ramping(share)), next, end })
    }

    pub(super) fn wake(&self, clock: &mut Clock) {
        if self.phase.is_some() {
            clock.wake_at(self.next);
        }
    }
}

/// The longest hold-down of what was seen down in the way of a VIP.
fn blame(path: &Path<'_>, vip: VipId) -> Duration {
    let model = path.world.model();
    let seen_down = |obstacle: &Obstacle| match *obstacle {
        Obstacle::Down(target) => is_seen_down(path, target).then(|| model.target(target).hold_down),
        Obstacle::NoInterconnect(..) | Obstacle::NoNode => None,
    };
    path.obstacles(model.vip(vip)).iter().filter_map(seen_down).max().unwrap_or_default()
}

fn is_seen_down(path: &Path<'_>, target: TargetId) -> bool {
    path.statuses.is_some_and(|statuses| statuses.is_seen_down(path.world, target))
}

/// Over which time a VIP's share grows.
fn ramp(world: &World, vip: VipId) -> Duration {
    let model = world.model();
    let vip = model.vip(vip);
    model.service(vip.service).ramp.max(model.datacenter(vip.datacenter).ramp)
}
