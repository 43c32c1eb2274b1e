//! What can be broken, how, and what that means to the network.
//!
//! A scenario names a [`Part`] and a [`How`]; this page turns them into
//! interfaces taken down, packets filtered and daemons stopped. Each is kept
//! with what undoes it.

use std::collections::BTreeMap;

use crate::failure::{Done, Failure};
use crate::topology::{BALANCERS, CARRIERS, DATACENTERS};
use crate::world::World;

/// The group of interfaces that go down together; any but the default's 0.
const FALLING: u32 = 77;

/// What is broken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Part {
    /// A link: datacenter and carrier.
    Link(&'static str, &'static str),
    /// All links of a datacenter.
    Egress(&'static str),
    /// A balancer: datacenter and name.
    Balancer(&'static str, &'static str),
    /// All balancers of a datacenter.
    Balancers(&'static str),
    /// The path from a datacenter's balancers to its nodes.
    Intranet(&'static str),
    /// The line between two datacenters.
    Interconnect(&'static str, &'static str),
    /// All nodes of a datacenter.
    Nodes(&'static str),
    /// All legs of the server itself, but the one it answers on.
    Uplinks,
}

/// How it is broken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum How {
    /// An interface goes down.
    Cut,
    /// Packets vanish.
    Drop,
    /// Daemons are stopped: whoever comes is reset.
    Kill,
    /// A firewall resets connections and says that hosts are unreachable.
    Reject,
}

/// Something broken, and what mends it.
pub(crate) enum Broken {
    /// An interface that is down.
    Interface(String, String),
    /// An nftables table with a filter.
    Table(String, String),
    /// Daemons that are stopped: a space, and one service or all.
    Daemons(String, Option<&'static str>),
}

impl Part {
    /// As a target would be called, or a heap of them.
    pub(crate) fn name(self) -> String {
        match self {
            Self::Link(datacenter, carrier) => format!("link:{datacenter}/{carrier}"),
            Self::Egress(datacenter) => format!("egress {datacenter}"),
            Self::Balancer(datacenter, name) => format!("balancer:{datacenter}/{name}"),
            Self::Balancers(datacenter) => format!("balancers {datacenter}"),
            Self::Intranet(datacenter) => format!("intranet:{datacenter}"),
            Self::Interconnect(a, b) => format!("interconnect:{a}/{b}"),
            Self::Nodes(datacenter) => format!("nodes {datacenter}"),
            Self::Uplinks => "own uplinks".to_owned(),
        }
    }

    /// Targets that a probe finds down, by name.
    pub(crate) fn targets(self) -> Vec<String> {
        match self {
            Self::Egress(datacenter) => {
                CARRIERS.map(|carrier| Self::Link(datacenter, carrier).name()).to_vec()
            }
            Self::Balancers(datacenter) => {
                BALANCERS.map(|name| Self::Balancer(datacenter, name).name()).to_vec()
            }
            Self::Nodes(_) | Self::Uplinks => Vec::new(),
            Self::Link(..) | Self::Balancer(..) | Self::Intranet(_) | Self::Interconnect(..) => {
                vec![self.name()]
            }
        }
    }

    /// The spaces it lives in, and the interface there that is its way out.
    fn ends(self, world: &World) -> Vec<(String, String)> {
        let one = |space: String, interface: &str| (space, interface.to_owned());
        match self {
            Self::Link(datacenter, carrier) => vec![one(format!("{datacenter}-{carrier}"), "net")],
            Self::Balancer(datacenter, name) => vec![one(format!("{datacenter}-{name}"), datacenter)],
            Self::Egress(datacenter) => {
                CARRIERS.iter().flat_map(|carrier| Self::Link(datacenter, carrier).ends(world)).collect()
            }
            Self::Balancers(datacenter) => {
                BALANCERS.iter().flat_map(|name| Self::Balancer(datacenter, name).ends(world)).collect()
            }
            Self::Intranet(datacenter) => vec![one(datacenter.to_owned(), &format!("{datacenter}-fab"))],
            Self::Interconnect(a, b) => vec![one(format!("{a}-x"), &format!("{b}-x"))],
            Self::Nodes(datacenter) => crate::topology::NODES
                .iter()
                .map(|name| one(format!("{datacenter}-{name}"), &format!("{datacenter}-fab")))
                .collect(),
            Self::Uplinks => {
                let legs = CARRIERS.iter().map(|carrier| one("server".to_owned(), carrier));
                let seen = DATACENTERS.iter().filter(|one| world.datacenters().contains(one));
                let management = seen.map(|seen| one("server".to_owned(), &format!("mgmt-{}", seen.name)));
                legs.chain(management).collect()
            }
        }
    }
}

impl World {
    /// Breaks `part`; whatever was broken stays so.
    pub(crate) fn strike(&mut self, part: Part, how: How) -> Done {
        let mut spaces: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (space, interface) in part.ends(self) {
            spaces.entry(space).or_default().push(interface);
        }
        for (space, interfaces) in spaces {
            let rules = |rule: fn(&str) -> String| interfaces.iter().map(|one| rule(one)).collect::<String>();
            match how {
                How::Cut => self.cut(&space, interfaces)?,
                How::Drop => self.filter(&space, &rules(|one| both_ways(one, "drop")))?,
                How::Reject => self.filter(&space, &rules(rejected))?,
                How::Kill => self.kill(&space, None)?,
            }
        }
        Ok(())
    }

    /// Takes interfaces of a space down, all in one breath: a server whose
    /// uplink fails does not lose one neighbour after the other.
    fn cut(&mut self, space: &str, interfaces: Vec<String>) -> Done {
        let grouped = interfaces.iter().map(|one| format!("link set {one} group {FALLING}\n"));
        let back = interfaces.iter().map(|one| format!("link set {one} group default\n"));
        let all = [format!("link set group {FALLING} down\n")];
        self.net().ip(space, &grouped.chain(all).chain(back).collect::<String>())?;
        let broken = interfaces.into_iter().map(|one| Broken::Interface(space.to_owned(), one));
        self.broken.extend(broken);
        Ok(())
    }

    /// Applies `rules`, a line each, to all that passes through a space.
    pub(crate) fn filter(&mut self, space: &str, rules: &str) -> Done {
        let table = format!("lab{}", self.broken.len());
        let mut script = format!("add table ip {table}\n");
        for hook in ["input", "forward", "output"] {
            script += &format!("add chain ip {table} {hook} {{ type filter hook {hook} priority 0; }}\n");
            for rule in rules.lines().filter(|rule| fits(rule, hook)) {
                script += &format!("add rule ip {table} {hook} {rule}\n");
            }
        }
        self.net().nft(space, &script)?;
        self.broken.push(Broken::Table(space.to_owned(), table));
        Ok(())
    }

    /// Stops the daemons of a space, or those of one service there.
    pub(crate) fn kill(&mut self, space: &str, service: Option<&'static str>) -> Done {
        if self.stop_daemons(space, service) == 0 {
            return Failure::because(format!("no daemons in {space}"));
        }
        self.broken.push(Broken::Daemons(space.to_owned(), service));
        Ok(())
    }

    /// Mends everything that is broken, the last first.
    pub(crate) fn mend(&mut self) -> Done {
        let mut rerouted = Vec::new();
        while let Some(broken) = self.broken.pop() {
            match broken {
                Broken::Interface(space, interface) => {
                    self.net().ip(&space, &format!("link set {interface} up\n"))?;
                    rerouted.push(space);
                }
                Broken::Table(space, table) => {
                    self.net().nft(&space, &format!("delete table ip {table}\n"))?
                }
                Broken::Daemons(space, service) => self.resume_daemons(&space, service)?,
            }
        }
        // Routes need all interfaces of their space.
        rerouted.iter().try_for_each(|space| self.net().restore_routes(space))
    }
}

fn both_ways(interface: &str, verdict: &str) -> String {
    format!("iifname \"{interface}\" {verdict}\noifname \"{interface}\" {verdict}\n")
}

fn rejected(interface: &str) -> String {
    let unreachable = both_ways(interface, "reject with icmp type host-unreachable");
    format!("iifname \"{interface}\" meta l4proto tcp reject with tcp reset\n{unreachable}")
}

/// An input hook knows no outgoing interface, an output hook no incoming one.
fn fits(rule: &str, hook: &str) -> bool {
    !(hook == "input" && rule.contains("oifname") || hook == "output" && rule.contains("iifname"))
}
