//! One UDP worker: receive a batch, answer it, send it.
//!
//! The snapshot and the clock are read once per batch. The wait for packets
//! is bounded, so that an idle worker notices a new snapshot and lets the old
//! one go, and sees that it should stop.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use socket2::Socket;

use super::batch::Batch;
use super::proxy::{Ends, Proxies};
use crate::ahead;
use crate::front;
use crate::limit::Limiter;
use crate::observe::Observer;
use crate::publish::Publisher;
use crate::respond::{Meta, Scratch, Transport};
use crate::stats::Counters;

/// How long an idle worker may keep an old snapshot alive.
const RECEIVE_WAIT: Duration = Duration::from_millis(250);

/// After an unexpected socket error; keeps a broken socket from spinning.
const ERROR_PAUSE: Duration = Duration::from_millis(10);

/// What stands around the answers of a worker.
#[derive(Debug)]
pub(super) struct Guard {
    pub(super) limiter: Option<Arc<Limiter>>,
    pub(super) observer: Observer,
    /// When the limiter's time began.
    pub(super) started: Instant,
}

impl Guard {
    /// Microseconds since the start, where somebody counts them.
    fn elapsed(&self) -> u64 {
        let since = self.limiter.as_ref().map_or(Duration::ZERO, |_| self.started.elapsed());
        u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
    }
}

/// A bound socket that nobody reads yet.
#[derive(Debug)]
pub(super) struct Worker {
    socket: Socket,
    bound: SocketAddr,
}

impl Worker {
    pub(super) fn new(socket: Socket, bound: SocketAddr) -> io::Result<Self> {
        socket.set_read_timeout(Some(RECEIVE_WAIT))?;
        Ok(Self { socket, bound })
    }

    /// Serves until `stop`.
    pub(super) fn serve(
        self,
        publisher: &Publisher,
        (counters, proxies): (Arc<Counters>, Proxies),
        guard: &Guard,
        stop: &AtomicBool,
    ) {
        let mut batch = Batch::new(self.bound);
        let mut scratch = Scratch::new(Arc::clone(&counters));
        let mut random = fastrand::Rng::new();
        let mut snapshots = publisher.cache();
        while !stop.load(Ordering::Relaxed) {
            if let Err(error) = batch.receive(&self.socket)
                && !is_idle(&error)
            {
                tracing::warn!(address = %self.bound, %error, "cannot receive");
                std::thread::sleep(ERROR_PAUSE);
            }
            let snapshot = snapshots.load();
            let now = super::clock();
            let elapsed = guard.elapsed();
            ahead::look(snapshot, batch.queries());
            batch.answer(|packet, source, local, reply| {
                let Some((packet, Ends { source, local })) = proxies.strip(packet, Ends { source, local })
                else {
                    counters.refuse_proxy();
                    return None;
                };
                let meta =
                    Meta { source, local, transport: Transport::Udp, idle: None, now, draw: random.u64(..) };
                let length = front::answer(snapshot, &mut scratch, (packet, &meta), reply)?;
                let sent = match &guard.limiter {
                    Some(limiter) => limiter.apply(&scratch, (&meta, elapsed), (reply, length)),
                    None => Some(length),
                };
                guard.observer.note(&scratch, (packet, &meta), sent.and_then(|length| reply.get(..length)));
                sent
            });
            batch.send(&self.socket);
        }
    }
}

/// The wait ran out or a signal came: nothing to do but look around.
fn is_idle(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted)
}
