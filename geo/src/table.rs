//! Client address → place, for every address there is.
//!
//! A [`PlaceTable`] is a [`Gazetteer`] under what the operator knows. The gazetteer
//! is shared, not copied, so that a policy reload costs the operator's
//! prefixes and not the databases again: places that only the gazetteer tells of
//! keep its numbers, and each pair of a gazetteer record and an operator's
//! knowledge that occurs together gets a number after those.
//!
//! Queries do not come here: they ask a [`ClassMap`] that was made from the
//! table for one shape of policy. `explain` does, and is told the *leaf*, the
//! widest prefix around the address that lies in one place.
//!
//! **Invariant:** this module knows nothing of DNS messages, health or policy.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use rhumb_zones::{Carrier, CarrierId, Prefix};
use rustc_hash::FxHashMap;

use crate::address::Embedding;
use crate::class::{ClassId, ClassMap};
use crate::gazetteer::Gazetteer;
use crate::overlay::{EMBEDDED, Knowledge, NOTHING, Overlay};
use crate::place::{Place, PlaceId};
use crate::ranges::{Key, Ranges, Steps, sweep};

/// Every address's place.
#[derive(Debug)]
pub struct PlaceTable {
    gazetteer: Arc<Gazetteer>,
    knowledge: Vec<Knowledge>,
    v4: Ranges<u32, u32>,
    v6: Ranges<u128, u32>,
    /// Places beyond the gazetteer's.
    known: Vec<Known>,
    by_pair: FxHashMap<(u32, u32), PlaceId>,
    /// Carriers of an ASN, for places that only the gazetteer tells of.
    by_asn: FxHashMap<u32, Vec<CarrierId>>,
}

/// A gazetteer record where the operator knows more.
#[derive(Debug)]
struct Known {
    record: u32,
    operator: Option<u32>,
    carriers: Box<[CarrierId]>,
}

/// Where an address is, and how far around it that holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Located {
    /// Its place.
    pub place: PlaceId,
    /// The widest prefix around it that lies in that place.
    pub leaf: Prefix,
}

impl PlaceTable {
    /// Lays `carriers` and the operator's prefixes over `gazetteer`. Prefixes
    /// inside IPv6 ranges that stand for IPv4 addresses never match: those
    /// addresses are looked up as IPv4.
    #[must_use]
    pub fn new(gazetteer: Arc<Gazetteer>, carriers: &[Carrier], operator: &[Prefix]) -> Self {
        let mut by_asn: FxHashMap<u32, Vec<CarrierId>> = FxHashMap::default();
        for (index, carrier) in carriers.iter().enumerate() {
            for asn in &carrier.asns {
                let ids = by_asn.entry(*asn).or_default();
                if ids.last() != Some(&CarrierId::new(index)) {
                    ids.push(CarrierId::new(index));
                }
            }
        }
        let Overlay { list, v4, v6 } = Overlay::new(carriers, operator);
        let mut table = Self {
            gazetteer: Arc::clone(&gazetteer),
            knowledge: list,
            v4: Ranges::new(v4),
            v6: Ranges::new(v6),
            known: Vec::new(),
            by_pair: FxHashMap::default(),
            by_asn,
        };
        let (v4, v6) = (table.pairs(&gazetteer.v4, &table.v4), table.pairs(&gazetteer.v6, &table.v6));
        v4.into_iter().chain(v6).for_each(|(record, known)| table.add(record, known));
        table
    }

    /// Pairs that occur together, in the order of their addresses.
    fn pairs<K: Key>(&self, gazetteer: &Ranges<K, u32>, overlay: &Ranges<K, u32>) -> Vec<(u32, u32)> {
        let mut pairs = Vec::new();
        sweep(gazetteer.parts(), overlay.parts(), |_, record, known| {
            if known != NOTHING && known != EMBEDDED && pairs.last() != Some(&(record, known)) {
                pairs.push((record, known));
            }
        });
        pairs
    }

    fn add(&mut self, record: u32, known: u32) {
        let next = self.len();
        let std::collections::hash_map::Entry::Vacant(entry) = self.by_pair.entry((record, known)) else {
            return;
        };
        entry.insert(PlaceId(u32::try_from(next).expect("fewer places than addresses of IPv4")));
        let Knowledge { carriers, operator } = &self.knowledge[known as usize];
        let asn = self.gazetteer.records[record as usize].asn;
        let mut carriers = carriers.clone();
        carriers.extend(self.by_asn.get(&asn).into_iter().flatten());
        carriers.sort_unstable();
        carriers.dedup();
        self.known.push(Known { record, operator: *operator, carriers: carriers.into() });
    }

