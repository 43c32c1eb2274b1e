//! Votes, and the verdicts they make.
//!
//! A vote is one prober's opinion of one subject. Probers of one site see the
//! world from one place, so they agree on one voice first, by majority; then
//! the voices of the sites are counted under the probe's quorum, over the
//! sites that were seen within [`Ballot::MEMORY`] and that should see this
//! subject. Votes older than the probe's `stale` do not count, and neither do
//! those of probers that have no opinion. When too few sites are left to
//! decide there is no verdict, and what was last known stands.
//!
//! Up and down are decided alike under `majority`. `k of n` says how many must
//! see it up; a `fraction` how large a part of the fresh sites must (Route 53
//! counts so). An interconnect is judged by whoever is fresh: when it is cut,
//! the other end's votes may well be cut off with it, and both ends must come
//! to the same verdict from what each sees.
//!
//! What a site sees only over an interconnect that fails for that site is
//! *masked*: not seen is not down. What it sees up counts.
//!
//! **Invariant:** pure; `now` and all times are since the Unix epoch.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use rhumb_zones::{Model, Probe, Quorum, TargetId, TargetName};

use crate::reply::Measure;
use crate::roster::{Homes, Subject};
use crate::status::Status;

/// One prober's opinion of one subject.
#[derive(Clone, PartialEq, Debug)]
pub struct Vote {
    /// Up, down, or no opinion.
    pub leaning: Status,
    /// Whether it is not about to change.
    pub is_settled: bool,
    /// What was measured.
    pub measure: Measure,
    /// Why it is down, for people.
    pub failure: Option<Box<str>>,
    /// When it was cast.
    pub at: Duration,
}

/// What the votes on a subject amount to.
#[derive(Clone, PartialEq, Debug)]
pub struct Verdict {
    /// Up, down, or none.
    pub status: Status,
    /// Whether no fresh vote is about to change and all agree.
    pub is_settled: bool,
    /// The loss and delay of a fresh vote, one's own before others'.
    pub measure: Option<Measure>,
    /// Why it is down, in the words of a vote.
    pub failure: Option<Box<str>>,
    /// How it came about.
    pub tally: Tally,
}

/// How a verdict came about.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Tally {
    /// Sites that see it up.
    pub up: usize,
    /// Sites that see it down.
    pub down: usize,
    /// Sites that should see it and were seen within a day.
    pub sites: usize,
    /// The interconnect that hides it from a site, if one does.
    pub masked: Option<TargetId>,
}

/// All votes.
#[derive(Clone, Default, Debug)]
pub struct Ballot {
    /// When a prober of each site was last heard.
    sites: BTreeMap<Arc<str>, Duration>,
    votes: HashMap<Subject, Vec<Cast>>,
}

/// A vote in the box.
#[derive(Clone, Debug)]
struct Cast {
    site: Arc<str>,
    prober: Arc<str>,
    vote: Vote,
}

/// Whose votes are counted, and where subjects are.
#[derive(Clone, Copy, Debug)]
pub struct Electorate<'a> {
    /// The policy.
    pub model: &'a Model,
    /// Of the policy.
    pub homes: &'a Homes,
    /// Whose measures come first.
    pub own_site: &'a str,
}

impl Ballot {
    /// How long a site that falls silent is missed.
    pub const MEMORY: Duration = Duration::from_secs(24 * 3600);

    /// Notes that a prober of `site` was heard; says whether that is news.
    pub fn hear(&mut self, site: &Arc<str>, now: Duration) -> bool {
        self.sites.insert(Arc::clone(site), now).is_none()
    }

    /// Forgets sites and votes that are a day old; says whether there were such
    /// sites.
    pub fn forget(&mut self, now: Duration) -> bool {
        let before = self.sites.len();
        for votes in self.votes.values_mut() {
            votes.retain(|cast| now.saturating_sub(cast.vote.at) < Self::MEMORY);
        }
        self.sites.retain(|_, heard| now.saturating_sub(*heard) < Self::MEMORY);
        self.sites.len() < before
    }

    /// Forgets a site and its votes at once; says whether it was known.
    pub fn dismiss(&mut self, site: &str) -> bool {
        for votes in self.votes.values_mut() {
            votes.retain(|cast| *cast.site != *site);
        }
        self.sites.remove(site).is_some()
    }

    /// Sites heard within a day, and when.
    pub fn sites(&self) -> impl Iterator<Item = (&Arc<str>, Duration)> {
        self.sites.iter().map(|(site, heard)| (site, *heard))
    }

    /// Puts a vote in the box, in place of the same prober's last one.
    pub fn cast(&mut self, subject: Subject, (site, prober): (&Arc<str>, &Arc<str>), vote: Vote) {
        let votes = self.votes.entry(subject).or_default();
        match votes.iter_mut().find(|cast| cast.prober == *prober && cast.site == *site) {
            Some(cast) => cast.vote = vote,
            None => votes.push(Cast { site: Arc::clone(site), prober: Arc::clone(prober), vote }),
        }
    }

    /// Who voted what on `subject`: site, prober, vote.
    pub fn votes(&self, subject: &Subject) -> impl Iterator<Item = (&Arc<str>, &Arc<str>, &Vote)> {
        let votes = self.votes.get(subject).map_or(&[][..], |votes| votes);
        votes.iter().map(|cast| (&cast.site, &cast.prober, &cast.vote))
    }

