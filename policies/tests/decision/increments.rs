//! Deciding only what changed gives what deciding everything gives.
//!
//! Random histories of a world with everything in it: after each step, and at
//! each moment at which the state asks to be called, the state that follows is
//! compared with the one that follows the same state from paper, where no
//! service is known and so all are decided.

use std::time::Duration;

use proptest::prelude::*;
use rhumb_health::Status;
use rhumb_policies::{Action, Inputs, Override, Renames, State, advance};
use rhumb_zones::{DatacenterId, ServiceId, TargetId};

use crate::world::Case;

/// Services that share some of the topology: with nodes and a primary, with a
/// ramp, with two families, with a disabled VIP, and one far from the others.
const POLICY: &str = r#"
zone: example.com
datacenters:
  a: { at: [0, 0], links: { x: {}, y: {} }, balancers: { b1: {}, b2: {} } }
  b: { at: [0, 10], links: { x: { recovery: manual }, y: {} }, ramp: 20s }
  c: { at: [0, 20] }
interconnects:
  - { between: [a, b], hold: 10s }
  - { between: [b, c], recovery: manual, hold: 15s }
services:
  www:
    data: primary
    primary: a
    vips: { a: { x: 192.0.2.1, y: 192.0.2.2 }, b: { x: 192.0.2.3 } }
    nodes: { a: [ { address: '10.0.0.1:80' } ], b: [ { address: '10.0.0.2:80', enabled: false } ], c: [ { address: '10.0.0.3:80' } ] }
  mail:
    ramp: 100s
    last-resort: keep
    vips: { a: { y: { address: [192.0.2.4, 192.0.2.5, '2001:db8::1'] } }, b: { y: 192.0.2.6 }, c: 192.0.2.7 }
  shop:
    primary: { initially: b, probe: { exec: [/bin/true] } }
    data: primary
    last-resort: fail
    vips: { b: { x: 192.0.2.8, y: { address: 192.0.2.9, enabled: false } }, c: { address: [192.0.2.10, 192.0.2.11] } }
  far:
    vips: { c: 192.0.2.12 }
rules:
  - { name: avoid, when: 'link("a", "x").down', apply: { avoid: [link:a/y] } }
  - { name: calm, when: 'link("b", "y").since_s < 30.0', apply: { services: [mail], freeze: true } }
  - { name: home, when: 'service("far").down && link("a", "y").loss > 0.5', apply: { all-to-primary: true, ttl: 10s } }
"#;

/// What happens at one moment.
#[derive(Clone, Debug)]
enum Act {
    Verdict(prop::sample::Index, Status),
    Address(prop::sample::Index, Status),
    Unsettled(prop::sample::Index, bool),
    /// A word on a target that starts and ends in so many seconds.
    Word(prop::sample::Index, Action, u64, u64),
    Unsaid,
    Primary(prop::sample::Index, prop::sample::Index),
    Confirmed(prop::sample::Index),
    OwnFault(bool),
    Loss(f64),
}

fn acts() -> impl Strategy<Value = Act> {
    let any_index = any::<prop::sample::Index>;
    let status = || prop::sample::select(vec![Status::Up, Status::Down, Status::Down, Status::Unknown]);
    let action = prop::sample::select(vec![Action::Up, Action::Down, Action::Drain]);
    prop_oneof![
        8 => (any_index(), status()).prop_map(|(target, status)| Act::Verdict(target, status)),
        4 => (any_index(), status()).prop_map(|(address, status)| Act::Address(address, status)),
        2 => (any_index(), any::<bool>()).prop_map(|(target, is)| Act::Unsettled(target, is)),
        2 => (any_index(), action, 0..30_u64, 1..60_u64)
            .prop_map(|(target, action, starts, lasts)| Act::Word(target, action, starts, lasts)),
        1 => Just(Act::Unsaid),
        1 => (any_index(), any_index()).prop_map(|(service, to)| Act::Primary(service, to)),
        1 => any_index().prop_map(Act::Confirmed),
        1 => prop::bool::weighted(0.3).prop_map(Act::OwnFault),
        1 => (0.0..1.0).prop_map(Act::Loss),
    ]
}

