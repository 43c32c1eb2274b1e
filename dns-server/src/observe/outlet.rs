//! The thread behind an output: it polls the rings and writes.
//!
//! It is never woken: a poll every [`POLL`] costs nothing next to what waking
//! would cost the workers. While the output cannot be written the rings are
//! emptied all the same, and what is lost is counted.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::{Exchange, Feed};
use crate::stats::Counters;

/// How often rings are looked at: an eye sees a log line at once, and a ring
/// holds what comes meanwhile.
const POLL: Duration = Duration::from_millis(20);

/// Something exchanges are written to.
pub(super) trait Writer: Send + std::fmt::Debug {
    /// Takes one exchange in; an error means that it is lost.
    fn write(&mut self, exchange: &Exchange) -> io::Result<()>;

    /// Called after each poll: looks whether the output is still where it
    /// should be.
    fn settle(&mut self);

    /// Called once, at the end.
    fn close(&mut self);
}

/// An output and its thread.
#[derive(Debug)]
pub(super) struct Outlet {
    feed: Arc<Feed>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Outlet {
    /// Starts the thread, the only one that counts in `counters`.
    pub(super) fn spawn(
        feed: Arc<Feed>,
        writer: Box<dyn Writer>,
        counters: Arc<Counters>,
    ) -> io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let (theirs, until) = (Arc::clone(&feed), Arc::clone(&stop));
        let work = move || work(&theirs, writer, (&counters, &until));
        let thread = std::thread::Builder::new().name("observe".to_owned()).spawn(work)?;
        Ok(Self { feed, stop, thread: Some(thread) })
    }

    pub(super) const fn feed(&self) -> &Arc<Feed> {
        &self.feed
    }
}

impl Drop for Outlet {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // One that panicked has already said so on stderr.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

fn work(feed: &Feed, mut writer: Box<dyn Writer>, (counters, stop): (&Counters, &AtomicBool)) {
    loop {
        // Read before the rings: what was put in before the stop is written.
        let last = stop.load(Ordering::Relaxed);
        let rings = feed.rings.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for ring in rings {
            // No more than there were: a fast worker must not hold us here.
            for _ in 0..ring.full.len() {
                let Some(exchange) = ring.full.pop() else { break };
                counters.observe(feed.output, writer.write(&exchange).is_ok());
                // It came from there.
                let _ = ring.free.push(exchange);
            }
        }
        writer.settle();
        if last {
            return writer.close();
        }
        std::thread::sleep(POLL);
    }
}
