//! What takes a model back, what keeps one out, and operators' words.

use rhumb_policies::link::model::LinkModel;
use rhumb_policies::{EventKind, Phase};

use super::bench::{Bench, DAY, World, far_sighted, labelled, model, near_sighted, near_sighted_in};
use crate::school::lesson::Stop;
use crate::school::shelf::{Lesson, Shelf};
use rhumb_policies::link::learned::Retrain;

use crate::school::{LinkWhat, WINDOW};

#[test]
fn an_operator_takes_a_model_back() {
    let mut bench = Bench::taught();
    let said = bench.order(LinkWhat::Rollback).unwrap();
    assert_eq!(said, ["model 1 is taken back; the operator's file is in use"]);
    assert_eq!(bench.in_use(), Ok(None));
    assert_eq!(bench.count(EventKind::Order), 1, "audited");
    let text = &bench.events.iter().find(|event| event.kind == EventKind::LinkModelRolledBack).unwrap().text;
    assert!(text.contains("by ann: because"), "{text}");
    bench.restart();
    assert_eq!(bench.in_use(), Ok(None), "over a restart");
    let why = bench.order(LinkWhat::Rollback).unwrap_err();
    assert!(why.contains("nothing before"), "{why}");
    bench.pass(DAY);
    assert_eq!(bench.in_use(), Ok(Some(2)), "the next lesson may be better again, under another number");
}

#[test]
fn a_roll_back_holds_although_the_disk_is_full() {
    let mut bench = Bench::taught();
    std::fs::create_dir(bench.folder().join("index.json.new")).unwrap();
    let said = bench.order(LinkWhat::Rollback).unwrap();
    assert!(said[1].contains("a restart forgets it"), "{said:?}");
    assert_eq!(bench.in_use(), Ok(None));
    bench.enrol();
    assert_eq!(bench.in_use(), Ok(None), "over a reload too");
}

#[test]
fn a_full_disk_keeps_a_promotion_out() {
    let mut bench = Bench::new(near_sighted());
    bench.pass(DAY);
    std::fs::create_dir(bench.folder().join("1.model.new")).unwrap();
    bench.pass(DAY + WINDOW);
    assert_eq!(bench.in_use(), Ok(None), "what cannot be kept is not used");
    let reasons = bench.report().last_lesson.unwrap().reasons.join("; ");
    assert!(reasons.contains("cannot be kept"), "{reasons}");
}

#[test]
fn a_model_that_does_not_keep_its_promise_is_taken_back() {
    let mut bench = Bench::taught();
    assert!(bench.report().is_on_trial);
    // What is far is not slow any more: whoever avoids it does worse.
    bench.groups = 20;
    bench.world.far = 0.0;
    bench.pass(WINDOW * 2);
    assert_eq!(bench.in_use(), Ok(Some(1)), "as good as the one before where nothing is far");
    bench.belies = true;
    bench.world.far = 1.0;
    bench.pass(WINDOW * 2);
    assert_eq!(bench.in_use(), Ok(Some(1)), "one window is no proof");
    bench.pass(WINDOW * 2);
    assert_eq!(bench.in_use(), Ok(None), "{:?}", bench.report());
    let event = bench.events.iter().find(|event| event.kind == EventKind::LinkModelRolledBack).unwrap();
    assert!(event.text.contains("regret was") && event.text.contains("10 minutes"), "{}", event.text);
}

#[test]
fn the_operators_file_wins_when_it_changes() {
    let mut bench = Bench::taught();
    bench.enrol();
    assert_eq!(bench.in_use(), Ok(Some(1)), "the same file is no news");
    bench.pupil.model = far_sighted();
    bench.enrol();
    assert_eq!(bench.in_use(), Ok(None));
    assert!(bench.report().why.contains("another now"), "{:?}", bench.report());
    bench.restart();
    assert_eq!(bench.in_use(), Ok(None), "over a restart");
    assert!(bench.order(LinkWhat::Rollback).is_err(), "what was learned before is under no one");
}

#[test]
fn links_that_are_others_mean_the_formula() {
    let mut bench = Bench::taught();
    bench.world.slow = 8.0;
    bench.pass(DAY / 2);
    let why = bench.in_use().unwrap_err().to_owned();
    assert!(why.contains("delay"), "{why}");
    let phases = |bench: &Bench| {
        let drifts = bench.events.iter().filter(|event| event.kind == EventKind::LinkDrift);
        drifts.map(|event| event.phase).collect::<Vec<_>>()
    };
    assert_eq!(phases(&bench), [Phase::Begins]);
    bench.restart();
    assert!(bench.in_use().is_err(), "over a restart");
    assert_eq!(phases(&bench), [Phase::Begins; 2], "and an alert must not end with it");
    bench.pass(DAY);
    assert!(bench.in_use().is_err() && bench.count(EventKind::LinkModelRefused) == 0, "nothing is learned");
    assert_eq!(bench.report().next_lesson, None);
    bench.world.slow = 1.0;
    bench.pass(DAY * 2);
    assert!(bench.in_use().is_ok(), "it ends by itself: {:?}", bench.report());
    assert_eq!(phases(&bench)[2..], [Phase::Ends]);
}

#[test]
fn an_operator_has_the_new_links_learned() {
    let mut bench = Bench::taught();
    bench.world.slow = 8.0;
    bench.pass(DAY * 3);
    assert!(bench.in_use().is_err());
    let said = bench.order(LinkWhat::Retrain).unwrap();
    assert!(bench.report().last_lesson.is_some(), "{said:?}");
    assert_eq!(said.len(), bench.report().last_lesson.unwrap().reasons.len() + 1, "with every reason");
}

