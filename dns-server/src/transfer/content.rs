//! What a transferred zone consists of.
//!
//! The static records as they stand in the model, occluded ones and glue
//! included (RFC 5936 §3.5), the SOA with the serial that is served, and the
//! services as the zone's view is given them. Nothing is copied: a walk merges
//! two sorted lists that the snapshot holds.
//!
//! **Invariant:** equal serials of a zone mean equal content.

use std::borrow::Cow;

use rhumb_zones::{Name, NameRef, Record, RecordRef, Rtype, Zone, ZoneId};

use crate::snapshot::Snapshot;

/// Octets of SERIAL, REFRESH, RETRY, EXPIRE and MINIMUM, which end a SOA.
const NUMBERS: usize = 20;

/// One zone of one snapshot.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Content<'s> {
    pub(crate) id: ZoneId,
    pub(crate) zone: &'s Zone,
    pub(crate) serial: u32,
    view: &'s [Record],
}

/// One record on its way out.
#[derive(Clone, Debug)]
pub(crate) struct Item<'s> {
    pub(crate) owner: Cow<'s, [u8]>,
    pub(crate) rtype: Rtype,
    pub(crate) ttl: u32,
    pub(crate) rdata: Cow<'s, [u8]>,
}

impl<'s> Content<'s> {
    pub(crate) fn of(snapshot: &'s Snapshot, id: ZoneId) -> Self {
        let parts = snapshot.parts();
        let zone = parts.world.model().zone(id);
        Self::new((id, zone), parts.serials[id.index()], parts.views.zone(id))
    }

    pub(crate) const fn new((id, zone): (ZoneId, &'s Zone), serial: u32, view: &'s [Record]) -> Self {
        Self { id, zone, serial, view }
    }

    /// Its SOA as it is served.
    pub(crate) fn soa(&self) -> Item<'s> {
        let is_soa = |record: &RecordRef<'_>| record.rtype == Rtype::SOA;
        let record = self.zone.records.records.iter().find(is_soa).expect("ZoneData has an SOA");
        Item { rdata: Cow::Owned(with_serial(record.rdata, self.serial)), ..Item::from(record) }
    }

    /// What the view is answered at this name.
    pub(crate) fn steered(&self, owner: &Name) -> impl Iterator<Item = &'s Record> + use<'s> {
        let start = self.view.partition_point(|record| record.owner < *owner);
        let end = self.view.partition_point(|record| record.owner <= *owner);
        self.view[start..end].iter()
    }

    /// All records but the SOA, by owner, type and data. What stands beside
    /// an alias of the view is left out: it is never answered.
    pub(crate) fn records(&self) -> impl Iterator<Item = RecordRef<'s>> + use<'s> {
        let mut fixed = self.zone.records.records.iter().filter(|r| r.rtype != Rtype::SOA).peekable();
        let mut view = self.view.iter().map(Record::view).peekable();
        let mut alias: Option<NameRef<'_>> = None;
        std::iter::from_fn(move || {
            while fixed.next_if(|record| Some(record.owner) == alias).is_some() {}
            let is_first = |ours: &RecordRef<'_>, theirs: &RecordRef<'_>| {
                (ours.owner, ours.rtype) < (theirs.owner, theirs.rtype)
            };
            match (fixed.peek(), view.peek()) {
                (Some(ours), Some(theirs)) if is_first(ours, theirs) => fixed.next(),
                (Some(_), None) => fixed.next(),
                _ => view.next().inspect(|record| {
                    alias = (record.rtype == Rtype::CNAME).then_some(record.owner).or(alias);
                }),
            }
        })
    }
}

impl<'s> From<RecordRef<'s>> for Item<'s> {
    fn from(RecordRef { owner, rtype, ttl, rdata }: RecordRef<'s>) -> Self {
        Self { owner: Cow::Borrowed(owner.wire()), rtype, ttl, rdata: Cow::Borrowed(rdata) }
    }
}

/// A SOA's data with another serial.
fn with_serial(rdata: &[u8], serial: u32) -> Vec<u8> {
    let mut soa = rdata.to_vec();
    let at = soa.len() - NUMBERS;
    soa[at..at + 4].copy_from_slice(&serial.to_be_bytes());
    soa
}
