//! What is known of every target, service and word, for people and programs.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::time::Duration;

use rhumb_health::Status;
use rhumb_health::ballot::Verdict;
use rhumb_health::roster::Subject;
use rhumb_policies::{Outcome, State, Tier};
use rhumb_zones::{ServiceId, TargetId, TargetName};
use serde::{Deserialize, Serialize};

use super::books::Books;
use crate::orders::Word;
use crate::snapshot::Snapshot;

/// The state of the world. Times are Unix seconds.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Report {
    /// Now, by the server's clock.
    pub now: u64,
    /// The site of this process.
    pub site: String,
    /// Since when all is silent, if the fault is this server's own.
    pub own_fault: Option<u64>,
    /// Sites whose probers voted within a day, and when last.
    pub sites: Vec<(String, u64)>,
    /// Everything that can be up or down, in declaration order.
    pub targets: Vec<TargetReport>,
    /// Services, in declaration order.
    pub services: Vec<ServiceReport>,
    /// Operators' words.
    pub words: Vec<Word>,
    /// Rules, in words.
    pub rules: Vec<String>,
    /// From a change to its publication, milliseconds: median, 99th
    /// percentile, worst, of the last changes.
    pub publish_ms: [f64; 3],
}

/// One target.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct TargetReport {
    /// Its name.
    pub name: String,
    /// `up` or `down`: what it counts as.
    pub status: String,
    /// Since when.
    pub since: u64,
    /// `up`, `down` or `unknown`: what probes say, and `none` without one.
    pub verdict: String,
    /// Why it counts as it does, and what is about to change.
    pub notes: Vec<String>,
    /// Share of tries lost, 0–1.
    pub loss: Option<f64>,
    /// Mean delay.
    pub delay_ms: Option<f64>,
    /// Median delay.
    pub p50_ms: Option<f64>,
    /// 95th percentile of delay.
    pub p95_ms: Option<f64>,
    /// Mean difference of neighbouring delays.
    pub jitter_ms: Option<f64>,
    /// Tries that these figures rest on.
    pub tries: Option<u32>,
}

/// One service.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ServiceReport {
    /// Its name.
    pub name: String,
    /// What is answered: `tier 1`, `tier 2`, `last resort`, `rule` or `servfail`.
    pub answers: String,
    /// Where its writable store is.
    pub primary: Option<String>,
    /// Of answers now, in seconds.
    pub ttl: u32,
    /// VIPs that a path leads through, of all.
    pub usable: (usize, usize),
}

pub(super) fn report(
    snapshot: &Snapshot,
    state: &State,
    (books, timing): (&Books, &Timing),
    now: Duration,
) -> Report {
    let world = &snapshot.parts().world;
    let model = world.model();
    let is_probed = |index: &usize| {
        let name = &model.targets()[*index].name;
        !matches!(name, TargetName::Datacenter(_) | TargetName::Service(_))
    };
    let targets = (0..model.targets().len()).filter(is_probed).map(TargetId::new);
    let mut subjects: HashMap<TargetId, Vec<(Subject, &Verdict)>> = HashMap::new();
    for (subject, verdict) in books.verdicts() {
        subjects.entry(subject.target).or_default().push((subject, verdict));
    }
    let of = |target| subjects.get(&target).map_or(&[][..], |subjects| subjects);
    let sites = books.ballot().sites().map(|(site, heard)| (site.to_string(), heard.as_secs()));
    Report {
        now: now.as_secs(),
        site: books.site().to_string(),
        own_fault: books.lookout().own_fault().map(|since| since.as_secs()),
        sites: sites.collect(),
        targets: targets.map(|target| target_report(snapshot, state, of(target), target)).collect(),
        services: (0..model.services().len())
            .map(|index| service_report(snapshot, state, ServiceId::new(index)))
            .collect(),
        words: books.ledger.words().to_vec(),
        rules: world.rules().describe(model, state, now),
        publish_ms: timing.milliseconds(),
    }
}

