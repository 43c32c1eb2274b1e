//! How long answers may be kept: the policy's TTL while steady, its floor
//! while something may soon move them.
//!
//! A service is unsteady while a target on the path of one of its VIPs is seen
//! failing or recovering, is down within its hold, changed within one TTL, or
//! has an override that ends within one TTL or starts within two (an answer
//! given one TTL before the last steady one must have run out by then); and
//! while one of its VIPs is held down or ramps. Settled, up or down, is
//! steady.

use std::time::Duration;

use rhumb_zones::{Service, TargetId};
use rustc_hash::FxHashMap;

use super::Effects;
use super::recovery::Recovery;
use crate::clock::Clock;
use crate::path::Path;
use crate::statuses::{Edge, Statuses};
use crate::world::World;

/// The policy's TTL, or a rule's where that is shorter.
pub(super) fn steady(service: &Service, effects: &Effects) -> Duration {
    effects.ttl.map_or(service.ttl, |ttl| ttl.min(service.ttl))
}

/// Targets that are, or will be, unsteady.
pub(super) struct Unrest(FxHashMap<TargetId, Vec<Cause>>);

/// Why a target is unsteady. Times are since the Unix epoch.
#[derive(Clone, Copy)]
enum Cause {
    Unsettled,
    Held { until: Duration },
    Changed { at: Duration },
    Override(Edge),
}

impl Cause {
    /// From when and until when; no end means that only an input ends it.
    fn span(self, ttl: Duration) -> (Duration, Option<Duration>) {
        match self {
            Self::Unsettled => (Duration::ZERO, None),
            Self::Held { until } => (Duration::ZERO, Some(until)),
            Self::Changed { at } => (at, Some(at.saturating_add(ttl))),
            Self::Override(Edge::Start(at)) => (at.saturating_sub(ttl.saturating_mul(2)), Some(at)),
            Self::Override(Edge::End(at)) => (at.saturating_sub(ttl), Some(at)),
        }
    }
}

impl Unrest {
    pub(super) fn new(world: &World, statuses: &Statuses, now: Duration) -> Self {
        let longest = world.model().services().iter().map(|service| service.ttl).max().unwrap_or_default();
        let mut causes: FxHashMap<TargetId, Vec<Cause>> = FxHashMap::default();
        let mut add = |target, cause| causes.entry(target).or_default().push(cause);
        statuses.unsettled.iter().for_each(|&target| add(target, Cause::Unsettled));
        statuses.edges.iter().for_each(|&(target, edge)| add(target, Cause::Override(edge)));
        for (index, record) in statuses.records.iter().enumerate() {
            let target = TargetId::new(index);
            if record.has_changed && now < record.since.saturating_add(longest) {
                add(target, Cause::Changed { at: record.since });
            }
            if let Some(until) = record.held_until(now) {
                add(target, Cause::Held { until });
            }
        }
        Self(causes)
    }

    /// Whether a service is steady; asks to be woken when that changes.
    pub(super) fn is_steady(
        &self,
        path: &Path<'_>,
        effects: &Effects,
        recoveries: &[Recovery],
        clock: &mut Clock,
    ) -> bool {
        let ttl = steady(path.service, effects);
        let back = recoveries.iter().filter(|recovery| recovery.phase.is_some());
        let mut spans: Vec<_> = back.map(|recovery| (Duration::ZERO, Some(recovery.end))).collect();
        if !self.0.is_empty() {
            let causes = path.route().filter_map(|target| self.0.get(&target)).flatten();
            spans.extend(causes.map(|cause| cause.span(ttl)));
        }
        if spans.is_empty() {
            return true;
        }
        spans.sort_unstable();
        // As far as spans reach from now on without a gap.
        let mut end = clock.now;
        for &(from, until) in &spans {
            match until {
                _ if from > end => {
                    clock.wake_at(if end > clock.now { end } else { from });
                    return end == clock.now;
                }
                None => return false,
                Some(until) => end = end.max(until),
            }
        }
        clock.wake_at(end);
        end == clock.now
    }
}
