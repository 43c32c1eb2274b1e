//! The support vector machine: from pairs to weights.
//!
//! linfa keeps a matrix of every pair against every other, so a fit takes a
//! bounded number of pairs, drawn at random. Every second one is turned round:
//! a difference has no side of its own, and so neither class nor bias means
//! anything. Features are divided by their own size first: unscaled they never
//! converge. The weights are read out of the support vectors, since only a
//! linear machine is wanted.

use linfa::Dataset;
use linfa::traits::Fit as _;
use linfa_svm::Svm;
use ndarray::{Array1, Array2};

use super::super::feature::{Feature, Features, Weights};
use super::super::model::MIN_STD;
use super::lesson::Lesson;
use super::{Dice, HALF_TRUST, TrainError};

/// Most pairs a fit: a matrix of 8 MB, and enough for seven weights.
const MAX_PAIRS: usize = 1_000;

/// How near to the optimum the machine must come: far closer than weights can
/// be known from noisy decisions.
const TOLERANCE: f64 = 1e-2;

/// Most nats a unit may be worth; the formula's units are worth one.
const MAX_WEIGHT: f64 = 1_000.0;

/// What was learned, scaled as the formula is.
pub(super) struct Learned {
    weights: Features,
    /// Decisions in which each feature differed.
    evidence: Features,
}

impl Learned {
    /// What was learned, mixed with the formula: n/(n + 50) of it after n
    /// decisions, times `trust`.
    pub(super) fn blend(&self, trust: f64) -> Weights {
        Weights(std::array::from_fn(|index| {
            let share = trust * self.evidence[index] / (self.evidence[index] + HALF_TRUST);
            share * self.weights[index] + (1.0 - share) * Weights::FORMULA.0[index]
        }))
    }
}

/// Learns from `lessons`, a wrong pair costing `cost`.
pub(super) fn learn(lessons: &[&Lesson], cost: f64, dice: &mut Dice) -> Result<Learned, TrainError> {
    let mut pairs: Vec<&Features> = lessons.iter().flat_map(|lesson| &lesson.pairs).collect();
    let count = pairs.len().min(MAX_PAIRS);
    dice.shuffle(&mut pairs, count);
    pairs.truncate(count);
    let size = size(&pairs);
    let mut is_used = size.map(|size| size > MIN_STD);
    let mut weights = [0.0; Feature::COUNT];
    // Each round strikes out a feature, so there are at most as many.
    while is_used.contains(&true) {
        weights = fit(&pairs, &size, &is_used, cost)?;
        let wrong = Feature::ALL.map(|feature| (weights[feature as usize] > 0.0) != feature.helps());
        if !(0..Feature::COUNT).any(|index| is_used[index] && wrong[index] && weights[index] != 0.0) {
            break;
        }
        for index in 0..Feature::COUNT {
            is_used[index] &= !wrong[index];
        }
        weights = [0.0; Feature::COUNT];
    }
    let evidence = |index: usize| {
        lessons.iter().filter(|lesson| lesson.pairs.iter().any(|pair| pair[index].abs() > MIN_STD)).count()
            as f64
    };
    Ok(Learned { weights: scaled(weights, &pairs), evidence: std::array::from_fn(evidence) })
}

/// Root of the mean square of each feature.
fn size(pairs: &[&Features]) -> Features {
    let count = pairs.len().max(1) as f64;
    std::array::from_fn(|index| (pairs.iter().map(|pair| pair[index].powi(2)).sum::<f64>() / count).sqrt())
}

/// Weights per unit of each feature that is used, zero for the others.
fn fit(
    pairs: &[&Features],
    size: &Features,
    is_used: &[bool; Feature::COUNT],
    cost: f64,
) -> Result<Features, TrainError> {
    let used: Vec<usize> = (0..Feature::COUNT).filter(|&index| is_used[index]).collect();
    let shown = |row: usize, column: usize| {
        let value = pairs[row][used[column]] / size[used[column]];
        if row.is_multiple_of(2) { value } else { -value }
    };
    let rows = Array2::from_shape_fn((pairs.len(), used.len()), |(row, column)| shown(row, column));
    let labels = Array1::from_shape_fn(pairs.len(), |row| row.is_multiple_of(2));
    let machine = Svm::<f64, bool>::params()
        .pos_neg_weights(cost, cost)
        .eps(TOLERANCE)
        .fit(&Dataset::new(rows, labels))
        .map_err(|error| TrainError::Machine(error.to_string()))?;
    let mut weights = [0.0; Feature::COUNT];
    for (column, &index) in used.iter().enumerate() {
        let sum: f64 = machine.alpha.iter().enumerate().map(|(row, alpha)| alpha * shown(row, column)).sum();
        weights[index] = sum / size[index];
    }
    if weights.iter().all(|weight| weight.is_finite()) {
        Ok(weights)
    } else {
        Err(TrainError::Machine("they are not finite".to_owned()))
    }
}

/// The same weights such that they tell pairs apart as far as the formula does.
fn scaled(weights: Features, pairs: &[&Features]) -> Features {
    let apart = |weights: Weights| pairs.iter().map(|pair| weights.score(pair).abs()).sum::<f64>();
    let scale = apart(Weights::FORMULA) / apart(Weights(weights));
    if scale.is_finite() {
        weights.map(|weight| (weight * scale).clamp(-MAX_WEIGHT, MAX_WEIGHT))
    } else {
        weights
    }
}
