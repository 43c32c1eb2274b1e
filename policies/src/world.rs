//! A model whose plugins' arguments have been read, ready to decide with.
//!
//! `zones` leaves the arguments of steering methods and link selectors
//! unread, so that a method is known in one crate only. [`World::compile`]
//! reads them, reports every mistake with its address, and adds the few
//! indexes that deciding needs: who is whose parent, which datacenters are
//! joined, which prefixes operators named.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rhumb_zones::{
    DatacenterId, Diagnostics, Files, LinkId, Location, Model, Prefix, Reader, Service, ServiceId, Spanned,
    TargetId,
};
use rustc_hash::{FxHashMap, FxHashSet};
use serde_json::Value as Json;

use crate::link::price::Region;
use crate::link::{self, Selection};
use crate::operator::Operators;
use crate::part::{Part, parts};
use crate::path::Route;
use crate::plugin::Context;
use crate::rule::Rules;
use crate::statuses;
use crate::steer::{self, Chain};

/// The policy, compiled.
#[derive(Debug)]
pub struct World {
    model: Model,
    /// By service.
    plans: Vec<Plan>,
    operators: Operators,
    rules: Rules,
    regions: Regions,
    /// What every target is, by target.
    parts: Vec<Part>,
    /// Parents, nearest first, by target.
    parents: Vec<[Option<TargetId>; 3]>,
    /// In both orders.
    interconnects: FxHashMap<(DatacenterId, DatacenterId), TargetId>,
    /// How long a verdict of down must last before it counts.
    holds: FxHashMap<TargetId, Duration>,
    /// By service, as a target.
    routes: FxHashMap<TargetId, Route>,
}

/// How a service's VIPs are ordered.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) chain: Arc<Chain>,
    pub(crate) selection: Arc<Selection>,
}

impl World {
    /// Compiles `model`, whose plugins may name `files`. The world is whole
    /// even when errors are reported: a step that cannot be read is left out.
    #[must_use]
    pub fn compile(model: Model, files: &dyn Files) -> (Self, Diagnostics) {
        let mut out = Diagnostics::default();
        let plans = read_plans(&model, files, &mut out);
        let regions = Regions::new(&model, &mut out);
        let mut seen = FxHashSet::default();
        let chains = plans.iter().map(|plan| &plan.chain).filter(|chain| seen.insert(Arc::as_ptr(chain)));
        let operators = Operators::new(&model, chains.map(|chain| &**chain));
        let rules = Rules::compile(&model, &mut out);
        let (parts, parents) = (parts(&model), parents(&model));
        let ends = model.interconnects().iter().map(|line| (line.ends, line.target));
        let interconnects = ends.flat_map(|([a, b], line)| [((a, b), line), ((b, a), line)]).collect();
        let (holds, routes) = (statuses::holds(model.interconnects()), FxHashMap::default());
        let mut world =
            Self { model, plans, operators, parts, parents, interconnects, holds, routes, rules, regions };
        let services = world.model.services().iter().enumerate();
        let routes = services.map(|(id, service)| (service.target, Route::new(&world, ServiceId::new(id))));
        world.routes = routes.collect();
        (world, out)
    }

