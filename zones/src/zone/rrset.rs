//! One TTL for each RRset.

use super::Report;
use super::order::Sorted;
use crate::record::{RecordRef, Rtype};

/// Gives all records of an RRset its lowest TTL.
pub(super) fn unify_ttls(sorted: &mut Sorted, report: &mut Report<'_, '_>) {
    let mut start = 0;
    while start < sorted.len() {
        let first = sorted.entry(start).record;
        let (mut end, mut lowest, mut highest) = (start + 1, first.ttl, first.ttl);
        while end < sorted.len() && is_one(first, sorted.entry(end).record) {
            let ttl = sorted.entry(end).record.ttl;
            (lowest, highest) = (lowest.min(ttl), highest.max(ttl));
            end += 1;
        }
        if lowest < highest {
            (start..end).for_each(|index| lower(sorted, (index, lowest), report));
        }
        start = end;
    }
}

/// Whether two records belong to one RRset. RRSIGs sort by the type they
/// cover, and have its TTL (RFC 4034 §3).
fn is_one(a: RecordRef<'_>, b: RecordRef<'_>) -> bool {
    let covered = |record: RecordRef<'_>| record.rdata.first_chunk::<2>().copied();
    a.rtype == b.rtype && a.owner == b.owner && (a.rtype != Rtype::RRSIG || covered(a) == covered(b))
}

fn lower(sorted: &mut Sorted, (index, lowest): (usize, u32), report: &mut Report<'_, '_>) {
    let entry = sorted.entry(index);
    let ttl = entry.record.ttl;
    if ttl > lowest {
        report.warn(entry, format!("has TTL {ttl} where its RRset has {lowest}: {lowest} is used"));
        sorted.set_ttl(index, lowest);
    }
}
