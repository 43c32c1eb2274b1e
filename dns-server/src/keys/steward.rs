//! The one who sees to the keys of signed zones while the server runs.
//!
//! A thread looks when the next step is due, and at least every half minute,
//! because commands and other tools change key files too. It makes and rolls
//! keys as [`rollover`](rhumb_dnssec::rollover) says, asks the parent's
//! servers for its DS, and has the reloader look when files or the hour
//! changed. Zones with `manual: true` it leaves alone.
//!
//! Several servers may share one directory: whoever holds a zone's lock acts,
//! the others find it done.
//!
//! **Invariant:** it writes key files and nothing else; what is served comes
//! of reading them.

mod parent;

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::thread;
use std::time::Duration;

use rhumb_dnssec::rollover::advance;
use rhumb_dnssec::{Digest, Key, ZoneKeys, ds};
use rhumb_policies::World;
use rhumb_zones::{Diagnostics, Dnssec, Name, Rtype, Zone, rdata};

use super::{Store, StoreError, rollover_policy};
use crate::net::clock;
use crate::publish::Publisher;
use crate::reload::Request;
use crate::watch::Change;

/// Seconds between looks at most: how late a command is noticed.
const LONGEST: u32 = 30;

/// Seconds between looks at least.
const SHORTEST: u32 = 1;

/// Seconds between questions to a parent at most; a quarter of the time in
/// which it acts, where that is less.
const ASK: u32 = 60;

/// Rounds of acts on one zone: one makes keys, one gives others their times,
/// one finds nothing to do.
const MAX_ROUNDS: usize = 8;

/// The steward and what it remembers: nothing that matters.
#[derive(Debug)]
struct Steward {
    store: Store,
    publisher: Publisher,
    requests: Sender<Request>,
    /// When each zone's parent was asked last.
    asked: HashMap<Name, u32>,
    /// What an operator was told: keys that wait for a DS, zones in trouble.
    told: HashSet<String>,
    /// When what is served changes by itself.
    change: Option<u32>,
}

/// Starts the thread, which ends with the process.
///
/// # Errors
/// When no thread can be started.
pub fn spawn(directory: PathBuf, publisher: Publisher, requests: Sender<Request>) -> io::Result<()> {
    let (asked, told) = (HashMap::new(), HashSet::new());
    let store = Store::new(directory);
    let mut steward = Steward { store, publisher, requests, asked, told, change: None };
    let work = move || {
        loop {
            let wait = steward.look(clock());
            thread::sleep(Duration::from_secs(wait.into()));
        }
    };
    thread::Builder::new().name("steward".to_owned()).spawn(work).map(drop)
}

impl Steward {
    /// Sees to all zones; says how many seconds there is nothing to do.
    fn look(&mut self, now: u32) -> u32 {
        let world = Arc::clone(&self.publisher.current().parts().world);
        let mut is_news = self.change.take().is_some_and(|change| change <= now);
        let mut due = None;
        for zone in world.model().zones() {
            let Some(dnssec) = &zone.dnssec else { continue };
            match self.see_to((&world, zone, dnssec), now) {
                Ok(Seen { wrote, next, change }) => {
                    is_news |= wrote;
                    due = due.into_iter().chain(next).min();
                    self.change = self.change.into_iter().chain(change).min();
                }
                Err(error) => self.tell(format!("{} {error:?}", zone.name), |_| {
                    let cause = std::error::Error::source(&error).map(ToString::to_string);
                    tracing::warn!(zone = %zone.name, %error, cause, "keys cannot be seen to");
                }),
            }
        }
        if is_news {
            // The reloader lives as long as the process.
            let _ = self.requests.send(Request::Changed(Change { settled: true, path: None }));
        }
        let next = due.into_iter().chain(self.change).min();
        next.map_or(LONGEST, |next| next.saturating_sub(clock())).clamp(SHORTEST, LONGEST)
    }

