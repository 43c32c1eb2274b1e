//! What the keeper knows besides the state: votes, verdicts, operators' words.
//!
//! Verdicts are kept per subject and made anew when a vote on it comes in, and
//! once a second for age. Everything else about them (what an unknown one
//! counts as, holds, paths) is the business of `advance`, which gets them all
//! as [`Inputs`].
//!
//! The last verdict known of each subject is kept apart: it is where a probe
//! starts from after a restart, and what a new policy's probes start from.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use rhumb_health::ballot::{Ballot, Electorate, Verdict, Vote};
use rhumb_health::roster::{Homes, Subject, subject_named};
use rhumb_health::run::Finding;
use rhumb_health::{Status, Window};
use rhumb_policies::link::model::LinkModel;
use rhumb_policies::{Event, Inputs, Renames, State, World, advance};
use rhumb_zones::{DatacenterId, Model, ServiceId, TargetId};

use super::memory::{Draft, Memory, Windows};
use super::verdicts::Verdicts;
use super::{Ballots, notes};
use crate::lookout::{Lookout, Sight};
use crate::orders::Ledger;
use crate::snapshot::Snapshot;
use crate::votes::{VoteSender, ballots};

/// Sites that are listened to; more is a mistake or an attack.
const MAX_SITES: usize = 1_000;

/// Silence after which a site is told to be gone, at the least: some turns of
/// probes with the default interval.
const SILENCE: Duration = Duration::from_secs(15);

/// Turns of the slowest probe without a word, after which a site is gone.
const TURNS: u32 = 3;

/// How often votes of a day ago are thrown away where no site fell silent so
/// long: a prober that is gone while its site is not.
const FORGET: Duration = Duration::from_secs(3600);

/// The name of this process among the probers of its site.
const OWN: &str = "self";

#[derive(Debug)]
pub(super) struct Books {
    site: Arc<str>,
    own: Arc<str>,
    lookout: Lookout,
    homes: Homes,
    ballot: Ballot,
    /// Of every subject of the policy.
    verdicts: Verdicts,
    /// When old votes were last thrown away.
    forgot: Duration,
    /// The last verdict that was up or down.
    known: HashMap<Subject, Status>,
    pub(super) ledger: Ledger,
    /// Servers elsewhere that hear what this process sees.
    pub(super) others: Option<VoteSender>,
    once: Once,
    events: Vec<Event>,
    /// Link models that the school put in place of their files'.
    taught: HashMap<Arc<str>, Option<Arc<LinkModel>>>,
    /// Sites that are known and not heard.
    silent: BTreeSet<Arc<str>>,
    /// Of probers elsewhere: what their words for subjects mean.
    words: HashMap<String, Subject>,
    kept: serde_json::Value,
}

/// What is told to `advance` once.
#[derive(Clone, Default, Debug)]
pub(super) struct Once {
    pub(super) promoted: Vec<(ServiceId, DatacenterId)>,
    pub(super) followed: Vec<(ServiceId, DatacenterId)>,
    pub(super) recovered: Vec<(TargetId, Duration)>,
}

impl Books {
    /// Opens the books of a process at `site`, with what was remembered.
    pub(super) fn new(
        snapshot: &Snapshot,
        (site, lookout): (Arc<str>, Lookout),
        memory: Memory,
        now: Duration,
    ) -> Self {
        let model = snapshot.parts().world.model();
        let mut books = Self {
            site,
            own: Arc::from(OWN),
            lookout,
            homes: Homes::new(model),
            ballot: Ballot::default(),
            verdicts: Verdicts::new(model, &[]),
            forgot: now,
            known: HashMap::new(),
            ledger: memory.ledger,
            others: None,
            once: Once::default(),
            events: Vec::new(),
            taught: HashMap::new(),
            silent: BTreeSet::new(),
            words: HashMap::new(),
            kept: memory.state,
        };
        for (site, heard) in memory.sites {
            books.ballot.hear(&Arc::from(site), Duration::from_secs(heard).min(now));
        }
        for (name, status) in memory.known {
            if let Some(subject) = subject_named(model, &name) {
                books.known.insert(subject, if status { Status::Up } else { Status::Down });
            }
        }
        books.ballot.hear(&books.site, now);
        books.assign(model, now);
        for (site, prober, name, vote) in memory.votes {
            if let Some(subject) = subject_named(model, &name) {
                // A clock that was set back must not keep votes fresh.
                let vote = Vote::from(vote);
                let vote = Vote { at: vote.at.min(now), ..vote };
                books.ballot.cast(subject, (&Arc::from(site), &Arc::from(prober)), vote);
            }
        }
        books
    }

