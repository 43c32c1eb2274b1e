//! The way to a target: what a probe has at hand while it runs.
//!
//! A [`Way`] says where to, from where and for how long; [`Tools`] are shared
//! by all probes of a process: sockets for ICMP and what TLS needs. Kinds ask
//! it to [ping](Way::ping), to [exchange](Way::exchange) datagrams or to
//! [converse](Way::converse) over a stream, and need not know of sources,
//! devices or lost packets.
//!
//! **A try is about packets.** What stays without answer is asked again while
//! the first question still waits, so that a slow target is not taken for a
//! deaf one. For streams that is the handshake: afterwards TCP repeats by
//! itself. What is answered, well or not, ends the probe: a refusal that is
//! asked again would only be refused again, and `fall` is there for doubts.
//!
//! **Whose fault.** An error that a call gives at once is this machine's own
//! ([`Cause::Local`]); one that comes back later was sent by somebody. A host
//! that nobody on this machine's own segment knows is
//! [silent](Cause::Silent): the ICMP error comes from this machine itself.

mod connect;
mod datagram;
mod echo;
mod failure;
mod http2;
mod origin;
mod secure;
mod tries;
mod watch;

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rhumb_zones::Probe;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout_at};

pub(crate) use self::connect::Stream;
use self::echo::Echo;
pub(crate) use self::failure::{first_word, local, new, remote, wrong};
pub(crate) use self::http2::{failed, over as over_http2};
use self::secure::Secure;
pub(crate) use self::secure::{Protocol, Security};
use self::tries::Tried;
pub(crate) use self::watch::watch;
use super::whereto::Endpoint;
use crate::reply::{Cause, Failure, Reply};

/// What all probes of a process share.
#[derive(Debug)]
pub struct Tools {
    echoes: Mutex<HashMap<Origin, Arc<Echo>>>,
    strays: Arc<AtomicU64>,
    secure: Secure,
    threads: Arc<Semaphore>,
}

/// What tells one ICMP socket from another: IPv4 or not, source, interface.
type Origin = (bool, Option<IpAddr>, Option<String>);

impl Default for Tools {
    fn default() -> Self {
        Self::new()
    }
}

impl Tools {
    /// Threads for calls that may hang.
    pub(crate) const THREADS: usize = 8;

    /// Nothing opened yet: sockets are, when first needed.
    #[must_use]
    pub fn new() -> Self {
        Self {
            echoes: Mutex::default(),
            strays: Arc::default(),
            secure: Secure::default(),
            threads: Arc::new(Semaphore::new(Self::THREADS)),
        }
    }

    /// Makes a call on another thread, for it may hang with its file system.
    /// Who gives up waiting leaves the thread to it; when all are left so,
    /// others wait for theirs.
    pub(crate) async fn aside<T: Send + 'static>(
        &self,
        call: impl FnOnce() -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let permit = Arc::clone(&self.threads).acquire_owned().await.map_err(io::Error::other)?;
        let called = spawn_blocking(move || {
            let result = call();
            drop(permit);
            result
        });
        called.await.map_err(io::Error::other)?
    }

    /// Replies that nobody waited for: too late, or not meant for us.
    #[must_use]
    pub fn strays(&self) -> u64 {
        self.strays.load(Ordering::Relaxed)
    }

    /// Closes sockets that nobody uses now; who needs one opens it again.
    pub(crate) fn tidy(&self) {
        self.echoes().retain(|_, echo| Arc::strong_count(echo) > 1);
    }

    fn echoes(&self) -> MutexGuard<'_, HashMap<Origin, Arc<Echo>>> {
        self.echoes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where a probe goes, from where and for how long.
#[derive(Clone, Copy, Debug)]
pub struct Way<'a> {
    /// How the operator wants it probed.
    pub probe: &'a Probe,
    /// The target's own address.
    pub address: Option<IpAddr>,
    /// What it shares with all others.
    pub tools: &'a Tools,
}

/// What a target reports, if anything.
pub(crate) type Word = Option<Box<str>>;

impl Way<'_> {
    /// The address to probe: the one `said`, or the target's own.
    ///
    /// # Errors
    /// Without either, and where the source is of the other family.
    pub(crate) fn destination(&self, said: Option<IpAddr>) -> Result<IpAddr, Failure> {
        let Some(to) = said.or(self.address) else {
            return Err(new(Cause::Local, "the target has no address"));
        };
        match self.probe.source {
            Some(source) if source.is_ipv4() != to.is_ipv4() => {
                Err(new(Cause::Local, format!("source {source} cannot reach {to}")))
            }
            _ => Ok(to),
        }
    }

    /// The address and port to probe.
    ///
    /// # Errors
    /// As [`Way::destination`].
    pub(crate) fn endpoint(&self, said: Endpoint) -> Result<SocketAddr, Failure> {
        self.destination(said.address).map(|address| SocketAddr::new(address, said.port))
    }

    /// Sends echo requests and waits for a reply.
    pub(crate) async fn ping(&self, to: IpAddr) -> Reply {
        let echo = match self.echo(to) {
            Ok(echo) => echo,
            Err(failure) => return failure.into(),
        };
        let tried = tries::tries(self, || echo.ask(to), || echo.look()).await;
        let is_local = matches!(&tried.result, Err(Failure { cause: Cause::Local, .. }));
        if is_local {
            // Its interface may have come back as another: begin anew.
            self.tools.echoes().retain(|_, one| !Arc::ptr_eq(one, &echo));
        }
        let delay = tried.result.as_ref().ok().copied();
        let reply = tried.into_reply(|_| None);
        // The kernel's figure is better than ours.
        Reply { delay: delay.or(reply.delay), ..reply }
    }

    fn echo(&self, to: IpAddr) -> Result<Arc<Echo>, Failure> {
        let key = (to.is_ipv4(), self.probe.source, self.probe.interface.clone());
        let mut echoes = self.tools.echoes();
        if let Some(echo) = echoes.get(&key) {
            return Ok(Arc::clone(echo));
        }
        let echo = Arc::new(Echo::open(self, to, &self.tools.strays)?);
        echoes.insert(key, Arc::clone(&echo));
        Ok(echo)
    }

    /// Sends a datagram and waits for one that answers it, see
    /// [`datagram::ask`].
    pub(crate) async fn exchange<T>(
        &self,
        to: SocketAddr,
        question: impl Fn() -> Vec<u8>,
        accept: impl Fn(&[u8], &[u8]) -> Option<Result<T, Failure>>,
    ) -> Tried<T> {
        tries::tries(self, || datagram::ask(self, to, &question, &accept), || ()).await
    }

    /// Connects within the timeout, then lets `talk` use the stream for what is
    /// left of it. Its delay counts from the handshake's first packet.
    pub(crate) async fn converse<F>(&self, to: SocketAddr, talk: impl FnOnce(Stream) -> F) -> Reply
    where
        F: Future<Output = Result<Word, Failure>>,
    {
        let deadline = Instant::now() + self.probe.timeout;
        let Tried { result, tries, lost, since } =
            tries::tries(self, || connect::connect(self, to), || ()).await;
        let Ok(stream) = result else {
            return Tried { result: result.map(|_| None), tries, lost, since }.into_reply(|word| word);
        };
        let (result, since) = match timeout_at(deadline, talk(stream)).await {
            Ok(result) => (result, since),
            Err(_) => {
                let text = format!("connected, but no answer within {:?}", self.probe.timeout);
                (Err(new(Cause::Silent, text)), None)
            }
        };
        Tried { result, tries, lost, since }.into_reply(|word| word)
    }
}
