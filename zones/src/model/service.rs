//! What is answered: zones, services, VIPs and nodes.
//!
//! Everything that answering needs is decided here: TTLs are merged from
//! defaults, names are absolute, references are ids. What depends on the state
//! of the world (who is up, who is primary now) is not in the model at all.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::dnssec::Dnssec;
use super::plugin::Plugin;
use super::target::Probe;
use super::transfer::Transfer;
use crate::diagnostic::Location;
use crate::ids::{DatacenterId, LinkId, NodeId, ServiceId, TargetId, VipId, ZoneId};
use crate::name::Name;
use crate::prefix::Prefix;
use crate::spec;
use crate::zone::ZoneData;

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
    /// How it is signed, if it is.
    pub dnssec: Option<Dnssec>,
    /// To whom it is transferred, if to anybody.
    pub transfer: Option<Transfer>,
    /// Who may ask for its names; nothing is everybody.
    pub allow_query: Option<Vec<Prefix>>,
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

spec! {
    /// `data:`, what a path must reach.
    pub enum Data {
        /// Any node will do.
        Anywhere,
        /// The node's datacenter must reach the primary's.
        Primary,
    }
}

/// Where a service's writable store is.
#[derive(Debug)]
pub struct Primary {
    /// The datacenter until promoted or followed.
    pub initially: DatacenterId,
    /// The probe that reports which side is writable, if followed.
    pub probe: Option<Arc<Probe>>,
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
    /// Itself as a target; its probe runs once per address.
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
