//! Questions made from the names of zones: each name, what is above, below
//! and beside it, in other cases and as long as names get, with types that
//! are there and types that are not.

use std::collections::BTreeSet;
use std::fmt;

use rhumb_zones::{Name, Rtype};

use crate::zones::Zone;

/// What is asked.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Question {
    /// In the case it is sent in.
    pub(crate) name: Name,
    pub(crate) rtype: Rtype,
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.rtype)
    }
}

/// Asked at every name: the common ones, those that the algorithm treats
/// apart, and one that nobody has heard of.
const AT_NAMES: [u16; 17] = [1, 2, 5, 6, 12, 13, 15, 16, 28, 33, 35, 39, 43, 48, 65, 255, 65280];
/// Asked below names.
const BELOW: [u16; 5] = [1, 2, 5, 16, 43];
/// Asked beside names.
const BESIDE: [u16; 2] = [28, 15];

/// All questions about `zones`, in order and each once.
pub(crate) fn all(zones: &[Zone]) -> Vec<Question> {
    let mut found = BTreeSet::new();
    for zone in zones {
        for name in names(zone) {
            let here = zone.data.records.iter().filter(|record| record.owner == name);
            let types = AT_NAMES.into_iter().chain(here.map(|record| record.rtype.0));
            add(&mut found, Some(name.clone()), types);
            for name in below(&name) {
                add(&mut found, name, BELOW);
            }
            for name in beside(&name) {
                add(&mut found, name, BESIDE);
            }
        }
        add(&mut found, zone.data.apex.parent(), AT_NAMES);
    }
    found.into_iter().map(|(wire, rtype)| Question { name: Name::from_wire(&wire).unwrap(), rtype }).collect()
}

/// Names that own records, those above them, and those that records point at.
fn names(zone: &Zone) -> BTreeSet<Name> {
    let mut found = BTreeSet::new();
    for record in &zone.data.records {
        let mut name = Some(record.owner.to_name());
        while let Some(at) = name.filter(|name| name.is_within(&zone.data.apex)) {
            name = at.parent();
            found.insert(at);
        }
        for target in rhumb_zones::rdata::names(record.rtype, record.rdata) {
            found.insert(Name::from_wire(&record.rdata[target.range]).unwrap());
        }
    }
    found
}

fn below(name: &Name) -> Vec<Option<Name>> {
    let child = |labels: &[&[u8]]| labels.iter().try_fold(name.clone(), |name, label| name.child(label)).ok();
    vec![
        child(&[b"x"]),
        child(&[b"b", b"a"]),
        child(&[b"*"]),
        child(&[b"*", b"x"]),
        child(&[b"\0"]),
        child(&[b"a.b\\\xff"]),
        longest(name),
    ]
}

/// `name` with labels in front until no more fit.
fn longest(name: &Name) -> Option<Name> {
    let mut long = name.clone();
    for _ in 0..4 {
        let room = (Name::MAX_WIRE - long.as_wire().len()).saturating_sub(1).min(Name::MAX_LABEL);
        long = if room > 0 { long.child(&vec![b'l'; room]).ok()? } else { long };
    }
    Some(long)
}

/// Neighbours, and the name itself in other letters.
fn beside(name: &Name) -> Vec<Option<Name>> {
    let Some(parent) = name.parent() else { return Vec::new() };
    let label = name.labels().next().unwrap();
    let shorter = label.get(..label.len() - 1).filter(|label| !label.is_empty());
    let mixed: Vec<u8> = name.as_wire().iter().enumerate().map(|(at, &byte)| swapped(at, byte)).collect();
    vec![
        parent.child(&[label, b"0"].concat()).ok(),
        parent.child(&[b"-", label].concat()).ok(),
        shorter.and_then(|label| parent.child(label).ok()),
        Name::from_wire(&mixed).ok(),
    ]
}

/// Every third letter in the other case; lengths of labels are no letters.
fn swapped(at: usize, byte: u8) -> u8 {
    if at % 3 == 1 && byte.is_ascii_alphabetic() { byte ^ 0x20 } else { byte }
}

fn add(found: &mut BTreeSet<(Vec<u8>, Rtype)>, name: Option<Name>, types: impl IntoIterator<Item = u16>) {
    let Some(name) = name else { return };
    found.extend(types.into_iter().map(|rtype| (name.as_wire().to_vec(), Rtype(rtype))));
}
