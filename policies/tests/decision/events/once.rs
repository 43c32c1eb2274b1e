//! Every transition is told once, and alerts that begin also end.

use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::*;
use rhumb_policies::{Event, EventKind, Phase, State, events, standing};

use super::states;
use crate::oracle::{self, Oracle, Word};
use crate::topology::topologies;
use crate::world::Case;

/// Alerts that stand, by kind and target.
type Standing = BTreeSet<(EventKind, String)>;

fn alerts(case: &Case, state: &State) -> Standing {
    let events = standing(&case.world, state, Duration::ZERO);
    assert!(events.iter().all(|event| event.phase == Phase::Begins), "{events:?}");
    events.into_iter().map(|event| (event.kind, event.target)).collect()
}

fn history() -> impl Strategy<Value = (Vec<bool>, Vec<(prop::sample::Index, char)>)> {
    let word = prop::sample::select(vec!['!', '^', '~']);
    (
        prop::collection::vec(prop::bool::weighted(0.25), 80),
        prop::collection::vec((any::<prop::sample::Index>(), word), 0..=3),
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is declared and whatever happens: every transition is named
    /// once, and alerts that begin and end leave those that stand.
    #[test]
    fn every_transition_is_told_once(world in topologies(), histories in [history(), history()]) {
        let case = Case::new(&world.policy());
        let happened = histories.map(|(down, words)| {
            let down = world.probed().into_iter().zip(down).filter(|(_, down)| *down).map(|(name, _)| name);
            let words = words.iter().map(|(index, word)| format!("{word}{}", index.get(&world.targets())));
            down.chain(words).collect::<Vec<_>>()
        });
        let [before, after] = happened.each_ref().map(|one| one.iter().map(String::as_str).collect::<Vec<_>>());
        let [before, after] = states(&case, [&before, &after]);
        let events = events(&case.world, &before, &after, Duration::ZERO);

        let mut told = alerts(&case, &before);
        for event in &events {
            let key = (event.kind, event.target.clone());
            let right = match event.phase {
                Phase::Begins => told.insert(key),
                Phase::Ends => told.remove(&key),
                Phase::Notice => told.contains(&key),
            };
            prop_assert!(right, "{event:?} of {events:?}");
        }
        prop_assert_eq!(told, alerts(&case, &after));

        let sides = happened.each_ref().map(|one| seen(one));
        for name in world.targets() {
            let [was, is] = sides.each_ref().map(|events| Oracle { world: &world, events }.is_up(&name));
            let masked = events.iter().filter(|event| event.masked.contains(&name)).count();
            let subject = |kind| {
                let is_of = |event: &&Event| event.kind == kind && event.target == name;
                events.iter().filter(is_of).count()
            };
            let named = masked + subject(EventKind::TargetDown);
            let right = match (was != is, named) {
                (true, 0) => subject(EventKind::ForcedDown) > 0,
                (true, named) => named == 1,
                (false, _) => masked == 0 || name.starts_with("service:"),
            };
            prop_assert!(right, "{name} {was} {is}: {events:?}");
        }
    }
}

/// The same for the oracle.
fn seen(happened: &[String]) -> oracle::Events {
    let mut events = oracle::Events::default();
    for one in happened {
        let word = match one.chars().next() {
            Some('!') => Word::Down,
            Some('^') => Word::Up,
            Some('~') => Word::Drain,
            _ => {
                events.down.insert(one.clone());
                continue;
            }
        };
        events.words.insert((one[1..].to_owned(), word));
    }
    events
}
