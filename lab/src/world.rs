//! A world: a network, what runs on it, the server under test, and its users.
//!
//! It stands on its own, so that several run side by side. Dropping it ends
//! everything, in the order of the fields.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use crate::application::{self, Primary, Slowness};
use crate::failure::{Done, Failure, While as _};
use crate::fault::Broken;
use crate::namespaces::{Net, PREFIX};
use crate::patience::{GENEROUS, until};
use crate::policy::Policy;
use crate::process::Process;
use crate::resolver;
use crate::rhumb::Rhumb;
use crate::server::{Handler, Server};
use crate::topology::{
    self, BALANCERS, CARRIERS, DATABASE_PORT, DATACENTERS, Datacenter, FABRIC_PORT, NODES, SERVER, WEB_PORT,
    service_port,
};
use crate::traffic::{Request, Traffic};
use crate::tun::Detour;
use crate::watch::{Sight, View, Watch};

/// Several requests of each user: what they do now.
const LATELY: Duration = Duration::from_millis(500);

/// A daemon and what it is for.
struct Daemon {
    space: String,
    service: Option<&'static str>,
    server: Server,
}

/// Everything there is.
pub(crate) struct World {
    /// Users behind the resolver.
    pub(crate) traffic: Traffic,
    /// Questions to the server itself.
    pub(crate) watch: Watch,
    /// The server under test.
    pub(crate) rhumb: Rhumb,
    /// What has been broken and not mended.
    pub(crate) broken: Vec<Broken>,
    /// Where the database is.
    pub(crate) primary: Primary,
    _resolver: Process,
    daemons: Vec<Daemon>,
    slowness: Vec<(String, Slowness)>,
    detour: Option<Detour>,
    /// What everybody is answered while all is well.
    pub(crate) normal: Vec<(View, String)>,
    policy: Policy,
    net: Net,
    _folder: Folder,
}

/// A directory that goes with its owner.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Done<Self> {
        let path = std::env::temp_dir().join(format!("{PREFIX}{}-{name}", process::id()));
        // A process id comes back after a while.
        let _ = fs::remove_dir_all(&path);
        fs::create_dir(&path).doing(path.display())?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed is in a directory for such things.
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl World {
    /// Builds one and waits until users get pages everywhere.
    pub(crate) fn build(name: &str, program: &Path, policy: Policy) -> Done<Self> {
        let folder = Folder::new(name)?;
        let net = topology::plan(policy.datacenters, policy.services.len()).lay(name)?;
        let primary = Arc::new(AtomicUsize::new(0));
        let mut yard = Yard { net: &net, daemons: Vec::new(), slowness: Vec::new() };
        for &datacenter in policy.datacenters {
            yard.datacenter(datacenter, &policy, &primary)?;
        }
        let Yard { daemons, slowness, .. } = yard;
        let rhumb = Rhumb::start(&net, (program, &folder.0), &policy)?;
        let resolver = resolver::start(&net, &folder.0)?;
        let places: Vec<_> = policy.datacenters.iter().map(|one| one.name).collect();
        let services: Vec<_> = policy.services.iter().map(|service| service.name).collect();
        let watch = Watch::start(&net, SocketAddr::from((SERVER, 53)), (&places, &services))?;
        let traffic = Traffic::start(&net, (&places, &services))?;
        let (broken, detour) = (Vec::new(), None);
        let mut world = Self {
            traffic,
            watch,
            rhumb,
            broken,
            primary,
            _resolver: resolver,
            daemons,
            slowness,
            detour,
            normal: Vec::new(),
            policy,
            net,
            _folder: folder,
        };
        let settled = world.settle();
        world.normal = world.answers().into_iter().map(|(view, sight)| (view, sight.answer)).collect();
        settled.map_err(|failure| Failure::new(format!("{failure}\n{}", world.rhumb.log()))).map(|()| world)
    }

    /// Waits until nothing is unsettled, everybody is answered as always, and
    /// gets a page from there, caches included.
    pub(crate) fn settle(&self) -> Done {
        until("every verdict is up", GENEROUS, || {
            let targets = self.rhumb.targets().ok()?;
            targets.iter().all(|(_, target)| target.is_well()).then_some(())
        })
        .map_err(|failure| {
            let targets = self.rhumb.targets().unwrap_or_default();
            let odd = targets.into_iter().filter(|(_, target)| !target.is_well());
            Failure::new(format!("{failure}: {:?}", odd.collect::<Vec<_>>()))
        })?;
        until("everybody is answered as always", GENEROUS, || {
            self.normal.iter().all(|(view, answer)| self.is_answered(*view, answer)).then_some(())
        })?;
        until("pages for all", GENEROUS, || {
            let answers = self.answers();
            let served = |(view, sight): &(View, Sight)| {
                let is_there = |request: &Request| request.page.is_ok() && request.vip == sight.answer;
                self.traffic.flows(*view, LATELY, is_there)
            };
            (answers.len() == self.views().len() && answers.iter().all(served)).then_some(())
        })
    }

    /// Everybody near each datacenter, for each service.
    pub(crate) fn views(&self) -> Vec<View> {
        let Policy { datacenters, services, .. } = &self.policy;
        datacenters.iter().flat_map(|one| services.iter().map(|service| (one.name, service.name))).collect()
    }

    /// What everybody is answered now.
    pub(crate) fn answers(&self) -> Vec<(View, Sight)> {
        self.views().into_iter().filter_map(|view| Some((view, self.watch.now(view)?))).collect()
    }

    /// Whether `view` is answered `answer` now.
    pub(crate) fn is_answered(&self, view: View, answer: &str) -> bool {
        self.watch.now(view).is_some_and(|sight| sight.answer == answer)
    }

    /// What `view` is answered while all is well.
    pub(crate) fn normal_answer(&self, view: View) -> &str {
        self.normal.iter().find(|(one, _)| *one == view).map_or("", |(_, answer)| answer)
    }

    /// Its datacenters.
    pub(crate) fn datacenters(&self) -> &'static [Datacenter] {
        self.policy.datacenters
    }

    /// Its network.
    pub(crate) fn net(&self) -> &Net {
        &self.net
    }

    /// Kills the server, by this signal, and starts it again.
    pub(crate) fn restart(&mut self, signal: rustix::process::Signal) -> Done {
        self.rhumb.end(signal)?;
        self.rhumb.resume(&self.net)
    }

    /// Has the nodes of a datacenter sleep before each answer.
    pub(crate) fn slow(&self, datacenter: &str, delay: Duration) {
        let milliseconds = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
        for (_, slowness) in self.slowness.iter().filter(|(name, _)| name == datacenter) {
            slowness.store(milliseconds, Ordering::Relaxed);
        }
    }

    /// Sends the packets of a link over a detour that takes `delay` each way.
    pub(crate) fn detour(&mut self, (datacenter, link): (Datacenter, usize), delay: Duration) -> Done {
        let router = datacenter.space(CARRIERS[link]);
        self.detour = Some(Detour::start(&self.net, ("detour", ["net", &router]), delay)?);
        let (end, all) = (datacenter.link_end(link), datacenter.link_prefix(link));
        self.net.ip("net", &format!("route add {all} dev detour\n"))?;
        // Preferred to the default route that is there: no metric is the least.
        self.net.ip(&router, &format!("route add 198.18.0.0/16 dev detour src {end}\n"))
    }

    /// Ends the detour; its devices and routes go with it.
    pub(crate) fn straighten(&mut self) {
        self.detour = None;
    }

    /// Stops the daemons of `space`, of one service or all; says how many.
    pub(crate) fn stop_daemons(&mut self, space: &str, service: Option<&str>) -> usize {
        let found = self.daemons.iter_mut().filter(|daemon| daemon.is(space, service));
        found.map(|daemon| daemon.server.stop()).count()
    }

    /// Starts them again.
    pub(crate) fn resume_daemons(&mut self, space: &str, service: Option<&str>) -> Done {
        let Self { daemons, net, .. } = self;
        let mut found = daemons.iter_mut().filter(|daemon| daemon.is(space, service));
        found.try_for_each(|daemon| daemon.server.resume(net))
    }
}

