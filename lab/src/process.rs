//! Programs under test: started in a space, with a log, ended with their owner.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::failure::{Done, While as _};
use crate::namespaces::Net;
use crate::patience::{GENEROUS, until};

/// A child that is killed when dropped.
pub(crate) struct Process {
    name: String,
    child: Child,
}

impl Process {
    /// Starts `command` in `space`; what it says goes to `log`.
    pub(crate) fn start(net: &Net, (space, log): (&str, &Path), mut command: Command) -> Done<Self> {
        let name = command.get_program().to_string_lossy().into_owned();
        let out = File::options().create(true).append(true).open(log).doing(log.display())?;
        let both = out.try_clone().doing(log.display())?;
        command.stdin(Stdio::null()).stdout(out).stderr(both);
        // A child of a thread lives where the thread is.
        let child = net.inside(space, || command.spawn())?.doing(format_args!("starting {name}"))?;
        Ok(Self { name, child })
    }

    /// Asks it to end, and waits until it has.
    pub(crate) fn end(mut self, signal: Signal) -> Done<ExitStatus> {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        if let Some(pid) = pid {
            kill_process(pid, signal).doing(format_args!("ending {}", self.name))?;
        }
        until(&format!("{} ends", self.name), GENEROUS, || self.child.try_wait().ok().flatten())
    }

    /// Whether it still runs.
    pub(crate) fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // One that has ended cannot be killed, and is still waited for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
