//! What a server of many services costs: to load, to hold, to change.
//!
//! ```text
//! cargo run --release -p rhumb --example scale -- SERVICES FILES GEO.mmdb
//! ```
//!
//! writes policies of so many services, each with 8 datacenters of 2 links and
//! a check on every VIP, spread over so many files of a zone each; loads them
//! as `rhumb serve` does; then plays a prober elsewhere whose votes bring down
//! and up one VIP, one VIP in a hundred, and one link with all of its VIPs; and
//! edits one service. Nothing is probed from here: all checks are another
//! site's. Figures are medians and 99th percentiles in milliseconds, from a
//! vote sent (or a reload asked for) to the snapshot that knows of it.

#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on has failed")]
#![allow(clippy::print_stdout, reason = "figures are for people")]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rhumb::alarm::{Herald, Patience};
use rhumb::keeper::{Ballots, Keeper, Keeping, Message};
use rhumb::load::{Loader, Sources};
use rhumb::publish::Publisher;
use rhumb::reload::{Outcome, Reloader, Request};
use rhumb::serial::Serials;
use rhumb_health::ballot::Vote;
use rhumb_health::run::Limits;
use rhumb_health::{Measure, Status};
use rhumb_zones::{LoadOptions, TargetId};

const DATACENTERS: usize = 8;
const LINKS: usize = 2;

/// Changes of each kind that are measured.
const ROUNDS: usize = 200;

/// Reloads that are measured.
const RELOADS: usize = 20;

/// Between changes: longer than the keeper gathers, so that each is met alone.
const PAUSE: Duration = Duration::from_millis(12);

/// A change that takes longer will never be published.
const LOST: Duration = Duration::from_secs(60);

/// The address of a VIP; `edit` makes it another one.
fn address(vip: usize, edit: usize) -> String {
    format!("10.{}.{}.{}", vip >> 16 & 63 | edit << 6, vip >> 8 & 255, vip & 255)
}

fn topology() -> String {
    let mut text = String::from("checks:\n  up: { tcp: 443, interval: 60s, from: [far] }\ndatacenters:\n");
    for dc in 0..DATACENTERS {
        write!(text, "  d{dc}: {{ at: [{}, {}], links: {{ ", dc * 10, dc * 20).unwrap();
        (0..LINKS).for_each(|link| {
            write!(text, "l{link}: {{ probe: {{ tcp: '192.0.2.1:443', interval: 60s, from: [far] }} }}, ")
                .unwrap();
        });
        text.push_str("} }\n");
    }
    text
}

fn service(text: &mut String, service: usize, edit: usize) {
    write!(text, "  s{service}:\n    check: up\n    vips:\n").unwrap();
    for dc in 0..DATACENTERS {
        write!(text, "      d{dc}: {{ ").unwrap();
        for link in 0..LINKS {
            let vip = (service * DATACENTERS + dc) * LINKS + link;
            write!(text, "l{link}: {}, ", address(vip, edit)).unwrap();
        }
        text.push_str("}\n");
    }
}

/// Writes zone `file` of `files`, its first service as it is after `edit`.
fn write(directory: &Path, (services, files, file): (usize, usize, usize), edit: usize) {
    let mut text = if files == 1 { topology() } else { String::new() };
    write!(text, "zone: z{file}.example\nservices:\n").unwrap();
    let own = (0..services).filter(|service| service % files == file);
    for (index, number) in own.enumerate() {
        service(&mut text, number, if index == 0 { edit } else { 0 });
    }
    fs::write(directory.join(format!("zone{file}.yaml")), text).unwrap();
}

