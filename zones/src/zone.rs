//! The static content of one zone.

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
