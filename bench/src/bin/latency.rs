//! An open loop: asks on schedule, whatever comes back, and says how long
//! answers took and how long there were none.
//!
//! `latency ADDR:PORT FILE RATE SECONDS PERCENT [PID SIGNAL PATH A B]`
//!
//! Listeners for health checks stand meanwhile on all the addresses of
//! `rhumb_bench::policies`; every second another PERCENT of them is closed for
//! a second. With a PID, every second A and B by turns are put at PATH and the
//! process gets SIGNAL, a number: a reload of something that has changed.
//!
//! A time runs from when a query was due, not from when it was sent: a stall
//! of the generator or the server counts for all that were due meanwhile. The
//! generator spins on core 0. One line of JSON goes to standard output. A
//! query that is unanswered when its id is needed again, 65,536 queries later,
//! or half a second after the last, is lost.

use std::error::Error;
use std::fs;
use std::net::{TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::sys::socket::SockaddrIn6;
use nix::unistd::Pid;
use rhumb_bench::batch::Batch;
use rhumb_bench::histogram::Histogram;
use rhumb_bench::policies::targets;
use rhumb_bench::process::pin;
use rhumb_bench::query::{self, Query};

/// How long the server may take for the last answers.
const PATIENCE: Duration = Duration::from_millis(500);

/// Before anything counts: caches fill, clocks rise.
const WARM_UP: Duration = Duration::from_millis(500);

/// How often something happens.
const PERIOD: Duration = Duration::from_secs(1);

/// How often those who connected are accepted.
const ACCEPT: Duration = Duration::from_millis(100);

/// No query has this id now.
const NOBODY: u64 = u64::MAX;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [server, file, rate, seconds, percent, reload @ ..] = &arguments[..] else {
        return Err("usage: latency ADDR:PORT FILE RATE SECONDS PERCENT [PID SIGNAL PATH A B]".into());
    };
    let queries = query::read(Path::new(file))?;
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    socket.connect(server)?;
    socket.set_nonblocking(true)?;
    let (rate, seconds): (u32, u64) = (rate.parse()?, seconds.parse()?);
    let percent = percent.parse()?;
    let reload = Reload::new(reload)?;
    let stop = AtomicBool::new(false);
    let found = thread::scope(|scope| {
        // Started before this thread has a core of its own.
        let flaps = scope.spawn(|| flap(percent, &stop).map_err(|error| error.to_string()));
        let reloads = scope.spawn(|| reload.run(&stop).map_err(|error| error.to_string()));
        let found = pin(0).map_err(Into::into).and_then(|()| {
            let mut schedule = Schedule::new(&queries, &socket, rate);
            schedule.run(WARM_UP)?;
            schedule.run(Duration::from_secs(seconds))
        });
        stop.store(true, Ordering::Relaxed);
        flaps.join().map_err(|_| "the targets panicked")??;
        reloads.join().map_err(|_| "the reloads panicked")??;
        found
    });
    report(&found?);
    Ok(())
}

/// What came of a run.
#[derive(Default)]
struct Found {
    times: Histogram,
    asked: u64,
    answered: u64,
    /// Nanoseconds, between two answers.
    longest_gap: u64,
}

#[allow(clippy::cast_precision_loss)]
fn report(found: &Found) {
    let micros = |nanoseconds: u64| nanoseconds as f64 / 1000.0;
    let quantile = |share| micros(found.times.quantile(share));
    println!(
        "{{\"answered\":{},\"lost\":{},\"p50_us\":{:.1},\"p99_us\":{:.1},\"p999_us\":{:.1},\"worst_us\":{:.1},\"gap_us\":{:.1}}}",
        found.answered,
        found.asked - found.answered,
        quantile(0.5),
        quantile(0.99),
        quantile(0.999),
        quantile(1.0),
        micros(found.longest_gap),
    );
}

struct Schedule<'a> {
    queries: &'a [Query],
    socket: &'a UdpSocket,
    /// Between two queries.
    step: u64,
    /// By id: when its query was due, nanoseconds since the start.
    due: Vec<u64>,
    /// The next query and its id, both wrapping.
    next: usize,
    out: Batch<SockaddrIn6>,
    back: Batch<SockaddrIn6>,
}

impl<'a> Schedule<'a> {
    fn new(queries: &'a [Query], socket: &'a UdpSocket, rate: u32) -> Self {
        Self {
            queries,
            socket,
            step: 1_000_000_000 / u64::from(rate.max(1)),
            due: vec![NOBODY; 1 << 16],
            next: 0,
            out: Batch::default(),
            back: Batch::default(),
        }
    }

