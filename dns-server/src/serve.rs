//! The life of the server, in a straight line: load, bind, become the user who
//! serves, announce, spawn, wait, stop.
//!
//! Everything that can fail for a reason an operator can mend — a policy, a
//! port, a socket in use — fails before the first query is read. The main
//! thread then runs the admin socket and waits for signals; SIGHUP reloads,
//! SIGINT and SIGTERM stop. Workers answer what they have received, then end.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::Sender;

use rhumb_health::run::Limits;
use rhumb_zones::LoadOptions;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::admin::{self, AdminSocket, Desk, SocketError};
use crate::alarm::{Herald, Patience};
use crate::config::Config;
use crate::keeper::{Ballots, Keeper, Keeping, Message};
use crate::keys::steward;
use crate::load::Loader;
use crate::net::Server;
use crate::privilege::{PrivilegeError, become_user, give};
use crate::reload::{Reloader, Request, now};
use crate::serial::Serials;
use crate::snapshot::Snapshot;
use crate::stats::Stats;
use crate::transfer;
use crate::votes::{Votes, VotesError};
use crate::warm;

/// What is being served and where, once every socket is bound.
#[derive(Clone, Copy, Debug)]
pub struct Ready<'a> {
    /// Addresses bound, ports filled in.
    pub listen: &'a [SocketAddr],
    /// Those for encrypted queries, with `tls`, `https` or `quic`.
    pub encrypted: &'a [(&'static str, SocketAddr)],
    /// The admin socket.
    pub admin: &'a Path,
    /// Where votes are heard, if they are.
    pub votes: Option<SocketAddr>,
    /// The first generation.
    pub snapshot: &'a Snapshot,
}

/// Why the server did not start or did not stay.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The policy is wrong; one diagnostic each.
    #[error("the policy is wrong")]
    Policy(Vec<String>),
    /// The state directory is of no use.
    #[error("--state: cannot be used")]
    State(#[source] io::Error),
    /// An address cannot be had; the error says which.
    #[error("cannot be bound")]
    Listen(#[source] io::Error),
    /// The admin socket cannot be had.
    #[error(transparent)]
    Admin(#[from] SocketError),
    /// Votes cannot be exchanged.
    #[error(transparent)]
    Votes(#[from] VotesError),
    /// The user cannot be become.
    #[error(transparent)]
    User(#[from] PrivilegeError),
    /// The system gives no threads or signals.
    #[error("cannot start")]
    Start(#[source] io::Error),
}

/// Serves until a signal says stop; calls `ready` once every socket is bound.
///
/// # Errors
/// When it cannot start.
pub fn serve(config: Config, ready: impl FnOnce(&Ready<'_>)) -> Result<(), ServeError> {
    let Config { sources, net, admin, user, state, options, site, alarms, votes } = config;
    let started = now();
    allow_descriptors();
    let serials = Serials::open(state.as_deref()).map_err(ServeError::State)?;
    let geo = sources.geo.clone();
    let keys = sources.keys.directory().map(Path::to_owned);
    // Before keys are made in it: they belong to whoever owns the directory.
    user.as_ref().zip(state.as_ref()).map_or(Ok(()), |(user, state)| give(user, state))?;
    let loader = Loader::new(sources, LoadOptions { server_addresses: own_addresses(&net.listen) });
    let reloader = Reloader::new(loader, serials, options).map_err(ServeError::Policy)?;
    let (publisher, journal, stats) =
        (reloader.publisher().clone(), Arc::clone(reloader.journal()), Stats::default());
    let votes = votes.map(Votes::new).transpose()?;
    let server = Server::bind(&net, &publisher, &stats).map_err(ServeError::Listen)?;
    let socket = AdminSocket::bind(&admin)?;
    if let Some(user) = user {
        become_user(&user)?;
    }
    let herald = Herald::spawn(alarms, site.as_deref(), Patience::default()).map_err(ServeError::Start)?;
    let keeping = Keeping {
        site,
        directory: state,
        herald,
        limits: Limits::of_this_process(),
        votes: votes.as_ref().map(Votes::sender),
    };
    let runtime = runtime::Builder::new_current_thread().enable_all().build().map_err(ServeError::Start)?;
    let signals = runtime.block_on(async { Signals::new() }).map_err(ServeError::Start)?;
    let keeper = Keeper::start(publisher.clone(), keeping).map_err(ServeError::State)?;
    let (listen, encrypted) = (server.addresses().to_vec(), server.encrypted_addresses().to_vec());
    let heard = votes.as_ref().and_then(Votes::address);
    ready(&Ready {
        listen: &listen,
        encrypted: &encrypted,
        admin: socket.path(),
        votes: heard,
        snapshot: &publisher.current(),
    });
    if let Some(votes) = votes {
        let keeper = keeper.clone();
        let hear = move |site, prober, votes| keeper.send(Message::Votes(Ballots { site, prober, votes }));
        votes.spawn(Box::new(hear)).map_err(ServeError::Start)?;
    }
    warm::spawn(publisher.clone()).map_err(ServeError::Start)?;
    let requests = reloader.spawn(keeper.clone()).map_err(ServeError::Start)?;
    let see_to = |directory| steward::spawn(directory, publisher.clone(), requests.clone());
    keys.map_or(Ok(()), see_to).map_err(ServeError::Start)?;
    transfer::notify::spawn(&publisher, requests.clone(), &listen).map_err(ServeError::Start)?;
    let running = server.run().map_err(ServeError::Start)?;
    let desk = Desk {
        publisher,
        keeper: keeper.clone(),
        stats,
        journal,
        requests: requests.clone(),
        geo,
        listen,
        started,
    };
    runtime
        .block_on(async {
            tokio::select! {
                served = admin::serve(&socket, admin::routes(desk)) => served,
                () = signals.wait(&requests) => Ok(()),
            }
        })
        .map_err(ServeError::Start)?;
    tracing::info!("stopping");
    drop(running);
    keeper.stop();
    Ok(())
}

/// Takes all the descriptors that the system grants: the usual 1,024 are too
/// few when thousands of probed targets fall silent at once.
fn allow_descriptors() {
    let limit = getrlimit(Resource::Nofile);
    // A refusal leaves what there was; probes then wait for each other.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
}

/// The signals that matter; from when it is made, none ends the process.
pub(crate) struct Signals {
    hang_up: Signal,
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {
            hang_up: signal(SignalKind::hangup())?,
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// Waits for one that says stop; passes every SIGHUP on to the reloader.
    pub(crate) async fn wait(mut self, requests: &Sender<Request>) {
        loop {
            tokio::select! {
                _ = self.interrupt.recv() => return,
                _ = self.terminate.recv() => return,
                // The reloader lives as long as the process.
                _ = self.hang_up.recv() => { let _ = requests.send(Request::Signalled); }
            }
        }
    }
}

/// The addresses that a zone without `nameservers:` is told to be asked at:
/// those listened on, unless that is all.
fn own_addresses(listen: &[SocketAddr]) -> Vec<IpAddr> {
    listen.iter().map(SocketAddr::ip).filter(|address| !address.is_unspecified()).collect()
}
