//! Where services run and how clients get there.
//!
//! Datacenters own their links and balancers; interconnects join two of them;
//! carriers and groups of clients say who is near whom in the network rather
//! than on the map. Order is declaration order throughout.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::diagnostic::Location;
use crate::ids::{BalancerId, CarrierId, DatacenterId, LinkId, TargetId};
use crate::place::Point;
use crate::prefix::Prefix;
use crate::read::Spanned;

/// A datacenter.
#[derive(Debug)]
pub struct Datacenter {
    /// Its name.
    pub name: Arc<str>,
    /// Where the policy declares it.
    pub location: Location,
    /// Where it stands, if said.
    pub at: Option<Point>,
    /// The ISO 3166 code, unread, of the country or part of one that it stands
    /// in, if said.
    pub region: Option<Spanned<Arc<str>>>,
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
    /// As its datacenter's, for where it leaves; that one's when not said.
    pub region: Option<Spanned<Arc<str>>>,
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
