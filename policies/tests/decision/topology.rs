//! Made-up worlds of one service, as plain data: policies are written from
//! them, and the oracle answers from them, so that neither reads the other.

use std::fmt::Write;

use proptest::prelude::*;

/// A world of one service, `www`.
#[derive(Clone, Debug)]
pub(crate) struct Topology {
    pub(crate) datacenters: Vec<Datacenter>,
    /// Joined pairs, lower first.
    pub(crate) interconnects: Vec<(usize, usize)>,
    /// Of interconnects, in seconds.
    pub(crate) hold: u64,
    /// Of the service, in seconds.
    pub(crate) ramp: u64,
    /// `data: primary` with this primary; else `data: anywhere`.
    pub(crate) primary: Option<usize>,
    pub(crate) vips: Vec<Vip>,
    pub(crate) nodes: Vec<Node>,
    /// Datacenters, preferred first.
    pub(crate) preference: Vec<usize>,
    /// A steering chain; by that preference if none.
    pub(crate) steer: Option<&'static str>,
    pub(crate) last_resort: &'static str,
}

#[derive(Clone, Debug)]
pub(crate) struct Datacenter {
    pub(crate) links: usize,
    pub(crate) balancers: usize,
}

#[derive(Clone, Debug)]
pub(crate) struct Vip {
    pub(crate) datacenter: usize,
    pub(crate) link: Option<usize>,
    pub(crate) priority: i32,
    pub(crate) enabled: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) datacenter: usize,
    pub(crate) enabled: bool,
}

impl Topology {
    /// Two datacenters of two links and two balancers, joined, with a node in
    /// each: the world of the truth table.
    pub(crate) fn pair(primary: Option<usize>, nearest: usize) -> Self {
        let vip =
            |index: usize| Vip { datacenter: index / 2, link: Some(index % 2), priority: 0, enabled: true };
        Self {
            datacenters: vec![Datacenter { links: 2, balancers: 2 }; 2],
            interconnects: vec![(0, 1)],
            hold: 10,
            ramp: 0,
            primary,
            vips: (0..4).map(vip).collect(),
            nodes: (0..2).map(|datacenter| Node { datacenter, enabled: true }).collect(),
            preference: vec![nearest, 1 - nearest],
            steer: Some("[nearest]"),
            last_resort: "everything",
        }
    }

    /// The policy in YAML.
    pub(crate) fn policy(&self) -> String {
        let mut yaml = String::from("zone: example.com\ndatacenters:\n");
        for (index, datacenter) in self.datacenters.iter().enumerate() {
            let links: Vec<_> = (0..datacenter.links).map(|link| format!("l{link}: {{}}")).collect();
            let balancers: Vec<_> = (0..datacenter.balancers).map(|one| format!("b{one}: {{}}")).collect();
            let (links, balancers) = (links.join(", "), balancers.join(", "));
            let (links, balancers) =
                (format!("links: {{ {links} }}"), format!("balancers: {{ {balancers} }}"));
            writeln!(yaml, "  d{index}: {{ at: [0, {index}0], {links}, {balancers} }}").unwrap();
        }
        let hold = self.hold;
        let between = |(a, b): &(usize, usize)| format!("{{ between: [d{b}, d{a}], hold: {hold}s }}");
        let interconnects: Vec<_> = self.interconnects.iter().map(between).collect();
        writeln!(yaml, "interconnects: [{}]", interconnects.join(", ")).unwrap();
        let order: Vec<_> = self.preference.iter().map(|index| format!("d{index}")).collect();
        let by_preference = format!("[priority: [{}]]", order.join(", "));
        let steer = self.steer.unwrap_or(&by_preference);
        writeln!(yaml, "services:\n  www:\n    steer: {steer}").unwrap();
        writeln!(yaml, "    last-resort: {}\n    ramp: {}s", self.last_resort, self.ramp).unwrap();
        // The oracle knows no history of links: who is answered a link stays there when all fail.
        writeln!(yaml, "    link-selection: priority").unwrap();
        if let Some(primary) = self.primary {
            writeln!(yaml, "    data: primary\n    primary: d{primary}").unwrap();
        }
        self.write_vips(&mut yaml);
        self.write_nodes(&mut yaml);
        yaml
    }

    fn write_vips(&self, yaml: &mut String) {
        writeln!(yaml, "    vips:").unwrap();
        for datacenter in 0..self.datacenters.len() {
            let own = || self.vips.iter().enumerate().filter(|(_, vip)| vip.datacenter == datacenter);
            let spec = |(index, vip): (usize, &Vip)| {
                let Vip { priority, enabled, .. } = vip;
                let spec =
                    format!("{{ address: 192.0.2.{index}, priority: {priority}, enabled: {enabled} }}");
                vip.link.map_or_else(|| spec.clone(), |link| format!("l{link}: {spec}"))
            };
            let specs: Vec<_> = own().map(spec).collect();
            match own().next() {
                Some((_, Vip { link: Some(_), .. })) => {
                    writeln!(yaml, "      d{datacenter}: {{ {} }}", specs.join(", "))
                }
                Some(_) => writeln!(yaml, "      d{datacenter}: {}", specs.join(", ")),
                None => Ok(()),
            }
            .unwrap();
        }
    }

