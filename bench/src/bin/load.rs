//! The generator: asks in a window, counts what is answered, and reads the
//! server's processor time before and after.
//!
//! `load MODE ADDR:PORT PID FILE COUNT`, where MODE is
//!
//! - `time`: each reply must be NOERROR with as many answer records as FILE
//!   says;
//! - `echo`: each reply must only be the query with QR set;
//! - `verify`: each reply must bear the address that FILE expects; ask every
//!   line once, ignoring COUNT.
//!
//! One line of JSON goes to standard output. A closed loop with a window
//! larger than a batch keeps the server busy without ever overflowing its
//! receive buffer; a query unanswered for [`PATIENCE`] counts as lost and is
//! asked again.

use std::error::Error;
use std::net::UdpSocket;
use std::path::Path;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use rhumb_bench::batch::Batch;
use rhumb_bench::process::{cpu_time, pin};
use rhumb_bench::query::{self, Query};

/// Queries in flight: four batches, well below the 277 small datagrams that
/// a default receive buffer of 212,992 octets holds.
const WINDOW: usize = 128;

/// Silence after which everything in flight counts as lost.
const PATIENCE: Duration = Duration::from_millis(200);

/// Losses after which the server is not worth measuring.
const MAX_LOST: usize = 10_000;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Time,
    Echo,
    Verify,
}

/// What came back so far.
#[derive(Default)]
struct Tally {
    answered: usize,
    lost: usize,
    wrong: usize,
}

/// One place in the window: the query in it, and how often it was used.
#[derive(Clone, Copy, Default)]
struct Slot {
    asked: Option<usize>,
    round: u16,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [mode, address, pid, file, count] = &arguments[..] else {
        return Err("usage: load time|echo|verify ADDR:PORT PID FILE COUNT".into());
    };
    let mode = match mode.as_str() {
        "time" => Mode::Time,
        "echo" => Mode::Echo,
        "verify" => Mode::Verify,
        _ => return Err("the mode must be time, echo or verify".into()),
    };
    let queries = query::read(Path::new(file))?;
    let (pid, count) = (pid.parse()?, if mode == Mode::Verify { queries.len() } else { count.parse()? });
    pin(0)?;
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    socket.connect(address)?;
    socket.set_read_timeout(Some(PATIENCE))?;

    let mut load = Load { mode, queries, socket, slots: [Slot::default(); WINDOW], next: 0 };
    if mode != Mode::Verify {
        load.run(count / 10)?;
    }
    let (cpu_before, start) = (cpu_time(pid)?, Instant::now());
    let tally = load.run(count)?;
    let (cpu, wall) = (cpu_time(pid)? - cpu_before, start.elapsed());
    report(&tally, cpu, wall);
    Ok(())
}

#[allow(clippy::cast_precision_loss)]
fn report(tally: &Tally, cpu_ns: u64, wall: Duration) {
    println!(
        "{{\"answered\":{},\"lost\":{},\"wrong\":{},\"cpu_us_per_query\":{:.4},\"queries_per_second\":{:.0}}}",
        tally.answered,
        tally.lost,
        tally.wrong,
        cpu_ns as f64 / 1000.0 / tally.answered as f64,
        tally.answered as f64 / wall.as_secs_f64(),
    );
}

struct Load {
    mode: Mode,
    queries: Vec<Query>,
    socket: UdpSocket,
    slots: [Slot; WINDOW],
    /// The next query to ask, wrapping.
    next: usize,
}

impl Load {
    /// Asks until `count` replies are in.
    fn run(&mut self, count: usize) -> Result<Tally, Box<dyn Error>> {
        let (mut out, mut back) = (Batch::default(), Batch::default());
        let mut tally = Tally::default();
        let mut asked = 0;
        let mut free: Vec<usize> = (0..WINDOW).collect();
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
            let right = match self.mode {
                Mode::Echo => datagram.len() == self.queries[asked].packet.len(),
                Mode::Time => reply.rcode == 0 && reply.answers == self.queries[asked].answers,
                Mode::Verify => query::first_address(datagram) == Some(self.queries[asked].expected),
            };
            tally.wrong += usize::from(!right);
            tally.answered += 1;
            free.push(slot);
        }
    }

    /// After silence: everything in flight is lost, and asked again.
    fn ask_again(&mut self, out: &mut Batch, tally: &mut Tally) -> Result<(), Box<dyn Error>> {
        for slot in 0..WINDOW {
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
