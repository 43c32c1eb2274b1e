//! What all streams of one thread answer with.
//!
//! A thread of streams has many conversations and one of everything that an
//! answer needs: scratch, a buffer for the largest reply, counters with one
//! writer, a source of chance. A conversation keeps only what it has not sent
//! yet, so that thousands of idle ones cost little.
//!
//! **Invariant:** nothing here waits, so no two conversations ever hold the
//! tools at once.

use std::cell::RefCell;
use std::net::IpAddr;
use std::sync::Arc;

use crate::front;
use crate::observe::Observer;
use crate::publish::Publisher;
use crate::respond::{Meta, Scratch, Transport};
use crate::stats::Counters;

/// Largest message of any stream: its length has two octets.
pub(super) const MESSAGE_MAX: usize = 65_535;

/// Answers queries of one thread.
pub(super) struct Respondent {
    publisher: Publisher,
    counters: Arc<Counters>,
    observer: Observer,
    tools: RefCell<Tools>,
}

struct Tools {
    scratch: Scratch,
    reply: Vec<u8>,
    random: fastrand::Rng,
}

/// Who is at the other end of a stream, and how.
#[derive(Clone, Copy, Debug)]
pub(super) struct Caller {
    pub(super) source: IpAddr,
    pub(super) local: Option<IpAddr>,
    pub(super) transport: Transport,
}

impl Respondent {
    /// Answers from `publisher`'s snapshots, and is the only one to count in
    /// `counters`; `observer` is told.
    pub(super) fn new(publisher: Publisher, counters: Arc<Counters>, observer: Observer) -> Self {
        let scratch = Scratch::new(Arc::clone(&counters));
        let tools = Tools { scratch, reply: vec![0; MESSAGE_MAX], random: fastrand::Rng::new() };
        Self { publisher, counters, observer, tools: RefCell::new(tools) }
    }

    /// Hands the answer to `query` to `take`, unless silence is due. `idle` is
    /// what a client that asks is told, in tenths of a second.
    pub(super) fn answer<T>(
        &self,
        query: &[u8],
        (caller, idle): (&Caller, Option<u16>),
        take: impl FnOnce(&[u8]) -> T,
    ) -> Option<T> {
        let Caller { source, local, transport } = *caller;
        let Tools { scratch, reply, random } = &mut *self.tools.borrow_mut();
        let meta = Meta { source, local, transport, idle, now: super::clock(), draw: random.u64(..) };
        let length = front::answer(&self.publisher.current(), scratch, (query, &meta), reply)?;
        let reply = reply.get(..length)?;
        self.observer.note(scratch, (query, &meta), Some(reply));
        Some(take(reply))
    }

    /// Where transfers find what they send.
    pub(super) const fn publisher(&self) -> &Publisher {
        &self.publisher
    }

    pub(super) fn counters(&self) -> &Counters {
        &self.counters
    }
}
