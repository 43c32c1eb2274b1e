//! `rhumb-lab`: real faults on a real network, and what the server makes of
//! them.
//!
//! Worlds of network namespaces run side by side, each with a server under
//! test, a resolver, and users. For every fault the lab prints how long its
//! detection and the first right answer took and how many requests failed, and
//! requires that all is afterwards as it was. It ends badly when anything
//! missed.
//!
//! **Invariant:** nothing outside the lab's own namespaces and directories is
//! touched, and those go when it ends, however it ends.

mod application;
mod dns;
mod failure;
mod fault;
mod namespaces;
mod papers;
mod patience;
mod policy;
mod process;
mod report;
mod resolver;
mod rhumb;
mod scenario;
mod server;
mod topology;
mod traffic;
mod tun;
mod watch;
mod world;

use std::collections::VecDeque;
use std::env;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use crate::failure::{Done, Failure, While as _};
use crate::scenario::{Script, WORLDS};
use crate::world::World;

/// Worlds at a time: mostly they wait, but each has forty busy hosts.
const SIDE_BY_SIDE: usize = 6;

fn main() -> ExitCode {
    let start = Instant::now();
    match run() {
        Ok(()) if report::end(start.elapsed()) => ExitCode::SUCCESS,
        Ok(()) => ExitCode::FAILURE,
        Err(Unable::Here(why)) => {
            report::skipped(why);
            ExitCode::SUCCESS
        }
        Err(Unable::AtAll(why)) => {
            report::missed("the lab", why);
            ExitCode::from(2)
        }
    }
}

/// Why nothing was tried.
enum Unable {
    /// The machine lacks something.
    Here(Failure),
    /// The command line is wrong.
    AtAll(Failure),
}

fn run() -> Result<(), Unable> {
    let (program, scripts) = arguments().map_err(Unable::AtAll)?;
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register(signal, patience::interruption())
            .doing("signals")
            .map_err(Unable::AtAll)?;
    }
    namespaces::sweep();
    namespaces::available().map_err(Unable::Here)?;
    let scripts = Mutex::new(scripts);
    let next = || scripts.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
    thread::scope(|scope| {
        for _ in 0..SIDE_BY_SIDE {
            scope.spawn(|| {
                while let Some(script) = next() {
                    play(script, &program);
                }
            });
        }
    });
    Ok(())
}

/// `[--rhumb PATH] [WORLD…]`; all worlds unless some are named.
fn arguments() -> Done<(PathBuf, VecDeque<&'static Script>)> {
    let mut program = env::current_exe().doing("finding myself")?.with_file_name("rhumb");
    let mut chosen = VecDeque::new();
    let mut arguments = env::args().skip(1);
    while let Some(argument) = arguments.next() {
        if argument == "--rhumb" {
            program =
                arguments.next().map_or_else(|| Failure::because("--rhumb PATH"), |path| Ok(path.into()))?;
        } else {
            let names = || WORLDS.iter().map(|script| script.name).collect::<Vec<_>>().join(" ");
            let found = WORLDS.iter().find(|script| script.name == argument);
            chosen.push_back(found.map_or_else(
                || Failure::because(format!("usage: rhumb-lab [--rhumb PATH] [WORLD…]; worlds: {}", names())),
                Ok,
            )?);
        }
    }
    if chosen.is_empty() {
        chosen.extend(&WORLDS);
    }
    Ok((program, chosen))
}

/// Builds a world and plays in it; an interrupted one says nothing.
fn play(script: &Script, program: &Path) {
    if patience::is_interrupted() {
        return;
    }
    let played =
        World::build(script.name, program, (script.policy)()).and_then(|mut world| (script.play)(&mut world));
    if let Err(failure) = played {
        report::missed(&format!("world {}", script.name), failure);
    }
}
