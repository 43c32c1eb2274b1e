//! `services:` with their nodes.
//!
//! A service's key is a name in its zone and also its name in targets, as long
//! as only one zone uses it. So all zones are seen before the first service is
//! resolved; until then it is an [`Owned`]: a key, its owner name, its zone.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::super::defaults;
use super::super::file::{NodeSpec, PrimarySpec, ServiceSpec};
use super::super::forms::{NodeForm, PrimaryForm};
use super::super::keys::ServiceKeys;
use super::super::steer::Steps;
use super::Resolver;
use super::vip::Vips;
use crate::diagnostic::Location;
use crate::ids::{NodeId, ServiceId, ZoneId};
use crate::model::{Data, LastResort, LinkSelection, Node, Plugin, Primary, Service};
use crate::name::Name;
use crate::read::{Named, Spanned, Ttl};
use crate::target::TargetName;
use crate::tree::{Key, Tree, Value};

/// A service whose place in its zone is known.
pub(super) struct Owned {
    pub(super) zone: ZoneId,
    pub(super) key: Key,
    pub(super) owner: Name,
    spec: Option<ServiceSpec>,
}

impl Resolver<'_> {
    /// The names in the zone that its services steer.
    pub(super) fn owners(&mut self, zone: ZoneId, apex: &Name, specs: Named<ServiceSpec>) -> Vec<Owned> {
        let mut owned: Vec<Owned> = Vec::new();
        let mut first: HashMap<Name, Location> = HashMap::new();
        for (key, spec) in specs.0 {
            let Some(owner) = self.owner(&key, apex) else { continue };
            if let Some(first) = first.get(&owner) {
                let what = format!("must be declared once; {owner} is also at {first}");
                self.error(&key.at, [&format!("service {}", key.text), "name"], what);
                continue;
            }
            first.insert(owner.clone(), key.at.clone());
            owned.push(Owned { zone, key, owner, spec });
        }
        owned
    }

    /// `www`, `@`, `*.apps`, `a.b.c` below the zone's apex, or an absolute
    /// name with its final dot.
    fn owner(&mut self, key: &Key, apex: &Name) -> Option<Name> {
        let Key { at, text } = key;
        let who = format!("service {text}");
        let who = [&*who, "name"];
        let owner = match Name::scan(text, apex) {
            Ok(owner) => owner,
            Err(error) => {
                self.error(at, who, error.to_string());
                return None;
            }
        };
        if text.contains(|c: char| c == '/' || c.is_whitespace()) {
            self.error(at, who, "must not have slashes or spaces");
        } else if !owner.is_within(apex) {
            self.error(at, who, format!("must lie in the zone {apex}"));
        } else if owner.labels().skip(1).any(|label| label == b"*") {
            self.error(at, who, "must have its wildcard as the first label");
        } else {
            let absolute = Name::scan_absolute(text).ok();
            if !text.ends_with('.') && absolute.is_some_and(|name| name.is_within(apex)) {
                let what = format!("steers {owner}; end the name with a dot if {text} is meant");
                self.context.out.warn(at, who[0], who[1], what);
            }
            return Some(owner);
        }
        None
    }

    /// Resolves the services of all zones. Where two zones use one key, full
    /// names tell them apart.
    pub(super) fn services(&mut self, owned: Vec<Owned>) {
        let mut uses: HashMap<Arc<str>, usize> = HashMap::new();
        for service in &owned {
            *uses.entry(Arc::clone(&service.key.text)).or_default() += 1;
        }
        for service in owned {
            let key = &service.key;
            let unique = uses.get(&key.text) == Some(&1);
            let name = if unique { Arc::clone(&key.text) } else { service.owner.to_string().into() };
            if self.has_room((self.model.services.len(), ServiceId::MAX), &key.at, "services") {
                self.service(name, service);
            }
        }
    }

    fn service(&mut self, name: Arc<str>, owned: Owned) {
        let Owned { zone, key: Key { at: location, .. }, owner, spec } = owned;
        let Some(spec) = spec else { return };
        let ServiceSpec { name: title, description, primary, check, vips, nodes, keys, target } = spec;
        let who = format!("service {name}");
        let id = ServiceId::new(self.model.services.len());
        let itself = self.target(TargetName::Service(Arc::clone(&name)), &location, target.clone(), None);
        let probe = self.probe(check, [&who, "check"]);
        let (ttl, ttl_floor) = self.ttls(&keys, &who);
        let ServiceKeys { data, steer, link_selection, ramp, last_resort, .. } =
            keys.or(&self.defaults.service);
        if vips.0.is_empty() {
            self.error(&location, [&who, "vips"], "must have at least one");
        }
        let common = Vips {
            service: id,
            name: &name,
            apex: owner == self.model.zones[zone.index()].name,
            probe,
            target,
        };
        let vips = self.vips(&common, vips);
        let nodes = self.nodes(id, &name, nodes);
        let data = data.unwrap_or(Data::Anywhere);
        let primary_said = primary.is_some();
        let primary = self.primary(primary, &who, id);
        if data == Data::Primary && !primary_said {
            self.error(&location, [&who, "primary"], "must be given, because data is primary");
        }
        self.model.zones[zone.index()].services.push(id);
        self.model.services.push(Service {
            name,
            location,
            title,
            description,
            zone,
            owner,
            data,
            primary,
            steer: steer.map_or_else(built_in_chain, |Steps(steps)| steps),
            link_selection: link_selection
                .unwrap_or(LinkSelection { selector: None, across_datacenters: false }),
            ttl,
            ttl_floor,
            ramp: ramp.unwrap_or_default(),
            last_resort: last_resort.unwrap_or(LastResort::Everything),
            vips,
            nodes,
            target: itself,
        });
    }

    /// Steady TTL and floor; a floor that nobody gave this service gives way.
    fn ttls(&mut self, own: &ServiceKeys, who: &str) -> (Duration, Duration) {
        let outer = &self.defaults.service;
        let value = |given: &Option<Spanned<Ttl>>| given.as_ref().map(|given| given.value.0);
        let ttl = value(&own.ttl).or_else(|| value(&outer.ttl)).unwrap_or(defaults::TTL);
        let floor = value(&own.ttl_floor).or_else(|| value(&outer.ttl_floor)).unwrap_or(defaults::TTL_FLOOR);
        if let Some(given) = own.ttl_floor.as_ref().filter(|given| given.value.0 > ttl) {
            self.error(&given.at, [who, "ttl-floor"], format!("must be at most the ttl, {ttl:?}"));
        }
        (ttl, floor.min(ttl))
    }

    fn primary(&mut self, form: Option<PrimaryForm>, who: &str, service: ServiceId) -> Option<Primary> {
        let PrimaryForm(PrimarySpec { initially: name, probe }) = form?;
        let probe = self.probe(probe, [who, "primary.probe"]);
        let initially = self.datacenter(&name, [who, "primary"])?;
        let served = self.model.vips.iter().rev().take_while(|vip| vip.service == service);
        let works = self.model.nodes.iter().rev().take_while(|node| node.service == service);
        let mut present = served.map(|vip| vip.datacenter).chain(works.map(|node| node.datacenter));
        if !present.any(|datacenter| datacenter == initially) {
            let what = format!("{} has neither VIPs nor nodes of this service", name.value);
            self.context.out.warn(&name.at, who, "primary", what);
        }
        Some(Primary { initially, probe })
    }

    fn nodes(&mut self, service: ServiceId, owner: &Arc<str>, specs: Named<Vec<NodeForm>>) -> Vec<NodeId> {
        let who = format!("service {owner}");
        let mut ids = Vec::new();
        for (key, forms) in specs.0 {
            let name = Spanned { at: key.at, value: key.text };
            let datacenter = self.datacenter(&name, [&who, "nodes"]);
            let (Some(datacenter), Some(forms)) = (datacenter, forms) else { continue };
            for NodeForm(NodeSpec { address, probe, priority, enabled, target }) in forms {
                let Spanned { at, value: address } = address;
                let probe = self.probe(probe, [&format!("node {owner}/{}", address.0), "probe"]);
                let name = TargetName::Node(Arc::clone(owner), Arc::clone(&address.0));
                let target = self.target(name, &at, target, probe);
                ids.push(NodeId::new(self.model.nodes.len()));
                let address = address.0;
                self.model.nodes.push(Node { service, datacenter, address, priority, enabled, target });
            }
        }
        ids
    }
}

/// The chain of services that say none, at one place, so that they share it.
fn built_in_chain() -> Vec<Plugin> {
    let at = Location { file: "built-in".into(), line: 0, column: 0 };
    let word = Tree { at, value: Value::Null };
    vec![Plugin::word(&defaults::STEERING.into(), &word)]
}
