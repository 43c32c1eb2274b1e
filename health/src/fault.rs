//! Whose fault is it: silence everywhere is most likely one's own.
//!
//! A prober whose own network is cut sees every target time out. Believing
//! that would move all traffic away from what works, so a *silent* failure
//! (nothing came back, or this machine could not even ask) becomes a vote only
//! once something speaks against an own fault:
//!
//! - some network target answered or refused since the failures began; a
//!   reset, an ICMP error and an HTTP 500 prove the network as well as a
//!   success does;
//! - or a fall window has passed and what was silent in it does not amount to
//!   an own fault: that takes [`OwnFault::TARGETS`] questions in
//!   [`OwnFault::DATACENTERS`] datacenters, and nothing else heard.
//!
//! An application that is down everywhere refuses or answers wrongly and is
//! thus never mistaken for an own fault. While one lasts, this prober has no
//! opinion; the first answer ends it, and failures then count anew.
//!
//! **Invariant:** pure; `now` and all times are since the Unix epoch.

use std::time::Duration;

use rhumb_zones::DatacenterId;

use crate::machine::Standing;
use crate::reply::Reply;
use crate::roster::Job;
use crate::status::Status;

/// What this prober knows of its own network.
#[derive(Clone, Default, Debug)]
pub struct OwnFault {
    jobs: Vec<Seen>,
    /// Whether there are enough network jobs, far enough apart.
    can_tell: bool,
    /// When the network last proved itself.
    sign: Option<Duration>,
    since: Option<Duration>,
    /// When the last own fault ended.
    ended: Duration,
}

#[derive(Clone, Default, Debug)]
struct Seen {
    shows: Vec<DatacenterId>,
    /// Its last silent failure.
    silent: Option<Duration>,
    /// Whether its present failures have been believed.
    is_believed: bool,
    /// From the first failure to the last of a fall, at the least.
    fall: Duration,
    /// A fall window: until every other job of a like interval has reported.
    window: Duration,
}

/// What a prober may say of one job.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Opinion {
    /// This.
    Is(Status),
    /// Nothing new before this moment: the fault may be its own.
    Wait(Duration),
}

impl OwnFault {
    /// Fewer silent questions may be a coincidence of real faults.
    pub const TARGETS: usize = 3;
    /// One silent datacenter is a datacenter that is down.
    pub const DATACENTERS: usize = 2;

    /// A prober with these jobs, that goes on from what `self` knew of its
    /// network.
    #[must_use]
    pub fn with_jobs(&self, jobs: &[Job]) -> Self {
        let seen = |job: &Job| Seen {
            shows: job.shows.clone(),
            silent: None,
            is_believed: false,
            fall: (job.probe.fast_interval * u32::from(job.probe.fall.saturating_sub(1)))
                .mul_f64(1.0 - job.probe.jitter),
            window: job.probe.interval.mul_f64(1.0 + job.probe.jitter) + job.probe.timeout,
        };
        let jobs: Vec<Seen> = jobs.iter().map(seen).collect();
        let can_tell = is_everywhere(jobs.iter().filter(|job| !job.shows.is_empty()));
        Self { jobs, can_tell, ..self.clone() }
    }

    /// Since when everything is silent, if it is.
    #[must_use]
    pub const fn since(&self) -> Option<Duration> {
        self.since
    }

    /// Takes note of what the `job`-th job found at `now`.
    pub fn note(&mut self, job: usize, reply: &Reply, now: Duration) {
        let seen = &mut self.jobs[job];
        if seen.shows.is_empty() {
            return;
        }
        match &reply.outcome {
            Err(failure) if failure.cause.may_be_ours() => seen.silent = Some(now),
            _ => {
                (seen.silent, self.sign) = (None, Some(now));
                if self.since.take().is_some() {
                    self.ended = now;
                }
            }
        }
    }

    /// What may be said of the `job`-th job, which stands so.
    pub fn opinion(&mut self, job: usize, standing: &Standing, now: Duration) -> Opinion {
        let seen = &mut self.jobs[job];
        if standing.leaning != Status::Down {
            seen.is_believed = false;
            return Opinion::Is(standing.leaning);
        }
        let may_be_ours = standing.may_be_ours && !seen.shows.is_empty();
        if may_be_ours && standing.failing_since.is_some() && self.since.is_some() {
            return Opinion::Is(Status::Unknown);
        }
        if seen.is_believed {
            return Opinion::Is(Status::Down);
        }
        // It leaned down while nothing could be believed, and answers now.
        let Some(failing) = standing.failing_since else { return Opinion::Is(Status::Unknown) };
        // Failures of an own fault that ended do not count.
        let failing = failing.max(self.ended);
        let (fallen, end) = (failing + seen.fall, failing + seen.window);
        if now < fallen {
            return Opinion::Wait(fallen);
        }
        let is_proven = self.sign.is_some_and(|sign| sign > failing);
        if may_be_ours && self.can_tell && !is_proven {
            if now < end {
                return Opinion::Wait(end);
            }
            let is_silent = |seen: &&Seen| seen.silent.is_some_and(|at| at >= failing);
            if is_everywhere(self.jobs.iter().filter(is_silent)) {
                self.since = Some(now);
                return Opinion::Is(Status::Unknown);
            }
        }
        self.jobs[job].is_believed = true;
        Opinion::Is(Status::Down)
    }
}

/// Whether these are many enough, and of datacenters enough.
fn is_everywhere<'a>(jobs: impl Iterator<Item = &'a Seen>) -> bool {
    let mut count = 0;
    let mut datacenters: Vec<DatacenterId> = Vec::new();
    for job in jobs {
        count += 1;
        for datacenter in &job.shows {
            if datacenters.len() < OwnFault::DATACENTERS && !datacenters.contains(datacenter) {
                datacenters.push(*datacenter);
            }
        }
        if count >= OwnFault::TARGETS && datacenters.len() >= OwnFault::DATACENTERS {
            return true;
        }
    }
    false
}
