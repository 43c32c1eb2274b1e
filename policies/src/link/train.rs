//! Learning what makes a link the best from decisions.
//!
//! A pairwise ranking support vector machine (Herbrich, Graepel, Obermayer,
//! "Large Margin Rank Boundaries for Ordinal Regression", 2000): from every
//! decision, the difference in features between its best link and each rival is
//! an example of what is better, and a linear machine finds the weights that
//! tell most of them right with a margin. It learns an order and not a value, so
//! it needs no unit of utility and works for any number of links. A machine per
//! link, best or not, was measured and refused: 0.20–0.38 nats of regret where
//! this has 0.14, and it must learn anew when a link is added. Curved kernels
//! were no better on links and cost a thousandfold at use.
//!
//! What is learned is held on a short leash, because a bad model is worse than
//! none:
//!
//! * Weights of the wrong sign are struck out and the others learned anew: no
//!   data can teach that loss is good.
//! * The rest is scaled so that it tells links apart as much as the formula
//!   does, and mixed with the formula: n/(n + 50) of it after n decisions in
//!   which a feature differed, times a *trust* of 0–1. So a feature that never
//!   differed keeps the formula's weight, and ten decisions hardly change it.
//! * Trust, and what a wrong pair costs the machine (C), are chosen by
//!   cross-validation over whole decisions; the formula alone is among the
//!   choices and wins ties. A last part of the decisions is held out from all of
//!   that; if what was learned does worse on it than the formula, trust is 0.
//! * If one link is best nearly always, nothing can be told from it, and it is
//!   what a broken or malicious source looks like: it is refused.
//!
//! **Invariant:** the same samples and seed give the same model, bit by bit.

mod lesson;
mod machine;

use rustc_hash::FxHashMap;
use serde::Serialize;

use self::lesson::{Lesson, Lessons, lessons};
use self::machine::{Learned, learn};
use super::evaluate::{Evaluation, Selector, evaluate, pick};
use super::feature::{Features, Weights};
use super::model::{Column, Deciles, LinkModel, MIN_STD, Origin};
use super::sample::Sample;
use crate::lottery::mix;

/// How to train.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Training {
    /// Where all chance comes from.
    pub seed: u64,
}

/// Fewest decisions that are worth a model.
pub const MIN_GROUPS: usize = 5;

/// Share of decisions in which one link may be best: above it there is nothing
/// to tell links apart by. One wrong label in ten leaves 95 %.
pub const MAX_SHARE: f64 = 0.98;

/// Decisions from which on a fifth is held out; of fewer, all are needed.
const MIN_HELD_OUT: usize = 50;

/// Parts of cross-validation, and the share held out of all.
const FOLDS: usize = 5;

/// Decisions after which what was learned counts as much as the formula.
const HALF_TRUST: f64 = 50.0;

/// What a wrong pair may cost. At a hundredth, weights are held so small that
/// two hundred decisions cannot move them where they belong.
const COSTS: [f64; 2] = [0.1, 1.0];

/// How far what was learned may be trusted; earlier ones win ties.
const TRUSTS: [f64; 5] = [0.0, 0.25, 0.5, 0.75, 1.0];

/// A model and how it came about.
#[derive(Clone, Debug)]
pub struct Trained {
    /// The model.
    pub model: LinkModel,
    /// What operators are told.
    pub report: Report,
}

/// How training went.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Decisions.
    pub groups: usize,
    /// Pairs of a best link and a rival that is told apart from it.
    pub pairs: usize,
    /// What a wrong pair costs: C.
    pub cost: f64,
    /// How far what was learned is trusted beside the formula.
    pub trust: f64,
    /// Share of decisions told right in cross-validation, 0–1.
    pub cross_validated: f64,
    /// The model on decisions held out; nothing if there were too few to hold
    /// any out.
    pub held_out: Option<Evaluation>,
    /// The formula on the same.
    pub formula: Option<Evaluation>,
    /// What else an operator should know.
    pub notes: Vec<String>,
}

