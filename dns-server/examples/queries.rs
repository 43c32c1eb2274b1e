//! Questions of a file, asked in process: what they cost from the packet that
//! came to the bytes that go, without the system's part.
//!
//!     queries COUNT CASE.queries… -- POLICY… [--geo FILE] [--state DIR]
//!
//! loads policies as `rhumb serve` does, asks every question of each file once
//! and holds the answer against the file's, so that what is timed is right and
//! signatures are made; then asks COUNT of them in [`measured`], the one
//! function that a profiler has to watch. It waits for a line on standard input
//! before that, so that the profiler may be woken after loading:
//! `bench/instructions` does. Without one it prints nanoseconds per query.

#![allow(clippy::print_stdout, reason = "an example may print")]
#![allow(unreachable_pub, reason = "the module of questions is a crate of its own in bench/")]

use std::error::Error;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use clap::Parser;
use rhumb::config::{Config, Flags};
use rhumb::front;
use rhumb::load::Loader;
use rhumb::reload::Reloader;
use rhumb::respond::{Meta, Scratch, Transport};
use rhumb::serial::Serials;
use rhumb::snapshot::Snapshot;
use rhumb::stats::Stats;
use rhumb_zones::LoadOptions;

#[path = "../../bench/src/query.rs"]
#[allow(dead_code, reason = "the generator in bench/ uses all of it")]
mod query;

use query::Query;

#[derive(Parser)]
struct Command {
    /// Queries to count for each file
    count: usize,
    /// Files of questions, as `bench/` writes them
    #[arg(required = true)]
    files: Vec<String>,
}

#[derive(Parser)]
struct Serve {
    #[command(flatten)]
    flags: Flags,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let divide = arguments.iter().position(|word| word == "--").ok_or("the policies come after --")?;
    let Command { count, files } = Command::parse_from(&arguments[..divide]);
    let Serve { flags } = Serve::parse_from(&arguments[divide..]);
    let Config { sources, options, .. } = Config::new(flags)?;
    let loader = Loader::new(sources, LoadOptions::default());
    let reloader = Reloader::new(loader, Serials::default(), options).map_err(|wrong| wrong.join("\n"))?;
    let snapshot = reloader.publisher().current();
    let mut worker = Worker::new(&snapshot)?;
    let cases = files.iter().map(|file| query::read(Path::new(file))).collect::<Result<Vec<_>, _>>()?;
    for (file, queries) in files.iter().zip(&cases) {
        worker.verify(queries).map_err(|wrong| format!("{file}: {wrong}"))?;
    }
    println!("ready");
    std::io::stdin().read_line(&mut String::new())?;
    for (file, queries) in files.iter().zip(&cases) {
        let start = Instant::now();
        let octets = measured(&mut worker, queries, count);
        let each = start.elapsed().as_nanos() / count.max(1) as u128;
        println!("{file}: {each} ns a query, {octets} octets in all");
    }
    Ok(())
}

/// All that is counted. Its result keeps the answers from being optimized away.
#[inline(never)]
fn measured(worker: &mut Worker<'_>, queries: &[Query], count: usize) -> usize {
    queries.iter().cycle().take(count).map(|query| worker.ask(query).len()).sum()
}

/// One UDP worker without its socket.
struct Worker<'a> {
    snapshot: &'a Snapshot,
    scratch: Scratch,
    meta: Meta,
    reply: Vec<u8>,
}

impl<'a> Worker<'a> {
    fn new(snapshot: &'a Snapshot) -> Result<Self, Box<dyn Error>> {
        let now = u32::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs())?;
        let source = IpAddr::V4(Ipv4Addr::LOCALHOST);
        Ok(Self {
            snapshot,
            scratch: Scratch::new(Arc::clone(&Stats::default().block())),
            meta: Meta { source, local: None, transport: Transport::Udp, idle: None, now, draw: 7 },
            reply: vec![0; usize::from(u16::MAX)],
        })
    }

    fn ask(&mut self, query: &Query) -> &[u8] {
        let Self { snapshot, scratch, meta, reply } = self;
        let length = front::answer(snapshot, scratch, (&query.packet, meta), reply).unwrap_or_default();
        &reply[..length]
    }

    fn verify(&mut self, queries: &[Query]) -> Result<(), String> {
        for (line, query) in queries.iter().enumerate() {
            let reply = self.ask(query);
            let told = query::header(reply).map(|header| (header.id, header.rcode, header.answers));
            let right =
                told == Some((0, 0, query.answers)) && query::first_address(reply) == Some(query.expected);
            if !right {
                return Err(format!("line {}: {told:?}, {:?}", line + 1, query::first_address(reply)));
            }
        }
        Ok(())
    }
}
