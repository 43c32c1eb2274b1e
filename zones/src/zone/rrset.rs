//! One TTL for each RRset.

use super::Report;
use super::order::Sorted;
use crate::master::Entry;
use crate::record::Rtype;

/// Gives all records of an RRset its lowest TTL.
pub(super) fn unify_ttls(sorted: &mut Sorted, report: &mut Report<'_, '_>) {
    for entries in sorted.rrsets() {
        // RRSIGs sort by the type they cover, and have its TTL (RFC 4034 §3).
        for rrset in entries.chunk_by_mut(|a, b| a.record.rtype != Rtype::RRSIG || covered(a) == covered(b)) {
            let lowest = rrset.iter().map(|entry| entry.record.ttl).min().unwrap_or_default();
            for entry in rrset {
                if entry.record.ttl != lowest {
                    let what = format!(
                        "has TTL {} where its RRset has {lowest}: {lowest} is used",
                        entry.record.ttl
                    );
                    report.warn(entry, what);
                    entry.record.ttl = lowest;
                }
            }
        }
    }
}

fn covered(entry: &Entry) -> Option<&[u8; 2]> {
    entry.record.rdata.first_chunk()
}
