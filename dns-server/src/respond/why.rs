//! `dig TXT _why.NAME`: the decision for the asking client, in sentences.
//!
//! The same words as `rhumb explain`, one record each, numbered because a
//! resolver may shuffle them. Only sources listed in `why-from` (loopback by
//! default) are told: the sentences show what runs where. To all others
//! `_why` is a name like any other.
//!
//! This is the one answer that allocates.

use std::net::IpAddr;

use rhumb_policies::{Explanation, Question, explain};
use rhumb_zones::{Prefix, Rtype, ServiceId};

use super::chain::Chain;
use super::client::Client;
use super::reply::Reply;
use super::steered::locate;
use crate::compose::{Owner, Row, Section};
use crate::snapshot::Snapshot;
use crate::snapshot::names::{Found, Names};

const LABEL: &[u8] = b"\x04_why";

/// Octets of one character-string (RFC 1035 §3.3).
const STRING: usize = 255;

/// Answers if the current name is `_why` under a service and the source may
/// ask; says whether it did.
pub(super) fn answer(chain: &Chain<'_, '_>, reply: &mut Reply<'_>) -> bool {
    let snapshot = chain.snapshot;
    let Some(name) = chain.name().strip_prefix(LABEL) else { return false };
    let allowed = snapshot.options().why_from.iter().any(|prefix| prefix.contains(chain.client.source));
    let Some(service) = service_at(snapshot.names(), name).filter(|_| allowed) else { return false };
    let told = tell(snapshot, service, &chain.client);
    reply.authoritative = true;
    reply.scope = told.scope.map_or(0, Prefix::length);
    for (index, sentence) in told.sentences().enumerate() {
        let rdata = strings(&format!("{:02} {sentence}", index + 1));
        let row = Row { owner: Owner::Question, rtype: Rtype::TXT, ttl: 0, rdata: &rdata };
        reply.require(Section::Answer, [row]);
    }
    true
}

/// Why `service` answers `client` as it does.
pub(super) fn tell(snapshot: &Snapshot, service: ServiceId, client: &Client<'_>) -> Explanation {
    let parts = snapshot.parts();
    let (chosen, scope) = locate(client, (parts.atlas.shape(service), &parts.state));
    let address = client.subnet.map_or(client.source, |(network, _)| network);
    let question = Question {
        service,
        place: parts.places.place(parts.places.look_up(address).place),
        class: Some(chosen.class),
        address: Some(address),
        scope: scope_of(address, scope, client.subnet.is_some()),
        hash: chosen.hash,
        draw: chosen.draw,
    };
    explain(&parts.world, &parts.atlas, &parts.state, &question)
}

/// The service that answers for `name`, itself or as a wildcard.
pub(super) fn service_at(names: &Names, name: &[u8]) -> Option<ServiceId> {
    let node = match names.find_folded(name) {
        Found::Exact(node) => node,
        Found::Encloser { node, .. } => names.wildcard_under(node)?,
        Found::Nowhere => return None,
    };
    names.node(node).service
}

fn scope_of(address: IpAddr, length: u8, told: bool) -> Option<Prefix> {
    Prefix::containing(address, length).ok().filter(|_| told)
}

/// `text` as character-strings.
fn strings(text: &str) -> Vec<u8> {
    let mut rdata = Vec::with_capacity(text.len() + 8);
    for part in text.as_bytes().chunks(STRING) {
        rdata.push(u8::try_from(part.len()).unwrap_or(u8::MAX));
        rdata.extend_from_slice(part);
    }
    rdata
}
