//! `vips:` of a service.
//!
//! Where a datacenter declares links every VIP is on one of them, and its keys
//! are links; where it declares none there is one VIP. A policy that mixes the
//! two up is told which links there are, instead of a list of keys that are
//! unknown.

use std::collections::HashMap;
use std::net::IpAddr;
use std::num::NonZeroU16;
use std::sync::Arc;

use super::super::file::VipSpec;
use super::super::forms::{VipForm, VipsForm};
use super::super::keys::TargetKeys;
use super::Resolver;
use crate::diagnostic::Location;
use crate::ids::{DatacenterId, LinkId, ServiceId, VipId};
use crate::model::{Probe, Service, Vip};
use crate::read::{Bounded, Named, OneOrMany, Read, Reader, Spanned};
use crate::target::TargetName;
use crate::tree::{Key, Tree, Value};

/// Longest protocol name of `alpn:`: its length is one byte (RFC 7301 §3.1).
const MAX_ALPN: usize = 255;

/// What all VIPs of a service have in common.
pub(super) struct Vips<'s> {
    pub(super) service: ServiceId,
    pub(super) name: &'s Arc<str>,
    /// Whether the service is the apex of its zone.
    pub(super) apex: bool,
    pub(super) probe: Option<Arc<Probe>>,
    pub(super) target: TargetKeys,
}

/// Where in the service an address stands first.
type Seen = HashMap<IpAddr, String>;

/// One VIP's place.
#[derive(Clone)]
struct Slot {
    at: Location,
    datacenter: DatacenterId,
    link: Option<LinkId>,
    /// `vips.north.telecom`
    which: String,
}

