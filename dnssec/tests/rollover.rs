//! Keys through years of virtual time: what resolvers hold validates at every
//! moment, whatever is cached, and whenever the process dies.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rhumb_dnssec::rollover::{Act, Next, RolloverPolicy, advance};
use rhumb_dnssec::{Algorithm, Key, Times, ZoneKeys};
use rhumb_zones::Name;

/// When the tests begin.
const BEGIN: u32 = 1_800_000_000;

const POLICY: RolloverPolicy = RolloverPolicy {
    algorithm: Algorithm::EcdsaP256,
    split: false,
    cds: true,
    dnskey_ttl: 60,
    max_ttl: 100,
    propagation: 20,
    parent_ttl: 200,
    parent_delay: 10,
    zsk_lifetime: Some(1_000),
    ksk_lifetime: Some(3_000),
};

/// What a validator may hold: keys, who signed them, who signed data, DS.
#[derive(Clone, PartialEq, Default)]
struct View {
    keys: BTreeSet<u64>,
    keys_by: BTreeSet<u64>,
    data_by: BTreeSet<u64>,
    ds: BTreeSet<u64>,
}

/// A zone, its keys and its parent, second by second.
struct World {
    keys: Vec<Key>,
    policy: RolloverPolicy,
    /// How late the parent acts on CDS; nothing is never.
    parent_acts: Option<u32>,
    /// Since when CDS differ from DS.
    asked: Option<u32>,
    ds: BTreeSet<u64>,
    history: BTreeMap<u32, View>,
    /// Whether a process dies after each single act.
    dies: bool,
}

impl World {
    fn new(policy: RolloverPolicy) -> Self {
        let (keys, ds, history) = (Vec::new(), BTreeSet::new(), BTreeMap::new());
        Self { keys, policy, parent_acts: Some(30), asked: None, ds, history, dies: false }
    }

    fn perform(&mut self, act: &Act, now: u32) {
        match act {
            Act::Make { is_entry, times } => {
                let zone = Name::scan_absolute("example").unwrap();
                let key = Key::generate(zone, self.policy.algorithm, *is_entry, now).unwrap();
                self.keys.push(Key { times: *times, ..key });
            }
            Act::Set { id, times } => {
                self.keys.iter_mut().find(|key| key.pair.id() == *id).unwrap().times = *times;
            }
            Act::Remove { id } => self.keys.retain(|key| key.pair.id() != *id),
        }
    }

    /// Does all there is to do, and says what is awaited.
    fn work(&mut self, now: u32) -> Next {
        for _ in 0..20 {
            let next = advance(&self.keys, &self.policy, now);
            if next.acts.is_empty() {
                return next;
            }
            let acts = if self.dies { &next.acts[..1] } else { &next.acts[..] };
            acts.iter().for_each(|act| self.perform(act, now));
        }
        panic!("there is no end of acts at {}", now - BEGIN);
    }

    /// One second passes.
    fn tick(&mut self, now: u32) {
        let next = self.work(now);
        let at = ZoneKeys::at(&self.keys, now);
        let ids = |list: &[Arc<_>]| list.iter().map(|key: &Arc<rhumb_dnssec::KeyPair>| key.id()).collect();
        let published = |key: &&Key| at.dnskeys.contains(&key.pair.dnskey());
        let offered: BTreeSet<u64> = self
            .keys
            .iter()
            .filter(|key| at.cdnskeys.contains(&key.pair.dnskey()))
            .map(|key| key.pair.id())
            .collect();
        if offered.is_empty() || offered == self.ds {
            self.asked = None;
        } else if let Some(late) = self.parent_acts {
            let since = *self.asked.get_or_insert(now);
            if now - since >= late {
                self.ds = offered;
            }
        }
        for id in next.awaits_ds.iter().filter(|id| self.ds.contains(id)) {
            let key = self.keys.iter_mut().find(|key| key.pair.id() == *id).unwrap();
            key.times.ds_publish = Some(now);
        }
        let view = View {
            keys: self.keys.iter().filter(published).map(|key| key.pair.id()).collect(),
            keys_by: ids(&at.ksk),
            data_by: ids(&at.zsk),
            ds: self.ds.clone(),
        };
        if self.history.values().next_back() != Some(&view) {
            self.history.insert(now, view);
        }
        self.validate(now);
    }

