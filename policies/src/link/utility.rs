//! How useful each link of each decision was, the more the better.
//!
//! Where samples give a `utility`, that is the measure, and decisions where
//! some link has none are left out: two units in one mean would mean nothing.
//! Where no sample gives any, the goodput that the facts promise stands for it
//! ([`goodput`]), in nats.
//!
//! Whether more or less of a given utility is better is told from the links
//! that are called best: if they clearly have less of it than their rivals, it
//! is a cost, and is turned round, so that differences are gains everywhere.
//! Where labels say nothing clear, as poisoned ones do, more is better.

use std::cmp::Ordering;

use super::feature::goodput;
use super::sample::{Row, Sample};

/// From when on labels and utilities clearly belong together. A quarter of
/// wrong labels still leaves about 0.6; without any relation it is about 0.
pub(super) const MIN_CLARITY: f64 = 0.2;

/// The utilities of some samples.
#[derive(Debug)]
pub(super) struct Utilities {
    /// Of the rows of each sample; nothing where one is unknown.
    pub(super) groups: Vec<Option<Vec<f64>>>,
    /// Whether samples give them.
    pub(super) is_given: bool,
    /// How far the links called best bear them out: share of rivals that have
    /// less than the best, minus share of those that have more. Above
    /// −[`MIN_CLARITY`].
    pub(super) clarity: f64,
}

impl Utilities {
    pub(super) fn of(samples: &[Sample]) -> Self {
        let is_given = samples.iter().flat_map(|sample| &sample.rows).any(|row| row.utility.is_some());
        let of = |row: &Row| if is_given { row.utility } else { goodput(&row.facts) };
        let mut groups: Vec<Option<Vec<f64>>> =
            samples.iter().map(|sample| sample.rows.iter().map(of).collect()).collect();
        let lead = lead(samples, &groups);
        let is_cost = is_given && lead <= -MIN_CLARITY;
        if is_cost {
            groups.iter_mut().flatten().flatten().for_each(|utility| *utility = -*utility);
        }
        Self { groups, is_given, clarity: if is_cost { -lead } else { lead } }
    }
}

/// Share of rivals that have less than the best, minus share of those that
/// have more.
fn lead(samples: &[Sample], groups: &[Option<Vec<f64>>]) -> f64 {
    let (mut sum, mut count) = (0.0, 0.0);
    for (sample, utilities) in samples.iter().zip(groups) {
        let Some(utilities) = utilities else { continue };
        let best = utilities[sample.best()];
        for utility in utilities {
            sum += match best.total_cmp(utility) {
                Ordering::Greater => 1.0,
                Ordering::Less => -1.0,
                Ordering::Equal => 0.0,
            };
        }
        count += utilities.len() as f64 - 1.0;
    }
    if count > 0.0 { sum / count } else { 0.0 }
}
