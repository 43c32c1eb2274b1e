//! Whether the file leaves steered names to the policy.

use super::order::Sorted;
use super::{Report, ZoneSource};
use crate::name::Name;
use crate::record::Rtype;

/// Types that the policy answers at a steered name.
const ANSWERED: [Rtype; 6] = [Rtype::A, Rtype::AAAA, Rtype::CNAME, Rtype::SRV, Rtype::SVCB, Rtype::HTTPS];

/// Checks each steered name and those above it.
pub(super) fn check(sorted: &Sorted, source: &ZoneSource<'_>, report: &mut Report<'_, '_>) {
    for name in source.steered {
        at(name, sorted, (source.apex, report));
        let mut above = name.parent();
        while let Some(ancestor) = above.filter(|ancestor| ancestor.is_within(source.apex)) {
            let node = sorted.find(&ancestor).iter();
            let cuts = node.filter(|entry| match entry.record.rtype {
                Rtype::NS => ancestor != *source.apex,
                rtype => rtype == Rtype::DNAME,
            });
            for entry in cuts {
                report.error(
                    entry,
                    format!("must not stand above {name}, which a service of the policy answers"),
                );
            }
            above = ancestor.parent();
        }
    }
}

fn at(name: &Name, sorted: &Sorted, (apex, report): (&Name, &mut Report<'_, '_>)) {
    let clashes = sorted.find(name).iter().filter(|entry| match entry.record.rtype {
        Rtype::NS | Rtype::DNAME => name != apex,
        rtype => ANSWERED.contains(&rtype),
    });
    for entry in clashes {
        report.error(entry, "must not stand at a name that a service of the policy answers");
    }
}
