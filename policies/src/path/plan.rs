//! In which order balancers should try the nodes of a service.
//!
//! DNS ends at a datacenter; which node answers is a balancer's choice. This is
//! the order in which the same state would have it choose, shown today and
//! pushed to balancers by later work:
//!
//! 1. nodes of datacenters whose balancers are all down: their traffic now
//!    enters elsewhere, and still belongs to them;
//! 2. nodes of the balancer's own datacenter;
//! 3. those of others, in the order in which interconnects are declared;
//! 4. nodes of datacenters whose links are all down, for their way out leads
//!    through those links.
//!
//! Within a datacenter a higher `priority:` comes first. Nodes that cannot be
//! reached, or that cannot reach the data, are listed last, with what stands
//! in their way.

use std::fmt;

use rhumb_zones::{Balancer, DatacenterId, Node, ServiceId};
use serde_json::{Value as Json, json};

use super::{Obstacle, Path};
use crate::explain::Words;
use crate::state::State;
use crate::world::World;

/// The order for one balancer, or for a datacenter that declares none.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BalancerPlan {
    /// The balancer as a target, else its datacenter.
    pub balancer: String,
    /// Whether it counts as up.
    pub is_up: bool,
    /// All nodes of the service, best first.
    pub nodes: Vec<PlannedNode>,
}

/// A node in its place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PlannedNode {
    /// Its name as a target.
    pub node: String,
    /// Its datacenter's name.
    pub datacenter: String,
    /// Whether it can be used.
    pub is_live: bool,
    /// Why it stands where it does, where that needs saying.
    pub reasons: Vec<String>,
}

/// The order of nodes for every balancer in the datacenters where `service`
/// has VIPs.
#[must_use]
pub fn node_plan(world: &World, state: &State, service: ServiceId) -> Vec<BalancerPlan> {
    let model = world.model();
    let path = state.path(world, service);
    let mut datacenters: Vec<_> = path.service.vips.iter().map(|&vip| model.vip(vip).datacenter).collect();
    datacenters.sort_unstable();
    datacenters.dedup();
    let planner = Planner { path, words: Words { world, state } };
    let mut plans = Vec::new();
    for id in datacenters {
        let nodes = planner.nodes(id);
        let datacenter = model.datacenter(id);
        let balancers = datacenter.balancers.iter().map(|&one| model.balancer(one).target);
        let targets =
            if datacenter.balancers.is_empty() { vec![datacenter.target] } else { balancers.collect() };
        plans.extend(targets.into_iter().map(|target| BalancerPlan {
            balancer: model.target(target).name.to_string(),
            is_up: state.statuses.is_up(target),
            nodes: nodes.clone(),
        }));
    }
    plans
}

impl BalancerPlan {
    /// The same for programs.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let node = |PlannedNode { node, datacenter, is_live, reasons }: &PlannedNode| json!({ "node": node, "datacenter": datacenter, "live": is_live, "reasons": reasons });
        let nodes: Vec<_> = self.nodes.iter().map(node).collect();
        json!({ "balancer": self.balancer, "up": self.is_up, "nodes": nodes })
    }
}

impl fmt::Display for BalancerPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.balancer, if self.is_up { "" } else { " (down)" })?;
        for (index, PlannedNode { node, is_live, reasons, .. }) in self.nodes.iter().enumerate() {
            let place = if *is_live { format!("{}.", index + 1) } else { "-".to_owned() };
            let reasons =
                if reasons.is_empty() { String::new() } else { format!(": {}", reasons.join(", ")) };
            write!(f, "\n  {place:<3} {node}{reasons}")?;
        }
        Ok(())
    }
}

struct Planner<'a> {
    path: Path<'a>,
    words: Words<'a>,
}

/// A group of nodes, best first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Group {
    Displaced,
    Own,
    Joined(usize),
    Demoted,
    Dead,
}

impl Planner<'_> {
    /// The nodes in the order of balancers in `from`.
    fn nodes(&self, from: DatacenterId) -> Vec<PlannedNode> {
        let model = self.path.world.model();
        let nodes = self.path.service.nodes.iter().map(|&node| model.node(node));
        let mut nodes: Vec<_> = nodes.map(|node| (self.group(from, node), node)).collect();
        nodes.sort_by_key(|(group, node)| (*group, -i64::from(node.priority)));
        let planned = |(group, node): (Group, &Node)| PlannedNode {
            node: model.target(node.target).name.to_string(),
            datacenter: model.datacenter(node.datacenter).name.to_string(),
            is_live: group != Group::Dead,
            reasons: self.reasons(from, group, node),
        };
        nodes.into_iter().map(planned).collect()
    }

    fn group(&self, from: DatacenterId, node: &Node) -> Group {
        let there = node.datacenter;
        if !self.obstacles(from, node).is_empty() || !node.enabled {
            return Group::Dead;
        }
        let model = self.path.world.model();
        let links = &model.datacenter(there).links;
        let balancers = &model.datacenter(there).balancers;
        let is_up = |target| self.path.statuses.is_none_or(|statuses| statuses.is_up(target));
        let is_down = |one: &Balancer| !is_up(one.target);
        if !links.is_empty() && links.iter().all(|&link| !is_up(model.link(link).target)) {
            Group::Demoted
        } else if there == from {
            Group::Own
        } else if !balancers.is_empty() && balancers.iter().all(|&one| is_down(model.balancer(one))) {
            Group::Displaced
        } else {
            let line = model.interconnect_between(from, there);
            Group::Joined(line.map_or(usize::MAX, |line| line.index()))
        }
    }

    /// What stands between balancers in `from` and a node.
    fn obstacles(&self, from: DatacenterId, node: &Node) -> Vec<Obstacle> {
        let mut all = Vec::new();
        let mut note = |obstacle| all.push(obstacle);
        self.path.carries(from, node.datacenter, &mut note);
        self.path.is_up(node.target, &mut note);
        self.path.has_data(node.datacenter, &mut note);
        all.sort_unstable();
        all.dedup();
        all
    }

    fn reasons(&self, from: DatacenterId, group: Group, node: &Node) -> Vec<String> {
        let model = self.path.world.model();
        let there = &model.datacenter(node.datacenter).name;
        let mut reasons = match group {
            Group::Dead => {
                let disabled = (!node.enabled).then(|| "it is disabled".to_owned());
                let obstacles = self.obstacles(from, node);
                let mut reasons: Vec<_> =
                    obstacles.iter().map(|&obstacle| self.words.obstacle(obstacle)).collect();
                reasons.dedup(); // one force may break several hops
                return disabled.into_iter().chain(reasons).collect();
            }
            Group::Displaced => vec![format!("all balancers of {there} are down")],
            Group::Demoted => vec![format!("demoted, all links of {there} are down")],
            Group::Own | Group::Joined(_) => Vec::new(),
        };
        let line = self.path.world.interconnect(from, node.datacenter);
        reasons.extend(line.map(|line| format!("over {}", model.target(line).name)));
        reasons
    }
}
