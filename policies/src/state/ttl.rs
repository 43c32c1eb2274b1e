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

/// The policy's TTL, or a rule's where that is shorter.
pub(super) fn steady(service: &Service, effects: &Effects) -> Duration {
    effects.ttl.map_or(service.ttl, |ttl| ttl.min(service.ttl))
}

/// What makes targets unsteady, now or later.
pub(super) struct Unrest<'a> {
    statuses: &'a Statuses,
    /// Starts and ends of overrides to come.
    edges: FxHashMap<TargetId, Vec<Edge>>,
    now: Duration,
}

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

impl<'a> Unrest<'a> {
    pub(super) fn new(statuses: &'a Statuses, now: Duration) -> Self {
        let mut edges: FxHashMap<_, Vec<Edge>> = FxHashMap::default();
        statuses.edges.iter().for_each(|&(target, edge)| edges.entry(target).or_default().push(edge));
        Self { statuses, edges, now }
    }

    /// Why `target` is unsteady, as far as that matters to a service with this
    /// TTL.
    fn causes(&self, target: TargetId, ttl: Duration) -> impl Iterator<Item = Cause> {
        let record = self.statuses.record(target);
        let is_recent = record.has_changed && self.now < record.since.saturating_add(ttl);
        let unsettled = self.statuses.unsettled.contains(&target).then_some(Cause::Unsettled);
        let changed = is_recent.then_some(Cause::Changed { at: record.since });
        let held = record.held_until(self.now).map(|until| Cause::Held { until });
        let edges = self.edges.get(&target).into_iter().flatten();
        unsettled.into_iter().chain(changed).chain(held).chain(edges.map(|&edge| Cause::Override(edge)))
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
        let causes = path.route().flat_map(|target| self.causes(target, ttl));
        spans.extend(causes.map(|cause| cause.span(ttl)));
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
