//! What comes next in the life of a zone's keys.
//!
//! [`advance`] looks at the keys and the clock and says what to do now; it
//! remembers nothing, for the keys' times are the whole state. Doing a part of
//! what it says and asking again leads to the same end, so a process may die
//! between any two acts, and asking twice does nothing twice.
//!
//! The methods are those of RFC 7583. Zone-signing keys are *pre-published*
//! (§2.1): the successor stands in DNSKEY for as long as old DNSKEY sets are
//! cached, takes over in one moment, and the old one stays for as long as its
//! signatures are cached. Keys that the parent vouches for are rolled by
//! *double-KSK* (§2.2): both sign, the parent changes its DS when the new key
//! is known everywhere, and the old one goes when the old DS is forgotten. A
//! key that signs all (CSK) rolls the same way, and the old one goes on
//! signing the zone's data until it goes. A new algorithm first signs, then is
//! published, then vouched for, and the old one leaves in the reverse order
//! (RFC 6781 §4.1.4).
//!
//! The parent is the one thing that no clock tells: a new key waits, for ever
//! if need be, until its `ds_publish` is set.
//!
//! **Invariant:** no key stops signing before another of its role signs and is
//! known to every resolver.

mod entry;
mod zone;

use crate::algorithm::Algorithm;
use crate::key::{Key, Times};

/// How keys are to be rolled; all times in seconds.
#[derive(Clone, Debug)]
pub struct RolloverPolicy {
    /// What new keys are made with.
    pub algorithm: Algorithm,
    /// Whether the zone's data has a key of its own.
    pub split: bool,
    /// Whether the parent is told by CDS and CDNSKEY.
    pub cds: bool,
    /// TTL of DNSKEY.
    pub dnskey_ttl: u32,
    /// The longest TTL in the zone.
    pub max_ttl: u32,
    /// Until all servers of the zone answer a change.
    pub propagation: u32,
    /// TTL of DS in the parent zone.
    pub parent_ttl: u32,
    /// Until all servers of the parent answer a change.
    pub parent_delay: u32,
    /// How long a zone-signing key is at work; nothing is for ever.
    pub zsk_lifetime: Option<u32>,
    /// The same for a key that the parent vouches for.
    pub ksk_lifetime: Option<u32>,
}

/// Something to do now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Act {
    /// Make a key of the policy's algorithm and store it with these times.
    Make {
        /// Whether the parent is to vouch for it.
        is_entry: bool,
        /// Its times.
        times: Times,
    },
    /// Store new times of the key with this [`id`](crate::KeyPair::id).
    Set {
        /// Which key.
        id: u64,
        /// Its times.
        times: Times,
    },
    /// Remove the files of the key with this id: nothing of it is left.
    Remove {
        /// Which key.
        id: u64,
    },
}

/// What comes next.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Next {
    /// What to do now, in this order.
    pub acts: Vec<Act>,
    /// Keys that wait for the parent's DS, by id: it is time to ask.
    pub awaits_ds: Vec<u64>,
    /// When there will be something to do, if nothing else happens.
    pub due: Option<u32>,
}

/// How long the files of a key that is gone are kept, for whoever looks into
/// what happened.
const KEEP: u32 = 14 * 86_400;

impl RolloverPolicy {
    /// From when a key is published until every resolver knows it
    /// (RFC 7583 §3.2.1: Ipub).
    pub(crate) const fn known_after(&self) -> u32 {
        self.dnskey_ttl.saturating_add(self.propagation)
    }

    /// From when a key stops signing until no resolver holds its signatures
    /// (RFC 7583 §3.2.1: Iret).
    pub(crate) const fn forgotten_after(&self) -> u32 {
        self.max_ttl.saturating_add(self.propagation)
    }

    /// From when the parent has a new DS until no resolver holds the old one
    /// (RFC 7583 §3.3.1).
    pub(crate) const fn vouched_after(&self) -> u32 {
        self.parent_ttl.saturating_add(self.parent_delay)
    }
}

/// What to do at `now`, seconds since 1970, with the keys of one zone.
#[must_use]
pub fn advance(keys: &[Key], policy: &RolloverPolicy, now: u32) -> Next {
    let mut work = Work::new(keys, policy, now);
    entry::advance(&mut work);
    zone::advance(&mut work);
    work.finish()
}

