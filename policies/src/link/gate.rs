//! Whether a model that was just learned may take over.
//!
//! A model is judged on decisions that it never saw, against what serves now,
//! and every criterion must hold: it must clearly gain, lose nothing in the
//! worst cases, and not turn everything over at once. Operators read each
//! criterion with its figures, those that hold too, because "why not" and "how
//! nearly" are the same question.
//!
//! Poisoned samples meet four walls: their reader refuses absurd values,
//! training refuses a link that is always best and weights of the wrong sign,
//! and here a model must gain on decisions that others labelled. What is left,
//! a slow poison that also spoils the decisions held out, moves shares, and no
//! link may win or lose a quarter of all decisions in one step.

use std::collections::BTreeSet;

use super::evaluate::{Evaluation, Selector, evaluate};
use super::feature::Feature;
use super::model::LinkModel;
use super::sample::Sample;
use super::train::one_sided;

/// Fewest decisions to judge by: a rate of one in 20 is then known to 3 points.
const MIN_GROUPS: usize = 200;

/// Share of the current regret that may remain: less gain is not worth a change.
const MAX_REGRET: f64 = 0.98;

/// Share of decisions in which it may pick otherwise, without an operator's word.
const MAX_DISAGREEMENT: f64 = 0.20;

/// How far any link's share of decisions may move: what the others must carry.
const MAX_MOVE: f64 = 0.25;

/// The answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Gate {
    /// Whether every criterion holds.
    pub is_open: bool,
    /// Each criterion with its figures, begun with `holds:` or `fails:`.
    pub reasons: Vec<String>,
}

/// Whether `candidate` may replace `current`, judged by `held_out`; `word` is
/// an operator's that it may pick otherwise as often as it likes.
#[must_use]
pub fn gate(held_out: &[Sample], current: &Selector<'_>, candidate: &LinkModel, word: bool) -> Gate {
    let [old, new] = [*current, Selector::Model(candidate)].map(|selector| evaluate(held_out, &selector));
    let criteria = [
        enough(&new),
        labels(held_out),
        regret("mean", [old.mean_regret, new.mean_regret], MAX_REGRET),
        regret("95th percentile of", [old.p95_regret, new.p95_regret], 1.0),
        disagreement([&old, &new], word),
        moved([&old, &new]),
        signs(candidate),
    ];
    let say = |(holds, what): &(bool, String)| format!("{}: {what}", if *holds { "holds" } else { "fails" });
    Gate { is_open: criteria.iter().all(|(holds, _)| *holds), reasons: criteria.iter().map(say).collect() }
}

/// Whether a criterion holds, and its figures.
type Criterion = (bool, String);

fn enough(new: &Evaluation) -> Criterion {
    let measured = new.measured;
    (
        measured >= MIN_GROUPS,
        format!("{measured} held-out groups with known utility; at least {MIN_GROUPS} are needed"),
    )
}

fn labels(held_out: &[Sample]) -> Criterion {
    match one_sided(held_out) {
        Some((link, share)) => {
            (false, format!("{link} is best in {:.0} % of held-out groups", share * 100.0))
        }
        None => (true, "no single link is best in nearly all held-out groups".to_owned()),
    }
}

fn regret(which: &str, [old, new]: [Option<f64>; 2], share: f64) -> Criterion {
    match (old, new) {
        (Some(old), Some(new)) => {
            let most = old * share;
            (
                new <= most,
                format!("{which} regret {new:.4} against {old:.4} now; at most {most:.4} is allowed"),
            )
        }
        _ => (false, format!("{which} regret is unknown: no held-out group has utility for every link")),
    }
}

fn disagreement([old, new]: [&Evaluation; 2], word: bool) -> Criterion {
    let other = old.picks.iter().zip(&new.picks).filter(|(old, new)| old != new).count();
    let share = other as f64 / old.picks.len().max(1) as f64;
    let word_said =
        if word { ", or more by an operator's word, which is given" } else { " without an operator's word" };
    let most = MAX_DISAGREEMENT * 100.0;
    let what = format!(
        "picks otherwise in {:.1} % of groups; at most {most:.0} % is allowed{word_said}",
        share * 100.0
    );
    (word || share <= MAX_DISAGREEMENT, what)
}

fn moved([old, new]: [&Evaluation; 2]) -> Criterion {
    let share = |of: &Evaluation, link| of.shares.get(link).copied().unwrap_or(0.0);
    let links: BTreeSet<_> = old.shares.keys().chain(new.shares.keys()).collect();
    let moves = links.into_iter().map(|link| (share(new, link) - share(old, link), link));
    let most = MAX_MOVE * 100.0;
    match moves.max_by(|one, other| one.0.abs().total_cmp(&other.0.abs())) {
        Some((by, link)) => {
            let [from, to] = [old, new].map(|of| share(of, link) * 100.0);
            let what = format!(
                "{link} goes from {from:.1} % of groups to {to:.1} %, the most of all links; at most {most:.0} points is allowed"
            );
            (by.abs() <= MAX_MOVE, what)
        }
        None => (false, "no link is picked".to_owned()),
    }
}

fn signs(candidate: &LinkModel) -> Criterion {
    let weights = candidate.weights().0;
    let is_wrong = |feature: &Feature| {
        let weight = weights[*feature as usize];
        weight != 0.0 && (weight > 0.0) != feature.helps()
    };
    let wrong: Vec<_> = Feature::ALL.into_iter().filter(is_wrong).map(Feature::name).collect();
    match &wrong[..] {
        [] => (true, "every weight has the right sign".to_owned()),
        _ => (false, format!("weights of the wrong sign: {}", wrong.join(", "))),
    }
}
