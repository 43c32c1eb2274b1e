//! The verdict on every subject, and what of all verdicts `advance` is to know.
//!
//! Both change together, one subject at a time: with ten thousand services,
//! gathering a hundred thousand verdicts anew for each change would take longer
//! than publishing it. For the same reason each verdict says until when it can
//! stand without a new vote, so that a look at age asks for few of them.
//!
//! **Invariant:** the inputs are what the verdicts say, and nothing else.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use rhumb_health::Status;
use rhumb_health::ballot::{Tally, Verdict};
use rhumb_health::roster::Subject;
use rhumb_policies::Inputs;
use rhumb_zones::{Model, Probe, TargetId, TargetName};

/// Verdicts, by subject.
#[derive(Debug)]
pub(super) struct Verdicts {
    entries: HashMap<Subject, Entry>,
    inputs: Inputs,
    /// How many subjects of a target are not settled, where some are.
    unsettled: HashMap<TargetId, usize>,
    /// The longest interval of a probe.
    slowest: Duration,
}

/// What is known of one subject.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) probe: Arc<Probe>,
    pub(super) verdict: Verdict,
    /// Whether its target has no other subject: then its verdict is the
    /// target's, address or not.
    is_alone: bool,
    /// Until when the verdict stands if nobody votes.
    until: Duration,
}

impl Verdicts {
    /// None yet on any of these subjects, those of one target together.
    pub(super) fn new(model: &Model, subjects: &[(Subject, Arc<Probe>)]) -> Self {
        let mut entries = HashMap::with_capacity(subjects.len());
        for of_target in subjects.chunk_by(|(a, _), (b, _)| a.target == b.target) {
            let is_alone = of_target.len() == 1;
            entries.extend(of_target.iter().map(|(subject, probe)| {
                let (probe, verdict) = (Arc::clone(probe), NONE);
                (*subject, Entry { probe, verdict, is_alone, until: Duration::ZERO })
            }));
        }
        let slowest = subjects.iter().map(|(_, probe)| probe.interval).max().unwrap_or_default();
        let inputs = Inputs::new(model, Status::Unknown);
        Self { entries, inputs, unsettled: HashMap::new(), slowest }
    }

    pub(super) fn get(&self, subject: &Subject) -> Option<&Entry> {
        self.entries.get(subject)
    }

    /// What `advance` is to know of them.
    pub(super) const fn inputs(&self) -> &Inputs {
        &self.inputs
    }

    pub(super) const fn slowest(&self) -> Duration {
        self.slowest
    }

    /// Subjects whose verdict may be another at `now` though nobody voted.
    pub(super) fn stale(&self, now: Duration) -> Vec<Subject> {
        let stale = self.entries.iter().filter(|(_, entry)| entry.until < now);
        stale.map(|(subject, _)| *subject).collect()
    }

    /// Puts a verdict in place of the one before, of which the first fresh vote
    /// is `stale` after that moment; says whether it is another one.
    pub(super) fn put(
        &mut self,
        model: &Model,
        subject: Subject,
        verdict: Verdict,
        stale: Option<Duration>,
    ) -> bool {
        let Some(entry) = self.entries.get_mut(&subject) else { return false };
        let name = &model.target(subject.target).name;
        let is_topology = matches!(
            name,
            TargetName::Link(..)
                | TargetName::Balancer(..)
                | TargetName::Intranet(_)
                | TargetName::Interconnect(..)
        );
        // What is seen over an interconnect hangs on the votes on that too.
        let may_be_masked =
            matches!(name, TargetName::Balancer(..) | TargetName::Intranet(_) | TargetName::Node(..))
                && !model.interconnects().is_empty();
        entry.until = match stale {
            _ if may_be_masked => Duration::ZERO,
            stale => stale.unwrap_or(Duration::MAX),
        };
        match subject.address {
            Some(address) if !entry.is_alone => {
                self.inputs.set_address(subject.target, address, verdict.status);
            }
            _ => self.inputs.set_verdict(model, subject.target, verdict.status),
        }
        let is_news =
            (entry.verdict.status, entry.verdict.is_settled) != (verdict.status, verdict.is_settled);
        // Rules and link selection ask for measures of nothing else.
        if is_topology {
            self.inputs.set_measured(subject.target, verdict.measure);
        }
        if entry.verdict.is_settled != verdict.is_settled {
            let count = self.unsettled.entry(subject.target).or_default();
            *count = if verdict.is_settled { count.saturating_sub(1) } else { *count + 1 };
            self.inputs.set_unsettled(subject.target, *count > 0);
            if *count == 0 {
                self.unsettled.remove(&subject.target);
            }
        }
        entry.verdict = verdict;
        is_news
    }
}

/// The verdict without a vote.
const NONE: Verdict = Verdict {
    status: Status::Unknown,
    is_settled: true,
    measure: None,
    failure: None,
    tally: Tally { up: 0, down: 0, sites: 0, masked: None },
};
