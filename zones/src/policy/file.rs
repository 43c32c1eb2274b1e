//! What a policy file may say, as it says it.
//!
//! One struct per noun, declared with [`spec!`]: the doc lines here are what
//! editors show. Nothing is looked up or defaulted here beyond a key's own
//! meaning; that is for `resolve`, which takes these apart exhaustively, so
//! that a new key cannot be forgotten.

use std::net::IpAddr;
use std::num::NonZeroU16;
use std::sync::Arc;
use std::time::Duration;

use super::check::CheckForm;
use super::dnssec::DnssecSpec;
use super::forms::{Asn, NameServerForm, NodeAddress, NodeForm, PrimaryForm, VipsForm, ZoneForm};
use super::keys::{ProbeKeys, ServiceKeys, TargetKeys};
use super::transfer::TransferSpec;
use crate::name::Name;
use crate::place::Point;
use crate::prefix::Prefix;
use crate::read::{Bounded, Named, OneOrMany, Spanned, Ttl};
use crate::spec;

spec! {
    /// A policy: a zone with its services, and whatever of the world around
    /// it (datacenters, links, checks, clients, rules) is declared here.
    pub(crate) struct Document {
        /// The zone that this document declares.
        zone: Option<ZoneForm>,
        /// Name servers of the zone and their addresses, when no file gives them.
        nameservers: Vec<NameServerForm>,
        /// An RFC 1035 zone file with everything static, relative to this file.
        records: Option<Spanned<Arc<str>>>,
        /// How the zone is signed; without it, it is not.
        dnssec: Option<Spanned<DnssecSpec>>,
        /// Who may have the whole zone; without it, nobody.
        transfer: Option<Spanned<TransferSpec>>,
        /// Who may ask for names of the zone; all unless given.
        allow_query: Option<Spanned<Vec<Prefix>>>,
        /// Any key of a service or a probe, for all that do not say otherwise.
        defaults: Option<Spanned<DefaultsSpec>>,
        /// Probes by name, for `check:` and `probe:` anywhere.
        checks: Named<CheckForm>,
        /// Datacenters by name.
        datacenters: Named<DatacenterSpec>,
        /// Private lines between datacenters.
        interconnects: Vec<Spanned<InterconnectSpec>>,
        /// Carriers by name, beside the built-in ones.
        carriers: Named<CarrierSpec>,
        /// What is known of some clients; beats databases.
        clients: Named<ClientSpec>,
        /// Services of the zone, by their name in it: `www`, `@`, `*.apps`.
        services: Named<ServiceSpec>,
        /// Conditions and what they do, in order.
        rules: Vec<Spanned<RuleSpec>>,
    }
}

spec! {
    /// Any key of a service, a target or a probe.
    pub(crate) struct DefaultsSpec {
        ..service: ServiceKeys,
        ..target: TargetKeys,
        ..probe: ProbeKeys,
    }
}

spec! {
    /// A name server of the zone.
    pub(crate) struct NameServerSpec {
        /// Its name.
        name: Spanned<Name>,
        /// Its addresses; needed when its name lies in the zone.
        address: Option<OneOrMany<IpAddr>>,
    }
}

spec! {
    /// A datacenter.
    pub(crate) struct DatacenterSpec as "datacenter" {
        /// Where it stands: [latitude, longitude] in degrees.
        at: Option<Point>,
        /// The country or part of one that it stands in: an ISO 3166 code such as CN or CN-BJ.
        region: Option<Spanned<Arc<str>>>,
        /// Its egress links by name; without any it has one nameless link.
        links: Named<LinkSpec>,
        /// Its load balancers by name.
        balancers: Named<BalancerSpec>,
        /// Its path from balancers to nodes.
        intranet: IntranetSpec,
        /// Time over which its share grows back after a recovery; 0s is at once.
        ramp: Option<Duration>,
        ..target: TargetKeys,
    }
}

spec! {
    /// An egress link to a carrier.
    pub(crate) struct LinkSpec as "link" {
        /// Carriers it reaches directly: built-in or declared names, or AS numbers.
        carrier: Option<OneOrMany<Spanned<Arc<str>>>>,
        /// Your rating, 1 to 100.
        quality: Bounded<1, 100> = Bounded(super::defaults::QUALITY),
        /// Your cost, in any one unit.
        cost: Option<f64>,
        /// Where it leaves to the Internet, if not where its datacenter stands.
        at: Option<Point>,
        /// The country or part of one where it leaves, if not its datacenter's.
        region: Option<Spanned<Arc<str>>>,
        /// How it is probed.
        probe: Option<CheckForm>,
        ..target: TargetKeys,
    }
}

spec! {
    /// A load balancer.
    pub(crate) struct BalancerSpec as "balancer" {
        /// Its private address.
        address: Option<IpAddr>,
        /// How it is probed.
        probe: Option<CheckForm>,
        ..target: TargetKeys,
    }
}

