//! A lesson: what is learned, from what, and whether it is better.
//!
//! Training takes the operator's labels and all samples but those of the newest
//! day, which are held out: a model is judged by a day that it has not seen and
//! that is most like tomorrow. The gate has the word. Much less than is
//! kept is enough to learn from, so of a long notebook every so-many-th group
//! is taken, the same number of each day.

use std::time::Duration;

use rhumb_policies::link::evaluate::Selector;
use rhumb_policies::link::gate::gate;
use rhumb_policies::link::model::LinkModel;
use rhumb_policies::link::sample::Sample;
use rhumb_policies::link::train::{Training, train};

use super::notebook::{DAY, Day, decided};

/// Most groups that a lesson takes from the notebook: a hundred suffice for
/// the weights (the house's findings), the rest is for rare weather.
const MAX_LEARNT: usize = 10_000;

/// Least groups held out, as long as there are days: more than the gate asks
/// for, so that its figures mean something. Of few a day, more days are taken.
const MIN_HELD_OUT: usize = 300;

/// Share of the newest groups held out when there is one day only: a fifth.
const HELD_OUT_PART: usize = 5;

/// Most of a day.
const MOST: Duration = Duration::from_secs(20 * 3_600);

/// Seed of every training: what is learned depends on the samples alone.
const SEED: u64 = 4;

/// What a lesson is made of.
#[derive(Debug, Default)]
pub(super) struct Material {
    /// Samples to learn from.
    pub(super) learnt: Vec<Sample>,
    /// Samples to judge by: none of the others', and newer.
    pub(super) held_out: Vec<Sample>,
    /// Days that could not be read, and why.
    pub(super) wrong: Vec<String>,
}

/// Why a lesson ends before its time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stop {
    /// Something else is to be done first.
    Interrupted,
    /// It takes too long.
    Late,
}

/// Asked between steps whether to go on.
pub(super) type GoesOn<'a> = &'a mut dyn FnMut() -> Result<(), Stop>;

/// What came of it.
#[derive(Debug)]
pub(super) struct Ended {
    /// What was learned, if something was.
    pub(super) candidate: Option<LinkModel>,
    /// Whether it may be put in use.
    pub(super) is_open: bool,
    /// Why, each criterion with its figures.
    pub(super) reasons: Vec<String>,
}

impl Ended {
    /// One without a model.
    pub(super) fn refused(why: &str) -> Self {
        Self { candidate: None, is_open: false, reasons: vec![why.to_owned()] }
    }
}

impl Material {
    /// Reads `days`, oldest first.
    pub(super) fn gather(days: &[Day], labels: &[Sample]) -> Self {
        let mut material = Self::default();
        let mut rest = days.iter().rev();
        let (mut newest, mut since) = (Vec::new(), Duration::MAX);
        for day in rest.by_ref() {
            newest.splice(0..0, material.read(day));
            since = newest.last().and_then(when).unwrap_or_default().saturating_sub(DAY);
            let is_whole = newest.first().and_then(when).is_some_and(|at| at <= since);
            if newest.len() >= MIN_HELD_OUT && is_whole {
                break;
            }
        }
        let at = newest.partition_point(|sample| when(sample).is_some_and(|at| at < since));
        // Too few in a day: all that was read is held out.
        let at = if newest.len() - at < MIN_HELD_OUT { 0 } else { at };
        material.held_out = newest.split_off(at);
        let share = MAX_LEARNT / (rest.len() + 1);
        let mut groups: Vec<Sample> = Vec::new();
        for day in rest.rev() {
            thin(material.read(day), share, &mut groups);
        }
        thin(newest, share, &mut groups);
        if groups.is_empty() {
            // The only day there is: its newest part is held out.
            let at = material.held_out.len() - material.held_out.len() / HELD_OUT_PART;
            let newest = material.held_out.split_off(at);
            groups = std::mem::replace(&mut material.held_out, newest);
        }
        material.learnt = labels.to_vec();
        material.learnt.append(&mut groups);
        material
    }

    fn read(&mut self, day: &Day) -> Vec<Sample> {
        day.read().unwrap_or_else(|why| {
            self.wrong.push(why);
            Vec::new()
        })
    }

    /// Learns, and asks the gate, as long as it `goes_on`.
    pub(super) fn teach(&self, current: &Selector<'_>, goes_on: GoesOn<'_>) -> Result<Ended, Stop> {
        let mut asked = Ok(());
        let trained = train(&self.learnt, &Training { seed: SEED }, &mut |_, _| {
            asked = asked.and_then(|()| goes_on());
            asked.is_ok()
        });
        asked.and_then(|()| goes_on())?;
        Ok(match trained {
            Ok(trained) => {
                let gate = gate(&self.held_out, current, &trained.model, false);
                Ended { candidate: Some(trained.model), is_open: gate.is_open, reasons: gate.reasons }
            }
            Err(error) => Ended::refused(&error.to_string()),
        })
    }
}

/// The samples of the day before `now`; nothing before there is most of a day:
/// every hour and every class must have had its turn.
pub(super) fn recent(days: &[Day], now: Duration) -> Option<Vec<Sample>> {
    // A day and its eve hold whatever was decided within a day.
    let days = days[days.len().saturating_sub(2)..].iter();
    let read: Vec<_> = days.filter_map(|day| day.read().ok()).flatten().collect();
    let is_most = read.first().and_then(when).is_some_and(|at| at + MOST <= now);
    let is_recent = |sample: &Sample| when(sample).is_some_and(|at| at + DAY >= now);
    is_most.then(|| read.into_iter().filter(is_recent).collect())
}

/// When a sample was decided.
fn when(sample: &Sample) -> Option<Duration> {
    decided(&sample.group)
}

/// Adds every so-many-th of `samples` to `groups`, about `share` of them.
fn thin(samples: Vec<Sample>, share: usize, groups: &mut Vec<Sample>) {
    let step = samples.len().div_ceil(share.max(1)).max(1);
    groups.extend(samples.into_iter().step_by(step));
}