    /// JSON Schemas of what this crate reads, by name: a step of `steer:`, a
    /// `link-selection:`.
    #[must_use]
    pub fn schema_parts() -> [(&'static str, Json); 2] {
        [("steering", steer::schema()), ("link-selection", link::schema())]
    }

    /// What operators declared.
    #[must_use]
    pub const fn model(&self) -> &Model {
        &self.model
    }

    /// The conditions of rules, in file order.
    #[must_use]
    pub const fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Every prefix that `clients:` or a `regions` step names, once each. Geo
    /// marks places by their longest one's index here; an enclosing prefix
    /// then holds too.
    #[must_use]
    pub fn operator_prefixes(&self) -> &[Prefix] {
        self.operators.prefixes()
    }

    pub(crate) const fn operators(&self) -> &Operators {
        &self.operators
    }

    pub(crate) fn plan(&self, service: ServiceId) -> &Plan {
        &self.plans[service.index()]
    }

    /// In which region a link leaves: its own, or its datacenter's.
    pub(crate) fn region(&self, datacenter: DatacenterId, link: Option<LinkId>) -> Option<Region> {
        let own = link.and_then(|link| self.regions.links[link.index()]);
        own.or_else(|| self.regions.datacenters[datacenter.index()])
    }

    /// What the paths of a service, named as a target, lead through.
    pub(crate) fn route(&self, service: TargetId) -> &Route {
        &self.routes[&service]
    }

    /// How long a verdict of down on `target` must last before it counts.
    pub(crate) fn hold(&self, target: TargetId) -> Duration {
        self.holds.get(&target).copied().unwrap_or_default()
    }

    /// All that tells clients apart besides services, in words: what reads
    /// alike is alike.
    pub(crate) fn ground(&self) -> String {
        let model = &self.model;
        let nouns = (model.datacenters(), model.links(), model.carriers(), model.clients());
        format!("{nouns:?} {:?} {:?}", self.operators, self.regions)
    }

    /// What `target` is.
    pub(crate) fn part(&self, target: TargetId) -> Part {
        self.parts[target.index()]
    }

    /// `target`, then its parents, nearest first.
    pub(crate) fn lineage(&self, target: TargetId) -> impl Iterator<Item = TargetId> {
        std::iter::once(target).chain(self.parents[target.index()].into_iter().flatten())
    }

    /// The interconnect declared between two datacenters.
    pub(crate) fn interconnect(&self, a: DatacenterId, b: DatacenterId) -> Option<TargetId> {
        self.interconnects.get(&(a, b)).copied()
    }
}

/// Regions, read.
#[derive(Debug)]
struct Regions {
    datacenters: Vec<Option<Region>>,
    links: Vec<Option<Region>>,
}

impl Regions {
    fn new(model: &Model, out: &mut Diagnostics) -> Self {
        let mut read = |who: String, said: &Option<Spanned<Arc<str>>>| {
            let said = said.as_ref()?;
            let region = Region::new(&said.value);
            if region.is_none() {
                let what = format!("must be an ISO 3166 code such as CN or CN-BJ, not {:?}", said.value);
                out.error(&said.at, &who, "region", what);
            }
            region
        };
        let datacenters = model.datacenters().iter();
        let datacenters =
            datacenters.map(|one| read(format!("datacenter {}", one.name), &one.region)).collect();
        let links = model.links().iter().map(|one| read(format!("link {}", one.name), &one.region)).collect();
        Self { datacenters, links }
    }
}

fn parents(model: &Model) -> Vec<[Option<TargetId>; 3]> {
    let mut parents = vec![[None; 3]; model.targets().len()];
    let above = |datacenter| Some(model.datacenter(datacenter).target);
    for datacenter in model.datacenters() {
        parents[datacenter.intranet.index()][0] = Some(datacenter.target);
    }
    for link in model.links() {
        parents[link.target.index()][0] = above(link.datacenter);
    }
    for balancer in model.balancers() {
        parents[balancer.target.index()][0] = above(balancer.datacenter);
    }
    for vip in model.vips() {
        let link = vip.link.map(|link| model.link(link).target);
        let service = Some(model.service(vip.service).target);
        parents[vip.target.index()] = [link, above(vip.datacenter), service];
    }
    for node in model.nodes() {
        parents[node.target.index()] =
            [above(node.datacenter), Some(model.service(node.service).target), None];
    }
    parents
}

/// Reads chains and selections, each distinct place once: services that take
/// theirs from `defaults:` share them, and mistakes there are reported once.
/// Those that read alike become one, which makes shapes cheap to compare.
fn read_plans(model: &Model, files: &dyn Files, out: &mut Diagnostics) -> Vec<Plan> {
    let mut chains = Shared::default();
    let mut selections = Shared::default();
    let plan = |service: &Service| {
        let mut reader = Reader::new(out, &format!("service {}", service.name));
        let Service { steer, link_selection, .. } = service;
        let at = steer.iter().map(|plugin| plugin.at.clone()).collect();
        let mut context = Context { model, files, reader: &mut reader };
        let chain = chains.get(at, || Chain::read(steer, &mut context));
        let at = link_selection.selector.iter().map(|plugin| plugin.at.clone()).collect();
        let selection = selections.get(at, || Selection::read(link_selection, &mut context));
        Plan { chain, selection }
    };
    model.services().iter().map(plan).collect()
}

/// Things read from the policy, by where they stand and by what they say.
#[derive(Debug)]
struct Shared<T> {
    by_place: FxHashMap<Vec<Location>, Arc<T>>,
    by_text: FxHashMap<String, Arc<T>>,
}

impl<T> Default for Shared<T> {
    fn default() -> Self {
        Self { by_place: FxHashMap::default(), by_text: FxHashMap::default() }
    }
}

impl<T: fmt::Debug> Shared<T> {
    fn get(&mut self, at: Vec<Location>, read: impl FnOnce() -> T) -> Arc<T> {
        let by_text = &mut self.by_text;
        let shared = self.by_place.entry(at).or_insert_with(|| {
            let read = read();
            Arc::clone(by_text.entry(format!("{read:?}")).or_insert_with(|| Arc::new(read)))
        });
        Arc::clone(shared)
    }
}
