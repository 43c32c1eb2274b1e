//! The additional section: addresses of the hosts that an answer names.
//!
//! Only hosts in the zone that answers are looked up: of others a resolver
//! would not believe us. Each goes along once, however often it is named;
//! where a wildcard covers it, with the wildcard's addresses. Steered hosts
//! have none here: their addresses are chosen per client, who asks for them.
//!
//! **Invariant:** nothing here is needed to understand the answer, but for
//! glue below the zone cut that a referral names.

use rhumb_zones::{Rtype, ServiceId, ZoneId};

use super::chain::{Chain, rows};
use super::reply::Reply;
use super::seal::Written;
use crate::compose::{Owner, Section, name_length};
use crate::query::Folded;
use crate::snapshot::names::{Found, Node, NodeId, Role, RrSet};

const AFSDB: Rtype = Rtype(18);
const RT: Rtype = Rtype(21);
const KX: Rtype = Rtype(36);

/// Hosts of one answer whose addresses go along: clients of what names more
/// ask for the rest themselves.
const MAX_HOSTS: usize = 64;

impl Chain<'_, '_> {
    /// Adds the addresses of a cut's name servers. Those that lie in the child
    /// must fit, or the client cannot go on (RFC 9471 §3.1).
    pub(super) fn glue(&self, (cut, servers): (Node, RrSet), reply: &mut Reply<'_>) {
        let names = self.snapshot.names();
        for server in names.rdata(servers) {
            let needed = ends_with(server, names.name(cut));
            let Some(host) = self.host(server, cut.zone) else { continue };
            if !self.addresses_of((host, server), reply) && needed {
                reply.truncate();
            }
        }
    }

    /// Adds addresses of the names that an answer's rdata points at
    /// (RFC 1035 §3.3, RFC 1183, RFC 2230, RFC 2782), and what else a client
    /// of SVCB goes on to ask (RFC 9460 §4.1). Of names that are delegated,
    /// only name servers' have their glue here.
    pub(super) fn additional(&self, (rrset, zone): (RrSet, ZoneId), reply: &mut Reply<'_>) {
        let skip = match rrset.rtype {
            Rtype::NS => 0,
            Rtype::MX | Rtype::SVCB | Rtype::HTTPS | AFSDB | RT | KX => 2,
            Rtype::SRV => 6,
            _ => return,
        };
        let names = self.snapshot.names();
        let mut hosts = [None; MAX_HOSTS];
        let mut next = 0;
        for name in names.rdata(rrset).filter_map(|rdata| rdata.get(skip..)) {
            let Some(host) = self.host(name, zone).filter(|host| !hosts.contains(&Some(*host))) else {
                continue;
            };
            let Some(free) = hosts.get_mut(next) else { return };
            *free = Some(host);
            next += 1;
            let node = names.node(host);
            if rrset.rtype != Rtype::NS && matches!(node.role, Role::Cut | Role::Below(_)) {
                continue;
            }
            self.addresses_of((host, name), reply);
            if let Rtype::SVCB | Rtype::HTTPS = rrset.rtype
                && let Some(more) = names.rrset(node, rrset.rtype)
                && more != rrset
            {
                reply.offer(rows(names, Owner::Name(wire(name)), more));
            }
        }
    }

    /// Adds the static addresses of a host that a service names.
    pub(super) fn host_of(&self, service: ServiceId, name: &[u8], reply: &mut Reply<'_>) {
        let zone = self.snapshot.parts().world.model().service(service).zone;
        if let Some(host) = self.host(name, zone) {
            self.addresses_of((host, name), reply);
        }
    }

    /// The node that has the data of the name `rdata` starts with, if that
    /// lies in `zone`: others are somebody else's to vouch for.
    fn host(&self, rdata: &[u8], zone: ZoneId) -> Option<NodeId> {
        let names = self.snapshot.names();
        let mut folded = Folded::new();
        let labels = folded.set(wire(rdata))?;
        if !ends_with(folded.name(), names.name(names.node(names.zone(zone).apex))) {
            return None;
        }
        match names.find(folded.name(), labels) {
            Found::Exact(id) => Some(id),
            Found::Encloser { node, .. } if names.node(node).role == Role::Plain => {
                names.wildcard_under(node)
            }
            _ => None,
        }
    }

    /// Offers the static addresses of `host`, called by the name that `name`
    /// starts with; false when there are some and they do not fit.
    fn addresses_of(&self, (host, name): (NodeId, &[u8]), reply: &mut Reply<'_>) -> bool {
        let names = self.snapshot.names();
        let node = names.node(host);
        let owner = Owner::Name(wire(name));
        let glue = matches!(node.role, Role::Below(_) | Role::Cut);
        [Rtype::A, Rtype::AAAA].into_iter().filter_map(|rtype| names.rrset(node, rtype)).all(|rrset| {
            let fitted = reply.offer(rows(names, owner, rrset));
            if fitted && !glue {
                let at = Written { section: Section::Additional, owner, ttl: rrset.ttl };
                self.seal(node.zone, at, &names.signable(names.name(node), rrset), reply);
            }
            fitted
        })
    }
}

/// The uncompressed name that `bytes` starts with.
fn wire(bytes: &[u8]) -> &[u8] {
    bytes.get(..name_length(bytes)).unwrap_or_default()
}

fn ends_with(name: &[u8], suffix: &[u8]) -> bool {
    name.len()
        .checked_sub(suffix.len())
        .and_then(|at| name.get(at..))
        .is_some_and(|end| end.eq_ignore_ascii_case(suffix))
}
