//! A command of the operator's own.
//!
//! For what no built-in kind can ask. The program is named by absolute path and
//! its arguments one by one, without a shell: nothing of the policy is ever
//! interpreted, and the search path of whoever starts the server does not
//! matter. Only the exit code decides.

mod child;

use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Arc;

use rhumb_zones::{Named, OneOrMany, Reader, Tree, spec};
use tokio::time::{Instant, timeout};

use self::child::Group;
use super::way::{first_word, local, new, wrong};
use super::{Cost, Kind, Running, Way};
use crate::reply::{Cause, Failure, Reply};

/// Where commands find others; that of whoever starts the server matters as
/// little here as for the program itself.
const SEARCH_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

spec! {
    /// Runs a command; its exit code is the verdict.
    pub struct Exec {
        /// The program, by absolute path, and its arguments. No shell is involved.
        exec: OneOrMany<Arc<str>>,
        /// Variables set for it.
        env: Named<Arc<str>>,
        /// Exit codes that mean up.
        exit: OneOrMany<u8> = OneOrMany(vec![0]),
    }
}

impl Kind for Exec {
    fn describe(&self) -> String {
        format!("command {}", self.exec.0.join(" "))
    }

    fn needs_target_address(&self) -> bool {
        false
    }

    fn reports(&self) -> bool {
        true
    }

    fn uses_network(&self) -> bool {
        false
    }

    fn cost(&self) -> Cost {
        Cost::Process
    }

    fn run<'a>(&'a self, way: &'a Way<'a>) -> Running<'a> {
        Box::pin(async move {
            let since = Instant::now();
            let Some(mut command) = self.command(way) else {
                return new(Cause::Local, "there is no program to start").into();
            };
            let (status, output) = match timeout(way.probe.timeout, Group::run(&mut command)).await {
                Ok(Ok(Some(ended))) => ended,
                Ok(Ok(None)) => return answered(Err(wrong("it writes without end"))),
                Ok(Err(error)) => return local("cannot start it", &error).into(),
                Err(_) => {
                    let failure = new(Cause::Silent, format!("killed after {:?}", way.probe.timeout));
                    return Reply { tries: 1, lost: 1, ..failure.into() };
                }
            };
            let reply = answered(self.judge(status, &output));
            Reply { delay: Some(since.elapsed()), report: first_word(&output), ..reply }
        })
    }

    fn check(&self, tree: &Tree, reader: &mut Reader<'_>) {
        let is_path = self.exec.0.first().is_some_and(|program| program.starts_with('/'));
        if !is_path {
            let at = tree.get("exec").map_or(&tree.at, |tree| &tree.at);
            reader
                .inside("exec", |reader| reader.wrong(at, "must start with the absolute path of a program"));
        }
        for (name, _) in
            self.env.iter().filter(|(name, _)| name.text.is_empty() || name.text.contains(['=', '\0']))
        {
            reader.inside("env", |reader| reader.wrong(&name.at, "must be the name of a variable"));
        }
    }
}

impl Exec {
    /// The command; it learns whom it is about from its environment.
    fn command(&self, way: &Way<'_>) -> Option<Command> {
        let (program, arguments) = self.exec.0.split_first()?;
        let mut command = Command::new(&**program);
        command.args(arguments.iter().map(|argument| &**argument)).stderr(Stdio::null());
        command.env_clear().env("PATH", SEARCH_PATH).current_dir("/");
        let timeout = Some(way.probe.timeout.as_secs_f64().to_string());
        let told = [
            ("RHUMB_ADDRESS", way.address.map(|address| address.to_string())),
            ("RHUMB_SOURCE", way.probe.source.map(|source| source.to_string())),
            ("RHUMB_INTERFACE", way.probe.interface.clone()),
            ("RHUMB_TIMEOUT", timeout),
        ];
        command.envs(told.into_iter().filter_map(|(name, value)| Some((name, value?))));
        command.envs(self.env.iter().map(|(name, value)| (&*name.text, &**value)));
        Some(command)
    }

    fn judge(&self, status: ExitStatus, output: &[u8]) -> Result<(), Failure> {
        let is_good = |code: i32| self.exit.0.iter().any(|good| i32::from(*good) == code);
        let what = match (status.code(), status.signal()) {
            (Some(code), _) if is_good(code) => return Ok(()),
            (Some(code), _) => format!("exit code {code}"),
            (None, signal) => format!("ended by signal {}", signal.unwrap_or_default()),
        };
        let text = String::from_utf8_lossy(output);
        match text.lines().find(|line| !line.trim().is_empty()) {
            Some(line) => Err(wrong(format!("{what}: {line}"))),
            None => Err(wrong(what)),
        }
    }
}

/// Commands do not get lost: there is one try.
const fn answered(outcome: Result<(), Failure>) -> Reply {
    Reply { outcome, tries: 1, lost: 0, delay: None, report: None }
}
