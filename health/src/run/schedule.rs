//! One loop for each task, and what all of them share.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use rhumb_zones::Probe;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep_until};

use super::batch::Batch;
use super::budget::Budget;
use super::{Finding, Limits, Task, TaskId};
use crate::clock;
use crate::machine::Machine;
use crate::probe::{Cost, Tools, Way};

/// Over how long the first probes of an assignment are spread at most.
const SPREAD: Duration = Duration::from_secs(1);

/// How much each task adds to that spread: a few targets are known at once.
const SPREAD_EACH: Duration = Duration::from_millis(1);

/// A start is late when it misses its time by more than this part of its
/// interval.
const LATE: f64 = 0.1;

/// Parts of an interval that the worst delay is counted in.
const PARTS: f64 = 1e6;

/// What probing has come to.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Figures {
    /// Probes started.
    pub starts: u64,
    /// Of them, more than a tenth of their interval late.
    pub late: u64,
    /// The latest of all, as a part of its interval.
    pub latest: f64,
    /// ICMP replies that nobody waited for.
    pub strays: u64,
}

/// What all tasks share.
#[derive(Debug)]
pub(super) struct Schedule {
    tools: Tools,
    batch: Arc<Batch>,
    budget: Budget,
    connections: Semaphore,
    commands: Semaphore,
    starts: AtomicU64,
    late: AtomicU64,
    latest: AtomicU64,
}

impl Schedule {
    pub(super) fn new(limits: Limits, batch: Arc<Batch>) -> Self {
        Self {
            tools: Tools::new(),
            batch,
            budget: Budget::new(limits.starts_per_second),
            connections: Semaphore::new(limits.connections.max(1)),
            commands: Semaphore::new(limits.commands.max(1)),
            starts: AtomicU64::new(0),
            late: AtomicU64::new(0),
            latest: AtomicU64::new(0),
        }
    }

    pub(super) fn batch(&self) -> Arc<Batch> {
        Arc::clone(&self.batch)
    }

    pub(super) fn figures(&self) -> Figures {
        #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
        let latest = self.latest.load(Ordering::Relaxed) as f64 / PARTS;
        let [starts, late] = [&self.starts, &self.late].map(|count| count.load(Ordering::Relaxed));
        Figures { starts, late, latest, strays: self.tools.strays() }
    }

    /// Waits for what a probe takes.
    async fn admit(&self, cost: Cost) -> Option<SemaphorePermit<'_>> {
        let permit = match cost {
            Cost::Shared => None,
            Cost::Descriptors => self.connections.acquire().await.ok(),
            Cost::Process => self.commands.acquire().await.ok(),
        };
        self.budget.take().await;
        permit
    }

    fn note_start(&self, late: Duration, interval: Duration) {
        let part = late.as_secs_f64() / interval.as_secs_f64().max(f64::MIN_POSITIVE);
        self.starts.fetch_add(1, Ordering::Relaxed);
        self.late.fetch_add(u64::from(part > LATE), Ordering::Relaxed);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "saturates, not negative"
        )]
        self.latest.fetch_max((part * PARTS) as u64, Ordering::Relaxed);
    }
}

/// Tasks under way.
#[derive(Debug, Default)]
pub(super) struct Running(HashMap<Arc<str>, Loop>);

#[derive(Debug)]
struct Loop {
    id: Arc<AtomicU32>,
    handle: AbortHandle,
}

impl Drop for Loop {
    fn drop(&mut self) {
        self.handle.abort();
    }
}

impl Running {
    /// Starts what is new, stops what is gone, and keeps the rest.
    pub(super) fn assign(&mut self, schedule: &Arc<Schedule>, tasks: Vec<Task>) {
        let keys: HashSet<&Arc<str>> = tasks.iter().map(|task| &task.key).collect();
        self.0.retain(|key, _| keys.contains(key));
        schedule.tools.tidy();
        let added: Vec<Task> = tasks
            .into_iter()
            .filter(|task| match self.0.get(&task.key) {
                Some(running) => {
                    running.id.store(task.id.0, Ordering::Relaxed);
                    false
                }
                None => true,
            })
            .collect();
        let spread = SPREAD.min(SPREAD_EACH.saturating_mul(u32::try_from(added.len()).unwrap_or(u32::MAX)));
        for task in added {
            let first = Instant::now() + spread.min(task.probe.interval).mul_f64(fastrand::f64());
            let (key, id) = (Arc::clone(&task.key), Arc::new(AtomicU32::new(task.id.0)));
            let probing = probe_for_ever(Arc::clone(schedule), task, (Arc::clone(&id), first));
            self.0.insert(key, Loop { id, handle: tokio::spawn(probing).abort_handle() });
        }
    }
}

async fn probe_for_ever(schedule: Arc<Schedule>, task: Task, (id, first): (Arc<AtomicU32>, Instant)) {
    let mut machine = Machine::new(&task.probe, task.initial);
    let mut due = first;
    loop {
        sleep_until(due).await;
        let permit = schedule.admit(task.kind.cost()).await;
        let start = Instant::now();
        schedule.note_start(start - due, task.probe.interval);
        let way = Way { probe: &task.probe, address: task.address, tools: &schedule.tools };
        let reply = task.kind.run(&way).await;
        drop(permit);
        let at = clock::now();
        machine.consume(&reply, at);
        let standing = machine.standing();
        let task_id = TaskId(id.load(Ordering::Relaxed));
        schedule.batch.push(Finding { task: task_id, at, reply, standing });
        due = (start + jittered(machine.next(), &task.probe)).max(Instant::now());
    }
}

/// An interval with its random spread.
fn jittered(interval: Duration, probe: &Probe) -> Duration {
    interval.mul_f64(1.0 + probe.jitter.clamp(0.0, 1.0) * (2.0 * fastrand::f64() - 1.0))
}
