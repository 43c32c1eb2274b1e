//! Limits in virtual time: shares that come out, who is not touched.

use proptest::prelude::*;

use super::*;

const SECOND: u64 = 1_000_000;

fn limits(rate: u32) -> RateLimits {
    RateLimits {
        rates: [rate; Class::COUNT],
        window: 15,
        slip: 2,
        leak: 0,
        lengths: [24, 56],
        exempt: vec!["198.51.100.0/24".parse().unwrap()],
        log_only: false,
    }
}

fn answered(class: Class, proved: bool) -> Answered {
    Answered { class, proved, ..Answered::default() }
}

/// How many of `count` answers, `apart` microseconds each, are sent, spared,
/// cut short and dropped.
fn flood(
    limiter: &Limiter,
    source: &str,
    (class, proved): (Class, bool),
    (count, apart): (u64, u64),
) -> [u64; 4] {
    let mut random = fastrand::Rng::with_seed(7);
    let mut got = [0; 4];
    for index in 0..count {
        let chance = (10 * SECOND + index * apart, random.u64(..));
        let verdict = limiter.judge(&answered(class, proved), source.parse().unwrap(), chance);
        got[verdict as usize] += 1;
    }
    got
}

#[test]
fn floods_get_what_they_may() {
    let (us, positive) = (SECOND / 1_000, (Class::Positive, false));
    let rows = [
        (limits(100), "192.0.2.1", positive, (100, 1), [100, 0, 0, 0], "a second's worth at once"),
        (
            limits(100),
            "192.0.2.1",
            positive,
            (1_000, 10 * us),
            [1_000, 0, 0, 0],
            "at the rate for ten seconds",
        ),
        (limits(0), "192.0.2.1", positive, (1_000, 0), [1_000, 0, 0, 0], "no limit"),
        (limits(100), "198.51.100.9", positive, (1_000, 0), [1_000, 0, 0, 0], "exempt"),
        (limits(100), "192.0.2.1", (Class::Positive, true), (1_000, 0), [1_000, 0, 0, 0], "a cookie"),
        (
            RateLimits { slip: 0, ..limits(100) },
            "2001:db8::1",
            positive,
            (10_000, us),
            [111, 0, 0, 9_889],
            "ten times the rate: a burst, what came due meanwhile, then nothing",
        ),
        (
            RateLimits { slip: 1, ..limits(100) },
            "192.0.2.1",
            positive,
            (1_100, 0),
            [100, 0, 1_000, 0],
            "all slip",
        ),
        (
            RateLimits { leak: 1, ..limits(100) },
            "192.0.2.1",
            positive,
            (1_100, 0),
            [100, 1_000, 0, 0],
            "all leak",
        ),
        (
            RateLimits { log_only: true, ..limits(100) },
            "192.0.2.1",
            positive,
            (1_100, 0),
            [100, 1_000, 0, 0],
            "counted, not enforced",
        ),
    ];
    for (limits, source, class, flow, want, why) in rows {
        assert_eq!(flood(&Limiter::new(limits), source, class, flow), want, "{why}");
    }
}

#[test]
fn some_slip_and_others_go_free() {
    let limiter = Limiter::new(limits(100));
    let [sent, _, slipped, dropped] = flood(&limiter, "192.0.2.1", (Class::NxDomain, false), (10_100, 0));
    assert_eq!(sent, 100, "the burst");
    assert!((4_700..5_300).contains(&slipped), "one in two: {slipped} of {}", slipped + dropped);
    let untouched = [
        ("192.0.3.1", Class::NxDomain, 100, "another network"),
        ("192.0.2.1", Class::Positive, 100, "another class of answer"),
        ("192.0.2.200", Class::NxDomain, 0, "the same network"),
    ];
    for (source, class, want, why) in untouched {
        assert_eq!(flood(&limiter, source, (class, false), (100, 0))[0], want, "{why}");
    }
}

#[test]
fn a_flood_is_forgotten_after_the_window() {
    let limiter = Limiter::new(limits(100));
    flood(&limiter, "192.0.2.1", (Class::Error, false), (100_000, 0));
    let at = |seconds: u64| {
        let source = "192.0.2.1".parse().unwrap();
        limiter.judge(&answered(Class::Error, false), source, ((10 + seconds) * SECOND, 1)) == Verdict::Send
    };
    assert!(!at(13), "its debt is that of the window");
    assert!(at(15), "and then over, but for the second it may be ahead");
}

proptest! {
    /// Whatever the order and the times: in no second does a network that
    /// proved nothing get more than its burst and its rate.
    #[test]
    fn no_network_gets_more_than_its_rate(steps in prop::collection::vec((0u64..30_000, 0u8..3), 1..2_000)) {
        let limiter = Limiter::new(RateLimits { slip: 0, ..limits(50) });
        let (mut now, mut sent) = (SECOND, Vec::new());
        for (step, host) in steps {
            now += step;
            let source = IpAddr::from([192, 0, 2, host]);
            if limiter.judge(&answered(Class::Positive, false), source, (now, now)) == Verdict::Send {
                sent.push(now);
            }
        }
        for (index, start) in sent.iter().enumerate() {
            let within = sent[index..].iter().take_while(|&&at| at < start + SECOND).count();
            prop_assert!(within <= 101, "{within} in a second");
        }
    }

    /// A network within its rate is never limited, whoever floods beside it.
    #[test]
    fn floods_of_others_do_not_hurt(networks in prop::collection::vec(any::<u32>(), 1..3_000)) {
        let limiter = Limiter::new(limits(10));
        let quiet = IpAddr::from([203, 0, 113, 1]);
        for (index, bits) in (0u64..).zip(networks) {
            let now = SECOND + index * 1_000;
            let flooding = IpAddr::from((bits | 0x8000_0000).to_be_bytes());
            if flooding != quiet {
                limiter.judge(&answered(Class::Positive, false), flooding, (now, 1));
            }
            if index % 200 == 0 {
                let verdict = limiter.judge(&answered(Class::Positive, false), quiet, (now, 1));
                prop_assert_eq!(verdict, Verdict::Send);
            }
        }
    }
}
