//! One link model's life: what it wrote down, learned, and was taken back.
//!
//! Whatever changes what is in use goes through the shelf first, so that a
//! restart at any moment finds the model that was told, or the one about to
//! be. The one exception is a roll-back that cannot be saved: an operator must
//! be able to leave a bad model on a full disk, and hears of it.

mod learn;
mod outcome;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rhumb_policies::link::drift::{Drift, drift};
use rhumb_policies::link::learned::{ModelFile, Retrain};
use rhumb_policies::link::sample::Sample;

use super::lesson::{GoesOn, recent};
use super::notebook::Notebook;
use super::report::ModelReport;
use super::shelf::Shelf;
use super::trial::Trial;
use super::{Group, KEEP, Taught, WINDOW, Window, Word, notes};
pub(super) use learn::Untaught;
use outcome::sample;

/// How often drift is looked for: it is a matter of a day.
const LOOK: Duration = Duration::from_secs(3_600);

/// Samples of a day, below which drift is not judged.
const MIN_RECENT: usize = 200;

/// Shortest time between two complaints about the same disk.
const GRUMBLE: Duration = Duration::from_secs(3_600);

/// One pupil.
#[derive(Debug)]
pub(super) struct Student {
    pupil: Arc<ModelFile>,
    /// Why there are no files, if there are none.
    desk: Result<Desk, String>,
    /// Decisions whose outcome is not known yet, and when they were made.
    pending: Option<(Duration, Vec<Group>)>,
    trial: Option<Trial>,
    /// When to look for drift.
    look: Duration,
    /// When a file was complained about last, and what it was.
    fault: Option<(Duration, String)>,
    words: Vec<Word>,
}

#[derive(Debug)]
struct Desk {
    notebook: Notebook,
    shelf: Shelf,
}

impl Student {
    /// Takes up where the files in `root` leave off.
    pub(super) fn new(root: Option<&Path>, pupil: Arc<ModelFile>, now: Duration) -> Self {
        let mut student = Self {
            desk: Err("there is no state directory (--state)".to_owned()),
            pupil,
            pending: None,
            trial: None,
            look: now + WINDOW,
            fault: None,
            words: Vec::new(),
        };
        if let Some(root) = root {
            student.sit_down(folder(root, &student.pupil.name), now);
        }
        student
    }

    fn sit_down(&mut self, directory: PathBuf, now: Duration) {
        match Shelf::open(directory.clone(), Arc::clone(&self.pupil.model), now) {
            Ok((shelf, wrong)) => {
                self.desk = Ok(Desk { notebook: Notebook::new(directory), shelf });
                self.stand_trial(now);
                wrong.into_iter().for_each(|why| self.event(notes::files((&self.name(), now), &why)));
                if let Some(drift) = self.drift() {
                    self.event(notes::drift_begins((&self.name(), now), &drift));
                }
            }
            Err(error) => {
                let why = format!("{} cannot be used: {error}", directory.display());
                self.desk = Err(why.clone());
                self.grumble(why, now);
            }
        }
    }

    /// The same student under another policy, if it is the same: its file and
    /// its desk are those of before.
    pub(super) fn goes_on(&mut self, pupil: &Arc<ModelFile>) -> bool {
        let is_same = self.desk.is_ok() && self.pupil.model.id() == pupil.model.id();
        if is_same {
            self.pupil = Arc::clone(pupil);
        }
        is_same
    }

    /// It is not in the policy any more, or is another.
    pub(super) fn leave(mut self, now: Duration) -> Vec<Word> {
        if self.drift().is_some() {
            self.event(notes::drift_ends((&self.name(), now)));
        }
        self.words
    }

    /// Tells what is in use.
    pub(super) fn tell(&mut self) {
        let (model, reason) = match &self.desk {
            Err(_) => (Some(&self.pupil.model), "the operator's file".to_owned()),
            Ok(desk) if desk.shelf.index.drift.is_empty() => {
                (Some(desk.shelf.in_use().1), desk.shelf.index.why.clone())
            }
            Ok(desk) => (None, format!("drift: {}", desk.shelf.index.drift.join("; "))),
        };
        let (name, model) = (Arc::clone(&self.pupil.name), model.cloned());
        self.words.push(Word::Taught(Taught { name, model, reason }));
    }

    pub(super) fn words(&mut self) -> Vec<Word> {
        std::mem::take(&mut self.words)
    }

    pub(super) fn name(&self) -> Arc<str> {
        Arc::clone(&self.pupil.name)
    }

    fn event(&mut self, event: rhumb_policies::Event) {
        self.words.push(Word::Events(vec![event]));
    }

    fn drift(&self) -> Option<Vec<String>> {
        let drift = &self.desk.as_ref().ok()?.shelf.index.drift;
        (!drift.is_empty()).then(|| drift.clone())
    }

    /// Logs and tells that a file cannot be used; not again within the hour.
    fn grumble(&mut self, why: String, now: Duration) {
        if self.fault.as_ref().is_none_or(|(at, _)| now.saturating_sub(*at) >= GRUMBLE) {
            tracing::error!(model = %self.pupil.name, "{why}");
            self.event(notes::files((&self.name(), now), &why));
            self.fault = Some((now, why));
        }
    }