fn target_report(
    snapshot: &Snapshot,
    state: &State,
    subjects: &[(Subject, &Verdict)],
    target: TargetId,
) -> TargetReport {
    let world = &snapshot.parts().world;
    let known = state.target(world, target);
    let mut notes = Vec::new();
    if let Some(word) = known.force {
        notes.push(words("forced", word));
    }
    if let Some(word) = known.drain {
        notes.push(words("drained", word));
    }
    if let Some(until) = known.held_until {
        notes.push(format!(
            "down, and held for {:.0} s more",
            until.saturating_sub(super::now()).as_secs_f64()
        ));
    }
    if known.waits_for_word {
        notes.push("waits for `rhumb recover`".to_owned());
    }
    for (subject, verdict) in subjects {
        notes.extend(note(snapshot, subject, verdict));
    }
    let is_unknown = subjects.iter().all(|(_, verdict)| verdict.status == Status::Unknown);
    let verdict = match (subjects.is_empty(), is_unknown) {
        (true, _) => "none",
        (false, true) => "unknown",
        (false, false) => word_of(known.verdict),
    };
    // The state knows those of when it last changed.
    let measures = subjects.iter().filter_map(|(_, verdict)| verdict.measure);
    let measure = measures.max_by_key(|measure| measure.tries).filter(|measure| measure.tries > 0);
    TargetReport {
        name: world.model().target(target).name.to_string(),
        status: if known.is_up { "up" } else { "down" }.to_owned(),
        since: known.since.as_secs(),
        verdict: verdict.to_owned(),
        notes,
        loss: measure.map(|measure| measure.loss),
        delay_ms: measure.and_then(|measure| measure.delay_ms),
        p50_ms: measure.and_then(|measure| measure.p50_ms),
        p95_ms: measure.and_then(|measure| measure.p95_ms),
        jitter_ms: measure.and_then(|measure| measure.jitter_ms),
        tries: measure.map(|measure| measure.tries),
    }
}

fn words(what: &str, word: &rhumb_policies::Override) -> String {
    let by = if word.author.is_empty() { String::new() } else { format!(" by {}", word.author) };
    let why = if word.reason.is_empty() { String::new() } else { format!(": {}", word.reason) };
    format!("{what}{by}{why}")
}

/// What an operator wants to know of the votes on one subject.
fn note(snapshot: &Snapshot, subject: &Subject, verdict: &Verdict) -> Option<String> {
    let model = snapshot.parts().world.model();
    let which = subject.address.map(|address| format!("{address}: ")).unwrap_or_default();
    let tally = &verdict.tally;
    let votes = if tally.sites > 1 {
        format!(" ({} up, {} down of {} sites)", tally.up, tally.down, tally.sites)
    } else {
        String::new()
    };
    let failure = verdict.failure.as_deref().filter(|text| !text.is_empty());
    let what = match (verdict.status, verdict.is_settled, tally.masked) {
        (Status::Unknown, _, Some(line)) => format!("masked by {}", model.target(line).name),
        (Status::Unknown, ..) if tally.up + tally.down > 0 => "too few agree".to_owned(),
        (Status::Unknown, ..) => "no vote yet".to_owned(),
        (Status::Down, true, _) => failure.unwrap_or("fails").to_owned(),
        (Status::Down, false, _) => format!("recovering; {}", failure.unwrap_or("failed")),
        (Status::Up, false, _) => format!("failing: {}", failure.unwrap_or("unsteady")),
        (Status::Up, true, _) => return None,
    };
    Some(format!("{which}{what}{votes}"))
}

const fn word_of(status: Status) -> &'static str {
    match status {
        Status::Up => "up",
        Status::Down => "down",
        Status::Unknown => "unknown",
    }
}

fn service_report(snapshot: &Snapshot, state: &State, id: ServiceId) -> ServiceReport {
    let model = snapshot.parts().world.model();
    let service = model.service(id);
    let now = state.service(id);
    let answers = match now.outcome {
        Outcome::Vips(Tier::Allowed) => "tier 1",
        Outcome::Vips(Tier::Avoided) => "tier 2",
        Outcome::Vips(Tier::LastResort) | Outcome::FallbackAddresses | Outcome::FallbackName => "last resort",
        Outcome::RuleAddresses(_) => "rule",
        Outcome::Fail => "servfail",
    };
    ServiceReport {
        name: service.name.to_string(),
        answers: answers.to_owned(),
        primary: state.primary(id).map(|id| model.datacenter(id).name.to_string()),
        ttl: now.ttl,
        usable: (state.usable(id).iter().count(), service.vips.len()),
    }
}

