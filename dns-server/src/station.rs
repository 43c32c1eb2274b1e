//! The life of a prober that serves no names: load, probe, vote, wait.
//!
//! A station is what a server is without its sockets: the same loader and
//! watch, the same lookout, and votes that go to servers instead of a keeper.
//! It has opinions and no state; what it says counts for as long as it says
//! it. A policy that is wrong after an edit leaves the one before in use.
//!
//! It assumes that every datacenter has eyes of its own: a server that is
//! alone falls back to probing everything, a station never does, or each would
//! probe the whole world for votes that nobody counts.

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use rhumb_health::Status;
use rhumb_health::roster::{Homes, subject_name};
use rhumb_health::run::{Finding, Limits, Prober};
use rhumb_policies::World;
use rhumb_zones::{LoadOptions, Model};
use tokio::runtime;

use crate::keeper::now;
use crate::load::{Footprint, Load, Loader, Sources};
use crate::lookout::{Lookout, Sight};
use crate::reload::{Request, gather};
use crate::serve::Signals;
use crate::votes::{Settings, VoteSender, Votes, VotesError, ballots};
use crate::watch::Watch;

/// Longest sleep of the lookout when nothing is found.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often files that change while they are read are read again.
const MAX_ROUNDS: usize = 3;

/// Why a station did not start.
#[derive(Debug, thiserror::Error)]
pub enum StationError {
    /// The policy is wrong; one diagnostic each.
    #[error("the policy is wrong")]
    Policy(Vec<String>),
    /// Votes cannot be exchanged.
    #[error(transparent)]
    Votes(#[from] VotesError),
    /// The system gives no threads or signals.
    #[error("cannot start")]
    Start(#[source] io::Error),
}

/// Probes and votes until a signal says stop; calls `ready` with the number
/// of probes when they begin.
///
/// # Errors
/// When it cannot start.
pub fn run(sources: Sources, settings: Settings, ready: impl FnOnce(usize)) -> Result<(), StationError> {
    let mut loader = Loader::new(sources, LoadOptions::default());
    let Load { loaded, diagnostics, footprint } = loader.load();
    let said = || diagnostics.iter().map(ToString::to_string).collect();
    let loaded = loaded.ok_or_else(|| StationError::Policy(said()))?;
    let site = Arc::clone(&settings.site);
    let votes = Votes::new(settings)?;
    let runtime = runtime::Builder::new_current_thread().enable_all().build().map_err(StationError::Start)?;
    let signals = runtime.block_on(async { Signals::new() }).map_err(StationError::Start)?;
    let (sender, receiver) = channel();
    let findings = sender.clone();
    // The desk ends with the process.
    let report = move |found| _ = findings.send(Message::Findings(found));
    let prober = Prober::spawn(Limits::of_this_process(), report).map_err(StationError::Start)?;
    let desk = Desk {
        site,
        homes: Homes::new(loaded.world.model()),
        world: loaded.world,
        lookout: Lookout::new(prober),
        sender: votes.sender(),
        known: HashMap::new(),
    };
    votes.spawn(Box::new(|_, _, _| ())).map_err(StationError::Start)?;
    let count = desk.start(receiver).map_err(StationError::Start)?;
    ready(count);
    let requests = Library { loader, footprint, sender }.open().map_err(StationError::Start)?;
    runtime.block_on(signals.wait(&requests));
    tracing::info!("stopping");
    Ok(())
}

/// What reaches the desk.
enum Message {
    Findings(Vec<Finding>),
    Policy(Arc<World>),
}

/// Forms opinions, and has them sent.
struct Desk {
    site: Arc<str>,
    world: Arc<World>,
    homes: Homes,
    lookout: Lookout,
    sender: VoteSender,
    /// The last opinions that were any, under names: where the probes of
    /// another policy start from.
    known: HashMap<String, Status>,
}

impl Desk {
    /// Begins to probe, on a thread that ends with the process; says how many
    /// probes there are.
    fn start(mut self, messages: Receiver<Message>) -> io::Result<usize> {
        let count = self.assign();
        std::thread::Builder::new().name("lookout".to_owned()).spawn(move || self.work(&messages))?;
        Ok(count)
    }

    fn work(mut self, messages: &Receiver<Message>) {
        loop {
            let was = self.lookout.own_fault().is_some();
            let patience = self.lookout.wake().map_or(PATIENCE, |wake| wake.saturating_sub(now()));
            let sights = match messages.recv_timeout(patience) {
                Ok(Message::Findings(findings)) => self.lookout.see(findings, now()),
                Ok(Message::Policy(world)) => {
                    (self.homes, self.world) = (Homes::new(world.model()), world);
                    let probes = self.assign();
                    tracing::info!(probes, "another policy");
                    Vec::new()
                }
                Err(RecvTimeoutError::Timeout) => self.lookout.look_again(now(), false),
                Err(RecvTimeoutError::Disconnected) => return,
            };
            self.tell(sights);
            match (was, self.lookout.own_fault().is_some()) {
                (false, true) => tracing::error!("everything is silent: the fault is this prober's own"),
                (true, false) => tracing::info!("this prober hears again"),
                _ => {}
            }
        }
    }

    fn assign(&mut self) -> usize {
        let model = self.world.model();
        let (sites, known) = (sites(model, &self.site), &self.known);
        self.lookout.assign((model, &self.homes), (&self.site, &sites), |subject| {
            known.get(&subject_name(model, subject)).copied().unwrap_or_default()
        });
        let roster = self.lookout.roster();
        let names: BTreeSet<_> =
            roster.subjects().iter().map(|(subject, _)| subject_name(model, subject)).collect();
        let count = roster.jobs().len();
        self.known.retain(|name, _| names.contains(name));
        count
    }

    fn tell(&mut self, sights: Vec<Sight>) {
        let model = self.world.model();
        let votes = ballots(model, &sights);
        let opinions = votes.iter().filter(|(_, vote)| vote.leaning != Status::Unknown);
        self.known.extend(opinions.map(|(name, vote)| (name.clone(), vote.leaning)));
        if !votes.is_empty() {
            self.sender.tell(votes);
        }
    }
}

/// Who is taken to vote besides `own`: every datacenter, and whoever a probe
/// is `from`.
fn sites(model: &Model, own: &Arc<str>) -> Vec<Arc<str>> {
    let mut sites = BTreeSet::from([Arc::clone(own)]);
    sites.extend(model.datacenters().iter().map(|one| Arc::clone(&one.name)));
    let probes = model.targets().iter().filter_map(|target| target.probe.as_ref());
    sites.extend(probes.flat_map(|probe| probe.from.iter().map(|site| Arc::from(&**site))));
    sites.into_iter().collect()
}

/// Reads the files again when they change.
struct Library {
    loader: Loader,
    footprint: Footprint,
    sender: Sender<Message>,
}

impl Library {
    /// Starts the thread, which ends with the process.
    fn open(mut self) -> io::Result<Sender<Request>> {
        let (send, requests) = channel();
        let changes = send.clone();
        let mut watch = Watch::new(move |change| _ = changes.send(Request::Changed(change)))
            .inspect_err(|error| tracing::warn!(%error, "files are not watched; use SIGHUP"))
            .ok();
        let work = move || {
            self.follow(&mut watch);
            // They may have changed between being loaded and being watched.
            let mut request = Ok(Request::Signalled);
            while let Ok(first) = request {
                gather(first, &requests, &mut Vec::new());
                self.look(&mut watch);
                request = requests.recv();
            }
        };
        std::thread::Builder::new().name("reload".to_owned()).spawn(work)?;
        Ok(send)
    }

    /// Reads until the files hold still; what reads wrong is told and not used.
    fn look(&mut self, watch: &mut Option<Watch>) {
        for _ in 0..MAX_ROUNDS {
            if self.footprint.is_current() {
                return;
            }
            let Load { loaded, diagnostics, footprint } = self.loader.load();
            self.footprint = footprint;
            self.follow(watch);
            match loaded {
                // The desk lives as long as the process.
                Some(loaded) => _ = self.sender.send(Message::Policy(loaded.world)),
                None => {
                    tracing::error!("the files are wrong; the last good ones are used");
                    diagnostics.iter().for_each(|diagnostic| tracing::error!("{diagnostic}"));
                }
            }
        }
    }

    fn follow(&self, watch: &mut Option<Watch>) {
        if let Some(watch) = watch {
            watch.follow(self.footprint.files(), self.footprint.directories());
        }
    }
}
