//! Cores and processor time.

use std::fs;
use std::io;

use nix::sched::{CpuSet, sched_setaffinity};
use nix::unistd::Pid;

/// Ties this thread to one core.
///
/// # Errors
/// When there is no such core.
pub fn pin(core: usize) -> io::Result<()> {
    let mut set = CpuSet::new();
    set.set(core)?;
    Ok(sched_setaffinity(Pid::from_raw(0), &set)?)
}

/// Processor time, user and system, of all threads of some processes so far,
/// in nanoseconds.
///
/// From `schedstat`: `/proc/PID/stat` adds up the same times and then rounds
/// them to 10 ms, a percent of a run.
///
/// # Errors
/// When there is no such process or the kernel keeps no such figures.
pub fn cpu_time(pids: &[u32]) -> io::Result<u64> {
    let mut sum = 0;
    for pid in pids {
        for task in fs::read_dir(format!("/proc/{pid}/task"))? {
            let text = fs::read_to_string(task?.path().join("schedstat"))?;
            let first = text.split(' ').next().and_then(|word| word.parse::<u64>().ok());
            sum += first.ok_or_else(|| io::Error::other("schedstat has no times"))?;
        }
    }
    Ok(sum)
}
