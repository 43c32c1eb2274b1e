//! The map of a world: who is where, at which address, behind which cable.
//!
//!     clients ─┐                 ┌─ north-telecom ─┐           ┌─ north-lb1
//!     resolver ┼── net ──────────┼─ north-unicom ──┼─ north ───┼─ north-lb2
//!     server ──┘ (three legs)    └─ south-…        │           ├─ north-fab ─┬─ north-n1
//!                                                  │           │             └─ north-n2
//!                                   north-mon ─────┘           └─ north-x ═══ south-x
//!
//! `net` is the Internet. A link is a router with public addresses of its own:
//! its end, and a VIP for each service, mapped to the balancers. `north` is a
//! datacenter's core, `north-fab` the network of its nodes; the cable between
//! them is the intranet. `north-x` joins both to the interconnects, so that a
//! cut intranet leaves the way around over another datacenter, as the path
//! rule says. `north-mon` is where a prober of the site `north` lives.
//!
//! `vantage` is where a prober of no datacenter lives, with a leg to each
//! carrier. The server's legs: `telecom` and `unicom` to the Internet for probes, `dns`
//! for queries, so that its uplinks can be cut while it answers, and
//! `mgmt-north` into the core's balancer network: what a server without a
//! site needs to see balancers, intranets and interconnects. Monitors have legs
//! of the same names, so that `interface: telecom` means the same everywhere.

use std::net::Ipv4Addr;

use crate::namespaces::Plan;

/// A datacenter of the lab.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Datacenter {
    /// Its name.
    pub(crate) name: &'static str,
    /// In its private addresses: 10.NUMBER.0.0/16.
    pub(crate) number: u8,
    /// The three octets that its public addresses start with.
    public: [u8; 3],
    /// The same for its clients.
    clients: [u8; 3],
    /// Latitude and longitude.
    pub(crate) at: &'static str,
    /// The carrier of the clients near it.
    pub(crate) carrier: &'static str,
}

/// Two, and a third for some scenarios. Addresses are those reserved for
/// documentation and benchmarks.
pub(crate) const DATACENTERS: [Datacenter; 3] = [
    Datacenter {
        name: "north",
        number: 1,
        public: [203, 0, 113],
        clients: [198, 18, 1],
        at: "[39.90, 116.40]",
        carrier: "telecom",
    },
    Datacenter {
        name: "south",
        number: 2,
        public: [198, 51, 100],
        clients: [198, 18, 2],
        at: "[23.13, 113.26]",
        carrier: "unicom",
    },
    Datacenter {
        name: "west",
        number: 3,
        public: [192, 0, 2],
        clients: [198, 18, 3],
        at: "[30.57, 104.07]",
        carrier: "telecom",
    },
];

/// Every datacenter has a link to each.
pub(crate) const CARRIERS: [&str; 2] = ["telecom", "unicom"];
/// Balancers of each datacenter.
pub(crate) const BALANCERS: [&str; 2] = ["lb1", "lb2"];
/// Nodes of each datacenter.
pub(crate) const NODES: [&str; 2] = ["n1", "n2"];

/// Where the server answers.
pub(crate) const SERVER: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 53);
/// Where the resolver answers.
pub(crate) const RESOLVER: Ipv4Addr = Ipv4Addr::new(198, 18, 4, 53);
/// The server's legs that hear votes, in the order of [`CARRIERS`].
pub(crate) const HEARING: [Ipv4Addr; 2] = [Ipv4Addr::new(198, 18, 0, 11), Ipv4Addr::new(198, 18, 0, 22)];
/// The port of votes.
pub(crate) const VOTES_PORT: u16 = 5353;
/// The port of VIPs.
pub(crate) const WEB_PORT: u16 = 80;
/// The port that tells the intranet from the nodes on it.
pub(crate) const FABRIC_PORT: u16 = 22;
/// The port of the database.
pub(crate) const DATABASE_PORT: u16 = 5432;
/// The port of the first service on balancers and nodes.
const FIRST_PORT: u16 = 8001;

impl Datacenter {
    /// A private address: network 0 is the balancers', 1 the nodes', 255 the border's.
    const fn private(self, network: u8, host: u8) -> Ipv4Addr {
        Ipv4Addr::new(10, self.number, network, host)
    }

    /// An address on its link to carrier `link`.
    const fn on_link(self, link: usize, host: u8) -> Ipv4Addr {
        let [a, b, c] = self.public;
        let first = if link == 0 { 0 } else { 64 };
        Ipv4Addr::new(a, b, c, first + host)
    }

    /// The end of a link.
    pub(crate) const fn link_end(self, link: usize) -> Ipv4Addr {
        self.on_link(link, 1)
    }

    /// The end of a link and all VIPs on it: half of the prefix that leads there.
    pub(crate) fn link_prefix(self, link: usize) -> String {
        format!("{}/27", self.on_link(link, 0))
    }

