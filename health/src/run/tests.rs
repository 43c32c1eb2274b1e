//! When tasks start, in virtual time, with a kind that says when it was asked.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Mutex;

use rhumb_zones::{Files, LoadOptions, ReadError, Source, load};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use super::*;
use crate::probe::{Cost, Running, Way};
use crate::reply::{Cause, Failure};

const SECOND: Duration = Duration::from_secs(1);
const MILLISECOND: Duration = Duration::from_millis(1);

/// What tests ask about.
#[derive(Default)]
struct Seen {
    starts: Vec<Duration>,
    under_way: usize,
    most_under_way: usize,
}

/// Takes `lasts`, and fails as `outcomes` say, in turn; then succeeds.
struct Fake {
    lasts: Duration,
    cost: Cost,
    began: Instant,
    outcomes: Mutex<VecDeque<bool>>,
    seen: Arc<Mutex<Seen>>,
}

impl fmt::Debug for Fake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fake")
    }
}

impl Kind for Fake {
    fn describe(&self) -> String {
        "fake".into()
    }

    fn needs_target_address(&self) -> bool {
        false
    }

    fn cost(&self) -> Cost {
        self.cost
    }

    fn run<'a>(&'a self, _: &'a Way<'a>) -> Running<'a> {
        Box::pin(async move {
            {
                let mut seen = self.seen.lock().unwrap();
                seen.starts.push(self.began.elapsed());
                seen.under_way += 1;
                seen.most_under_way = seen.most_under_way.max(seen.under_way);
            }
            sleep(self.lasts).await;
            self.seen.lock().unwrap().under_way -= 1;
            let is_good = self.outcomes.lock().unwrap().pop_front().unwrap_or(true);
            let failure = Failure { cause: Cause::Wrong, text: "as told".into() };
            let outcome = if is_good { Ok(()) } else { Err(failure) };
            Reply { outcome, tries: 1, lost: 0, delay: None, report: None }
        })
    }
}

struct NoFiles;

impl Files for NoFiles {
    fn read(&self, _: &str, path: &str) -> Result<(String, Vec<u8>), ReadError> {
        Err(ReadError(path.to_owned()))
    }
}

/// A probe with these keys.
fn probe(keys: &str) -> Arc<Probe> {
    let policy = format!("checks: {{ c: {{ file: /f, {keys} }} }}");
    let sources = [Source { path: Arc::from("f"), bytes: policy.into_bytes() }];
    let loaded = load(&sources, &NoFiles, &LoadOptions::default());
    assert!(loaded.diagnostics.is_empty(), "{}", loaded.diagnostics);
    Arc::clone(&loaded.model.checks()[0].probe)
}

/// A prober in virtual time.
struct Bench {
    began: Instant,
    seen: Arc<Mutex<Seen>>,
    findings: Arc<Mutex<Vec<(Duration, Finding)>>>,
    schedule: Arc<Schedule>,
    orders: Option<mpsc::UnboundedSender<Vec<Task>>>,
    work: JoinHandle<()>,
}

const LIMITS: Limits = Limits { starts_per_second: 20_000, connections: 10_000, commands: 10 };

impl Bench {
    fn new(limits: Limits) -> Self {
        let (orders, assigned) = mpsc::unbounded_channel();
        let schedule = Arc::new(Schedule::new(limits, Arc::default()));
        let began = Instant::now();
        let findings: Arc<Mutex<Vec<(Duration, Finding)>>> = Arc::default();
        let heard = Arc::clone(&findings);
        let report = move |batch: Vec<Finding>| {
            let at = began.elapsed();
            heard.lock().unwrap().extend(batch.into_iter().map(|finding| (at, finding)));
        };
        let work = tokio::spawn(run(Arc::clone(&schedule), assigned, report));
        Self { began, seen: Arc::default(), findings, schedule, orders: Some(orders), work }
    }

    fn task(&self, (id, key): (u32, &str), keys: &str, (lasts, outcomes): (Duration, &[bool])) -> Task {
        let kind = Arc::new(Fake {
            lasts,
            cost: Cost::Descriptors,
            began: self.began,
            outcomes: Mutex::new(outcomes.iter().copied().collect()),
            seen: Arc::clone(&self.seen),
        });
        let (key, probe) = (key.into(), probe(keys));
        Task { id: TaskId(id), key, kind, probe, address: None, initial: Status::Up }
    }