    /// Moves votes to the subjects of another policy; those that it does not
    /// know are nobody's.
    pub fn rename(&mut self, new: impl Fn(&Subject) -> Option<Subject>) {
        let votes = std::mem::take(&mut self.votes);
        self.votes = votes.into_iter().filter_map(|(subject, votes)| Some((new(&subject)?, votes))).collect();
    }

    /// What the votes on `subject` amount to at `now`.
    #[must_use]
    pub fn verdict(
        &self,
        electorate: &Electorate<'_>,
        (subject, probe): (&Subject, &Probe),
        now: Duration,
    ) -> Verdict {
        let Electorate { model, homes, .. } = *electorate;
        let is_eligible = |site: &str| homes.is_eligible(model, (subject.target, probe), site);
        let anyone = !self.sites.keys().any(|site| is_eligible(site));
        let mut tally = Tally::default();
        let mut is_settled = true;
        for site in self.sites.keys().filter(|site| anyone || is_eligible(site)) {
            tally.sites += 1;
            let mut voice = self.voice(subject, site, (probe, now));
            if voice.leaning == Status::Down {
                let path = self.failing_path(electorate, (subject.target, site), now);
                tally.masked = tally.masked.or(path);
                voice.leaning = if path.is_some() { Status::Unknown } else { Status::Down };
            }
            is_settled &= voice.is_settled;
            match voice.leaning {
                Status::Up => tally.up += 1,
                Status::Down => tally.down += 1,
                Status::Unknown => {}
            }
        }
        if matches!(model.target(subject.target).name, TargetName::Interconnect(..)) {
            tally.sites = tally.up + tally.down;
        }
        let status = count(probe.quorum, &tally);
        Verdict {
            status,
            is_settled: is_settled && (tally.up == 0 || tally.down == 0),
            measure: self.measure(subject, electorate.own_site, (probe, now)),
            failure: self.failure(subject, (probe, now)).filter(|_| status != Status::Up),
            tally,
        }
    }

    fn fresh<'a>(
        &'a self,
        subject: &Subject,
        (probe, now): (&'a Probe, Duration),
    ) -> impl Iterator<Item = &'a Cast> {
        let votes = self.votes.get(subject).map_or(&[][..], |votes| votes);
        votes.iter().filter(move |cast| now.saturating_sub(cast.vote.at) <= probe.stale)
    }

    /// What the probers of one site say together.
    fn voice(&self, subject: &Subject, site: &Arc<str>, at: (&Probe, Duration)) -> Voice {
        let (mut up, mut down, mut is_settled) = (0, 0, true);
        for Cast { vote, .. } in self.fresh(subject, at).filter(|cast| cast.site == *site) {
            is_settled &= vote.is_settled;
            match vote.leaning {
                Status::Up => up += 1,
                Status::Down => down += 1,
                Status::Unknown => {}
            }
        }
        let leaning = match up.cmp(&down) {
            std::cmp::Ordering::Greater => Status::Up,
            std::cmp::Ordering::Less => Status::Down,
            std::cmp::Ordering::Equal => Status::Unknown,
        };
        Voice { leaning, is_settled: is_settled && (up == 0 || down == 0) }
    }

    /// The interconnect over which `site` sees a private target of another
    /// datacenter, if it does not see that interconnect well.
    fn failing_path(
        &self,
        electorate: &Electorate<'_>,
        (target, site): (TargetId, &Arc<str>),
        now: Duration,
    ) -> Option<TargetId> {
        let Electorate { model, homes, .. } = *electorate;
        let name = &model.target(target).name;
        if !matches!(name, TargetName::Balancer(..) | TargetName::Intranet(_) | TargetName::Node(..)) {
            return None;
        }
        let there = &model.datacenter(homes.datacenter(target)?).name;
        let line = model.target_named(&TargetName::interconnect(site, there)).filter(|_| site != there)?;
        let probe = model.target(line).probe.as_ref()?;
        let voice = self.voice(&Subject { target: line, address: None }, site, (probe, now));
        let is_well = voice.leaning == Status::Up && voice.is_settled;
        (!is_well).then_some(line)
    }

    fn measure(&self, subject: &Subject, own: &str, at: (&Probe, Duration)) -> Option<Measure> {
        let best = self.fresh(subject, at).min_by_key(|cast| *cast.site != *own)?;
        Some(best.vote.measure)
    }

    fn failure(&self, subject: &Subject, at: (&Probe, Duration)) -> Option<Box<str>> {
        self.fresh(subject, at).find_map(|cast| cast.vote.failure.clone())
    }
}

/// What one site says.
struct Voice {
    leaning: Status,
    is_settled: bool,
}

/// Up, down, or too few to say.
fn count(quorum: Quorum, tally: &Tally) -> Status {
    let Tally { up, down, sites, .. } = *tally;
    let majority = sites / 2 + 1;
    let (is_up, is_down) = match quorum {
        Quorum::Majority => (up >= majority, down >= majority),
        Quorum::KOfN { k, n } => (up >= usize::from(k), down > usize::from(n.saturating_sub(k))),
        Quorum::Fraction(share) => {
            let fresh = up + down;
            let is_up = up as f64 > share * fresh as f64;
            (fresh >= majority && is_up, fresh >= majority && !is_up)
        }
    };
    match (is_up, is_down) {
        (true, false) => Status::Up,
        (false, true) => Status::Down,
        _ => Status::Unknown,
    }
}
