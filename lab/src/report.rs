//! What the lab says: a line for each thing tried, and how many missed.
//!
//! Worlds run side by side, so a line is printed whole and names its own
//! scenario. All lines are printed, well or not: the figures are wanted too.

#![allow(clippy::print_stdout, reason = "a program's answer")]

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::patience::is_interrupted;

static WELL: AtomicUsize = AtomicUsize::new(0);
static MISSED: AtomicUsize = AtomicUsize::new(0);

/// Says that `scenario` went well.
pub(crate) fn well(scenario: &str, figures: impl fmt::Display) {
    WELL.fetch_add(1, Ordering::Relaxed);
    println!("lab: {scenario}: {figures}");
}

/// Says that `scenario` did not. What was interrupted needs no words.
pub(crate) fn missed(scenario: &str, why: impl fmt::Display) {
    MISSED.fetch_add(1, Ordering::Relaxed);
    if !is_interrupted() {
        println!("lab: {scenario}: MISSED: {why}");
    }
}

/// Says that nothing was tried.
pub(crate) fn skipped(why: impl fmt::Display) {
    println!("lab: SKIPPED: {why}");
}

/// The last line; whether all went well.
pub(crate) fn end(took: Duration) -> bool {
    let (well, missed) = (WELL.load(Ordering::Relaxed), MISSED.load(Ordering::Relaxed));
    let interrupted = if is_interrupted() { ", interrupted" } else { "" };
    println!("lab: {well} scenarios well, {missed} missed, {:.0} s{interrupted}", took.as_secs_f64());
    missed == 0 && well > 0
}

/// A time, as figures show it.
pub(crate) fn seconds(time: Duration) -> String {
    format!("{:.2} s", time.as_secs_f64())
}
