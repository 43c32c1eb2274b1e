//! The world as operators declared it, validated and indexed.
//!
//! A [`Model`] is built only by this crate's resolver, from all policy files
//! of a world at once, and never changes: lists are dense, every id in it is
//! in range, every cross reference exists. Lists keep declaration order,
//! because operators read order as preference.
//!
//! Plugins' arguments (steering methods, probe kinds, link selectors) stay
//! [`Tree`](crate::Tree)s here: the plugin that owns them reads them, so that adding one
//! touches nothing in this crate.

mod dnssec;
mod plugin;
mod rule;
mod service;
mod target;
mod topology;
mod transfer;

use std::collections::HashMap;

pub use dnssec::{Denial, Dnssec, KeyAlgorithm, KeyPlan, Nsec3};
pub use plugin::Plugin;
pub use rule::{Rule, RuleAction};
pub use service::{Data, LastResort, LinkSelection, NameServer, Node, Primary, Service, Vip, Zone};
pub use target::{Assume, Check, Probe, Quorum, Recovery, Target};
pub use topology::{Balancer, Carrier, ClientGroup, Datacenter, Interconnect, Link};
pub use transfer::Transfer;

use crate::ids::{
    BalancerId, CarrierId, ClientGroupId, DatacenterId, InterconnectId, LinkId, NodeId, ServiceId, TargetId,
    VipId, ZoneId,
};
use crate::target::TargetName;

macro_rules! lists {
    ($($(#[$doc:meta])* $list:ident, $one:ident: $id:ident => $noun:ident;)*) => {
        /// The validated world.
        #[derive(Debug, Default)]
        pub struct Model {
            $(pub(crate) $list: Vec<$noun>,)*
            pub(crate) checks: Vec<Check>,
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
    /// Carriers: the built-in ones first, then declared ones, then the
    /// autonomous systems that links and clients refer to.
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

    /// Named checks, whether used or not.
    #[must_use]
    pub fn checks(&self) -> &[Check] {
        &self.checks
    }

    /// The carrier of that name, or of that `AS` and number.
    #[must_use]
    pub fn carrier_named(&self, name: &str) -> Option<CarrierId> {
        self.carriers.iter().position(|carrier| &*carrier.name == name).map(CarrierId::new)
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