    fn write_nodes(&self, yaml: &mut String) {
        writeln!(yaml, "    nodes:").unwrap();
        for datacenter in 0..self.datacenters.len() {
            let own = self.nodes.iter().enumerate().filter(|(_, node)| node.datacenter == datacenter);
            let spec = |(index, node): (usize, &Node)| {
                format!("{{ address: '10.0.0.{index}:80', enabled: {} }}", node.enabled)
            };
            let specs: Vec<_> = own.map(spec).collect();
            if !specs.is_empty() {
                writeln!(yaml, "      d{datacenter}: [{}]", specs.join(", ")).unwrap();
            }
        }
    }

    /// The name of a VIP as a target.
    pub(crate) fn vip_name(&self, index: usize) -> String {
        let Vip { datacenter, link, .. } = self.vips[index];
        link.map_or_else(|| format!("vip:www/d{datacenter}"), |link| format!("vip:www/d{datacenter}/l{link}"))
    }

    /// Everything that a probe can find down.
    pub(crate) fn probed(&self) -> Vec<String> {
        let mut names: Vec<_> = (0..self.vips.len()).map(|index| self.vip_name(index)).collect();
        names.extend((0..self.nodes.len()).map(|index| format!("node:www/10.0.0.{index}:80")));
        names.extend(self.interconnects.iter().map(|(a, b)| format!("interconnect:d{a}/d{b}")));
        for (index, Datacenter { links, balancers }) in self.datacenters.iter().enumerate() {
            names.push(format!("intranet:d{index}"));
            names.extend((0..*links).map(|link| format!("link:d{index}/l{link}")));
            names.extend((0..*balancers).map(|balancer| format!("balancer:d{index}/b{balancer}")));
        }
        names
    }

    /// Everything that can be forced or drained.
    pub(crate) fn targets(&self) -> Vec<String> {
        let datacenters = (0..self.datacenters.len()).map(|index| format!("datacenter:d{index}"));
        self.probed().into_iter().chain(datacenters).chain(["service:www".to_owned()]).collect()
    }
}

/// Worlds of two to six datacenters with any mix of what may be declared.
pub(crate) fn topologies() -> impl Strategy<Value = Topology> {
    (2_usize..=6).prop_flat_map(|count| {
        let pairs: Vec<_> = (0..count).flat_map(|b| (0..b).map(move |a| (a, b))).collect();
        let most = pairs.len();
        (
            prop::collection::vec((0_usize..=3, 0_usize..=2), count),
            prop::sample::subsequence(pairs, 0..=most),
            prop::option::of(0..count),
            prop::collection::vec((0..count, prop::bool::weighted(0.8)), 0..=5),
            prop::collection::vec((prop::bool::weighted(0.8), -1..=1, prop::bool::weighted(0.9)), 3 * count),
            Just((0..count).collect::<Vec<_>>()).prop_shuffle(),
            prop::sample::select(vec![
                "everything",
                "keep",
                "fail",
                "{ fallback: 203.0.113.1 }",
                "{ fallback: x.org }",
            ]),
        )
            .prop_map(|(sizes, interconnects, primary, nodes, vips, preference, last_resort)| {
                let datacenters: Vec<_> =
                    sizes.into_iter().map(|(links, balancers)| Datacenter { links, balancers }).collect();
                Topology {
                    vips: vips_of(&datacenters, &vips),
                    datacenters,
                    interconnects,
                    hold: 0,
                    ramp: 0,
                    primary,
                    nodes: nodes
                        .into_iter()
                        .map(|(datacenter, enabled)| Node { datacenter, enabled })
                        .collect(),
                    preference,
                    steer: None,
                    last_resort,
                }
            })
    })
}

/// A VIP per link, or per datacenter without links, where wished; at least one.
fn vips_of(datacenters: &[Datacenter], wishes: &[(bool, i32, bool)]) -> Vec<Vip> {
    let mut vips = Vec::new();
    for (datacenter, wishes) in wishes.chunks(3).enumerate() {
        let links = datacenters[datacenter].links;
        for (link, &(wish, priority, enabled)) in wishes.iter().take(links.max(1)).enumerate() {
            let link = (links > 0).then_some(link);
            if wish || (datacenter == 0 && vips.is_empty()) {
                vips.push(Vip { datacenter, link, priority, enabled });
            }
        }
    }
    vips
}
