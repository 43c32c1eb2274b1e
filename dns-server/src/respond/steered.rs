//! A service's name: locate the client, choose VIPs, copy their rows.
//!
//! A, AAAA, HTTPS and SRV all come from the same choice of VIPs, so a client
//! is sent to one datacenter whatever it asks. A type that the chosen VIPs
//! lack is NODATA even where another datacenter's have it; its scope then
//! says whom that is true for. Types no VIP has are left to the static data
//! of the name.

use std::net::IpAddr;

use rhumb_dnssec::RrSet;
use rhumb_policies::{Client, LeftOut, Outcome, Picks, Shape, Slot, State, choose, client_hash};
use rhumb_zones::{LastResort, Prefix, Rtype, ServiceId};

use super::chain::{Chain, Hit};
use super::client;
use super::opt::Why;
use super::reply::Reply;
use super::seal::Written;
use crate::compose::{Owner, Row, Section};
use crate::query::Rcode;
use crate::snapshot::Snapshot;
use crate::snapshot::rows::{Addresses, ROW_HEAD, ServiceRows, VipRows};

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
#[inline]
pub(super) fn answer<'s>(
    chain: &Chain<'_, 's>,
    (service, hit): (ServiceId, &Hit),
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
    let (client, scope) = locate(&chain.client, (shape, &parts.state));
    reply.scope = reply.scope.max(scope);
    let mut picks = Picks::default();
    let steered = Steered { chain, service, hit: *hit, rows, ttl: state.ttl, leaves_out: state.leaves_out };
    Some(match choose(shape, state, &client, &mut picks) {
        Outcome::Vips(_) => steered.vips(&picks, reply),
        Outcome::RuleAddresses(rule) => {
            rows.answer(rule).map_or(Answer::NoData, |addresses| steered.given(addresses, reply))
        }
        Outcome::FallbackAddresses => steered.given(&rows.fallback, reply),
        Outcome::FallbackName => match &parts.world.model().service(service).last_resort {
            LastResort::Name(name) => steered.alias(name.as_wire(), reply),
            _ => Answer::NoData,
        },
        Outcome::Fail => {
            reply.refuse(Rcode::ServFail, Why::InvalidData);
            reply.authoritative = false;
            Answer::Complete
        }
    })
}

/// Whether the answer to this type depends on a choice.
#[inline]
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
#[inline]
pub(super) fn locate<'s>(
    client: &client::Client<'_>,
    (shape, state): (&'s Shape, &'s State),
) -> (Client<'s>, u8) {
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
    (Client { class: state.class(shape, class), hash, draw: client.draw }, scope)
}

const fn clamp(address: IpAddr) -> u8 {
    if address.is_ipv4() { CLAMP_V4 } else { CLAMP_V6 }
}

/// The types that a service has now, for whoever asks.
pub(super) fn types(snapshot: &Snapshot, service: ServiceId, mut each: impl FnMut(Rtype)) {
    let rows = snapshot.rows(service);
    let (a, aaaa) = match snapshot.parts().state.service(service).outcome {
        Outcome::Vips(_) => (rows.any.a, rows.any.aaaa),
        Outcome::RuleAddresses(rule) => rows.answer(rule).map_or((false, false), Addresses::families),
        Outcome::FallbackAddresses => rows.fallback.families(),
        Outcome::FallbackName => return each(Rtype::CNAME),
        Outcome::Fail => (false, false),
    };
    let vips = matches!(snapshot.parts().state.service(service).outcome, Outcome::Vips(_));
    let others = [(rows.any.https, Rtype::HTTPS), (rows.any.srv, Rtype::SRV), (rows.any.alias, Rtype::CNAME)];
    let others = others.into_iter().filter(|_| vips);
    let all = [(a, Rtype::A), (aaaa, Rtype::AAAA)].into_iter().chain(others);
    all.filter(|(has, _)| *has).for_each(|(_, rtype)| each(rtype));
}

/// What is needed to write any of a service's rows.
struct Steered<'a, 'q, 's> {
    chain: &'a Chain<'q, 's>,
    service: ServiceId,
    hit: Hit,
    rows: &'s ServiceRows,
    ttl: u32,
    /// Whether addresses of some VIP are left out.
    leaves_out: bool,
}

