//! Zones to others: whole, as differences, and word that they changed.
//!
//! The query path knows nothing of this. A conversation over a stream hands a
//! message that asks for a transfer to [`serve`], which answers it from the
//! snapshot of that moment, one message after the other, however long the
//! other side takes within its patience. What is transferred is a walk over
//! the snapshot's own records ([`content`]), so that a transfer costs one
//! message of memory and never holds up a reload.
//!
//! Who may have a zone is the policy's `transfer:`. An address or a key that
//! does not hold is REFUSED, a zone that is not served NOTAUTH
//! (RFC 5936 §2.2.1), one transfer too many SERVFAIL: the other side comes
//! back.
//!
//! **Invariant:** nothing here changes what is served.

mod content;
mod journal;
pub(crate) mod notify;
mod pack;
mod request;
mod signed;

use std::io;
use std::net::IpAddr;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use rhumb_zones::{Transfer, ZoneId};
use tokio::io::{AsyncWrite, AsyncWriteExt as _};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::front::refusal;
use crate::net::clock;
use crate::query::{Folded, Rcode};
use crate::snapshot::Snapshot;
use crate::snapshot::names::Role;
use crate::tsig::{self, Found, Key, Session};
pub(crate) use content::{Content, Item};
use journal::{Difference, Journal};
use pack::Packer;
pub(crate) use request::{Request, may_be};
use signed::Piece;
pub(crate) use signed::epoch;

/// Transfers at once. Each takes about 150 KiB and a share of the thread that
/// serves streams.
const AT_ONCE: usize = 16;

/// How long one message may take to leave: a secondary that stops reading is
/// cut off.
const MESSAGE: Duration = Duration::from_secs(10);

/// What all transfers of the server share.
#[derive(Debug)]
pub(crate) struct Transfers {
    places: Semaphore,
    journal: Journal,
    /// Whether a generation was published that nobody has looked at yet.
    published: Mutex<bool>,
    wake: Condvar,
}

impl Default for Transfers {
    fn default() -> Self {
        Self {
            places: Semaphore::new(AT_ONCE),
            journal: Journal::default(),
            published: Mutex::default(),
            wake: Condvar::new(),
        }
    }
}

impl Transfers {
    /// Says that a generation was published.
    pub(crate) fn announce(&self) {
        *self.published.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.wake.notify_all();
    }

    /// Waits until one was, for so long; says whether one was.
    fn news(&self, wait: Duration) -> bool {
        let published = self.published.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.wake.wait_timeout_while(published, wait, |published| !*published);
        std::mem::take(&mut *waited.unwrap_or_else(PoisonError::into_inner).0)
    }
}

/// Whether the serial of a signed zone should move, for its signatures grow
/// old at secondaries.
pub(crate) fn is_due(snapshot: &Snapshot) -> bool {
    let (parts, now) = (snapshot.parts(), clock());
    parts.world.model().zones().iter().any(|zone| epoch(zone, now) != epoch(zone, parts.assigned))
}

/// Whether a message from a stream asks for a transfer, for [`serve`].
pub(crate) fn is_request(message: &[u8]) -> bool {
    may_be(message)
        && Request::parse(message, &mut Folded::new()).is_some()
        && !matches!(tsig::find(message), Found::Malformed)
}

/// Answers `message`, which asks for a transfer.
///
/// # Errors
/// When the other side is gone or too slow.
pub(crate) async fn serve<W: AsyncWrite + Unpin>(
    stream: &mut W,
    (transfers, snapshot): (&Transfers, &Snapshot),
    message: &[u8],
    source: IpAddr,
) -> io::Result<()> {
    let mut folded = Folded::new();
    let Some(request) = Request::parse(message, &mut folded) else { return Ok(()) };
    let session = match tsig::find(message) {
        Found::Nothing => None,
        Found::Malformed => return Ok(()),
        Found::Tsig(tsig) => {
            let now = u64::from(clock());
            match tsig::verify(&snapshot.options().tsig, message, &tsig, now) {
                Ok(session) => Some(session),
                Err(fault) => {
                    let refusal = refusal(message, &tsig, fault, now);
                    return Way { stream, session: None }.send(&refusal).await;
                }
            }
        }
    };
    let allowed = allow(snapshot, folded.name(), (source, session.as_ref().map(Session::key)));
    let reserved = session.as_ref().map_or(0, Session::reserve);
    let (mut packer, mut way) = (Packer::new(&request, reserved), Way { stream, session });
    let (zone, _place) = match (allowed, transfers.places.try_acquire()) {
        (Ok(zone), Ok(place)) => (zone, place),
        (Err(rcode), _) => return way.seal_and_send(packer.refusal(rcode)).await,
        (_, Err(_)) => return way.seal_and_send(packer.refusal(Rcode::ServFail)).await,
    };
    let content = Content::of(snapshot, zone);
    let difference = request.has.and_then(|has| transfers.journal.difference(&content, has));
    let mut items = answer((snapshot, &content), (&request, difference.as_ref())).peekable();
    let mut messages = 0;
    while let Some(message) = packer.next(&mut items).map_err(|_| io::ErrorKind::InvalidData)? {
        way.seal_and_send(message).await?;
        messages += 1;
        // Others are served by the same thread.
        tokio::task::yield_now().await;
    }
    let (zone, serial) = (&content.zone.name, content.serial);
    tracing::info!(%zone, serial, to = %source, messages, "transferred");
    Ok(())
}

