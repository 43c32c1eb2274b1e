//! The static content of one zone.
//!
//! [`ZoneData::read`] scans a zone file, sorts its records and checks that
//! they make a zone. An error is what named-checkzone or kzonecheck would
//! refuse too, or what would make this server answer other than the file
//! says; the rest is a warning.
//!
//! Sorting comes first: in canonical order the names below a zone cut or a
//! DNAME follow it without a gap, so one pass with one name in hand finds all
//! that is occluded. Places are kept until the end of the check and no longer.
//!
//! Records of one RRset with several TTLs all get the lowest, with a warning.
//! RFC 2181 §5.2 has clients do just that with an authoritative answer, and
//! it does not depend on the order of lines as BIND's "the first one" does.

mod check;
mod order;
mod rrset;
mod target;
#[cfg(test)]
mod tests;

use crate::diagnostic::Diagnostics;
use crate::files::Files;
use crate::master::{self, Place, Scanned, Sources};
use crate::name::Name;
use crate::record::{Record, Rtype};
use crate::records::Records;
use order::{Entry, Sorted};

/// Records of one zone, sane and sorted.
///
/// Sorted by owner in canonical order, then type, then data, without
/// duplicates; exactly one SOA, at the apex, and at least one NS there;
/// every owner lies within the apex; all records of one RRset bear one TTL
/// (RRSIGs count to what they cover).
#[derive(Clone, Debug)]
pub struct ZoneData {
    /// The zone's name.
    pub apex: Name,
    /// Its records.
    pub records: Records,
}

/// What a zone is read from.
#[derive(Clone, Copy)]
pub struct ZoneSource<'a> {
    /// The zone's name, and the first `$ORIGIN`.
    pub apex: &'a Name,
    /// The path of its file, as diagnostics show it.
    pub path: &'a str,
    /// The content of its file.
    pub bytes: &'a [u8],
    /// Where `$INCLUDE` finds files.
    pub files: &'a dyn Files,
    /// Names that the policy steers: they exist and have addresses, so
    /// records may point at them, but may not answer for them.
    pub steered: &'a [Name],
    /// Used where the file gives none: the SOA where it has no SOA at the
    /// apex; NS records and addresses where it has no NS there.
    pub defaults: &'a [Record],
}

impl ZoneData {
    /// Reads a zone file and what it includes, sorts it and checks that it
    /// makes a zone; nothing when an error was found. All that is wrong goes
    /// to `out`, by line.
    pub fn read(source: &ZoneSource<'_>, out: &mut Diagnostics) -> Option<Self> {
        let mut found = Diagnostics::default();
        let (mut scanned, sources) = master::scan(source, &mut found);
        let whole = !found.refuse();
        add_defaults(&mut scanned, source);
        let report = Report { sources: &sources, out: &mut found };
        let records = tidy(scanned, (source, whole), report);
        let sane = !found.refuse();
        found.sort();
        out.append(found);
        sane.then(|| Self { apex: source.apex.clone(), records })
    }
}

fn add_defaults(Scanned { records, places }: &mut Scanned, source: &ZoneSource<'_>) {
    let has = |rtype| records.iter().any(|record| record.rtype == rtype && record.owner == *source.apex);
    let (soa, ns) = (has(Rtype::SOA), has(Rtype::NS));
    let missing = |record: &&Record| if record.rtype == Rtype::SOA { !soa } else { !ns };
    for record in source.defaults.iter().filter(missing) {
        // A zone that is full lacks its SOA, and is refused for that.
        if records.add(record).is_ok() {
            places.push(Place::NOWHERE);
        }
    }
}

/// Sorts and checks; `whole` says that all entries of the file were read.
fn tidy(scanned: Scanned, (source, whole): (&ZoneSource<'_>, bool), mut report: Report<'_, '_>) -> Records {
    let mut sorted = Sorted::new(scanned, source.apex, |twin| {
        report.warn(twin, "stands here a second time and is dropped");
    });
    rrset::unify_ttls(&mut sorted, &mut report);
    check::zone(&sorted, (source, whole), &mut report);
    sorted.into_records()
}

/// Where mistakes in records go.
struct Report<'r, 's> {
    sources: &'r Sources<'s>,
    out: &'r mut Diagnostics,
}

impl Report<'_, '_> {
    fn error(&mut self, entry: Entry<'_>, what: impl Into<String>) {
        let Entry { record, at } = entry;
        self.out.error(&self.sources.locate(at), &record.owner.to_string(), &record.rtype.to_string(), what);
    }

    fn warn(&mut self, entry: Entry<'_>, what: impl Into<String>) {
        let Entry { record, at } = entry;
        self.out.warn(&self.sources.locate(at), &record.owner.to_string(), &record.rtype.to_string(), what);
    }

    /// An error of the zone as a whole.
    fn zone(&mut self, apex: &Name, which: &str, what: impl Into<String>) {
        self.out.error(&self.sources.whole(), &apex.to_string(), which, what);
    }
}