    /// Writes down what came of the window before, and follows this one.
    pub(super) fn record(&mut self, window: Window) {
        let Window { at: now, groups, measured, .. } = window;
        let Some((at, before)) = self.pending.replace((now, groups)) else { return };
        let span = now.saturating_sub(at);
        if span < WINDOW / 2 || span > WINDOW * 2 {
            return; // the server was stopped, or its clock was set
        }
        let outcome = |group| sample(at, group, &|link| measured.get(link).copied());
        let samples: Vec<_> = before.into_iter().filter_map(outcome).collect();
        let Ok(desk) = &self.desk else { return };
        if samples.is_empty() {
            return;
        }
        let keep = self.pupil.retrain.as_ref().map_or(KEEP, |retrain| retrain.keep);
        match desk.notebook.write(&samples, at).and_then(|()| desk.notebook.forget(keep, now)) {
            Ok(()) => self.fault = None,
            Err(error) => self.grumble(format!("samples are not written: {error}"), now),
        }
        self.watch(&samples, (at, now));
    }

    /// Takes a model on trial back if it does not keep what it promised.
    fn watch(&mut self, samples: &[Sample], (began, now): (Duration, Duration)) {
        let Ok(desk) = &self.desk else { return };
        self.trial = self.trial.take().filter(|trial| !trial.is_over(now));
        let Some(trial) = self.trial.as_mut().filter(|_| desk.shelf.index.drift.is_empty()) else { return };
        if let Some(why) = trial.watch(desk.shelf.in_use().1, samples, (began, now)) {
            self.take_back(&why, now);
        }
    }

    /// Uses the model before; gives back the number of the one taken back and
    /// what is wrong besides.
    fn take_back(&mut self, why: &str, now: Duration) -> Option<(u32, Option<String>)> {
        let had_drift = self.drift().is_some();
        let desk = self.desk.as_mut().ok()?;
        let number = desk.shelf.roll_back(&format!("model taken back: {why}"), now)?;
        let wrong = desk.shelf.save().err().map(|error| format!("it is not saved: {error}"));
        self.event(notes::rolled_back((&self.name(), now), number, why));
        self.changed(had_drift, now);
        if let Some(wrong) = &wrong {
            self.grumble(wrong.clone(), now);
        }
        Some((number, wrong))
    }

    /// Another model is in use.
    fn changed(&mut self, had_drift: bool, now: Duration) {
        if had_drift {
            self.event(notes::drift_ends((&self.name(), now)));
        }
        self.look = now + WINDOW;
        self.stand_trial(now);
        self.tell();
    }

    fn stand_trial(&mut self, now: Duration) {
        let Ok(Desk { shelf, .. }) = &self.desk else { return };
        let young = shelf.promoted().zip(shelf.before());
        self.trial = young.and_then(|(promoted, before)| Trial::new(before, promoted, now));
    }

    /// When something is to be done without a window.
    pub(super) fn wake(&self) -> Option<Duration> {
        let lesson = self.due().filter(|_| self.drift().is_none());
        let look = self.desk.is_ok().then_some(self.look);
        [lesson, look].into_iter().flatten().min()
    }

    /// When the next lesson is due.
    fn due(&self) -> Option<Duration> {
        let Retrain { every, .. } = self.pupil.retrain.as_ref()?;
        let index = &self.desk.as_ref().ok()?.shelf.index;
        Some(Duration::from_secs(index.last.as_ref().map_or(index.begun, |last| last.at)) + *every)
    }

    /// Does what is due.
    pub(super) fn tick(&mut self, now: Duration, goes_on: GoesOn<'_>) {
        if self.look <= now {
            self.look_for_drift(now);
            self.look = now + LOOK;
        }
        if self.drift().is_none() && self.due().is_some_and(|due| due <= now) {
            // Interrupted, it is still due.
            let _ = self.learn(now, goes_on);
        }
    }

    fn look_for_drift(&mut self, now: Duration) {
        let Ok(Desk { notebook, shelf }) = &mut self.desk else { return };
        let Some(recent) = notebook.days().ok().and_then(|days| recent(&days, now)) else { return };
        if recent.len() < MIN_RECENT {
            return;
        }
        let found: Vec<_> = drift(shelf.in_use().1, &recent).iter().map(say).collect();
        let before = std::mem::replace(&mut shelf.index.drift, found.clone());
        if before.is_empty() == found.is_empty() {
            return; // the figures alone are another
        }
        let saved = shelf.save();
        let event = match found.is_empty() {
            true => notes::drift_ends((&self.name(), now)),
            false => notes::drift_begins((&self.name(), now), &found),
        };
        self.event(event);
        self.tell();
        if let Err(error) = saved {
            self.grumble(format!("drift is not saved: {error}"), now);
        }
    }

    /// What is so.
    pub(super) fn report(&self) -> ModelReport {
        let lesson = self.due().filter(|_| self.drift().is_none());
        let mut report = ModelReport {
            name: self.pupil.name.to_string(),
            id: self.pupil.model.id().to_owned(),
            groups: self.pupil.model.groups(),
            next_lesson: lesson.map(|due| due.as_secs()),
            fault: self.fault.as_ref().map(|(_, why)| why.clone()),
            ..ModelReport::default()
        };
        match &self.desk {
            Err(why) => report.fault = Some(why.clone()),
            Ok(desk) => {
                report.fill(&desk.shelf, desk.notebook.days().unwrap_or_default());
                report.is_on_trial = self.trial.is_some();
            }
        }
        report
    }
}

fn say(Drift { feature, psi, z }: &Drift) -> String {
    format!("{}: stability index {psi:.2}, mean {z:+.1} deviations from then", feature.name())
}

/// The folder of a model: its name, with what a folder may not be called in
/// hexadecimal.
fn folder(root: &Path, name: &str) -> PathBuf {
    let mut folder = String::new();
    for (index, byte) in name.bytes().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => folder.push(char::from(byte)),
            b'.' if index > 0 => folder.push('.'),
            _ => folder.push_str(&format!("%{byte:02x}")),
        }
    }
    root.join("links").join(folder)
}
