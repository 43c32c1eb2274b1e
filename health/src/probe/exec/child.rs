//! A command as a process group of its own.
//!
//! Its end is heard through a descriptor (`pidfd_open(2)`), without signals and
//! without a thread. Whether it ends by itself or not, its whole group is
//! killed before it is reaped: nothing that it left behind outlives its probe,
//! and until it is reaped its number cannot belong to another.
//!
//! A killed command that does not end, for it waits for a disk, is left to be
//! reaped when the next command starts.

use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError};

use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};
use tokio::io::{AsyncReadExt as _, Interest};
use tokio::net::unix::pipe::Receiver;

use crate::probe::way::watch;

/// Bytes of output that are kept: the first word stands in them.
const KEPT: usize = 4096;

/// Bytes of output at most; a command that writes more has gone wild.
const MAX_OUTPUT: usize = 1 << 20;

/// Killed, and not reaped yet.
static ORPHANS: Mutex<Vec<Child>> = Mutex::new(Vec::new());

/// A running command; dropping it kills all of it.
pub(super) struct Group {
    child: Option<Child>,
    pid: Pid,
}

impl Group {
    /// Starts a command and waits for its end; with the beginning of what it
    /// wrote, or none where it wrote too much.
    pub(super) async fn run(command: &mut Command) -> io::Result<Option<(ExitStatus, Vec<u8>)>> {
        reap_orphans();
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).process_group(0).spawn()?;
        let output = child.stdout.take();
        let mut group = Self { pid: Pid::from_child(&child), child: Some(child) };
        let end = pidfd_open(group.pid, PidfdFlags::NONBLOCK)?;
        let end = watch(end, Interest::READABLE)?;
        let mut output = output.map(|output| Receiver::from_owned_fd(output.into())).transpose()?;
        let mut wrote = Output::default();
        let read_all = async {
            match &mut output {
                Some(output) => wrote.read(output).await,
                None => Ok(()),
            }
        };
        // What it wrote comes before its end.
        tokio::select! {
            biased;
            read = read_all => { read?; }
            ended = end.readable() => { let _ = ended?; }
        }
        if wrote.len > MAX_OUTPUT {
            return Ok(None);
        }
        let _ = end.readable().await?;
        Ok(Some((group.reap()?, wrote.kept)))
    }

    /// After its end.
    fn reap(&mut self) -> io::Result<ExitStatus> {
        self.kill();
        let child = self.child.take();
        child.map_or_else(|| Err(io::Error::other("reaped twice")), |mut child| child.wait())
    }

    fn kill(&self) {
        // Fails when nothing of it is left, which is as well.
        let _ = kill_process_group(self.pid, Signal::KILL);
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(child) = self.child.take() {
            self.kill();
            ORPHANS.lock().unwrap_or_else(PoisonError::into_inner).push(child);
            reap_orphans();
        }
    }
}

fn reap_orphans() {
    let mut orphans = ORPHANS.lock().unwrap_or_else(PoisonError::into_inner);
    orphans.retain_mut(|child| matches!(child.try_wait(), Ok(None)));
}

#[derive(Default)]
struct Output {
    kept: Vec<u8>,
    len: usize,
}

impl Output {
    /// Reads until the end or until it is too much.
    async fn read(&mut self, from: &mut Receiver) -> io::Result<()> {
        let mut bytes = [0; KEPT];
        loop {
            let len = from.read(&mut bytes).await?;
            self.kept.extend_from_slice(&bytes[..len.min(KEPT - self.kept.len())]);
            self.len += len;
            if len == 0 || self.len > MAX_OUTPUT {
                return Ok(());
            }
        }
    }
}
