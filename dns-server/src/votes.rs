//! Votes between sites, from process to process.
//!
//! A server inside one datacenter cannot see another's balancers, so others
//! look for it: probers (`rhumb probe`) and servers of other sites send their
//! votes here, and this server may send its own to them. Each pair has a
//! connection of its own over mutually authenticated TLS, opened by whoever
//! votes; there is no relay and no leader, and so nothing between two sites
//! that could fail but the path.
//!
//! ```text
//! findings ─► Lookout ─► VoteSender (board) ─► Courier ══ TLS ══► Hall ─► keeper
//!                                              one per server     one per process
//! ```
//!
//! All connections of a process share a thread with a runtime of its own,
//! away from answers and from probes. Every resource that a peer can take is
//! limited where it is taken ([`hall`], [`guests`], [`wire`]); a peer that
//! goes over a limit loses its connection and nobody else's.
//!
//! A prober that cannot reach a server keeps nothing for it: votes that are
//! old say nothing, and a new connection begins with what holds now.
//!
//! **Invariant:** this module carries votes; it has none, and counts none.

mod board;
mod grumbles;
mod guests;
mod hall;
mod identity;
mod keys;
mod send;
mod wire;

use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use rhumb_health::ballot::Vote;
use rhumb_health::roster::subject_name;
use rhumb_zones::Model;
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncReadExt as _};
use tokio::runtime::Builder;

use hall::Hall;
use identity::Papers;
use send::Courier;
use wire::Hello;

use crate::keeper::now;
use crate::lookout::Sight;
use crate::pem::PemError;

pub use board::VoteSender;
pub use identity::Identity;
pub use keys::VotesKeys;
pub use send::{NoPeer, Peer};

/// Is told what another prober votes: its site, its name there, and votes by
/// the names of subjects. It must not wait.
pub type Hear = dyn Fn(Arc<str>, Arc<str>, Vec<(String, Vote)>) + Send + Sync;

/// Who votes where.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The site of this process.
    pub site: Arc<str>,
    /// Its name among the probers there; the host's unless given.
    pub prober: Option<Arc<str>>,
    /// Where to hear others.
    pub listen: Option<SocketAddr>,
    /// Where to be heard.
    pub to: Vec<Peer>,
    /// Certificates and key.
    pub identity: Identity,
}

/// Why votes cannot be exchanged.
#[derive(Debug, thiserror::Error)]
pub enum VotesError {
    /// Certificates or key are of no use.
    #[error(transparent)]
    Identity(#[from] PemError),
    /// The site or the prober cannot have its name.
    #[error("{0}")]
    Name(String),
    /// The address cannot be had.
    #[error("votes cannot be heard on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
}

/// The exchange of votes, ready to begin.
pub struct Votes {
    listener: Option<(TcpListener, SocketAddr)>,
    to: Vec<Peer>,
    papers: Arc<Papers>,
    hello: Hello,
    sender: VoteSender,
}

impl Votes {
    /// Reads the certificates and binds the address.
    ///
    /// # Errors
    /// When one of them is wrong or cannot be had.
    pub fn new(settings: Settings) -> Result<Self, VotesError> {
        let Settings { site, prober, listen, to, identity } = settings;
        let prober = prober.unwrap_or_else(host);
        let name = |error: wire::WireError| VotesError::Name(error.to_string());
        wire::check_site(&site).map_err(name)?;
        wire::check_prober(&prober).map_err(name)?;
        let bind = |address| {
            let listener = TcpListener::bind(address)?;
            listener.set_nonblocking(true)?;
            let address = listener.local_addr()?;
            Ok((listener, address))
        };
        let bound = |address| bind(address).map_err(|source| VotesError::Listen { address, source });
        Ok(Self {
            listener: listen.map(bound).transpose()?,
            to,
            papers: Arc::new(Papers::read(identity)?),
            hello: Hello::new(&site, &prober, now()),
            sender: VoteSender::new(),
        })
    }

    /// Where others are heard, the port filled in.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        self.listener.as_ref().map(|(_, address)| *address)
    }

    /// Where to leave the votes of this process.
    #[must_use]
    pub fn sender(&self) -> VoteSender {
        self.sender.clone()
    }

    /// Starts the thread, which ends with the process.
    ///
    /// # Errors
    /// When the system gives none.
    pub fn spawn(self, hear: Box<Hear>) -> io::Result<()> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let Self { listener, to, papers, hello, sender } = self;
        let listener = {
            let _inside = runtime.enter();
            listener.map(|(listener, _)| tokio::net::TcpListener::from_std(listener)).transpose()?
        };
        let work = async move {
            for peer in to {
                let (papers, votes, hello) = (Arc::clone(&papers), sender.clone(), hello.clone());
                tokio::spawn(Courier { peer, papers, votes, hello, seq: 0 }.work());
            }
            match listener {
                Some(listener) => Arc::new(Hall::new(papers, hear)).open(listener).await,
                None => std::future::pending().await,
            }
        };
        std::thread::Builder::new().name("votes".to_owned()).spawn(move || runtime.block_on(work)).map(drop)
    }
}

impl fmt::Debug for Votes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { listener, to, hello, .. } = self;
        f.debug_struct("Votes").field("listener", listener).field("to", to).field("hello", hello).finish()
    }
}

/// The votes among `sights`, under their subjects' names. Where a store is
/// writable each server asks itself.
#[must_use]
pub fn ballots(model: &Model, sights: &[Sight]) -> Vec<(String, Vote)> {
    let ballot = |sight: &Sight| match sight {
        Sight::Vote(subject, vote) => Some((subject_name(model, subject), vote.clone())),
        Sight::Primary(..) => None,
    };
    sights.iter().filter_map(ballot).collect()
}

/// What this host calls itself.
fn host() -> Arc<str> {
    Arc::from(rustix::system::uname().nodename().to_string_lossy())
}

/// Reads a line of at most `longest` bytes without its end; says whether
/// there was one.
async fn read_line(
    reader: &mut (impl AsyncBufRead + Unpin),
    line: &mut Vec<u8>,
    longest: usize,
) -> io::Result<bool> {
    line.clear();
    // A line's end besides; usize is at most 64 bits wide.
    let got = reader.take(longest as u64 + 1).read_until(b'\n', line).await?;
    match line.pop() {
        None => Ok(false),
        Some(b'\n') => Ok(true),
        Some(_) if got > longest => Err(io::Error::new(io::ErrorKind::InvalidData, "a line without end")),
        Some(_) => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}
