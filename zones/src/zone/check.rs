//! Whether records make a zone, as operators know it from named-checkzone
//! and kzonecheck.

use super::order::{Entry, Node, Sorted};
use super::target::Targets;
use super::{Report, ZoneSource};
use crate::name::{Name, NameRef};
use crate::record::Rtype;

/// Types that may stand beside a CNAME (RFC 4034 §2.5, RFC 2535 §2.3.5).
const BESIDE_CNAME: [Rtype; 5] = [Rtype::CNAME, Rtype::RRSIG, Rtype::NSEC, SIG, KEY];
/// Types that stand on the parent's side of a zone cut (RFC 4035 §2.2).
const AT_CUT: [Rtype; 4] = [Rtype::NS, Rtype::DS, Rtype::RRSIG, Rtype::NSEC];
/// Types that the policy answers at a steered name.
const ANSWERED: [Rtype; 6] = [Rtype::A, Rtype::AAAA, Rtype::CNAME, Rtype::SRV, Rtype::SVCB, Rtype::HTTPS];
const SIG: Rtype = Rtype(24);
const KEY: Rtype = Rtype(25);

/// Checks the zone; `whole` says that nothing was lost while it was read, so
/// that what is missing is really missing.
pub(super) fn zone(sorted: &Sorted, (source, whole): (&ZoneSource<'_>, bool), report: &mut Report<'_, '_>) {
    let apex = source.apex;
    let targets = Targets::new(sorted, source);
    let mut walk = Walk { apex, targets: &targets, cut: None, dname: None, report };
    for node in sorted.nodes() {
        walk.step(node, whole);
    }
    steered(sorted, source, report);
    for rtype in [Rtype::SOA, Rtype::NS] {
        let at_apex = sorted.find(apex.view()).is_some_and(|node| of(node, rtype).next().is_some());
        if whole && !at_apex {
            report.zone(apex, &rtype.to_string(), format!("a zone must have {rtype} at its apex"));
        }
    }
}

/// Leaves steered names to the policy. What hides one, a zone cut or a DNAME
/// above it, is reported where the policy declares it.
fn steered(sorted: &Sorted, source: &ZoneSource<'_>, report: &mut Report<'_, '_>) {
    let nodes = source.steered.iter().filter_map(|name| sorted.find(name.view()));
    let clashes = nodes.flat_map(Node::iter).filter(|Entry { record, .. }| match record.rtype {
        Rtype::DNAME => record.owner != *source.apex,
        rtype => ANSWERED.contains(&rtype),
    });
    for entry in clashes {
        report.error(entry, "must not stand at a name that a service of the policy answers");
    }
}

/// Entries of one type.
fn of(node: Node<'_>, rtype: Rtype) -> impl Iterator<Item = Entry<'_>> {
    node.iter().filter(move |entry| entry.record.rtype == rtype)
}

/// What a walk in canonical order knows.
struct Walk<'w, 'r, 's> {
    apex: &'w Name,
    targets: &'w Targets<'w>,
    /// The topmost zone cut at or above the name in hand.
    cut: Option<NameRef<'w>>,
    /// The topmost DNAME at or above it.
    dname: Option<NameRef<'w>>,
    report: &'w mut Report<'r, 's>,
}

impl<'w> Walk<'w, '_, '_> {
    fn step(&mut self, node: Node<'w>, whole: bool) {
        let owner = node.owner();
        self.cut = self.cut.filter(|cut| owner.is_within(cut));
        self.dname = self.dname.filter(|dname| owner.is_within(dname));
        self.singletons(node);
        self.below_dname(node);
        let occluded = self.cut.is_some();
        if !occluded && owner != *self.apex && of(node, Rtype::NS).next().is_some() {
            self.cut = Some(owner);
        }
        if self.dname.is_none() && of(node, Rtype::DNAME).next().is_some() {
            self.dname = Some(owner);
        }
        match self.cut {
            Some(cut) => self.delegated(cut, node),
            None => self.undelegated(node),
        }
        if whole && !occluded {
            self.targets.check(node, self.report);
        }
    }

    /// SOA, CNAME and DNAME stand once, and CNAME alone.
    fn singletons(&mut self, node: Node<'_>) {
        for (rtype, rule) in [
            (Rtype::SOA, "a zone must have one SOA"),
            (Rtype::CNAME, "a name must have one CNAME (RFC 1034 §3.6.2)"),
            (Rtype::DNAME, "a name must have one DNAME (RFC 6672 §2.4)"),
        ] {
            for entry in of(node, rtype).skip(1) {
                self.report.error(entry, rule);
            }
        }
        if of(node, Rtype::CNAME).next().is_some() {
            for entry in node.iter().filter(|entry| !BESIDE_CNAME.contains(&entry.record.rtype)) {
                self.report.error(entry, "must not stand beside a CNAME (RFC 1034 §3.6.2)");
            }
        }
        for entry in of(node, Rtype::SOA).filter(|entry| entry.record.owner != *self.apex) {
            self.report.error(entry, format!("must stand at the apex {}", self.apex));
        }
    }

    fn below_dname(&mut self, node: Node<'_>) {
        let Some(dname) = self.dname else { return };
        // Hashed names stand below the apex, whatever it has.
        let hashed = |entry: &Entry<'_>| !matches!(entry.record.rtype, Rtype::NSEC3 | Rtype::RRSIG);
        for entry in node.iter().filter(hashed) {
            self.report.error(entry, format!("must not stand below the DNAME {dname} (RFC 6672 §2.4)"));
        }
    }

    /// At and below a zone cut only the delegation and its glue are answered.
    fn delegated(&mut self, cut: NameRef<'_>, node: Node<'_>) {
        let owner = node.owner();
        for entry in node.iter() {
            match entry.record.rtype {
                Rtype::A | Rtype::AAAA if self.targets.is_server(owner) => {}
                Rtype::A | Rtype::AAAA => self.report.warn(entry, "is no glue: no NS record names it"),
                rtype if owner == cut && AT_CUT.contains(&rtype) => {}
                _ => self.report.warn(entry, format!("is never answered: {cut} is delegated")),
            }
        }
    }

    fn undelegated(&mut self, node: Node<'_>) {
        for entry in of(node, Rtype::DS) {
            if entry.record.owner == *self.apex {
                self.report.error(entry, "must stand in the parent zone (RFC 4035 §2.4)");
            } else {
                self.report.warn(entry, "is never answered: no NS record delegates the name");
            }
        }
    }
}