/// Why there is no model.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum TrainError {
    /// Too few decisions.
    #[error("at least {MIN_GROUPS} groups are needed to learn from, not {0}")]
    Few(usize),
    /// One link is best in nearly all of them.
    #[error("{link} is best in {share:.0} % of groups: nothing can be learned from that")]
    OneSided {
        /// Which.
        link: Box<str>,
        /// In how many, percent.
        share: f64,
    },
    /// No best link differs from a rival in anything known.
    #[error("the best links differ from their rivals in nothing that is known")]
    Alike,
    /// The caller stopped it.
    #[error("training was stopped")]
    Stopped,
    /// The machine did not learn.
    #[error("the support vector machine found no weights: {0}")]
    Machine(String),
}

/// Trains a model on `samples`. `progress` is told how many of how many steps
/// are done, each of about a second at most; false stops.
///
/// # Errors
/// When there is nothing to learn, or it was stopped.
pub fn train(
    samples: &[Sample],
    how: &Training,
    progress: &mut dyn FnMut(usize, usize) -> bool,
) -> Result<Trained, TrainError> {
    if samples.len() < MIN_GROUPS {
        return Err(TrainError::Few(samples.len()));
    }
    if let Some((link, share)) = one_sided(samples) {
        return Err(TrainError::OneSided { link: link.into(), share: share * 100.0 });
    }
    let Lessons { all, mut notes } = lessons(samples);
    let pairs = all.iter().map(|lesson| lesson.pairs.len()).sum();
    if pairs == 0 {
        return Err(TrainError::Alike);
    }
    let mut course = Course { dice: Dice(how.seed), done: 0, progress };
    let mut order: Vec<usize> = (0..all.len()).collect();
    course.dice.shuffle(&mut order, all.len());
    let aside = if all.len() < MIN_HELD_OUT { 0 } else { all.len() / FOLDS };
    let lessons: Vec<&Lesson> = order.iter().map(|&index| &all[index]).collect();
    let (held_out, taught) = lessons.split_at(aside);

    let Choice { cost, mut trust, top1 } = course.choose(taught)?;
    let trial = course.learn(taught, cost)?;
    if trust > 0.0 && is_worse(held_out, &trial.blend(trust)) {
        trust = 0.0;
        notes.push(
            "what was learned does worse on held-out groups than the formula, so the formula is kept"
                .to_owned(),
        );
    }
    let held_out: Vec<Sample> = order[..aside].iter().map(|&index| samples[index].clone()).collect();
    let on_held_out = |weights| (aside > 0).then(|| evaluate(&held_out, &Selector::Weights(weights)));
    let report = Report {
        groups: all.len(),
        pairs,
        cost,
        trust,
        cross_validated: top1,
        held_out: on_held_out(trial.blend(trust)),
        formula: on_held_out(Weights::FORMULA),
        notes,
    };
    let weights = course.learn(&lessons, cost)?.blend(trust);
    Ok(Trained { model: model(how.seed, &report, samples, &weights), report })
}

/// The link that is best in nearly all of `samples`, and its share.
pub(super) fn one_sided(samples: &[Sample]) -> Option<(&str, f64)> {
    let mut counts = FxHashMap::default();
    for sample in samples {
        *counts.entry(&*sample.rows[sample.best()].link).or_insert(0_usize) += 1;
    }
    let (link, count) = counts.into_iter().max_by_key(|(_, count)| *count)?;
    let share = count as f64 / samples.len() as f64;
    (share > MAX_SHARE).then_some((link, share))
}

/// Training, step by step.
struct Course<'p> {
    dice: Dice,
    done: usize,
    progress: &'p mut dyn FnMut(usize, usize) -> bool,
}

/// What cross-validation chose.
struct Choice {
    cost: f64,
    trust: f64,
    /// Share of decisions told right.
    top1: f64,
}

