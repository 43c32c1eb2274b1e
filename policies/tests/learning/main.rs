//! From samples to a model that serves, or does not.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::sync::LazyLock;

use rhumb_policies::link::drift::drift;
use rhumb_policies::link::evaluate::{Selector, evaluate};
use rhumb_policies::link::feature::{Feature, LinkFacts, Weights};
use rhumb_policies::link::gate::gate;
use rhumb_policies::link::model::LinkModel;
use rhumb_policies::link::sample::{Row, Sample};
use rhumb_policies::link::train::{TrainError, Trained, Training, train};

/// What decides which link is best: ratings and loss, hardly delay.
const TRUTH: Weights = Weights([4.0, -0.1, 0.0, -1.0, -0.2, 0.0, 0.0]);

/// Numbers that look random, 0–1.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        f64::from(u32::try_from(self.0 >> 33).unwrap()) / f64::from(1_u32 << 31)
    }
}

/// Decisions between three links, labelled and measured by `truth`.
fn samples(seed: u64, count: usize, truth: &Weights) -> Vec<Sample> {
    let mut dice = Dice(seed);
    let mut link = |name: &str| {
        let facts = LinkFacts {
            quality: Some((20.0 + 80.0 * dice.next()).round()),
            price_km: Some(3_000.0 * dice.next()),
            weight: Some(1.0),
            loss: Some((dice.next() * 4.0 - 1.0).max(0.0) / 60.0),
            delay_ms: Some((1.0 + 4.0 * dice.next()).exp()),
            jitter_ms: Some(5.0 * dice.next()),
        };
        Row { link: name.into(), facts, is_best: false, utility: None }
    };
    let mut sample = |index| {
        let rows = vec![link("north/red"), link("north/green"), link("south/blue")];
        let mut sample = Sample { group: format!("g{index}").into(), rows };
        let features = sample.features();
        for (row, features) in sample.rows.iter_mut().zip(&features) {
            row.utility = Some(truth.score(features));
        }
        let best = Selector::Weights(*truth).pick(&sample);
        sample.rows[best].is_best = true;
        sample
    };
    (0..count).map(&mut sample).collect()
}

fn trained(samples: &[Sample]) -> Trained {
    train(samples, &Training { seed: 1 }, &mut |_, _| true).unwrap()
}

static GOOD: LazyLock<Trained> = LazyLock::new(|| trained(&samples(1, 120, &TRUTH)));

static HELD_OUT: LazyLock<Vec<Sample>> = LazyLock::new(|| samples(2, 400, &TRUTH));

/// The samples, each changed.
fn changed(mut samples: Vec<Sample>, change: impl Fn(&mut Sample)) -> Vec<Sample> {
    samples.iter_mut().for_each(change);
    samples
}

fn label(sample: &mut Sample, best: usize) {
    sample.rows.iter_mut().enumerate().for_each(|(index, row)| row.is_best = index == best);
}

fn regret(selector: &Selector<'_>) -> f64 {
    evaluate(&HELD_OUT, selector).mean_regret.unwrap()
}