    /// Asks for so long, then waits for the rest.
    fn run(&mut self, time: Duration) -> Result<Found, Box<dyn Error>> {
        let mut found = Found::default();
        self.due.fill(NOBODY);
        let start = Instant::now();
        let nanoseconds = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let (end, patience) = (nanoseconds(time), nanoseconds(time + PATIENCE));
        let (mut now, mut due, mut last) = (0, 0, 0);
        while due < end || (found.answered < found.asked && now < patience) {
            now = nanoseconds(start.elapsed());
            while due < end.min(now) && !self.out.is_full() {
                self.push(due);
                (due, found.asked) = (due + self.step, found.asked + 1);
            }
            match self.out.send(self.socket) {
                // A queue is full: what is lost is counted.
                Ok(()) | Err(Errno::EAGAIN | Errno::ENOBUFS) => self.out.clear(),
                Err(error) => return Err(error.into()),
            }
            match self.back.receive(self.socket) {
                Ok(()) => {
                    now = nanoseconds(start.elapsed());
                    found.longest_gap = found.longest_gap.max(now.saturating_sub(last));
                    last = now;
                    self.take(&mut found, now);
                }
                Err(Errno::EAGAIN) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(found)
    }

    fn push(&mut self, due: u64) {
        #[allow(clippy::cast_possible_truncation)]
        let id = self.next as u16;
        self.due[usize::from(id)] = due;
        let query = &self.queries[self.next % self.queries.len()];
        self.out.push(&query.packet)[..2].copy_from_slice(&id.to_be_bytes());
        self.next = self.next.wrapping_add(1);
    }

    fn take(&mut self, found: &mut Found, now: u64) {
        for datagram in self.back.datagrams() {
            let Some(reply) = query::header(datagram) else { continue };
            let due = std::mem::replace(&mut self.due[usize::from(reply.id)], NOBODY);
            // Twice the same, or SERVFAIL, is no answer.
            if due != NOBODY && reply.rcode == 0 && reply.answers > 0 {
                found.times.add(now.saturating_sub(due));
                found.answered += 1;
            }
        }
    }
}

/// What is reloaded every second, if anything.
struct Reload(Option<(Pid, Signal, PathBuf, [PathBuf; 2])>);

impl Reload {
    fn new(words: &[String]) -> Result<Self, Box<dyn Error>> {
        let [pid, signal, path, a, b] = words else {
            return if words.is_empty() { Ok(Self(None)) } else { Err("PID SIGNAL PATH A B".into()) };
        };
        let (pid, signal) = (Pid::from_raw(pid.parse()?), signal.parse::<i32>()?.try_into()?);
        Ok(Self(Some((pid, signal, path.into(), [a.into(), b.into()]))))
    }

    fn run(&self, stop: &AtomicBool) -> Result<(), Box<dyn Error>> {
        let Some((pid, signal, path, files)) = &self.0 else { return Ok(()) };
        for file in files.iter().cycle() {
            thread::sleep(PERIOD);
            if stop.load(Ordering::Relaxed) {
                break;
            }
            // Written aside and renamed, as an editor does it.
            let aside = path.with_extension("new");
            fs::copy(file, &aside)?;
            fs::rename(aside, path)?;
            kill(*pid, *signal)?;
        }
        Ok(())
    }
}

/// Closes another few listeners every second, and opens them a second later.
fn flap(percent: usize, stop: &AtomicBool) -> Result<(), Box<dyn Error>> {
    let open = |at: usize| {
        let listener = TcpListener::bind(targets()[at])?;
        listener.set_nonblocking(true).map(|()| listener)
    };
    let mut listeners =
        (0..targets().len()).map(open).map(|opened| opened.map(Some)).collect::<Result<Vec<_>, _>>()?;
    let few = (listeners.len() * percent).div_ceil(100);
    let (mut round, mut turned) = (0, Instant::now());
    while !stop.load(Ordering::Relaxed) {
        if turned.elapsed() >= PERIOD {
            for (at, listener) in listeners.iter_mut().enumerate() {
                let closed = (at + round * few) % targets().len() < few;
                match closed {
                    true => *listener = None,
                    false if listener.is_none() => *listener = Some(open(at)?),
                    false => {}
                }
            }
            (round, turned) = (round + 1, Instant::now());
        }
        // Who has connected is let go before the queue is full.
        for listener in listeners.iter().flatten() {
            while listener.accept().is_ok() {}
        }
        thread::sleep(ACCEPT);
    }
    Ok(())
}
