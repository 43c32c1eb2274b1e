//! The closed loop: asks in a window and counts what is answered.
//!
//! A window larger than a batch keeps the server busy without ever
//! overflowing its receive buffer; a query unanswered for [`PATIENCE`] counts
//! as lost and is asked again.

use std::error::Error;
use std::net::{SocketAddr, UdpSocket};
use std::ops::AddAssign;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::socket::SockaddrIn6;

use crate::batch::{self, BATCH};
use crate::query::{self, Query};

/// Queries in flight: four batches, well below the 277 small datagrams that
/// a default receive buffer of 212,992 octets holds.
pub const WINDOW: usize = 4 * BATCH;

/// Silence after which everything in flight counts as lost.
const PATIENCE: Duration = Duration::from_millis(200);

/// Losses after which the server is not worth measuring.
const MAX_LOST: usize = 10_000;

/// The socket is connected, so nobody looks at addresses; those of either kind
/// have room.
type Batch = batch::Batch<SockaddrIn6>;

/// What a reply must be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// NOERROR with as many answer records as expected.
    Time,
    /// The query with QR set.
    Echo,
    /// The expected address.
    Verify,
}

/// What came back so far.
#[derive(Clone, Copy, Default, Debug)]
pub struct Tally {
    /// Queries answered.
    pub answered: usize,
    /// Queries asked again.
    pub lost: usize,
    /// Answers that are not what they must be.
    pub wrong: usize,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.answered += other.answered;
        self.lost += other.lost;
        self.wrong += other.wrong;
    }
}

/// One place in the window: the query in it, and how often it was used.
#[derive(Clone, Copy, Default)]
struct Slot {
    asked: Option<usize>,
    round: u16,
}

/// One socket and its window.
pub struct Load<'a> {
    mode: Mode,
    queries: &'a [Query],
    socket: UdpSocket,
    slots: [Slot; WINDOW],
    /// Queries in flight at once.
    window: usize,
    /// The next query to ask, wrapping.
    next: usize,
}

impl<'a> Load<'a> {
    /// A socket connected to `server`, with `window` queries in flight, up to
    /// [`WINDOW`], the first of them the query at `next`.
    ///
    /// # Errors
    /// When there is no such socket to be had.
    pub fn new(
        (mode, queries): (Mode, &'a [Query]),
        server: SocketAddr,
        (window, next): (usize, usize),
    ) -> Result<Self, Box<dyn Error>> {
        let any = if server.is_ipv4() { "127.0.0.1:0" } else { "[::1]:0" };
        let socket = UdpSocket::bind(any)?;
        socket.connect(server)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        Ok(Self { mode, queries, socket, slots: [Slot::default(); WINDOW], window, next })
    }

    /// Asks until `count` replies are in.
    ///
    /// # Errors
    /// When the server does not answer.
    pub fn run(&mut self, count: usize) -> Result<Tally, Box<dyn Error>> {
        let (mut out, mut back) = (Batch::default(), Batch::default());
        let mut tally = Tally::default();
        let mut asked = 0;
        let mut free: Vec<usize> = (0..self.window).collect();
        while tally.answered < count {
            while asked < count && !out.is_full() {
                let Some(slot) = free.pop() else { break };
                self.slots[slot].asked = Some(self.next);
                self.next = (self.next + 1) % self.queries.len();
                self.push(slot, &mut out);
                asked += 1;
            }
            out.send(&self.socket)?;
            match back.receive(&self.socket) {
                Ok(()) => self.take(&mut back, &mut free, &mut tally),
                Err(Errno::EAGAIN) => self.ask_again(&mut out, &mut tally)?,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(tally)
    }

    /// Puts the query of a slot into the batch under a new id.
    fn push(&mut self, slot: usize, out: &mut Batch) {
        let place = &mut self.slots[slot];
        let Some(query) = place.asked else { return };
        place.round = place.round.wrapping_add(1);
        let id = id_of(slot, place.round);
        out.push(&self.queries[query].packet)[..2].copy_from_slice(&id.to_be_bytes());
    }

    /// Matches replies with what was asked.
    fn take(&mut self, back: &mut Batch, free: &mut Vec<usize>, tally: &mut Tally) {
        for datagram in back.datagrams() {
            let Some(reply) = query::header(datagram) else {
                continue;
            };
            let slot = usize::from(reply.id) % WINDOW;
            let place = &mut self.slots[slot];
            if id_of(slot, place.round) != reply.id {
                continue;
            }
            let Some(asked) = place.asked.take() else {
                continue;
            };
            let query = &self.queries[asked];
            let right = match self.mode {
                Mode::Echo => datagram.len() == query.packet.len(),
                Mode::Time => reply.rcode == 0 && reply.answers == query.answers,
                Mode::Verify => {
                    reply.answers == query.answers && query::first_address(datagram) == Some(query.expected)
                }
            };
            tally.wrong += usize::from(!right);
            tally.answered += 1;
            free.push(slot);
        }
    }

    /// After silence: everything in flight is lost, and asked again.
    fn ask_again(&mut self, out: &mut Batch, tally: &mut Tally) -> Result<(), Box<dyn Error>> {
        for slot in 0..self.window {
            if self.slots[slot].asked.is_some() {
                self.push(slot, out);
                tally.lost += 1;
            }
            if out.is_full() {
                out.send(&self.socket)?;
            }
        }
        if tally.lost > MAX_LOST {
            return Err("the server does not answer".into());
        }
        Ok(())
    }
}

/// Slot in the low bits, round above, so that a late reply is not taken for
/// the answer to what is in its slot now.
fn id_of(slot: usize, round: u16) -> u16 {
    #[allow(clippy::cast_possible_truncation)]
    let (slot, window) = (slot as u16, WINDOW as u16);
    round.wrapping_mul(window).wrapping_add(slot)
}
