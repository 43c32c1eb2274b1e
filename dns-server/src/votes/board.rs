//! The latest votes, for whoever sends them.
//!
//! One writer pins votes up, and each connection takes what it has not taken
//! yet. Every vote has a number, the higher the later; a newer vote on a
//! subject takes the older one's place. So a connection that is slow or away
//! costs nothing and misses only what is outdated, and one that is new takes
//! all by starting from zero. A queue per connection was refused: it would
//! have to be bounded, and then to forget.
//!
//! A vote that differs from the one before in what it says is *urgent*: it
//! goes at once. One that only confirms may wait to go with others.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rhumb_health::ballot::{Ballot, Vote};
use tokio::sync::watch;

use super::wire::{MAX_SUBJECT, MAX_VOTES, WireVote};

/// Subjects remembered at most, ten times what a large policy has: those of
/// policies long gone are forgotten first.
const MAX_SUBJECTS: usize = 100_000;

/// Where votes are left to be sent; clones share it.
#[derive(Clone, Debug)]
pub struct VoteSender(Arc<Board>);

#[derive(Debug)]
struct Board {
    pinned: Mutex<Pinned>,
    heads: watch::Sender<Heads>,
}

#[derive(Default, Debug)]
struct Pinned {
    votes: HashMap<Arc<str>, (u64, Vote)>,
    order: BTreeMap<u64, Arc<str>>,
}

/// How far the board has come.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Heads {
    /// Number of the latest vote.
    pub(super) latest: u64,
    /// Number of the latest urgent vote.
    pub(super) urgent: u64,
}

impl VoteSender {
    pub(super) fn new() -> Self {
        Self(Arc::new(Board { pinned: Mutex::default(), heads: watch::Sender::default() }))
    }

    /// Has these votes on subjects of these names sent. Never waits for the
    /// network; of several votes on a subject the last one counts.
    pub fn tell(&self, votes: Vec<(String, Vote)>) {
        let mut pinned = self.0.pinned.lock().unwrap_or_else(PoisonError::into_inner);
        let mut heads = *self.0.heads.borrow();
        for (subject, vote) in votes {
            if subject.len() > MAX_SUBJECT {
                continue;
            }
            heads.latest += 1;
            if pinned.pin(Arc::from(subject), vote, heads.latest) {
                heads.urgent = heads.latest;
            }
        }
        // With the lock held: numbers must not go backwards.
        self.0.heads.send_replace(heads);
        drop(pinned);
    }

    pub(super) fn watch(&self) -> watch::Receiver<Heads> {
        self.0.heads.subscribe()
    }

    /// The next votes after number `sent`, and the number of the last of them;
    /// nothing when there are none.
    pub(super) fn after(&self, sent: u64, now: Duration) -> Option<(Vec<WireVote>, u64)> {
        let pinned = self.0.pinned.lock().unwrap_or_else(PoisonError::into_inner);
        let next = pinned.order.range(sent + 1..).take(MAX_VOTES);
        let mut votes = Vec::new();
        let mut last = None;
        for (number, subject) in next {
            last = Some(*number);
            // What is a day old says nothing to anyone.
            if let Some((_, vote)) = pinned.votes.get(subject)
                && now.saturating_sub(vote.at) < Ballot::MEMORY
            {
                votes.push(WireVote::new(subject, vote, now));
            }
        }
        last.map(|last| (votes, last))
    }
}

impl Pinned {
    /// Says whether it is urgent.
    fn pin(&mut self, subject: Arc<str>, vote: Vote, number: u64) -> bool {
        let says = |vote: &Vote| (vote.leaning, vote.is_settled, vote.failure.clone());
        let now = says(&vote);
        self.order.insert(number, Arc::clone(&subject));
        let before = self.votes.insert(subject, (number, vote));
        if let Some((old, _)) = &before {
            self.order.remove(old);
        }
        if self.order.len() > MAX_SUBJECTS
            && let Some((_, oldest)) = self.order.pop_first()
        {
            self.votes.remove(&oldest);
        }
        before.is_none_or(|(_, before)| says(&before) != now)
    }
}

#[cfg(test)]
mod tests {
    use rhumb_health::{Measure, Status};

    use super::*;

    const NOW: Duration = Duration::from_secs(1_000_000);

    fn vote(leaning: Status, tries: u32) -> Vote {
        let measure = Measure { tries, ..Measure::default() };
        Vote { leaning, is_settled: true, measure, failure: None, at: NOW }
    }

    /// What is sent after `sent`, in short.
    fn after(sender: &VoteSender, sent: u64) -> String {
        let Some((votes, last)) = sender.after(sent, NOW) else { return "nothing".to_owned() };
        let votes: Vec<_> = votes
            .into_iter()
            .map(|vote| vote.read(NOW).expect("our own"))
            .map(|(subject, vote)| format!("{subject} {:?} {}", vote.leaning, vote.measure.tries))
            .collect();
        format!("{}: {last}", votes.join(", "))
    }

    #[test]
    fn the_latest_counts_and_news_are_urgent() {
        let sender = VoteSender::new();
        assert_eq!(after(&sender, 0), "nothing", "before anything was said");
        let rows = [
            (
                vec![("a", vote(Status::Up, 1)), ("b", vote(Status::Up, 1))],
                0,
                "a Up 1, b Up 1: 2",
                2,
                "all is new",
            ),
            (vec![("a", vote(Status::Up, 2))], 2, "a Up 2: 3", 2, "the same again, measured anew"),
            (vec![], 0, "b Up 1, a Up 2: 3", 2, "one that comes later gets each subject once"),
            (vec![("b", vote(Status::Down, 2))], 3, "b Down 2: 4", 4, "news"),
            (
                vec![("b", vote(Status::Up, 3)), ("b", vote(Status::Up, 4))],
                4,
                "b Up 4: 6",
                5,
                "the last of several",
            ),
            (vec![], 6, "nothing", 5, "nothing was said"),
        ];
        for (votes, sent, want, urgent, why) in rows {
            sender.tell(votes.into_iter().map(|(subject, vote)| (subject.to_owned(), vote)).collect());
            assert_eq!(after(&sender, sent), want, "{why}");
            assert_eq!(sender.watch().borrow().urgent, urgent, "{why}");
        }
    }

    #[test]
    fn it_is_bounded() {
        let sender = VoteSender::new();
        let subjects = (0..=MAX_SUBJECTS).map(|one| (one.to_string(), vote(Status::Up, 1)));
        sender.tell(subjects.chain([("x".repeat(MAX_SUBJECT + 1), vote(Status::Up, 1))]).collect());
        let pinned = sender.0.pinned.lock().expect("nobody panicked");
        assert_eq!((pinned.votes.len(), pinned.order.len()), (MAX_SUBJECTS, MAX_SUBJECTS));
        assert!(!pinned.votes.contains_key("0"), "the oldest is forgotten");
        drop(pinned);
        let (votes, _) = sender.after(0, NOW).expect("there are some");
        assert_eq!(votes.len(), MAX_VOTES, "a message has its limit");
        assert!(
            sender.after(0, NOW + Ballot::MEMORY).is_some_and(|(votes, _)| votes.is_empty()),
            "a day later"
        );
    }
}