fn act(case: &Case, inputs: &mut Inputs, act: &Act, now: Duration) {
    let model = case.model();
    let target = |index: &prop::sample::Index| TargetId::new(index.index(model.targets().len()));
    let seconds = Duration::from_secs;
    match act {
        Act::Verdict(index, status) => inputs.set_verdict(model, target(index), *status),
        Act::Address(index, status) => {
            let vips = model.vips().iter();
            let all: Vec<_> =
                vips.flat_map(|vip| vip.addresses.iter().map(|address| (vip.target, *address))).collect();
            let (vip, address) = *index.get(&all);
            inputs.set_address(vip, address, *status);
        }
        Act::Unsettled(index, is) => inputs.set_unsettled(target(index), *is),
        Act::Word(index, action, starts, lasts) => inputs.add(Override {
            target: target(index),
            action: *action,
            starts: Some(now + seconds(*starts)),
            expires: Some(now + seconds(starts + lasts)),
            reason: String::new(),
            author: String::new(),
        }),
        Act::Unsaid => inputs.replace(Vec::new()),
        Act::Primary(service, to) => {
            let datacenter = DatacenterId::new(to.index(3));
            let service = ServiceId::new(service.index(model.services().len()));
            inputs.promote(service, datacenter);
            inputs.follow(service, datacenter);
        }
        Act::Confirmed(index) => inputs.recover(target(index), now),
        Act::OwnFault(is) => inputs.set_own_fault(*is),
        Act::Loss(loss) => {
            let measure = rhumb_health::Measure { loss: *loss, tries: 9, ..Default::default() };
            inputs.set_measure(case.target("link:a/y"), measure);
        }
    }
}

/// The state that follows, the same by both ways.
fn follow(case: &Case, before: &State, inputs: &Inputs, now: Duration) -> State {
    let world = &case.world;
    let after = advance(world, before, inputs, now);
    let paper = State::restore(world, &before.save(world)).unwrap();
    let whole = advance(world, &paper, inputs, now);
    for index in 0..case.model().services().len() {
        let (id, name) = (ServiceId::new(index), &case.model().services()[index].name);
        assert_eq!(after.service(id), whole.service(id), "{name} at {now:?}");
        assert_eq!(after.usable(id), whole.usable(id), "{name} at {now:?}");
        for &vip in &case.model().service(id).vips {
            assert_eq!(after.left_out(vip), whole.left_out(vip), "{name} at {now:?}");
        }
    }
    for index in 0..case.model().targets().len() {
        let id = TargetId::new(index);
        assert_eq!(after.target(world, id), whole.target(world, id), "target {index} at {now:?}");
    }
    assert_eq!(after.save(world), whole.save(world), "at {now:?}");
    assert_eq!(after.wake(), whole.wake(), "at {now:?}");
    let renames = Renames::new(case.model(), case.model());
    let carried = advance(world, &before.carry(world, world, &renames), inputs, now);
    assert_eq!(carried.save(world), whole.save(world), "carried at {now:?}");
    let told = |to: &State| rhumb_policies::events(world, before, to, now);
    assert_eq!(told(&after), told(&whole), "at {now:?}");
    after
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_changed_is_enough(
        steps in prop::collection::vec((0_i64..60, prop::collection::vec(acts(), 0..4)), 1..25),
        setback in prop::option::weighted(0.2, 0_usize..25),
    ) {
        let case = Case::new(POLICY);
        let mut inputs = case.well();
        let mut now = Duration::from_secs(1_000);
        let mut state = follow(&case, &State::default(), &inputs, now);
        for (index, (pause, all)) in steps.iter().enumerate() {
            let until = match setback == Some(index) {
                true => now.saturating_sub(Duration::from_secs(25)), // the clock is set
                false => now + Duration::from_secs(pause.unsigned_abs()),
            };
            while let Some(wake) = state.wake().filter(|&wake| wake < until) {
                state = follow(&case, &state, &inputs, wake);
            }
            now = until;
            all.iter().for_each(|one| act(&case, &mut inputs, one, now));
            state = follow(&case, &state, &inputs, now);
            inputs.settle();
        }
    }
}
