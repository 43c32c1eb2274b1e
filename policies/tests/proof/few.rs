//! Ten decisions, a quarter of them labelled wrong: little and bad evidence
//! must not do harm.

use rhumb_link_traces::{KINDS, Kind};
use rhumb_policies::link::evaluate::Selector;

use crate::ground::Ground;

/// Most regret of the worst run, of the formula's.
const HARM: f64 = 1.3;

#[test]
fn ten_bad_samples_do_little_harm() {
    let mut complaints = Vec::new();
    for kind in &KINDS {
        let worst = worst(kind);
        println!("{}: worst of 12 runs {worst:.2} of the formula's regret", kind.name);
        if worst > HARM {
            complaints.push(format!("{}: {worst:.2} of the formula's regret, not {HARM}", kind.name));
        }
    }
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

fn worst(kind: &Kind) -> f64 {
    let ground = Ground::new(kind, 101..115, 50, 0.0);
    let formula = ground.select(&Selector::Formula).regret;
    let run = |seed| {
        let model = Ground::new(kind, seed..seed + 1, 10, 0.25).learn();
        ground.select(&Selector::Model(&model)).regret / formula
    };
    (201..213).map(run).fold(0.0, f64::max)
}
