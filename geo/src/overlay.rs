//! What the operator knows: carriers' prefixes and the prefixes of policies.
//!
//! Prefixes nest or are disjoint, so one walk over them in order, with a stack
//! of those still open, gives for every address the carriers whose lists hold
//! it and the longest of the operator's prefixes. IPv6 ranges that stand for
//! IPv4 addresses are cut out here ([`EMBEDDED`]): nothing that is laid over
//! or merged afterwards crosses their borders, and whoever looks up such an
//! address learns in the same step that its inner address is to be asked.

use std::net::IpAddr;

use rhumb_zones::{Carrier, CarrierId, Prefix};
use rustc_hash::FxHashMap;

use crate::address::EMBEDDINGS;
use crate::carrier;
use crate::ranges::{Key, Steps};

/// The operator knows nothing of this address.
pub(crate) const NOTHING: u32 = 0;
/// This address stands for an IPv4 address.
pub(crate) const EMBEDDED: u32 = u32::MAX;

/// What the operator knows of an address.
#[derive(Clone, PartialEq, Eq, Hash, Default, Debug)]
pub(crate) struct Knowledge {
    /// Carriers whose prefixes hold it, ascending.
    pub(crate) carriers: Vec<CarrierId>,
    /// Index of the longest of the operator's prefixes that holds it.
    pub(crate) operator: Option<u32>,
}

/// Steps hold indexes into `list`, whose first entry is [`NOTHING`], or
/// [`EMBEDDED`].
pub(crate) struct Overlay {
    pub(crate) list: Vec<Knowledge>,
    pub(crate) v4: Steps<u32, u32>,
    pub(crate) v6: Steps<u128, u32>,
}

impl Overlay {
    /// Lays all prefixes out. Of equal operator prefixes the first counts.
    pub(crate) fn new(carriers: &[Carrier], operator: &[Prefix]) -> Self {
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        let mut add = |prefix: Prefix, label| match prefix.address() {
            IpAddr::V4(ip) => v4.push(Labelled { start: ip.to_bits(), length: prefix.length(), label }),
            IpAddr::V6(ip) => v6.push(Labelled { start: ip.to_bits(), length: prefix.length(), label }),
        };
        for (index, carrier) in carriers.iter().enumerate() {
            let builtin = if carrier.builtin { carrier::builtin(&carrier.name) } else { None };
            for prefix in carrier.prefixes.iter().copied().chain(builtin.unwrap_or_default()) {
                add(prefix, Label::Carrier(CarrierId::new(index)));
            }
        }
        for (index, prefix) in (0..).zip(operator) {
            add(*prefix, Label::Operator(index));
        }
        for embedding in EMBEDDINGS {
            v6.push(Labelled { start: embedding.start, length: embedding.length, label: Label::Embedded });
        }
        let mut interner = Interner::new();
        let (v4, v6) = (interner.lay_out(v4), interner.lay_out(v6));
        Self { list: interner.list, v4, v6 }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Label {
    Carrier(CarrierId),
    Operator(u32),
    Embedded,
}

/// A prefix and what it says. Ordered by start, then the widest first, then
/// equal operator prefixes so that the first one declared comes last.
struct Labelled<K> {
    start: K,
    length: u8,
    label: Label,
}

struct Interner {
    list: Vec<Knowledge>,
    numbers: FxHashMap<Knowledge, u32>,
}

impl Interner {
    fn new() -> Self {
        let numbers = FxHashMap::from_iter([(Knowledge::default(), NOTHING)]);
        Self { list: vec![Knowledge::default()], numbers }
    }

    fn lay_out<K: Key>(&mut self, mut prefixes: Vec<Labelled<K>>) -> Steps<K, u32> {
        prefixes.sort_by_key(|prefix| (prefix.start, prefix.length, std::cmp::Reverse(prefix.label)));
        let mut steps = Steps::all(NOTHING);
        let mut open: Vec<Labelled<K>> = Vec::new();
        for prefix in prefixes {
            self.close(&mut open, Some(prefix.start), &mut steps);
            let start = prefix.start;
            open.push(prefix);
            steps.push(start, self.number(&open));
        }
        self.close(&mut open, None, &mut steps);
        steps
    }

    /// Closes the prefixes that end before `next`, or all.
    fn close<K: Key>(&mut self, open: &mut Vec<Labelled<K>>, next: Option<K>, steps: &mut Steps<K, u32>) {
        while let Some(inner) = open.last() {
            let end = inner.start.last_of(inner.length);
            if next.is_some_and(|next| next <= end) {
                return;
            }
            open.pop();
            if let Some(after) = end.after() {
                steps.push(after, self.number(open));
            }
        }
    }

    fn number<K>(&mut self, open: &[Labelled<K>]) -> u32 {
        let mut knowledge = Knowledge::default();
        for prefix in open {
            match prefix.label {
                Label::Carrier(carrier) => knowledge.carriers.push(carrier),
                Label::Operator(index) => knowledge.operator = Some(index),
                Label::Embedded => return EMBEDDED,
            }
        }
        knowledge.carriers.sort_unstable();
        knowledge.carriers.dedup();
        *self.numbers.entry(knowledge).or_insert_with_key(|knowledge| {
            self.list.push(knowledge.clone());
            u32::try_from(self.list.len() - 1).expect("at most two per prefix")
        })
    }
}