#[test]
fn what_the_formula_does_not_know_is_learned_from_any_kind_of_sample() {
    let bar = 0.7 * regret(&Selector::Formula);
    let base = || samples(1, 120, &TRUTH);
    let rows: [(Vec<Sample>, &str); 5] = [
        (base(), "utility, more is better"),
        (
            changed(base(), |sample| {
                sample
                    .rows
                    .iter_mut()
                    .for_each(|row| row.utility = row.utility.map(|utility| 7.0 - 100.0 * utility));
            }),
            "a cost, in another unit",
        ),
        (changed(base(), |sample| sample.rows.iter_mut().for_each(|row| row.utility = None)), "labels alone"),
        (
            changed(base(), |sample| {
                if sample.group.ends_with('7') {
                    sample.rows[1].utility = None;
                    label(sample, 1);
                }
            }),
            "a tenth without utility and with any label",
        ),
        (changed(base(), |sample| sample.rows[2].facts.jitter_ms = None), "a fact is never known of a link"),
    ];
    for (samples, why) in rows {
        let Trained { model, report } = trained(&samples);
        let got = regret(&Selector::Model(&model));
        assert!(got < bar, "{why}: {got} is not below {bar}");
        assert_eq!(LinkModel::parse(model.to_text().as_bytes()).as_ref(), Ok(&model), "{why}");
        assert_eq!((report.groups, report.held_out.unwrap().groups), (120, 24), "{why}");
        for (feature, weight) in Feature::ALL.into_iter().zip(model.weights().0) {
            assert!(weight == 0.0 || (weight > 0.0) == feature.helps(), "{why}: {feature:?} {weight}");
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_model() {
    assert_eq!(trained(&samples(1, 120, &TRUTH)).model.to_text(), GOOD.model.to_text());
}

#[test]
fn what_was_not_seen_stays_as_the_formula_has_it() {
    let weight = GOOD.model.weights().0[Feature::Weight as usize];
    assert!((weight - 1.0).abs() < 1e-12, "all weights are 1, so nothing says what they are worth: {weight}");
}

#[test]
fn nonsense_is_refused_or_does_no_harm() {
    let base = || samples(1, 60, &TRUTH);
    let bare = |sample: &mut Sample| sample.rows.iter_mut().for_each(|row| row.utility = None);
    let one_link = changed(base(), |sample| label(sample, 0));
    let alike =
        changed(base(), |sample| sample.rows.iter_mut().for_each(|row| row.facts = LinkFacts::default()));
    let learn = |samples: &[Sample]| train(samples, &Training { seed: 1 }, &mut |_, _| true);
    assert!(matches!(learn(&one_link), Err(TrainError::OneSided { .. })), "one link is always best");
    assert_eq!(learn(&alike).unwrap_err(), TrainError::Alike, "nothing is known");
    assert_eq!(learn(&base()[..4]).unwrap_err(), TrainError::Few(4));
    assert_eq!(
        train(&base(), &Training { seed: 1 }, &mut |done, _| done < 3).unwrap_err(),
        TrainError::Stopped
    );
    let reversed = changed(base(), |sample| {
        bare(sample);
        let worst = Weights(TRUTH.0.map(|weight| -weight));
        label(sample, Selector::Weights(worst).pick(sample));
    });
    let gate = gate(&HELD_OUT, &Selector::Formula, &trained(&reversed).model, true);
    assert!(!gate.is_open, "the worst link is called best: {:#?}", gate.reasons);
    let harmful = [
        (
            changed(base(), |sample| {
                bare(sample);
                label(sample, sample.group.len() % 3);
            }),
            "labels mean nothing",
        ),
        (
            changed(base(), |sample| {
                sample.rows[0].facts = LinkFacts {
                    loss: Some(f64::NAN),
                    delay_ms: Some(f64::INFINITY),
                    price_km: Some(-1e300),
                    quality: Some(1e300),
                    ..sample.rows[0].facts
                };
            }),
            "absurd facts",
        ),
    ];
    for (samples, why) in harmful {
        let model = trained(&samples).model;
        assert_eq!(LinkModel::parse(model.to_text().as_bytes()).as_ref(), Ok(&model), "{why}");
        let [got, formula] = [Selector::Model(&model), Selector::Formula].map(|selector| regret(&selector));
        assert!(got <= 1.05 * formula, "{why}: {got} against {formula}");
    }
}

/// Held out, current, an operator's word, what fails of the criteria, why.
type Judged<'r> = (&'r [Sample], &'r Selector<'r>, bool, &'r [&'r str], &'r str);

#[test]
fn the_gate() {
    let good = &GOOD.model;
    let same = LinkModel::parse(good.to_text().as_bytes()).unwrap();
    let own = Selector::Model(&same);
    let near = Selector::Weights(Weights(good.weights().0.map(|weight| weight * 0.9 - 0.05)));
    let one_link = changed(HELD_OUT.clone(), |sample| label(sample, 0));
    let unmeasured = changed(HELD_OUT.clone(), |sample| {
        sample.rows.iter_mut().for_each(|row| (row.utility, row.facts.loss) = (None, None));
    });
    let rows: [Judged<'_>; 8] = [
        (&HELD_OUT, &Selector::Formula, true, &[], "better, and an operator wants it"),
        (&HELD_OUT, &Selector::Formula, false, &["picks otherwise"], "better, but otherwise too often"),
        (&HELD_OUT, &own, false, &["mean regret"], "no gain"),
        (
            &HELD_OUT,
            &Selector::Weights(TRUTH),
            true,
            &["mean regret", "95th percentile"],
            "worse than the truth",
        ),
        (&HELD_OUT[..150], &Selector::Formula, true, &["150 held-out groups"], "too few"),
        (&HELD_OUT, &Selector::Priority, true, &["north/red goes from 100.0 %"], "everything moves"),
        (&one_link, &Selector::Formula, true, &["north/red is best in 100 %"], "poisoned labels"),
        (
            &unmeasured,
            &Selector::Formula,
            true,
            &["0 held-out", "mean regret is unknown", "95th"],
            "nothing to go by",
        ),
    ];
    for (held_out, current, word, want, why) in rows {
        let gate = gate(held_out, current, good, word);
        let fails: Vec<_> = gate.reasons.iter().filter_map(|reason| reason.strip_prefix("fails: ")).collect();
        assert_eq!(fails.len(), want.len(), "{why}: {fails:#?}");
        for (got, want) in fails.iter().zip(want) {
            assert!(got.contains(want), "{why}: no {want:?} in {got}");
        }
        assert_eq!((gate.is_open, gate.reasons.len()), (want.is_empty(), 7), "{why}");
    }
    assert!(
        gate(&HELD_OUT, &near, good, false).reasons.iter().any(|reason| reason.starts_with("holds: picks"))
    );
}

#[test]
fn drift_is_seen_by_feature() {
    let slower = |times: f64| {
        changed(samples(3, 400, &TRUTH), |sample| {
            sample
                .rows
                .iter_mut()
                .for_each(|row| row.facts.delay_ms = row.facts.delay_ms.map(|delay| delay * times));
        })
    };
    let rows: [(Vec<Sample>, &[Feature], &str); 5] = [
        (samples(3, 400, &TRUTH), &[], "another seed is no drift"),
        (samples(1, 120, &TRUTH), &[], "what it was trained on"),
        (slower(3.0), &[Feature::Delay], "three times the delay"),
        (slower(1_000.0)[..66].to_vec(), &[], "198 links are too few to tell"),
        (
            changed(samples(3, 400, &TRUTH), |sample| {
                sample.rows.iter_mut().for_each(|row| row.facts.weight = Some(5.0));
            }),
            &[Feature::Weight],
            "what never varied is another now",
        ),
    ];
    for (recent, want, why) in rows {
        let got: Vec<_> = drift(&GOOD.model, &recent).iter().map(|drift| drift.feature).collect();
        let late: Vec<_> = got.iter().filter(|feature| **feature != Feature::Late).copied().collect();
        assert_eq!(late, want, "{why}");
    }
}
