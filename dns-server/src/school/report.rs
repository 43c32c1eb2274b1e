//! What the school knows of its models, for people and programs.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::notebook::Day;
use super::shelf::{Lesson, Shelf};

/// All models of the policy.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub struct Report {
    /// In the policy's order.
    pub models: Vec<ModelReport>,
}

/// One model. Times are Unix seconds.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub struct ModelReport {
    /// Its name: that of the operator's file.
    pub name: String,
    /// The id of what is in use.
    pub id: String,
    /// Its number, if it was learned here; the operator's file has none.
    pub number: Option<u32>,
    /// Groups it was trained on.
    pub groups: usize,
    /// Since when it is in use.
    pub since: u64,
    /// And why.
    pub why: String,
    /// What the gate said of it, with figures of days it had not seen.
    pub gate: Vec<String>,
    /// In what the links have drifted from it: then the formula is used.
    pub drift: Vec<String>,
    /// Whether it was promoted less than a day ago.
    pub is_on_trial: bool,
    /// The last lesson, and what came of it.
    pub last_lesson: Option<Lesson>,
    /// When the next one is due, if one is.
    pub next_lesson: Option<u64>,
    /// Days of samples kept.
    pub days: usize,
    /// Their size, bytes.
    pub bytes: u64,
    /// Why nothing is kept, or what was not.
    pub fault: Option<String>,
}

impl ModelReport {
    pub(super) fn fill(&mut self, shelf: &Shelf, days: Vec<Day>) {
        let (number, model) = shelf.in_use();
        let index = &shelf.index;
        let entry = index.models.iter().find(|entry| Some(entry.number) == number);
        (self.number, self.id, self.groups) = (number, model.id().to_owned(), model.groups());
        (self.since, self.why) = (index.since, index.why.clone());
        self.gate = entry.map(|entry| entry.gate.clone()).unwrap_or_default();
        (self.drift, self.last_lesson) = (index.drift.clone(), index.last.clone());
        (self.days, self.bytes) = (days.len(), days.iter().map(|day| day.bytes).sum());
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.models.is_empty() {
            return writeln!(f, "no link model is in the policy");
        }
        self.models.iter().try_for_each(|model| write!(f, "{model}"))
    }
}

impl fmt::Display for ModelReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, id, groups, .. } = self;
        let origin = self.number.map_or_else(|| "the operator's file".to_owned(), |it| format!("model {it}"));
        let trial = if self.is_on_trial { ", on trial" } else { "" };
        writeln!(f, "{name}: {origin} {id}, of {groups} groups{trial}")?;
        if !self.drift.is_empty() {
            writeln!(f, "  the formula chooses, because links have drifted: {}", self.drift.join("; "))?;
        }
        if self.since > 0 {
            writeln!(f, "  in use since {}: {}", time(self.since), self.why)?;
        }
        self.gate.iter().try_for_each(|reason| writeln!(f, "    {reason}"))?;
        match &self.last_lesson {
            None => writeln!(f, "  no lesson yet")?,
            Some(Lesson { at, is_promoted, reasons, .. }) => {
                let came = if *is_promoted { "promoted" } else { "refused" };
                writeln!(f, "  last lesson {}: {came}", time(*at))?;
                reasons.iter().try_for_each(|reason| writeln!(f, "    {reason}"))?;
            }
        }
        if let Some(next) = self.next_lesson {
            writeln!(f, "  next lesson {}", time(next))?;
        }
        writeln!(f, "  samples: {} days, {} KB", self.days, self.bytes.div_ceil(1_000))?;
        self.fault.iter().try_for_each(|fault| writeln!(f, "  {fault}"))
    }
}

fn time(at: u64) -> String {
    let moment = i64::try_from(at).ok().and_then(|at| jiff::Timestamp::from_second(at).ok());
    moment.map_or_else(|| at.to_string(), |moment| moment.to_string())
}
