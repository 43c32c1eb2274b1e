//! `interconnects:`.
//!
//! A pair of datacenters has at most one: two lines between the same two are
//! one path with one verdict, and redundancy below that is the network's. The
//! ends are stored in alphabetical order, as in the target's name, so that both
//! spellings find it.

use super::super::file::InterconnectSpec;
use super::Resolver;
use crate::ids::InterconnectId;
use crate::model::Interconnect;
use crate::read::Spanned;
use crate::target::TargetName;

impl Resolver<'_> {
    pub(super) fn interconnects(&mut self, specs: Vec<Spanned<InterconnectSpec>>) {
        for Spanned { at, value } in specs {
            let InterconnectSpec { between: Spanned { at: between_at, value: ends }, hold, probe, target } =
                value;
            let [a, b] = &ends[..] else {
                self.error(&between_at, ["interconnect", "between"], "must be two datacenters");
                continue;
            };
            let mut names = [a.value.clone(), b.value.clone()];
            names.sort_unstable();
            let who = format!("interconnect {}/{}", names[0], names[1]);
            let (first, second) =
                (self.datacenter(a, [&who, "between"]), self.datacenter(b, [&who, "between"]));
            let probe = self.probe(probe, [&who, "probe"]);
            let (Some(first), Some(second)) = (first, second) else { continue };
            if first == second {
                self.error(&between_at, [&who, "between"], "must be two different datacenters");
                continue;
            }
            let mut ends = [first, second];
            ends.sort_by(|&a, &b| self.model.datacenter(a).name.cmp(&self.model.datacenter(b).name));
            let name = |index: usize| &self.model.datacenter(ends[index]).name;
            let name = TargetName::interconnect(name(0), name(1));
            if let Some(first) = self.model.target_named(&name) {
                let what =
                    format!("must be declared once; it is also at {}", self.model.target(first).location);
                self.error(&at, [&who, "between"], what);
                continue;
            }
            if self.has_room((self.model.interconnects.len(), InterconnectId::MAX), &at, "interconnects") {
                let target = self.target(name, &at, target, probe);
                self.model.interconnects.push(Interconnect { ends, hold, target });
            }
        }
    }
}