    /// The state to go on from: the one remembered, or why there is none.
    pub(super) fn first_state(&mut self, snapshot: &Snapshot) -> Result<State, String> {
        let world = &snapshot.parts().world;
        let kept = std::mem::take(&mut self.kept);
        if kept.is_null() {
            return Ok(State::clone(&snapshot.parts().state));
        }
        let state = State::restore(world, &kept).map_err(|error| error.to_string())?;
        Ok(advance(world, &state, &self.inputs(world.model()), super::now()))
    }

    /// Loss and delay from before.
    pub(super) fn remember(&mut self, windows: &Windows) {
        let window = |(key, samples): (&String, &Vec<_>)| (key.clone(), Window::from_samples(samples));
        self.lookout.remember(windows.iter().map(window).collect());
    }

    /// Loss and delay, to be remembered.
    pub(super) fn windows(&self) -> Windows {
        self.lookout.windows().map(|(key, window)| (key.to_string(), window.samples().collect())).collect()
    }

    pub(super) const fn ballot(&self) -> &Ballot {
        &self.ballot
    }

    pub(super) const fn lookout(&self) -> &Lookout {
        &self.lookout
    }

    pub(super) const fn site(&self) -> &Arc<str> {
        &self.site
    }

    /// Every subject of the policy, and what is known of it.
    pub(super) fn verdicts(&self) -> impl Iterator<Item = (Subject, &Verdict)> {
        let subjects = self.lookout.roster().subjects().iter();
        subjects.filter_map(|(subject, _)| Some((*subject, &self.verdicts.get(subject)?.verdict)))
    }

    /// Probes what is to be probed now, for the policy and the sites there are;
    /// says whether a verdict is another for it.
    fn assign(&mut self, model: &Model, now: Duration) -> bool {
        let sites: Vec<Arc<str>> = self.ballot.sites().map(|(site, _)| Arc::clone(site)).collect();
        let known = &self.known;
        self.lookout.assign((model, &self.homes), (&self.site, &sites), |subject| {
            known.get(subject).copied().unwrap_or_default()
        });
        let verdicts = Verdicts::new(model, self.lookout.roster().subjects());
        let before = std::mem::replace(&mut self.verdicts, verdicts);
        let subjects: Vec<Subject> =
            self.lookout.roster().subjects().iter().map(|(subject, _)| *subject).collect();
        let mut is_news = false;
        for subject in subjects {
            let status = |verdict: &Verdict| (verdict.status, verdict.is_settled);
            let was = before.get(&subject).map(|entry| status(&entry.verdict));
            self.count(model, subject, now);
            let is = self.verdicts.get(&subject).map(|entry| status(&entry.verdict));
            is_news |= was.is_some() && was != is;
        }
        is_news
    }

    /// Takes in what this process found; says whether that changes a verdict.
    pub(super) fn see(&mut self, world: &World, findings: Vec<Finding>, now: Duration) -> bool {
        let was = self.lookout.own_fault();
        self.ballot.hear(&self.site, now);
        let sights = self.lookout.see(findings, now);
        self.note(world, sights, now) | self.own_fault(was, now)
    }

    /// Asks the lookout again about what it kept back, if that is due.
    pub(super) fn look_again(&mut self, world: &World, now: Duration) -> bool {
        if self.lookout.wake().is_none_or(|wake| wake > now) {
            return false;
        }
        let was = self.lookout.own_fault();
        let sights = self.lookout.look_again(now, false);
        self.note(world, sights, now) | self.own_fault(was, now)
    }

    fn own_fault(&mut self, was: Option<Duration>, now: Duration) -> bool {
        let is = self.lookout.own_fault();
        if was.is_some() != is.is_some() {
            self.events.push(notes::own_fault(is.is_some(), now));
        }
        was.is_some() != is.is_some()
    }

    fn note(&mut self, world: &World, sights: Vec<Sight>, now: Duration) -> bool {
        let mut is_news = false;
        if let Some(others) = &self.others {
            others.tell(ballots(world.model(), &sights));
        }
        for sight in sights {
            match sight {
                Sight::Vote(subject, vote) => {
                    let (site, own) = (Arc::clone(&self.site), Arc::clone(&self.own));
                    is_news |= self.cast(world.model(), subject, (&site, &own), vote, now);
                }
                Sight::Primary(service, name) => is_news |= self.follow(world.model(), service, &name, now),
            }
        }
        is_news
    }

    fn follow(&mut self, model: &Model, service: ServiceId, name: &str, now: Duration) -> bool {
        let found = model.datacenters().iter().position(|one| *one.name == *name).map(DatacenterId::new);
        match found {
            Some(datacenter) => self.once.followed.push((service, datacenter)),
            None => self.events.push(notes::strange_primary(&model.service(service).name, name, now)),
        }
        found.is_some()
    }

