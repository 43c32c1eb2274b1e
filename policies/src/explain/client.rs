//! Where the client is, and what follows for the order of datacenters and
//! links, in words.
//!
//! Who says so matters as much as what is said: a wrong place is mended in
//! `clients:` or in a database, and an operator must see in which. Reasons of
//! the order come from the methods and selectors themselves, so that a new
//! plugin explains itself.

use std::net::IpAddr;

use rhumb_zones::ClientGroup;

use super::{Teller, list};
use crate::layout::Ties;
use crate::lottery::Seed;
use crate::mask::Slot;
use crate::shape::Class;
use crate::steer::Member;

impl Teller<'_> {
    pub(super) fn client(&self, address: Option<IpAddr>) -> Vec<String> {
        let who = address.map_or_else(|| "The client".to_owned(), |address| format!("The client {address}"));
        let said_by = |group: &ClientGroup| format!(", says clients: {}", group.name);
        let place = self.view.place;
        let at = self.view.at().map(|at| format!("at {:.2}, {:.2}", at.latitude, at.longitude));
        let by_group = self.view.groups().find(|group| group.at.is_some());
        let parts = place.subdivisions.iter().rev().flatten().map(ToString::to_string);
        let city = place.city.map(str::to_owned).into_iter().chain(parts);
        let region: Vec<_> = city.chain(place.country.map(|country| country.to_string())).collect();
        let region = (by_group.is_none() && !region.is_empty()).then(|| format!("in {}", region.join(", ")));
        let by =
            by_group.map(said_by).or_else(|| Some(format!(", says {}", place.source?))).unwrap_or_default();
        let wheres: Vec<_> = region.into_iter().chain(at).collect();
        let mut said = vec![match wheres.is_empty() {
            true => format!("{who} is nobody knows where."),
            false => format!("{who} is {}{by}.", wheres.join(", ")),
        }];
        said.extend(place.asn.map(|asn| format!("It is in AS{asn}.")));
        let carriers = self.view.carriers().iter().map(|&carrier| self.world.model().carrier(carrier));
        let carriers = list(carriers.map(|carrier| carrier.name.to_string()));
        let by = self.view.groups().find(|group| !group.carriers.is_empty()).map(said_by).unwrap_or_default();
        if carriers != "nothing" {
            said.push(format!("It is a customer of {carriers}{by}."));
        }
        said
    }

    pub(super) fn order(&self, class: &Class<'_>) -> Vec<String> {
        let layout = self.shape.layout();
        let mut members: Vec<(u8, &Member)> = (0..=u8::MAX).zip(layout.members()).collect();
        members.sort_by_key(|&(index, _)| class.rank(index));
        let group = |members: &[(u8, &Member)]| {
            let tied = if members.len() > 1 { " tied" } else { "" };
            format!("{}{tied}", list(members.iter().map(|(_, member)| self.member(member))))
        };
        let groups: Vec<_> = members.chunk_by(|a, b| class.rank(a.0) == class.rank(b.0)).map(group).collect();
        let mut said = vec![format!("Datacenters are ordered {}.", groups.join(", then "))];
        said.extend(self.ties().map(str::to_owned));
        for (index, member) in members {
            said.extend(self.links(index, member, class));
        }
        said.extend(self.choices(class));
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
        Some(match self.shape.ties? {
            Ties::Rotated => "All VIPs of the first of these that has one are answered, rotated.",
            Ties::Vips(Seed::Draw) => "Ties are broken by a draw among their VIPs, by weight.",
            Ties::Vips(Seed::Client) => "Ties are broken by a hash of the client and each VIP, by weight.",
            Ties::Datacenters(Seed::Draw) => "Ties are broken by a draw among datacenters, by weight.",
            Ties::Datacenters(Seed::Client) => {
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
        let links: Vec<_> = slots.iter().map(link).collect();
        (links.len() > 1).then(|| format!("Links of {datacenter} are ordered {}.", links.join(", then ")))
    }
}