spec! {
    /// The path from a datacenter's balancers to its nodes.
    pub(crate) struct IntranetSpec {
        /// How it is probed.
        probe: Option<CheckForm>,
        ..target: TargetKeys,
    }
}

spec! {
    /// A private line between two datacenters.
    pub(crate) struct InterconnectSpec {
        /// Its two ends.
        between: Spanned<Vec<Spanned<Arc<str>>>>,
        /// How long it must have failed before it counts as down.
        hold: Duration = super::defaults::INTERCONNECT_HOLD,
        /// How it is probed.
        probe: Option<CheckForm>,
        ..target: TargetKeys,
    }
}

spec! {
    /// A carrier: what belongs to it.
    pub(crate) struct CarrierSpec as "carrier" {
        /// Autonomous systems: AS4134 or 4134.
        asns: Option<OneOrMany<Asn>>,
        /// Prefixes.
        prefixes: Option<Vec<Prefix>>,
        /// A file of prefixes, one a line, `#` starts a comment.
        file: Option<Spanned<Arc<str>>>,
    }
}

spec! {
    /// What is known of some clients.
    pub(crate) struct ClientSpec as "client" {
        /// Who they are.
        prefixes: OneOrMany<Spanned<Prefix>>,
        /// Where they are: [latitude, longitude] in degrees.
        at: Option<Point>,
        /// Their carriers.
        carrier: Option<OneOrMany<Spanned<Arc<str>>>>,
        /// How much they want a link, as a factor: `north/telecom: 2.0`.
        prefer: Named<Spanned<f64>>,
        /// Datacenters in this order, whatever the distance.
        order: Vec<Spanned<Arc<str>>>,
    }
}

spec! {
    /// A steered name.
    pub(crate) struct ServiceSpec as "service" {
        /// Its business name.
        name: Option<String>,
        /// What it is.
        description: Option<String>,
        /// The datacenter of its writable store.
        primary: Option<PrimaryForm>,
        /// How each of its VIPs is probed.
        check: Option<CheckForm>,
        /// Its public addresses by datacenter, and by link where the datacenter declares links.
        vips: Named<VipsForm>,
        /// Its application servers by datacenter.
        nodes: Named<Vec<NodeForm>>,
        ..keys: ServiceKeys,
        ..target: TargetKeys,
    }
}

spec! {
    /// Where the writable store is and who says so.
    pub(crate) struct PrimarySpec {
        /// The datacenter until promoted or followed.
        initially: Spanned<Arc<str>>,
        /// A probe that reports which side is writable.
        probe: Option<CheckForm>,
    }
}

spec! {
    /// A public address of a service.
    pub(crate) struct VipSpec {
        /// Its addresses.
        address: Option<OneOrMany<Spanned<IpAddr>>>,
        /// The private address it maps to: information.
        maps_to: Option<IpAddr>,
        /// Its weight among equals.
        weight: Bounded<0, { super::defaults::MAX_WEIGHT }> = Bounded(1),
        /// Higher first among links.
        priority: i32 = 0,
        /// Whether it may be answered at all.
        enabled: bool = true,
        /// A name answered instead of addresses (CNAME), and the target of SRV.
        name: Option<Spanned<Name>>,
        /// Its port, for SRV and HTTPS.
        port: Option<NonZeroU16>,
        /// Its protocols, for HTTPS: h2, h3.
        alpn: Option<OneOrMany<String>>,
        /// How it is probed, if not like the service's others.
        check: Option<CheckForm>,
        ..target: TargetKeys,
    }
}

spec! {
    /// An application server.
    pub(crate) struct NodeSpec {
        /// Its address, with or without a port.
        address: Spanned<NodeAddress>,
        /// How it is probed.
        probe: Option<CheckForm>,
        /// Higher first.
        priority: i32 = 0,
        /// Whether it may be used.
        enabled: bool = true,
        ..target: TargetKeys,
    }
}

spec! {
    /// A condition and what it does.
    pub(crate) struct RuleSpec as "rule" {
        /// Its name.
        name: Spanned<Arc<str>>,
        /// The condition, in CEL.
        when: Spanned<Arc<str>>,
        /// What it does while the condition holds.
        apply: Spanned<ApplySpec>,
    }
}

spec! {
    /// What a rule does.
    pub(crate) struct ApplySpec {
        /// The services it concerns; all when not said.
        services: Option<OneOrMany<Spanned<Arc<str>>>>,
        /// Answer only these datacenters, links or VIPs.
        only: Option<OneOrMany<Spanned<Arc<str>>>>,
        /// Answer these only when nothing better is left.
        avoid: Option<OneOrMany<Spanned<Arc<str>>>>,
        /// Answer these first.
        prefer: Option<OneOrMany<Spanned<Arc<str>>>>,
        /// Answer only the primary's datacenter.
        all_to_primary: bool = false,
        /// Keep preferences as they are.
        freeze: bool = false,
        /// Answer these addresses.
        answer: Option<OneOrMany<IpAddr>>,
        /// Answer with this TTL.
        ttl: Option<Ttl>,
    }
}
