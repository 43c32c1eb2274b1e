//! What every target is, and whom it matters to.
//!
//! A target of its own (a VIP, a node, a service) matters to one service; a
//! piece of the topology to all whose paths lead through it. When something
//! changes, [`affected`] says which services must be decided anew; it may name
//! too many, never too few. An index from targets to services was refused:
//! asking ten thousand services whether they have VIPs in a datacenter takes
//! less than deciding a hundred of them.

use rhumb_zones::{Data, DatacenterId, LinkId, Model, NodeId, Service, ServiceId, TargetId, VipId};

use crate::world::World;

/// A target, by what it is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Part {
    Datacenter(DatacenterId),
    Intranet(DatacenterId),
    Balancer(DatacenterId),
    Link(LinkId),
    Interconnect,
    Service(ServiceId),
    Node(NodeId),
    Vip(VipId),
}

/// What every target is, by target.
pub(crate) fn parts(model: &Model) -> Vec<Part> {
    let datacenters = (0..).map(DatacenterId::new).zip(model.datacenters());
    let links = (0..).map(LinkId::new).zip(model.links());
    let services = (0..).map(ServiceId::new).zip(model.services());
    let nodes = (0..).map(NodeId::new).zip(model.nodes());
    let vips = (0..).map(VipId::new).zip(model.vips());
    let mut parts = vec![Part::Interconnect; model.targets().len()];
    let mut set = |target: TargetId, part| parts[target.index()] = part;
    for (id, one) in datacenters {
        set(one.target, Part::Datacenter(id));
        set(one.intranet, Part::Intranet(id));
    }
    model.balancers().iter().for_each(|one| set(one.target, Part::Balancer(one.datacenter)));
    links.for_each(|(id, one)| set(one.target, Part::Link(id)));
    services.for_each(|(id, one)| set(one.target, Part::Service(id)));
    nodes.for_each(|(id, one)| set(one.target, Part::Node(id)));
    vips.for_each(|(id, one)| set(one.target, Part::Vip(id)));
    parts
}

/// The pieces of the topology that changed.
struct Topology<'a> {
    model: &'a Model,
    /// By datacenter: itself, its intranet or a balancer.
    datacenters: Vec<bool>,
    links: Vec<bool>,
    has_interconnect: bool,
}

/// The services on whose paths one of the `changed` targets may stand.
pub(crate) fn affected(world: &World, changed: &[TargetId]) -> Vec<ServiceId> {
    let model = world.model();
    let mut topology = Topology {
        model,
        datacenters: vec![false; model.datacenters().len()],
        links: vec![false; model.links().len()],
        has_interconnect: false,
    };
    let mut is_shared = false;
    let mut services = Vec::new();
    for &target in changed {
        let part = world.part(target);
        match part {
            Part::Service(id) => services.push(id),
            Part::Node(id) => services.push(model.node(id).service),
            Part::Vip(id) => services.push(model.vip(id).service),
            Part::Datacenter(id) | Part::Intranet(id) | Part::Balancer(id) => {
                topology.datacenters[id.index()] = true;
            }
            Part::Link(id) => topology.links[id.index()] = true,
            Part::Interconnect => topology.has_interconnect = true,
        }
        is_shared |= !matches!(part, Part::Service(_) | Part::Node(_) | Part::Vip(_));
    }
    if is_shared {
        let all = model.services().iter().enumerate();
        let crossed = all.filter(|(_, service)| topology.is_crossed_by(service));
        services.extend(crossed.map(|(index, _)| ServiceId::new(index)));
    }
    services
}

impl Topology<'_> {
    fn is_crossed_by(&self, service: &Service) -> bool {
        let Self { model, datacenters, links, has_interconnect } = self;
        let is_joined = !service.nodes.is_empty() || service.data == Data::Primary;
        let mut vips = service.vips.iter().map(|&vip| model.vip(vip));
        let mut nodes = service.nodes.iter().map(|&node| model.node(node));
        *has_interconnect && is_joined
            || vips.any(|vip| {
                datacenters[vip.datacenter.index()] || vip.link.is_some_and(|link| links[link.index()])
            })
            || nodes.any(|node| datacenters[node.datacenter.index()])
    }
}
