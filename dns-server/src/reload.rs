//! From a change on disk to the next generation.
//!
//! One thread of low priority owns everything that leads to a snapshot:
//! loader, serials, watch. It waits for a reason — files changed, SIGHUP,
//! `rhumb reload` — gathers those that come together, reads, compiles, and
//! publishes all of it or nothing. Serving threads notice a new pointer.
//!
//! Content decides: files that read as they are served make no generation,
//! and files that read as they were refused are refused again without being
//! compiled or logged again. What was read is watched and compared once more
//! before it is published: files that changed meanwhile, perhaps half-written,
//! are read again, and no change falls between reading and watching.
//!
//! Old snapshots are kept until no worker holds them and freed here: freeing
//! a million names takes longer than a client should wait. Nor is a new one
//! built while an old one is held, or memory would pile up under a storm of
//! edits: at most two generations are there at a time, except that somebody
//! who never lets go (a slow zone transfer) is waited for [`PATIENCE`] only.
//!
//! **Invariant:** this thread alone makes snapshots of new files; the keeper,
//! which knows the state, publishes them.

mod build;
mod debounce;
mod journal;

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use crate::keeper::Keeper;
use crate::load::{Footprint, Loader};
use crate::publish::Publisher;
use crate::serial::Serials;
use crate::snapshot::{Options, Snapshot};
use crate::transfer;
use crate::watch::{Change, Watch};

use build::{Builder, Built};
use debounce::Debounce;
pub(crate) use journal::now;
pub use journal::{Journal, Refusal};

/// A reason to look at the files.
#[derive(Debug)]
pub enum Request {
    /// Something of interest changed on disk.
    Changed(Change),
    /// The process was told to (SIGHUP).
    Signalled,
    /// Someone asked, and waits for what comes of it.
    Asked(oneshot::Sender<Outcome>),
}

/// What came of looking.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "lowercase")]
pub enum Outcome {
    /// A new generation is served.
    Published {
        /// Its number.
        generation: u64,
        /// What an operator should know all the same.
        warnings: Vec<String>,
    },
    /// The files say what is served already.
    Unchanged {
        /// What is served.
        generation: u64,
    },
    /// The files are wrong.
    Refused {
        /// What is still served.
        generation: u64,
        /// What is wrong.
        diagnostics: Vec<String>,
    },
}

/// How long an old snapshot waits between looks at whether it is still held.
const RETIRE: Duration = Duration::from_secs(1);

/// How long a build waits for the generation before the served one to go: longer
/// than an idle worker takes to notice.
const PATIENCE: Duration = Duration::from_secs(3);

/// Between looks while it waits.
const LOOK: Duration = Duration::from_millis(5);

/// How often files that change while they are read are read again; after that
/// they are believed, or a stream of edits would never be served.
const MAX_ROUNDS: usize = 3;

/// Unix niceness of the thread: a build takes few turns from answers (a third
/// of a worker's share), and an edit is still served in time on a busy machine.
const NICENESS: i32 = 5;

/// The one who reads and compiles.
#[derive(Debug)]
pub struct Reloader {
    builder: Builder,
    serials: Serials,
    publisher: Publisher,
    journal: Arc<Journal>,
    watch: Option<Watch>,
    served: Footprint,
    /// Of what is served.
    warnings: Vec<String>,
    /// What was refused since, and why.
    refused: Option<(Footprint, Vec<String>)>,
    retired: Vec<Arc<Snapshot>>,
}

impl Reloader {
    /// Loads and publishes the first generation.
    ///
    /// # Errors
    /// With what is wrong when the files are.
    pub fn new(loader: Loader, mut serials: Serials, options: Arc<Options>) -> Result<Self, Vec<String>> {
        let mut builder = Builder::new(loader, options);
        let (served, built) = builder.build(&mut serials, 1);
        let Built { snapshot, warnings } = built?;
        Ok(Self {
            builder,
            serials,
            publisher: Publisher::new(snapshot),
            journal: Arc::new(Journal::new()),
            watch: None,
            served,
            warnings,
            refused: None,
            retired: Vec::new(),
        })
    }

    /// Where it publishes.
    #[must_use]
    pub const fn publisher(&self) -> &Publisher {
        &self.publisher
    }

    /// Where it writes what happened.
    #[must_use]
    pub const fn journal(&self) -> &Arc<Journal> {
        &self.journal
    }