    /// Puts a vote in the box; says whether the verdict is another now.
    #[expect(clippy::too_many_arguments, reason = "who votes what on whom, and when")]
    fn cast(
        &mut self,
        model: &Model,
        subject: Subject,
        who: (&Arc<str>, &Arc<str>),
        vote: Vote,
        now: Duration,
    ) -> bool {
        self.ballot.cast(subject, who, vote);
        self.count(model, subject, now)
    }

    fn count(&mut self, model: &Model, subject: Subject, now: Duration) -> bool {
        let Some(entry) = self.verdicts.get(&subject) else { return false };
        let probe = Arc::clone(&entry.probe);
        let electorate = Electorate { model, homes: &self.homes, own_site: &self.site };
        let verdict = self.ballot.verdict(&electorate, (&subject, &probe), now);
        if verdict.status != Status::Unknown {
            self.known.insert(subject, verdict.status);
        }
        let votes = self.ballot.votes(&subject).map(|(_, _, vote)| vote.at.saturating_add(probe.stale));
        let stale = votes.filter(|stale| *stale >= now).min();
        self.verdicts.put(model, subject, verdict, stale)
    }

    /// Takes in votes from elsewhere; says whether they change a verdict.
    pub(super) fn hear(&mut self, world: &World, ballots: Ballots, now: Duration) -> bool {
        let model = world.model();
        let Ballots { site, prober, votes } = ballots;
        let is_known = self.ballot.sites().any(|(known, _)| *known == site);
        if !is_known && self.ballot.sites().count() >= MAX_SITES {
            return false;
        }
        let mut is_news = false;
        if self.ballot.hear(&site, now) {
            self.events.push(notes::site_heard(&site, now));
            is_news = self.assign(model, now);
        }
        for (name, vote) in votes {
            if let Some(subject) = self.subject(model, name) {
                is_news |= self.cast(model, subject, (&site, &prober), vote, now);
            }
        }
        is_news
    }

    /// The subject of this policy that another prober's word means.
    fn subject(&mut self, model: &Model, name: String) -> Option<Subject> {
        if let Some(subject) = self.words.get(&name) {
            return Some(*subject);
        }
        let subject = subject_named(model, &name).filter(|subject| self.verdicts.get(subject).is_some())?;
        self.words.insert(name, subject);
        Some(subject)
    }

    /// Forgets a site and its votes; says whether there was one.
    pub(super) fn dismiss(&mut self, model: &Model, site: &str, now: Duration) -> bool {
        let was_there = self.ballot.dismiss(site);
        if was_there {
            self.assign(model, now);
        }
        was_there
    }

    /// Looks at the age of everything; says whether a verdict is another now.
    pub(super) fn tick(&mut self, world: &World, now: Duration) -> bool {
        let model = world.model();
        if self.lookout.roster().jobs().is_empty() {
            // Nothing to say is no silence.
            self.ballot.hear(&self.site, now);
        }
        let is_gone = |heard: Duration| now.saturating_sub(heard) >= Ballot::MEMORY;
        let is_due = self.ballot.sites().any(|(_, heard)| is_gone(heard));
        let mut is_news = false;
        if is_due || now.abs_diff(self.forgot) >= FORGET {
            self.forgot = now;
            is_news = self.ballot.forget(now) && self.assign(model, now);
        }
        self.listen(now);
        for subject in self.verdicts.stale(now) {
            is_news |= self.count(model, subject, now);
        }
        let ended = self.ledger.expire(now);
        self.events
            .extend(ended.iter().map(|word| notes::order(format!("{word}: has ended"), &word.target, now)));
        is_news | !ended.is_empty()
    }

    /// Tells which sites fell silent, and which are heard again.
    fn listen(&mut self, now: Duration) {
        let slowest = self.verdicts.slowest();
        let is_silent = |heard: Duration| now.saturating_sub(heard) > SILENCE.max(slowest * TURNS);
        let silent: BTreeSet<Arc<str>> = self
            .ballot
            .sites()
            .filter(|(_, heard)| is_silent(*heard))
            .map(|(site, _)| Arc::clone(site))
            .collect();
        for site in silent.symmetric_difference(&self.silent) {
            self.events.push(notes::site_silent(site, silent.contains(site), now));
        }
        self.silent = silent;
    }

    /// When something here changes by itself.
    pub(super) fn wake(&self) -> Option<Duration> {
        [self.lookout.wake(), self.ledger.wake()].into_iter().flatten().min()
    }

    /// Everything that `advance` is to know.
    pub(super) fn inputs(&self, model: &Model) -> Inputs {
        self.inputs_with(model, &self.ledger)
    }

