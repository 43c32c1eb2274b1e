//! The keeper of the state: the one thread that publishes.
//!
//! What the probers found, votes from elsewhere, operators' orders and whole
//! snapshots from the reloader come in over one channel. The keeper gathers
//! what comes close together, lets [`advance`] make the next state, publishes
//! the snapshot with it, and tells what happened: events to the herald and the
//! history, the state to the scribe. Each of these is a send; nothing here
//! waits for the network or a disk.
//!
//! One thread instead of a lock around the state: the order of changes is the
//! order of the channel, and an operator's answer can say what came of an
//! order because nothing happens in between.
//!
//! **Invariant:** what is published is `advance` of what was published before,
//! of the same policy or of one whose targets were carried over by name.

mod books;
mod docket;
mod learning;
pub mod memory;
mod notes;
pub mod report;
mod verdicts;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::time::{Duration, Instant};

use rhumb_health::roster::NO_SITE;
use rhumb_health::run::{Finding, Limits, Prober};
use rhumb_policies::{Event, Renames, State, World, advance};
use tokio::sync::oneshot;

use crate::alarm::{Herald, History};
use crate::lookout::Lookout;
use crate::orders::Order;
use crate::publish::Publisher;
use crate::school::{self, School};
use crate::snapshot::Snapshot;
use crate::votes::VoteSender;

use books::Books;
use memory::{Memory, Promise, Scribe};
use report::{Report, Timing};

/// What reaches the keeper.
#[derive(Debug)]
pub enum Message {
    /// Serve this policy from now on; answers with what was served before.
    Adopt(Box<Snapshot>, SyncSender<Arc<Snapshot>>),
    /// What this process saw.
    Findings(Vec<Finding>),
    /// What others saw.
    Votes(Ballots),
    /// What the school says: models that are in use, and events.
    School(school::Word),
    /// An operator's word; answers with what was done, or why not.
    Order(Box<Order>, Answer),
    /// Everything there is to know of targets.
    Report(oneshot::Sender<Box<Report>>),
    /// Save and end.
    Stop(SyncSender<()>),
}

/// Where to say what was done, or why not.
pub type Answer = oneshot::Sender<Result<Vec<String>, String>>;

/// Votes of one prober elsewhere, under names.
#[derive(Clone, Debug)]
pub struct Ballots {
    /// Its site.
    pub site: Arc<str>,
    /// Its name within the site.
    pub prober: Arc<str>,
    /// Subjects and votes.
    pub votes: Vec<(String, rhumb_health::ballot::Vote)>,
}

/// How a keeper keeps.
#[derive(Debug)]
pub struct Keeping {
    /// The site of this process.
    pub site: Option<Arc<str>>,
    /// Where the state survives restarts.
    pub directory: Option<PathBuf>,
    /// Whom events are told.
    pub herald: Herald,
    /// How hard this process may probe.
    pub limits: Limits,
    /// Who is told what this process sees.
    pub votes: Option<VoteSender>,
}

/// Shortest time between two publications: what comes together is published
/// together, and a storm of changes leaves time for answers.
const GATHER: Duration = Duration::from_millis(5);

/// How often votes are looked at for age, and rules that name time or a
/// measure are asked again.
const TICK: Duration = Duration::from_secs(1);

/// How often the state is saved although nothing of note happened: what is
/// lost at most is this much of loss and delay.
const SAVE: Duration = Duration::from_secs(30);

/// Shortest time between two saves, but for the first after a calm: in a storm,
/// naming everything must not take the time of publishing it.
const SAVE_GAP: Duration = Duration::from_secs(1);

/// A handle to the keeper; clones share it.
#[derive(Clone, Debug)]
pub struct Keeper {
    sender: Sender<Message>,
    history: Arc<History>,
    school: School,
}

impl Keeper {
    /// Takes over from `publisher`: restores what was kept, decides, publishes,
    /// and starts to probe.
    ///
    /// # Errors
    /// When the state directory cannot be read or no thread can be had. State
    /// that reads but makes no sense is set aside, and told.
    pub fn start(publisher: Publisher, keeping: Keeping) -> io::Result<Self> {
        let Keeping { site, directory, herald, limits, votes } = keeping;
        let (sender, receiver) = channel();
        let (memory, mut aside) = match &directory {
            Some(directory) => memory::recall(directory)?,
            None => (Memory::default(), None),
        };
        let findings = sender.clone();
        let prober = Prober::spawn(limits, move |found| {
            // The keeper ends with the process.
            let _ = findings.send(Message::Findings(found));
        })?;
        let words = sender.clone();
        let school = School::start(directory.clone(), move |word| {
            let _ = words.send(Message::School(word));
        })?;
        let snapshot = publisher.current();
        let site = site.unwrap_or_else(|| Arc::from(NO_SITE));
        let mut books = Books::new(&snapshot, (site, Lookout::new(prober)), memory, now());
        books.others = votes;
        if let Some(directory) = &directory {
            books.remember(&memory::recall_windows(directory));
        }
        let state = match (books.first_state(&snapshot), &directory) {
            (Ok(state), _) => Arc::new(state),
            (Err(why), directory) => {
                aside = directory.as_ref().map(|directory| memory::set_aside(directory, &why)).transpose()?;
                Arc::clone(&snapshot.parts().state)
            }
        };
        let history = Arc::new(History::default());
        school.enrol(snapshot.parts().world.model_files());
        let mut desk = Desk {
            school: school.clone(),
            recorded: now(),
            state,
            publisher,
            snapshot,
            books,
            herald,
            history: Arc::clone(&history),
            scribe: directory.map(Scribe::spawn).transpose()?,
            timing: Timing::default(),
            dirty: None,
            published: Instant::now(),
            ticked: Instant::now(),
            saved: Instant::now(),
            is_worth_saving: true,
            measured: Instant::now(),
        };
        desk.advance();
        desk.stand();
        if let Some(what) = aside {
            desk.tell(vec![notes::state_lost(&what, now())]);
        }
        std::thread::Builder::new().name("keeper".to_owned()).spawn(move || desk.work(&receiver))?;
        Ok(Self { sender, history, school })
    }

