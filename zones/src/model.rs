//! The world as operators declared it, validated and indexed.
//!
//! A [`Model`] is built only by this crate's resolver, from all policy files
//! of a world at once, and never changes: lists are dense, every id in it is
//! in range, every cross reference exists. Lists keep declaration order,
//! because operators read order as preference.
//!
//! Plugins' arguments (steering methods, probe kinds, link selectors) stay
//! [`Tree`]s here: the plugin that owns them reads them, so that adding one
//! touches nothing in this crate.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::diagnostic::Location;
use crate::ids::{
    BalancerId, CarrierId, ClientGroupId, DatacenterId, InterconnectId, LinkId, NodeId, ServiceId, TargetId,
    VipId, ZoneId,
};
use crate::name::Name;
use crate::place::Point;
use crate::prefix::Prefix;
use crate::target::TargetName;
use crate::tree::Tree;
use crate::zone::ZoneData;

macro_rules! lists {
    ($($(#[$doc:meta])* $list:ident, $one:ident: $id:ident => $noun:ident;)*) => {
        /// The validated world.
        #[derive(Debug, Default)]
        pub struct Model {
            $(pub(crate) $list: Vec<$noun>,)*
            pub(crate) rules: Vec<Rule>,
            pub(crate) by_name: HashMap<TargetName, TargetId>,
        }

        impl Model {
            $(
                $(#[$doc])*
                #[must_use]
                pub fn $list(&self) -> &[$noun] {
                    &self.$list
                }

                /// The one with this id.
                #[must_use]
                pub fn $one(&self, id: $id) -> &$noun {
                    &self.$list[id.index()]
                }
            )*
        }
    };
}

lists! {
    /// Datacenters, in declaration order.
    datacenters, datacenter: DatacenterId => Datacenter;
    /// Declared links of all datacenters.
    links, link: LinkId => Link;
    /// Balancers of all datacenters.
    balancers, balancer: BalancerId => Balancer;
    /// Interconnects.
    interconnects, interconnect: InterconnectId => Interconnect;
    /// Zones.
    zones, zone: ZoneId => Zone;
    /// Services of all zones.
    services, service: ServiceId => Service;
    /// VIPs of all services; those of one service are adjacent.
    vips, vip: VipId => Vip;
    /// Nodes of all services; those of one service are adjacent.
    nodes, node: NodeId => Node;
    /// Everything that can be up or down.
    targets, target: TargetId => Target;
    /// Carriers that links, clients or regions refer to.
    carriers, carrier: CarrierId => Carrier;
    /// Groups of `clients:`.
    clients, client: ClientGroupId => ClientGroup;
}

impl Model {
    /// Rules, in file order.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The target of that name.
    #[must_use]
    pub fn target_named(&self, name: &TargetName) -> Option<TargetId> {
        self.by_name.get(name).copied()
    }

    /// The declared interconnect between two datacenters, in either order.
    #[must_use]
    pub fn interconnect_between(&self, a: DatacenterId, b: DatacenterId) -> Option<InterconnectId> {
        self.interconnects
            .iter()
            .position(|line| line.ends == [a, b] || line.ends == [b, a])
            .map(InterconnectId::new)
    }
}

/// A datacenter.
#[derive(Debug)]
pub struct Datacenter {
    /// Its name.
    pub name: Arc<str>,
    /// Where the policy declares it.
    pub location: Location,
    /// Where it stands, if said.
    pub at: Option<Point>,
    /// Its declared links; empty means one implicit link.
    pub links: Vec<LinkId>,
    /// Its declared balancers; empty means that `balance` always holds.
    pub balancers: Vec<BalancerId>,
    /// The path balancer → nodes inside it: always a target, probed or not.
    pub intranet: TargetId,
    /// Time over which a recovered datacenter's share grows back; 0 is at once.
    pub ramp: Duration,
    /// Itself as a target.
    pub target: TargetId,
}

/// One egress line of a datacenter to one carrier.
#[derive(Debug)]
pub struct Link {
    /// Its name, unique within its datacenter.
    pub name: Arc<str>,
    /// Its datacenter.
    pub datacenter: DatacenterId,
    /// Carriers it reaches directly.
    pub carriers: Vec<CarrierId>,
    /// The operator's rating, 1 (worst) to 100; 50 when not said.
    pub quality: u8,
    /// The operator's cost in a unit of its choice, if said.
    pub cost: Option<f64>,
    /// Where it leaves to the Internet; its datacenter's `at` when not said.
    pub at: Option<Point>,
    /// Itself as a target.
    pub target: TargetId,
}

/// An application load balancer inside a datacenter.
#[derive(Debug)]
pub struct Balancer {
    /// Its name, unique within its datacenter.
    pub name: Arc<str>,
    /// Its datacenter.
    pub datacenter: DatacenterId,
    /// Its private address.
    pub address: Option<IpAddr>,
    /// Itself as a target.
    pub target: TargetId,
}

/// A private line between two datacenters.
#[derive(Debug)]
pub struct Interconnect {
    /// Its ends, in alphabetical order of their names.
    pub ends: [DatacenterId; 2],
    /// How long it must have failed before it counts as down.
    pub hold: Duration,
    /// Itself as a target.
    pub target: TargetId,
}

/// A zone that the policy serves.
#[derive(Debug)]
pub struct Zone {
    /// Its name.
    pub name: Name,
    /// Where the policy declares it.
    pub location: Location,
    /// `nameservers:` as declared; empty when the file or defaults give them.
    pub nameservers: Vec<NameServer>,
    /// Static records: from the zone file, `nameservers:` and the defaults.
    pub records: ZoneData,
    /// Its services.
    pub services: Vec<ServiceId>,
    /// Whether the SOA came from a zone file (its serial is the operator's).
    pub soa_from_file: bool,
}

/// A declared name server of a zone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NameServer {
    /// Its name.
    pub name: Name,
    /// Its addresses, glue when its name lies in the zone.
    pub addresses: Vec<IpAddr>,
}

/// A service: a steered name.
#[derive(Debug)]
pub struct Service {
    /// Its name in targets, CLI and metrics: its key in the file, or its full
    /// name where two zones use the same key.
    pub name: Arc<str>,
    /// Where the policy declares it.
    pub location: Location,
    /// Its business name, from `name:`.
    pub title: Option<String>,
    /// Its description.
    pub description: Option<String>,
    /// Its zone.
    pub zone: ZoneId,
    /// The steered owner; may be the apex, a wildcard, several labels deep.
    pub owner: Name,
    /// Whether every answer must reach the primary's data.
    pub data: Data,
    /// Where its writable store is.
    pub primary: Option<Primary>,
    /// The steering chain, in order; `[nearest]` when not said.
    pub steer: Vec<Plugin>,
    /// How links inside a datacenter are chosen.
    pub link_selection: LinkSelection,
    /// Steady TTL.
    pub ttl: Duration,
    /// TTL while unsettled; never above `ttl`.
    pub ttl_floor: Duration,
    /// Time over which a recovered VIP's share grows back.
    pub ramp: Duration,
    /// What to answer when nothing is usable.
    pub last_resort: LastResort,
    /// Its VIPs, at most [`Service::MAX_VIPS`], adjacent in the model.
    pub vips: Vec<VipId>,
    /// Its nodes.
    pub nodes: Vec<NodeId>,
    /// Itself as a target.
    pub target: TargetId,
}

impl Service {
    /// VIPs per service: usable masks are four words, and an answer's order
    /// names a VIP in one byte.
    pub const MAX_VIPS: usize = 256;
}

/// `data:`, what a path must reach.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Data {
    /// Any node will do.
    Anywhere,
    /// The node's datacenter must reach the primary's.
    Primary,
}

/// Where a service's writable store is.
#[derive(Debug)]
pub struct Primary {
    /// The datacenter until promoted or followed.
    pub initially: DatacenterId,
    /// The probe that reports which side is writable, if followed.
    pub probe: Option<Probe>,
}

/// `last-resort:`, what to answer when nothing is usable.
#[derive(Clone, PartialEq, Debug)]
pub enum LastResort {
    /// Fail open: everything not excluded, in preference order.
    Everything,
    /// The last set of usable VIPs.
    Keep,
    /// These addresses.
    Addresses(Vec<IpAddr>),
    /// An alias to this name.
    Name(Name),
    /// SERVFAIL.
    Fail,
}

/// A plugin's name and its arguments, still unread.
#[derive(Clone, Debug)]
pub struct Plugin {
    /// The method, kind or selector.
    pub name: Arc<str>,
    /// Where its name stands.
    pub at: Location,
    /// Its arguments; null when it stands alone.
    pub arguments: Tree,
}

/// `link-selection:` of a service.
#[derive(Clone, Debug)]
pub struct LinkSelection {
    /// The selector; nothing when not said.
    pub selector: Option<Plugin>,
    /// Whether (datacenter, link) pairs are ranked jointly.
    pub across_datacenters: bool,
}

/// A public service address on one (datacenter, link).
#[derive(Debug)]
pub struct Vip {
    /// Its service.
    pub service: ServiceId,
    /// Its datacenter.
    pub datacenter: DatacenterId,
    /// Its link, where the datacenter declares links.
    pub link: Option<LinkId>,
    /// Its addresses, in file order.
    pub addresses: Vec<IpAddr>,
    /// An alias answered instead of addresses, and the SRV target.
    pub alias: Option<Name>,
    /// The private address it maps to: information.
    pub maps_to: Option<IpAddr>,
    /// Its weight among tied VIPs, 0 to 2²⁰; 1 when not said.
    pub weight: u32,
    /// Higher first among links; 0 when not said.
    pub priority: i32,
    /// Whether it may be answered at all.
    pub enabled: bool,
    /// Port for SRV and HTTPS.
    pub port: Option<u16>,
    /// Protocols for HTTPS, such as `h2`.
    pub alpn: Vec<String>,
    /// Its own check, one per address at run time.
    pub check: Option<Probe>,
    /// Itself as a target.
    pub target: TargetId,
}

/// An application server.
#[derive(Debug)]
pub struct Node {
    /// Its service.
    pub service: ServiceId,
    /// Its datacenter.
    pub datacenter: DatacenterId,
    /// `ADDRESS:PORT` or `ADDRESS`, as written.
    pub address: Arc<str>,
    /// Higher first; 0 when not said.
    pub priority: i32,
    /// Whether it may be used.
    pub enabled: bool,
    /// Itself as a target.
    pub target: TargetId,
}

/// Anything that can be up or down.
#[derive(Debug)]
pub struct Target {
    /// Its name.
    pub name: TargetName,
    /// Where the policy declares it.
    pub location: Location,
    /// Its probe; without one its verdict is `assume`.
    pub probe: Option<Probe>,
    /// What an unknown verdict counts as when no last one is known.
    pub assume: Assume,
    /// How long it is held down after a recovery.
    pub hold_down: Duration,
    /// Whether an operator must confirm a recovery.
    pub recovery: Recovery,
}

/// `assume:` of a target.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Assume {
    /// Up until a probe says otherwise.
    #[default]
    Up,
    /// Down until a probe says otherwise.
    Down,
}