    /// Any mix of what may be cached must validate.
    fn validate(&self, now: u32) {
        let policy = &self.policy;
        // What was there at some time of the last `age` seconds.
        let since = |age: u32| {
            let before = self.history.range(..=now - age).next_back();
            before.into_iter().chain(self.history.range(now - age + 1..)).map(|(_, view)| view)
        };
        let here = self.history.values().next_back().unwrap();
        for keys in since(policy.dnskey_ttl + policy.propagation) {
            for data in since(policy.max_ttl + policy.propagation) {
                // The first signatures and the first DS: the zone is insecure until then.
                let fresh = data.data_by.is_empty() || keys.keys.is_empty();
                assert!(
                    fresh && here.ds.is_empty() || !data.data_by.is_disjoint(&keys.keys),
                    "data at {}",
                    now - BEGIN
                );
            }
            for parent in since(policy.parent_ttl + policy.parent_delay).filter(|view| !view.ds.is_empty()) {
                let trusted: BTreeSet<_> = parent.ds.intersection(&keys.keys).copied().collect();
                assert!(!trusted.is_disjoint(&keys.keys_by), "chain of trust at {}", now - BEGIN);
            }
        }
    }

    fn run(&mut self, from: u32, to: u32) {
        (BEGIN + from..BEGIN + to).for_each(|now| self.tick(now));
    }

    /// How many keys were made with and without the entry point, and are left.
    fn counts(&self, now: u32) -> (usize, usize, usize) {
        let entries = self.keys.iter().filter(|key| key.pair.is_entry()).count();
        let published = self.keys.iter().filter(|key| key.times.is_published(BEGIN + now)).count();
        (entries, self.keys.len() - entries, published)
    }
}

#[test]
fn years_go_by_and_all_validates() {
    let rows = [
        (POLICY, false, (4, 0, 1), "one key, rolled each 3,000 s: at 0, 3,000, 6,000 and 9,000"),
        (RolloverPolicy { split: true, ..POLICY }, false, (4, 10, 2), "two keys; the other each 1,000 s"),
        (RolloverPolicy { split: true, ..POLICY }, true, (4, 10, 2), "a process that dies after each act"),
        (
            RolloverPolicy { ksk_lifetime: None, zsk_lifetime: None, split: true, ..POLICY },
            false,
            (1, 1, 2),
            "never is never",
        ),
        (
            RolloverPolicy { zsk_lifetime: Some(81), split: true, ksk_lifetime: None, ..POLICY },
            false,
            (1, 124, 5),
            "as fast as it goes: one to come, one at work, two to be forgotten, and the entry key",
        ),
    ];
    for (policy, dies, want, why) in rows {
        let mut world = World::new(policy);
        world.dies = dies;
        world.run(0, 9_900);
        assert_eq!(world.counts(9_899), want, "{why}");
    }
}

#[test]
fn a_parent_that_never_acts_stops_the_rollover() {
    let mut world = World::new(POLICY);
    world.run(0, 1_000);
    assert_eq!(world.ds.len(), 1, "the parent took the first key");
    world.parent_acts = None;
    world.run(1_000, 9_000);
    assert_eq!(world.counts(8_999), (2, 0, 2), "the second waits, the first stays, no third is made");
    assert_eq!(advance(&world.keys, &world.policy, BEGIN + 9_000).awaits_ds.len(), 1);
    world.parent_acts = Some(0);
    world.run(9_000, 9_500);
    assert_eq!(world.counts(9_499).2, 1, "and goes on when the parent does");
}

