//! Who probes what: from the policy and a site to jobs.
//!
//! What is voted on is a [`Subject`]: a target, or one address of a VIP, whose
//! check runs once per address. What is run is a [`Job`]. Subjects with the
//! same question — a named check of the same address in ten services — are one
//! job, so a target is never asked more often because more services use it.
//!
//! Who is asked depends on where one stands. A process inside a datacenter
//! bears its name as *site*; it cannot see its own public addresses as users
//! do, and it cannot see another's private ones at all:
//!
//! | target | sites that probe it, unless `from:` says otherwise |
//! |---|---|
//! | link, VIP | every one but its own datacenter's |
//! | balancer, intranet, node | its own datacenter's |
//! | interconnect | both ends' |
//!
//! If nobody is eligible, everybody is: a lone server sees everything.
//!
//! **Invariant:** a roster is a function of the policy and the sites known; it
//! remembers nothing.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use rhumb_zones::{DatacenterId, Diagnostics, Model, Probe, Reader, ServiceId, TargetId, TargetName};

use crate::probe::{self, Kind};

/// The site of all processes without one.
pub const NO_SITE: &str = "none";

/// What is voted on.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Subject {
    /// The target.
    pub target: TargetId,
    /// Which of its addresses, for VIPs that are probed at their own.
    pub address: Option<IpAddr>,
}

/// What a job is for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Purpose {
    /// Votes on a subject.
    Vote(Subject),
    /// Reports which datacenter holds a service's writable store.
    Primary(ServiceId),
}

/// One probe to run, however many want to know.
#[derive(Clone, Debug)]
pub struct Job {
    /// The same for the same question: such jobs may go on over a reload.
    pub key: Arc<str>,
    /// What to do.
    pub kind: Arc<dyn Kind>,
    /// How often, how long, from where.
    pub probe: Arc<Probe>,
    /// The target's own address, if it has one.
    pub address: Option<IpAddr>,
    /// Who wants to know.
    pub purposes: Vec<Purpose>,
    /// The datacenters whose network it shows; none for what asks no network.
    pub shows: Vec<DatacenterId>,
}

/// Everything that can be probed, and what of it is probed here.
#[derive(Clone, Default, Debug)]
pub struct Roster {
    jobs: Vec<Job>,
    subjects: Vec<(Subject, Arc<Probe>)>,
}

impl Roster {
    /// What a process at `site` probes, when votes of `sites` (its own among
    /// them) are counted.
    #[must_use]
    pub fn new(model: &Model, homes: &Homes, (site, sites): (&str, &[Arc<str>])) -> Self {
        let roster = Self::default();
        let mut clerk = Clerk { model, homes, kinds: HashMap::new(), by_key: HashMap::new(), roster };
        for (index, target) in model.targets().iter().enumerate() {
            if let Some(probe) = &target.probe {
                let target = TargetId::new(index);
                let sees = |site: &str| homes.is_eligible(model, (target, probe), site);
                clerk.target(target, probe, sees(site) || !sites.iter().any(|other| sees(other)));
            }
        }
        for (index, service) in model.services().iter().enumerate() {
            let probe = service.primary.as_ref().and_then(|primary| primary.probe.as_ref());
            if let Some((probe, kind)) = probe.and_then(|probe| Some((probe, clerk.kind(probe)?))) {
                clerk.job((&kind, probe, None), Purpose::Primary(ServiceId::new(index)));
            }
        }
        clerk.roster
    }

    /// What runs here.
    #[must_use]
    pub fn jobs(&self) -> &[Job] {
        &self.jobs
    }

    /// Everything that is voted on, here or elsewhere, with its settings.
    #[must_use]
    pub fn subjects(&self) -> &[(Subject, Arc<Probe>)] {
        &self.subjects
    }
}

/// What of the policy eligibility and addresses are read from, by target.
#[derive(Debug)]
pub struct Homes(Vec<Home>);

#[derive(Clone, Default, Debug)]
struct Home {
    /// The datacenter it is in; an interconnect is in none.
    datacenter: Option<DatacenterId>,
    /// Where it is asked when its probe does not say.
    addresses: Vec<IpAddr>,
}

impl Homes {
    /// Reads `model` once.
    #[must_use]
    pub fn new(model: &Model) -> Self {
        let mut homes = vec![Home::default(); model.targets().len()];
        let mut set = |target: TargetId, datacenter, addresses| {
            homes[target.index()] = Home { datacenter: Some(datacenter), addresses };
        };
        for (index, datacenter) in model.datacenters().iter().enumerate() {
            set(datacenter.target, DatacenterId::new(index), Vec::new());
            set(datacenter.intranet, DatacenterId::new(index), Vec::new());
        }
        model.links().iter().for_each(|link| set(link.target, link.datacenter, Vec::new()));
        for balancer in model.balancers() {
            set(balancer.target, balancer.datacenter, balancer.address.into_iter().collect());
        }
        model.vips().iter().for_each(|vip| set(vip.target, vip.datacenter, vip.addresses.clone()));
        for node in model.nodes() {
            let text = &*node.address;
            let address = text.parse().ok().or_else(|| Some(text.parse::<SocketAddr>().ok()?.ip()));
            set(node.target, node.datacenter, address.into_iter().collect());
        }
        Self(homes)
    }

