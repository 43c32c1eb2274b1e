//! How well a way of choosing links would have done on known decisions.
//!
//! Two measures, because they disagree: how often the pick is the link called
//! best (top-1), and how much the pick is worth less than the most useful link
//! of its decision (regret). A pick that is second by a hair is wrong for the
//! first and nearly right for the second, which is what clients feel.
//!
//! Every selector that can be compared is a dot product with its own weights,
//! so there is one way to pick: the highest score, the first of equals.

use std::collections::BTreeMap;

use serde::Serialize;

use super::feature::{Feature, Features, Weights};
use super::model::LinkModel;
use super::sample::Sample;
use super::utility::Utilities;

/// A way of choosing that needs nothing but the facts of a decision. A fact
/// that is missing stands for the mean of its group, as everywhere.
#[derive(Clone, Copy, Debug)]
pub enum Selector<'m> {
    /// A learned model.
    Model(&'m LinkModel),
    /// Any weights.
    Weights(Weights),
    /// The hand-set formula.
    Formula,
    /// The least `price_km`: the carrier the client is with, the nearest.
    Carrier,
    /// The lowest delay.
    Delay,
    /// The lowest loss.
    Loss,
    /// The first row: the order in which operators declare links.
    Priority,
    /// The highest rating.
    Quality,
}

impl Selector<'_> {
    /// What it scores links with.
    #[must_use]
    pub fn weights(&self) -> Weights {
        let only = |feature: Feature| {
            let mut weights: Features = [0.0; Feature::COUNT];
            weights[feature as usize] = if feature.helps() { 1.0 } else { -1.0 };
            Weights(weights)
        };
        match self {
            Self::Model(model) => model.weights(),
            Self::Weights(weights) => *weights,
            Self::Formula => Weights::FORMULA,
            Self::Carrier => only(Feature::Price),
            Self::Delay => only(Feature::Delay),
            Self::Loss => only(Feature::Loss),
            Self::Priority => Weights([0.0; Feature::COUNT]),
            Self::Quality => only(Feature::Quality),
        }
    }

    /// The row it would choose.
    #[must_use]
    pub fn pick(&self, sample: &Sample) -> usize {
        pick(&self.weights(), &sample.features())
    }
}

/// The highest score, the first of equals.
pub(super) fn pick(weights: &Weights, features: &[Features]) -> usize {
    let mut best = (0, f64::NEG_INFINITY);
    for (index, features) in features.iter().enumerate() {
        let score = weights.score(features);
        if score > best.1 {
            best = (index, score);
        }
    }
    best.0
}

/// How well it went.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Evaluation {
    /// Decisions.
    pub groups: usize,
    /// Share of them in which the pick is the link called best, 0–1.
    pub top1: f64,
    /// What regret is measured in: `utility` as the samples give it, or `nats`
    /// of goodput where they give none.
    pub unit: &'static str,
    /// Decisions with known regret: those in which every link's utility is known.
    pub measured: usize,
    /// Utility of the most useful link less that of the pick, mean over
    /// `measured`; nothing if there are none.
    pub mean_regret: Option<f64>,
    /// What 95 % of regrets do not exceed.
    pub p95_regret: Option<f64>,
    /// Share of decisions that each link is picked in, by name.
    pub shares: BTreeMap<Box<str>, f64>,
    /// Decisions by carrier of the best link, then by carrier of the pick; a
    /// link's carrier is what follows the last slash of its name.
    pub confusion: BTreeMap<Box<str>, BTreeMap<Box<str>, usize>>,
    /// The row picked in each decision.
    #[serde(skip)]
    pub picks: Vec<usize>,
}

/// Plays `samples` with `selector`.
#[must_use]
pub fn evaluate(samples: &[Sample], selector: &Selector<'_>) -> Evaluation {
    let weights = selector.weights();
    let picks: Vec<usize> = samples.iter().map(|sample| pick(&weights, &sample.features())).collect();
    let utilities = Utilities::of(samples);
    let unit = if utilities.is_given { "utility" } else { "nats" };
    let (mut right, mut counts, mut confusion) = (0, BTreeMap::new(), BTreeMap::new());
    for (sample, &pick) in samples.iter().zip(&picks) {
        let [best, picked] = [sample.best(), pick].map(|row| &sample.rows[row].link);
        right += usize::from(best == picked);
        *counts.entry(picked.clone()).or_insert(0) += 1;
        let row: &mut BTreeMap<_, _> = confusion.entry(carrier(best).into()).or_default();
        *row.entry(carrier(picked).into()).or_insert(0) += 1;
    }
    let mut regrets: Vec<f64> = utilities
        .groups
        .iter()
        .zip(&picks)
        .filter_map(|(group, &pick)| Some(regret(group.as_ref()?, pick)))
        .collect();
    regrets.sort_by(f64::total_cmp);
    let share = |part: usize| part as f64 / samples.len().max(1) as f64;
    Evaluation {
        groups: samples.len(),
        top1: share(right),
        unit,
        measured: regrets.len(),
        mean_regret: (!regrets.is_empty()).then(|| regrets.iter().sum::<f64>() / regrets.len() as f64),
        p95_regret: regrets.get((regrets.len() * 95).div_ceil(100).saturating_sub(1)).copied(),
        shares: counts.into_iter().map(|(link, count)| (link, share(count))).collect(),
        confusion,
        picks,
    }
}

/// What `pick` is worth less than the most useful of its group.
pub(super) fn regret(group: &[f64], pick: usize) -> f64 {
    group.iter().copied().fold(f64::NEG_INFINITY, f64::max) - group[pick]
}

/// What follows the last slash of a link's name.
fn carrier(link: &str) -> &str {
    link.rsplit('/').next().unwrap_or(link)
}
