//! What is on disk: days, torn ends, bad files, restarts in the middle.

use std::fs;
use std::time::Duration;

use rhumb_policies::EventKind;

use super::bench::{Bench, DAY, NAME, far_sighted, near_sighted};
use crate::school::{LinkWhat, WINDOW};

/// Names of files in the model's folder, sorted.
fn files(bench: &Bench) -> Vec<String> {
    let entries = fs::read_dir(bench.folder()).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn days_are_kept_as_long_as_the_policy_says() {
    let mut bench = Bench::new(far_sighted());
    let retrain = bench.pupil.retrain.as_mut().unwrap();
    (retrain.keep, retrain.every) = (DAY * 3, DAY * 30);
    bench.enrol();
    bench.groups = 1;
    bench.pass(DAY * 6 + WINDOW * 4);
    let days = ["04", "05", "06", "07"].map(|day| format!("samples-2026-11-{day}.csv"));
    assert_eq!(files(&bench), [vec!["index.json".to_owned()], days.to_vec()].concat());
    let text = fs::read_to_string(bench.folder().join(&days[1])).unwrap();
    assert!(text.starts_with("group,link,"), "a header: {}", &text[..80]);
    assert_eq!(text.lines().count(), 1 + 288 * 4, "one decision per window, four links");
    assert_eq!(text.lines().filter(|line| line.starts_with("group,")).count(), 1, "one header");
    assert_eq!(bench.report().days, 4);
}

#[test]
fn a_window_has_its_share_of_a_day() {
    let mut bench = Bench::new(far_sighted());
    bench.groups = 500;
    bench.pass(WINDOW * 2);
    let text = fs::read_to_string(bench.folder().join("samples-2026-11-01.csv")).unwrap();
    let rows = text.lines().count() - 1;
    assert!((100..=173).contains(&rows), "{rows} rows of 2,000");
    let (first, last) = (text.lines().nth(1).unwrap(), text.lines().last().unwrap());
    assert!(first.contains("shape/0") && last.contains("shape/4"), "evenly: {first} … {last}");
}

/// What is done to a file.
type Tear<'a> = &'a dyn Fn(&mut Vec<u8>);

#[test]
fn torn_ends_are_cut_off() {
    let rows: [(Tear<'_>, usize, &str); 5] = [
        (&|text| text.truncate(text.len() - 1), 3, "the last byte is missing: its group goes"),
        (&|text| text.truncate(text.len() - 30), 3, "half a row"),
        (&|text| text.extend([0; 4_096]), 3, "a block that was never written"),
        (&|text| text.truncate(20), 0, "half a header"),
        (&|_| (), 4, "nothing is wrong"),
    ];
    for (tear, kept, why) in rows {
        let mut bench = Bench::new(far_sighted());
        bench.groups = 1;
        bench.pass(WINDOW * 5);
        let path = bench.folder().join("samples-2026-11-01.csv");
        let mut text = fs::read(&path).unwrap();
        tear(&mut text);
        fs::write(&path, text).unwrap();
        bench.restart();
        let said = bench.order(LinkWhat::Retrain).unwrap().join("; ");
        assert!(said.contains(&format!("not {kept}")), "{why}: what is whole is read: {said}");
        bench.pass(WINDOW * 2);
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().count(), 1 + (kept + 1) * 4, "{why}: and goes on: {text}");
        assert_eq!(bench.count(EventKind::LinkFiles), 0, "{why}");
    }
}

#[test]
fn a_day_that_makes_no_sense_is_set_aside() {
    let mut bench = Bench::new(near_sighted());
    bench.pass(DAY - WINDOW * 2);
    let path = bench.folder().join("samples-2026-11-01.csv");
    let text = fs::read_to_string(&path).unwrap().replace(",100,1,", ",NaN,1e99,");
    fs::write(&path, text).unwrap();
    bench.pass(DAY * 2 + WINDOW * 3);
    assert!(files(&bench).contains(&"samples-2026-11-01.csv.bad".to_owned()), "{:?}", files(&bench));
    let event = bench.events.iter().find(|event| event.kind == EventKind::LinkFiles).unwrap();
    assert!(event.text.contains("samples-2026-11-01.csv:2"), "with the line: {}", event.text);
    assert_eq!(bench.in_use(), Ok(Some(1)), "the other days count: {:?}", bench.report());
}

#[test]
fn what_was_promoted_outlives_restarts() {
    let mut bench = Bench::taught();
    let before = bench.report();
    bench.restart();
    assert_eq!(bench.report(), before, "all of it");
    assert_eq!(bench.in_use(), Ok(Some(1)));
    let lesson = before.last_lesson.unwrap().at;
    bench.pass(DAY / 2);
    assert_eq!(bench.report().last_lesson.unwrap().at, lesson, "a restart is no reason to learn");
}

#[test]
fn every_file_may_be_torn() {
    let rows: [(&str, Option<&str>, &str); 6] = [
        ("1.model", Some(""), "empty"),
        ("1.model", Some("rhumb"), "torn"),
        ("1.model", None, "gone"),
        ("index.json", Some("{\"file\":"), "the index is torn"),
        ("index.json", Some("{}"), "the index is another's"),
        ("index.json", None, "the index is gone, as on the first day"),
    ];
    for (file, content, why) in rows {
        let mut bench = Bench::taught();
        let path = bench.folder().join(file);
        match content {
            Some(content) => fs::write(&path, content).unwrap(),
            None => fs::remove_file(&path).unwrap(),
        }
        bench.restart();
        assert_eq!(bench.in_use(), Ok(None), "{why}: the operator's file");
        let is_told = bench.count(EventKind::LinkFiles) == 1;
        assert_eq!(is_told, file != "index.json" || content.is_some(), "{why}: {:?}", bench.events);
        let aside = format!("{file}.bad");
        assert_eq!(files(&bench).contains(&aside), content.is_some(), "{why}: {:?}", files(&bench));
        bench.restart();
        assert_eq!(bench.in_use(), Ok(None), "{why}: it stays so");
        if content == Some("rhumb") || content == Some("{}") {
            bench.pass(DAY + WINDOW);
            assert!(bench.in_use().unwrap().is_some(), "{why}: and it learns again: {:?}", bench.report());
        }
    }
}

#[test]
fn a_crash_between_two_files_leaves_what_was() {
    let mut bench = Bench::new(near_sighted());
    bench.pass(DAY + WINDOW);
    let index = fs::read(bench.folder().join("index.json")).unwrap();
    bench.pass(DAY);
    assert_eq!(bench.in_use(), Ok(Some(1)));
    // The model was written, the index was not.
    fs::write(bench.folder().join("index.json"), index).unwrap();
    fs::write(bench.folder().join("index.json.new"), "{\"fi").unwrap();
    bench.restart();
    assert_eq!(bench.in_use(), Ok(None), "nobody names it");
    bench.pass(WINDOW * 2);
    assert_eq!(bench.in_use(), Ok(Some(1)), "the lesson is held again, and the number given again");
    bench.restart();
    assert_eq!(bench.in_use(), Ok(Some(1)));
}

#[test]
fn a_disk_that_refuses_is_told_once_an_hour_and_serving_goes_on() {
    let mut bench = Bench::new(far_sighted());
    bench.pass(WINDOW * 2);
    fs::remove_dir_all(bench.folder()).unwrap();
    fs::write(bench.folder(), "no folder").unwrap();
    bench.pass(Duration::from_secs(3 * 3_600));
    let told = bench.count(EventKind::LinkFiles);
    assert!((3..=4).contains(&told), "{told} in three hours");
    assert_eq!(bench.in_use(), Ok(None));
    assert!(bench.report().fault.unwrap().contains("samples are not written"));
    fs::remove_file(bench.folder()).unwrap();
    fs::create_dir_all(bench.folder()).unwrap();
    bench.pass(WINDOW);
    assert_eq!(bench.report().fault, None, "well again");

    bench.restart();
    fs::remove_dir_all(bench.folder()).unwrap();
    fs::write(bench.folder(), "no folder").unwrap();
    bench.restart();
    assert_eq!(bench.in_use(), Ok(None), "a shelf that cannot be had is no reason not to serve");
    let why = bench.order(LinkWhat::Retrain).unwrap_err();
    assert!(why.contains("cannot be used"), "{why}");
}

#[test]
fn without_a_directory_nothing_is_kept() {
    let mut bench = Bench::new(far_sighted());
    let mut room = crate::school::classroom::Classroom::new(None);
    std::mem::swap(&mut bench.room, &mut room);
    bench.enrol();
    bench.pass(DAY * 2);
    assert_eq!(bench.in_use(), Ok(None));
    assert!(bench.report().fault.unwrap().contains("--state"));
    assert!(bench.order(LinkWhat::Rollback).unwrap_err().contains("--state"));
    assert_eq!(bench.room.wake(), None, "there is nothing to wake for");
}

#[test]
fn a_name_is_no_way_out_of_the_directory() {
    let rows = [
        (NAME, "links.model"),
        ("../../etc/passwd", "%2e.%2f..%2fetc%2fpasswd"),
        (".", "%2e"),
        ("models/a b", "models%2fa%20b"),
    ];
    for (name, want) in rows {
        let mut bench = Bench::new(far_sighted());
        bench.pupil.name = name.into();
        bench.restart();
        assert!(bench.root.join("links").join(want).join("index.json").is_file(), "{name}");
    }
}

/// The whole of a student is what is on disk and what the next window brings.
#[test]
fn a_restart_at_any_window_changes_nothing_but_one_decision() {
    let run = |every: Option<usize>| {
        let mut bench = Bench::new(near_sighted());
        for window in 0..(288 * 2 + 12) {
            bench.pass(WINDOW);
            if every.is_some_and(|every| window % every == 0) {
                bench.restart();
            }
        }
        bench.in_use().map_err(str::to_owned)
    };
    let calm = run(None);
    assert_eq!(calm, Ok(Some(1)));
    for every in [50, 287] {
        assert_eq!(run(Some(every)), calm, "every {every} windows");
    }
}
