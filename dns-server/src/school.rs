//! Where link models learn, and unlearn.
//!
//! One thread of low priority keeps, for each link model that a policy names, a
//! *notebook* of what was decided and what came of it, and a *shelf* of the
//! models learned from it. The keeper hands over a [`Window`] every five
//! minutes; what its links measured is the outcome of the decisions of the
//! window before. All links are probed, chosen or not, so a model learns from
//! more than its own choices.
//!
//! ```text
//! keeper ── Window ──► notebook, a file a day ──► lesson ── gate ──► shelf
//!    ▲                        └─► drift, trial ─────────────────────┤
//!    └──────────────────────── Taught ◄─────────────────────────────┘
//! ```
//!
//! A lesson trains on all days but the newest and asks the gate whether the
//! result is better on those. A promoted model is on trial for a day; links
//! that are no longer what the model was trained on mean the formula, until
//! that ends or an operator orders a lesson. Everything that happens is an
//! event with its reasons, and [`Report`] says what is so.
//!
//! Training beside the keeper's own work was refused: a lesson takes seconds.
//! An operator's order or another policy interrupts one.
//!
//! **Invariant:** this thread knows files of the state directory and nothing of
//! queries, clients or sockets; time is an argument everywhere below it.

mod classroom;
mod lesson;
mod notebook;
mod notes;
mod report;
mod shelf;
mod student;
mod trial;

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rhumb_policies::Event;
use rhumb_policies::link::feature::LinkFacts;
use rhumb_policies::link::learned::ModelFile;
use rhumb_policies::link::model::LinkModel;
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use crate::keeper::{Answer, now};

use classroom::Classroom;
use lesson::Stop;
pub use report::{ModelReport, Report};
pub use shelf::Lesson;

/// How long decisions are followed until their outcome is measured: longer
/// than the window of probes (60 of 2 s), so that the two share none.
pub const WINDOW: Duration = Duration::from_secs(300);

/// Classes of each shape that are written down per window; which, rotates. A
/// day of four links then takes 9,000 rows, and every class of two thousand
/// comes once a day.
pub const CLASSES: usize = 8;

/// How long samples are kept, unless the policy says.
pub const KEEP: Duration = Duration::from_secs(30 * 86_400);

/// Longest lesson: an operator who ordered one waits 120 s for the answer.
const LESSON_TIME: Duration = Duration::from_secs(60);

/// Longest sleep of the thread.
const PATIENCE: Duration = Duration::from_secs(3_600);

/// Unix niceness of the thread: learning is never urgent.
const NICENESS: i32 = 10;

/// The classes out of `count` whose turn it is in the window at `at`.
pub fn turn(count: usize, at: Duration) -> impl Iterator<Item = usize> {
    let taken = CLASSES.min(count);
    // Truncation only shifts the turn.
    let window = usize::try_from(at.as_secs() / WINDOW.as_secs()).unwrap_or(0);
    let first = window.wrapping_mul(taken) % count.max(1);
    (first..first + taken).map(move |class| class % count)
}

/// What was decided at one moment, and what the links measured until then.
#[derive(Clone, Debug)]
pub struct Window {
    /// The model it is about.
    pub name: Arc<str>,
    /// When, since the Unix epoch; [`WINDOW`] after the one before.
    pub at: Duration,
    /// What was decided.
    pub groups: Vec<Group>,
    /// What every link measured, by the names that `groups` use: chosen or not.
    pub measured: HashMap<Arc<str>, Measured>,
}

/// The links that one class of clients may be answered.
#[derive(Clone, Debug)]
pub struct Group {
    /// Whose: the same for the same class of the same shape.
    pub name: String,
    /// Each link's name, and what was known of it.
    pub links: Vec<(Arc<str>, LinkFacts)>,
}

/// What probes of a link measured lately; units as in [`LinkFacts`].
#[derive(Clone, Copy, PartialEq, Default, Debug)]
pub struct Measured {
    /// Share of probes lost, 0–1.
    pub loss: Option<f64>,
    /// Median delay, milliseconds.
    pub delay_ms: Option<f64>,
    /// Mean difference of neighbouring delays, milliseconds.
    pub jitter_ms: Option<f64>,
}

/// What the keeper is told.
#[derive(Clone, Debug)]
pub enum Word {
    /// What scores the links of those who name this model, from now on.
    Taught(Taught),
    /// What operators should know.
    Events(Vec<Event>),
}

/// Which model is in use.
#[derive(Clone, Debug)]
pub struct Taught {
    /// The pupil's name.
    pub name: Arc<str>,
    /// What is used; nothing means the formula.
    pub model: Option<Arc<LinkModel>>,
    /// Why, in words.
    pub reason: String,
}