impl Daemon {
    fn is(&self, space: &str, service: Option<&str>) -> bool {
        self.space == space && (service.is_none() || self.service == service)
    }
}

/// Where daemons are started.
struct Yard<'n> {
    net: &'n Net,
    daemons: Vec<Daemon>,
    slowness: Vec<(String, Slowness)>,
}

impl Yard<'_> {
    fn start(
        &mut self,
        space: &str,
        (address, port): (Ipv4Addr, u16),
        what: (Option<&'static str>, Handler),
    ) -> Done {
        let (service, handler) = what;
        let server = Server::start(self.net, (space, (IpAddr::V4(address), port).into()), handler)?;
        self.daemons.push(Daemon { space: space.to_owned(), service, server });
        Ok(())
    }

    /// Everything that runs in a datacenter.
    fn datacenter(&mut self, datacenter: Datacenter, policy: &Policy, primary: &Primary) -> Done {
        let name = datacenter.name;
        let slowness = Arc::new(AtomicU64::new(0));
        self.slowness.push((name.to_owned(), Arc::clone(&slowness)));
        let fabric = datacenter.space("fab");
        for port in [FABRIC_PORT, DATABASE_PORT] {
            self.start(&fabric, (datacenter.fabric(), port), (None, application::listener()))?;
        }
        for (index, service) in policy.services.iter().enumerate() {
            let (port, service_name) = (service_port(index), Some(service.name));
            let database = service.primary.map(|_| Arc::clone(primary));
            for (node, host) in NODES.iter().enumerate() {
                let handler =
                    application::node(format!("{name}/{host}"), database.clone(), Arc::clone(&slowness));
                self.start(&datacenter.space(host), (datacenter.node(node), port), (service_name, handler))?;
            }
            for (balancer, host) in BALANCERS.iter().enumerate() {
                let handler =
                    application::forwarder(format!("{name}/{host}"), nodes(datacenter, policy, port));
                let address = datacenter.balancer(balancer);
                self.start(&datacenter.space(host), (address, port), (service_name, handler))?;
            }
            for (link, carrier) in CARRIERS.iter().enumerate() {
                let balancers = (0..BALANCERS.len()).map(|one| (datacenter.balancer(one), port)).collect();
                let handler = application::forwarder(format!("{name}/{carrier}"), balancers);
                let vip = (datacenter.vip(link, index), WEB_PORT);
                self.start(&datacenter.space(carrier), vip, (service_name, handler))?;
            }
        }
        Ok(())
    }
}

/// The nodes in a balancer's order: its own datacenter's first.
fn nodes(own: Datacenter, policy: &Policy, port: u16) -> Vec<(Ipv4Addr, u16)> {
    let others = DATACENTERS.iter().filter(|other| **other != own && policy.datacenters.contains(other));
    let all = [&own].into_iter().chain(others);
    all.flat_map(|datacenter| (0..NODES.len()).map(move |node| (datacenter.node(node), port))).collect()
}