/// `recovery:` of a target.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Recovery {
    /// By probes and hold-down alone.
    #[default]
    Auto,
    /// By an operator's word.
    Manual,
}

/// How a target is probed.
#[derive(Clone, Debug)]
pub struct Probe {
    /// Probe kind and its arguments.
    pub kind: Plugin,
    /// Start to start while steady.
    pub interval: Duration,
    /// Start to start after a first failure.
    pub fast_interval: Duration,
    /// Covers all tries.
    pub timeout: Duration,
    /// Tries inside one probe.
    pub tries: u8,
    /// Failures in a row that make it down.
    pub fall: u8,
    /// Successes in a row that make it up.
    pub rise: u8,
    /// Random spread of the interval, a fraction 0–1.
    pub jitter: f64,
    /// Source address of the probe.
    pub source: Option<IpAddr>,
    /// Interface the probe leaves through.
    pub interface: Option<String>,
    /// Sites that probe it; empty means the default of its kind of target.
    pub from: Vec<Arc<str>>,
    /// How votes combine.
    pub quorum: Quorum,
    /// Age after which a vote does not count.
    pub stale: Duration,
}

/// `quorum:` of a probe.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Quorum {
    /// More than half of the sites.
    Majority,
    /// At least `k`, of `n` expected.
    KOfN {
        /// Votes needed.
        k: u16,
        /// Sites expected.
        n: u16,
    },
    /// More than this fraction, 0–1.
    Fraction(f64),
}