    /// The same, if these words were all.
    pub(super) fn inputs_with(&self, model: &Model, ledger: &Ledger) -> Inputs {
        let mut inputs = self.verdicts.inputs().clone();
        inputs.replace(ledger.overrides(model));
        let Once { promoted, followed, recovered } = &self.once;
        promoted.iter().for_each(|&(service, datacenter)| inputs.promote(service, datacenter));
        followed.iter().for_each(|&(service, datacenter)| inputs.follow(service, datacenter));
        recovered.iter().for_each(|&(target, at)| inputs.recover(target, at));
        inputs.set_own_fault(self.lookout.own_fault().is_some());
        for (file, model) in &self.taught {
            inputs.teach(Arc::clone(file), model.clone());
        }
        inputs
    }

    /// From now on this model stands in for that of a file; without one, the
    /// formula.
    pub(super) fn teach(&mut self, file: Arc<str>, model: Option<Arc<LinkModel>>) {
        self.taught.insert(file, model);
    }

    /// What is to be told once.
    pub(super) const fn once(&mut self) -> &mut Once {
        &mut self.once
    }

    /// Notes that `advance` was told.
    pub(super) fn applied(&mut self) {
        self.once = Once::default();
    }

    pub(super) fn log(&mut self, event: Event) {
        self.events.push(event);
    }

    pub(super) fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    /// Goes over to another policy.
    pub(super) fn adopt(&mut self, new: &World, renames: &Renames, now: Duration) {
        let new = new.model();
        let renamed =
            |subject: &Subject| Some(Subject { target: renames.target(subject.target)?, ..*subject });
        self.ballot.rename(renamed);
        let known = std::mem::take(&mut self.known);
        self.known =
            known.into_iter().filter_map(|(subject, status)| Some((renamed(&subject)?, status))).collect();
        self.words.clear();
        self.homes = Homes::new(new);
        // Verdicts are of the old policy's subjects.
        self.verdicts = Verdicts::new(new, &[]);
        self.assign(new, now);
    }

    /// What is to survive a restart.
    pub(super) fn draft(&self, world: Arc<World>, state: Arc<State>, now: Duration) -> Draft {
        let mut votes = Vec::new();
        for (subject, _) in self.lookout.roster().subjects() {
            for (site, prober, vote) in self.ballot.votes(subject) {
                votes.push((Arc::clone(site), Arc::clone(prober), *subject, vote.into()));
            }
        }
        Draft {
            at: now,
            world,
            state,
            ledger: self.ledger.clone(),
            known: self.known.iter().map(|(subject, status)| (*subject, *status)).collect(),
            sites: self
                .ballot
                .sites()
                .map(|(site, heard)| (site.to_string(), heard.as_secs()))
                .collect::<BTreeMap<_, _>>(),
            votes,
        }
    }
}

#[cfg(test)]
mod tests {
    use rhumb_health::Measure;
    use rhumb_health::run::{Limits, Prober};
    use rhumb_zones::LoadOptions;

    use super::*;
    use crate::load::{Document, Loader, Sources};
    use crate::reload::Reloader;
    use crate::serial::Serials;

    /// A link that `x` and `y` see, and this process does not.
    const POLICY: &str = "zone: a.example
datacenters: { d: { links: { l: { probe: { tcp: '127.0.0.1:1', from: [x, y] } } } } }
services: { www: { vips: { d: { l: 192.0.2.1 } } } }
";

    #[test]
    fn a_site_that_is_forgotten_is_news_where_it_was_missed() {
        let document = Document { name: "a.yaml".into(), bytes: POLICY.as_bytes().into() };
        let loader =
            Loader::new(Sources { embedded: vec![document], ..Sources::default() }, LoadOptions::default());
        let reloader = Reloader::new(loader, Serials::default(), Arc::default()).unwrap();
        let snapshot = reloader.publisher().current();
        let world = &snapshot.parts().world;
        let prober = Prober::spawn(Limits::of_this_process(), |_| ()).unwrap();
        let seconds = Duration::from_secs;
        let memory = Memory::default();
        let mut books = Books::new(&snapshot, ("w".into(), Lookout::new(prober)), memory, seconds(0));
        let mut vote = |site: &str, leaning, at| {
            let (is_settled, measure, failure) = (true, Measure::default(), None);
            let vote = Vote { leaning, is_settled, measure, failure, at: seconds(at) };
            let votes = vec![("link:d/l".to_owned(), vote)];
            books.hear(world, Ballots { site: site.into(), prober: "p".into(), votes }, seconds(at))
        };
        vote("y", Status::Up, 0);
        vote("x", Status::Up, 0);
        vote("x", Status::Down, 86_398);
        let link = |books: &Books| books.verdicts().map(|(_, verdict)| verdict.status).next();
        assert_eq!(link(&books), Some(Status::Unknown), "one of two is not enough");
        assert!(books.tick(world, seconds(86_401)), "y was silent for a day: that is news");
        assert_eq!(link(&books), Some(Status::Down), "and x decides alone");
        assert_eq!(books.known.values().next(), Some(&Status::Down), "which is known over a restart");
    }
}
