//! Telling what is asked and answered, without being slowed by it.
//!
//! Two outputs may watch: a log of JSON lines and dnstap. Each has a ring per
//! worker; a worker that answers a query which the output samples copies the
//! messages into a free slot of its ring and goes on. When no slot is free,
//! because the disk or the listener is slow, the exchange is dropped and
//! counted. One thread per output polls the rings, so no worker ever wakes
//! another thread, and what writing costs is paid there.
//!
//! Sampling is by chance, one in so many, and the rest is bounded per second
//! over all workers. Both are decided before anything is copied.
//!
//! Refused: one channel for all workers (they would contend), a byte ring per
//! worker (streams share one observer among tasks, so it must take more than
//! one writer), and logging within `respond`, which knows nothing of this.
//!
//! **Invariant:** after [`Observatory::observer`], nothing on the way of a
//! query allocates, locks or waits.

mod dnstap;
mod frames;
mod outlet;
mod querylog;

use std::io;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crossbeam_queue::ArrayQueue;

use crate::respond::{Meta, Scratch, Transport};
use crate::stats::Stats;
use outlet::Outlet;

/// Exchanges a worker may be ahead of the writer: at the writer's pace of one
/// poll every 20 ms, room for 12,000 a second and worker.
const SLOTS: usize = 256;

/// Largest query and reply kept, octets together: what UDP may carry, its
/// largest query and largest reply. Of larger ones the reply is left out.
const MESSAGES: usize = 2048 + 4096;

/// What an output is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sampling {
    /// One exchange in so many, by chance.
    pub one_in: NonZeroU32,
    /// At most so many a second, over all workers.
    pub per_second: NonZeroU32,
}

/// Where dnstap goes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TapTo {
    /// A unix socket that somebody listens on.
    Socket(PathBuf),
    /// A file, written anew.
    File(PathBuf),
}

/// Which outputs there are.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Watching {
    /// A file of JSON lines.
    pub log: Option<(PathBuf, Sampling)>,
    /// dnstap.
    pub dnstap: Option<(TapTo, Sampling)>,
    /// How the server calls itself in dnstap.
    pub identity: Option<String>,
}

/// Which counters an output moves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Output {
    Log,
    Dnstap,
}

/// All outputs; dropping it writes what is left and ends their threads.
#[derive(Debug, Default)]
pub struct Observatory {
    outlets: Vec<Outlet>,
}

/// What a worker tells of its exchanges; clones share its rings.
#[derive(Clone, Debug, Default)]
pub struct Observer {
    taps: Arc<[Tap]>,
}

/// A worker's way to one output.
#[derive(Debug)]
struct Tap {
    feed: Arc<Feed>,
    ring: Arc<Ring>,
}

/// What all workers share of an output.
#[derive(Debug)]
struct Feed {
    output: Output,
    sampling: Sampling,
    /// The current second, and how many it has had.
    spent: AtomicU64,
    rings: Mutex<Vec<Arc<Ring>>>,
}

/// Slots that are free and slots that are full.
#[derive(Debug)]
struct Ring {
    free: ArrayQueue<Box<Exchange>>,
    full: ArrayQueue<Box<Exchange>>,
}

/// One query and what came of it.
#[derive(Debug)]
struct Exchange {
    /// Since 1970.
    at: Duration,
    source: IpAddr,
    local: Option<IpAddr>,
    transport: Transport,
    rcode: u16,
    /// Whether a reply was sent.
    sent: bool,
    query: usize,
    /// The query, then the reply.
    bytes: Vec<u8>,
}

impl Observatory {
    /// Opens the outputs and starts a thread for each.
    ///
    /// # Errors
    /// When a file cannot be opened, or a thread not be started. A socket that
    /// nobody listens on is none: it is tried again.
    pub fn open(watching: Watching, stats: &Stats) -> io::Result<Self> {
        let Watching { log, dnstap, identity } = watching;
        let mut outlets = Vec::new();
        if let Some((path, sampling)) = log {
            let writer = querylog::QueryLog::open(path)?;
            outlets.push(Outlet::spawn(Feed::new(Output::Log, sampling), Box::new(writer), stats.block())?);
        }
        if let Some((to, sampling)) = dnstap {
            let writer = dnstap::Dnstap::open(to, identity)?;
            outlets.push(Outlet::spawn(
                Feed::new(Output::Dnstap, sampling),
                Box::new(writer),
                stats.block(),
            )?);
        }
        Ok(Self { outlets })
    }

