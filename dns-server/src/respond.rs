//! A query in, an answer out: the whole server as one function.
//!
//! Every transport, test, fuzz target, bench and `explain` goes through
//! [`respond`]. It reads a frozen [`Snapshot`], the packet and its [`Meta`],
//! writes the reply into the caller's buffer and touches nothing else but its
//! worker's [`Scratch`]. Clock, randomness and local address come in with the
//! meta, so the same input gives the same bytes.
//!
//! There is one path, not a fast one beside a general one: rows of steered
//! and static addresses are copied whole from the snapshot, and what only
//! rare answers need (compression targets, chains, referrals) is not set up
//! until it is needed.
//!
//! **Invariant:** nothing here locks, logs, looks at a clock or calls the
//! system; nothing allocates, except for `_why`, which only allowed sources
//! may ask.

mod additional;
mod answered;
mod chain;
mod chaos;
mod client;
mod opt;
mod proof;
mod reply;
mod seal;
mod steered;
mod trail;
mod why;

use std::net::IpAddr;
use std::sync::Arc;

use rhumb_policies::Explanation;
use rhumb_zones::Name;

use crate::compose::Targets;
use crate::query::{CLASS_CH, CLASS_IN, Folded, Query, Rcode};
use crate::snapshot::{Options, Snapshot};
use crate::stats::Counters;
pub use answered::{Answered, Class};
use opt::Why;
use proof::Links;
use reply::Reply;
use trail::Trail;

/// How the query came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Transport {
    /// One datagram; the answer may have to be cut short.
    Udp,
    /// A stream with two octets of length before each message (RFC 7766).
    Tcp,
    /// The same within TLS (RFC 7858).
    Tls,
    /// The body or a parameter of an HTTP request (RFC 8484).
    Https,
    /// A stream of its own for each query (RFC 9250).
    Quic,
}

impl Transport {
    /// Whether all that a listener on the way learns is how long a message is.
    #[must_use]
    pub const fn is_encrypted(self) -> bool {
        matches!(self, Self::Tls | Self::Https | Self::Quic)
    }
}

/// What is known of a query besides its bytes.
#[derive(Clone, Copy, Debug)]
pub struct Meta {
    /// Who sent it.
    pub source: IpAddr,
    /// The address it was sent to, where known.
    pub local: Option<IpAddr>,
    /// How it came.
    pub transport: Transport,
    /// How long its connection may be idle, in tenths of a second, on a stream
    /// whose clients may ask (RFC 7828).
    pub idle: Option<u16>,
    /// Seconds since 1970.
    pub now: u32,
    /// Uniformly random bits: the only chance in an answer.
    pub draw: u64,
}

/// What a worker reuses from query to query.
#[derive(Debug)]
pub struct Scratch {
    counters: Arc<Counters>,
    folded: Folded,
    targets: Targets,
    links: Links,
    trail: Trail,
    answered: Answered,
    is_sealed: bool,
}

impl Scratch {
    /// Scratch that counts into `counters`.
    #[must_use]
    pub fn new(counters: Arc<Counters>) -> Self {
        Self {
            counters,
            folded: Folded::new(),
            targets: Targets::new(),
            links: Links::new(),
            trail: Trail::new(),
            answered: Answered::default(),
            is_sealed: false,
        }
    }

    /// What the last answer was.
    #[must_use]
    pub const fn answered(&self) -> &Answered {
        &self.answered
    }

    /// Whether the last packet was not answered because it bears a TSIG.
    pub(crate) const fn is_sealed(&self) -> bool {
        self.is_sealed
    }

    /// Takes note of an answer that another made: it may not be cut.
    pub(crate) fn hand_in(&mut self, reply: &[u8]) {
        self.answered = Answered::whole(reply);
    }

    pub(crate) fn counters(&self) -> &Counters {
        &self.counters
    }
}

/// Answers `packet` into `out` and gives the reply's length; nothing when the
/// packet deserves no answer, or bears a TSIG: see [`answer`](crate::front::answer).
pub fn respond(
    snapshot: &Snapshot,
    scratch: &mut Scratch,
    (packet, meta): (&[u8], &Meta),
    out: &mut [u8],
) -> Option<usize> {
    let Scratch { counters, folded, targets, links, trail, answered, is_sealed } = scratch;
    let parsed = Query::parse(packet, folded);
    *is_sealed = parsed.as_ref().is_ok_and(|query| query.is_sealed);
    if *is_sealed {
        return None;
    }
    counters.query(meta.transport);
    let query = match parsed {
        Ok(query) => query,
        Err(Some(reject)) => {
            counters.rcode(reject.rcode);
            let length = reply::reject(&reject, snapshot.options().udp_size, out)?;
            *answered = Answered::bare(reject.rcode, length);
            return Some(length);
        }
        Err(None) => {
            counters.drop_packet();
            return None;
        }
    };
    if let Some(edns) = &query.edns {
        counters.edns(edns.subnet.is_some());
    }
    let options = snapshot.options();
    let mut reply = Reply::start(&query, (options, meta), (out, targets, links))?;
    if reply.proved() {
        counters.cookie();
    }
    match query.question.qclass {
        _ if options.cookies.require && meta.transport == Transport::Udp && !reply.proved() => {
            // Who knows of cookies comes back with ours, others over TCP.
            if reply.has_cookie() { reply.rcode = Rcode::BadCookie } else { reply.truncate() }
        }
        // A question about cookies alone (RFC 7873 §5.4).
        _ if query.question.wire.is_empty() && reply.has_cookie() => {}
        _ if query.question.wire.is_empty() => reply.rcode = Rcode::FormErr,
        CLASS_IN => {
            chain::Chain::new(snapshot, (&query, meta), counters, (folded, trail)).answer(&mut reply);
        }
        CLASS_CH if !Options::admits(options.chaos_from.as_deref(), meta.source) => {
            reply.refuse(Rcode::Refused, Why::Prohibited);
        }
        CLASS_CH => chaos::answer(options, folded.name(), query.question.qtype, &mut reply),
        _ => reply.refuse(Rcode::Refused, Why::NotAuthoritative),
    }
    let written = reply.finish(&query);
    counters.rcode(written.rcode);
    *answered = written.answered;
    if written.truncated {
        counters.truncate();
    }
    Some(written.length)
}

/// Says why `name`, if it is steered, is answered as it is to the client of
/// `packet`: the same client, choice and words as for [`respond`].
#[must_use]
pub fn explain(snapshot: &Snapshot, name: &Name, (packet, meta): (&[u8], &Meta)) -> Option<Explanation> {
    let query = Query::parse(packet, &mut Folded::new()).ok()?;
    let service = why::service_at(snapshot.names(), &name.folded())?;
    Some(why::tell(snapshot, service, &client::Client::new(&query, meta, snapshot.options())))
}
