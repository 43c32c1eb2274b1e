//! Services that no query for their zone would reach.
//!
//! A name at or below a zone cut is a referral's, a name below a DNAME is
//! another name's (RFC 6672 §2.4), and a name in a zone below, served here
//! too, is that zone's. All three are reported where the policy declares the
//! service; records at its very name are reported in the zone file.

use std::collections::HashSet;

use super::Resolver;
use super::service::Owned;
use crate::model::Zone;
use crate::name::Name;
use crate::record::Rtype;

impl Resolver<'_> {
    /// Checks the services of all zones, which are complete by now.
    pub(super) fn check_occlusion(&mut self, services: &[Owned]) {
        let apexes: HashSet<Name> = self.model.zones.iter().map(|zone| zone.name.clone()).collect();
        let above: Vec<Above> = self.model.zones.iter().map(Above::new).collect();
        for Owned { zone, key, owner, .. } in services {
            let apex = &self.model.zone(*zone).name;
            if let Some(why) = above[zone.index()].hides(owner, apex, &apexes) {
                self.error(&key.at, [&format!("service {}", key.text), "name"], why);
            }
        }
    }
}

/// Names of a zone below which it does not answer.
struct Above {
    cuts: HashSet<Name>,
    dnames: HashSet<Name>,
}

impl Above {
    fn new(zone: &Zone) -> Self {
        let owners = |rtype: Rtype| {
            let records = zone.records.records.iter().filter(move |record| record.rtype == rtype);
            records.map(|record| record.owner.to_name())
        };
        let cuts = owners(Rtype::NS).filter(|owner| *owner != zone.name).collect();
        Self { cuts, dnames: owners(Rtype::DNAME).collect() }
    }

    /// Why `owner` is never answered from the zone.
    fn hides(&self, owner: &Name, apex: &Name, apexes: &HashSet<Name>) -> Option<String> {
        let mut name = owner.clone();
        loop {
            if name != *apex && apexes.contains(&name) {
                return Some(format!("must not lie in {name}, which is a zone here too"));
            }
            if self.cuts.contains(&name) {
                return Some(format!("must not lie at or below {name}, which the zone delegates"));
            }
            if name != *owner && self.dnames.contains(&name) {
                return Some(format!("must not lie below {name}, which is a DNAME"));
            }
            if name == *apex {
                return None;
            }
            name = name.parent()?;
        }
    }
}