/// The keys as they will be after what was said so far.
pub(crate) struct Work<'k> {
    pub(crate) policy: &'k RolloverPolicy,
    pub(crate) now: u32,
    /// Those with something left.
    pub(crate) keys: Vec<State<'k>>,
    keys_before: &'k [Key],
    made: Vec<Act>,
    awaits_ds: Vec<u64>,
    due: Option<u32>,
}

/// A key and its times to be.
#[derive(Clone, Copy)]
pub(crate) struct State<'k> {
    key: &'k Key,
    pub(crate) times: Times,
}

impl State<'_> {
    pub(crate) fn id(&self) -> u64 {
        self.key.pair.id()
    }

    pub(crate) fn is_entry(&self) -> bool {
        self.key.pair.is_entry()
    }

    pub(crate) fn algorithm(&self) -> Algorithm {
        self.key.pair.algorithm()
    }

    /// Orders keys of one role: who came later leads.
    pub(crate) fn rank(&self) -> (u32, u64) {
        let Times { activate, publish, created, .. } = self.times;
        (activate.or(publish).or(created).unwrap_or(0), self.id())
    }

    /// Whether it has been put to use and has no end in sight.
    pub(crate) const fn is_lasting(&self) -> bool {
        (self.times.publish.is_some() || self.times.activate.is_some())
            && self.times.inactive.is_none()
            && self.times.delete.is_none()
    }
}

impl<'k> Work<'k> {
    fn new(keys: &'k [Key], policy: &'k RolloverPolicy, now: u32) -> Self {
        let states = keys.iter().map(|key| State { key, times: key.times });
        let keys_left = states.filter(|state| !state.times.is_gone(now)).collect();
        let (made, awaits_ds) = (Vec::new(), Vec::new());
        Self { policy, now, keys: keys_left, keys_before: keys, made, awaits_ds, due: None }
    }

    /// The lasting keys of a role and the policy's algorithm, the leader last.
    pub(crate) fn lasting(&self, is_entry: bool) -> Vec<usize> {
        let fits = |state: &State<'_>| {
            state.is_lasting() && state.is_entry() == is_entry && state.algorithm() == self.policy.algorithm
        };
        let mut found: Vec<usize> = (0..self.keys.len()).filter(|&at| fits(&self.keys[at])).collect();
        found.sort_by_key(|&at| self.keys[at].rank());
        found
    }

    /// Whether a key of another algorithm is at work.
    pub(crate) fn changes_algorithm(&self) -> bool {
        let other = |state: &State<'_>| state.algorithm() != self.policy.algorithm;
        self.keys.iter().any(|state| other(state) && state.times.is_active(self.now))
    }

    /// Makes a key, unless its algorithm is one that is only imported.
    pub(crate) fn make(&mut self, is_entry: bool, times: Times) {
        if self.policy.algorithm != Algorithm::RsaSha256 {
            let times = Times { created: Some(self.now), ..times };
            self.made.push(Act::Make { is_entry, times });
        }
    }

    pub(crate) fn await_ds(&mut self, id: u64) {
        self.awaits_ds.push(id);
    }

    /// Says that there is something to do at `time`.
    pub(crate) fn due(&mut self, time: u32) {
        if time > self.now {
            self.due = Some(self.due.map_or(time, |due| due.min(time)));
        }
    }

    fn finish(mut self) -> Next {
        let mut acts = std::mem::take(&mut self.made);
        let changed = self.keys.iter().filter(|state| state.times != state.key.times);
        acts.extend(changed.map(|state| Act::Set { id: state.id(), times: state.times }));
        let now = self.now;
        for key in self.keys_before.iter().filter(|key| key.times.is_gone(now)) {
            let end = key.times.delete.max(key.times.inactive).unwrap_or(0).saturating_add(KEEP);
            if end <= now {
                acts.push(Act::Remove { id: key.pair.id() });
            } else {
                self.due(end);
            }
        }
        if !acts.is_empty() {
            // New keys have times of their own: ask again.
            self.due = Some(self.now);
        }
        Next { acts, awaits_ds: self.awaits_ds, due: self.due }
    }
}