    /// The datacenter that `target` is in, if it is in one.
    #[must_use]
    pub fn datacenter(&self, target: TargetId) -> Option<DatacenterId> {
        self.0[target.index()].datacenter
    }

    /// Its own addresses.
    pub(crate) fn addresses(&self, target: TargetId) -> &[IpAddr] {
        &self.0[target.index()].addresses
    }

    /// Whether a process at `site` sees `target` from where it should be seen.
    #[must_use]
    pub fn is_eligible(&self, model: &Model, (target, probe): (TargetId, &Probe), site: &str) -> bool {
        if !probe.from.is_empty() {
            return probe.from.iter().any(|from| **from == *site);
        }
        let is_inside = self.datacenter(target).is_some_and(|id| *model.datacenter(id).name == *site);
        match &model.target(target).name {
            TargetName::Link(..) | TargetName::Vip(..) => !is_inside,
            TargetName::Interconnect(a, b) => **a == *site || **b == *site,
            _ => is_inside,
        }
    }
}

/// The text that names a subject in votes and in what is kept over a restart:
/// `link:north/telecom`, `vip:www/north/telecom@203.0.113.10`.
#[must_use]
pub fn subject_name(model: &Model, subject: &Subject) -> String {
    let name = &model.target(subject.target).name;
    subject.address.map_or_else(|| name.to_string(), |address| format!("{name}@{address}"))
}

/// The subject of that name, if there is one.
#[must_use]
pub fn subject_named(model: &Model, text: &str) -> Option<Subject> {
    let (name, address) = match text.rsplit_once('@') {
        Some((name, address)) => (name, Some(address.parse().ok()?)),
        None => (text, None),
    };
    let target = model.target_named(&name.parse().ok()?)?;
    Some(Subject { target, address })
}

struct Clerk<'m> {
    model: &'m Model,
    homes: &'m Homes,
    /// Of probes already read: named checks are shared by many targets.
    kinds: HashMap<*const Probe, Option<Arc<dyn Kind>>>,
    by_key: HashMap<Arc<str>, usize>,
    roster: Roster,
}

impl Clerk<'_> {
    fn kind(&mut self, probe: &Arc<Probe>) -> Option<Arc<dyn Kind>> {
        let read = || {
            // A policy that is served has been validated; what is wrong here was refused there.
            let mut out = Diagnostics::default();
            probe::read(probe, &mut Reader::new(&mut out, "probe")).map(Arc::from)
        };
        self.kinds.entry(Arc::as_ptr(probe)).or_insert_with(read).clone()
    }

    fn target(&mut self, target: TargetId, probe: &Arc<Probe>, is_mine: bool) {
        let Some(kind) = self.kind(probe) else { return };
        let is_vip = matches!(self.model.target(target).name, TargetName::Vip(..));
        let own = kind.needs_target_address();
        let addresses = if own { self.homes.0[target.index()].addresses.clone() } else { Vec::new() };
        let asked = if addresses.is_empty() { vec![None] } else { addresses.into_iter().map(Some).collect() };
        for address in asked {
            let subject = Subject { target, address: address.filter(|_| is_vip) };
            self.roster.subjects.push((subject, Arc::clone(probe)));
            if is_mine {
                self.job((&kind, probe, address), Purpose::Vote(subject));
            }
        }
    }

    fn job(
        &mut self,
        (kind, probe, address): (&Arc<dyn Kind>, &Arc<Probe>, Option<IpAddr>),
        purpose: Purpose,
    ) {
        let key = key(&**kind, probe, address);
        let shows = self.shown(&**kind, purpose);
        let jobs = &mut self.roster.jobs;
        let index = *self.by_key.entry(Arc::clone(&key)).or_insert_with(|| {
            let (kind, probe) = (Arc::clone(kind), Arc::clone(probe));
            jobs.push(Job { key, kind, probe, address, purposes: Vec::new(), shows: Vec::new() });
            jobs.len() - 1
        });
        jobs[index].purposes.push(purpose);
        for datacenter in shows {
            if !jobs[index].shows.contains(&datacenter) {
                jobs[index].shows.push(datacenter);
            }
        }
    }

    /// The datacenters whose network a job for `purpose` shows.
    fn shown(&self, kind: &dyn Kind, purpose: Purpose) -> Vec<DatacenterId> {
        let Purpose::Vote(Subject { target, .. }) = purpose else { return Vec::new() };
        if !kind.uses_network() {
            return Vec::new();
        }
        let ends = self.model.interconnects().iter().find(|line| line.target == target).map(|line| line.ends);
        ends.map_or_else(|| self.homes.datacenter(target).into_iter().collect(), |ends| ends.to_vec())
    }
}

/// Everything that makes a question and how it is asked; not who counts it.
fn key(kind: &dyn Kind, probe: &Probe, address: Option<IpAddr>) -> Arc<str> {
    let Probe { interval, fast_interval, timeout, tries, fall, rise, jitter, source, interface, .. } = probe;
    format!(
        "{kind:?} {address:?} {interval:?} {fast_interval:?} {timeout:?} {tries} {fall} {rise} {jitter} {source:?} {interface:?}"
    )
    .into()
}
