//! What couriers find: queues, boards, pauses, the history.

use std::sync::Arc;
use std::time::Duration;

use rhumb_policies::{Event, EventKind, Phase, Severity};

use super::board::Board;
use super::queue::Queue;
use super::{History, Patience, Url};

/// `a` begins, `-a` ends, `.a` is a notice; at this second. `own` is no event
/// of a state.
fn event(word: &str, second: u64) -> Event {
    let (phase, target) = match word.split_at(1) {
        ("-", target) => (Phase::Ends, target),
        (".", target) => (Phase::Notice, target),
        _ => (Phase::Begins, word),
    };
    Event {
        at_ms: second * 1_000,
        kind: if target == "own" { EventKind::OwnFault } else { EventKind::TargetDown },
        phase,
        target: target.to_owned(),
        severity: Severity::Warning,
        text: String::new(),
        cause: None,
        masked: Vec::new(),
        masked_count: 0,
    }
}

#[test]
fn a_full_queue_forgets_the_oldest() {
    let queue = Queue::default();
    for second in 0..Queue::MAX as u64 + 3 {
        queue.push(Arc::new(event("a", second)));
    }
    queue.close();
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        let first = queue.take(2).await.expect("events");
        assert_eq!((first.events.len(), first.events[0].at_ms, first.dropped), (2, 3_000, 3));
        let rest = queue.take(usize::MAX).await.expect("events");
        assert_eq!((rest.events.len(), rest.dropped), (Queue::MAX - 2, 0), "losses are told once");
        assert!(queue.take(1).await.is_none(), "closed and empty");
    });
}

#[test]
fn boards() {
    // What is heard a second apart, letters sent in between (`!`), and what is
    // then told: `a` stands since, `-a` ended.
    let rows: [(&[&str], &[&str], &str); 10] = [
        (&["a", "b"], &["a@0", "b@1"], "what began stands"),
        (&["a", "!"], &["a@0"], "however often it is told"),
        (&["a", "-a"], &["-a@1"], "what ended is told"),
        (&["a", "-a", "!"], &[], "once"),
        (&["a", "-a", "a"], &["a@2"], "what begins again stands since then"),
        (&["-a"], &[], "what never stood does not end"),
        (&[".a"], &[], "a notice is no alert"),
        (&["a", "b", "= b c"], &["-a@2", "b@1", "c@2"], "a new set: what stood goes on"),
        (&["a", "own", "= b"], &["-a@2", "b@2", "own@1"], "which is silent on what no state tells"),
        (&["a", "-a", "= a"], &["a@0"], "and so does what would have ended"),
    ];
    for (heard, want, why) in rows {
        let board = Board::default();
        for (second, word) in (0..).zip(heard) {
            let now = Duration::from_secs(second);
            if let Some(set) = word.strip_prefix("= ") {
                let set: Vec<_> = set.split(' ').map(|word| event(word, second)).collect();
                board.replace(&set, now);
            } else if *word == "!" {
                board.was_told(&board.letter(now));
            } else {
                board.hear(&event(word, second));
            }
        }
        let told = |now| {
            let letter = board.letter(Duration::from_secs(now));
            let one = |alert: &super::board::Alert| match alert.ended {
                Some(ended) => format!("-{}@{}", alert.event.target, ended.as_secs()),
                None => format!("{}@{}", alert.event.target, alert.event.at_ms / 1_000),
            };
            letter.iter().map(one).collect::<Vec<_>>()
        };
        assert_eq!(told(10), want, "{why}");
        assert!(!told(10_000).iter().any(|one| one.starts_with('-')), "{why}: old ends are forgotten");
    }
}

/// An end that comes while it is being told is not taken for told.
#[test]
fn news_during_a_letter() {
    let board = Board::default();
    board.hear(&event("a", 0));
    board.hear(&event("-a", 1));
    let letter = board.letter(Duration::from_secs(2));
    board.hear(&event("a", 2));
    board.was_told(&letter);
    assert_eq!(board.letter(Duration::from_secs(3)).len(), 1, "it stands again");
}

#[test]
fn pauses_grow_and_are_bounded() {
    let patience = Patience::default();
    for (failures, most, why) in
        [(1, 1, "the first"), (2, 2, "doubled"), (4, 8, "again"), (90, 60, "bounded")]
    {
        for _ in 0..100 {
            let (pause, most) = (patience.pause(failures), Duration::from_secs(most));
            assert!((most / 2..=most).contains(&pause), "{why}: {pause:?}");
        }
    }
}

#[test]
fn histories() {
    let history = History::default();
    let all: Vec<_> = (0..History::MAX as u64 + 5).map(|second| event("a", second)).collect();
    history.push(&all[..3]);
    history.push(&all[3..]);
    let last = History::MAX as u64 + 4;
    let rows = [
        (2, 0, vec![last - 1, last], "the newest, oldest first"),
        (9, last - 2, vec![last - 2, last - 1, last], "those since then"),
        (9, last + 1, vec![], "nothing since"),
        (0, 0, vec![], "none asked for"),
    ];
    for (most, since, want, why) in rows {
        let recent = history.recent(most, Duration::from_secs(since));
        assert_eq!(recent.iter().map(|event| event.at_ms / 1_000).collect::<Vec<_>>(), want, "{why}");
    }
    assert_eq!(history.recent(usize::MAX, Duration::ZERO).len(), History::MAX, "no more are kept");
    history.push(&[all.clone(), all].concat());
    assert_eq!(history.recent(usize::MAX, Duration::ZERO).len(), History::MAX, "of a flood neither");
}

#[test]
fn urls() {
    let rows = [
        ("http://a", Some("a 80 / /x"), "no path"),
        ("http://a:9093/am/", Some("a 9093 /am/ /am/x"), "a path"),
        ("https://[::1]/h?key=1", Some("::1 443 /h?key=1 /h/x"), "a query and a v6 address"),
        ("a:9093", None, "no scheme"),
        ("ftp://a", None, "another"),
        ("http://user@a/", None, "a user"),
        ("http:///x", None, "no host"),
        ("/x", None, "a path alone"),
    ];
    for (text, want, why) in rows {
        let got = Url::parse(text);
        let got =
            got.map(|url| format!("{} {} {} {}", url.host, url.port, url.path_with(""), url.path_with("/x")));
        assert_eq!(got.as_deref(), want, "{text}: {why}");
    }
}
