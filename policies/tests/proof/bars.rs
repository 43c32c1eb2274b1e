//! What must hold of a model that learned from two hundred decisions.

use std::fmt::Write;
use std::thread;

use rhumb_link_traces::{KINDS, Kind};
use rhumb_policies::link::evaluate::Selector;

use crate::ground::{Ground, Outcome};

/// Seeds and decisions of each to learn from, and share of wrong labels.
const LESSONS: (std::ops::Range<u64>, u32, f64) = (1..8, 30, 0.1);

/// Seeds and decisions of each to be judged on; none of them was learned from.
const TRIALS: (std::ops::Range<u64>, u32) = (101..115, 100);

/// Most regret, of the formula's, whoever knows the truth.
const OF_FORMULA: f64 = 1.05;

/// Most regret, of the lowest delay's, where the formula does not know the
/// truth.
const OF_DELAY: f64 = 0.7;

/// Most regret, of that of who goes by carrier and distance, likewise.
const OF_CARRIER: f64 = 0.35;

/// Least share of clear decisions told right, of the seer's: what noise hides
/// from one who knows the truth cannot be asked of one who learns it.
const OF_SEER: f64 = 0.9;

/// Least share of clear decisions told right, where the seer tells more than
/// [`SEEN`]: the noise there leaves room for it.
const CLEAR: f64 = 0.87;
const SEEN: f64 = 0.9;

#[test]
fn the_model_is_worth_it() {
    let complaints: Vec<_> = thread::scope(|scope| {
        let runs: Vec<_> = KINDS.iter().map(|kind| scope.spawn(move || check(kind))).collect();
        runs.into_iter().flat_map(|run| run.join().unwrap()).collect()
    });
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

/// The bars that a kind's model misses.
fn check(kind: &Kind) -> Vec<String> {
    let (seeds, groups, wrong) = LESSONS;
    let model = Ground::new(kind, seeds, groups, wrong).learn();
    let (seeds, groups) = TRIALS;
    let ground = Ground::new(kind, seeds, groups, 0.0);
    let model = ground.select(&Selector::Model(&model));
    let [formula, carrier, delay] =
        [Selector::Formula, Selector::Carrier, Selector::Delay].map(|selector| ground.select(&selector));
    let nearest = ground.least(|one| one.distance_km.unwrap_or(0.0));
    let last = ground.each(|decision| decision.best_before);
    let seer = ground.least(|one| -one.guess);
    print(kind, &[model, formula, carrier, nearest, delay, last, seer]);

    let is_known = kind.name == "known";
    let most = |what, limit: f64| (model.regret > limit).then_some((what, model.regret, limit));
    let least = |what, limit| (model.clear < limit).then_some((what, model.clear, limit));
    let bars = [
        most("regret of the formula's", OF_FORMULA * formula.regret),
        most("regret of the lowest delay's", OF_DELAY * delay.regret).filter(|_| !is_known),
        most("regret of the carrier's", OF_CARRIER * carrier.regret).filter(|_| !is_known),
        least("clear decisions of the seer's", OF_SEER * seer.clear),
        least("clear decisions", CLEAR).filter(|_| seer.clear > SEEN),
    ];
    let say = |(what, is, limit)| format!("{}: {what}: {is:.3}, not {limit:.3}", kind.name);
    bars.into_iter().flatten().map(say).collect()
}

fn print(kind: &Kind, outcomes: &[Outcome; 7]) {
    const NAMES: [&str; 7] =
        ["model", "formula", "carrier", "nearest", "lowest delay", "last window", "seer"];
    let mut line = format!("| {} |", kind.name);
    for (name, Outcome { regret, top1, clear }) in NAMES.iter().zip(outcomes) {
        write!(line, " {name} {regret:.3} · {:.0} · {:.0} |", top1 * 100.0, clear * 100.0).unwrap();
    }
    println!("{line}");
}