/// A carrier that the policy refers to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Carrier {
    /// A built-in or declared name, or `AS` and a number.
    pub name: Arc<str>,
    /// Whether its prefixes are the built-in list of that name.
    pub builtin: bool,
    /// Autonomous systems that belong to it.
    pub asns: Vec<u32>,
    /// Prefixes that belong to it.
    pub prefixes: Vec<Prefix>,
}

/// What the operator knows of some clients; beats databases.
#[derive(Debug)]
pub struct ClientGroup {
    /// Its name.
    pub name: Arc<str>,
    /// Where the policy declares it.
    pub location: Location,
    /// Its prefixes; no two groups share one.
    pub prefixes: Vec<Prefix>,
    /// Where these clients are, if said.
    pub at: Option<Point>,
    /// Their carriers, if said.
    pub carriers: Vec<CarrierId>,
    /// How much they want a link, by link; 1 when not said.
    pub prefer: Vec<(LinkId, f64)>,
    /// Datacenters in this order, no distance, if said.
    pub order: Vec<DatacenterId>,
}

/// A rule: a condition and what it does.
#[derive(Debug)]
pub struct Rule {
    /// Its name.
    pub name: Arc<str>,
    /// Where the policy declares it.
    pub location: Location,
    /// The CEL condition, unparsed.
    pub when: Arc<str>,
    /// Where the condition stands.
    pub when_at: Location,
    /// Services it applies to; empty means all.
    pub services: Vec<ServiceId>,
    /// Its actions, in file order.
    pub apply: Vec<RuleAction>,
}

/// One action of a rule.
#[derive(Clone, PartialEq, Debug)]
pub enum RuleAction {
    /// Only these are answered.
    Only(Vec<TargetId>),
    /// These go to the second tier.
    Avoid(Vec<TargetId>),
    /// These come first within their tier.
    Prefer(Vec<TargetId>),
    /// Only the primary's datacenter is answered.
    AllToPrimary,
    /// Preference does not move.
    Freeze,
    /// These addresses are answered.
    Answer(Vec<IpAddr>),
    /// This TTL is used.
    Ttl(Duration),
}
