//! What this process sees for itself: probes run, opinions formed.
//!
//! A lookout assigns the jobs of its roster to the prober, and turns what they
//! find into sights: votes on subjects, and reports of where a service's
//! writable store is. Between the two stands the question whose fault a
//! silence is; a failure that may be this machine's own is kept back until
//! that is known, and asked about again without a new finding.
//!
//! The name server and `rhumb probe` share it; they differ in where sights go.
//!
//! **Invariant:** a lookout has opinions, never verdicts.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use rhumb_health::ballot::Vote;
use rhumb_health::roster::{Homes, Purpose, Roster, Subject};
use rhumb_health::run::{Finding, Prober, Task, TaskId};
use rhumb_health::{Opinion, OwnFault, Status, Window};
use rhumb_zones::{Model, ServiceId};

/// Something seen.
#[derive(Clone, PartialEq, Debug)]
pub enum Sight {
    /// An opinion of a subject.
    Vote(Subject, Vote),
    /// `fall` probes in a row reported this datacenter as a service's primary.
    Primary(ServiceId, Box<str>),
}

/// This process's own eyes.
#[derive(Debug)]
pub struct Lookout {
    prober: Prober,
    roster: Roster,
    fault: OwnFault,
    /// Of each key ever assigned since it was last dropped: findings that are
    /// under way during a reassignment must not be taken for another job's.
    ids: HashMap<Arc<str>, TaskId>,
    next_id: u32,
    /// Index of a job, by task.
    jobs: HashMap<TaskId, usize>,
    /// By job.
    last: Vec<Option<Finding>>,
    /// Loss and delay of recent probes, by job.
    windows: Vec<Window>,
    /// Jobs whose opinion is kept back, and until when at most.
    waiting: BTreeSet<(Duration, usize)>,
    /// The same, by job.
    until: Vec<Option<Duration>>,
    /// What was reported last, and how often in a row.
    reports: HashMap<ServiceId, (Box<str>, u8)>,
}

impl Lookout {
    /// One that sees nothing yet.
    #[must_use]
    pub fn new(prober: Prober) -> Self {
        Self {
            prober,
            roster: Roster::default(),
            fault: OwnFault::default(),
            ids: HashMap::new(),
            next_id: 0,
            jobs: HashMap::new(),
            last: Vec::new(),
            windows: Vec::new(),
            waiting: BTreeSet::new(),
            until: Vec::new(),
            reports: HashMap::new(),
        }
    }

    /// What is voted on, and what is probed here.
    #[must_use]
    pub const fn roster(&self) -> &Roster {
        &self.roster
    }

    /// Since when everything is silent, if the fault is this machine's own.
    #[must_use]
    pub const fn own_fault(&self) -> Option<Duration> {
        self.fault.since()
    }

    /// The recent probes of each job, by its key.
    pub fn windows(&self) -> impl Iterator<Item = (&Arc<str>, &Window)> {
        self.roster.jobs().iter().map(|job| &job.key).zip(&self.windows)
    }

    /// Gives the jobs of these keys their recent probes back.
    pub fn remember(&mut self, mut windows: HashMap<String, Window>) {
        for (job, window) in self.roster.jobs().iter().zip(&mut self.windows) {
            if let Some(kept) = windows.remove(&*job.key) {
                *window = kept;
            }
        }
    }

