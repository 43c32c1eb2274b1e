//! Whether the world still looks as it did when a model was trained.
//!
//! Two alarms per feature, each for what the other misses. The *population
//! stability index* compares the shares of values in ten parts that held a
//! tenth each in training: 0 is alike, above 0.2 is by convention a different
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

/// Σ (now − then) · ln(now / then) over the parts between deciles. Deciles that
/// are equal, as those of loss mostly are, bound one part of several tenths.
fn psi(Column { deciles, .. }: &Column, values: &[f64]) -> f64 {
    let count = values.len() as f64;
    let (mut psi, mut tenths, mut below) = (0.0, 0.0, 0.0);
    for (index, decile) in deciles.iter().map(Some).chain([None]).enumerate() {
        tenths += 0.1;
        let is_last_equal = deciles.get(index + 1) != decile || decile.is_none();
        if !is_last_equal {
            continue;
        }
        let up_to =
            decile.map_or(count, |decile| values.iter().filter(|value| *value <= decile).count() as f64);
        let now = ((up_to - below) / count).max(MIN_SHARE);
        psi += (now - tenths) * (now / tenths).ln();
        (tenths, below) = (0.0, up_to);
    }
    psi
}
