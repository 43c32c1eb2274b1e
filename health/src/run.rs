//! Running probes: when, how often, and who is told.
//!
//! A [`Prober`] has a thread of its own with a tokio runtime of its own: what
//! probes cost never delays an answer of the name server. It is told what to
//! probe by [`Prober::assign`] and reports [`Finding`]s, a batch at a time. Each
//! task is a loop that waits, probes, and asks its [`Machine`] how soon
//! again; so a target is never asked twice at once.
//!
//! What is new is probed at once, spread over a moment. What was probed
//! before goes on as it was, with its machine, whatever else
//! changes: tasks are told apart by their keys alone.
//!
//! A budget limits starts a second, and a share of the process's descriptors
//! the probes under way. Both delay, neither drops: late votes grow stale
//! where anyone can see it ([`Figures::late`]), missing ones would not.
//!
//! **Invariant:** nothing is decided here. A finding bears the machine's
//! opinion; what it means is the ballot's business.

mod batch;
mod budget;
mod schedule;
#[cfg(test)]
mod tests;

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use rhumb_zones::Probe;
use rustix::process::{Resource, getrlimit};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc;

use self::batch::Batch;
pub use self::schedule::Figures;
use self::schedule::Schedule;
use crate::machine::Standing;
use crate::probe::{Kind, Tools};
use crate::reply::Reply;
use crate::status::Status;

/// Number of a task, as whoever assigns it counts. Findings of tasks that are
/// no longer assigned may still be on their way: a number that is given to
/// another key must not be one of the assignment before.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct TaskId(pub u32);

/// Something to probe for as long as it is assigned.
#[derive(Clone, Debug)]
pub struct Task {
    /// What its findings bear.
    pub id: TaskId,
    /// What it is: a task with the key of a running one is that task, and goes
    /// on with its own kind, probe and memory. Distinct within an assignment.
    pub key: Arc<str>,
    /// What to do.
    pub kind: Arc<dyn Kind>,
    /// How often, how long, from where.
    pub probe: Arc<Probe>,
    /// The target's own address.
    pub address: Option<IpAddr>,
    /// What was known of it before.
    pub initial: Status,
}

/// What a probe found, and what it adds up to.
#[derive(Clone, PartialEq, Debug)]
pub struct Finding {
    /// Whose it is.
    pub task: TaskId,
    /// When it was known, since the Unix epoch.
    pub at: Duration,
    /// The probe's reply.
    pub reply: Reply,
    /// What its machine thinks now.
    pub standing: Standing,
}

/// How much of the machine probing may take.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Probes started in a second.
    pub starts_per_second: u32,
    /// Probes under way at once that hold descriptors.
    pub connections: usize,
    /// Commands under way at once.
    pub commands: usize,
}

impl Limits {
    /// 10,000 targets every second, and as much again for those that are
    /// probed faster while something is wrong.
    pub const STARTS_PER_SECOND: u32 = 20_000;

    /// Commands are for what nothing else can ask: few, and each a process.
    pub const COMMANDS: usize = 32;

    /// Descriptors of one probe at most: overlapping tries, or the ends of
    /// a command's pipes.
    const DESCRIPTORS_EACH: u64 = 4;

    /// Where nothing limits them.
    const MANY: u64 = 1 << 20;

    /// What this process may use: half of its descriptors (`ulimit -n`), for
    /// the name server needs the others.
    #[must_use]
    pub fn of_this_process() -> Self {
        let descriptors = getrlimit(Resource::Nofile).current.unwrap_or(Self::MANY);
        let connections = usize::try_from(descriptors / 2 / Self::DESCRIPTORS_EACH).unwrap_or(usize::MAX);
        Self {
            starts_per_second: Self::STARTS_PER_SECOND,
            connections: connections.clamp(1, tokio::sync::Semaphore::MAX_PERMITS),
            commands: Self::COMMANDS,
        }
    }
}

/// Probes what it is assigned until it is dropped.
#[derive(Debug)]
pub struct Prober {
    orders: Option<mpsc::UnboundedSender<Vec<Task>>>,
    schedule: Arc<Schedule>,
    thread: Option<JoinHandle<()>>,
}

impl Prober {
    /// Turns of work between looks at sockets and timers: a turn may be half a
    /// millisecond of cryptography.
    const TURNS: u32 = 8;

    /// Starts the thread. Findings go to `report` on that thread, within 2 ms.
    ///
    /// # Errors
    /// Where the system has no thread or descriptor left.
    pub fn spawn(limits: Limits, report: impl FnMut(Vec<Finding>) + Send + 'static) -> io::Result<Self> {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .event_interval(Self::TURNS)
            .max_blocking_threads(Tools::THREADS)
            .build()?;
        let (orders, assigned) = mpsc::unbounded_channel();
        let batch = Arc::new(Batch::default());
        let schedule = Arc::new(Schedule::new(limits, Arc::clone(&batch)));
        let work = run(Arc::clone(&schedule), assigned, report);
        let thread = std::thread::Builder::new().name("probes".into()).spawn(move || drive(runtime, work))?;
        Ok(Self { orders: Some(orders), schedule, thread: Some(thread) })
    }

    /// Probes these and no others from now on.
    pub fn assign(&self, tasks: Vec<Task>) {
        let orders = self.orders.as_ref().expect("only dropping takes it");
        // Fails only when the thread has panicked, which it has said.
        let _ = orders.send(tasks);
    }

    /// What probing has come to so far.
    #[must_use]
    pub fn figures(&self) -> Figures {
        self.schedule.figures()
    }
}

impl Drop for Prober {
    /// Stops, ends commands under way, and waits for the thread: nothing is
    /// reported afterwards. `report` must not wait for whoever drops this.
    fn drop(&mut self) {
        self.orders = None;
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

fn drive(runtime: Runtime, work: impl Future<Output = ()>) {
    runtime.block_on(work);
    // Without waiting for a file system that hangs.
    runtime.shutdown_background();
}

async fn run(
    schedule: Arc<Schedule>,
    mut assigned: mpsc::UnboundedReceiver<Vec<Task>>,
    report: impl FnMut(Vec<Finding>) + Send + 'static,
) {
    let batch = schedule.batch();
    let deliver = batch.deliver(report);
    let assign = async {
        let mut running = schedule::Running::default();
        while let Some(mut tasks) = assigned.recv().await {
            while let Ok(newer) = assigned.try_recv() {
                tasks = newer;
            }
            running.assign(&schedule, tasks);
        }
    };
    tokio::select! {
        () = assign => {}
        () = deliver => {}
    }
}
