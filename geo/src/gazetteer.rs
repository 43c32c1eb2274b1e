//! All databases of a process, laid over each other.
//!
//! A [`Gazetteer`] is what files say, before an operator says better: an address
//! is located by the first database, in the order given, that knows where it
//! is, and gets its ASN from the first that knows one. So a city file and an
//! ASN file complete each other, as do files for IPv4 and IPv6. A family that
//! no country or city database covers falls back on the embedded country
//! table.
//!
//! Making one takes as long as reading the files; it is kept while policies
//! come and go.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::embedded;
use crate::mmdb::Database;
use crate::names::Names;
use crate::place::Record;
use crate::ranges::{Key, Ranges, Steps, sweep};

/// What one or several databases say of every address. Steps hold indexes
/// into `records`; record 0 is unknown.
#[derive(Clone, Debug)]
pub(crate) struct Layer {
    pub(crate) records: Vec<Record>,
    pub(crate) names: Names,
    pub(crate) sources: Vec<Arc<str>>,
    pub(crate) v4: Steps<u32, u32>,
    pub(crate) v6: Steps<u128, u32>,
}

impl Layer {
    /// Knows nothing.
    fn unknown() -> Self {
        Self {
            records: vec![Record::UNKNOWN],
            names: Names::default(),
            sources: Vec::new(),
            v4: Steps::all(0),
            v6: Steps::all(0),
        }
    }

    /// Whether it says where any address of a family is.
    fn locates<K>(&self, steps: &Steps<K, u32>) -> bool {
        steps.parts().1.iter().any(|record| self.records[*record as usize].locates())
    }

    /// This layer where it knows, `lower` where it does not.
    fn over(mut self, lower: &Self) -> Self {
        let cities = self.names.append(&lower.names);
        let sources = u8::try_from(self.sources.len()).unwrap_or(u8::MAX);
        self.sources.extend(lower.sources.iter().cloned());
        let lower_records = lower.records.iter().map(|record| Record {
            city: if record.city == 0 { 0 } else { record.city + cities },
            source: record.source.saturating_add(sources),
            ..*record
        });
        let lower_records: Vec<_> = lower_records.collect();
        let mut merged = Merged::new(&self.records, &lower_records);
        let v4 = merged.lay(&self.v4, &lower.v4);
        let v6 = merged.lay(&self.v6, &lower.v6);
        Self { records: merged.records, names: self.names, sources: self.sources, v4, v6 }
    }
}

/// Pairs of records made one.
struct Merged<'a> {
    upper: &'a [Record],
    lower: &'a [Record],
    records: Vec<Record>,
    by_pair: FxHashMap<(u32, u32), u32>,
    by_content: FxHashMap<Record, u32>,
}

impl<'a> Merged<'a> {
    fn new(upper: &'a [Record], lower: &'a [Record]) -> Self {
        Self {
            upper,
            lower,
            records: vec![Record::UNKNOWN],
            by_pair: FxHashMap::default(),
            by_content: FxHashMap::from_iter([(Record::UNKNOWN, 0)]),
        }
    }

    fn lay<K: Key>(&mut self, upper: &Steps<K, u32>, lower: &Steps<K, u32>) -> Steps<K, u32> {
        let mut steps = Steps::all(0);
        sweep(upper.parts(), lower.parts(), |start, a, b| steps.push(start, self.number(a, b)));
        steps
    }

    fn number(&mut self, a: u32, b: u32) -> u32 {
        if let Some(number) = self.by_pair.get(&(a, b)) {
            return *number;
        }
        let (upper, lower) = (self.upper[a as usize], self.lower[b as usize]);
        let located = if upper.locates() { upper } else { lower };
        let record = Record { asn: if upper.asn == 0 { lower.asn } else { upper.asn }, ..located };
        let number = *self.by_content.entry(record).or_insert_with(|| {
            self.records.push(record);
            u32::try_from(self.records.len() - 1).expect("fewer records than addresses of IPv4")
        });
        self.by_pair.insert((a, b), number);
        number
    }
}

/// All databases of a process, laid over each other and frozen.
#[derive(Debug)]
pub struct Gazetteer {
    pub(crate) records: Box<[Record]>,
    pub(crate) names: Names,
    pub(crate) sources: Box<[Arc<str>]>,
    pub(crate) v4: Ranges<u32, u32>,
    pub(crate) v6: Ranges<u128, u32>,
}

impl Gazetteer {
    /// Lays `databases` over each other, the first on top. A family that none
    /// of them locates is located by the embedded country table.
    #[must_use]
    pub fn new(databases: Vec<Database>) -> Self {
        let layers = databases.into_iter().map(|database| database.layer);
        let layer = layers.reduce(|upper, lower| upper.over(&lower)).unwrap_or_else(Layer::unknown);
        let (v4, v6) = (layer.locates(&layer.v4), layer.locates(&layer.v6));
        if v4 && v6 {
            return Self::freeze(layer);
        }
        let mut lowest = embedded::layer();
        if v4 {
            lowest.v4 = Steps::all(0);
        }
        if v6 {
            lowest.v6 = Steps::all(0);
        }
        Self::freeze(layer.over(&lowest))
    }

    /// Knows nothing of any address; for tests and for operators who trust
    /// their own prefixes alone.
    #[must_use]
    pub fn unknown() -> Self {
        Self::freeze(Layer::unknown())
    }

    /// The database that located `record`.
    pub(crate) fn source(&self, record: &Record) -> Option<&str> {
        let source = self.sources.get(usize::from(record.source))?;
        record.locates().then_some(source)
    }

    fn freeze(layer: Layer) -> Self {
        let Layer { records, names, sources, v4, v6 } = layer;
        Self {
            records: records.into(),
            names,
            sources: sources.into(),
            v4: Ranges::new(v4),
            v6: Ranges::new(v6),
        }
    }
}
