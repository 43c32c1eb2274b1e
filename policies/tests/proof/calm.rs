//! How calm the selection is, on links that go by probe after probe.
//!
//! The selection is the real one: a policy of one datacenter whose links are
//! measured, advanced in virtual time with what windows of 60 probes show.

use std::fmt::Write;
use std::time::Duration;

use rhumb_geo::{Gazetteer, PlaceTable};
use rhumb_health::{Measure, Status};
use rhumb_link_traces::series::{STEP_S, Series, WINDOW};
use rhumb_policies::{Atlas, Inputs, State, World, advance};
use rhumb_zones::{LoadOptions, NoFiles, Source, TargetId, load};

/// Steps between two looks of the selection: ten seconds.
const LOOK: usize = 5;

const HOUR: usize = 3_600 / STEP_S;

/// What a selection did.
#[derive(Clone, Copy, Default, Debug)]
struct Deeds {
    switches: u32,
    /// The mean of the true delays of what was chosen, ms.
    delay_ms: f64,
    /// The last switch, in steps.
    last: usize,
}

/// What a selection of this policy does.
fn run(series: &Series, selection: &str) -> Deeds {
    let mut text =
        format!("zone: example.com\nservices:\n  www:\n    link-selection: {selection}\n    vips: {{ d: {{ ");
    (0..series.links()).for_each(|link| write!(text, "l{link}: 192.0.2.{}, ", link + 1).unwrap());
    text.push_str("} }\ndatacenters: { d: { links: { ");
    (0..series.links()).for_each(|link| write!(text, "l{link}: {{}}, ").unwrap());
    text.push_str("} } }\n");
    let source = Source { path: "policy.yaml".into(), bytes: text.into() };
    let (world, wrong) = World::compile(load(&[source], &NoFiles, &LoadOptions::default()).model, &NoFiles);
    assert!(!wrong.refuse(), "{wrong}");
    let table = PlaceTable::new(Gazetteer::unknown().into(), &[], &[]);
    let atlas = Atlas::survey(&world, &table).unwrap();
    let model = world.model();
    let targets: Vec<TargetId> = model.links().iter().map(|link| link.target).collect();
    let mut inputs = Inputs::new(model, Status::Up);
    let mut state = State::default();
    let (mut deeds, mut chosen, mut looks) = (Deeds::default(), None, 0.0);
    for step in (WINDOW - 1..series.steps()).step_by(LOOK) {
        for (target, seen) in targets.iter().zip(series.seen(step)) {
            let (loss, delay) = (seen.loss, seen.delay_ms);
            let tries = u32::try_from(WINDOW).unwrap();
            let (p50_ms, p95_ms, jitter_ms) = (delay, delay, seen.jitter_ms);
            inputs.set_measure(*target, Measure { loss, delay_ms: delay, p50_ms, p95_ms, jitter_ms, tries });
        }
        let now = Duration::from_secs(1_000_000 + u64::try_from(step * STEP_S).unwrap());
        state = advance(&world, &state, &inputs, now);
        state.select(&world, &atlas, &inputs);
        let summary = &state.links(&world, &atlas)[0];
        let link = summary.links.iter().position(|link| link.share > 0.5).unwrap();
        if chosen.is_some_and(|chosen| chosen != link) {
            deeds.switches += 1;
            deeds.last = step;
        }
        chosen = Some(link);
        deeds.delay_ms += series.truth_ms(link, step);
        looks += 1.0;
    }
    Deeds { delay_ms: deeds.delay_ms / looks, ..deeds }
}

#[test]
fn noise_moves_nobody() {
    for seed in 1..=4 {
        let Deeds { switches, .. } = run(&Series::alternating(seed, 6 * HOUR), "formula");
        println!("alternating, seed {seed}: {switches} switches in 6 h");
        assert!(switches <= 36, "seed {seed}: {switches} switches in 6 h are more than one in ten minutes");
    }
}

#[test]
fn what_is_three_times_as_slow_is_left_within_two_windows() {
    for seed in 1..=8 {
        let from = HOUR / 2;
        let Deeds { switches, last, .. } = run(&Series::degraded(seed, HOUR, from), "formula");
        let seconds = (last.saturating_sub(from)) * STEP_S;
        println!("degraded, seed {seed}: {switches} switches, after {seconds} s");
        assert!(
            switches == 1 && last > from && seconds <= 2 * WINDOW * STEP_S,
            "seed {seed}: {switches} {seconds} s"
        );
    }
}

#[test]
fn calm_costs_little_on_real_delays() {
    let (mut calm, mut restless) = (Deeds::default(), Deeds::default());
    for seed in 1..=6 {
        let series = Series::planetlab(seed, 4, 24 * HOUR);
        for (sum, selection) in
            [(&mut calm, "formula"), (&mut restless, "{ formula: ~, margin: 0, hold: 0s, pace: 1 }")]
        {
            let deeds = run(&series, selection);
            sum.switches += deeds.switches;
            sum.delay_ms += deeds.delay_ms / 6.0;
        }
    }
    println!("planetlab, six days of four links: calm {calm:?}, restless {restless:?}");
    assert!(calm.switches * 2 <= restless.switches, "{calm:?} {restless:?}");
    assert!(calm.delay_ms <= restless.delay_ms + 0.5, "{calm:?} {restless:?}");
}
