//! Whether the world still looks as it did when a model was trained.
//!
//! Two alarms per feature, each for what the other misses. The *population
//! stability index* compares the shares of values between the deciles of
//! training then and now: 0 is alike, above 0.2 is by convention a different
//! population. It sees a change of shape, but saturates. The mean, in standard
//! deviations of training, sees how far everything moved.
//!
//! What drifted is not wrong yet; but a model says nothing about what it never
//! saw, so the formula serves better until one is trained anew.

use super::feature::Feature;
use super::model::{Column, LinkModel};
use super::sample::Sample;

/// Index above which a feature has drifted.
const MAX_PSI: f64 = 0.2;

/// Deviations from the mean beyond which it has.
const MAX_Z: f64 = 3.0;

/// Fewest links to judge by. The index of n values that did not drift is about
/// 9/n: here 0.05.
const MIN_ROWS: usize = 200;

/// Least share of a part, so that an empty one is no infinity.
const MIN_SHARE: f64 = 1e-3;

/// A feature that is not as it was.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Drift {
    /// Which.
    pub feature: Feature,
    /// Population stability index, at least 0; above 0.2 is drift.
    pub psi: f64,
    /// Mean now, in standard deviations from that in training; beyond ±3 is drift.
    pub z: f64,
}

/// The features of `recent` samples that differ from what `model` was trained
/// on. Too few samples (fewer than 200 links) show nothing.
#[must_use]
pub fn drift(model: &LinkModel, recent: &[Sample]) -> Vec<Drift> {
    let rows: Vec<_> = recent.iter().flat_map(Sample::features).collect();
    if rows.len() < MIN_ROWS {
        return Vec::new();
    }
    let measure = |(feature, column): (Feature, &Column)| {
        let values: Vec<f64> = rows.iter().map(|row| row[feature as usize]).collect();
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        Drift { feature, psi: psi(column, &values), z: (mean - column.mean) / column.std }
    };
    let measured = Feature::ALL.into_iter().zip(model.columns()).map(measure);
    measured.filter(|drift| drift.psi > MAX_PSI || drift.z.abs() > MAX_Z).collect()
}

/// Σ (now − then) · ln(now / then) over the parts between deciles, below the
/// least and above the greatest.
fn psi(Column { deciles, shares, .. }: &Column, values: &[f64]) -> f64 {
    let share = |is_in: &dyn Fn(f64) -> bool| {
        values.iter().filter(|value| is_in(**value)).count() as f64 / values.len() as f64
    };
    let below = [0.0, share(&|value| value < deciles[0])];
    let bounds = shares.iter().zip(deciles).map(|(then, decile)| [*then, share(&|value| value <= *decile)]);
    let mut last = [0.0, 0.0];
    let mut psi = 0.0;
    for up_to in [below].into_iter().chain(bounds).chain([[1.0, 1.0]]) {
        let [then, now] = [0, 1].map(|index| (up_to[index] - last[index]).max(MIN_SHARE));
        psi += (now - then) * (now / then).ln();
        last = up_to;
    }
    psi
}
