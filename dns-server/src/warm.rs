//! Signatures made before anybody asks.
//!
//! A thread of the lowest priority asks the server itself, with DO set, for
//! every RRset of its signed zones and for one type that is nowhere, which
//! brings out the name's link; and it signs what each VIP of a steered name
//! would be answered with. That fills the cache that all snapshots share, so a
//! client hardly ever waits for a key. It goes round again now and then: what
//! has come due meanwhile is renewed, spread as [`rhumb_dnssec::Signer`] says.
//!
//! Nothing depends on it. What it has not reached is signed when it is first
//! asked for, so a zone of a million names serves at once; combinations of
//! VIPs, and names that exist only in questions, are always met like that.
//! It stops at [`SHARE`] of the cache, or it would push out what clients ask.

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use rhumb_dnssec::{MAX_RRSIG, RrSet};
use rhumb_zones::{Prefix, Rtype, ServiceId};

use crate::net::clock;
use crate::publish::Publisher;
use crate::respond::{Meta, Scratch, Transport, respond};
use crate::snapshot::Snapshot;
use crate::snapshot::names::{Node, NodeId, Role};
use crate::snapshot::rows::{A_ROW, AAAA_ROW, Addresses, ROW_HEAD};
use crate::snapshot::signing::Signing;
use crate::stats::Counters;

/// How often the thread looks for new names to sign.
const LOOK: Duration = Duration::from_secs(1);

/// Looks between rounds over names it has signed already: ten minutes.
const ROUND: u32 = 600;

/// Names signed between looks at whether they are still served.
const SLICE: usize = 256;

/// Three quarters of the cache are for what is known beforehand.
const SHARE: (usize, usize) = (3, 4);

/// Unix niceness: signing ahead is what can always wait.
const NICENESS: i32 = 19;

/// Who asks, where anybody may.
const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// A type for private use that nobody has (RFC 6895 §3.1).
const NOWHERE: Rtype = Rtype(65_279);

/// Starts the thread, which ends with the process.
///
/// # Errors
/// When no thread can be started.
pub(crate) fn spawn(publisher: Publisher) -> io::Result<()> {
    let work = move || {
        // Only a favour to others; a refusal is no reason to stop.
        let _ = rustix::process::setpriority_process(None, NICENESS);
        let mut looks = 0;
        let mut signed: Option<u64> = None;
        loop {
            let snapshot = publisher.current();
            let generation = snapshot.parts().generation;
            if signed != Some(generation) || looks >= ROUND {
                drop(snapshot);
                signed = round(&publisher).then_some(generation);
                looks = 0;
            }
            looks += 1;
            std::thread::sleep(LOOK);
        }
    };
    std::thread::Builder::new().name("sign".to_owned()).spawn(work).map(drop)
}

/// Signs all that is signed; false when newer names are served meanwhile.
fn round(publisher: &Publisher) -> bool {
    let mut snapshot = publisher.current();
    let generation = snapshot.parts().generation;
    let mut warmer = Warmer::new(&snapshot);
    let mut from = 0;
    loop {
        let names = snapshot.names();
        let ids: Vec<NodeId> = names.ids_from(from).take(SLICE).collect();
        if ids.is_empty() || warmer.left == 0 {
            return true;
        }
        from += ids.len();
        ids.into_iter().for_each(|id| warmer.name(&snapshot, id));
        // Held no longer than a slice takes.
        snapshot = publisher.current();
        if snapshot.parts().generation != generation {
            return false;
        }
    }
}

/// Asks for signatures.
struct Warmer {
    scratch: Scratch,
    reply: Vec<u8>,
    /// Signatures that still have a place.
    left: usize,
}

impl Warmer {
    fn new(snapshot: &Snapshot) -> Self {
        let capacity = snapshot.parts().signatures.shared.cache.capacity();
        Self {
            scratch: Scratch::new(Arc::new(Counters::default())),
            reply: vec![0; usize::from(u16::MAX)],
            left: capacity / SHARE.1 * SHARE.0,
        }
    }

    fn name(&mut self, snapshot: &Snapshot, id: NodeId) {
        let names = snapshot.names();
        let node = names.node(id);
        let Some(signing) = names.zone(node.zone).signing.as_ref() else { return };
        let types: Vec<Rtype> = match node.role {
            Role::Below(_) => return,
            Role::Cut => vec![Rtype::DS],
            _ => names.rrsets(node).map(|rrset| rrset.rtype).chain([NOWHERE]).collect(),
        };
        let allowed = names.zone(node.zone).allow_query.as_deref();
        let source = allowed.and_then(<[Prefix]>::first).map_or(LOOPBACK, |prefix| prefix.address());
        for rtype in types {
            if self.take() {
                self.ask(snapshot, (names.name(node), rtype), source);
            }
        }
        if let Some(service) = node.service {
            self.service(snapshot, (service, node), signing);
        }
    }

    fn take(&mut self) -> bool {
        let any = self.left > 0;
        self.left = self.left.saturating_sub(1);
        any
    }

    fn ask(&mut self, snapshot: &Snapshot, (name, rtype): (&[u8], Rtype), source: IpAddr) {
        let bytes = |words: &[u16]| words.iter().flat_map(|word| word.to_be_bytes()).collect::<Vec<u8>>();
        let head = bytes(&[0, 0, 1, 0, 0, 1]);
        // An OPT record with DO (RFC 3225).
        let opt = bytes(&[Rtype::OPT.0, u16::MAX, 0, 0x8000, 0]);
        let packet = [&head, name, &bytes(&[rtype.0, 1]), &[0], &opt].concat();
        let meta = Meta { source, local: None, transport: Transport::Tcp, idle: None, now: clock(), draw: 0 };
        // What it says is nobody's business; its signatures are kept.
        let _ = respond(snapshot, &mut self.scratch, (&packet, &meta), &mut self.reply);
    }

    /// Signs what each VIP is answered with.
    fn service(&mut self, snapshot: &Snapshot, (id, node): (ServiceId, Node), signing: &Signing) {
        let owner = snapshot.names().name(node);
        let service = snapshot.parts().world.model().service(id);
        let ttl = u32::try_from(service.ttl.as_secs()).unwrap_or(u32::MAX);
        let mut sign = |rtype, rdata: &mut dyn Iterator<Item = &[u8]>| {
            let rdata: Vec<&[u8]> = rdata.collect();
            if rdata.is_empty() || !self.take() {
                return;
            }
            let set = RrSet { owner, rtype, ttl, rdata: rdata.iter().copied() };
            for signer in signing.signers(rtype) {
                // A key that cannot sign says so to the first client.
                let _ = signer.sign(&set, (clock(), false), &mut [0; MAX_RRSIG]);
            }
        };
        let rows = snapshot.rows(id);
        let fallback = std::iter::once(&rows.fallback);
        for Addresses { a, aaaa } in rows.vips.iter().map(|vip| &vip.addresses).chain(fallback) {
            sign(Rtype::A, &mut a.chunks_exact(A_ROW).map(|row| row.split_at(ROW_HEAD).1));
            sign(Rtype::AAAA, &mut aaaa.chunks_exact(AAAA_ROW).map(|row| row.split_at(ROW_HEAD).1));
        }
        for vip in &rows.vips {
            sign(Rtype::HTTPS, &mut vip.https.as_deref().into_iter());
            sign(Rtype::SRV, &mut vip.srv.as_deref().into_iter());
            sign(Rtype::CNAME, &mut vip.alias.iter().map(|alias| alias.as_wire()));
        }
    }
}
