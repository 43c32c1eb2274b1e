//! A group of links, scored, and when one of them leads another.
//!
//! A score is a sum of parts, one per feature and one for the operator's cost,
//! so that it can be told where it comes from. A *lead* is the difference of
//! two scores without what may be mere noise: a difference in delay or jitter of
//! less than 2 ms counts as none, and less loss that two windows of these sizes
//! show by chance once in ten times does not speak for a link. More loss does
//! speak against it, sure or not: else a carrier's link that steadily loses a
//! packet in 20 would lose its clients and win them back 13 times an hour; so it
//! does twice (simulated: 60 probes of 2 s, a hold of 60 s). Only leads move
//! clients.
//!
//! The cost of a link counts beside that of the dearest of its group; links
//! whose cost is not said cost the mean of those that are.

use rhumb_health::Measure;

use super::feature::{Feature, LinkFacts, Weights, features};
use super::measured::Formula;
use crate::mask::Slot;

/// What a link's probes say, as far as it can be relied on.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Reading {
    loss: Option<f64>,
    delay_ms: Option<f64>,
    jitter_ms: Option<f64>,
    tries: u32,
}

impl Reading {
    /// Fewer tries than these measure nothing yet.
    const MIN_TRIES: u32 = 10;

    /// What `measure` amounts to.
    pub(crate) fn new(measure: Option<&Measure>) -> Self {
        let Some(measure) = measure.filter(|measure| measure.tries >= Self::MIN_TRIES) else {
            return Self::default();
        };
        let Measure { loss, p50_ms, jitter_ms, tries, .. } = *measure;
        Self { loss: Some(loss), delay_ms: p50_ms, jitter_ms, tries }
    }

    /// Adds it to what else is known.
    pub(crate) const fn on(&self, facts: LinkFacts) -> LinkFacts {
        LinkFacts { loss: self.loss, delay_ms: self.delay_ms, jitter_ms: self.jitter_ms, ..facts }
    }
}

/// Parts of a score: the features', and the cost's.
pub(crate) const PARTS: usize = Feature::COUNT + 1;

/// A link and its score.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scored {
    pub(crate) slot: Slot,
    pub(crate) facts: LinkFacts,
    /// Nats, by feature, then cost.
    pub(crate) parts: [f64; PARTS],
    tries: u32,
}

/// A link to be scored.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entrant {
    pub(crate) slot: Slot,
    pub(crate) facts: LinkFacts,
    pub(crate) reading: Reading,
    pub(crate) cost: Option<f64>,
}

/// Scores a group.
pub(crate) fn score(formula: &Formula, entrants: &[Entrant]) -> Vec<Scored> {
    let Formula { weights, cost } = formula;
    let facts: Vec<_> = entrants.iter().map(|entrant| entrant.reading.on(entrant.facts)).collect();
    let costs = costs(entrants);
    let scored = |(((entrant, facts), features), dear): (((&Entrant, &LinkFacts), _), f64)| {
        let mut parts = [0.0; PARTS];
        parts[..Feature::COUNT].copy_from_slice(&Weights::contributions(weights, &features));
        parts[Feature::COUNT] = -cost * dear;
        Scored { slot: entrant.slot, facts: *facts, parts, tries: entrant.reading.tries }
    };
    entrants.iter().zip(&facts).zip(features(&facts)).zip(costs).map(scored).collect()
}

/// Costs as shares of the dearest's.
fn costs(entrants: &[Entrant]) -> Vec<f64> {
    let known = || entrants.iter().filter_map(|entrant| entrant.cost);
    let dearest = known().fold(0.0, f64::max);
    if dearest <= 0.0 {
        return vec![0.0; entrants.len()];
    }
    let mean = known().sum::<f64>() / known().count() as f64;
    entrants.iter().map(|entrant| entrant.cost.unwrap_or(mean) / dearest).collect()
}

/// Differences of delay and jitter below it are noise, milliseconds.
const DELAY_NOISE_MS: f64 = 2.0;

/// Square of the deviations that chance exceeds once in ten times.
const LOSS_NOISE: f64 = 1.64 * 1.64;

impl Scored {
    /// The score, in nats.
    pub(crate) fn total(&self) -> f64 {
        self.parts.iter().sum()
    }

