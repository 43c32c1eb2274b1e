//! What a decision teaches: which differences make a link the better one.
//!
//! Where utilities are given, they say which link was best, and a rival that
//! comes within 5 % of what links usually differ by teaches nothing. A label
//! that they contradict is not believed. Where they are not given, labels are
//! all there is.

use super::super::evaluate::pick;
use super::super::feature::{Feature, Features, Weights};
use super::super::sample::Sample;
use super::super::utility::{MIN_CLARITY, Utilities};

/// Share of the usual spread of utilities within which links are alike.
const ALIKE: f64 = 0.05;

/// One decision.
#[derive(Debug)]
pub(super) struct Lesson {
    pub(super) features: Vec<Features>,
    /// Of the best link less those of a rival; equal ones are left out.
    pub(super) pairs: Vec<Features>,
    /// The row that is best.
    pub(super) best: usize,
    measure: Measure,
}

/// What it costs to be wrong.
#[derive(Debug)]
enum Measure {
    /// What each row is worth less than the most useful.
    Utility(Vec<f64>),
    /// The share of rivals put before the link called best: finer than whether
    /// the pick is right, which a few decisions cannot tell from luck.
    Label,
    /// It is not known here, though it is elsewhere.
    Unknown,
}

/// Some decisions, and what operators should know of them.
pub(super) struct Lessons {
    pub(super) all: Vec<Lesson>,
    pub(super) notes: Vec<String>,
}

impl Lesson {
    /// What `weights` lose on it; nothing where that is not known.
    pub(super) fn loss(&self, weights: &Weights) -> Option<f64> {
        match &self.measure {
            Measure::Utility(losses) => Some(losses[pick(weights, &self.features)]),
            Measure::Label => {
                let wrong = self.pairs.iter().filter(|pair| weights.score(pair) <= 0.0).count();
                Some(wrong as f64 / self.pairs.len().max(1) as f64)
            }
            Measure::Unknown => None,
        }
    }
}

/// What all of `samples` teach.
pub(super) fn lessons(samples: &[Sample]) -> Lessons {
    let utilities = Utilities::of(samples);
    let is_used = utilities.is_given && utilities.clarity >= MIN_CLARITY;
    let mut notes = Vec::new();
    if utilities.is_given && !is_used {
        notes.push(format!(
            "utility is not used: the best links have neither clearly more nor clearly less of it (clarity {:.2})",
            utilities.clarity
        ));
    }
    let mut spreads: Vec<f64> = utilities.groups.iter().flatten().map(|group| spread(group)).collect();
    spreads.sort_by(f64::total_cmp);
    let alike = ALIKE * spreads.get(spreads.len() / 2).copied().unwrap_or(0.0);
    let lesson = |(sample, utilities): (&Sample, Option<Vec<f64>>)| match (is_used, utilities) {
        (true, utilities) => by_utility(sample, utilities, alike),
        (false, _) => by_label(sample),
    };
    Lessons { all: samples.iter().zip(utilities.groups).map(lesson).collect(), notes }
}

fn spread(group: &[f64]) -> f64 {
    let [low, high] = [f64::min, f64::max].map(|end| group.iter().copied().reduce(end).unwrap_or(0.0));
    high - low
}

fn by_utility(sample: &Sample, utilities: Option<Vec<f64>>, alike: f64) -> Lesson {
    let Some(utilities) = utilities else {
        return Lesson { measure: Measure::Unknown, ..by_label(sample) };
    };
    let features = sample.features();
    let top = utilities.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let losses: Vec<f64> = utilities.iter().map(|utility| top - utility).collect();
    let best = losses.iter().position(|&loss| loss <= 0.0).unwrap_or(0);
    let pairs = pairs(&features, best, |row| losses[row] > alike);
    Lesson { features, pairs, best, measure: Measure::Utility(losses) }
}

fn by_label(sample: &Sample) -> Lesson {
    let (features, best) = (sample.features(), sample.best());
    let pairs = pairs(&features, best, |_| true);
    Lesson { features, pairs, best, measure: Measure::Label }
}

fn pairs(features: &[Features], best: usize, is_rival: impl Fn(usize) -> bool) -> Vec<Features> {
    let rivals = (0..features.len()).filter(|&row| row != best && is_rival(row));
    let less = |row: usize| -> Features {
        std::array::from_fn(|index: usize| features[best][index] - features[row][index])
    };
    rivals.map(less).filter(|pair| pair != &[0.0; Feature::COUNT]).collect()
}
