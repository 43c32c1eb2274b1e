//! How zones changed from one published generation to the next (RFC 1995).
//!
//! Kept in memory and bounded: a secondary that is further behind than the
//! journal reaches, as after a restart of this server, is sent the whole zone,
//! which is always right. Differences of several generations are condensed
//! into one (RFC 1995 §5): what came and went again is not sent.
//!
//! A change of more than half of a zone is not kept: sending it whole is as
//! cheap. Neither are signed zones, whose signatures change with time.
//!
//! **Invariant:** the steps of a zone are a chain: each begins with the serial
//! that the one before it ends with.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use rhumb_zones::{Name, Record, RecordRef, Rtype, ZoneId};

use super::content::Content;
use crate::snapshot::Snapshot;

/// Steps kept of each zone: a reload a minute for half an hour, in which
/// secondaries that hear NOTIFY have long asked.
const STEPS: usize = 32;

/// Records kept of each zone, of all steps together: about 10 MB.
const RECORDS: usize = 100_000;

/// What a change took away and what it brought.
#[derive(Debug)]
pub(super) struct Step {
    from: u32,
    to: u32,
    /// The SOA as it was served before.
    old: Record,
    removed: Vec<Record>,
    added: Vec<Record>,
}

/// What leads from one serial to the one that is served, condensed.
#[derive(Debug)]
pub(super) struct Difference {
    /// The SOA that the other side has.
    pub(super) old: Record,
    pub(super) removed: Vec<Record>,
    pub(super) added: Vec<Record>,
}

/// The steps of all zones.
#[derive(Debug, Default)]
pub(super) struct Journal {
    zones: Mutex<HashMap<Name, VecDeque<Arc<Step>>>>,
}

impl Journal {
    /// Keeps how the zones of `after` that may be transferred differ from
    /// those of `before`.
    pub(super) fn keep(&self, before: &Snapshot, after: &Snapshot) {
        let zones = |snapshot: &Snapshot| (0..snapshot.parts().world.model().zones().len()).map(ZoneId::new);
        let old: HashMap<&Name, Content<'_>> = zones(before)
            .map(|id| Content::of(before, id))
            .map(|content| (&content.zone.name, content))
            .collect();
        let mut kept = HashMap::new();
        for content in zones(after).map(|id| Content::of(after, id)) {
            let name = &content.zone.name;
            let is_kept = content.zone.transfer.is_some() && content.zone.dnssec.is_none();
            let Some(old) = old.get(name).filter(|old| is_kept && old.zone.dnssec.is_none()) else {
                continue;
            };
            let mut steps = self.lock().remove(name).unwrap_or_default();
            if old.serial != content.serial {
                match step(old, &content) {
                    Some(step) => steps.push_back(Arc::new(step)),
                    None => steps.clear(),
                }
            }
            let size = |steps: &VecDeque<Arc<Step>>| steps.iter().map(|step| step.size()).sum::<usize>();
            while steps.len() > STEPS || size(&steps) > RECORDS {
                steps.pop_front();
            }
            kept.insert(name.clone(), steps);
        }
        *self.lock() = kept;
    }

    /// What leads from `has` to what `content` is; nothing when the journal
    /// does not reach that far.
    pub(super) fn difference(&self, content: &Content<'_>, has: u32) -> Option<Difference> {
        let steps = self.lock().get(&content.zone.name)?.clone();
        let first = steps.iter().position(|step| step.from == has)?;
        let steps: Vec<_> = steps.iter().skip(first).collect();
        if steps.last()?.to != content.serial {
            return None;
        }
        let mut net: BTreeMap<Key<'_>, (i32, &Record)> = BTreeMap::new();
        for step in &steps {
            for (records, weight) in [(&step.removed, -1), (&step.added, 1)] {
                for record in records {
                    net.entry(Key(record.view())).or_insert((0, record)).0 += weight;
                }
            }
        }
        let side = |weight| {
            let wanted = net.values().filter(move |(sum, _)| *sum == weight);
            wanted.map(|(_, record)| (*record).clone()).collect()
        };
        Some(Difference { old: steps.first()?.old.clone(), removed: side(-1), added: side(1) })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Name, VecDeque<Arc<Step>>>> {
        // Whoever panicked left a whole map behind: entries are replaced at once.
        self.zones.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Step {
    fn size(&self) -> usize {
        self.removed.len() + self.added.len()
    }
}

/// The difference, unless it is more than half of what there is.
fn step(old: &Content<'_>, new: &Content<'_>) -> Option<Step> {
    let (mut before, mut after) = (old.records().peekable(), new.records().peekable());
    let (mut removed, mut added, mut same) = (Vec::new(), Vec::new(), 0usize);
    loop {
        let order = match (before.peek(), after.peek()) {
            (None, None) => break,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(ours), Some(theirs)) => Key(*ours).cmp(&Key(*theirs)),
        };
        match order {
            Ordering::Less => removed.extend(before.next().map(|record| record.to_record())),
            Ordering::Greater => added.extend(after.next().map(|record| record.to_record())),
            Ordering::Equal => {
                before.next();
                after.next();
                same += 1;
            }
        }
        if removed.len() + added.len() > RECORDS {
            return None;
        }
    }
    let soa = old.soa();
    let old_soa = Record {
        owner: old.zone.name.clone(),
        rtype: Rtype::SOA,
        ttl: soa.ttl,
        rdata: soa.rdata.into_owned().into(),
    };
    let worth = removed.len() + added.len() <= same + 1;
    worth.then_some(Step { from: old.serial, to: new.serial, old: old_soa, removed, added })
}

/// A record by all that it says, in the order of a zone's records.
struct Key<'r>(RecordRef<'r>);

impl Ord for Key<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        let parts = |Self(RecordRef { owner, rtype, ttl, rdata }): &Self| {
            (*owner, *rtype, *rdata, *ttl, owner.wire())
        };
        parts(self).cmp(&parts(other))
    }
}

impl PartialOrd for Key<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Key<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Key<'_> {}