    /// Starts the thread, which ends with the process. Where the system offers
    /// no watch, a warning says so and requests alone count.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn spawn(mut self, keeper: Keeper) -> io::Result<Sender<Request>> {
        let (send, receive) = channel();
        let changes = send.clone();
        self.watch = Watch::new(move |change| _ = changes.send(Request::Changed(change)))
            .inspect_err(
                |error| tracing::warn!(%error, "files are not watched; use SIGHUP or `rhumb reload`"),
            )
            .ok();
        std::thread::Builder::new().name("reload".to_owned()).spawn(move || self.work(&receive, &keeper))?;
        Ok(send)
    }

    fn work(mut self, requests: &Receiver<Request>, keeper: &Keeper) {
        // Only a favour to the serving threads; a refusal is no reason to stop.
        let _ = rustix::process::setpriority_process(None, NICENESS);
        self.accepted();
        follow(&mut self.watch, &self.served);
        // They may have changed between being loaded and being watched.
        let mut request = Ok(Request::Signalled);
        loop {
            match request {
                Ok(request) => self.react(request, (requests, keeper)),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            self.retired.retain(|snapshot| snapshot.is_held());
            request = match self.retired.is_empty() {
                true => requests.recv().map_err(RecvTimeoutError::from),
                false => requests.recv_timeout(RETIRE),
            };
        }
    }

    /// Looks until the files hold still, and tells whoever waits.
    fn react(&mut self, mut request: Request, (requests, keeper): (&Receiver<Request>, &Keeper)) {
        let mut askers = Vec::new();
        for round in 1..=MAX_ROUNDS {
            gather(request, requests, &mut askers);
            if let Some(outcome) = self.look(keeper, round < MAX_ROUNDS) {
                // One who stopped waiting needs no answer.
                askers.into_iter().for_each(|asker| _ = asker.send(outcome.clone()));
                return;
            }
            request = Request::Changed(Change { settled: true, path: None });
        }
    }

    /// Reads, compiles and publishes, if that leads anywhere new; nothing if
    /// `patient` and the files changed meanwhile.
    fn look(&mut self, keeper: &Keeper, patient: bool) -> Option<Outcome> {
        let generation = self.publisher.current().parts().generation;
        if self.served.is_current() && !transfer::is_due(&self.publisher.current()) {
            if self.refused.take().is_some() {
                self.journal.accept();
                tracing::info!(generation, "the files are again as they are served");
            }
            return Some(Outcome::Unchanged { generation });
        }
        if let Some((footprint, diagnostics)) = &self.refused
            && footprint.is_current()
        {
            return Some(Outcome::Refused { generation, diagnostics: diagnostics.clone() });
        }
        let started = Instant::now();
        self.clear();
        let mut serials = self.serials.clone();
        let (footprint, built) = self.builder.build(&mut serials, generation + 1);
        follow(&mut self.watch, &footprint);
        if patient && !footprint.is_current() {
            return None;
        }
        Some(match built {
            Ok(Built { snapshot, warnings }) => {
                self.retired.extend(keeper.adopt(snapshot));
                (self.served, self.serials, self.warnings) = (footprint, serials, warnings);
                self.refused = None;
                self.journal.publish();
                let milliseconds = started.elapsed().as_secs_f64() * 1e3;
                tracing::info!(generation = generation + 1, milliseconds, "published");
                self.accepted();
                Outcome::Published { generation: generation + 1, warnings: self.warnings.clone() }
            }
            Err(diagnostics) => {
                tracing::error!(
                    generation,
                    errors = diagnostics.len(),
                    "refused; the last good files are served"
                );
                diagnostics.iter().for_each(|diagnostic| tracing::error!("{diagnostic}"));
                self.journal.refuse(&diagnostics);
                self.refused = Some((footprint, diagnostics.clone()));
                Outcome::Refused { generation, diagnostics }
            }
        })
    }

    /// Frees old generations, and waits for those that are still held.
    fn clear(&mut self) {
        let began = Instant::now();
        loop {
            self.publisher.retire();
            self.retired.retain(|snapshot| snapshot.is_held());
            if self.retired.is_empty() || began.elapsed() >= PATIENCE {
                return;
            }
            std::thread::sleep(LOOK);
        }
    }

    /// What follows a publication and need not precede it.
    fn accepted(&self) {
        self.publisher.transfers().announce();
        self.warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
        if let Err(error) = self.serials.save() {
            tracing::warn!(%error, "serials are not saved: after a restart they may go back");
        }
    }
}

fn follow(watch: &mut Option<Watch>, footprint: &Footprint) {
    if let Some(watch) = watch {
        watch.follow(footprint.files(), footprint.directories());
    }
}

/// Waits until the reasons that come together have come; `askers` wait for
/// what comes of it.
pub(crate) fn gather(
    first: Request,
    requests: &Receiver<Request>,
    askers: &mut Vec<oneshot::Sender<Outcome>>,
) {
    let mut debounce = Debounce::new(Instant::now());
    let mut next = Ok(first);
    while let Ok(request) = next {
        let now = Instant::now();
        match request {
            Request::Changed(change) => debounce.change(change.settled, now),
            Request::Signalled => debounce.hurry(now),
            Request::Asked(asker) => {
                askers.push(asker);
                debounce.hurry(now);
            }
        }
        next = requests.recv_timeout(debounce.due().saturating_duration_since(now));
    }
}
