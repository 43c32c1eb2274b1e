//! What survives a restart, and the thread that writes it.
//!
//! One JSON file in the state directory, under names, replaced atomically and
//! synced: after a crash there is the old one or the new one. It is written on
//! a thread of its own, the latest content only: a slow disk delays nothing
//! but itself. A file that makes no sense is set aside for a look and the
//! server starts clean, with an alarm: answering matters more.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rhumb_health::ballot::Vote;
use rhumb_health::roster::{Subject, subject_name};
use rhumb_health::{Measure, Status};
use rhumb_policies::{State, World};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::Answer;
use crate::files;
use crate::orders::Ledger;

/// The file in the state directory.
const FILE: &str = "state.json";

/// Its neighbour for what is large and may be half a minute old.
const WINDOWS: &str = "windows.json";

/// Larger files are not ours: 10,000 services of 8 VIPs take 30 MB.
const MAX_FILE: u64 = 256 << 20;

/// Everything remembered. Times are Unix seconds.
#[derive(Default, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Memory {
    /// When it was written.
    pub saved: u64,
    /// What `advance` remembers.
    pub state: Json,
    /// Operators' words.
    pub ledger: Ledger,
    /// The last verdict known of each subject: whether up.
    pub known: BTreeMap<String, bool>,
    /// When each site was last heard.
    pub sites: BTreeMap<String, u64>,
    /// Site, prober, subject, vote.
    pub votes: Vec<(String, String, String, KeptVote)>,
}

/// What is to be remembered, as the keeper has it. Naming everything takes far
/// longer than deciding what changed, so it is left to the scribe.
#[derive(Debug)]
pub struct Draft {
    /// Now, since the Unix epoch.
    pub at: Duration,
    /// Whose names these are.
    pub world: Arc<World>,
    /// What `advance` remembers.
    pub state: Arc<State>,
    /// Operators' words.
    pub ledger: Ledger,
    /// The last verdict known of each subject.
    pub known: Vec<(Subject, Status)>,
    /// When each site was last heard, in Unix seconds.
    pub sites: BTreeMap<String, u64>,
    /// Site, prober, subject, vote.
    pub votes: Vec<(Arc<str>, Arc<str>, Subject, KeptVote)>,
}

impl Draft {
    /// The same under names.
    fn named(self) -> Memory {
        let Self { at, world, state, ledger, known, sites, votes } = self;
        let name = |subject: &Subject| subject_name(world.model(), subject);
        Memory {
            saved: at.as_secs(),
            state: state.save(&world),
            ledger,
            known: known.iter().map(|(subject, status)| (name(subject), *status == Status::Up)).collect(),
            sites,
            votes: votes
                .into_iter()
                .map(|(site, prober, subject, vote)| {
                    (site.to_string(), prober.to_string(), name(&subject), vote)
                })
                .collect(),
        }
    }
}

/// The last probes of each question, as [`rhumb_health::Window`] gives them.
pub type Windows = HashMap<String, Vec<(u8, u8, Option<f32>)>>;

/// A vote as it is kept. Times are Unix milliseconds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct KeptVote {
    up: Option<bool>,
    at: u64,
    loss: f64,
    delay_ms: Option<f64>,
    p50_ms: Option<f64>,
    p95_ms: Option<f64>,
    jitter_ms: Option<f64>,
    tries: u32,
}

impl From<&Vote> for KeptVote {
    fn from(vote: &Vote) -> Self {
        let Measure { loss, delay_ms, p50_ms, p95_ms, jitter_ms, tries } = vote.measure;
        let up = match vote.leaning {
            Status::Up => Some(true),
            Status::Down => Some(false),
            Status::Unknown => None,
        };
        let at = u64::try_from(vote.at.as_millis()).unwrap_or(u64::MAX);
        Self { up, at, loss, delay_ms, p50_ms, p95_ms, jitter_ms, tries }
    }
}

impl From<KeptVote> for Vote {
    fn from(kept: KeptVote) -> Self {
        let KeptVote { up, at, loss, delay_ms, p50_ms, p95_ms, jitter_ms, tries } = kept;
        Self {
            leaning: up.map_or(Status::Unknown, |up| if up { Status::Up } else { Status::Down }),
            is_settled: true,
            measure: Measure { loss, delay_ms, p50_ms, p95_ms, jitter_ms, tries },
            failure: None,
            at: Duration::from_millis(at),
        }
    }
}

/// Reads what is kept in `directory`, made if missing; and what was wrong with
/// it, if it had to be set aside.
///
/// # Errors
/// When the directory cannot be made or the file not be read or renamed.
pub fn recall(directory: &Path) -> io::Result<(Memory, Option<String>)> {
    std::fs::create_dir_all(directory)?;
    match read(&directory.join(FILE)) {
        Ok(memory) => Ok((memory.unwrap_or_default(), None)),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            Ok((Memory::default(), Some(set_aside(directory, &error.to_string())?)))
        }
        Err(error) => Err(error),
    }
}

