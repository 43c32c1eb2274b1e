//! What records point at: name servers, mail exchanges, service hosts.

use std::collections::HashSet;

use super::order::{Node, Sorted};
use super::{Report, ZoneSource};
use crate::master::Place;
use crate::name::{Name, NameRef};
use crate::rdata;
use crate::record::{RecordRef, Rtype};

/// The names of a zone as targets.
pub(super) struct Targets<'z> {
    sorted: &'z Sorted,
    apex: &'z Name,
    steered: HashSet<NameRef<'z>>,
    /// Names in the zone that NS records point at.
    servers: HashSet<NameRef<'z>>,
}

/// What a name is to a record that points at it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Is {
    /// In another zone, or with addresses here.
    Fine,
    /// An alias, by CNAME or DNAME.
    Alias,
    /// In a delegated zone, without glue here.
    Delegated,
    /// Without addresses.
    Bare,
}

impl<'z> Targets<'z> {
    pub(super) fn new(sorted: &'z Sorted, source: &ZoneSource<'z>) -> Self {
        let servers = sorted.nodes().flat_map(Node::iter).filter(|entry| entry.record.rtype == Rtype::NS);
        let servers = servers.filter_map(|entry| target(entry.record));
        Self {
            sorted,
            apex: source.apex,
            steered: source.steered.iter().map(Name::view).collect(),
            servers: servers.filter(|name| name.is_within(source.apex)).collect(),
        }
    }

    /// Whether an NS record points at this name.
    pub(super) fn is_server(&self, name: NameRef<'_>) -> bool {
        self.servers.contains(&name)
    }

    /// Checks what the records of one name point at. Default records are
    /// the business of whoever gave them.
    pub(super) fn check(&self, node: Node<'_>, report: &mut Report<'_, '_>) {
        for entry in node.iter().filter(|entry| entry.at != Place::NOWHERE) {
            let Some(name) = target(entry.record) else { continue };
            let ns = entry.record.rtype == Rtype::NS;
            let apex = ns && entry.record.owner == *self.apex;
            let glue = ns && !apex && name.is_within(&entry.record.owner);
            match self.is(name) {
                Is::Fine => {}
                Is::Alias if apex => {
                    report.error(entry, format!("{name} must not be an alias (RFC 2181 §10.3)"))
                }
                _ if glue => report.error(entry, format!("{name} must have glue: an A or AAAA record here")),
                Is::Bare if apex => report.error(entry, format!("{name} must have an A or AAAA record")),
                Is::Alias => report.warn(entry, format!("{name} is an alias (RFC 2181 §10.3)")),
                Is::Bare => report.warn(entry, format!("{name} has no A or AAAA record")),
                Is::Delegated if ns => report.warn(entry, format!("{name} has no glue here")),
                Is::Delegated => {}
            }
        }
    }

    fn is(&self, name: NameRef<'_>) -> Is {
        if !name.is_within(self.apex) {
            return Is::Fine;
        }
        if let Some(known) = self.known(name) {
            return known;
        }
        let mut synthesized = self.sorted.exists(name).then_some(Is::Bare);
        let mut above = Some(name.to_name());
        while let Some(ancestor) = above.filter(|ancestor| ancestor.is_within(self.apex)) {
            let node = self.sorted.find(ancestor.view());
            let has = |rtype| has(node, rtype);
            if has(Rtype::NS) && ancestor != *self.apex {
                return Is::Delegated;
            }
            if has(Rtype::DNAME) && ancestor != name {
                return Is::Alias;
            }
            synthesized = synthesized.or_else(|| self.wildcard(&ancestor, name));
            above = ancestor.parent();
        }
        synthesized.unwrap_or(Is::Bare)
    }

    /// What a name is by the wildcard of an encloser, if that exists: none
    /// further up counts then (RFC 4592 §3.3.1).
    fn wildcard(&self, encloser: &Name, name: NameRef<'_>) -> Option<Is> {
        let wildcard = encloser.child(b"*").ok().filter(|_| *encloser != name);
        let known = wildcard.and_then(|wildcard| self.known(wildcard.view()));
        known.or_else(|| self.sorted.exists(encloser.view()).then_some(Is::Bare))
    }

    /// What the records of the name itself say.
    fn known(&self, name: NameRef<'_>) -> Option<Is> {
        let node = self.sorted.find(name);
        let has = |rtype| has(node, rtype);
        if has(Rtype::A) || has(Rtype::AAAA) || self.steered.contains(&name) {
            Some(Is::Fine)
        } else if has(Rtype::CNAME) {
            Some(Is::Alias)
        } else {
            None
        }
    }
}

fn has(node: Option<Node<'_>>, rtype: Rtype) -> bool {
    node.is_some_and(|node| node.iter().any(|entry| entry.record.rtype == rtype))
}

/// The host that an NS, MX or SRV record names; `.` is no host (RFC 7505,
/// RFC 2782).
fn target(record: RecordRef<'_>) -> Option<NameRef<'_>> {
    if !matches!(record.rtype, Rtype::NS | Rtype::MX | Rtype::SRV) {
        return None;
    }
    let host = rdata::names(record.rtype, record.rdata).into_iter().next()?;
    NameRef::borrow(&record.rdata[host.range]).ok().filter(|name| *name != Name::root())
}