    fn assign(&self, tasks: Vec<Task>) {
        self.orders.as_ref().unwrap().send(tasks).unwrap();
    }

    /// Starts so far.
    fn starts(&self) -> Vec<Duration> {
        self.seen.lock().unwrap().starts.clone()
    }

    /// From start to start.
    fn gaps(&self) -> Vec<Duration> {
        self.starts().windows(2).map(|pair| pair[1] - pair[0]).collect()
    }
}

/// Whether a gap is as long as it should be, as far as timers tell.
fn is_about(gap: Duration, want: Duration) -> bool {
    want <= gap + MILLISECOND && gap <= want + 2 * MILLISECOND
}

/// Keys, how long each probe lasts, outcomes, gaps in milliseconds, why.
type Row = (&'static str, Duration, &'static [bool], &'static [u32], &'static str);

#[tokio::test(start_paused = true)]
async fn intervals_are_start_to_start() {
    let rows: [Row; 5] = [
        ("interval: 2s, jitter: 0", Duration::ZERO, &[], &[2000, 2000], "steady"),
        ("interval: 2s, jitter: 0", 700 * MILLISECOND, &[], &[2000, 2000], "its own time is in it"),
        ("interval: 2s, timeout: 2s, jitter: 0", 3 * SECOND, &[], &[3000, 3000], "never twice at once"),
        (
            "interval: 2s, jitter: 0, fall: 3",
            Duration::ZERO,
            &[true, false, false, false],
            &[2000, 500, 500, 2000, 500],
            "fast from the first failure until it is down, then from the first success",
        ),
        (
            "interval: 2s, fast-interval: 100ms, jitter: 0",
            300 * MILLISECOND,
            &[false],
            &[300, 2000],
            "a fast one that lasts longer; one failure is forgotten at once",
        ),
    ];
    for (keys, lasts, outcomes, gaps, why) in rows {
        let bench = Bench::new(LIMITS);
        bench.assign(vec![bench.task((0, "a"), keys, (lasts, outcomes))]);
        sleep(20 * SECOND).await;
        let got = bench.gaps();
        for (got, want) in got.iter().zip(gaps) {
            assert!(is_about(*got, *want * MILLISECOND), "{keys}: {why}: {got:?}, not {want} ms");
        }
        assert!(got.len() >= gaps.len(), "{keys}: {why}");
        assert_eq!(bench.seen.lock().unwrap().most_under_way, 1, "{keys}: {why}");
    }
}

#[tokio::test(start_paused = true)]
async fn jitter_spreads_both_ways() {
    let bench = Bench::new(LIMITS);
    bench.assign(vec![bench.task((0, "a"), "interval: 1s, jitter: 20%", (Duration::ZERO, &[]))]);
    sleep(1000 * SECOND).await;
    let gaps = bench.gaps();
    let (least, most) = (gaps.iter().min().unwrap(), gaps.iter().max().unwrap());
    assert!(*least >= 799 * MILLISECOND && *least < 830 * MILLISECOND, "{least:?}");
    assert!(*most <= 1202 * MILLISECOND && *most > 1170 * MILLISECOND, "{most:?}");
    let mean = gaps.iter().sum::<Duration>() / u32::try_from(gaps.len()).unwrap();
    assert!(mean > 975 * MILLISECOND && mean < 1025 * MILLISECOND, "{mean:?}");
}