    /// The address of its monitor on a link.
    pub(crate) const fn monitor(self, link: usize) -> Ipv4Addr {
        self.on_link(link, 5)
    }

    /// The VIP of service number `service` on a link.
    pub(crate) fn vip(self, link: usize, service: usize) -> Ipv4Addr {
        self.on_link(link, 10 + u8::try_from(service).expect("few services"))
    }

    /// A balancer.
    pub(crate) fn balancer(self, index: usize) -> Ipv4Addr {
        self.private(0, 11 + u8::try_from(index).expect("few balancers"))
    }

    /// A node.
    pub(crate) fn node(self, index: usize) -> Ipv4Addr {
        self.private(1, 21 + u8::try_from(index).expect("few nodes"))
    }

    /// The fabric: what answers if the intranet does.
    pub(crate) const fn fabric(self) -> Ipv4Addr {
        self.private(1, 1)
    }

    /// The border router of the interconnects.
    pub(crate) const fn border(self) -> Ipv4Addr {
        self.private(255, 1)
    }

    /// The address that the line to `other` is probed at, from either end:
    /// both borders have it, and each passes on what its own side asks.
    pub(crate) fn far_end(self, other: Self) -> Ipv4Addr {
        let (a, b) = (self.number.min(other.number), self.number.max(other.number));
        Ipv4Addr::new(10, 255, 10 * a + b, 1)
    }

    /// Where the server stands when it looks into this datacenter.
    pub(crate) const fn management(self) -> Ipv4Addr {
        self.private(0, 9)
    }

    /// The clients near it.
    pub(crate) const fn client(self) -> Ipv4Addr {
        let [a, b, c] = self.clients;
        Ipv4Addr::new(a, b, c, 10)
    }

    /// The client network near it.
    pub(crate) fn client_prefix(self) -> String {
        let [a, b, c] = self.clients;
        format!("{a}.{b}.{c}.0/24")
    }

    /// The space of a part of it.
    pub(crate) fn space(self, part: &str) -> String {
        format!("{}-{part}", self.name)
    }

    /// The space of the clients near it.
    pub(crate) fn near(self) -> String {
        format!("near-{}", self.name)
    }
}

/// The port of service number `service` on balancers and nodes.
pub(crate) fn service_port(service: usize) -> u16 {
    FIRST_PORT + u16::try_from(service).expect("few services")
}

/// Which link carries `vip`, as `north/telecom`.
pub(crate) fn link_of(vip: Ipv4Addr) -> String {
    for datacenter in DATACENTERS {
        for (link, carrier) in CARRIERS.iter().enumerate() {
            let first = u32::from(datacenter.on_link(link, 0));
            if (first..first + 64).contains(&u32::from(vip)) {
                return format!("{}/{carrier}", datacenter.name);
            }
        }
    }
    vip.to_string()
}

/// Draws a world of `datacenters` with VIPs for `services` services.
pub(crate) fn plan(datacenters: &[Datacenter], services: usize) -> Plan {
    let mut plan = Plan::default();
    plan.space("net", None);
    let legs = |hosts: [u8; 2], net: &str| {
        [("telecom", hosts[0]), ("unicom", hosts[1])]
            .map(|(leg, host)| (leg, format!("{net}.{host}"), "default"))
    };
    outpost(&mut plan, "vantage", &legs([11, 22], "198.18.5"));
    let [telecom, unicom] = legs([11, 22], "198.18.0");
    outpost(&mut plan, "server", &[telecom, unicom, ("dns", SERVER.to_string(), "198.18.0.0/16")]);
    outsider(&mut plan, "resolver", RESOLVER);
    for datacenter in datacenters {
        outsider(&mut plan, &datacenter.near(), datacenter.client());
        inside(&mut plan, *datacenter);
        egress(&mut plan, *datacenter, services);
        monitor(&mut plan, *datacenter);
    }
    for (index, &a) in datacenters.iter().enumerate() {
        for &b in &datacenters[index + 1..] {
            interconnect(&mut plan, a, b);
            interconnect_routes(&mut plan, a, b);
            interconnect_routes(&mut plan, b, a);
        }
    }
    plan
}

/// A host that probes from the Internet: its legs, their addresses, and where
/// each leads.
fn outpost(plan: &mut Plan, name: &str, legs: &[(&str, String, &str)]) {
    plan.space(name, None);
    for (metric, (leg, address, prefix)) in legs.iter().enumerate() {
        let there = format!("{name}-{leg}");
        plan.cable((name, leg), ("net", &there));
        plan.address((name, leg), address);
        plan.route((name, leg), prefix, &format!("src {address} metric {}", metric + 1));
        plan.route(("net", &there), address, "");
    }
}

/// A host on the Internet.
fn outsider(plan: &mut Plan, name: &str, address: Ipv4Addr) {
    let address = address.to_string();
    plan.space(name, Some(&address));
    plan.join(name, "net");
    plan.route((name, "net"), "default", "");
    plan.route(("net", name), &address, "");
}

