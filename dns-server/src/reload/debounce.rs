//! When to look, after the first of several changes.
//!
//! An editor that saves makes three events, a `git pull` hundreds. The files
//! are read when nothing has happened for a moment, but soon enough that an
//! edit is served within a second of being made. A file that is still open
//! for writing is waited for: half a zone file is often a valid one, and its
//! missing names would be denied.

use std::time::{Duration, Instant};

/// Silence after which files that were all closed are read.
const QUIET: Duration = Duration::from_millis(50);

/// Longest wait for that silence.
const PATIENCE: Duration = Duration::from_millis(250);

/// Silence after which the writer of an open file is taken for gone. Systems
/// that do not say when a file is closed wait this long for every edit.
const STALLED: Duration = Duration::from_millis(600);

/// Longest wait for files to be closed: slower writers should rename.
const LONGEST_WRITE: Duration = Duration::from_secs(30);

/// The moment to look, as far as known.
#[derive(Clone, Copy, Debug)]
pub(super) struct Debounce {
    first: Instant,
    due: Instant,
    hurried: bool,
}

impl Debounce {
    pub(super) const fn new(now: Instant) -> Self {
        Self { first: now, due: now, hurried: false }
    }

    /// Something changed; `settled` when no file is open for writing.
    pub(super) fn change(&mut self, settled: bool, now: Instant) {
        let (silence, longest) = if settled { (QUIET, PATIENCE) } else { (STALLED, LONGEST_WRITE) };
        if !self.hurried {
            self.due = (now + silence).min(self.first + longest);
        }
    }

    /// Someone waits.
    pub(super) const fn hurry(&mut self, now: Instant) {
        (self.hurried, self.due) = (true, now);
    }

    pub(super) const fn due(&self) -> Instant {
        self.due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Milliseconds after the first change; settled, open, or asked for.
    type Step = (u64, Option<bool>);

    #[test]
    fn when_to_look() {
        let rows: [(&[Step], u64, &str); 7] = [
            (&[(0, Some(true))], 50, "one change"),
            (&[(0, Some(true)), (40, Some(true))], 90, "silence counts from the last"),
            (&[(0, Some(true)), (40, Some(true)), (230, Some(true))], 250, "but not for ever"),
            (&[(0, Some(false))], 600, "an open file is waited for"),
            (&[(0, Some(false)), (500, Some(false)), (900, Some(true))], 250, "closed: at once, it is late"),
            (&[(0, Some(false)), (29_900, Some(false))], 30_000, "a writer without end"),
            (&[(0, Some(false)), (5, None), (10, Some(false))], 5, "whoever asks does not wait"),
        ];
        for (changes, want, why) in rows {
            let start = Instant::now();
            let mut debounce = Debounce::new(start);
            for &(at, change) in changes {
                let now = start + Duration::from_millis(at);
                match change {
                    Some(settled) => debounce.change(settled, now),
                    None => debounce.hurry(now),
                }
            }
            assert_eq!(debounce.due() - start, Duration::from_millis(want), "{why}");
        }
    }
}
