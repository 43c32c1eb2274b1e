//! `regions`: an explicit map from who asks to an order of datacenters.
//!
//! ```yaml
//! - regions:
//!     west:   { subdivisions: [US-CA, US-OR], datacenters: [sfo, iad] }
//!     north-america: { countries: [US, CA, MX], datacenters: [iad, sfo] }
//!     china-telecom: { carriers: [chinanet], asns: [4809], datacenters: [north] }
//!     office: { prefixes: [203.0.113.0/24], datacenters: [fra] }
//!     default: [fra, iad]
//! ```
//!
//! A region is a set of clients; whoever matches one of its lists is in it. A
//! client in several is in the one that names it most precisely: by its
//! longest prefix, else its AS, its carrier, its subdivision (ISO 3166-2), its
//! country (ISO 3166-1), its continent (AF AN AS EU NA OC SA); `default` is for
//! the rest. What one region names, no other may: file order never decides.
//!
//! A region's datacenters come first, in its order; all others follow, tied,
//! so that a fault is survived. A client in no region, without a default, ties
//! all.

use std::sync::Arc;

use rhumb_geo::{Continent, Country, Subdivision};
use rhumb_zones::{
    CarrierId, DatacenterId, Entries, Key, Location, OneOrMany, Prefix, Read, Reader, Spanned, Tree, spec,
};
use rustc_hash::FxHashMap;
use serde_json::{Value as Json, json};

use super::priority::position;
use super::{Method, Order, Rank, Step};
use crate::plugin::Context;
use crate::view::View;

pub(super) struct Regions;

impl Method for Regions {
    fn name(&self) -> &'static str {
        "regions"
    }

    fn about(&self) -> &'static str {
        "By an explicit map from clients to datacenters."
    }

    fn schema(&self) -> Json {
        Arguments::schema()
    }

    fn stands_alone(&self) -> bool {
        false
    }

    fn read(&self, arguments: &Tree, context: &mut Context<'_, '_>) -> Option<Step> {
        let Arguments { regions, default } = context.read(arguments)?;
        let mut map = Map { default: default.map(|names| context.datacenters(&names)), ..Map::default() };
        for (key, region) in regions {
            let (model, files) = (context.model, context.files);
            context
                .reader
                .inside(&key.text, |reader| map.add(&key, region, &mut Context { model, files, reader }));
        }
        Some(Step::Rank(Box::new(map)))
    }
}

/// A mapping from names to regions, in which `default` is a list.
struct Arguments {
    regions: Vec<(Key, Region)>,
    default: Option<Vec<Spanned<Arc<str>>>>,
}

impl Read for Arguments {
    fn read(tree: &Tree, reader: &mut Reader<'_>) -> Option<Self> {
        let mut entries = Entries::of(tree, reader)?;
        let default = entries.take("default", || Some(None), reader)?;
        let read = |(key, value): &&(Key, Tree)| {
            let region = reader.inside(&key.text, |reader| Region::read(value, reader))?;
            Some((key.clone(), region))
        };
        Some(Self { regions: entries.left().iter().filter_map(read).collect(), default })
    }

    fn schema() -> Json {
        json!({
            "type": "object",
            "description": "Regions by name, each with its clients and its datacenters, best first.",
            "properties": { "default": Vec::<Arc<str>>::schema() },
            "additionalProperties": Region::schema(),
        })
    }
}

spec! {
    /// Some clients and the datacenters for them.
    struct Region {
        /// Client prefixes.
        prefixes: Option<Vec<Spanned<Prefix>>>,
        /// Autonomous systems, by number.
        asns: Option<Vec<Spanned<u32>>>,
        /// Carriers, built-in or declared.
        carriers: Option<Vec<Spanned<Arc<str>>>>,
        /// Subdivisions by ISO 3166-2 code, such as US-CA.
        subdivisions: Option<Vec<Spanned<Arc<str>>>>,
        /// Countries by ISO 3166-1 code, such as DE.
        countries: Option<Vec<Spanned<Arc<str>>>>,
        /// Continents: AF AN AS EU NA OC SA.
        continents: Option<Vec<Spanned<Arc<str>>>>,
        /// Datacenters, best first.
        datacenters: OneOrMany<Spanned<Arc<str>>>,
    }
}

