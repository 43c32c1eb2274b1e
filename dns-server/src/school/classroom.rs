//! All pupils of a policy.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rhumb_policies::link::learned::ModelFile;

use super::lesson::GoesOn;
use super::notes;
use super::report::Report;
use super::student::{Student, Untaught};
use super::{LinkOrder, LinkWhat, Window, Word};
use crate::orders::Ledger;

/// Everybody who learns.
#[derive(Debug)]
pub(super) struct Classroom {
    directory: Option<PathBuf>,
    students: Vec<Student>,
    /// Words of those who left.
    words: Vec<Word>,
    /// Whether it was said that nothing is kept.
    is_said: bool,
}

impl Classroom {
    /// One with its files in `directory`.
    pub(super) const fn new(directory: Option<PathBuf>) -> Self {
        Self { directory, students: Vec::new(), words: Vec::new(), is_said: false }
    }

    /// These are the pupils now.
    pub(super) fn enrol(&mut self, pupils: Vec<Arc<ModelFile>>, now: Duration) {
        if self.directory.is_none() && !self.is_said && pupils.iter().any(|pupil| pupil.retrain.is_some()) {
            self.is_said = true;
            tracing::warn!("link models do not learn on: there is no state directory (--state)");
        }
        let mut before = std::mem::take(&mut self.students);
        for pupil in pupils {
            let at = before.iter_mut().position(|one| one.name() == pupil.name && one.goes_on(&pupil));
            self.students.push(match at {
                Some(at) => before.swap_remove(at),
                None => Student::new(self.directory.as_deref(), pupil, now),
            });
        }
        self.words.extend(before.into_iter().flat_map(|student| student.leave(now)));
        self.students.iter_mut().for_each(Student::tell);
    }

    /// Writes a window down.
    pub(super) fn record(&mut self, window: Window) {
        // One that left meanwhile needs it no more.
        if let Some(student) = self.students.iter_mut().find(|student| student.name() == window.name) {
            student.record(window);
        }
    }

    /// When to [`tick`](Self::tick).
    pub(super) fn wake(&self) -> Option<Duration> {
        self.students.iter().filter_map(Student::wake).min()
    }

    /// Does what is due.
    pub(super) fn tick(&mut self, now: Duration, goes_on: GoesOn<'_>) {
        self.students.iter_mut().for_each(|student| student.tick(now, goes_on));
    }

    /// Does what an operator orders; says what was done, or why not.
    pub(super) fn order(
        &mut self,
        order: &LinkOrder,
        now: Duration,
        goes_on: GoesOn<'_>,
    ) -> Result<Vec<String>, String> {
        let LinkOrder { what, name, reason, author } = order;
        if reason.len().max(author.len()) > Ledger::MAX_TEXT {
            return Err(format!("reason and author must have at most {} bytes", Ledger::MAX_TEXT));
        }
        let who = if author.is_empty() { String::new() } else { format!(", by {author}") };
        let why = if reason.is_empty() { who } else { format!("{who}: {reason}") };
        let student = self.student(name.as_deref())?;
        let said = match what {
            LinkWhat::Rollback => student.roll_back(&why, now)?,
            LinkWhat::Promote => vec![student.promote(&why, now)?],
            LinkWhat::Retrain => match student.learn(now, goes_on) {
                Ok(lesson) => {
                    let came = if lesson.is_promoted {
                        "what was learned is in use"
                    } else {
                        "nothing better was learned"
                    };
                    [came.to_owned()].into_iter().chain(lesson.reasons).collect()
                }
                Err(Untaught::Cannot(why)) => return Err(why),
                Err(Untaught::Interrupted) => {
                    return Err("another order or policy came first: order it again".to_owned());
                }
            },
        };
        let name = student.name();
        self.words
            .push(Word::Events(vec![notes::order((&name, now), format!("{what} of links {name}{why}"))]));
        Ok(said)
    }

    /// The student who is meant.
    fn student(&mut self, name: Option<&str>) -> Result<&mut Student, String> {
        let names: Vec<_> = self.students.iter().map(Student::name).collect();
        let at = match name {
            None if names.len() == 1 => Some(0),
            None if names.is_empty() => return Err("no link model is in the policy".to_owned()),
            None => return Err(format!("there is more than one link model: {}", names.join(", "))),
            Some(name) => names.iter().position(|one| **one == *name),
        };
        match at {
            Some(at) => Ok(&mut self.students[at]),
            None => {
                let text = name.unwrap_or_default();
                let hint = rhumb_zones::did_you_mean(text, names.iter().map(|name| &**name));
                let hint = hint.map(|hint| format!(" ({hint})")).unwrap_or_default();
                Err(format!("no link model is named {text:?}{hint}"))
            }
        }
    }

    /// What the keeper is to be told since the last time.
    pub(super) fn words(&mut self) -> Vec<Word> {
        let mut words = std::mem::take(&mut self.words);
        words.extend(self.students.iter_mut().flat_map(Student::words));
        words
    }

    /// What is so.
    pub(super) fn report(&self) -> Report {
        Report { models: self.students.iter().map(Student::report).collect() }
    }
}
