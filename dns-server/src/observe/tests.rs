//! What is sampled and kept, in virtual time and without an output.

use std::num::NonZeroU32;

use super::*;

fn feed(one_in: u32, per_second: u32) -> Arc<Feed> {
    let [one_in, per_second] = [one_in, per_second].map(|number| NonZeroU32::new(number).unwrap());
    Feed::new(Output::Log, Sampling { one_in, per_second })
}

fn meta(now: u32, draw: u64) -> Meta {
    let source = IpAddr::from([192, 0, 2, 1]);
    Meta { source, local: None, transport: Transport::Udp, idle: None, now, draw }
}

#[test]
fn samples_are_a_share_and_bounded() {
    let rows = [
        (1, 1_000_000, 1, 10_000..=10_000, "all"),
        (1, 100, 1, 100..=100, "a second's share"),
        (1, 100, 10, 1_000..=1_000, "of each second"),
        (10, 1_000_000, 1, 850..=1_150, "one in ten, by chance"),
        (10, 100, 10, 800..=1_000, "both"),
    ];
    for (one_in, per_second, seconds, want, why) in rows {
        let (feed, mut random) = (feed(one_in, per_second), fastrand::Rng::with_seed(3));
        let sampled = (0..10_000).filter(|&index| {
            let now = 1_800_000_000 + u32::try_from(index * seconds / 10_000).unwrap();
            feed.samples(&meta(now, random.u64(..)))
        });
        let sampled = sampled.count();
        assert!(want.contains(&sampled), "{why}: {sampled}");
    }
}

#[test]
fn a_full_ring_drops_and_counts() {
    let (feed, stats) = (feed(1, 1_000_000), Stats::default());
    let observer = Observer { taps: [Tap::new(&feed)].into_iter().collect() };
    let scratch = Scratch::new(stats.block());
    for _ in 0..SLOTS + 7 {
        observer.note(&scratch, (b"query", &meta(1, 1)), Some(b"reply"));
    }
    assert_eq!(stats.totals().log_lost, 7, "those for which there was no slot");
    let ring = Arc::clone(&observer.taps[0].ring);
    let first = ring.full.pop().unwrap();
    assert_eq!((first.query(), first.reply(), first.sent), (&b"query"[..], &b"reply"[..], true));
    assert_eq!(ring.full.len() + 1, SLOTS, "the others wait");
    ring.free.push(first).unwrap();
    observer.note(&scratch, (b"query", &meta(1, 1)), None);
    assert_eq!(stats.totals().log_lost, 7, "a slot was given back");
}

#[test]
fn what_is_too_large_is_left_out() {
    let (feed, stats) = (feed(1, 1_000_000), Stats::default());
    let observer = Observer { taps: [Tap::new(&feed)].into_iter().collect() };
    let scratch = Scratch::new(stats.block());
    let rows = [
        (100, MESSAGES - 100, (100, MESSAGES - 100), "just fits"),
        (100, MESSAGES - 99, (100, 0), "the reply does not"),
        (MESSAGES + 1, 12, (MESSAGES, 0), "nor does all of the query"),
    ];
    for (query, reply, want, why) in rows {
        observer.note(&scratch, (&vec![1; query], &meta(1, 1)), Some(&vec![2; reply]));
        let kept = observer.taps[0].ring.full.pop().unwrap();
        assert_eq!((kept.query().len(), kept.reply().len()), want, "{why}");
        assert!(kept.sent && kept.bytes.capacity() == MESSAGES, "{why}: nothing was allocated");
    }
}
