//! Path, precedence, tiers and last resort against the oracle.

use proptest::prelude::*;
use rhumb_health::Status;
use rhumb_policies::{Action, Inputs, Outcome};
use rhumb_zones::{DatacenterId, ServiceId};

use crate::oracle::{Events, Kind, Oracle, Word};
use crate::topology::{Topology, topologies};
use crate::world::{Case, Luck, at};

fn inputs(case: &Case, events: &Events) -> Inputs {
    let mut inputs = Inputs::new(case.model(), Status::Up);
    for name in &events.down {
        inputs.set_verdict(case.model(), case.target(name), Status::Down);
    }
    for (name, word) in &events.words {
        let action = match word {
            Word::Up => Action::Up,
            Word::Down => Action::Down,
            Word::Drain => Action::Drain,
        };
        inputs.simply(case.target(name), action);
    }
    if let Some(datacenter) = events.promoted {
        inputs.promote(ServiceId::new(0), DatacenterId::new(datacenter));
    }
    inputs
}

/// Asks product and oracle after `before` and `events`, for a client at the
/// first datacenter of the world's preference.
fn check(world: &Topology, case: &Case, [before, events]: [&Events; 2]) {
    let events = &Events { promoted: events.promoted.or(before.promoted), ..events.clone() };
    let usable = |events| {
        let oracle = Oracle { world, events };
        (0..world.vips.len()).filter(|&vip| oracle.is_usable(vip)).collect::<Vec<_>>()
    };
    let kept = [usable(events), usable(before)].into_iter().find(|vips| !vips.is_empty());
    let events = &Events { kept: kept.unwrap_or_default(), ..events.clone() };
    let (kind, vips) = Oracle { world, events }.decide();
    let want = vips.first().map(|&vip| case.vip(vip));

    let previous = case.state(&inputs(case, before));
    let state = case.after(&previous, &inputs(case, events));
    let client = at(0.0, 10.0 * world.preference[0] as f64);
    let (outcome, picks) = case.ask(&state, client, Luck::default());
    let got = match outcome {
        Outcome::Vips(tier) => Kind::Tier(tier.number()),
        Outcome::FallbackAddresses | Outcome::RuleAddresses(_) => Kind::Addresses,
        Outcome::FallbackName => Kind::Name,
        Outcome::Fail => Kind::Fail,
    };
    assert_eq!((got, picks.first()), (kind, want.as_ref()), "{events:?}\n{}", world.policy());
    assert!(picks.len() <= 1, "one VIP is answered unless more are asked for");
    let ttl = if matches!(kind, Kind::Tier(1 | 2)) { 30 } else { 5 };
    assert_eq!(state.service(ServiceId::new(0)).ttl, ttl, "the floor is for last resorts: {events:?}");
}

/// Seven components of two datacenters, in all 128 combinations of faults,
/// for a client near each, each primary, and data anywhere.
#[test]
fn truth_table_of_two_datacenters() {
    let components = [
        &["link:d0/l0", "link:d0/l1"][..],
        &["link:d1/l0", "link:d1/l1"],
        &["balancer:d0/b0", "balancer:d0/b1"],
        &["balancer:d1/b0", "balancer:d1/b1"],
        &["intranet:d0"],
        &["intranet:d1"],
        &["interconnect:d0/d1"],
    ];
    let mut seen = 0;
    for (primary, nearest) in [None, Some(0), Some(1)].into_iter().flat_map(|one| [(one, 0), (one, 1)]) {
        let world = Topology::pair(primary, nearest);
        let case = Case::new(&world.policy());
        for faults in 0..1_usize << components.len() {
            let broken = components.iter().enumerate().filter(|(bit, _)| faults >> bit & 1 == 1);
            let down =
                broken.flat_map(|(_, targets)| targets.iter().map(|name| (*name).to_owned())).collect();
            check(&world, &case, [&Events::default(), &Events { down, ..Events::default() }]);
            seen += 1;
        }
    }
    assert_eq!(seen, 6 * 128, "every combination");
}

/// What the published design of active-active scheduling asks for, spelled out.
#[test]
fn the_four_fault_strategies() {
    let everything = ["balancer:d0/b0", "balancer:d0/b1", "link:d0/l0", "link:d0/l1"];
    let [b0, b1, l0, l1] = everything;
    let rows: [(&[&str], Option<usize>, &str, &str); 8] = [
        (&[], None, "d0/l0", "nearest, first link"),
        (&[l0], None, "d0/l1", "a sibling link"),
        (&[b0], None, "d0/l0", "a sibling balancer: DNS does not change"),
        (&[b0, b1], None, "d1/l0", "all balancers: the other datacenter's enter"),
        (&[l0, l1], None, "d1/l0", "egress: the other datacenter"),
        (&["intranet:d0"], None, "d0/l0", "intranet: over the interconnect, DNS does not change"),
        (&["intranet:d0", "interconnect:d0/d1"], None, "d1/l0", "intranet, and no way around"),
        (&["interconnect:d0/d1"], Some(1), "d1/l0", "interconnect: all to the primary"),
    ];
    for (down, primary, want, why) in rows {
        let case = Case::new(&Topology::pair(primary, 0).policy());
        let (_, picks) = case.ask(&case.state(&case.without(down)), at(0.0, 0.0), Luck::default());
        assert_eq!(picks, [want], "{why}");
    }
}

fn events()
-> impl Strategy<Value = (Vec<bool>, Vec<(prop::sample::Index, Word)>, Option<prop::sample::Index>)> {
    let word = prop::sample::select(vec![Word::Up, Word::Down, Word::Drain]);
    (
        prop::collection::vec(prop::bool::weighted(0.25), 80),
        prop::collection::vec((any::<prop::sample::Index>(), word), 0..=4),
        prop::option::of(any::<prop::sample::Index>()),
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    /// The product decides as the oracle does, whatever is declared and
    /// whatever happens, and twice in a row.
    #[test]
    fn decisions_are_the_oracles(world in topologies(), histories in [events(), events()]) {
        let case = Case::new(&world.policy());
        let [before, now] = histories.map(|(down, words, promoted)| Events {
            down: world.probed().into_iter().zip(down).filter(|(_, down)| *down).map(|(name, _)| name).collect(),
            words: words.iter().map(|(index, word)| (index.get(&world.targets()).clone(), *word)).collect(),
            promoted: promoted.map(|index| index.index(world.datacenters.len())),
            kept: Vec::new(),
        });
        check(&world, &case, [&before, &now]);
    }
}