    /// An observer for one more worker, or for the streams of one thread.
    #[must_use]
    pub fn observer(&self) -> Observer {
        let taps = self.outlets.iter().map(|outlet| Tap::new(outlet.feed())).collect();
        Observer { taps }
    }
}

impl Observer {
    /// Tells of a query that `scratch` has answered; nothing was sent without
    /// `reply`.
    pub(crate) fn note(&self, scratch: &Scratch, (query, meta): (&[u8], &Meta), reply: Option<&[u8]>) {
        for tap in &*self.taps {
            if tap.feed.samples(meta) {
                tap.note(scratch, (query, meta), reply);
            }
        }
    }
}

impl Tap {
    fn new(feed: &Arc<Feed>) -> Self {
        let ring = Arc::new(Ring { free: ArrayQueue::new(SLOTS), full: ArrayQueue::new(SLOTS) });
        for _ in 0..SLOTS {
            // A queue of as many slots takes them all.
            let _ = ring.free.push(Box::new(Exchange::empty()));
        }
        feed.rings.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&ring));
        Self { feed: Arc::clone(feed), ring }
    }

    fn note(&self, scratch: &Scratch, (query, meta): (&[u8], &Meta), reply: Option<&[u8]>) {
        let Some(mut exchange) = self.ring.free.pop() else {
            return scratch.counters().observe(self.feed.output, false);
        };
        let body = reply.filter(|reply| query.len() + reply.len() <= MESSAGES).unwrap_or_default();
        let query = query.get(..query.len().min(MESSAGES)).unwrap_or_default();
        exchange.at = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        (exchange.source, exchange.local, exchange.transport) = (meta.source, meta.local, meta.transport);
        (exchange.rcode, exchange.sent) = (scratch.answered().rcode, reply.is_some());
        exchange.query = query.len();
        exchange.bytes.clear();
        exchange.bytes.extend_from_slice(query);
        exchange.bytes.extend_from_slice(body);
        // As many fit as there are.
        let _ = self.ring.full.push(exchange);
    }
}

impl Feed {
    fn new(output: Output, sampling: Sampling) -> Arc<Self> {
        Arc::new(Self { output, sampling, spent: AtomicU64::new(0), rings: Mutex::default() })
    }

    /// Whether the output is told of this exchange.
    fn samples(&self, meta: &Meta) -> bool {
        let Sampling { one_in, per_second } = self.sampling;
        // The draw has also chosen the answer: other bits decide here.
        let chance = meta.draw.wrapping_mul(0xd134_2543_de82_ef95) >> 32;
        chance.is_multiple_of(u64::from(one_in.get())) && self.spend(meta.now, per_second.get())
    }

    /// Takes one of this second's share.
    fn spend(&self, now: u32, share: u32) -> bool {
        let second = u64::from(now) << 32;
        let taken = self.spent.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |spent| match spent {
            spent if spent >> 32 != u64::from(now) => Some(second | 1),
            spent if spent & u64::from(u32::MAX) < u64::from(share) => Some(spent + 1),
            _ => None,
        });
        taken.is_ok()
    }
}

impl Exchange {
    fn empty() -> Self {
        Self {
            at: Duration::ZERO,
            source: IpAddr::from([0; 4]),
            local: None,
            transport: Transport::Udp,
            rcode: 0,
            sent: false,
            query: 0,
            bytes: Vec::with_capacity(MESSAGES),
        }
    }

    fn query(&self) -> &[u8] {
        self.bytes.get(..self.query).unwrap_or_default()
    }

    /// Empty when none was sent or it is too large to keep.
    fn reply(&self) -> &[u8] {
        self.bytes.get(self.query..).unwrap_or_default()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests;
