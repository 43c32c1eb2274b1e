//! Word to others that a zone has changed (RFC 1996).
//!
//! One thread of its own. It wakes when a generation was published, keeps how
//! zones changed, and tells everyone on a zone's `notify:` list whose serial
//! is new, or all of them at start. Who does not answer is told again, each
//! time after twice as long, and then left to its own refresh timer: word is a
//! favour, not a duty. A datagram is sent from the first address that the
//! server listens on, for secondaries believe their primary alone.
//!
//! An answer is believed by its id and sender: to forge one gains nothing but
//! that a secondary refreshes later.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use rhumb_zones::{Name, ZoneId};

use super::content::Content;
use super::is_due;
use crate::compose::{Composer, Owner, Row, Section, Targets};
use crate::net::clock;
use crate::publish::Publisher;
use crate::query::HEADER;
use crate::reload::Request;
use crate::snapshot::Snapshot;
use crate::tsig::Session;
use crate::watch::Change;

/// Wait after the first try; it doubles with each.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// Tries in all: the last is two minutes after the first.
const TRIES: u32 = 7;
/// How long the thread waits for answers before it looks around.
const LOOK: Duration = Duration::from_millis(100);
/// How often signatures are looked at that grow old at secondaries: the
/// shortest that a policy allows hold for a minute, and are renewed eight times
/// in that.
const AGE: Duration = Duration::from_secs(5);
/// NOTIFY as an opcode, with AA (RFC 1996 §3.6).
const NOTIFY: u16 = 4 << 11 | 0x0400;
const RESPONSE: u8 = 0x80;
/// Octets of the largest message: a name twice, a SOA, a seal.
const LARGEST: usize = 2048;
/// SOA, IN.
const QUESTION: [u8; 4] = [0, 6, 0, 1];

/// Tells others, for as long as the process lives.
///
/// # Errors
/// When no thread can be started.
pub(crate) fn spawn(
    publisher: &Publisher,
    requests: Sender<Request>,
    listen: &[SocketAddr],
) -> io::Result<()> {
    let courier = Courier {
        publisher: publisher.clone(),
        requests,
        told: None,
        waiting: HashMap::new(),
        aged: Instant::now(),
        v4: socket(listen, Ipv4Addr::UNSPECIFIED.into()),
        v6: socket(listen, Ipv6Addr::UNSPECIFIED.into()),
    };
    std::thread::Builder::new().name("notify".to_owned()).spawn(move || courier.work()).map(|_| ())
}

/// A socket on the first address of that family; nothing where there is none.
fn socket(listen: &[SocketAddr], any: IpAddr) -> Option<UdpSocket> {
    let own = listen.iter().map(SocketAddr::ip).find(|ip| ip.is_ipv4() == any.is_ipv4());
    let socket = UdpSocket::bind((own.unwrap_or(any), 0)).ok()?;
    socket.set_nonblocking(true).ok()?;
    Some(socket)
}

struct Courier {
    publisher: Publisher,
    requests: Sender<Request>,
    /// What was published when others were told last.
    told: Option<Arc<Snapshot>>,
    waiting: HashMap<(Name, SocketAddr), Word>,
    /// When serials were last looked at.
    aged: Instant,
    v4: Option<UdpSocket>,
    v6: Option<UdpSocket>,
}

/// A word that was not answered yet.
struct Word {
    id: u16,
    tries: u32,
    next: Instant,
}

impl Courier {
    fn work(mut self) {
        loop {
            let wait = if self.waiting.is_empty() { AGE } else { LOOK };
            if self.publisher.transfers().news(wait) {
                self.look();
            }
            if self.aged.elapsed() >= AGE {
                self.aged = Instant::now();
                self.age();
            }
            self.hear();
            self.speak();
        }
    }