    /// Sends a message; it is lost only when the process is ending.
    pub fn send(&self, message: Message) {
        let _ = self.sender.send(message);
    }

    /// What happened lately.
    #[must_use]
    pub fn history(&self) -> &History {
        &self.history
    }

    /// Where link models learn.
    #[must_use]
    pub const fn school(&self) -> &School {
        &self.school
    }

    /// Publishes `snapshot` with the state carried over; gives back what was
    /// served before.
    #[must_use]
    pub fn adopt(&self, snapshot: Snapshot) -> Option<Arc<Snapshot>> {
        let (sender, receiver) = sync_channel(1);
        self.send(Message::Adopt(Box::new(snapshot), sender));
        receiver.recv().ok()
    }

    /// Saves the state; returns when that is done.
    pub fn stop(&self) {
        let (sender, receiver) = sync_channel(1);
        self.send(Message::Stop(sender));
        // An error means that it has ended already.
        let _ = receiver.recv();
    }
}

/// Everything the keeper's thread owns.
#[derive(Debug)]
struct Desk {
    school: School,
    /// When a window was last handed to the school, since the Unix epoch.
    recorded: Duration,
    publisher: Publisher,
    snapshot: Arc<Snapshot>,
    state: Arc<State>,
    books: Books,
    herald: Herald,
    history: Arc<History>,
    scribe: Option<Scribe>,
    timing: Timing,
    /// Since when what is published is not what holds.
    dirty: Option<Instant>,
    published: Instant,
    ticked: Instant,
    saved: Instant,
    /// Whether something of note happened since.
    is_worth_saving: bool,
    /// When windows were last saved.
    measured: Instant,
}

