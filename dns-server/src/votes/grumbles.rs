//! What strangers do wrong, without letting them fill the log.
//!
//! The same address is told of once a minute for the same reason; what was
//! kept back is counted and said with the next line. With more addresses than
//! are remembered at once, those that come later in that minute are not told
//! of at all: the log has said by then that something is going on.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Between two lines on one matter.
const QUIET: Duration = Duration::from_secs(60);

/// Matters remembered, and so lines in a minute at most.
const MAX_MATTERS: usize = 64;

/// What was said of whom.
#[derive(Default, Debug)]
pub(super) struct Grumbles(Mutex<HashMap<(IpAddr, &'static str), Said>>);

#[derive(Debug)]
struct Said {
    at: Instant,
    kept_back: u64,
}

impl Grumbles {
    /// Whether to tell of `what` that `address` did; if so, how many more of
    /// the kind were kept back before.
    pub(super) fn may_tell(&self, address: IpAddr, what: &'static str, now: Instant) -> Option<u64> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_recent = |said: &Said| now.saturating_duration_since(said.at) < QUIET;
        if let Some(said) = all.get_mut(&(address, what)) {
            if is_recent(said) {
                said.kept_back += 1;
                return None;
            }
            said.at = now;
            return Some(std::mem::take(&mut said.kept_back));
        }
        if all.len() >= MAX_MATTERS {
            all.retain(|_, said| is_recent(said));
        }
        let is_room = all.len() < MAX_MATTERS;
        if is_room {
            all.insert((address, what), Said { at: now, kept_back: 0 });
        }
        is_room.then_some(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn once_a_minute_each() {
        let rows = [
            (0, 1, "tls", Some(0), "the first"),
            (1, 1, "tls", None, "the same again"),
            (2, 1, "late", Some(0), "another reason"),
            (3, 2, "tls", Some(0), "another address"),
            (59, 1, "tls", None, "still the same minute"),
            (61, 1, "tls", Some(2), "the next: two were kept back"),
            (62, 1, "tls", None, "and again"),
        ];
        let (grumbles, start) = (Grumbles::default(), Instant::now());
        for (second, address, what, want, why) in rows {
            let now = start + Duration::from_secs(second);
            assert_eq!(grumbles.may_tell(IpAddr::from([192, 0, 2, address]), what, now), want, "{why}");
        }
    }

    #[test]
    fn many_addresses_are_no_way_around() {
        let (grumbles, start) = (Grumbles::default(), Instant::now());
        let tell = |second| {
            let address = |one: u16| IpAddr::from([192, 0, one.to_be_bytes()[0], one.to_be_bytes()[1]]);
            let now = start + Duration::from_secs(second);
            (0..1_000).filter(|&one| grumbles.may_tell(address(one), "tls", now).is_some()).count()
        };
        assert_eq!((tell(0), tell(30), tell(61)), (MAX_MATTERS, 0, MAX_MATTERS), "each minute anew");
    }
}