/// No address left out.
const NOTHING: LeftOut = LeftOut { v4: 0, v6: 0 };

impl<'s> Steered<'_, '_, 's> {
    #[inline]
    fn vips(&self, picks: &Picks, reply: &mut Reply<'_>) -> Answer<'s> {
        let picked = || picks.slots().iter().map(|&slot| (slot, &self.rows.vips[slot.index()]));
        if let Some(alias) = picked().next().and_then(|(_, vip)| vip.alias.as_ref()) {
            return self.alias(alias.as_wire(), reply);
        }
        match self.chain.qtype {
            Rtype::HTTPS => self.data(picked().filter_map(|(slot, vip)| self.https(slot, vip)), reply),
            Rtype::SRV => self.servers(picked().map(|(_, vip)| vip), reply),
            _ => {
                let mut answer = Answer::NoData;
                for (slot, vip) in picked() {
                    if let Answer::Complete = self.addresses(&vip.addresses, self.left_out(slot), reply) {
                        answer = Answer::Complete;
                    }
                }
                let all = picked().flat_map(|(slot, vip)| self.kept(&vip.addresses, self.left_out(slot)));
                self.seal(all, reply);
                answer
            }
        }
    }

    /// What is left out of the VIP of `slot`.
    fn left_out(&self, slot: Slot) -> LeftOut {
        if !self.leaves_out {
            return NOTHING;
        }
        let parts = self.chain.snapshot.parts();
        parts.state.left_out(parts.world.model().service(self.service).vips[slot.index()])
    }

    /// HTTPS data, whose hints must not name what is left out.
    fn https(&self, slot: Slot, vip: &'s VipRows) -> Option<&'s [u8]> {
        let https = if self.left_out(slot) == NOTHING { &vip.https } else { &vip.https_bare };
        https.as_deref()
    }

    /// Addresses that stand for all VIPs.
    fn given(&self, addresses: &'s Addresses, reply: &mut Reply<'_>) -> Answer<'s> {
        let answer = self.addresses(addresses, NOTHING, reply);
        self.seal(self.kept(addresses, NOTHING), reply);
        answer
    }

    /// Copies the rows of one VIP, but what is left out.
    #[inline]
    fn addresses(&self, addresses: &'s Addresses, left_out: LeftOut, reply: &mut Reply<'_>) -> Answer<'s> {
        let (bytes, stride, skip) = addresses.rows(self.chain.qtype, left_out);
        if bytes.is_empty() {
            return Answer::NoData;
        }
        if skip == 0 && matches!(self.chain.owner(), Owner::Question) {
            reply.copy(bytes, stride, self.ttl);
            return Answer::Complete;
        }
        self.write(self.kept(addresses, left_out), reply)
    }

    /// The addresses of the asked type that are not left out, as rdata.
    fn kept(
        &self,
        addresses: &'s Addresses,
        left_out: LeftOut,
    ) -> impl Iterator<Item = &'s [u8]> + Clone + use<'s> {
        let (bytes, stride, skip) = addresses.rows(self.chain.qtype, left_out);
        let rows = bytes.chunks_exact(stride).enumerate();
        let rows = rows.filter(move |&(index, _)| index >= 64 || skip >> index & 1 == 0);
        rows.map(|(_, row)| row.split_at(ROW_HEAD).1)
    }