    /// Probes what a process at `site` should, when those of `sites` vote.
    /// Probes that ask what they asked before go on; new ones start from what
    /// is `known`.
    pub fn assign(
        &mut self,
        (model, homes): (&Model, &Homes),
        who: (&str, &[Arc<str>]),
        known: impl Fn(&Subject) -> Status,
    ) {
        self.roster = Roster::new(model, homes, who);
        let jobs = self.roster.jobs();
        let before = std::mem::take(&mut self.jobs);
        let mut lasts = std::mem::take(&mut self.last);
        let mut windows = std::mem::take(&mut self.windows);
        let mut ids = HashMap::with_capacity(jobs.len());
        let mut tasks = Vec::with_capacity(jobs.len());
        for (index, job) in jobs.iter().enumerate() {
            let id = self.ids.get(&job.key).copied().unwrap_or_else(|| {
                self.next_id = self.next_id.wrapping_add(1);
                TaskId(self.next_id)
            });
            ids.insert(Arc::clone(&job.key), id);
            self.jobs.insert(id, index);
            let old =
                before.get(&id).map(|&index| (lasts[index].take(), std::mem::take(&mut windows[index])));
            let (last, window) = old.unwrap_or_default();
            self.last.push(last);
            self.windows.push(window);
            let initial = job.purposes.iter().find_map(|purpose| match purpose {
                Purpose::Vote(subject) => Some(known(subject)),
                Purpose::Primary(_) => None,
            });
            tasks.push(Task {
                id,
                key: Arc::clone(&job.key),
                kind: Arc::clone(&job.kind),
                probe: Arc::clone(&job.probe),
                address: job.address,
                initial: initial.unwrap_or_default(),
            });
        }
        self.ids = ids;
        self.fault = self.fault.with_jobs(jobs);
        self.waiting.clear();
        self.until = vec![None; jobs.len()];
        self.reports.clear();
        self.prober.assign(tasks);
    }

    /// What `findings` amount to at `now`.
    pub fn see(&mut self, findings: Vec<Finding>, now: Duration) -> Vec<Sight> {
        let mut touched = Vec::with_capacity(findings.len());
        let mut is_heard = false;
        for finding in findings {
            let Some(&job) = self.jobs.get(&finding.task) else { continue };
            self.fault.note(job, &finding.reply, finding.at);
            self.windows[job].push(&finding.reply);
            is_heard |=
                finding.reply.outcome.as_ref().err().is_none_or(|failure| !failure.cause.may_be_ours());
            self.last[job] = Some(finding);
            touched.push(job);
        }
        let mut sights = Vec::new();
        for job in touched {
            self.opine(job, now, &mut sights);
            self.report(job, &mut sights);
        }
        // What was heard may settle what was kept back.
        sights.append(&mut self.look_again(now, is_heard));
        sights
    }

    /// When to [`look_again`](Self::look_again) without new findings.
    #[must_use]
    pub fn wake(&self) -> Option<Duration> {
        self.waiting.first().map(|(until, _)| *until)
    }

    /// Asks again about what was kept back, as far as it is due, or all of it.
    pub fn look_again(&mut self, now: Duration, all: bool) -> Vec<Sight> {
        let due = self.waiting.iter().take_while(|(until, _)| all || *until <= now);
        let due: Vec<_> = due.copied().collect();
        let mut sights = Vec::new();
        for (_, job) in due {
            self.opine(job, now, &mut sights);
        }
        sights
    }

    fn opine(&mut self, job: usize, now: Duration, sights: &mut Vec<Sight>) {
        if let Some(until) = self.until[job].take() {
            self.waiting.remove(&(until, job));
        }
        let Some(finding) = &self.last[job] else { return };
        let leaning = match self.fault.opinion(job, &finding.standing, now) {
            Opinion::Is(leaning) => leaning,
            Opinion::Wait(until) => {
                self.waiting.insert((until, job));
                self.until[job] = Some(until);
                Status::Unknown
            }
        };
        let failure = finding.reply.outcome.as_ref().err();
        let vote = Vote {
            leaning,
            is_settled: finding.standing.is_settled && self.until[job].is_none(),
            measure: self.windows[job].measure(),
            failure: failure.map(|failure| failure.text.clone()),
            at: finding.at,
        };
        for purpose in &self.roster.jobs()[job].purposes {
            if let Purpose::Vote(subject) = purpose {
                sights.push(Sight::Vote(*subject, vote.clone()));
            }
        }
    }

    fn report(&mut self, job: usize, sights: &mut Vec<Sight>) {
        let Some(finding) = &self.last[job] else { return };
        let Some(report) = &finding.reply.report else { return };
        let job = &self.roster.jobs()[job];
        for purpose in &job.purposes {
            let Purpose::Primary(service) = purpose else { continue };
            let entry = self.reports.entry(*service).or_insert_with(|| (report.clone(), 0));
            if entry.0 != *report {
                *entry = (report.clone(), 0);
            }
            entry.1 = entry.1.saturating_add(1);
            if entry.1 == job.probe.fall {
                sights.push(Sight::Primary(*service, report.clone()));
            }
        }
    }
}
