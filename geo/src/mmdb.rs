//! One `.mmdb` file, read into a layer.
//!
//! What a file is follows from its records, never from its name or from
//! configuration: GeoIP2 and GeoLite2 City and Country (nested maps), ASN
//! databases, and the flat schema of the ip-location-db packages
//! (`country_code`, `latitude`, …) all decode into one [`Record`]; see
//! [`fields`]. A file of which no record says anything is refused, because a
//! schema that nobody reads would otherwise look like a world without clients.
//!
//! A record is decoded once, however many networks share it (5.8 million
//! networks share 343 thousand records in GeoLite2-City), and the bytes are
//! dropped afterwards. They are read into memory by the caller and never
//! mapped: a mapped file that is overwritten in place kills the process.
//!
//! **Invariant:** no content of a file panics or loops; it is an error that
//! names the file.

mod fields;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use maxminddb::{MaxMindDbError, Reader, WithinOptions};
use rustc_hash::FxHashMap;
use serde::de::IgnoredAny;

use crate::gazetteer::Layer;
use crate::mmdb::fields::Fields;
use crate::names::Interner;
use crate::place::Record;
use crate::ranges::{Key, Steps};

/// What one database says of every address.
#[derive(Debug)]
pub struct Database {
    pub(crate) layer: Layer,
}

impl Database {
    /// Reads `bytes`, the whole content of the file called `name`.
    ///
    /// # Errors
    /// When it is no MaxMind database, is truncated or damaged, or no record
    /// says anything that this crate reads.
    pub fn open(name: &str, bytes: Vec<u8>) -> Result<Self, DatabaseError> {
        let failed = |wrong| DatabaseError { name: name.to_owned(), wrong };
        let reader = Reader::from_source(bytes).map_err(|error| failed(Wrong::NotADatabase(error)))?;
        read(&reader, name).map(|layer| Self { layer }).map_err(failed)
    }
}

/// Walks all networks of a database, in ascending order.
fn read(reader: &Reader<Vec<u8>>, name: &str) -> Result<Layer, Wrong> {
    let mut names = Interner::default();
    let mut records = Records::default();
    let (mut v4, mut v6) = (Line::<u32>::new(), Line::<u128>::new());
    // Every leaf of a binary tree: one more than it has nodes. A damaged tree
    // whose branches join would otherwise be walked for ever.
    let mut leaves = u64::from(reader.metadata().node_count) + 1;
    let options = WithinOptions::default().include_networks_without_data();
    for network in reader.networks(options).map_err(Wrong::Damaged)? {
        let network = network.map_err(Wrong::Damaged)?;
        leaves = leaves.checked_sub(1).ok_or(Wrong::NotATree)?;
        let Some(offset) = network.offset() else { continue };
        let number = match records.by_offset.get(&offset) {
            Some(number) => *number,
            None => {
                let fields = network.decode::<Fields<'_>>().map_err(Wrong::Record)?.unwrap_or_default();
                records.add(offset, fields.record(&mut names))
            }
        };
        let prefix = network.network().map_err(Wrong::Damaged)?;
        match prefix.ip() {
            IpAddr::V4(ip) => v4.add(ip.to_bits(), prefix.prefix(), number)?,
            IpAddr::V6(ip) => v6.add(ip.to_bits(), prefix.prefix(), number)?,
        }
    }
    if records.list.len() == 1 {
        return Err(Wrong::UnknownSchema(first_keys(reader)));
    }
    let (v4, v6) = (v4.finish(), v6.finish());
    Ok(Layer { records: records.list, names: names.finish(), sources: vec![Arc::from(name)], v4, v6 })
}

/// Decoded records under dense numbers; 0 is unknown.
struct Records {
    list: Vec<Record>,
    by_offset: FxHashMap<usize, u32>,
    /// Records at different offsets may say the same as far as we read them.
    by_content: FxHashMap<Record, u32>,
}

impl Default for Records {
    fn default() -> Self {
        let by_content = FxHashMap::from_iter([(Record::UNKNOWN, 0)]);
        Self { list: vec![Record::UNKNOWN], by_offset: FxHashMap::default(), by_content }
    }
}

impl Records {
    fn add(&mut self, offset: usize, record: Record) -> u32 {
        let number = *self.by_content.entry(record).or_insert_with(|| {
            self.list.push(record);
            u32::try_from(self.list.len() - 1).expect("records are at distinct 32-bit offsets")
        });
        self.by_offset.insert(offset, number);
        number
    }
}

/// Networks laid end to end, gaps unknown.
struct Line<K> {
    steps: Steps<K, u32>,
    /// First address after the last network; nothing when the line is full.
    open: Option<K>,
}

impl<K: Key> Line<K> {
    fn new() -> Self {
        Self { steps: Steps::all(0), open: Some(K::FIRST) }
    }

    fn add(&mut self, start: K, length: u8, number: u32) -> Result<(), Wrong> {
        let open = self.open.filter(|open| *open <= start).ok_or(Wrong::NotATree)?;
        if open < start {
            self.steps.push(open, 0);
        }
        self.steps.push(start, number);
        self.open = start.last_of(length).after();
        Ok(())
    }

    fn finish(mut self) -> Steps<K, u32> {
        if let Some(open) = self.open {
            self.steps.push(open, 0);
        }
        self.steps
    }
}

/// The keys of the first record, for the operator to see what the file is.
fn first_keys(reader: &Reader<Vec<u8>>) -> String {
    let first = reader.networks(WithinOptions::default()).ok().and_then(|mut networks| networks.next());
    let keys = first
        .and_then(Result::ok)
        .and_then(|network| network.decode::<BTreeMap<String, IgnoredAny>>().ok().flatten())
        .unwrap_or_default();
    keys.into_keys().take(MAX_KEYS_SHOWN).collect::<Vec<_>>().join(", ")
}

/// Enough to recognise a schema in one line.
const MAX_KEYS_SHOWN: usize = 12;

/// Why a file cannot be used, with its name.
#[derive(Debug, thiserror::Error)]
#[error("{name}: {wrong}")]
pub struct DatabaseError {
    name: String,
    wrong: Wrong,
}

#[derive(Debug, thiserror::Error)]
enum Wrong {
    #[error("is not a MaxMind database, or is cut short: {0}")]
    NotADatabase(MaxMindDbError),
    #[error("is damaged: {0}")]
    Damaged(MaxMindDbError),
    #[error("is damaged: its search tree is not a tree")]
    NotATree,
    #[error("has a record that cannot be read: {0}")]
    Record(MaxMindDbError),
    #[error("no record has a country, coordinates or an ASN; the first has: {0}")]
    UnknownSchema(String),
}
