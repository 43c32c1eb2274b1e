//! What is observed and ordered at one moment: the inputs of
//! [`advance`](crate::advance).
//!
//! Whoever watches the world fills them in: the prober from votes, the admin
//! socket from operators' words, the test runner from a case's lists. They
//! remember nothing; what must be remembered is the business of
//! [`State`](crate::State).

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use rhumb_health::{Measure, Status};
use rhumb_zones::{DatacenterId, Model, ServiceId, TargetId, TargetName};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::chunks::Chunks;
use crate::link::model::LinkModel;
use crate::state::Taught;

/// Everything that decides, besides the policy and the past.
#[derive(Clone, Debug)]
pub struct Inputs {
    /// By target.
    pub(crate) verdicts: Chunks<Status>,
    /// By target: of VIPs that are checked address by address.
    pub(crate) addresses: Chunks<Told>,
    pub(crate) unsettled: FxHashSet<TargetId>,
    pub(crate) measures: Arc<FxHashMap<TargetId, Measure>>,
    pub(crate) overrides: Vec<Override>,
    pub(crate) promoted: FxHashMap<ServiceId, DatacenterId>,
    pub(crate) followed: FxHashMap<ServiceId, DatacenterId>,
    pub(crate) confirmed: FxHashMap<TargetId, Duration>,
    pub(crate) taught: Arc<Taught>,
    pub(crate) is_own_fault: bool,
}

/// Verdicts of single addresses; none where there are no such checks.
pub(crate) type Told = Option<Arc<[(IpAddr, Status)]>>;

/// An operator's word about a target.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Override {
    /// What it is about.
    pub target: TargetId,
    /// What shall happen.
    pub action: Action,
    /// When it starts, since the Unix epoch; at once when not said.
    pub starts: Option<Duration>,
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
        Self {
            verdicts: Chunks::filled(&verdict, model.targets().len()),
            addresses: Chunks::filled(&None, model.targets().len()),
            unsettled: FxHashSet::default(),
            measures: Arc::default(),
            overrides: Vec::new(),
            promoted: FxHashMap::default(),
            followed: FxHashMap::default(),
            confirmed: FxHashMap::default(),
            taught: Arc::default(),
            is_own_fault: false,
        }
    }

    /// Sets the verdict of a target; of a VIP, that of all its addresses. A
    /// datacenter and a service are not probed: theirs is set on everything
    /// under them.
    pub fn set_verdict(&mut self, model: &Model, target: TargetId, verdict: Status) {
        for target in below(model, target).into_iter().chain([target]) {
            self.verdicts.set(target.index(), verdict);
            self.addresses.set(target.index(), None);
        }
    }

    /// Sets the verdict of one address of a VIP.
    pub fn set_address(&mut self, vip: TargetId, address: IpAddr, verdict: Status) {
        let before = self.addresses.get(vip.index()).as_deref().unwrap_or_default();
        if before.contains(&(address, verdict)) {
            return;
        }
        let others = before.iter().copied().filter(|(known, _)| *known != address);
        let addresses = others.chain([(address, verdict)]).collect();
        self.addresses.set(vip.index(), Some(addresses));
    }

    /// Says whether its prober sees a target failing or recovering, without a
    /// verdict yet.
    pub fn set_unsettled(&mut self, target: TargetId, is_unsettled: bool) {
        if is_unsettled {
            self.unsettled.insert(target);
        } else {
            self.unsettled.remove(&target);
        }
    }

    /// Sets what a target's recent probes measured.
    pub fn set_measure(&mut self, target: TargetId, measure: Measure) {
        self.set_measured(target, Some(measure));
    }

    /// The same, or that nothing is measured now.
    pub fn set_measured(&mut self, target: TargetId, measure: Option<Measure>) {
        if self.measures.get(&target) == measure.as_ref() {
            return;
        }
        let measures = Arc::make_mut(&mut self.measures);
        match measure {
            Some(measure) => _ = measures.insert(target, measure),
            None => _ = measures.remove(&target),
        }
    }

    /// Puts these operators' words in place of all before.
    pub fn replace(&mut self, words: Vec<Override>) {
        self.overrides = words;
    }

    /// Adds an operator's word; of two contrary forces on one target, down
    /// beats up.
    pub fn add(&mut self, word: Override) {
        self.overrides.push(word);
    }

    /// Adds an operator's word that holds at once and without end.
    pub fn simply(&mut self, target: TargetId, action: Action) {
        let (reason, author) = (String::new(), String::new());
        self.add(Override { target, action, starts: None, expires: None, reason, author });
    }

    /// An operator makes `datacenter` the primary of `service`, whose primary
    /// is static; the last word counts.
    pub fn promote(&mut self, service: ServiceId, datacenter: DatacenterId) {
        self.promoted.insert(service, datacenter);
    }

    /// The probe of `primary: {probe: …}` reports that `datacenter` is the
    /// primary of `service`; a report that names no datacenter is not one.
    pub fn follow(&mut self, service: ServiceId, datacenter: DatacenterId) {
        self.followed.insert(service, datacenter);
    }

    /// An operator confirmed, at `at` since the Unix epoch, that a target with
    /// `recovery: manual` may recover. It counts for faults that began before.
    pub fn recover(&mut self, target: TargetId, at: Duration) {
        self.confirmed.insert(target, at);
    }

    /// From now on the model of this file is another one, or the formula stands
    /// in for it.
    pub fn teach(&mut self, file: Arc<str>, model: Option<Arc<LinkModel>>) {
        Arc::make_mut(&mut self.taught).insert(file, model);
    }

    /// Takes back what counts once: who was promoted, followed and confirmed.
    pub fn settle(&mut self) {
        self.promoted.clear();
        self.followed.clear();
        self.confirmed.clear();
    }

    /// Says that this server's own network is at fault: preference freezes.
    pub const fn set_own_fault(&mut self, is_own_fault: bool) {
        self.is_own_fault = is_own_fault;
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
