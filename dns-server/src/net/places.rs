//! Places for connections: so many in all, so many of each source.
//!
//! Each kind of stream has its own, so that a crowd on one leaves the others
//! alone. When all are taken, newcomers wait in the kernel's queue, and those
//! who have one may be idle for a shorter time. A source is an IPv4 address or
//! an IPv6 /64, which is what one subscriber has; one that has its share is
//! refused at once, before it costs a handshake.

use std::cell::RefCell;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What streams may take.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Connections at once of each kind of stream.
    pub connections: usize,
    /// Those of one IPv4 address or IPv6 /64.
    pub per_source: usize,
    /// How long a connection may be silent between messages.
    pub idle: Duration,
    /// How long one message may take to arrive or leave once begun.
    pub message: Duration,
}

/// The idle time when more than three quarters of the places are taken is
/// this part of the usual.
const BUSY: u32 = 10;

impl Limits {
    /// Connections where nobody says. A silent one costs 5 KB, one with TLS
    /// about 40 KB, one in the middle of the longest message 130 KB more.
    pub const CONNECTIONS: usize = 1024;

    /// Of one source where nobody says: many resolvers behind one address
    /// translator, yet sixteen sources are needed to take every place.
    pub const PER_SOURCE: usize = 64;
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: Self::CONNECTIONS,
            per_source: Self::PER_SOURCE,
            // RFC 7766 §6.2.3 asks for seconds, not minutes.
            idle: Duration::from_secs(10),
            message: Duration::from_secs(5),
        }
    }
}

/// The places of one kind of stream.
pub(super) struct Places {
    limits: Limits,
    free: Arc<Semaphore>,
    taken: RefCell<HashMap<IpAddr, usize>>,
}

/// A place taken; dropping it frees it.
pub(super) struct Place {
    places: Rc<Places>,
    source: IpAddr,
    _permit: OwnedSemaphorePermit,
}

impl Places {
    pub(super) fn new(limits: Limits) -> Rc<Self> {
        let free = Arc::new(Semaphore::new(limits.connections.min(Semaphore::MAX_PERMITS)));
        Rc::new(Self { limits, free, taken: RefCell::default() })
    }

    /// Waits until one more connection may be accepted.
    pub(super) async fn wait(&self) -> OwnedSemaphorePermit {
        Arc::clone(&self.free).acquire_owned().await.expect("the semaphore is never closed")
    }

    /// A place for `source`, unless it has its share.
    pub(super) fn take(self: &Rc<Self>, permit: OwnedSemaphorePermit, source: IpAddr) -> Option<Place> {
        let source = subscriber(source);
        let mut taken = self.taken.borrow_mut();
        let count = taken.entry(source).or_default();
        if *count >= self.limits.per_source {
            return None;
        }
        *count += 1;
        Some(Place { places: Rc::clone(self), source, _permit: permit })
    }

    /// Whether more than three quarters are taken.
    pub(super) fn is_busy(&self) -> bool {
        self.free.available_permits() < self.limits.connections / 4
    }

    /// How long a connection may be silent now.
    pub(super) fn idle(&self) -> Duration {
        if self.is_busy() { self.limits.idle / BUSY } else { self.limits.idle }
    }

    /// How long one message may take.
    pub(super) const fn message(&self) -> Duration {
        self.limits.message
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken.borrow_mut();
        if let Some(count) = taken.get_mut(&self.source) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.source);
            }
        }
    }
}

/// What counts as one source.
fn subscriber(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX)).into(),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_has_its_share_and_no_more() {
        let limits = Limits { connections: 8, per_source: 2, ..Limits::default() };
        let places = Places::new(limits);
        let take = |source: &str| {
            let permit = Arc::clone(&places.free).try_acquire_owned().expect("a place is free");
            places.take(permit, source.parse().expect("an address"))
        };
        let mut held: Vec<Place> = Vec::new();
        let rows = [
            ("192.0.2.1", true, "the first"),
            ("192.0.2.1", true, "the second"),
            ("192.0.2.1", false, "one too many"),
            ("::ffff:192.0.2.1", false, "the same, as IPv6 writes it"),
            ("192.0.2.2", true, "another has its own"),
            ("2001:db8::1", true, "a subscriber"),
            ("2001:db8::2", true, "the same subscriber"),
            ("2001:db8::3", false, "however many addresses it has"),
            ("2001:db8:0:1::3", true, "a neighbour"),
        ];
        for (source, want, why) in rows {
            let place = take(source);
            assert_eq!(place.is_some(), want, "{why}");
            held.extend(place);
        }
        assert_eq!(places.free.available_permits(), 2, "refused ones hold none");
        assert_eq!(places.idle(), limits.idle, "a quarter is free");
        held.extend(take("198.51.100.1"));
        assert_eq!(places.idle(), limits.idle / BUSY, "less than a quarter is free");
        drop(held);
        assert!(places.taken.borrow().is_empty(), "nothing is kept of who left");
        assert_eq!(places.free.available_permits(), 8, "and all places are free again");
    }
}
