//! What is decided per query: shares, stickiness, several VIPs.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use rhumb_health::Status;
use rhumb_policies::{Action, Client, Outcome, Picks, Tier, choose, client_hash};
use rhumb_zones::{Prefix, ServiceId};

use crate::oracle::{Events, Oracle};
use crate::topology::topologies;
use crate::world::{Case, FIRST, Luck, at};

/// Two datacenters of two links each and two without links, all at one point.
fn policy(steer: &str, more: &str) -> String {
    format!(
        "zone: example.com
datacenters:
  a: {{ at: [0, 0], links: {{ x: {{}}, y: {{}} }} }}
  b: {{ at: [0, 0], links: {{ x: {{}}, y: {{}} }} }}
  c: {{ at: [0, 0] }}
  d: {{ at: [0, 90] }}
services:
  www:
    steer: {steer}
    {more}
    vips:
      a: {{ x: {{ address: 192.0.2.1, weight: 3 }}, y: {{ address: 192.0.2.2, weight: 1 }} }}
      b: {{ x: {{ address: 192.0.2.3, weight: 2 }}, y: {{ address: 192.0.2.4, weight: 0 }} }}
      c: {{ address: 192.0.2.5, weight: 4 }}
      d: 192.0.2.6
"
    )
}

/// A different number each time, evenly spread.
fn number(index: u64) -> u64 {
    index.wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// How often each VIP stands at `position` of the answers, drawn or hashed.
fn shares(case: &Case, down: &[&str], position: usize) -> BTreeMap<String, f64> {
    const DRAWS: u64 = 200_000;
    let state = case.state(&case.without(down));
    let mut counts = vec![0; case.model().vips().len()];
    let ranked = case.shape().rank(&case.world, at(0.0, 0.0));
    let mut picks = Picks::default();
    for index in 0..DRAWS {
        let client = Client { class: ranked.class(), draw: number(index), hash: number(!index) };
        choose(case.shape(), state.service(ServiceId::new(0)), &client, &mut picks);
        counts[picks.slots()[position].index()] += 1;
    }
    let share = |(vip, count): (usize, &u32)| (case.vip(vip), f64::from(*count) / DRAWS as f64);
    counts.iter().enumerate().filter(|(_, count)| **count > 0).map(share).collect()
}

/// Steering and selection, what is down, a position, the shares there, why.
type Row<'a> = (&'a str, &'a str, &'a [&'a str], usize, &'a [(&'a str, f64)], &'a str);

fn check_shares(rows: &[Row<'_>]) {
    for (steer, more, down, position, want, why) in rows {
        let case = Case::new(&policy(steer, more));
        let got = shares(&case, down, *position);
        let close =
            |(vip, want): &(&str, f64)| got.get(*vip).is_some_and(|got| (got - want).abs() <= want / 100.0);
        assert!(got.len() == want.len() && want.iter().all(close), "{steer} {down:?}: {why}: {got:?}");
    }
}

#[test]
fn shares_of_vips_are_exact() {
    let weighted = "[nearest, weighted]";
    let (ax, others) = ("vip:www/a/x", ["vip:www/a/x", "vip:www/a/y", "vip:www/b/x", "vip:www/c"]);
    check_shares(&[
        (
            weighted,
            "",
            &[],
            0,
            &[("a/x", 0.3), ("a/y", 0.1), ("b/x", 0.2), ("c", 0.4)],
            "by the VIPs' weights",
        ),
        (
            weighted,
            "",
            &[ax],
            0,
            &[("a/y", 1.0 / 7.0), ("b/x", 2.0 / 7.0), ("c", 4.0 / 7.0)],
            "among those that can be answered",
        ),
        (weighted, "", &others, 0, &[("b/y", 1.0)], "weight 0 is better than the next group"),
        ("[weighted, nearest]", "", &others, 0, &[("d", 1.0)], "but not than its own"),
        ("[nearest, sticky]", "", &[], 0, &[("a/x", 0.3), ("a/y", 0.1), ("b/x", 0.2), ("c", 0.4)], "by hash"),
    ]);
}

#[test]
fn shares_of_datacenters_are_exact() {
    let (listed, links) = ("[nearest, weighted: { a: 3, b: 1 }]", "link-selection: weighted");
    let (second, third) = ("[nearest, weighted: { a: 2, b: 1, c: 1 }, take: 2]", 1.0 / 3.0);
    let (sums, priority) = ("[nearest, weighted]", "link-selection: priority");
    check_shares(&[
        (sums, priority, &[], 0, &[("a/x", 0.4), ("b/x", 0.2), ("c", 0.4)], "sums of the VIPs'"),
        (listed, "", &[], 0, &[("a/x", 0.75), ("b/x", 0.25)], "as listed"),
        (listed, "", &["vip:www/a/x"], 0, &[("a/y", 0.75), ("b/x", 0.25)], "links are the selector's"),
        (listed, links, &[], 0, &[("a/x", 0.5625), ("a/y", 0.1875), ("b/x", 0.25)], "links drawn too"),
        (listed, "", &["datacenter:a", "datacenter:b"], 0, &[("c", 1.0)], "not listed, but up"),
        (second, "", &[], 1, &[("a/x", third), ("b/x", third), ("c", third)], "without replacement"),
    ]);
}

#[test]
fn sticky_moves_only_what_must_move() {
    let clients =
        || (0..5_000_u32).map(|index| Prefix::containing((index << 8).to_be_bytes().into(), 24).unwrap());
    for more in ["", "link-selection: priority"] {
        let case = Case::new(&policy("[nearest, sticky, take: 2]", more));
        let answers = |inputs| {
            let state = case.state(&inputs);
            let luck = |scope, draw| Luck { hash: client_hash(scope), draw };
            let ask = |scope| {
                let (_, picks) = case.ask(&state, at(0.0, 0.0), luck(scope, 1));
                assert_eq!(case.ask(&state, at(0.0, 0.0), luck(scope, 2)).1, picks, "draws do not matter");
                picks
            };
            clients().map(ask).collect::<Vec<_>>()
        };
        let before = answers(case.well());
        for gone in ["c", "a/x", "b/x"] {
            let after = answers(case.without(&[&format!("vip:www/{gone}")]));
            let mut moved = 0;
            for (before, after) in before.iter().zip(&after) {
                if before[0] == gone {
                    // A sibling link may take over; `take` answers it only
                    // after every other datacenter.
                    let sibling = gone.split_once('/').is_some_and(|(dc, _)| after[0].starts_with(dc));
                    assert!(sibling || after[0] == before[1], "the second is the backup");
                    moved += 1;
                } else {
                    assert_eq!(before[0], after[0], "not a client of {gone}");
                }
            }
            assert!(moved > 250, "{gone} had clients: {moved}");
        }
    }
}

#[test]
fn several_vips() {
    let drained = [("datacenter:a", Action::Drain)];
    let all = "a/x a/y b/x b/y c";
    let rows: [(&str, u64, &str, &str); 9] = [
        ("[nearest, take: 1]", 0, "a/x", "one"),
        ("[nearest, take: 2]", 0, "a/x b/x", "datacenters first"),
        ("[take: 4, nearest]", 0, "a/x b/x c d", "in their order, wherever take stands"),
        ("[nearest, take: 5]", 0, "a/x b/x c d a/y", "then further links"),
        ("[nearest, take: 16]", 0, "a/x b/x c d a/y b/y", "and no more than there are"),
        ("[nearest, rotate]", 0, all, "the nearest group, whole"),
        ("[nearest, rotate]", 7, "b/x b/y c a/x a/y", "rotated by 7 modulo 5"),
        ("[nearest, rotate, take: 2]", 4, "c a/x", "two of them"),
        ("[nearest, { take: 3 }, rotate]", 1, "a/y b/x b/y", "in either order"),
    ];
    for (steer, draw, want, why) in rows {
        let case = Case::new(&policy(steer, ""));
        let (outcome, picks) = case.ask(&case.state(&case.well()), at(0.0, 0.0), Luck { hash: 0, draw });
        assert_eq!((outcome, picks.join(" ").as_str()), (FIRST, want), "{steer}: {why}");
    }
    let case = Case::new(&policy("[nearest, take: 16]", ""));
    let (_, picks) = case.ask(&case.state(&case.told(&drained)), at(0.0, 0.0), Luck::default());
    assert_eq!(picks.join(" "), "b/x c d b/y", "never a lower tier");
    let mut inputs = case.told(&drained);
    for index in 0..case.model().vips().len() {
        inputs.set_verdict(case.model(), case.target(&format!("vip:www/{}", case.vip(index))), Status::Down);
    }
    let (outcome, picks) = case.ask(&case.state(&inputs), at(0.0, 0.0), Luck::default());
    assert_eq!(outcome, Outcome::Vips(Tier::LastResort));
    assert_eq!(picks.join(" "), "b/x c d b/y a/x a/y", "fail open: drained ones last");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever the chain and the state, an answer is of the highest tier that
    /// has a VIP, never repeats one, and is as long as asked for.
    #[test]
    fn the_law_holds_for_every_chain(
        mut world in topologies(),
        chain in prop::sample::select(vec![
            ("[rotate]", 16), ("[weighted, take: 3]", 3), ("[sticky]", 1), ("[{ weighted: { d0: 2, d1: 1 } }]", 1),
            ("[{ nearest: { within: 100% } }, sticky, { take: 2 }]", 2), ("[nearest, take: 16]", 16),
        ]),
        down in prop::collection::vec(prop::bool::weighted(0.3), 80),
        luck in any::<(u64, u64)>(),
    ) {
        let (steer, most) = chain;
        world.steer = Some(steer);
        let case = Case::new(&world.policy());
        let down = world.probed().into_iter().zip(down).filter(|(_, down)| *down).map(|(name, _)| name);
        let events = Events { down: down.collect(), ..Events::default() };
        let (_, may) = Oracle { world: &world, events: &events }.decide();
        let down: Vec<_> = events.down.iter().map(String::as_str).collect();
        let luck = Luck { hash: luck.0, draw: luck.1 };
        let (_, picks) = case.ask(&case.state(&case.without(&down)), at(0.0, 12.0), luck);
        let may: BTreeSet<_> = may.into_iter().map(|vip| case.vip(vip)).collect();
        let set: BTreeSet<_> = picks.iter().cloned().collect();
        prop_assert!(set.is_subset(&may) && set.len() == picks.len(), "{:?} of {:?}", picks, may);
        if steer == "[rotate]" {
            prop_assert_eq!(set.is_empty(), may.is_empty());
        } else {
            prop_assert_eq!(set.len(), may.len().min(most));
        }
    }
}