    fn see_to(
        &mut self,
        (world, zone, dnssec): (&World, &Zone, &Dnssec),
        now: u32,
    ) -> Result<Seen, StoreError> {
        let policy = rollover_policy(world.model(), zone).filter(|_| !dnssec.manual);
        let mut keys = self.read(zone);
        let mut seen = Seen::default();
        if let (Some(policy), true) = (policy, !keys.is_empty()) {
            let mut next = advance(&keys, &policy, now);
            let vouched = self.ask_parent(dnssec, (zone, &keys, &next.awaits_ds), now);
            if !next.acts.is_empty() || !vouched.is_empty() {
                let _lock = self.store.lock(&zone.name)?;
                keys = self.read(zone);
                for key in keys.iter_mut().filter(|key| vouched.contains(&key.pair.id())) {
                    key.times.ds_publish = Some(now);
                    self.store.save(key)?;
                    tracing::info!(zone = %zone.name, key = key.stem(), "the parent's DS names the key");
                }
                for _ in 0..MAX_ROUNDS {
                    let done = self.store.advance((&zone.name, &mut keys), &policy, now)?;
                    done.iter().for_each(|done| tracing::info!(zone = %zone.name, "keys: {done}"));
                    if done.is_empty() {
                        break;
                    }
                }
                seen.wrote = true;
                next = advance(&keys, &policy, now);
            }
            seen.next = next.due;
            let asks = (!next.awaits_ds.is_empty() && !dnssec.parent.is_empty()).then(|| now + pause(dnssec));
            seen.next = seen.next.into_iter().chain(asks).min();
        }
        seen.change = ZoneKeys::at(&keys, now).next_change;
        Ok(seen)
    }

    /// The keys of a zone; none while a file is wrong, which the loader says.
    fn read(&self, zone: &Zone) -> Vec<Key> {
        let mut wrong = Diagnostics::default();
        let keys = self.store.read_now(&zone.name, &mut wrong).keys;
        if wrong.refuse() { Vec::new() } else { keys }
    }

    /// Which of the awaited keys all the parent's servers vouch for.
    fn ask_parent(
        &mut self,
        dnssec: &Dnssec,
        (zone, keys, awaited): (&Zone, &[Key], &[u64]),
        now: u32,
    ) -> Vec<u64> {
        let mut vouched = Vec::new();
        let mut answers = None;
        for key in keys.iter().filter(|key| awaited.contains(&key.pair.id())) {
            let wanted = [Digest::Sha256, Digest::Sha384].map(|digest| ds(&zone.name, &key.pair, digest));
            self.tell(format!("{} awaits DS", key.stem()), |_| {
                let record = rdata::display(Rtype::DS, &wanted[0]);
                let how = if dnssec.parent.is_empty() { "then say `rhumb keys ds-seen`" } else { "its servers are asked" };
                tracing::info!(zone = %zone.name, "the parent must have the record {} DS {record}; {how}", zone.name);
            });
            if dnssec.parent.is_empty() {
                continue;
            }
            if answers.is_none() {
                let last = self.asked.get(&zone.name).copied().unwrap_or(0);
                if last.saturating_add(pause(dnssec)) > now {
                    return vouched;
                }
                self.asked.insert(zone.name.clone(), now);
            }
            let answers = answers.get_or_insert_with(|| {
                dnssec.parent.iter().map(|&server| parent::ds_of(server, &zone.name)).collect::<Vec<_>>()
            });
            let names = |answer: &io::Result<Vec<Vec<u8>>>| {
                answer.as_ref().is_ok_and(|records| records.iter().any(|record| wanted.contains(record)))
            };
            if answers.iter().all(names) {
                vouched.push(key.pair.id());
            }
        }
        vouched
    }

    /// Tells what was not told yet.
    fn tell(&mut self, what: String, say: impl FnOnce(&str)) {
        if !self.told.contains(&what) {
            say(&what);
            self.told.insert(what);
        }
    }
}

/// What came of looking at one zone.
#[derive(Default)]
struct Seen {
    wrote: bool,
    /// When there is something to do.
    next: Option<u32>,
    /// When the keys at work change.
    change: Option<u32>,
}

/// Seconds between questions to the parent.
fn pause(dnssec: &Dnssec) -> u32 {
    let acts_in = u32::try_from(dnssec.parent_delay.as_secs()).unwrap_or(u32::MAX);
    (acts_in / 4).clamp(SHORTEST, ASK)
}