    /// How many places there are; at least [`PlaceId::NOWHERE`].
    #[expect(clippy::len_without_is_empty, reason = "it never is")]
    #[must_use]
    pub fn len(&self) -> usize {
        self.gazetteer.records.len() + self.known.len()
    }

    /// Every place, in the order of [`PlaceId::index`].
    pub fn places(&self) -> impl Iterator<Item = Place<'_>> {
        (0..).take(self.len()).map(|index| self.place(PlaceId(index)))
    }

    /// What is known of a place of this table.
    #[must_use]
    pub fn place(&self, id: PlaceId) -> Place<'_> {
        let known = id.index().checked_sub(self.gazetteer.records.len()).map(|beyond| &self.known[beyond]);
        let record = known.map_or(id.0, |known| known.record);
        let record = &self.gazetteer.records[record as usize];
        let carriers = match known {
            Some(known) => &*known.carriers,
            None => self.by_asn.get(&record.asn).map_or(&[][..], Vec::as_slice),
        };
        Place {
            at: record.spot.point(),
            continent: record.continent,
            country: record.country,
            subdivisions: record.subdivisions,
            city: self.gazetteer.names.get(record.city),
            asn: (record.asn != 0).then_some(record.asn),
            carriers,
            operator: known.and_then(|known| known.operator).map(|index| index as usize),
            source: self.gazetteer.source(record),
        }
    }

    /// Where `address` is. IPv6 that stands for an IPv4 address is located by
    /// that, and its leaf is still one of IPv6.
    #[must_use]
    pub fn look_up(&self, address: IpAddr) -> Located {
        let (place, depth) = match address {
            IpAddr::V4(ip) => self.locate(&self.gazetteer.v4, &self.v4, ip.to_bits()),
            IpAddr::V6(ip) => match Embedding::of(ip.to_bits()) {
                None => self.locate(&self.gazetteer.v6, &self.v6, ip.to_bits()),
                Some(embedding) => {
                    let inner = Ipv4Addr::from_bits(embedding.inner(ip.to_bits()));
                    let (place, depth) = self.locate(&self.gazetteer.v4, &self.v4, inner.to_bits());
                    (place, embedding.offset + depth)
                }
            },
        };
        let leaf = Prefix::containing(address, depth).expect("a range is no deeper than its family");
        Located { place, leaf }
    }

    fn locate<K: Key>(
        &self,
        gazetteer: &Ranges<K, u32>,
        overlay: &Ranges<K, u32>,
        address: K,
    ) -> (PlaceId, u8) {
        let (range, known) = (gazetteer.find(address), overlay.find(address));
        let depth = gazetteer.depth(range, address).max(overlay.depth(known, address));
        (self.place_of(gazetteer.value(range), overlay.value(known)), depth)
    }

    fn place_of(&self, record: u32, known: u32) -> PlaceId {
        if known == NOTHING { PlaceId(record) } else { self.by_pair[&(record, known)] }
    }

    /// What a shape of policy can tell apart: `class_of` gives the class of
    /// every place, in the order of [`PlaceTable::places`].
    ///
    /// # Panics
    /// If `class_of` is not as long as the table.
    #[must_use]
    pub fn classes(&self, class_of: &[ClassId]) -> ClassMap {
        assert_eq!(class_of.len(), self.len(), "one class per place");
        // Where all clients are alike, the range that stands for IPv4
        // addresses must not cut IPv6 scopes short.
        if let Some(&only) = class_of.first().filter(|&only| class_of.iter().all(|class| class == only)) {
            return ClassMap::new(Steps::all(only), Steps::all(only), only);
        }
        let v4 = self.classify(&self.gazetteer.v4, &self.v4, class_of);
        let v6 = self.classify(&self.gazetteer.v6, &self.v6, class_of);
        ClassMap::new(v4, v6, class_of[PlaceId::NOWHERE.index()])
    }

    fn classify<K: Key>(
        &self,
        gazetteer: &Ranges<K, u32>,
        overlay: &Ranges<K, u32>,
        class_of: &[ClassId],
    ) -> Steps<K, ClassId> {
        let mut steps = Steps::all(ClassId::EMBEDDED);
        sweep(gazetteer.parts(), overlay.parts(), |start, record, known| {
            let class = match known {
                EMBEDDED => ClassId::EMBEDDED,
                _ => class_of[self.place_of(record, known).index()],
            };
            steps.push(start, class);
        });
        steps
    }
}
