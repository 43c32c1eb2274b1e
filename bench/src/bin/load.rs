//! The generator: asks, counts what is answered, and reads the server's
//! processor time before and after.
//!
//! `load MODE ADDR:PORT[,ADDR:PORT] PID[,PID] FILE COUNT [SOCKETS]`, where MODE is
//!
//! - `time`: each reply must be NOERROR with as many answer records as FILE
//!   says;
//! - `echo`: each reply must only be the query with QR set;
//! - `verify`: each reply must bear the address that FILE expects; ask every
//!   line once, ignoring COUNT.
//!
//! One line of JSON goes to standard output. Usually there is one socket, on
//! core 0. Of several, each has a thread, a part of the window and the next of
//! the addresses; they take turns on cores 0 and 1, for servers that have both.

use std::error::Error;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use rhumb_bench::generator::{Load, Mode, Tally, WINDOW};
use rhumb_bench::process::{cpu_time, pin};
use rhumb_bench::query::{self, Query};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [mode, servers, pids, file, count, rest @ ..] = &arguments[..] else {
        return Err("usage: load time|echo|verify ADDR:PORT[,…] PID[,…] FILE COUNT [SOCKETS]".into());
    };
    let mode = match mode.as_str() {
        "time" => Mode::Time,
        "echo" => Mode::Echo,
        "verify" => Mode::Verify,
        _ => return Err("the mode must be time, echo or verify".into()),
    };
    let queries = query::read(Path::new(file))?;
    let work = Work {
        mode,
        queries: &queries,
        servers: servers.split(',').map(str::parse).collect::<Result<_, _>>()?,
        pids: pids.split(',').map(str::parse).collect::<Result<_, _>>()?,
        count: if mode == Mode::Verify { queries.len() } else { count.parse()? },
        sockets: rest.first().map_or(Ok(1), |sockets| sockets.parse())?,
    };
    let (tally, cpu, wall) = work.run()?;
    report(&tally, cpu, wall);
    Ok(())
}

struct Work<'a> {
    mode: Mode,
    queries: &'a [Query],
    servers: Vec<SocketAddr>,
    pids: Vec<u32>,
    count: usize,
    sockets: usize,
}

impl Work<'_> {
    /// Warms up on every socket, then measures them together.
    fn run(&self) -> Result<(Tally, u64, Duration), Box<dyn Error>> {
        let barrier = Barrier::new(self.sockets + 1);
        thread::scope(|scope| {
            let socket = |at| {
                let barrier = &barrier;
                move || self.socket(at, barrier).map_err(|error| error.to_string())
            };
            let threads: Vec<_> = (0..self.sockets).map(|at| scope.spawn(socket(at))).collect();
            barrier.wait();
            let (cpu_before, start) = (cpu_time(&self.pids), Instant::now());
            barrier.wait();
            let mut tally = Tally::default();
            for thread in threads {
                tally += thread.join().map_err(|_| "a socket's thread panicked")??;
            }
            Ok((tally, cpu_time(&self.pids)? - cpu_before?, start.elapsed()))
        })
    }

    fn socket(&self, at: usize, barrier: &Barrier) -> Result<Tally, Box<dyn Error>> {
        let (servers, count) = (self.servers.len(), self.count / self.sockets);
        let start = at * self.queries.len() / self.sockets;
        let ready = pin(at / servers % 2).map_err(Into::into).and_then(|()| {
            let (what, server) = ((self.mode, self.queries), self.servers[at % servers]);
            let mut load = Load::new(what, server, (WINDOW / self.sockets, start))?;
            if self.mode != Mode::Verify {
                load.run(count / 10)?;
            }
            Ok(load)
        });
        // Whoever failed must not keep the others waiting.
        barrier.wait();
        barrier.wait();
        ready.and_then(|mut load: Load<'_>| load.run(count))
    }
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
