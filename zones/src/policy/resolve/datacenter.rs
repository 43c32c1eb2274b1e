//! `datacenters:` with their links, balancers and intranets.
//!
//! Every datacenter gets an intranet target, declared or not: the path rule
//! asks for it, and a target without a probe is simply assumed up. Links and
//! balancers exist only as declared, for their absence has a meaning of its
//! own.

use std::sync::Arc;

use super::super::file::{BalancerSpec, DatacenterSpec, IntranetSpec, LinkSpec};
use super::Resolver;
use crate::ids::{BalancerId, DatacenterId, LinkId};
use crate::model::{Balancer, Datacenter, Link, Service};
use crate::read::{Bounded, Named};
use crate::target::TargetName;
use crate::tree::Key;

/// Links per datacenter: no service has more VIPs.
const MAX_LINKS: usize = Service::MAX_VIPS;

impl Resolver<'_> {
    pub(super) fn datacenters(&mut self, specs: Named<DatacenterSpec>) {
        for (key, spec) in specs.0 {
            let name = Arc::clone(&key.text);
            let room = (self.model.datacenters.len(), DatacenterId::MAX);
            let fit = self.name_is_fit(&key, "datacenter") && self.has_room(room, &key.at, "datacenters");
            let id = spec.filter(|_| fit).map(|spec| self.one_datacenter(key, spec));
            self.datacenters.insert(name, id);
        }
    }

    fn one_datacenter(&mut self, key: Key, spec: DatacenterSpec) -> DatacenterId {
        let DatacenterSpec { at, region, links, balancers, intranet, ramp, target } = spec;
        let Key { at: location, text: name } = key;
        let id = DatacenterId::new(self.model.datacenters.len());
        let itself = self.target(TargetName::Datacenter(Arc::clone(&name)), &location, target, None);
        let IntranetSpec { probe, target } = intranet;
        let probe = self.probe(probe, [&format!("intranet {name}"), "probe"]);
        let intranet = self.target(TargetName::Intranet(Arc::clone(&name)), &location, target, probe);
        let links = self.links(id, &name, links);
        let balancers = self.balancers(id, &name, balancers);
        let ramp = ramp.or(self.defaults.service.ramp).unwrap_or_default();
        let target = itself;
        let datacenter = Datacenter { name, location, at, region, links, balancers, intranet, ramp, target };
        self.model.datacenters.push(datacenter);
        id
    }

    fn links(&mut self, datacenter: DatacenterId, owner: &Arc<str>, specs: Named<LinkSpec>) -> Vec<LinkId> {
        let mut ids = Vec::new();
        for (key, spec) in specs.0 {
            if ids.len() == MAX_LINKS {
                let what = format!("must be at most {MAX_LINKS}");
                self.error(&key.at, [&format!("datacenter {owner}"), "links"], what);
                break;
            }
            let room = (self.model.links.len(), LinkId::MAX);
            let fit = self.name_is_fit(&key, "link") && self.has_room(room, &key.at, "links");
            let Some(spec) = spec.filter(|_| fit) else { continue };
            let LinkSpec { carrier, quality: Bounded(quality), cost, at, region, probe, target } = spec;
            let who = format!("link {owner}/{}", key.text);
            let probe = self.probe(probe, [&who, "probe"]);
            let carriers = self.carrier_references(carrier, &who);
            if cost.is_some_and(|cost| cost < 0.0) {
                self.error(&key.at, [&who, "cost"], "must not be negative");
            }
            let name = TargetName::Link(Arc::clone(owner), Arc::clone(&key.text));
            let target = self.target(name, &key.at, target, probe);
            let quality = u8::try_from(quality).unwrap_or(u8::MAX);
            ids.push(LinkId::new(self.model.links.len()));
            let name = key.text;
            self.model.links.push(Link { name, datacenter, carriers, quality, cost, at, region, target });
        }
        ids
    }

    fn balancers(
        &mut self,
        datacenter: DatacenterId,
        owner: &Arc<str>,
        specs: Named<BalancerSpec>,
    ) -> Vec<BalancerId> {
        let mut ids = Vec::new();
        for (key, spec) in specs.0 {
            let room = (self.model.balancers.len(), BalancerId::MAX);
            let fit = self.name_is_fit(&key, "balancer") && self.has_room(room, &key.at, "balancers");
            let Some(spec) = spec.filter(|_| fit) else { continue };
            let BalancerSpec { address, probe, target } = spec;
            let probe = self.probe(probe, [&format!("balancer {owner}/{}", key.text), "probe"]);
            let name = TargetName::Balancer(Arc::clone(owner), Arc::clone(&key.text));
            let target = self.target(name, &key.at, target, probe);
            ids.push(BalancerId::new(self.model.balancers.len()));
            self.model.balancers.push(Balancer { name: key.text, datacenter, address, target });
        }
        ids
    }
}