/// Something a region names its clients by.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Trait {
    Prefix(Prefix),
    Asn(u32),
    Carrier(CarrierId),
    Subdivision(Country, Subdivision),
    Country(Country),
    Continent(Continent),
}

/// The regions and whom each names.
#[derive(Default, Debug)]
struct Map {
    regions: Vec<(Arc<str>, Vec<DatacenterId>)>,
    /// Positions in `regions`.
    named: FxHashMap<Trait, usize>,
    default: Option<Vec<DatacenterId>>,
}

impl Map {
    fn add(&mut self, key: &Key, region: Region, context: &mut Context<'_, '_>) {
        let Region { prefixes, asns, carriers, subdivisions, countries, continents, datacenters } = region;
        self.regions.push((key.text.clone(), context.datacenters(&datacenters.0)));
        for Spanned { at, value } in prefixes.into_iter().flatten() {
            self.name(Trait::Prefix(value), &at, context);
        }
        for Spanned { at, value } in asns.into_iter().flatten() {
            self.name(Trait::Asn(value), &at, context);
        }
        for name in carriers.into_iter().flatten() {
            if let Some(carrier) = context.carrier(&name) {
                self.name(Trait::Carrier(carrier), &name.at, context);
            }
        }
        let subdivision = |code: &str| {
            let (country, part) = code.split_once('-')?;
            Some(Trait::Subdivision(Country::new(country)?, Subdivision::new(part)?))
        };
        self.name_codes(subdivisions, (subdivision, "a code such as US-CA"), context);
        self.name_codes(
            countries,
            (|code| Country::new(code).map(Trait::Country), "a code such as DE"),
            context,
        );
        let continent = |code: &str| Continent::new(code).map(Trait::Continent);
        self.name_codes(continents, (continent, "one of AF AN AS EU NA OC SA"), context);
    }

    /// Makes the last region the one of all clients with these codes.
    fn name_codes(
        &mut self,
        codes: Option<Vec<Spanned<Arc<str>>>>,
        (scan, wanted): (fn(&str) -> Option<Trait>, &str),
        context: &mut Context<'_, '_>,
    ) {
        for Spanned { at, value } in codes.into_iter().flatten() {
            match scan(&value) {
                Some(of) => self.name(of, &at, context),
                None => context.wrong(&at, format!("must be {wanted}")),
            }
        }
    }

    /// Makes the last region the one of all clients with `of`.
    fn name(&mut self, of: Trait, at: &Location, context: &mut Context<'_, '_>) {
        let last = self.regions.len() - 1;
        if let Some(other) = self.named.insert(of, last) {
            context.wrong(at, format!("is already named by region {}", self.regions[other].0));
        }
    }

    /// The region of a client.
    fn find(&self, view: &View<'_>) -> Option<&(Arc<str>, Vec<DatacenterId>)> {
        let place = view.place;
        let prefixes = view.prefixes().iter().map(|&prefix| Trait::Prefix(prefix));
        let parts = place.subdivisions.into_iter().rev().flatten();
        let subdivisions = parts.filter_map(|part| Some(Trait::Subdivision(place.country?, part)));
        let mut traits = prefixes
            .chain(place.asn.map(Trait::Asn))
            .chain(view.carriers().iter().map(|&carrier| Trait::Carrier(carrier)))
            .chain(subdivisions)
            .chain(place.country.map(Trait::Country))
            .chain(place.continent.map(Trait::Continent));
        traits.find_map(|of| self.named.get(&of)).map(|&region| &self.regions[region])
    }
}

impl Rank for Map {
    fn refine(&self, view: &View<'_>, order: &mut Order<'_>) {
        let region = self.find(view).map(|(_, list)| list);
        if let Some(list) = region.or(self.default.as_ref()) {
            order.split(|member| position(list, member.id));
        }
    }

    fn reason(&self, view: &View<'_>, datacenter: DatacenterId) -> Option<String> {
        let default = || Some(("default", self.default.as_ref()?));
        let (region, list) = self.find(view).map(|(name, list)| (&**name, list)).or_else(default)?;
        let place = list.iter().position(|&listed| listed == datacenter)?;
        Some(format!("number {} for region {region}", place + 1))
    }

    fn prefixes(&self) -> Vec<Prefix> {
        let prefix = |of: &Trait| if let Trait::Prefix(prefix) = of { Some(*prefix) } else { None };
        self.named.keys().filter_map(prefix).collect()
    }
}