#[tokio::test(start_paused = true)]
async fn first_probes_are_at_once_and_spread() {
    let rows = [
        (1, "interval: 1h", 3, "one is at once"),
        (100, "interval: 1h", 103, "a millisecond each"),
        (5000, "interval: 1h", 1003, "a second at most"),
        (5000, "interval: 500ms, timeout: 500ms, jitter: 0", 503, "an interval at most"),
    ];
    for (tasks, keys, most, why) in rows {
        let bench = Bench::new(LIMITS);
        let all = (0..tasks).map(|id| bench.task((id, &id.to_string()), keys, (Duration::ZERO, &[])));
        bench.assign(all.collect());
        sleep(most * MILLISECOND).await;
        let starts = bench.starts();
        assert!(starts.len() >= tasks as usize, "{why}: {} started", starts.len());
        let (first, last) = (starts[0], starts[tasks as usize - 1]);
        assert!(tasks == 1 || last - first > most * MILLISECOND / 2, "{why}: from {first:?} to {last:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_budget_delays_and_drops_nothing() {
    let bench = Bench::new(Limits { starts_per_second: 100, ..LIMITS });
    let tasks = (0..1000).map(|id| bench.task((id, &id.to_string()), "interval: 1h", (Duration::ZERO, &[])));
    bench.assign(tasks.collect());
    sleep(11 * SECOND).await;
    let starts = bench.starts();
    assert_eq!(starts.len(), 1000, "all of them");
    for window in starts.windows(107) {
        assert!(window[106] - window[0] >= SECOND - 10 * MILLISECOND, "{window:?}");
    }
    assert!(bench.schedule.figures().latest > 0.0, "who is late is seen to be");
}

#[tokio::test(start_paused = true)]
async fn so_many_at_once_and_no_more() {
    let bench = Bench::new(Limits { connections: 5, ..LIMITS });
    let tasks = (0..100).map(|id| bench.task((id, &id.to_string()), "interval: 1h", (SECOND, &[])));
    bench.assign(tasks.collect());
    sleep(22 * SECOND).await;
    assert_eq!(bench.starts().len(), 100, "all of them");
    assert_eq!(bench.seen.lock().unwrap().most_under_way, 5);
}

#[tokio::test(start_paused = true)]
async fn who_stays_goes_on_as_before() {
    let bench = Bench::new(LIMITS);
    let keys = "interval: 10s, fast-interval: 10s, jitter: 0, fall: 3";
    let failing = [false; 100];
    let tasks = |first| {
        vec![
            bench.task((first, "stays"), keys, (Duration::ZERO, &failing)),
            bench.task((first + 1, &format!("goes {first}")), keys, (Duration::ZERO, &failing)),
        ]
    };
    bench.assign(tasks(0));
    sleep(15 * SECOND).await;
    bench.assign(tasks(10));
    sleep(7 * SECOND).await;
    let findings = bench.findings.lock().unwrap();
    let of = |id| -> Vec<(u64, Status)> {
        let own = findings.iter().filter(|(_, finding)| finding.task == TaskId(id));
        own.map(|(at, finding)| (at.as_secs(), finding.standing.leaning)).collect()
    };
    assert_eq!(of(0), [(0, Status::Up), (10, Status::Up)], "under its first number");
    assert_eq!(of(10), [(20, Status::Down)], "in its old rhythm, with its memory, under the new");
    assert_eq!(of(1), [(0, Status::Up), (10, Status::Up)], "the other stopped");
    assert_eq!(of(11), [(15, Status::Up)], "its successor began at once, knowing nothing");
}

#[tokio::test(start_paused = true)]
async fn who_goes_stops_in_its_tracks() {
    let mut bench = Bench::new(LIMITS);
    bench.assign(vec![bench.task((0, "a"), "interval: 1s, jitter: 0", (500 * MILLISECOND, &[]))]);
    sleep(250 * MILLISECOND).await;
    bench.assign(Vec::new());
    sleep(10 * SECOND).await;
    assert_eq!((bench.starts().len(), bench.findings.lock().unwrap().len()), (1, 0), "a finding of none");
    bench.orders = None;
    (&mut bench.work).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn findings_leave_within_two_milliseconds() {
    let bench = Bench::new(LIMITS);
    let keys = "interval: 10s, timeout: 10s";
    let tasks = (0..2000).map(|id| bench.task((id, &id.to_string()), keys, (Duration::ZERO, &[])));
    bench.assign(tasks.collect());
    sleep(5 * SECOND).await;
    let mut starts = bench.starts();
    starts.sort_unstable();
    let findings = bench.findings.lock().unwrap();
    assert_eq!(findings.len(), 2000);
    for (start, (heard, _)) in starts.iter().zip(findings.iter()) {
        // The probe itself takes a turn of the timer.
        assert!(*heard - *start <= 4 * MILLISECOND, "{start:?}, heard {heard:?}");
    }
    let batches = findings.chunk_by(|(a, _), (b, _)| a == b).count();
    assert!(batches < 1100, "{batches} batches of 2,000 findings");
}