impl Course<'_> {
    /// Fits of the machine: cross-validation, the trial, the model.
    const STEPS: usize = COSTS.len() * FOLDS + 2;

    fn learn(&mut self, lessons: &[&Lesson], cost: f64) -> Result<Learned, TrainError> {
        if !(self.progress)(self.done, Self::STEPS) {
            return Err(TrainError::Stopped);
        }
        self.done += 1;
        let learned = learn(lessons, cost, &mut self.dice);
        if self.done == Self::STEPS {
            (self.progress)(self.done, Self::STEPS);
        }
        learned
    }

    /// The cost and trust that lose least on decisions not learned from.
    fn choose(&mut self, lessons: &[&Lesson]) -> Result<Choice, TrainError> {
        let mut best = (f64::INFINITY, Choice { cost: COSTS[0], trust: TRUSTS[0], top1: 0.0 });
        for cost in COSTS {
            let mut losses = [0.0; TRUSTS.len()];
            let mut right = [0; TRUSTS.len()];
            for fold in 0..FOLDS {
                let is_asked = |index: usize| index % FOLDS == fold;
                let part = |asked: bool| {
                    let those =
                        lessons.iter().enumerate().filter(move |(index, _)| is_asked(*index) == asked);
                    those.map(|(_, lesson)| *lesson).collect::<Vec<_>>()
                };
                let learned = self.learn(&part(false), cost)?;
                let asked = part(true);
                for (index, trust) in TRUSTS.into_iter().enumerate() {
                    let weights = learned.blend(trust);
                    for lesson in &asked {
                        let pick = pick(&weights, &lesson.features);
                        losses[index] += lesson.loss(&weights).unwrap_or(0.0);
                        right[index] += usize::from(pick == lesson.best);
                    }
                }
            }
            for (index, trust) in TRUSTS.into_iter().enumerate() {
                if losses[index] < best.0 {
                    let top1 = right[index] as f64 / lessons.len() as f64;
                    best = (losses[index], Choice { cost, trust, top1 });
                }
            }
        }
        Ok(best.1)
    }
}

/// Whether `weights` lose more than the formula on decisions not learned from,
/// by more than the standard error of the difference.
fn is_worse(lessons: &[&Lesson], weights: &Weights) -> bool {
    let lost = |lesson: &&Lesson| Some(lesson.loss(weights)? - lesson.loss(&Weights::FORMULA)?);
    let lost: Vec<f64> = lessons.iter().filter_map(lost).collect();
    let count = lost.len() as f64;
    let mean = lost.iter().sum::<f64>() / count;
    let variance = lost.iter().map(|lost| (lost - mean).powi(2)).sum::<f64>() / count;
    mean > (variance / count).sqrt()
}

/// The model as it is written down.
fn model(seed: u64, report: &Report, samples: &[Sample], weights: &Weights) -> LinkModel {
    let figures = report.held_out.as_ref();
    let origin = Origin {
        seed,
        cost: report.cost,
        trust: report.trust,
        groups: report.groups,
        held_out: figures.map_or(0, |figures| figures.groups),
        top1: figures.map_or(0.0, |figures| figures.top1),
        regret: figures.and_then(|figures| figures.mean_regret),
        formula_regret: report.formula.as_ref().and_then(|figures| figures.mean_regret),
    };
    let rows: Vec<Features> = samples.iter().flat_map(Sample::features).collect();
    LinkModel::new(
        origin,
        std::array::from_fn(|index| {
            let mut values: Vec<f64> = rows.iter().map(|row| row[index]).collect();
            values.sort_by(f64::total_cmp);
            column(&values, weights.0[index])
        }),
    )
}

/// A feature whose sorted `values` were seen in training.
fn column(values: &[f64], weight: f64) -> Column {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let std = (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count).sqrt();
    let std = if std < MIN_STD { 1.0 } else { std };
    let deciles: Deciles = std::array::from_fn(|tenth| values[(values.len() - 1) * tenth / 10]);
    let shares = deciles.map(|decile| values.partition_point(|value| *value <= decile) as f64 / count);
    Column { mean, std, weight: weight * std, deciles, shares }
}

/// Chance that is the same everywhere: SplitMix64 (Steele, Lea, Flood 2014).
struct Dice(u64);

impl Dice {
    /// A number below `end`; the bias of so small ranges does not matter.
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        usize::try_from(mix(self.0) % end as u64).expect("it is below a usize")
    }

    /// Draws `count` of `items` to the front (Fisher and Yates).
    fn shuffle<T>(&mut self, items: &mut [T], count: usize) {
        for index in 0..count.min(items.len()) {
            let other = index + self.below(items.len() - index);
            items.swap(index, other);
        }
    }
}
