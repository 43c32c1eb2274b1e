//! World of specs → [`Model`]: names become ids, silence becomes defaults.
//!
//! One file per noun, in the order in which they need each other: carriers
//! and checks, datacenters with their links, interconnects, clients, zones
//! with their services, and rules, which may name all of them. Every spec is
//! taken apart exhaustively, so that a key added to the file format does not
//! compile until it is resolved.
//!
//! What is wrong is reported and left out; the model is whole, though
//! perhaps smaller than meant. A name whose declaration could not be read is
//! still known, so that one mistake does not make every reference dangle.

mod carrier;
mod client;
mod datacenter;
mod dnssec;
mod interconnect;
mod occlusion;
mod probe;
mod rule;
mod service;
mod transfer;
mod vip;
mod zone;

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use super::defaults;
use super::file::DefaultsSpec;
use super::forms::Reference;
use super::keys::TargetKeys;
use super::world::World;
use crate::diagnostic::{Diagnostics, Location};
use crate::files::Files;
use crate::ids::{CarrierId, DatacenterId, TargetId};
use crate::model::{Assume, Model, Probe, Recovery, Target};
use crate::read::Spec;
use crate::target::TargetName;
use crate::tree::Key;

/// Longest name of a datacenter, link, check and so on, in characters: they
/// appear in metrics and on screens.
const MAX_NAME: usize = 63;

/// What resolving needs besides the specs.
pub(super) struct Context<'a> {
    pub(super) files: &'a dyn Files,
    pub(super) server_addresses: &'a [IpAddr],
    pub(super) out: &'a mut Diagnostics,
}

/// Resolves a whole world.
pub(super) fn resolve(world: World, context: Context<'_>) -> Model {
    let World { defaults, checks, datacenters, interconnects, carriers, clients, rules, zones } = world;
    let mut resolver = Resolver {
        model: Model::default(),
        context,
        defaults: defaults.or_else(DefaultsSpec::silent).expect("no key of defaults is required"),
        checks: HashMap::new(),
        carriers: HashMap::new(),
        datacenters: HashMap::new(),
    };
    resolver.check_default_times();
    resolver.carriers(carriers);
    resolver.checks(checks);
    resolver.datacenters(datacenters);
    resolver.interconnects(interconnects);
    resolver.clients(clients);
    resolver.zones(zones);
    resolver.rules(rules);
    resolver.check_signed_services();
    resolver.model
}

struct Resolver<'a> {
    model: Model,
    context: Context<'a>,
    defaults: DefaultsSpec,
    /// By name; nothing where the declaration could not be read.
    checks: HashMap<Arc<str>, Option<Arc<Probe>>>,
    carriers: HashMap<Arc<str>, Option<CarrierId>>,
    datacenters: HashMap<Arc<str>, Option<DatacenterId>>,
}

impl Resolver<'_> {
    fn error(&mut self, at: &Location, [who, which]: [&str; 2], what: impl Into<String>) {
        self.context.out.error(at, who, which, what);
    }

    /// Whether an operator's name can be part of a target's name.
    fn name_is_fit(&mut self, Key { at, text }: &Key, noun: &str) -> bool {
        let fit = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
        let is_fit = (1..=MAX_NAME).contains(&text.chars().count()) && text.chars().all(fit);
        if !is_fit {
            let what = format!("must have 1 to {MAX_NAME} letters, digits, hyphens, underscores or dots");
            self.error(at, [&format!("{noun} {text}"), "name"], what);
        }
        is_fit
    }

    /// Whether a list of the model has room for one more.
    fn has_room(&mut self, (used, most): (usize, usize), at: &Location, noun: &str) -> bool {
        if used >= most {
            self.error(at, ["policy", noun], format!("must be at most {most} in all"));
        }
        used < most
    }

    /// Adds a target. Its name is new, or this is reported.
    fn target(
        &mut self,
        name: TargetName,
        location: &Location,
        keys: TargetKeys,
        probe: Option<Arc<Probe>>,
    ) -> TargetId {
        let id = TargetId::new(self.model.targets.len());
        let first = *self.model.by_name.entry(name.clone()).or_insert(id);
        if first != id {
            let what = format!("must be declared once; it is also at {}", self.model.target(first).location);
            self.error(location, [&name.to_string().replacen(':', " ", 1), "declaration"], what);
        }
        let TargetKeys { assume, hold_down, recovery } = keys.or(&self.defaults.target);
        self.model.targets.push(Target {
            name,
            location: location.clone(),
            probe,
            assume: assume.unwrap_or(Assume::Up),
            hold_down: hold_down.unwrap_or(defaults::HOLD_DOWN),
            recovery: recovery.unwrap_or(Recovery::Auto),
        });
        id
    }

    /// The datacenter of that name.
    fn datacenter(&mut self, name: &Reference, who: [&str; 2]) -> Option<DatacenterId> {
        let known = self.datacenters.get(name.value.strip_prefix("datacenter:").unwrap_or(&name.value));
        if known.is_none() {
            let hint = self.context.out.suggest(&name.value, self.datacenters.keys().map(|name| &**name));
            self.context.out.hinted(&name.at, who, format!("no datacenter is named {:?}", name.value), hint);
        }
        known.copied().flatten()
    }
}