    /// Finds what changed.
    fn look(&mut self) {
        let current = self.publisher.current();
        if let Some(told) = &self.told {
            self.publisher.transfers().journal.keep(told, &current);
        }
        let before: HashMap<Name, u32> = self.told.iter().flat_map(|told| serials(told)).collect();
        for (name, serial) in serials(&current) {
            if before.get(&name) != Some(&serial) {
                let zones = current.parts().world.model().zones();
                let transfer =
                    zones.iter().find(|zone| zone.name == name).and_then(|zone| zone.transfer.as_ref());
                for &to in transfer.iter().flat_map(|transfer| &transfer.notify) {
                    let word = Word { id: fastrand::u16(..), tries: 0, next: Instant::now() };
                    self.waiting.insert((name.clone(), to), word);
                }
            }
        }
        self.told = Some(current);
    }

    /// Has serials moved that are due.
    fn age(&self) {
        if is_due(&self.publisher.current()) {
            // It lives as long as the process.
            let _ = self.requests.send(Request::Changed(Change { settled: true, path: None }));
        }
    }

    /// Takes answers.
    fn hear(&mut self) {
        let mut buffer = [0; LARGEST];
        for socket in [&self.v4, &self.v6].into_iter().flatten() {
            while let Ok((length, from)) = socket.recv_from(&mut buffer) {
                if let [a, b, bits, ..] = buffer[..length]
                    && bits & RESPONSE != 0
                {
                    let id = u16::from_be_bytes([a, b]);
                    self.waiting.retain(|(_, to), word| word.id != id || *to != from);
                }
            }
        }
    }

    /// Tells everyone whose time has come.
    fn speak(&mut self) {
        let (now, Some(snapshot)) = (Instant::now(), &self.told) else { return };
        let (v4, v6) = (&self.v4, &self.v6);
        self.waiting.retain(|(name, to), word| {
            if word.next > now {
                return true;
            }
            if word.tries == TRIES {
                tracing::warn!(zone = %name, to = %to, "does not answer NOTIFY");
                return false;
            }
            word.next = now + FIRST_WAIT * 2u32.pow(word.tries);
            word.tries += 1;
            let Some(message) = compose(snapshot, name, word.id) else { return false };
            if let Some(socket) = if to.is_ipv4() { v4 } else { v6 }
                && let Err(error) = socket.send_to(&message, to)
            {
                tracing::debug!(zone = %name, to = %to, %error, "NOTIFY cannot be sent");
            }
            true
        });
    }
}

/// The serials of zones that are transferred.
fn serials(snapshot: &Snapshot) -> impl Iterator<Item = (Name, u32)> {
    let parts = snapshot.parts();
    let zones = parts.world.model().zones().iter().zip(&parts.serials);
    zones.filter(|(zone, _)| zone.transfer.is_some()).map(|(zone, &serial)| (zone.name.clone(), serial))
}

/// NOTIFY with the SOA as a hint (RFC 1996 §3.7), sealed if the zone has keys;
/// nothing when the zone is gone.
fn compose(snapshot: &Snapshot, name: &Name, id: u16) -> Option<Vec<u8>> {
    let zones = snapshot.parts().world.model().zones();
    let content = Content::of(snapshot, ZoneId::new(zones.iter().position(|zone| zone.name == *name)?));
    let mut message = Vec::with_capacity(LARGEST);
    for word in [id, NOTIFY, 1, 1, 0, 0] {
        message.extend(word.to_be_bytes());
    }
    message.extend(name.as_wire());
    message.extend(QUESTION);
    let question = message.len() - HEADER;
    message.resize(LARGEST, 0);
    let (soa, mut targets) = (content.soa(), Targets::keeping_case());
    let mut composer = Composer::new(&mut message, question, LARGEST, &mut targets);
    let row = Row { owner: Owner::Question, rtype: soa.rtype, ttl: soa.ttl, rdata: &soa.rdata };
    composer.row(Section::Answer, &row).ok()?;
    let length = composer.length();
    message.truncate(length);
    let key = content.zone.transfer.as_ref().and_then(|transfer| transfer.keys.first());
    if let Some(key) = key.and_then(|key| snapshot.options().tsig.find(key)) {
        Session::opening(key, id).seal(&mut message, u64::from(clock()));
    }
    Some(message)
}