#[test]
fn the_gate_keeps_out_what_is_not_better() {
    // The seed, the world, the days of samples, the criterion that fails.
    let rows = [
        (near_sighted(), World::USUAL, 0.1, "held-out groups with known utility", "too few to judge by"),
        (far_sighted(), World::USUAL, 2.0, "regret", "nothing is gained"),
        (near_sighted_in(World::WIDE), World::WIDE, 2.0, "picks otherwise", "it turns too much over"),
    ];
    for (file, world, days, criterion, why) in rows {
        let mut bench = Bench::new(file);
        bench.pupil.retrain = None;
        bench.enrol();
        bench.world = world;
        bench.pass(DAY.mul_f64(days));
        let said = bench.order(LinkWhat::Retrain).unwrap();
        assert_eq!(bench.in_use(), Ok(None), "{why}: {said:?}");
        let is_it = |line: &&String| line.starts_with("fails:") && line.contains(criterion);
        assert!(said.iter().any(|line| is_it(&line)), "{why}: {said:?}");
        let lesson = bench.report().last_lesson.unwrap();
        assert!(lesson.reasons.iter().any(|line| is_it(&line)), "{why}: the operator sees it");
        assert!(bench.report().to_string().contains(criterion), "{why}: {}", bench.report());
    }
}

#[test]
fn an_operators_word_lets_another_opinion_in_and_nothing_else() {
    let mut bench = Bench::new(near_sighted_in(World::WIDE));
    bench.pupil.retrain = None;
    bench.enrol();
    let why = bench.order(LinkWhat::Promote).unwrap_err();
    assert!(why.contains("no candidate"), "{why}");
    bench.world = World::WIDE;
    bench.pass(DAY * 2);
    bench.order(LinkWhat::Retrain).unwrap();
    assert_eq!(bench.in_use(), Ok(None), "it decides differently too often");
    bench.restart();
    let said = bench.order(LinkWhat::Promote).unwrap();
    assert_eq!((bench.in_use(), &said[..]), (Ok(Some(1)), &["model 1 is in use".to_owned()][..]));
    assert!(bench.report().why.contains("by ann"), "{:?}", bench.report());
    let why = bench.order(LinkWhat::Promote).unwrap_err();
    assert!(why.contains("no candidate"), "a word is for one candidate: {why}");

    let mut bench = Bench::new(far_sighted());
    bench.pass(DAY * 2 + WINDOW);
    let why = bench.order(LinkWhat::Promote).unwrap_err();
    assert!(why.contains("fails: ") && why.contains("regret"), "the other criteria hold: {why}");
    assert_eq!((bench.in_use(), bench.count(EventKind::Order)), (Ok(None), 0));
}

#[test]
fn poisoned_labels_are_not_promoted() {
    let mut first = labelled(World::USUAL, 2_000, |facts| facts.delay_ms.unwrap());
    for sample in &mut first {
        sample.rows.iter_mut().enumerate().for_each(|(index, row)| row.is_best = index == 0);
    }
    let worst = labelled(World::USUAL, 2_000, |facts| -facts.delay_ms.unwrap());
    for (labels, why) in [(first, "all one link"), (worst, "the slowest is best")] {
        let mut bench = Bench::new(far_sighted());
        let retrain = bench.pupil.retrain.take().unwrap();
        bench.pupil.retrain = Some(Retrain { labels: labels.into(), ..retrain });
        bench.enrol();
        bench.pass(DAY * 2 + WINDOW);
        assert_eq!(bench.in_use(), Ok(None), "{why}");
        assert!(bench.count(EventKind::LinkModelRefused) > 0, "{why}: and it is told");
    }
}

#[test]
fn a_lesson_can_be_stopped() {
    let mut bench = Bench::new(near_sighted());
    bench.pupil.retrain = None;
    bench.enrol();
    bench.pass(DAY * 2);
    let why = bench.interrupted(LinkWhat::Retrain, Stop::Interrupted).unwrap_err();
    assert!(why.contains("order it again"), "{why}");
    assert_eq!(bench.report().last_lesson, None, "as if it had not begun");
    let said = bench.interrupted(LinkWhat::Retrain, Stop::Late).unwrap();
    assert!(said.join(" ").contains("too long"), "{said:?}");
    assert_eq!(bench.in_use(), Ok(None));
}

#[test]
fn five_models_are_kept_and_every_one_can_be_gone_back_to() {
    let bench = Bench::new(near_sighted());
    let open = || Shelf::open(bench.folder(), near_sighted(), DAY).unwrap().0;
    let mut shelf = open();
    for number in 1..=7 {
        let labels = labelled(World::USUAL, 100 + number, |facts| facts.delay_ms.unwrap());
        let lesson = Lesson { at: 0, is_promoted: true, id: None, reasons: Vec::new() };
        let promoted = shelf.promote(LinkModel::clone(&model(&labels)), lesson, "for the test").unwrap();
        assert_eq!(promoted as usize, number);
    }
    let models = || {
        let entries = std::fs::read_dir(bench.folder()).unwrap().map(|entry| entry.unwrap().path());
        entries.filter(|path| path.extension().is_some_and(|it| it == "model")).count()
    };
    assert_eq!(models(), 5);
    for number in (3..=7).rev() {
        shelf = open();
        assert_eq!(shelf.in_use().0, Some(number), "over a restart each time");
        assert_eq!(shelf.roll_back("for the test", DAY), Some(number));
        shelf.save().unwrap();
    }
    assert_eq!((shelf.in_use().0, shelf.roll_back("", DAY)), (None, None), "down to the operator's file");
}