/// How long the last publications took.
#[derive(Clone, Default, Debug)]
pub(super) struct Timing(VecDeque<Duration>);

impl Timing {
    /// Publications remembered.
    const KEPT: usize = 1_000;

    pub(super) fn add(&mut self, took: Duration) {
        if self.0.len() == Self::KEPT {
            self.0.pop_front();
        }
        self.0.push_back(took);
    }

    /// Median, 99th percentile and worst.
    fn milliseconds(&self) -> [f64; 3] {
        let mut sorted: Vec<_> = self.0.iter().map(|took| took.as_secs_f64() * 1e3).collect();
        sorted.sort_unstable_by(f64::total_cmp);
        let rank = |percent: usize| {
            let index = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
            sorted.get(index).copied().unwrap_or(0.0)
        };
        [rank(50), rank(99), rank(100)]
    }
}

impl Report {
    /// A line for each target.
    #[must_use]
    pub fn table(&self) -> String {
        let width = self.targets.iter().map(|target| target.name.len()).max().unwrap_or(0);
        let lines = self.targets.iter().map(|target| {
            let TargetReport { name, status, verdict, notes, loss, delay_ms, .. } = target;
            let figures = loss.map(|loss| format!("{:5.1} % lost", loss * 100.0)).unwrap_or_default();
            let delay = delay_ms.map(|delay| format!("{delay:7.1} ms")).unwrap_or_default();
            let ago = Ago(Duration::from_secs(self.now.saturating_sub(target.since)));
            let ago = if target.since == 0 { String::new() } else { format!("for {ago}") };
            let probed = if verdict == "none" { "not probed" } else { "" };
            let line = format!(
                "{name:width$}  {status:4} {ago:14} {figures:12} {delay:10} {probed}{}",
                notes.join("; ")
            );
            line.trim_end().to_owned()
        });
        lines.collect::<Vec<_>>().join("\n")
    }
}

/// A span of time in its two largest units.
pub struct Ago(pub Duration);

impl fmt::Display for Ago {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        match seconds {
            0..60 => write!(f, "{seconds} s"),
            60..3_600 => write!(f, "{} min {} s", seconds / 60, seconds % 60),
            3_600..86_400 => write!(f, "{} h {} min", seconds / 3_600, seconds / 60 % 60),
            _ => write!(f, "{} d {} h", seconds / 86_400, seconds / 3_600 % 24),
        }
    }
}

/// What `rhumb status` says of health: only what is not as it should be.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ago = |time: u64| Ago(Duration::from_secs(self.now.saturating_sub(time)));
        let down: Vec<_> = self.targets.iter().filter(|target| target.status == "down").collect();
        let probed = self.targets.iter().filter(|target| target.verdict != "none").count();
        writeln!(f, "{} targets, {probed} probed, {} down", self.targets.len(), down.len())?;
        if let Some(since) = self.own_fault {
            writeln!(
                f,
                "EVERYTHING IS SILENT for {}: the fault is this server's own; nothing moves",
                ago(since)
            )?;
        }
        for target in down {
            let notes = target.notes.join("; ");
            let since = if target.since == 0 { String::new() } else { format!(" for {}", ago(target.since)) };
            writeln!(f, "  {} is down{since}: {notes}", target.name)?;
        }
        for service in self.services.iter().filter(|service| service.answers != "tier 1") {
            let ServiceReport { name, answers, usable, .. } = service;
            writeln!(f, "  service {name} answers {answers}: {} of {} VIPs usable", usable.0, usable.1)?;
        }
        for word in &self.words {
            let until = match (word.starts, word.expires) {
                (Some(starts), _) if starts > self.now => {
                    format!(", starts in {}", Ago(Duration::from_secs(starts - self.now)))
                }
                (_, Some(expires)) => {
                    format!(", ends in {}", Ago(Duration::from_secs(expires.saturating_sub(self.now))))
                }
                _ => String::new(),
            };
            writeln!(f, "  {word}{until}")?;
        }
        for rule in &self.rules {
            writeln!(f, "  {rule}")?;
        }
        let own = |site: &&(String, u64)| site.0 != self.site;
        for (site, heard) in self.sites.iter().filter(own) {
            writeln!(f, "site {site}: heard {} ago", ago(*heard))?;
        }
        Ok(())
    }
}