    fn servers(&self, vips: impl Iterator<Item = &'s VipRows> + Clone, reply: &mut Reply<'_>) -> Answer<'s> {
        let targets = vips.filter_map(|vip| vip.srv.as_deref());
        let answer = self.data(targets.clone(), reply);
        self.chain.write_links(reply);
        for rdata in targets {
            self.chain.host_of(self.service, rdata.split_at(6).1, reply);
        }
        answer
    }

    fn data<'r>(&self, rdata: impl Iterator<Item = &'r [u8]> + Clone, reply: &mut Reply<'_>) -> Answer<'s> {
        let answer = self.write(rdata.clone(), reply);
        self.seal(rdata, reply);
        answer
    }

    fn write<'r>(&self, rdata: impl Iterator<Item = &'r [u8]>, reply: &mut Reply<'_>) -> Answer<'s> {
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
        self.seal_as(Rtype::CNAME, std::iter::once(target), reply);
        if self.chain.qtype == Rtype::CNAME { Answer::Complete } else { Answer::Alias(target) }
    }

    fn seal<'r>(&self, rdata: impl Iterator<Item = &'r [u8]> + Clone, reply: &mut Reply<'_>) {
        self.seal_as(self.chain.qtype, rdata, reply);
    }

    /// Signs what was written, if it is anything: with the policy's TTL, which
    /// no answer's is above (RFC 4034 §3.1.4).
    #[inline]
    fn seal_as<'r>(
        &self,
        rtype: Rtype,
        mut rdata: impl Iterator<Item = &'r [u8]> + Clone,
        reply: &mut Reply<'_>,
    ) {
        let Some(signing) = self.chain.signing(self.hit.zone) else { return };
        let all = rdata.clone();
        if rdata.next().is_none() {
            return;
        }
        let service = self.chain.snapshot.parts().world.model().service(self.service);
        let ttl = u32::try_from(service.ttl.as_secs()).unwrap_or(u32::MAX).max(self.ttl);
        let at = Written { section: Section::Answer, owner: self.chain.owner(), ttl: self.ttl };
        let owner = self.chain.signed_owner(&self.hit, signing);
        self.chain.seal(self.hit.zone, at, &RrSet { owner, rtype, ttl, rdata: all }, reply);
        self.chain.prove_expansion(&self.hit, reply);
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::sync::Arc;
    use std::time::Duration;

    use rhumb_health::Status;
    use rhumb_policies::{Inputs, State, advance};
    use rhumb_zones::{LoadOptions, Rtype, rdata};

    use crate::ask::{Question, ask};
    use crate::load::{Document, Loader, Sources};
    use crate::reload::Reloader;
    use crate::serial::Serials;

    const POLICY: &[u8] = b"{ zone: example.com, datacenters: { a: {} }, services: { www: { vips: {
        a: { address: [192.0.2.1, 192.0.2.2, '2001:db8::1', '2001:db8::2'], alpn: [h2] } } } } }";

    #[test]
    fn addresses_that_are_down_are_left_out() {
        let document = Document { name: "policy.yaml".into(), bytes: POLICY.into() };
        let sources = Sources { embedded: vec![document], ..Sources::default() };
        let loader = Loader::new(sources, LoadOptions::default());
        let reloader = Reloader::new(loader, Serials::default(), Arc::default()).unwrap();
        let whole = reloader.publisher().current();
        let world = &whole.parts().world;
        let vip = world.model().vips()[0].target;
        let all = "1 . alpn=h2 ipv4hint=192.0.2.1,192.0.2.2 ipv6hint=2001:db8::1,2001:db8::2";
        let rows: [(&[&str], [&str; 3], &str); 4] = [
            (&[], ["192.0.2.1 192.0.2.2", "2001:db8::1 2001:db8::2", all], "all"),
            (&["192.0.2.1"], ["192.0.2.2", "2001:db8::1 2001:db8::2", "1 . alpn=h2"], "no hint misleads"),
            (&["192.0.2.2", "2001:db8::1"], ["192.0.2.1", "2001:db8::2", "1 . alpn=h2"], "of both families"),
            (
                &["192.0.2.1", "192.0.2.2"],
                ["192.0.2.1 192.0.2.2", "2001:db8::1 2001:db8::2", all],
                "a family that is down makes the VIP unusable, and the last resort is whole",
            ),
        ];
        for (down, wants, why) in rows {
            let mut inputs = Inputs::new(world.model(), Status::Up);
            for address in down {
                inputs.set_address(vip, address.parse::<IpAddr>().unwrap(), Status::Down);
            }
            let state = advance(world, &State::default(), &inputs, Duration::ZERO);
            let snapshot = whole.with_state(Arc::new(state));
            for (rtype, want) in [Rtype::A, Rtype::AAAA, Rtype::HTTPS].into_iter().zip(wants) {
                let question = Question::new(world.model(), "www", (rtype, None)).unwrap();
                let answers = ask(&snapshot, &question).reply.answers;
                let texts: Vec<_> =
                    answers.iter().map(|record| rdata::display(record.rtype, &record.rdata)).collect();
                assert_eq!(texts.join(" ").replace('"', ""), want, "{rtype} without {down:?}: {why}");
            }
        }
    }
}