/// The one message that answers IXFR in a datagram: the current SOA, upon
/// which the other side comes back over a stream (RFC 1995 §2). `key` is who
/// signed it. Nothing when it is no request, which others then answer.
pub(crate) fn datagram(
    (snapshot, message): (&Snapshot, &[u8]),
    source: IpAddr,
    key: Option<&Key>,
) -> Option<Vec<u8>> {
    let mut folded = Folded::new();
    let request = Request::parse(message, &mut folded).filter(|request| request.has.is_some())?;
    let mut packer = Packer::new(&request, 0);
    let zone = match allow(snapshot, folded.name(), (source, key)) {
        Ok(zone) => zone,
        Err(rcode) => return Some(packer.refusal(rcode).clone()),
    };
    let mut soa = std::iter::once(Ok(Content::of(snapshot, zone).soa())).peekable();
    packer.next(&mut soa).ok()?.cloned()
}

/// The zone of exactly this name (folded), if `source` and whose key it used
/// may have it.
fn allow(snapshot: &Snapshot, name: &[u8], (source, key): (IpAddr, Option<&Key>)) -> Result<ZoneId, Rcode> {
    let names = snapshot.names();
    let node = names.exact(name).map(|id| names.node(id)).filter(|node| node.role == Role::Apex);
    let id = node.ok_or(Rcode::NotAuth)?.zone;
    let zone = snapshot.parts().world.model().zone(id);
    let Transfer { to, keys, .. } = zone.transfer.as_ref().ok_or(Rcode::Refused)?;
    let address = to.is_empty() || to.iter().any(|prefix| prefix.contains(source));
    let signed = keys.is_empty() || key.is_some_and(|key| keys.contains(key.name()));
    if address && signed { Ok(id) } else { Err(Rcode::Refused) }
}

/// What answers `request`.
fn answer<'s>(
    (snapshot, content): (&'s Snapshot, &Content<'s>),
    (request, difference): (&Request<'_>, Option<&'s Difference>),
) -> Box<dyn Iterator<Item = Piece<'s>> + 's> {
    match (request.has, difference) {
        // Not behind, by RFC 1982 §3.2: the SOA alone says so (RFC 1995 §4).
        (Some(has), _) if !(1..0x8000_0000).contains(&content.serial.wrapping_sub(has)) => {
            Box::new(std::iter::once(Ok(content.soa())))
        }
        (Some(_), Some(difference)) => Box::new(changes(content, difference).map(Ok)),
        _ => whole(snapshot, content),
    }
}

/// What changed: the new SOA, the old one and what went, the new one and what
/// came, the new one (RFC 1995 §4).
fn changes<'s>(
    content: &Content<'s>,
    difference: &'s Difference,
) -> impl Iterator<Item = Item<'s>> + use<'s> {
    let Difference { old, removed, added } = difference;
    let soa = content.soa();
    let soa = move || std::iter::once(soa.clone());
    let gone = std::iter::once(old).chain(removed).map(|record| Item::from(record.view()));
    soa().chain(gone).chain(soa()).chain(added.iter().map(|record| Item::from(record.view()))).chain(soa())
}

/// The whole zone: its SOA first and last (RFC 5936 §2.2).
fn whole<'s>(snapshot: &'s Snapshot, content: &Content<'s>) -> Box<dyn Iterator<Item = Piece<'s>> + 's> {
    let soa = || std::iter::once(Ok(content.soa()));
    match &snapshot.names().zone(content.id).signing {
        Some(signing) => {
            let between = signed::records((snapshot, content), signing, clock());
            Box::new(soa().chain(between).chain(soa()))
        }
        None => Box::new(soa().chain(content.records().map(|record| Ok(Item::from(record)))).chain(soa())),
    }
}

/// A stream, and the seal of what goes out on it.
struct Way<'w, 'k, W> {
    stream: &'w mut W,
    session: Option<Session<'k>>,
}

impl<W: AsyncWrite + Unpin> Way<'_, '_, W> {
    async fn seal_and_send(&mut self, message: &mut Vec<u8>) -> io::Result<()> {
        if let Some(session) = &mut self.session {
            session.seal(message, u64::from(clock()));
        }
        self.send(message).await
    }

    async fn send(&mut self, message: &[u8]) -> io::Result<()> {
        let length = u16::try_from(message.len()).map_err(|_| io::ErrorKind::InvalidData)?;
        let framed = [&length.to_be_bytes(), message].concat();
        timeout(MESSAGE, self.stream.write_all(&framed)).await??;
        timeout(MESSAGE, self.stream.flush()).await?
    }
}