impl Resolver<'_> {
    pub(super) fn vips(&mut self, common: &Vips<'_>, specs: Named<VipsForm>) -> Vec<VipId> {
        let who = format!("service {}", common.name);
        let mut first = HashMap::new();
        let mut ids = Vec::new();
        for (key, form) in specs.0 {
            let name = Spanned { at: key.at.clone(), value: Arc::clone(&key.text) };
            let Some(datacenter) = self.datacenter(&name, [&who, "vips"]) else { continue };
            let Some(form) = form else { continue };
            for (slot, spec) in self.slots(datacenter, &key, &form, &who) {
                if ids.len() == Service::MAX_VIPS {
                    self.error(&slot.at, [&who, "vips"], format!("must be at most {}", Service::MAX_VIPS));
                    return ids;
                }
                ids.push(self.vip(common, slot, spec, &mut first));
            }
        }
        ids
    }

    /// The VIPs of one datacenter: by link where it declares links, else one.
    fn slots(
        &mut self,
        datacenter: DatacenterId,
        key: &Key,
        form: &VipsForm,
        who: &str,
    ) -> Vec<(Slot, VipSpec)> {
        let which = format!("vips.{}", key.text);
        let tree = &form.0;
        let links = self.model.datacenter(datacenter).links.iter();
        let links: Vec<_> = links.map(|&id| (Arc::clone(&self.model.link(id).name), id)).collect();
        let link = |name: &str| links.iter().find(|(link, _)| **link == *name).map(|&(_, id)| id);
        let has_link = |entries: &[(Key, Tree)]| entries.iter().any(|(key, _)| link(&key.text).is_some());
        let by_link = matches!(&tree.value, Value::Map(entries) if has_link(entries));
        let mismatch = if links.is_empty() && !form.looks_like_a_vip() {
            Some((
                "must be an address, a list of addresses or { address: … }",
                "declares no links".to_owned(),
            ))
        } else if !links.is_empty() && !by_link && form.looks_like_a_vip() {
            let names: Vec<&str> = links.iter().map(|(name, _)| &**name).collect();
            Some(("must be keyed by link", format!("declares the links {}", names.join(", "))))
        } else {
            None
        };
        if let Some((what, hint)) = mismatch {
            let hint = Some(format!("{} {hint}", key.text));
            self.context.out.hinted(&tree.at, [who, &which], what, hint);
            return Vec::new();
        }
        let mut reader = Reader::new(self.context.out, who);
        if links.is_empty() {
            let spec = reader.inside(&which, |reader| VipForm::read(tree, reader));
            let slot = Slot { at: key.at.clone(), datacenter, link: None, which };
            return spec.into_iter().map(|VipForm(spec)| (slot.clone(), spec)).collect();
        }
        let specs = reader.inside(&which, |reader| Named::<VipForm>::read(tree, reader)).unwrap_or_default();
        let mut slots = Vec::new();
        for (key, spec) in specs.0 {
            let which = format!("{which}.{}", key.text);
            let Some(id) = link(&key.text) else {
                let hint = self.context.out.suggest(&key.text, links.iter().map(|(name, _)| &**name));
                let what = format!("no link is named {:?}", key.text);
                self.context.out.hinted(&key.at, [who, &which], what, hint);
                continue;
            };
            let slot = Slot { at: key.at, datacenter, link: Some(id), which };
            slots.extend(spec.map(|VipForm(spec)| (slot, spec)));
        }
        slots
    }

    fn vip(&mut self, common: &Vips<'_>, slot: Slot, spec: VipSpec, seen: &mut Seen) -> VipId {
        let Slot { at, datacenter, link, which } = slot;
        let VipSpec {
            address,
            maps_to,
            weight: Bounded(weight),
            priority,
            enabled,
            name,
            port,
            alpn,
            check,
            target,
        } = spec;
        let who = format!("service {}", common.name);
        let who = [&*who, &*which];
        let addresses = address.map_or_else(Vec::new, |OneOrMany(addresses)| addresses);
        if addresses.is_empty() && name.is_none() {
            self.error(&at, who, "must have an address or a name");
        }
        let addresses = self.vip_addresses(addresses, who, seen);
        if let Some(name) = name.as_ref().filter(|_| common.apex) {
            self.error(&name.at, who, "the apex of a zone cannot be an alias: it must have addresses");
        }
        let alpn = alpn.map_or_else(Vec::new, |OneOrMany(protocols)| protocols);
        if alpn.iter().any(|protocol| !(1..=MAX_ALPN).contains(&protocol.len())) {
            self.error(&at, who, format!("a protocol of alpn must have 1 to {MAX_ALPN} bytes"));
        }
        let probe = if check.is_some() { self.probe(check, who) } else { common.probe.clone() };
        let place = (&self.model.datacenter(datacenter).name, link.map(|link| &self.model.link(link).name));
        let target_name = TargetName::Vip(Arc::clone(common.name), Arc::clone(place.0), place.1.cloned());
        let target = self.target(target_name, &at, target.or(&common.target), probe);
        let id = VipId::new(self.model.vips.len());
        self.model.vips.push(Vip {
            service: common.service,
            datacenter,
            link,
            addresses,
            alias: name.map(|name| name.value),
            maps_to,
            weight,
            priority,
            enabled,
            port: port.map(NonZeroU16::get),
            alpn,
            target,
        });
        id
    }

    fn vip_addresses(&mut self, given: Vec<Spanned<IpAddr>>, who: [&str; 2], seen: &mut Seen) -> Vec<IpAddr> {
        let mut addresses = Vec::new();
        for Spanned { at, value: address } in given {
            let is_broadcast = matches!(address, IpAddr::V4(v4) if v4.is_broadcast());
            if address.is_unspecified() || address.is_multicast() || is_broadcast {
                self.error(&at, who, format!("{address} is no address of one host"));
            }
            if addresses.contains(&address) {
                self.context.out.warn(&at, who[0], who[1], format!("{address} stands twice"));
                continue;
            }
            if let Some(first) = seen.get(&address) {
                let what = format!("{address} is also {first}: probes and answers cannot tell them apart");
                self.context.out.warn(&at, who[0], who[1], what);
            } else {
                seen.insert(address, who[1].to_owned());
            }
            addresses.push(address);
        }
        addresses
    }
}