/// What an operator asks for, as `POST /links/orders` carries it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct LinkOrder {
    /// What shall be done.
    pub what: LinkWhat,
    /// The model; may be left out when there is one.
    #[serde(default)]
    pub name: Option<String>,
    /// Why.
    #[serde(default)]
    pub reason: String,
    /// Who.
    #[serde(default)]
    pub author: String,
}

/// What an order about link models does.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LinkWhat {
    /// Use the model before this one, down to the operator's file.
    Rollback,
    /// Use the candidate that was refused last although it often decides
    /// differently; the other criteria still hold.
    Promote,
    /// Hold a lesson now.
    Retrain,
}

impl fmt::Display for LinkWhat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rollback => "rollback",
            Self::Promote => "promote",
            Self::Retrain => "retrain",
        })
    }
}

/// A handle to the school; clones share it.
#[derive(Clone, Debug)]
pub struct School {
    sender: Sender<Request>,
    /// Requests that interrupt a lesson, so far.
    bells: Arc<AtomicU64>,
    report: Arc<Mutex<Arc<Report>>>,
}

/// What reaches the thread.
#[derive(Debug)]
enum Request {
    Enrol(Vec<Arc<ModelFile>>),
    Record(Window),
    Order(LinkOrder, Answer),
}

impl School {
    /// Opens the school, with its files in `directory`; without one nothing is
    /// kept and nobody learns. `tell` is called from its thread, which ends
    /// with the last handle.
    ///
    /// # Errors
    /// When there is no thread to be had.
    pub fn start(directory: Option<PathBuf>, tell: impl FnMut(Word) + Send + 'static) -> io::Result<Self> {
        let (sender, requests) = channel();
        let school = Self { sender, bells: Arc::default(), report: Arc::default() };
        let desk = Desk {
            room: Classroom::new(directory),
            bells: Arc::clone(&school.bells),
            answered: 0,
            report: Arc::clone(&school.report),
            tell: Box::new(tell),
        };
        std::thread::Builder::new().name("school".to_owned()).spawn(move || desk.work(&requests))?;
        Ok(school)
    }

    /// These are all the models of the policy that is served now. Each is
    /// answered with a [`Taught`].
    pub fn enrol(&self, pupils: Vec<Arc<ModelFile>>) {
        self.ring(Request::Enrol(pupils));
    }

    /// Writes a window down.
    pub fn record(&self, window: Window) {
        // The thread lives as long as the process.
        let _ = self.sender.send(Request::Record(window));
    }

    /// Does what an operator orders; the answer says what was done or why not.
    pub fn order(&self, order: LinkOrder) -> oneshot::Receiver<Result<Vec<String>, String>> {
        let (send, said) = oneshot::channel();
        self.ring(Request::Order(order, send));
        said
    }

    /// What is so; never waits for a lesson.
    #[must_use]
    pub fn report(&self) -> Arc<Report> {
        Arc::clone(&self.report.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn ring(&self, request: Request) {
        self.bells.fetch_add(1, Ordering::Relaxed);
        let _ = self.sender.send(request);
    }
}

/// Everything that the thread owns.
struct Desk {
    room: Classroom,
    bells: Arc<AtomicU64>,
    /// Bells that were answered.
    answered: u64,
    report: Arc<Mutex<Arc<Report>>>,
    tell: Box<dyn FnMut(Word) + Send>,
}

impl Desk {
    fn work(mut self, requests: &Receiver<Request>) {
        // Only a favour to the serving threads; a refusal is no reason to stop.
        let _ = rustix::process::setpriority_process(None, NICENESS);
        loop {
            let patience = self.room.wake().map_or(PATIENCE, |wake| wake.saturating_sub(now()).min(PATIENCE));
            let request = match requests.recv_timeout(patience) {
                Ok(request) => Some(request),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            self.answered += u64::from(!matches!(request, None | Some(Request::Record(_))));
            let (began, bells, answered) = (now(), Arc::clone(&self.bells), self.answered);
            let mut goes_on = move || match () {
                () if bells.load(Ordering::Relaxed) != answered => Err(Stop::Interrupted),
                () if now().saturating_sub(began) > LESSON_TIME => Err(Stop::Late),
                () => Ok(()),
            };
            let answer = match request {
                Some(Request::Enrol(pupils)) => {
                    self.room.enrol(pupils, began);
                    None
                }
                Some(Request::Record(window)) => {
                    self.room.record(window);
                    None
                }
                Some(Request::Order(order, answer)) => {
                    Some((answer, self.room.order(&order, began, &mut goes_on)))
                }
                None => {
                    self.room.tick(began, &mut goes_on);
                    None
                }
            };
            self.room.words().into_iter().for_each(&mut self.tell);
            *self.report.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(self.room.report());
            if let Some((answer, said)) = answer {
                // One who stopped waiting needs no answer.
                let _ = answer.send(said);
            }
        }
    }
}

#[cfg(test)]
mod tests;