/// Resident memory now and at most, MB.
fn memory() -> (f64, f64) {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let of = |key: &str| {
        let line = status.lines().find(|line| line.starts_with(key)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
    };
    (of("VmRSS:"), of("VmHWM:"))
}

/// CPU time of the threads of that name, in seconds.
fn cpu(thread: &str) -> f64 {
    let tasks = fs::read_dir("/proc/self/task").unwrap().flatten();
    let own = tasks.filter(|task| {
        fs::read_to_string(task.path().join("comm")).is_ok_and(|name| name.trim_end() == thread)
    });
    let spent = own.filter_map(|task| {
        let text = fs::read_to_string(task.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<f64>().ok()
    });
    spent.sum::<f64>() / 1e9
}

fn figures(what: &str, mut times: Vec<Duration>, cpu: f64) {
    times.sort_unstable();
    let rank = |percent: usize| times[(times.len() * percent).div_ceil(100) - 1].as_secs_f64() * 1e3;
    let each = cpu * 1e3 / times.len() as f64;
    println!("{what:24} p50 {:8.2} ms   p99 {:8.2} ms   CPU {each:8.2} ms each", rank(50), rank(99));
}

/// A prober elsewhere, and the server that hears it.
struct Stage {
    keeper: Keeper,
    publisher: Publisher,
    reload: Sender<Request>,
}

impl Stage {
    /// The names of what is voted on: VIPs by address, links by name.
    fn subject(&self, target: TargetId) -> String {
        let snapshot = self.publisher.current();
        let model = snapshot.parts().world.model();
        let name = model.target(target).name.to_string();
        let address = model.vips().iter().find(|vip| vip.target == target).map(|vip| vip.addresses[0]);
        address.map_or_else(|| name.clone(), |address| format!("{name}@{address}"))
    }

    fn vote(&self, subjects: &[String], leaning: Status) {
        let at = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let measure = Measure { tries: 1, ..Measure::default() };
        let vote = Vote { leaning, is_settled: true, measure, failure: None, at };
        let votes = subjects.iter().map(|subject| (subject.clone(), vote.clone())).collect();
        self.keeper.send(Message::Votes(Ballots { site: "far".into(), prober: "p".into(), votes }));
    }

    fn wait(&self, target: TargetId, is_up: bool) {
        let began = Instant::now();
        loop {
            let snapshot = self.publisher.current();
            let parts = snapshot.parts();
            if parts.state.target(&parts.world, target).is_up == is_up {
                return;
            }
            assert!(began.elapsed() < LOST, "a change is never published");
            drop(snapshot);
            std::thread::sleep(Duration::from_micros(50));
        }
    }

    /// Brings groups of targets down and up, one after another.
    fn flap(&self, what: &str, groups: &[Vec<TargetId>]) {
        let groups: Vec<(TargetId, Vec<String>)> = groups
            .iter()
            .map(|group| (*group.last().unwrap(), group.iter().map(|&one| self.subject(one)).collect()))
            .collect();
        let before = cpu("keeper");
        let mut times = Vec::new();
        for (last, subjects) in &groups {
            for leaning in [Status::Down, Status::Up] {
                std::thread::sleep(PAUSE);
                let began = Instant::now();
                self.vote(subjects, leaning);
                self.wait(*last, leaning == Status::Up);
                times.push(began.elapsed());
            }
        }
        figures(what, times, cpu("keeper") - before);
    }

    fn reload(&self) {
        let (asker, answer) = tokio::sync::oneshot::channel();
        self.reload.send(Request::Asked(asker)).unwrap();
        let outcome = answer.blocking_recv().unwrap();
        assert!(matches!(outcome, Outcome::Published { .. }), "{outcome:?}");
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, services, files, geo] = &arguments[..] else { panic!("SERVICES FILES GEO.mmdb") };
    let (services, files): (usize, usize) = (services.parse().unwrap(), files.parse().unwrap());
    let directory = std::env::temp_dir().join(format!("rhumb-scale-{}", std::process::id()));
    fs::create_dir_all(&directory).unwrap();
    if files > 1 {
        fs::write(directory.join("topology.yaml"), topology()).unwrap();
    }
    (0..files).for_each(|file| write(&directory, (services, files, file), 0));
    run(&directory, (services, files), PathBuf::from(geo));
    fs::remove_dir_all(&directory).unwrap();
}

fn run(directory: &Path, (services, files): (usize, usize), geo: PathBuf) {
    let sources = Sources { policies: vec![directory.to_owned()], geo: vec![geo], ..Sources::default() };
    let began = Instant::now();
    let loader = Loader::new(sources, LoadOptions::default());
    let reloader = Reloader::new(loader, Serials::default(), Arc::default()).unwrap();
    let loaded = began.elapsed().as_secs_f64();
    let publisher = reloader.publisher().clone();
    println!("{services} services in {files} files: loaded in {loaded:.2} s, {:.0} MB", memory().0);
    let herald = Herald::spawn(Vec::new(), None, Patience::default()).unwrap();
    let limits = Limits::of_this_process();
    let keeping =
        Keeping { site: None, directory: Some(directory.join("state")), herald, limits, votes: None };
    let keeper = Keeper::start(publisher.clone(), keeping).unwrap();
    let reload = reloader.spawn(keeper.clone()).unwrap();
    let stage = Stage { keeper, publisher, reload };
    let snapshot = stage.publisher.current();
    let model = snapshot.parts().world.model();
    let vips: Vec<TargetId> = model.vips().iter().map(|vip| vip.target).collect();
    let link = model.links()[0].target;
    let on_link = model.vips().iter().filter(|vip| vip.link.is_some_and(|link| link.index() == 0));
    let on_link: Vec<TargetId> = on_link.map(|vip| vip.target).chain([link]).collect();
    let of_vip = |vip: &rhumb_zones::Vip| format!("{}@{}", model.target(vip.target).name, vip.addresses[0]);
    let mut everything: Vec<String> = model.vips().iter().map(of_vip).collect();
    everything.extend(model.links().iter().map(|link| model.target(link.target).name.to_string()));
    drop(snapshot);
    stage.vote(&everything, Status::Up);
    // The state is settled when a change after it is published.
    stage.flap("first change", &[vec![link]]);
    println!("{:24} {:.0} MB, at most {:.0} MB", "resident", memory().0, memory().1);
    let step = (vips.len() / ROUNDS).max(1);
    let one: Vec<Vec<TargetId>> = vips.iter().step_by(step).take(ROUNDS).map(|&vip| vec![vip]).collect();
    stage.flap("one VIP", &one);
    let burst = |round: usize| vips.iter().skip(round).step_by(100).copied().collect::<Vec<_>>();
    stage.flap("one VIP in a hundred", &(0..ROUNDS / 10).map(burst).collect::<Vec<_>>());
    stage.flap("a link", &vec![vec![link]; ROUNDS / 10]);
    stage.flap("a link and its VIPs", &vec![on_link; ROUNDS / 20]);
    let before = cpu("reload") + cpu("keeper");
    let times = (1..=RELOADS).map(|edit| {
        write(directory, (services, files, edit % files), 1 + edit % 3);
        let began = Instant::now();
        stage.reload();
        began.elapsed()
    });
    let times = times.collect();
    figures("reload of one service", times, cpu("reload") + cpu("keeper") - before);
    println!("{:24} {:.0} MB, at most {:.0} MB", "resident", memory().0, memory().1);
    stage.keeper.stop();
}
