//! What it costs to probe 10,000 targets every second.
//!
//!     cargo run --release -p rhumb-health --example many -- ping [SECONDS]
//!     cargo run --release -p rhumb-health --example many -- tcp [SECONDS]
//!
//! The targets are addresses of this machine (127.0.0.0/8), so that the kernel's
//! work for both ends of a packet is in the figures. `tcp` connects to a
//! listener in another process and puts beside it the same number of
//! connections from a bare loop: socket, connect, close; as fast as they go, and
//! at the rate of the probes.
//!
//! Findings are measured after the first five seconds, when all targets have
//! had their first probe.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    reason = "a program that measures may fail, reads the clock and prints"
)]

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rhumb_health::run::{Finding, Limits, Prober, Task, TaskId};
use rhumb_health::{Status, probe};
use rhumb_zones::{Files, LoadOptions, ReadError, Reader, Source, load};
use socket2::{Domain, Socket, Type};

/// As many as the issue asks for.
const TARGETS: u32 = 10_000;

/// Comparisons of probes with a bare loop: other work on the machine tilts one.
const ROUNDS: u32 = 3;

/// Between ten connections and the next ten, at the rate of the probes.
const PAUSE: Duration = Duration::from_millis(1);

/// How long the first probes may take to spread.
const WARM_UP: Duration = Duration::from_secs(5);

/// Ticks of `/proc/PID/stat` in a second (`getconf CLK_TCK`).
const TICKS: f64 = 100.0;

struct NoFiles;

impl Files for NoFiles {
    fn read(&self, _: &str, path: &str) -> Result<(String, Vec<u8>), ReadError> {
        Err(ReadError(path.to_owned()))
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let seconds = arguments.get(1).and_then(|text| text.parse().ok()).unwrap_or(60);
    match arguments.first().map(String::as_str) {
        Some("ping") => report("ping", &measure("{ ping: , interval: 1s }", seconds)),
        Some("tcp") => tcp(seconds),
        Some("listen") => listen(),
        _ => println!("usage: many ping|tcp [SECONDS]"),
    }
}

/// What was found in the time measured.
struct Measured {
    seconds: f64,
    cpu: f64,
    starts: u64,
    failed: u64,
    lost: u64,
    latest: f64,
    late: u64,
    strays: u64,
}

#[derive(Default)]
struct Counts {
    failed: AtomicU64,
    lost: AtomicU64,
}

fn measure(text: &str, seconds: u64) -> Measured {
    let counts = Arc::new(Counts::default());
    let heard = Arc::clone(&counts);
    let hear = move |batch: Vec<Finding>| {
        for Finding { reply, .. } in batch {
            heard.failed.fetch_add(u64::from(reply.outcome.is_err()), Ordering::Relaxed);
            heard.lost.fetch_add(u64::from(reply.lost), Ordering::Relaxed);
        }
    };
    let prober = Prober::spawn(Limits::of_this_process(), hear).unwrap();
    prober.assign(tasks(text));
    sleep(WARM_UP);
    let (before, cpu, start) = (prober.figures(), cpu_seconds(), Instant::now());
    sleep(Duration::from_secs(seconds));
    let (after, seconds) = (prober.figures(), start.elapsed().as_secs_f64());
    Measured {
        seconds,
        cpu: cpu_seconds() - cpu,
        starts: after.starts - before.starts,
        failed: counts.failed.load(Ordering::Relaxed),
        lost: counts.lost.load(Ordering::Relaxed),
        latest: after.latest,
        late: after.late,
        strays: after.strays,
    }
}

fn tasks(text: &str) -> Vec<Task> {
    let policy = format!("checks: {{ c: {text} }}");
    let sources = [Source { path: Arc::from("many"), bytes: policy.into_bytes() }];
    let mut loaded = load(&sources, &NoFiles, &LoadOptions::default());
    let probe = Arc::clone(&loaded.model.checks()[0].probe);
    let mut out = std::mem::take(&mut loaded.diagnostics);
    let kind: Arc<dyn probe::Kind> = probe::read(&probe, &mut Reader::new(&mut out, "c")).unwrap().into();
    let task = |number: u32| {
        let address = IpAddr::V4(Ipv4Addr::from(0x7f01_0000 + number));
        let (kind, probe) = (Arc::clone(&kind), Arc::clone(&probe));
        let key = number.to_string().into();
        Task { id: TaskId(number), key, kind, probe, address: Some(address), initial: Status::Unknown }
    };
    (0..TARGETS).map(task).collect()
}

fn report(name: &str, measured: &Measured) {
    let Measured { seconds, cpu, starts, failed, lost, latest, late, strays } = measured;
    println!("{name}: {starts} probes of {TARGETS} targets in {seconds:.1} s");
    println!("  processor  {:.1} % of one core", cpu / seconds * 100.0);
    println!("  memory     {:.0} MB at most", memory_megabytes());
    println!("  latest     {:.2} % of its interval; {late} more than 10 %", latest * 100.0);
    println!("  failed     {failed} probes; {lost} tries lost; {strays} replies that nobody waited for");
}

fn tcp(seconds: u64) {
    let own = std::env::current_exe().unwrap();
    let mut listener = Command::new(own).arg("listen").stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(listener.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let port: u16 = line.trim().parse().unwrap();
    for round in 1..=ROUNDS {
        let measured = measure(&format!("{{ tcp: {port}, interval: 1s }}"), seconds);
        report(&format!("tcp, round {round}"), &measured);
        let each = |cpu: f64| cpu / measured.starts as f64 * 1e6;
        println!("  each       {:.1} µs", each(measured.cpu));
        for (pause, name) in [(None, "at once"), (Some(PAUSE), "at the same rate")] {
            let bare = bare_loop(u32::try_from(measured.starts).unwrap(), (port, pause));
            let ratio = measured.cpu / bare;
            println!("  bare loop  {:.1} µs {name}: probes take {ratio:.2} times as much", each(bare));
        }
    }
    listener.kill().unwrap();
    listener.wait().unwrap();
}

/// Processor time of so many connections, ten at a time where there is a pause.
fn bare_loop(connections: u32, (port, pause): (u16, Option<Duration>)) -> f64 {
    let (cpu, start) = (cpu_seconds(), Instant::now());
    for number in 0..connections {
        connect(SocketAddr::new(Ipv4Addr::from(0x7f01_0000 + number % TARGETS).into(), port));
        if let Some(pause) = pause.filter(|_| number % 10 == 9) {
            sleep((pause * (number / 10)).saturating_sub(start.elapsed()));
        }
    }
    cpu_seconds() - cpu
}

/// As a probe does: closed by a reset.
fn connect(to: SocketAddr) {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.connect(&to.into()).unwrap();
    socket.set_linger(Some(Duration::ZERO)).unwrap();
}

fn listen() {
    let listener = TcpListener::bind("0.0.0.0:0").unwrap();
    println!("{}", listener.local_addr().unwrap().port());
    // Longer than any burst.
    socket2::SockRef::from(&listener).listen(4096).unwrap();
    while let Ok((stream, _)) = listener.accept() {
        drop(stream);
    }
}

/// Of this process so far, user and system.
fn cpu_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: f64 = [11, 12].map(|field: usize| fields[field].parse::<f64>().unwrap()).iter().sum();
    ticks / TICKS
}

fn memory_megabytes() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1024.0
}