/// Core, balancers, fabric, nodes and border of a datacenter.
fn inside(plan: &mut Plan, datacenter: Datacenter) {
    let (core, fabric, border) = (datacenter.name, datacenter.space("fab"), datacenter.space("x"));
    let number = datacenter.number;
    let (balancers, nodes, borders) =
        (format!("10.{number}.0.0/24"), format!("10.{number}.1.0/24"), "10.0.0.0/8");
    plan.space(core, Some(&format!("10.{number}.0.1")));
    plan.space(&fabric, Some(&datacenter.fabric().to_string()));
    plan.space(&border, Some(&datacenter.border().to_string()));
    for (a, b) in [(core, &fabric), (core, &border), (fabric.as_str(), &border)] {
        plan.join(a, b);
    }
    plan.route((core, &fabric), &nodes, "");
    plan.route((core, &border), borders, "");
    plan.route((&fabric, core), &balancers, "");
    plan.route((&fabric, &border), borders, "");
    plan.route((&border, core), &balancers, "");
    plan.route((&border, &fabric), &nodes, "");
    // A cut intranet is cut: nothing of one datacenter goes around over its border.
    plan.refuse(core, &nodes);
    plan.refuse(&fabric, &balancers);
    for (index, name) in BALANCERS.iter().enumerate() {
        host(plan, (core, &datacenter.space(name)), datacenter.balancer(index));
    }
    for (index, name) in NODES.iter().enumerate() {
        host(plan, (&fabric, &datacenter.space(name)), datacenter.node(index));
    }
    let management = datacenter.management().to_string();
    let leg = format!("mgmt-{core}");
    plan.cable(("server", &leg), (core, "server"));
    plan.address(("server", &leg), &management);
    plan.route((core, "server"), &management, "");
    for prefix in [&balancers, &nodes, "10.0.0.0/8"] {
        plan.route(("server", &leg), prefix, &format!("src {management} metric {number}"));
    }
}

/// A host behind a router, reached by nothing else.
fn host(plan: &mut Plan, (router, name): (&str, &str), address: Ipv4Addr) {
    let address = address.to_string();
    plan.space(name, Some(&address));
    plan.join(router, name);
    plan.route((router, name), &address, "");
    plan.route((name, router), "default", "");
}

/// The links of a datacenter and the VIPs on them.
fn egress(plan: &mut Plan, datacenter: Datacenter, services: usize) {
    for (link, carrier) in CARRIERS.iter().enumerate() {
        let router = datacenter.space(carrier);
        plan.space(&router, Some(&datacenter.link_end(link).to_string()));
        plan.join(&router, "net");
        plan.join(&router, datacenter.name);
        for service in 0..services {
            plan.address((&router, "lo"), &datacenter.vip(link, service).to_string());
        }
        plan.route(("net", &router), &format!("{}/26", datacenter.on_link(link, 0)), "");
        plan.route((&router, "net"), "default", "");
        plan.route((&router, datacenter.name), &format!("10.{}.0.0/16", datacenter.number), "");
        plan.route((datacenter.name, &router), &format!("{}/26", datacenter.on_link(link, 0)), "");
    }
}

/// Where a prober inside a datacenter lives: among the balancers, with a leg
/// in each link's public network.
fn monitor(plan: &mut Plan, datacenter: Datacenter) {
    let space = datacenter.space("mon");
    let inner = datacenter.private(0, 5).to_string();
    plan.space(&space, None);
    plan.cable((&space, "core"), (datacenter.name, &space));
    plan.address((&space, "core"), &inner);
    plan.route((datacenter.name, &space), &inner, "");
    plan.route((&space, "core"), "10.0.0.0/8", &format!("src {inner}"));
    for (link, carrier) in CARRIERS.iter().enumerate() {
        let (router, address) = (datacenter.space(carrier), datacenter.monitor(link).to_string());
        plan.cable((&space, carrier), (&router, "mon"));
        plan.address((&space, carrier), &address);
        plan.route((&router, "mon"), &address, "");
        plan.route((&space, carrier), "default", &format!("src {address} metric {}", link + 1));
        // Votes go to both of the server's legs, each over its own link.
        plan.route((&space, carrier), &HEARING[link].to_string(), &format!("src {address}"));
    }
}

/// The private line itself.
fn interconnect(plan: &mut Plan, a: Datacenter, b: Datacenter) {
    plan.join(&a.space("x"), &b.space("x"));
}

/// The way from `a` into `b`.
fn interconnect_routes(plan: &mut Plan, a: Datacenter, b: Datacenter) {
    let (border, far) = (a.space("x"), a.far_end(b).to_string());
    plan.address((&border, "lo"), &far);
    plan.pass_on((&border, &b.space("x")), a.name, (&far, 100 + usize::from(b.number)));
    plan.route((&a.space("x"), &b.space("x")), &format!("10.{}.0.0/16", b.number), "");
}
