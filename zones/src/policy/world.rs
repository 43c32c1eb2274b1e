//! The documents of a world put together, each noun declared once.
//!
//! Order is kept: files as given, documents and entries as written. A second
//! declaration of a name is an error that names the first, whichever file
//! that is in; the first stays.

use std::collections::HashMap;
use std::sync::Arc;

use super::check::CheckForm;
use super::dnssec::DnssecSpec;
use super::file::{
    CarrierSpec, ClientSpec, DatacenterSpec, DefaultsSpec, Document, InterconnectSpec, RuleSpec, ServiceSpec,
};
use super::forms::{NameServerForm, ZoneForm};
use super::transfer::TransferSpec;
use crate::diagnostic::{Diagnostics, Location};
use crate::name::Name;
use crate::prefix::Prefix;
use crate::read::{Named, Spanned};

/// Everything that all documents declare.
#[derive(Default)]
pub(super) struct World {
    pub(super) defaults: Option<DefaultsSpec>,
    pub(super) checks: Named<CheckForm>,
    pub(super) datacenters: Named<DatacenterSpec>,
    pub(super) interconnects: Vec<Spanned<InterconnectSpec>>,
    pub(super) carriers: Named<CarrierSpec>,
    pub(super) clients: Named<ClientSpec>,
    pub(super) rules: Vec<Spanned<RuleSpec>>,
    pub(super) zones: Vec<ZoneSpec>,
}

/// What one document says of its zone.
pub(super) struct ZoneSpec {
    pub(super) name: Spanned<Name>,
    pub(super) nameservers: Vec<NameServerForm>,
    pub(super) records: Option<Spanned<Arc<str>>>,
    pub(super) dnssec: Option<Spanned<DnssecSpec>>,
    pub(super) transfer: Option<Spanned<TransferSpec>>,
    pub(super) allow_query: Option<Spanned<Vec<Prefix>>>,
    pub(super) services: Named<ServiceSpec>,
}

/// Puts documents together.
pub(super) fn gather(documents: Vec<Document>, out: &mut Diagnostics) -> World {
    let mut gatherer = Gatherer { world: World::default(), first: HashMap::new(), out };
    for document in documents {
        gatherer.add(document);
    }
    gatherer.world
}

struct Gatherer<'o> {
    world: World,
    /// Where each noun was declared first.
    first: HashMap<String, Location>,
    out: &'o mut Diagnostics,
}

impl Gatherer<'_> {
    fn add(&mut self, document: Document) {
        let Document {
            zone,
            nameservers,
            records,
            dnssec,
            transfer,
            allow_query,
            defaults,
            checks,
            datacenters,
            interconnects,
            carriers,
            clients,
            services,
            rules,
        } = document;
        if let Some(Spanned { at, value }) = defaults
            && self.is_first(["policy", "defaults"], &at)
        {
            self.world.defaults = Some(value);
        }
        self.named("check", checks, |world| &mut world.checks);
        self.named("datacenter", datacenters, |world| &mut world.datacenters);
        self.named("carrier", carriers, |world| &mut world.carriers);
        self.named("client", clients, |world| &mut world.clients);
        self.world.interconnects.extend(interconnects);
        self.world.rules.extend(rules);
        match zone {
            Some(ZoneForm(None)) => {}
            Some(ZoneForm(Some(name))) => {
                let who = format!("zone {}", name.value.to_string().to_ascii_lowercase());
                if self.is_first([&who, "declaration"], &name.at) {
                    self.world.zones.push(ZoneSpec {
                        name,
                        nameservers,
                        records,
                        dnssec,
                        transfer,
                        allow_query,
                        services,
                    });
                }
            }
            None => {
                let first = nameservers.first().map(|server| (&server.0.name.at, "nameservers"));
                let first = first.or_else(|| records.as_ref().map(|records| (&records.at, "records")));
                let first = first.or_else(|| dnssec.as_ref().map(|dnssec| (&dnssec.at, "dnssec")));
                let first = first.or_else(|| transfer.as_ref().map(|transfer| (&transfer.at, "transfer")));
                let first = first.or_else(|| allow_query.as_ref().map(|allow| (&allow.at, "allow-query")));
                let first = first.or_else(|| services.0.first().map(|(key, _)| (&key.at, "services")));
                if let Some((at, which)) = first {
                    // Parts of a zone in a document that names none.
                    self.out.error(at, "policy", which, "must stand in a document with a zone");
                }
            }
        }
    }

    fn named<T>(&mut self, noun: &'static str, more: Named<T>, list: fn(&mut World) -> &mut Named<T>) {
        for (key, value) in more.0 {
            if self.is_first([&format!("{noun} {}", key.text), "declaration"], &key.at) {
                list(&mut self.world).0.push((key, value));
            }
        }
    }

    /// Whether nothing of that name was declared before; else this is reported.
    fn is_first(&mut self, [who, which]: [&str; 2], at: &Location) -> bool {
        let name = format!("{who} {which}");
        if let Some(first) = self.first.get(&name) {
            let what = format!("must be declared once in all files; it is also at {first}");
            self.out.error(at, who, which, what);
            return false;
        }
        self.first.insert(name, at.clone());
        true
    }
}