    /// By how much it is surely better than `other`, in nats: noise does not
    /// speak for it. Never do both lead.
    pub(crate) fn lead(&self, other: &Self) -> f64 {
        let mut lead = 0.0;
        for feature in 0..PARTS {
            let gain = self.parts[feature] - other.parts[feature];
            lead += match Feature::ALL.get(feature) {
                Some(Feature::Delay | Feature::Late) if self.delay_is_noise(other) => 0.0,
                Some(Feature::Jitter) if is_noise_ms(self.facts.jitter_ms, other.facts.jitter_ms) => 0.0,
                Some(Feature::Loss) if self.loss_is_noise(other) => gain.min(0.0),
                _ => gain,
            };
        }
        lead
    }

    fn delay_is_noise(&self, other: &Self) -> bool {
        is_noise_ms(self.facts.delay_ms, other.facts.delay_ms)
    }

    /// Whether two windows of these sizes show such a difference by chance.
    fn loss_is_noise(&self, other: &Self) -> bool {
        let Some((own, theirs)) = self.facts.loss.zip(other.facts.loss) else { return false };
        let spread = |loss: f64, tries: u32| {
            let tries = f64::from(tries.max(1));
            (loss * tries + 0.5) / (tries * tries)
        };
        let variance = spread(own, self.tries) + spread(theirs, other.tries);
        (own - theirs) * (own - theirs) <= LOSS_NOISE * variance
    }
}

/// Whether two times are so near that they count as equal.
fn is_noise_ms(own: Option<f64>, other: Option<f64>) -> bool {
    own.zip(other).is_some_and(|(own, other)| (own - other).abs() < DELAY_NOISE_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_of_a_millisecond_is_noise_to_any_model() {
        let weights =
            Weights(std::array::from_fn(|index| f64::from(index == Feature::Jitter as usize) * -36.0));
        let rows = [(1.9, false, "less than 2 ms"), (2.1, true, "more")];
        for (jitter_ms, leads, why) in rows {
            let group = [0.0, jitter_ms].map(|jitter_ms| Entrant {
                slot: Slot::new(0),
                facts: LinkFacts::default(),
                reading: Reading { jitter_ms: Some(jitter_ms), tries: 60, ..Reading::default() },
                cost: None,
            });
            let scored = score(&Formula { weights, ..Formula::DEFAULT }, &group);
            assert_eq!(scored[0].lead(&scored[1]) > 0.05, leads, "{why}");
        }
    }

    #[test]
    fn noise_leads_nobody() {
        let entrant = |slot, loss, delay_ms, cost| Entrant {
            slot: Slot::new(slot),
            facts: LinkFacts { quality: Some(50.0), ..LinkFacts::default() },
            reading: Reading { loss: Some(loss), delay_ms: Some(delay_ms), jitter_ms: None, tries: 60 },
            cost,
        };
        let rows = [
            ((0.0, 10.0, None), (0.0, 11.9, None), false, "less than 2 ms"),
            ((0.0, 10.0, None), (0.0, 13.0, None), true, "more"),
            ((0.0, 10.0, None), (1.0 / 60.0, 10.0, None), false, "one packet of sixty"),
            ((0.0, 10.0, None), (3.0 / 60.0, 10.0, None), false, "three by chance"),
            ((0.0, 10.0, None), (6.0 / 60.0, 10.0, None), true, "six hardly"),
            ((0.10, 10.0, None), (0.12, 10.0, None), false, "both bad"),
            ((0.0, 10.0, Some(1.0)), (0.0, 10.0, Some(4.0)), true, "dearer"),
            ((0.0, 10.0, Some(1.0)), (0.0, 10.0, None), false, "a cost that is not said is the mean"),
        ];
        for ((loss_a, delay_a, cost_a), (loss_b, delay_b, cost_b), leads, why) in rows {
            let group = [entrant(0, loss_a, delay_a, cost_a), entrant(1, loss_b, delay_b, cost_b)];
            let scored = score(&Formula::DEFAULT, &group);
            let lead = scored[0].lead(&scored[1]);
            assert_eq!(lead > 0.05, leads, "{why}: {lead}");
            assert!(lead + scored[1].lead(&scored[0]) < 1e-12, "{why}: never both");
        }
    }
}
