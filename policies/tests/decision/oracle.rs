//! What must be answered, found slowly and otherwise than the product finds
//! it: paths by searching a graph whose edges are spelled out one by one,
//! precedence by walking names, tiers by sorting lists.

use std::collections::{BTreeMap, BTreeSet};

use crate::topology::Topology;

/// An operator's word.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Word {
    Up,
    Down,
    Drain,
}

/// What happened to a world.
#[derive(Clone, Default, Debug)]
pub(crate) struct Events {
    pub(crate) down: BTreeSet<String>,
    pub(crate) words: BTreeSet<(String, Word)>,
    pub(crate) promoted: Option<usize>,
    /// VIPs usable when last some were.
    pub(crate) kept: Vec<usize>,
}

/// The kind of an answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Tier(u8),
    Addresses,
    Name,
    Fail,
}

pub(crate) struct Oracle<'a> {
    pub(crate) world: &'a Topology,
    pub(crate) events: &'a Events,
}

impl Oracle<'_> {
    /// The kind of the answer, and the VIPs in the order in which they would
    /// be answered.
    pub(crate) fn decide(&self) -> (Kind, Vec<usize>) {
        let vips: Vec<_> = self.by_preference().into_iter().filter(|&vip| !self.is_excluded(vip)).collect();
        let usable: Vec<_> = vips.iter().copied().filter(|&vip| self.is_usable(vip)).collect();
        let (drained, allowed): (Vec<_>, Vec<_>) = usable.into_iter().partition(|&vip| self.is_drained(vip));
        if !allowed.is_empty() {
            return (Kind::Tier(1), allowed);
        }
        if !drained.is_empty() {
            return (Kind::Tier(2), drained);
        }
        let kept: Vec<_> = vips.iter().copied().filter(|vip| self.events.kept.contains(vip)).collect();
        match self.world.last_resort {
            "fail" => (Kind::Fail, Vec::new()),
            "keep" if !kept.is_empty() => (Kind::Tier(3), kept),
            "{ fallback: 203.0.113.1 }" => (Kind::Addresses, Vec::new()),
            "{ fallback: x.org }" => (Kind::Name, Vec::new()),
            _ if vips.is_empty() => (Kind::Fail, Vec::new()),
            _ => {
                let well = Events { promoted: self.events.promoted, ..Events::default() };
                let well = Oracle { world: self.world, events: &well };
                let mut all = vips;
                all.sort_by_key(|&vip| (!well.is_usable(vip), self.is_drained(vip)));
                (Kind::Tier(3), all)
            }
        }
    }

    fn by_preference(&self) -> Vec<usize> {
        let mut vips: Vec<_> = (0..self.world.vips.len()).collect();
        vips.sort_by_key(|&index| {
            let vip = &self.world.vips[index];
            let datacenter = self.world.preference.iter().position(|&one| one == vip.datacenter);
            (datacenter, -vip.priority, vip.link)
        });
        vips
    }

    /// Whether a walk through the graph of hops gets from the client, through
    /// this VIP, to the data.
    pub(crate) fn is_usable(&self, vip: usize) -> bool {
        let mut edges: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut edge = |from: &str, to: &str| edges.entry(from.to_owned()).or_default().push(to.to_owned());
        let Topology { datacenters, interconnects, primary, vips, nodes, .. } = self.world;
        let primary = primary.map(|declared| self.events.promoted.unwrap_or(declared));
        let entry = &vips[vip];
        let link = entry.link.map(|link| format!("link:d{}/l{link}", entry.datacenter));
        if link.is_none_or(|link| self.is_up(&link)) && self.is_up(&self.world.vip_name(vip)) {
            edge("client", &format!("gate {}", entry.datacenter));
        }
        for (index, datacenter) in datacenters.iter().enumerate() {
            let (gate, hall) = (format!("gate {index}"), format!("hall {index}"));
            if datacenter.balancers == 0 {
                edge(&gate, &hall);
            }
            for balancer in 0..datacenter.balancers {
                if self.is_up(&format!("balancer:d{index}/b{balancer}")) {
                    edge(&gate, &hall);
                }
            }
            if self.is_up(&format!("intranet:d{index}")) {
                edge(&hall, &format!("room {index}"));
            }
            if primary.is_none_or(|primary| primary == index) {
                edge(&format!("desk {index}"), "data");
            }
            if nodes.is_empty() && index == entry.datacenter {
                edge(&format!("room {index}"), &format!("desk {index}"));
            }
        }
        for (index, node) in nodes.iter().enumerate() {
            if node.enabled && self.is_up(&format!("node:www/10.0.0.{index}:80")) {
                edge(&format!("room {}", node.datacenter), &format!("desk {}", node.datacenter));
            }
        }
        for &(a, b) in interconnects {
            if self.is_up(&format!("interconnect:d{a}/d{b}")) {
                for (from, to) in [(a, b), (b, a)] {
                    if !nodes.is_empty() {
                        edge(&format!("hall {from}"), &format!("room {to}"));
                    }
                    if primary == Some(to) {
                        edge(&format!("desk {from}"), "data");
                    }
                }
            }
        }
        let (mut seen, mut open) = (BTreeSet::new(), vec!["client".to_owned()]);
        while let Some(here) = open.pop() {
            open.extend(edges.get(&here).into_iter().flatten().filter(|next| !seen.contains(*next)).cloned());
            seen.insert(here);
        }
        seen.contains("data")
    }

    pub(crate) fn is_up(&self, target: &str) -> bool {
        self.force(target).unwrap_or_else(|| !self.events.down.contains(target))
    }

    /// The nearest force on a target or its parents.
    fn force(&self, target: &str) -> Option<bool> {
        let said = |target: &String, word| self.events.words.contains(&(target.clone(), word));
        let on = |target: &String| match (said(target, Word::Down), said(target, Word::Up)) {
            (true, _) => Some(false),
            (_, true) => Some(true),
            _ => None,
        };
        self.ancestry(target).iter().find_map(on)
    }

    pub(crate) fn is_excluded(&self, vip: usize) -> bool {
        !self.world.vips[vip].enabled || self.force(&self.world.vip_name(vip)) == Some(false)
    }

    pub(crate) fn is_drained(&self, vip: usize) -> bool {
        let name = self.world.vip_name(vip);
        let drained = |target: &String| self.events.words.contains(&(target.clone(), Word::Drain));
        self.force(&name).is_none() && self.ancestry(&name).iter().any(drained)
    }

    /// Whether a word keeps it from the first tier, whatever its path.
    pub(crate) fn is_bound(&self, vip: usize) -> bool {
        self.is_excluded(vip) || self.is_drained(vip)
    }

    /// A target and its parents, nearest first, by name.
    fn ancestry(&self, target: &str) -> Vec<String> {
        let mut names = vec![target.to_owned()];
        let (kind, rest) = target.split_once(':').unwrap();
        let parts: Vec<_> = rest.split('/').collect();
        match kind {
            "link" | "balancer" | "intranet" => names.push(format!("datacenter:{}", parts[0])),
            "node" => {
                let index: usize =
                    parts[1].strip_prefix("10.0.0.").unwrap().strip_suffix(":80").unwrap().parse().unwrap();
                names.push(format!("datacenter:d{}", self.world.nodes[index].datacenter));
                names.push("service:www".to_owned());
            }
            "vip" => {
                names.extend(parts.get(2).map(|link| format!("link:{}/{link}", parts[1])));
                names.push(format!("datacenter:{}", parts[1]));
                names.push("service:www".to_owned());
            }
            _ => {}
        }
        names
    }
}