/// The windows kept in `directory`. They are measures, not decisions: what
/// cannot be read is measured anew.
#[must_use]
pub fn recall_windows(directory: &Path) -> Windows {
    let windows = read(&directory.join(WINDOWS)).unwrap_or_else(|error| {
        tracing::warn!(file = WINDOWS, %error, "loss and delay from before are not used");
        None
    });
    windows.unwrap_or_default()
}

/// Puts the file aside for a look; gives back why, and where it is.
///
/// # Errors
/// When it cannot be renamed.
pub fn set_aside(directory: &Path, why: &str) -> io::Result<String> {
    let path = directory.join(FILE);
    let aside = path.with_extension("json.bad");
    std::fs::rename(&path, &aside)?;
    Ok(format!("{why}; it is kept as {}", aside.display()))
}

/// The content of a file, if it is there; `InvalidData` when it makes no sense.
fn read<T: DeserializeOwned>(path: &Path) -> io::Result<Option<T>> {
    let nonsense = |error: String| io::Error::new(io::ErrorKind::InvalidData, error);
    match std::fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
        Ok(found) if found.len() > MAX_FILE => return Err(nonsense("it is too large".to_owned())),
        Ok(_) => {}
    }
    let bytes = std::fs::read(path)?;
    serde_json::from_slice(&bytes).map(Some).map_err(|error| nonsense(error.to_string()))
}

/// The thread that writes; when dropped, it has written.
#[derive(Debug)]
pub struct Scribe {
    desk: Arc<(Mutex<Next>, Condvar)>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default, Debug)]
struct Next {
    memory: Option<Draft>,
    windows: Option<Windows>,
    /// Who waits for what is written, and what to tell them.
    promises: Vec<Promise>,
    is_last: bool,
}

/// An answer that says that something is done, and may be given when a crash
/// cannot undo it any more.
#[derive(Debug)]
pub struct Promise {
    /// Who waits.
    pub to: Answer,
    /// What was done.
    pub said: Vec<String>,
}

impl Promise {
    /// Gives the answer, with what is wrong besides.
    pub fn keep(mut self, wrong: Option<&io::Error>) {
        self.said
            .extend(wrong.map(|error| format!("but it is not saved, and a restart forgets it: {error}")));
        // One who stopped waiting needs no answer.
        let _ = self.to.send(Ok(self.said));
    }
}

impl Scribe {
    /// Starts the thread.
    ///
    /// # Errors
    /// When there is none to be had.
    pub fn spawn(directory: PathBuf) -> io::Result<Self> {
        let desk = Arc::<(Mutex<Next>, Condvar)>::default();
        let mine = Arc::clone(&desk);
        let work = move || {
            while let Some(Next { memory, windows, promises, .. }) = next(&mine) {
                let memory = memory.map(|draft| write(&directory.join(FILE), &draft.named()));
                let wrong = memory.as_ref().and_then(|written| written.as_ref().err());
                promises.into_iter().for_each(|promise| promise.keep(wrong));
                let windows = windows.map(|windows| write(&directory.join(WINDOWS), &windows));
                for error in [memory, windows].into_iter().flatten().filter_map(Result::err) {
                    let directory = directory.display();
                    tracing::error!(%directory, %error, "the state is not saved: a restart goes back to the last one");
                }
            }
        };
        let thread = std::thread::Builder::new().name("scribe".to_owned()).spawn(work)?;
        Ok(Self { desk, thread: Some(thread) })
    }

    /// Writes these soon, in place of any that wait, and then keeps `promise`.
    pub fn write(&self, memory: Draft, windows: Option<Windows>, promise: Option<Promise>) {
        let (next, bell) = &*self.desk;
        let mut next = next.lock().unwrap_or_else(PoisonError::into_inner);
        next.memory = Some(memory);
        next.promises.extend(promise);
        next.windows = windows.or_else(|| next.windows.take());
        bell.notify_one();
    }
}

impl Drop for Scribe {
    fn drop(&mut self) {
        let (next, bell) = &*self.desk;
        next.lock().unwrap_or_else(PoisonError::into_inner).is_last = true;
        bell.notify_one();
        if let Some(thread) = self.thread.take() {
            // It panicked, if ever, after saying so.
            let _ = thread.join();
        }
    }
}

/// Waits for what is to be written; nothing when that was all.
fn next((next, bell): &(Mutex<Next>, Condvar)) -> Option<Next> {
    let mut next = next.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        if next.memory.is_some() || next.windows.is_some() {
            let is_last = next.is_last;
            return Some(std::mem::replace(&mut *next, Next { is_last, ..Next::default() }));
        }
        if next.is_last {
            return None;
        }
        next = bell.wait(next).unwrap_or_else(PoisonError::into_inner);
    }
}

fn write(path: &Path, memory: &impl Serialize) -> io::Result<()> {
    files::replace(path, |file| {
        serde_json::to_writer(&mut *file, memory)?;
        file.write_all(b"\n")
    })
}