#[test]
fn plans_and_algorithms_change() {
    let split = RolloverPolicy { split: true, ..POLICY };
    let rows = [
        (POLICY, split.clone(), 2, "from one key to two"),
        (split, POLICY, 1, "and back"),
        (POLICY, RolloverPolicy { algorithm: Algorithm::Ed25519, ..POLICY }, 1, "another algorithm"),
        (
            RolloverPolicy { split: true, ..POLICY },
            RolloverPolicy { algorithm: Algorithm::Ed25519, split: true, ..POLICY },
            2,
            "another algorithm, with two keys",
        ),
    ];
    for (before, after, published, why) in rows {
        let mut world = World::new(RolloverPolicy { zsk_lifetime: None, ksk_lifetime: None, ..before });
        world.run(0, 1_000);
        world.policy = RolloverPolicy { zsk_lifetime: None, ksk_lifetime: None, ..after };
        world.run(1_000, 3_000);
        assert_eq!(world.counts(2_999).2, published, "{why}");
        let left = world.keys.iter().filter(|key| key.times.is_published(BEGIN + 2_999));
        assert!(left.clone().all(|key| key.pair.algorithm() == world.policy.algorithm), "{why}");
        assert!(left.filter(|key| key.pair.is_entry()).all(|key| key.times.ds_publish.is_some()), "{why}");
    }
}

#[test]
fn an_algorithm_is_signed_with_before_it_is_published_and_after() {
    let mut world = World::new(RolloverPolicy { ksk_lifetime: None, ..POLICY });
    world.run(0, 1_000);
    world.policy.algorithm = Algorithm::Ed25519;
    let mut alone = 0;
    for now in BEGIN + 1_000..BEGIN + 3_000 {
        world.tick(now);
        let at = ZoneKeys::at(&world.keys, now);
        let published = |algorithm: Algorithm| at.dnskeys.iter().any(|rdata| rdata[3] == algorithm.number());
        for algorithm in [Algorithm::EcdsaP256, Algorithm::Ed25519] {
            let signs = at.zsk.iter().any(|key| key.algorithm() == algorithm);
            assert!(signs || !published(algorithm), "RFC 4035 §2.2, at {}", now - BEGIN);
            alone += u32::from(signs && !published(algorithm));
        }
    }
    assert_eq!(alone, 120 + 80, "before: all data in caches; after: all DNSKEY sets in caches");
}

#[test]
fn imported_keys_are_taken_as_they_are() {
    let zone = Name::scan_absolute("example").unwrap();
    let key = |is_entry, times| Key {
        times,
        ..Key::generate(zone.clone(), Algorithm::EcdsaP256, is_entry, 0).unwrap()
    };
    let at = |publish: u32| Times {
        publish: Some(BEGIN + publish),
        activate: Some(BEGIN + publish),
        ..Times::default()
    };
    let standby = key(true, Times { created: Some(BEGIN), ..Times::default() });
    let vouched = key(true, Times { ds_publish: Some(BEGIN), ..at(0) });
    let policy = RolloverPolicy { split: true, ksk_lifetime: None, zsk_lifetime: None, ..POLICY };
    let rows = [
        (vec![vouched.clone(), key(false, at(0))], 0, 0, "two at work stay"),
        (vec![vouched.clone(), key(false, at(0)), standby], 0, 0, "one without times rests"),
        (vec![vouched.clone()], 1, 0, "one is made for the data"),
        (vec![vouched, key(false, at(0)), key(false, at(5))], 0, 1, "of two for the data the older ends"),
    ];
    for (keys, makes, ends, why) in rows {
        let next = advance(&keys, &policy, BEGIN + 10);
        let made = next.acts.iter().filter(|act| matches!(act, Act::Make { .. })).count();
        let ended =
            next.acts.iter().filter(|act| matches!(act, Act::Set { times, .. } if times.inactive.is_some()));
        assert_eq!((made, ended.count()), (makes, ends), "{why}: {next:?}");
    }
    let rsa = RolloverPolicy { algorithm: Algorithm::RsaSha256, ..policy };
    assert_eq!(advance(&[], &rsa, BEGIN), Next::default(), "RSA keys are never made");
}
