//! From a target's fault to the first answer that avoids it.
//!
//! `failover ADDR:PORT` plays all targets of `rhumb_bench::failover`; once the
//! server has probed each, it breaks one after the other, at any moment of the
//! probes' interval, and asks every millisecond until the answer moves. Groups
//! run side by side. A line of JSON for each goes to standard output.

use std::error::Error;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rhumb_bench::failover::{GROUPS, PORT, RUNS, name, vip};
use rhumb_bench::geography::Random;
use rhumb_bench::query::{self, compose};

/// Between two questions, and a bound of the error.
const STEP: Duration = Duration::from_millis(1);

/// How often targets answer who has come; short beside every time-out.
const SERVE: Duration = Duration::from_millis(2);

/// By then every probe has succeeded often enough.
const SETTLED: Duration = Duration::from_secs(12);

/// Longest wait for an answer to move.
const LIMIT: Duration = Duration::from_secs(30);

fn main() -> Result<(), Box<dyn Error>> {
    let server: SocketAddr = std::env::args().nth(1).ok_or("usage: failover ADDR:PORT")?.parse()?;
    thread::scope(|scope| {
        let group = |at| scope.spawn(move || group(at, server).map_err(|error| error.to_string()));
        let threads: Vec<_> = (0..GROUPS.len()).map(group).collect();
        for (group, thread) in GROUPS.iter().zip(threads) {
            let mut times = thread.join().map_err(|_| "a group's thread panicked")??;
            times.sort_unstable();
            println!(
                "{{\"interval_ms\":{},\"fault\":\"{}\",\"runs\":{},\"least_ms\":{},\"median_ms\":{},\"most_ms\":{}}}",
                group.interval,
                if group.silent { "silent" } else { "refuses" },
                times.len(),
                times[0],
                times[times.len() / 2],
                times[times.len() - 1],
            );
        }
        Ok(())
    })
}

/// Breaks the services of a group in turn; milliseconds each.
fn group(at: usize, server: SocketAddr) -> Result<Vec<u128>, Box<dyn Error>> {
    let broken: [AtomicBool; RUNS as usize] = Default::default();
    let stop = AtomicBool::new(false);
    let targets =
        (0..2 * RUNS).map(|run| Target::open(at, run / 2, run % 2)).collect::<Result<Vec<_>, _>>()?;
    thread::scope(|scope| {
        scope.spawn(|| play(targets, &broken, &stop));
        let times = measure(at, server, &broken);
        stop.store(true, Ordering::Relaxed);
        times
    })
}

fn measure(at: usize, server: SocketAddr, broken: &[AtomicBool]) -> Result<Vec<u128>, Box<dyn Error>> {
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    socket.connect(server)?;
    socket.set_read_timeout(Some(Duration::from_millis(100)))?;
    let mut random = Random(0x9E37_79B9_7F4A_7C15 ^ at as u64);
    thread::sleep(SETTLED);
    let mut times = Vec::new();
    for run in 0..RUNS {
        let question = compose(&name(at, run), None, false).ok_or("a name")?;
        let (before, after) = (vip(at, run, 0), vip(at, run, 1));
        if ask(&socket, &question)? != Some(before) {
            return Err(format!("{} is not answered {before}", name(at, run)).into());
        }
        thread::sleep(Duration::from_millis(GROUPS[at].interval).mul_f64(random.share()));
        broken[usize::from(run)].store(true, Ordering::Relaxed);
        let start = Instant::now();
        while ask(&socket, &question)? != Some(after) {
            if start.elapsed() > LIMIT {
                return Err(format!("{} did not move", name(at, run)).into());
            }
            thread::sleep(STEP);
        }
        times.push(start.elapsed().as_millis());
    }
    Ok(times)
}

fn ask(socket: &UdpSocket, question: &[u8]) -> io::Result<Option<Ipv4Addr>> {
    socket.send(question)?;
    let mut reply = [0; 512];
    match socket.recv(&mut reply) {
        Ok(length) => Ok(query::first_address(&reply[..length])),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
        Err(error) => Err(error),
    }
}

/// What the server probes.
enum Target {
    Refuses(TcpListener),
    Silent(UdpSocket),
}

impl Target {
    fn open(group: usize, run: u8, datacenter: u8) -> io::Result<(u8, u8, Self)> {
        let address = (IpAddr::V4(vip(group, run, datacenter)), PORT);
        let target = if GROUPS[group].silent {
            let socket = UdpSocket::bind(address)?;
            socket.set_nonblocking(true)?;
            Self::Silent(socket)
        } else {
            let listener = TcpListener::bind(address)?;
            listener.set_nonblocking(true)?;
            Self::Refuses(listener)
        };
        Ok((run, datacenter, target))
    }

    /// Answers whoever has come.
    fn serve(&self) {
        match self {
            Self::Refuses(listener) => while listener.accept().is_ok() {},
            Self::Silent(socket) => {
                let mut word = [0; 64];
                while let Ok((length, from)) = socket.recv_from(&mut word) {
                    // One that went away needs none.
                    let _ = socket.send_to(&word[..length], from);
                }
            }
        }
    }
}

/// Plays targets until `stop`: those of broken runs in the first datacenter
/// close, or keep their port and say nothing.
fn play(mut targets: Vec<(u8, u8, Target)>, broken: &[AtomicBool], stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        let fine =
            |run: u8, datacenter: u8| datacenter == 1 || !broken[usize::from(run)].load(Ordering::Relaxed);
        targets.retain(|(run, datacenter, target)| {
            fine(*run, *datacenter) || matches!(target, Target::Silent(_))
        });
        for (run, datacenter, target) in &targets {
            if fine(*run, *datacenter) {
                target.serve();
            }
        }
        thread::sleep(SERVE);
    }
}
