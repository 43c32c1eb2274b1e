//! The static content of one zone.

use crate::diagnostic::{Diagnostics, Location};
use crate::files::Files;
use crate::name::Name;
use crate::record::Record;

/// Records of one zone, sane and sorted.
///
/// Sorted by owner in canonical order, then type, then data, without
/// duplicates; exactly one SOA, at the apex, and at least one NS there;
/// every owner lies within the apex; all records of one RRset bear one TTL.
#[derive(Clone, Debug)]
pub struct ZoneData {
    /// The zone's name.
    pub apex: Name,
    /// Its records.
    pub records: Vec<Record>,
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
    /// to `out`.
    pub fn read(source: &ZoneSource<'_>, out: &mut Diagnostics) -> Option<Self> {
        if source.bytes.is_empty() {
            let mut records = source.defaults.to_vec();
            records.sort_by(|a, b| (&a.owner, a.rtype, &a.rdata).cmp(&(&b.owner, b.rtype, &b.rdata)));
            return Some(Self { apex: source.apex.clone(), records });
        }
        let at = Location { file: source.path.into(), line: 0, column: 0 };
        out.error(&at, &source.apex.to_string(), "records", "zone files are not read yet");
        None
    }
}
