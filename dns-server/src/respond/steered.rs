//! A service's name: locate the client, choose VIPs, copy their rows.
//!
//! A, AAAA, HTTPS and SRV all come from the same choice of VIPs, so a client
//! is sent to one datacenter whatever it asks. A type that the chosen VIPs
//! lack is NODATA even where another datacenter's have it; its scope then
//! says whom that is true for. Types no VIP has are left to the static data
//! of the name.

use std::net::IpAddr;

use rhumb_policies::{Client, Outcome, Picks, Shape, choose, client_hash};
use rhumb_zones::{LastResort, Prefix, Rtype, ServiceId};

use super::chain::Chain;
use super::client;
use super::reply::Reply;
use crate::compose::{Owner, Row, Section};
use crate::query::Rcode;
use crate::snapshot::rows::{A_ROW, AAAA_ROW, Addresses, ServiceRows, VipRows};

/// Octets of a row before its rdata.
const ROW_HEAD: usize = 12;

/// Longest prefix that a choice depends on when it hashes clients, and that
/// an answer is ever scoped to (RFC 7871 §11.1), per family.
const CLAMP_V4: u8 = 24;
const CLAMP_V6: u8 = 56;

/// What a service said.
pub(super) enum Answer<'s> {
    /// Everything there is.
    Complete,
    /// An alias was written; go on with this name.
    Alias(&'s [u8]),
    /// The chosen VIPs do not have this type.
    NoData,
}

/// Answers for `service`; nothing if the type is not one that it steers.
pub(super) fn answer<'s>(
    chain: &Chain<'_, 's>,
    service: ServiceId,
    reply: &mut Reply<'_>,
) -> Option<Answer<'s>> {
    let snapshot = chain.snapshot;
    let parts = snapshot.parts();
    let rows = snapshot.rows(service);
    let state = parts.state.service(service);
    if !steers(rows, chain.qtype, state.outcome) {
        return None;
    }
    chain.counters.steer();
    let shape = parts.atlas.shape(service);
    let (client, scope) = locate(&chain.client, shape);
    reply.scope = reply.scope.max(scope);
    let mut picks = Picks::default();
    let steered = Steered { chain, rows, ttl: state.ttl };
    Some(match choose(shape, state, &client, &mut picks) {
        Outcome::Vips(_) => steered.vips(&picks, reply),
        Outcome::FallbackAddresses => steered.addresses(&rows.fallback, reply),
        Outcome::FallbackName => match &parts.world.model().service(service).last_resort {
            LastResort::Name(name) => steered.alias(name.as_wire(), reply),
            _ => Answer::NoData,
        },
        Outcome::Fail => {
            reply.rcode = Rcode::ServFail;
            reply.authoritative = false;
            Answer::Complete
        }
    })
}

/// Whether the answer to this type depends on a choice.
fn steers(rows: &ServiceRows, qtype: Rtype, outcome: Outcome) -> bool {
    let any = rows.any;
    match qtype {
        _ if any.alias => true,
        Rtype::A | Rtype::AAAA if !matches!(outcome, Outcome::Vips(_)) => true,
        Rtype::A => any.a,
        Rtype::AAAA => any.aaaa,
        Rtype::HTTPS => any.https,
        Rtype::SRV => any.srv,
        _ => false,
    }
}

/// The client's class and the scope that an answer to it has.
pub(super) fn locate<'s>(client: &client::Client<'_>, shape: &'s Shape) -> (Client<'s>, u8) {
    let (class, scope, hashed) = match client.subnet {
        Some((network, source)) => {
            let (class, mut scope) = shape.map().find(network, source);
            if shape.hashes_clients() {
                scope = scope.max(source.min(clamp(network)));
            }
            (class, scope, (network, scope))
        }
        None => (shape.map().class(client.source), 0, (client.source, clamp(client.source))),
    };
    let hash = if shape.hashes_clients() {
        Prefix::containing(hashed.0, hashed.1).map_or(0, client_hash)
    } else {
        0
    };
    (Client { class: shape.class(class), hash, draw: client.draw }, scope)
}

const fn clamp(address: IpAddr) -> u8 {
    if address.is_ipv4() { CLAMP_V4 } else { CLAMP_V6 }
}

/// What is needed to write any of a service's rows.
struct Steered<'a, 'q, 's> {
    chain: &'a Chain<'q, 's>,
    rows: &'s ServiceRows,
    ttl: u32,
}

impl<'s> Steered<'_, '_, 's> {
    fn vips(&self, picks: &Picks, reply: &mut Reply<'_>) -> Answer<'s> {
        let picked = || picks.slots().iter().map(|slot| &self.rows.vips[slot.index()]);
        if let Some(alias) = picked().next().and_then(|vip| vip.alias.as_ref()) {
            return self.alias(alias.as_wire(), reply);
        }
        match self.chain.qtype {
            Rtype::HTTPS => self.data(picked().filter_map(|vip| vip.https.as_deref()), reply),
            Rtype::SRV => self.servers(picked(), reply),
            _ => {
                let written =
                    picked().filter(|vip| matches!(self.addresses(&vip.addresses, reply), Answer::Complete));
                if written.count() > 0 { Answer::Complete } else { Answer::NoData }
            }
        }
    }

    /// Copies the rows of one VIP.
    fn addresses(&self, addresses: &Addresses, reply: &mut Reply<'_>) -> Answer<'s> {
        let (bytes, stride) = match self.chain.qtype {
            Rtype::A => (&*addresses.a, A_ROW),
            Rtype::AAAA => (&*addresses.aaaa, AAAA_ROW),
            _ => return Answer::NoData,
        };
        if bytes.is_empty() {
            return Answer::NoData;
        }
        if let Owner::Question = self.chain.owner() {
            reply.copy(bytes, stride, self.ttl);
        } else {
            self.data(bytes.chunks_exact(stride).map(|row| row.split_at(ROW_HEAD).1), reply);
        }
        Answer::Complete
    }

    fn servers(&self, vips: impl Iterator<Item = &'s VipRows> + Clone, reply: &mut Reply<'_>) -> Answer<'s> {
        let targets = vips.filter_map(|vip| vip.srv.as_deref());
        let answer = self.data(targets.clone(), reply);
        for rdata in targets {
            self.chain.addresses_of(rdata.split_at(6).1, reply);
        }
        answer
    }

    fn data<'r>(&self, rdata: impl Iterator<Item = &'r [u8]>, reply: &mut Reply<'_>) -> Answer<'s> {
        let (owner, rtype, ttl) = (self.chain.owner(), self.chain.qtype, self.ttl);
        let mut any = false;
        reply.require(
            Section::Answer,
            rdata.inspect(|_| any = true).map(|rdata| Row { owner, rtype, ttl, rdata }),
        );
        if any { Answer::Complete } else { Answer::NoData }
    }

    fn alias(&self, target: &'s [u8], reply: &mut Reply<'_>) -> Answer<'s> {
        let row = Row { owner: self.chain.owner(), rtype: Rtype::CNAME, ttl: self.ttl, rdata: target };
        reply.require(Section::Answer, [row]);
        if self.chain.qtype == Rtype::CNAME { Answer::Complete } else { Answer::Alias(target) }
    }
}
