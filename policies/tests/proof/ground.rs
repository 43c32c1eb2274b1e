//! Traces as samples, and how well a way of choosing does on them.

use rhumb_link_traces::{Candidate, Decision, HEADER, How, Kind, trace, write};
use rhumb_policies::link::evaluate::Selector;
use rhumb_policies::link::model::LinkModel;
use rhumb_policies::link::sample::{Sample, read_samples};
use rhumb_policies::link::train::{Training, train};

/// Decisions, as they are true and as an operator has them on file.
pub(crate) struct Ground {
    pub(crate) decisions: Vec<Decision>,
    pub(crate) samples: Vec<Sample>,
}

/// How well a way of choosing did.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outcome {
    /// Mean of what the best would have gained over the pick, nats.
    pub(crate) regret: f64,
    /// Share of decisions in which the pick was the best.
    pub(crate) top1: f64,
    /// The same where the best beats the second by a tenth or more.
    pub(crate) clear: f64,
}

impl Ground {
    pub(crate) fn new(kind: &Kind, seeds: impl Iterator<Item = u64>, groups: u32, wrong: f64) -> Self {
        let decisions: Vec<_> = seeds.flat_map(|seed| trace(&How { kind, seed, groups, wrong })).collect();
        let mut text = format!("{HEADER}\n");
        write(&decisions, &mut text);
        let samples = read_samples("traces.csv", text.as_bytes()).unwrap();
        assert_eq!(samples.len(), decisions.len(), "every decision is a sample");
        Self { decisions, samples }
    }

    /// What is learned from the labels alone.
    pub(crate) fn learn(&self) -> LinkModel {
        let mut samples = self.samples.clone();
        samples.iter_mut().flat_map(|sample| &mut sample.rows).for_each(|row| row.utility = None);
        train(&samples, &Training { seed: 1 }, &mut |_, _| true).unwrap().model
    }

    /// How a selector does.
    pub(crate) fn select(&self, selector: &Selector<'_>) -> Outcome {
        let picks: Vec<_> = self.samples.iter().map(|sample| selector.pick(sample)).collect();
        self.outcome(&picks)
    }

    /// How the link with the least of something does.
    pub(crate) fn least(&self, of: impl Fn(&Candidate) -> f64) -> Outcome {
        self.each(|decision| {
            let keys: Vec<_> = decision.candidates.iter().map(&of).collect();
            (0..keys.len()).min_by(|&one, &other| keys[one].total_cmp(&keys[other])).unwrap()
        })
    }

    pub(crate) fn each(&self, pick: impl Fn(&Decision) -> usize) -> Outcome {
        self.outcome(&self.decisions.iter().map(pick).collect::<Vec<_>>())
    }

    fn outcome(&self, picks: &[usize]) -> Outcome {
        let (mut regret, mut right, mut clear) = (0.0, 0, (0, 0));
        for (decision, &pick) in self.decisions.iter().zip(picks) {
            let mut utilities: Vec<_> = decision.candidates.iter().map(|one| one.utility).collect();
            let lost = utilities.iter().copied().fold(f64::MIN, f64::max) - utilities[pick];
            utilities.sort_by(|one, other| other.total_cmp(one));
            regret += lost;
            right += usize::from(lost == 0.0);
            if utilities[0] - utilities[1] >= 1.1_f64.ln() {
                clear = (clear.0 + usize::from(lost == 0.0), clear.1 + 1);
            }
        }
        let share = |part: usize, of: usize| part as f64 / of as f64;
        Outcome {
            regret: regret / self.decisions.len() as f64,
            top1: share(right, self.decisions.len()),
            clear: share(clear.0, clear.1),
        }
    }
}