impl Desk {
    fn work(mut self, messages: &Receiver<Message>) {
        loop {
            match messages.recv_timeout(self.patience()) {
                Ok(Message::Stop(done)) => {
                    self.save(true, None);
                    let Self { scribe, herald, .. } = self;
                    drop((scribe, herald)); // waits until they are done
                    let _ = done.send(());
                    return;
                }
                Ok(message) => self.take(message),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            let time = now();
            let is_tick = self.ticked.elapsed() >= TICK;
            if is_tick {
                self.ticked = Instant::now();
                let changed = self.books.tick(&self.world(), time);
                self.mark(changed);
            }
            let changed = self.books.look_again(&self.world(), time);
            self.mark(changed || self.wake().is_some_and(|wake| wake <= time));
            if is_tick && self.dirty.is_none() {
                self.measure(time);
            }
            if self.dirty.is_some() && self.published.elapsed() >= GATHER {
                self.advance();
            }
            self.publisher.retire();
            let due = if self.is_worth_saving { SAVE_GAP } else { SAVE };
            if self.saved.elapsed() >= due {
                let thorough = self.measured.elapsed() >= SAVE;
                if thorough {
                    self.measured = Instant::now();
                }
                self.save(thorough, None);
            }
        }
    }

    fn world(&self) -> Arc<World> {
        Arc::clone(&self.snapshot.parts().world)
    }

    fn mark(&mut self, is_dirty: bool) {
        if is_dirty {
            self.dirty.get_or_insert_with(Instant::now);
        }
    }

    /// When the state or the books change by themselves.
    fn wake(&self) -> Option<Duration> {
        [self.state.wake(), self.books.wake()].into_iter().flatten().min()
    }

    /// How long to wait for a message.
    fn patience(&self) -> Duration {
        let until_tick = TICK.saturating_sub(self.ticked.elapsed());
        let until_wake = self.wake().map_or(TICK, |wake| wake.saturating_sub(now()));
        let until_publish = match self.dirty {
            Some(_) => GATHER.saturating_sub(self.published.elapsed()),
            None => TICK,
        };
        until_tick.min(until_wake).min(until_publish)
    }

    fn take(&mut self, message: Message) {
        let time = now();
        match message {
            Message::Findings(findings) => {
                let changed = self.books.see(&self.world(), findings, time);
                self.mark(changed);
            }
            Message::Votes(ballots) => {
                let changed = self.books.hear(&self.world(), ballots, time);
                self.mark(changed);
            }
            Message::School(school::Word::Events(events)) => self.tell(events),
            Message::School(school::Word::Taught(taught)) => {
                self.books.teach(taught.name, taught.model);
                self.measure(time);
            }
            Message::Adopt(snapshot, done) => {
                // Whoever hands over a snapshot waits.
                let _ = done.send(self.adopt(*snapshot));
            }
            Message::Order(order, answer) => self.obey(&order, answer, time),
            Message::Report(answer) => {
                let report = report::report(&self.snapshot, &self.state, (&self.books, &self.timing), time);
                let _ = answer.send(Box::new(report));
            }
            Message::Stop(_) => unreachable!("handled where it is received"),
        }
    }

    fn adopt(&mut self, snapshot: Snapshot) -> Arc<Snapshot> {
        let before = Arc::clone(&self.snapshot);
        let (old, new) = (self.world(), Arc::clone(&snapshot.parts().world));
        let renames = Renames::new(old.model(), new.model());
        let state = self.state.carry(&old, &new, &renames);
        self.books.adopt(&new, &renames, now());
        // A new policy is no event: what it changes is not told as faults are.
        self.state = Arc::new(advance(&new, &state, &self.books.inputs(new.model()), now()));
        self.snapshot = Arc::new(snapshot);
        self.advance();
        self.stand();
        self.school.enrol(new.model_files());
        before
    }

    /// Tells what is wrong already: an alert must not end with a restart, nor
    /// outlive what a new policy does not know any more.
    fn stand(&self) {
        let time = now();
        self.herald.stand(&rhumb_policies::standing(&self.world(), &self.state, time), time);
    }

    /// Decides anew and publishes.
    fn advance(&mut self) {
        let started = self.dirty.take();
        let time = now();
        let world = self.world();
        let inputs = self.books.inputs(world.model());
        let mut next = advance(&world, &self.state, &inputs, time);
        next.select(&world, &self.snapshot.parts().atlas, &inputs);
        let before = self.publish(next, time);
        self.books.applied();
        self.published = Instant::now();
        if let Some(started) = started {
            self.timing.add(started.elapsed());
        }
        let mut events = self.books.take_events();
        events.append(&mut rhumb_policies::events(&world, &before, &self.state, time));
        if !events.is_empty() {
            self.tell(events);
            self.is_worth_saving = true;
        }
    }

    /// Publishes a state, and tells which clients got another link; gives back
    /// the state before.
    fn publish(&mut self, next: State, time: Duration) -> Arc<State> {
        let next = Arc::new(next);
        self.snapshot = Arc::new(self.snapshot.with_state(Arc::clone(&next)));
        self.publisher.publish(Arc::clone(&self.snapshot));
        let before = std::mem::replace(&mut self.state, next);
        let moves = rhumb_policies::link_moves(&self.world(), &before, &self.state, time);
        if !moves.is_empty() {
            self.tell(moves);
        }
        before
    }

    /// Has links selected by what was measured since.
    fn measure(&mut self, time: Duration) {
        let atlas = Arc::clone(&self.snapshot.parts().atlas);
        if atlas.is_measured() {
            let world = self.world();
            let inputs = self.books.inputs(world.model());
            let next = self.state.remeasured(&world, &atlas, &inputs, time);
            let before = self.publish(next, time);
            self.is_worth_saving |= !self.state.has_links_of(&before);
            // A clock that was set back begins another window.
            if time.abs_diff(self.recorded) >= school::WINDOW {
                self.recorded = time;
                let windows = learning::windows(&self.snapshot, &self.state, time);
                windows.into_iter().for_each(|window| self.school.record(window));
            }
        }
    }

    fn tell(&self, events: Vec<Event>) {
        self.history.push(&events);
        self.herald.tell(events);
    }

    /// Has the state saved, and the windows if it is `thorough`; then keeps
    /// `promise`.
    fn save(&mut self, thorough: bool, promise: Option<Promise>) {
        (self.saved, self.is_worth_saving) = (Instant::now(), false);
        if let Some(scribe) = &self.scribe {
            let windows = thorough.then(|| self.books.windows());
            let draft = self.books.draft(self.world(), Arc::clone(&self.state), now());
            scribe.write(draft, windows, promise);
        } else if let Some(promise) = promise {
            promise.keep(None);
        }
    }

    /// Does what an operator orders, at once, and says so when a crash cannot
    /// undo it any more.
    fn obey(&mut self, order: &Order, answer: Answer, time: Duration) {
        let world = self.world();
        match docket::obey(&mut self.books, (&world, &self.state), order, time) {
            Ok(said) => {
                self.advance();
                self.save(false, Some(Promise { to: answer, said }));
            }
            // One who stopped waiting needs no answer.
            Err(why) => _ = answer.send(Err(why)),
        }
    }
}

/// Now, since the Unix epoch.
pub(crate) fn now() -> Duration {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default()
}
