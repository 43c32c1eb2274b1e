//! What is observed and ordered at one moment: the inputs of
//! [`advance`](crate::advance).
//!
//! Whoever watches the world fills them in: the prober from votes, the admin
//! socket from operators' words, the test runner from a case's lists. They
//! remember nothing; what must be remembered is the business of
//! [`State`](crate::State).

use std::time::Duration;

use rhumb_health::Status;
use rhumb_zones::{DatacenterId, Model, ServiceId, TargetId, TargetName};

/// Everything that decides, besides the policy and the past.
#[derive(Clone, Debug)]
pub struct Inputs {
    pub(crate) verdicts: Vec<Status>,
    pub(crate) overrides: Vec<Override>,
    pub(crate) primaries: Vec<(ServiceId, DatacenterId)>,
}

/// An operator's word about a target.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Override {
    /// What it is about.
    pub target: TargetId,
    /// What shall happen.
    pub action: Action,
    /// When it ends, since the Unix epoch; never when not said.
    pub expires: Option<Duration>,
    /// Why, in the operator's words; may be empty.
    pub reason: String,
    /// Who said so; may be empty.
    pub author: String,
}

/// What an override does.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Action {
    /// The target counts as up.
    Up,
    /// The target counts as down; below a datacenter, link, VIP or service no
    /// VIP is answered at all.
    Down,
    /// The VIPs of a datacenter, link or service, or the VIP, are answered
    /// only where no other is usable. Other targets cannot be drained.
    Drain,
}

impl Inputs {
    /// Every verdict is `verdict`: `Unknown` before the first probe, `Up` for
    /// a settled world to try faults on.
    #[must_use]
    pub fn new(model: &Model, verdict: Status) -> Self {
        Self { verdicts: vec![verdict; model.targets().len()], overrides: Vec::new(), primaries: Vec::new() }
    }

    /// Sets the verdict of a target. A datacenter and a service are not
    /// probed: theirs is set on everything under them.
    pub fn set_verdict(&mut self, model: &Model, target: TargetId, verdict: Status) {
        self.verdicts[target.index()] = verdict;
        for below in below(model, target) {
            self.verdicts[below.index()] = verdict;
        }
    }

    /// Adds an operator's word; of two contrary forces on one target, down
    /// beats up.
    pub fn add(&mut self, word: Override) {
        self.overrides.push(word);
    }

    /// Adds an operator's word without end, reason or author.
    pub fn simply(&mut self, target: TargetId, action: Action) {
        self.add(Override { target, action, expires: None, reason: String::new(), author: String::new() });
    }

    /// Makes `datacenter` the primary of `service`; the last word counts.
    pub fn promote(&mut self, service: ServiceId, datacenter: DatacenterId) {
        self.primaries.retain(|&(promoted, _)| promoted != service);
        self.primaries.push((service, datacenter));
    }
}

/// What is under a datacenter (links, balancers, intranet, VIPs and nodes) or
/// under a service (VIPs and nodes).
fn below(model: &Model, target: TargetId) -> Vec<TargetId> {
    let name = &model.target(target).name;
    if !matches!(name, TargetName::Datacenter(_) | TargetName::Service(_)) {
        return Vec::new();
    }
    let of = |datacenter: DatacenterId| model.datacenter(datacenter).target == target;
    let of_either =
        |service: ServiceId, datacenter| of(datacenter) || model.service(service).target == target;
    let links = model.links().iter().filter(|link| of(link.datacenter)).map(|link| link.target);
    let balancers = model.balancers().iter().filter(|one| of(one.datacenter)).map(|one| one.target);
    let intranets = model.datacenters().iter().filter(|one| one.target == target).map(|one| one.intranet);
    let vips = model.vips().iter().filter(|vip| of_either(vip.service, vip.datacenter)).map(|vip| vip.target);
    let nodes =
        model.nodes().iter().filter(|node| of_either(node.service, node.datacenter)).map(|node| node.target);
    links.chain(balancers).chain(intranets).chain(vips).chain(nodes).collect()
}
