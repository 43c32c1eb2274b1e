//! The school by rows: a world, what is done, what is in use and why.

mod bench;
mod files;
mod orders;

use rhumb_policies::EventKind;

use super::{CLASSES, WINDOW, turn};
use bench::{Bench, DAY, far_sighted, near_sighted};

#[test]
fn every_class_has_its_turn() {
    for (count, why) in
        [(0_usize, "none"), (3, "fewer than a window takes"), (8, "all"), (2_000, "many"), (1_999, "odd")]
    {
        let windows = count.div_ceil(CLASSES).max(1) + 1;
        let mut seen = vec![0; count];
        for window in 0..windows {
            let at = WINDOW * u32::try_from(window).unwrap();
            let mut classes: Vec<_> = turn(count, at).collect();
            classes.iter().for_each(|&class| seen[class] += 1);
            classes.dedup();
            assert_eq!(classes.len(), count.min(CLASSES), "{why}: no class twice in a window");
        }
        assert!(seen.iter().all(|&times| times > 0), "{why}: {seen:?}");
    }
}

#[test]
fn a_better_model_is_learned_and_nothing_for_a_good_one() {
    let mut bench = Bench::new(near_sighted());
    assert_eq!(bench.in_use(), Ok(None), "the operator's file is the seed");
    bench.pass(DAY - WINDOW);
    assert_eq!(bench.report().last_lesson, None, "the first lesson is a day later");
    bench.pass(DAY * 2);
    assert_eq!(bench.in_use(), Ok(Some(1)), "{:?}", bench.report());
    assert_eq!(bench.count(EventKind::LinkModelPromoted), 1);
    let report = bench.report();
    assert!(report.gate.len() > 3 && report.is_on_trial && report.days >= 2, "{report:?}");
    assert!(report.to_string().contains("model 1"), "{report}");

    let mut bench = Bench::new(far_sighted());
    bench.pass(DAY * 3);
    assert_eq!(bench.in_use(), Ok(None), "what is good stays");
    let lesson = bench.report().last_lesson.unwrap();
    assert!(!lesson.is_promoted && lesson.id.is_some(), "{lesson:?}");
    assert_eq!(bench.count(EventKind::LinkModelRefused), 3, "each lesson says why");
}
