//! Lessons, and operators' words about them.

use std::time::Duration;

use rhumb_policies::link::evaluate::Selector;
use rhumb_policies::link::gate::gate;
use rhumb_policies::link::model::LinkModel;

use super::{Desk, Student};
use crate::school::lesson::{Ended, GoesOn, Material, Stop};
use crate::school::notes;
use crate::school::shelf::Lesson;

/// Why no lesson was held to its end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::school) enum Untaught {
    /// It cannot be held.
    Cannot(String),
    /// Something else came first.
    Interrupted,
}

impl Student {
    /// Holds a lesson; gives back what came of it.
    pub(in crate::school) fn learn(
        &mut self,
        now: Duration,
        goes_on: GoesOn<'_>,
    ) -> Result<Lesson, Untaught> {
        let Desk { notebook, .. } = self.desk.as_ref().map_err(|why| Untaught::Cannot(why.clone()))?;
        let days = notebook.days().map_err(|error| Untaught::Cannot(error.to_string()))?;
        let labels = self.pupil.retrain.as_ref().map_or(&[][..], |retrain| &retrain.labels);
        let material = Material::gather(&days, labels);
        let ended = match material.teach(&self.answering(), goes_on) {
            Ok(ended) => ended,
            Err(Stop::Interrupted) => return Err(Untaught::Interrupted),
            Err(Stop::Late) => Ended::refused("the lesson took too long"),
        };
        material.wrong.iter().for_each(|why| self.event(notes::files((&self.name(), now), why)));
        Ok(self.conclude(ended, now))
    }

    /// What scores links now.
    fn answering(&self) -> Selector<'_> {
        match &self.desk {
            Ok(desk) if desk.shelf.index.drift.is_empty() => Selector::Model(desk.shelf.in_use().1),
            Ok(_) => Selector::Formula,
            Err(_) => Selector::Model(&self.pupil.model),
        }
    }

    /// Does what a lesson came to.
    fn conclude(&mut self, ended: Ended, now: Duration) -> Lesson {
        let Ended { candidate, is_open, reasons } = ended;
        let id = candidate.as_ref().map(|model| model.id().to_owned());
        let mut lesson = Lesson { at: now.as_secs(), is_promoted: is_open, id, reasons };
        if let Some(model) = candidate.as_ref().filter(|_| is_open) {
            match self.put_in_use(model.clone(), &lesson, "it came through the gate") {
                Ok(_) => return lesson,
                Err(why) => lesson.reasons.push(why),
            }
        }
        lesson.is_promoted = false;
        self.event(notes::refused((&self.name(), now), &lesson.reasons));
        let kept = self.desk.as_mut().map(|desk| desk.shelf.refuse(candidate.as_ref(), lesson.clone()));
        if let Ok(Err(error)) = kept {
            self.grumble(format!("what was learned is not kept: {error}"), now);
        }
        lesson
    }

    /// Puts a model in use, if it can be kept; gives back its number.
    fn put_in_use(&mut self, model: LinkModel, lesson: &Lesson, why: &str) -> Result<u32, String> {
        let (now, had_drift) = (Duration::from_secs(lesson.at), self.drift().is_some());
        let desk = self.desk.as_mut().map_err(|why| why.clone())?;
        let promoted = desk.shelf.promote(model, lesson.clone(), why);
        let number = promoted.map_err(|error| format!("it cannot be kept: {error}"))?;
        self.event(notes::promoted((&self.name(), now), number, &lesson.reasons));
        self.changed(had_drift, now);
        Ok(number)
    }

    /// Puts the candidate that was refused last in use, if all that stands
    /// against it is how often it decides differently.
    pub(in crate::school) fn promote(&mut self, why: &str, now: Duration) -> Result<String, String> {
        let Desk { notebook, shelf } = self.desk.as_ref().map_err(|why| why.clone())?;
        let candidate = shelf.refused().ok_or("the last lesson left no candidate that was refused")?;
        let days = notebook.days().map_err(|error| error.to_string())?;
        let gate = gate(&Material::gather(&days, &[]).held_out, &self.answering(), &candidate, true);
        if !gate.is_open {
            return Err(format!("refused: {}", gate.reasons.join("; ")));
        }
        let id = Some(candidate.id().to_owned());
        let lesson = Lesson { at: now.as_secs(), is_promoted: true, id, reasons: gate.reasons };
        self.put_in_use(candidate, &lesson, &format!("an operator's word{why}"))
            .map(|number| format!("model {number} is in use"))
    }

    /// Takes the model in use back; says what is used instead.
    pub(in crate::school) fn roll_back(&mut self, why: &str, now: Duration) -> Result<Vec<String>, String> {
        let taken = self.take_back(&format!("an operator's word{why}"), now);
        let desk = self.desk.as_ref().map_err(|why| why.clone())?;
        let (number, wrong) = taken.ok_or("the operator's file is in use: there is nothing before it")?;
        let instead = desk
            .shelf
            .in_use()
            .0
            .map_or_else(|| "the operator's file".to_owned(), |it| format!("model {it}"));
        let mut said = vec![format!("model {number} is taken back; {instead} is in use")];
        said.extend(wrong.map(|wrong| format!("but {wrong}: a restart forgets it")));
        Ok(said)
    }
}
