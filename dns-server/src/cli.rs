//! Commands: what they take, what they print, how they end.
//!
//! Each command is a file under `cli/`; it reads its arguments, calls the
//! library and prints. Nothing else in this crate prints. What was asked for
//! goes to standard output, what is wrong to standard error. The exit code
//! says which of three things happened: it is well (0), what was asked about
//! is bad (1), or the question could not be answered (2).

mod check;
mod demo;
mod evaluate;
mod explain;
mod health;
mod keys;
mod links;
mod orders;
mod probe;
mod running;
mod samples;
mod schema;
mod serve;
mod test;
mod train;

use std::error::Error;
use std::fmt;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use tracing_subscriber::filter::LevelFilter;

use crate::log;

const EXAMPLES: &str = "\
Examples:
  rhumb demo                                      a complete world on loopback, to try out
  rhumb check policies/                           find every mistake before it is served
  rhumb serve policies/ --listen 192.0.2.53:53    answer
  rhumb explain www.gslb.example.com --client 203.0.113.7
                                                  why does that client get that answer?
  rhumb drain north --for 2h --reason maintenance take a datacenter out of preference
  rhumb test tests.yaml                           run policy tests

Exit codes:
  0  well
  1  what was asked about is bad: a wrong policy, a failed case, a refused reload
  2  the question could not be answered: usage, a missing file, no running server";

/// An authoritative DNS server for global server load balancing.
#[derive(Parser)]
#[command(name = "rhumb", version, after_help = EXAMPLES, propagate_version = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// Least grave log line that is written: error, warn, info, debug or trace
    #[arg(long, global = true, value_name = "LEVEL", env = "RHUMB_LOG", default_value = "info")]
    log: LevelFilter,
    /// How log lines look
    #[arg(long, global = true, value_enum, default_value_t, value_name = "FORMAT")]
    log_format: log::Format,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the zones of a policy
    Serve(crate::config::Flags),
    /// Report every mistake in a policy
    Check(check::Check),
    /// Print the JSON Schema of a kind of file, for editors
    Schema(schema::Schema),
    /// Say why a client gets the answer it gets
    Explain(explain::Explain),
    /// Run policy tests
    Test(test::Test),
    /// Show what the running server serves
    Status(running::Status),
    /// Have the running server read its files again
    Reload(running::Reload),
    /// Show every target: what it counts as, since when, loss and delay
    Targets(health::Targets),
    /// Show what happened lately
    Events(health::Events),
    /// Show in which order balancers should try a service's nodes
    Plan(health::Plan),
    /// Count a target as up or down, whatever its probes say
    Force(orders::Force),
    /// Take a force back
    Unforce(orders::Unforce),
    /// Answer a datacenter, link, service or VIP only where nothing else is usable
    Drain(orders::Drain),
    /// Take drains back
    Undrain(orders::Undrain),
    /// Say where a service's writable store is now
    Promote(orders::Promote),
    /// Let a target with `recovery: manual` recover
    Recover(orders::Recover),
    /// Miss a silent site no more: its votes are not waited for
    Forget(orders::Forget),
    /// See to the keys of signed zones, the server running or not
    Keys(keys::Keys),
    /// Learn a link model from samples
    Train(train::Train),
    /// Play known decisions with a link model or a selector
    Evaluate(evaluate::Evaluate),
    /// Show the link models in use and what they learned, or have one taken back
    Links(links::Links),
    /// Probe what a site sees, and vote at servers
    Probe(probe::Probe),
    /// Serve a demonstration on loopback: no files, no root
    Demo(demo::Demo),
}

/// Which server a command talks to.
#[derive(Args)]
struct Socket {
    /// Unix socket of the running server [default: one per user]
    #[arg(long, value_name = "PATH")]
    admin: Option<PathBuf>,
}

impl Socket {
    fn path(self) -> PathBuf {
        self.admin.unwrap_or_else(crate::admin::default_path)
    }
}

/// How a command that could answer ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Ending {
    Well,
    Bad,
}

/// Why one could not. Printed with its sources, once, by [`main`].
type Failure = Box<dyn Error>;

/// Runs the command of this process's arguments.
#[must_use]
pub fn main() -> ExitCode {
    let Arguments { command, log, log_format } = Arguments::parse();
    log::init(log, log_format);
    let ending = match command {
        Command::Serve(flags) => serve::run(flags),
        Command::Check(check) => check.run(),
        Command::Schema(schema) => schema.run(),
        Command::Explain(explain) => explain.run(),
        Command::Test(test) => test.run(),
        Command::Status(status) => status.run(),
        Command::Reload(reload) => reload.run(),
        Command::Targets(targets) => targets.run(),
        Command::Events(events) => events.run(),
        Command::Plan(plan) => plan.run(),
        Command::Force(force) => force.run(),
        Command::Unforce(unforce) => unforce.run(),
        Command::Drain(drain) => drain.run(),
        Command::Undrain(undrain) => undrain.run(),
        Command::Promote(promote) => promote.run(),
        Command::Recover(recover) => recover.run(),
        Command::Forget(forget) => forget.run(),
        Command::Keys(keys) => keys.run(),
        Command::Train(train) => train.run(),
        Command::Evaluate(evaluate) => evaluate.run(),
        Command::Links(links) => links.run(),
        Command::Probe(probe) => probe.run(),
        Command::Demo(demo) => demo.run(),
    };
    match ending {
        Ok(Ending::Well) => ExitCode::SUCCESS,
        Ok(Ending::Bad) => ExitCode::from(1),
        Err(failure) => {
            complain(&format_args!("rhumb: {}", Chain(&*failure)));
            ExitCode::from(2)
        }
    }
}

/// Writes a line to standard output.
fn print(line: &dyn fmt::Display) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match writeln!(out, "{line}").and_then(|()| out.flush()) {
        // `rhumb check … | head` has read enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => Ok(written?),
    }
}

/// Writes a line to standard error; there is nowhere to say that it failed.
fn complain(line: &dyn fmt::Display) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// An error and its sources on one line.
struct Chain<'e>(&'e dyn Error);

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut next = self.0.source();
        while let Some(source) = next {
            write!(f, ": {source}")?;
            next = source.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        super::Arguments::command().debug_assert();
    }
}
