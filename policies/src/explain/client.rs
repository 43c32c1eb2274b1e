//! Where the client is, and what follows for the order.

use std::net::IpAddr;

use super::{Teller, list};
use crate::layout::Spread;
use crate::lottery::Seed;
use crate::mask::Slot;
use crate::shape::Class;
use crate::steer::Member;

impl Teller<'_> {
    pub(super) fn client(&self, address: Option<IpAddr>) -> Vec<String> {
        let who = address.map_or_else(|| "The client".to_owned(), |address| format!("The client {address}"));
        let groups: Vec<_> = self.view.groups().collect();
        let mut said = Vec::new();
        if !groups.is_empty() {
            let names = list(groups.iter().map(|group| group.name.to_string()));
            said.push(format!("{who} belongs to {names} of clients."));
        }
        let by = |operators: bool| if operators { "clients" } else { "the geo databases" };
        match self.view.at() {
            Some(at) => {
                let by = by(groups.iter().any(|group| group.at.is_some()));
                said.push(format!("{who} is near {:.2}, {:.2}, as {by} say.", at.latitude, at.longitude));
            }
            None => said.push(format!("Where {} is nobody says.", who.replacen('T', "t", 1))),
        }
        let carriers = self.view.carriers();
        if !carriers.is_empty() {
            let by = by(groups.iter().any(|group| !group.carriers.is_empty()));
            let names =
                list(carriers.iter().map(|&carrier| self.world.model().carrier(carrier).name.to_string()));
            said.push(format!("{who} is a customer of {names}, as {by} say."));
        }
        said
    }

    pub(super) fn order(&self, class: &Class<'_>) -> Vec<String> {
        let layout = self.shape.layout();
        let mut members: Vec<(u8, &Member)> = (0..=u8::MAX).zip(layout.members()).collect();
        members.sort_by_key(|&(index, _)| class.rank(index));
        let mut groups = members.chunk_by(|a, b| class.rank(a.0) == class.rank(b.0));
        let group = |members: &[(u8, &Member)]| list(members.iter().map(|(_, member)| self.member(member)));
        let mut said = Vec::new();
        if let Some(first) = groups.next() {
            let rest: String = groups.map(|members| format!(", then {}", group(members))).collect();
            said.push(format!("Datacenters are ordered {}{rest}.", group(first)));
        }
        said.extend(self.ties().map(str::to_owned));
        for (index, member) in members {
            said.extend(self.links(index, member, class));
        }
        said
    }

    /// `north (1,067 km)`.
    fn member(&self, member: &Member) -> String {
        let name = &self.world.model().datacenter(member.id).name;
        let ranks = &self.shape.layout().plan().chain.ranks;
        let reasons: Vec<_> = ranks.iter().filter_map(|rank| rank.reason(&self.view, member.id)).collect();
        if reasons.is_empty() { name.to_string() } else { format!("{name} ({})", reasons.join(", ")) }
    }

    /// How ties are broken.
    fn ties(&self) -> Option<&'static str> {
        Some(match self.shape.spread? {
            Spread::Rotate => "All VIPs of the first of these that has one are answered, rotated.",
            Spread::Vips(Seed::Draw) => "Ties are broken by a draw among their VIPs, by weight.",
            Spread::Vips(Seed::Client) => "Ties are broken by a hash of the client and each VIP, by weight.",
            Spread::Datacenters(Seed::Draw) => "Ties are broken by a draw among datacenters, by weight.",
            Spread::Datacenters(Seed::Client) => {
                "Ties are broken by a hash of the client and each datacenter, by weight."
            }
        })
    }

    /// How the links of a datacenter are ordered, where it has several.
    fn links(&self, index: u8, member: &Member, class: &Class<'_>) -> Option<String> {
        let model = self.world.model();
        let in_it = |slot: &&Slot| self.shape.egress(**slot).member == index;
        let slots: Vec<_> = class.order.iter().filter(in_it).collect();
        let link = |slot: &&Slot| {
            let egress = self.shape.egress(**slot);
            let preference = self.view.preference(egress.link);
            let preferred = (preference != 1.0).then(|| format!("preferred {preference}"));
            let rank = &self.shape.layout().plan().selection.rank;
            let reasons: Vec<_> = preferred.into_iter().chain(rank.reason(&self.view, egress)).collect();
            let name = egress.link.map_or("its address", |link| &model.link(link).name);
            if reasons.is_empty() { name.to_owned() } else { format!("{name} ({})", reasons.join(", ")) }
        };
        let datacenter = &model.datacenter(member.id).name;
        (slots.len() > 1)
            .then(|| format!("Links of {datacenter} are ordered {}.", list(slots.iter().map(link))))
    }
}
