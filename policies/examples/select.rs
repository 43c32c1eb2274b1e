//! How long selecting links takes: 8 datacenters of 4 links, 2,000 classes.
//!
//! `cargo run --release -p rhumb-policies --example select` prints the median
//! and the worst of a hundred rounds in which every link measures something
//! else, so that nothing can be left as it was.

#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on has failed")]
#![allow(clippy::print_stdout, reason = "figures are for people")]
#![allow(clippy::disallowed_methods, reason = "a benchmark looks at a clock")]

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use rhumb_geo::{Gazetteer, PlaceTable};
use rhumb_health::{Measure, Status};
use rhumb_policies::{Atlas, Inputs, State, World, advance};
use rhumb_zones::{LoadOptions, NoFiles, Source, load};

/// A policy with so many classes: each group of clients prefers otherwise.
fn policy(classes: usize) -> String {
    let mut text = String::from("zone: example.com\ndatacenters:\n");
    for dc in 0..8 {
        write!(text, "  d{dc}: {{ at: [{}, {}], links: {{ ", dc * 10 - 40, dc * 40 - 160).unwrap();
        (0..4).for_each(|link| write!(text, "l{link}: {{ quality: {} }}, ", 40 + 10 * link).unwrap());
        text.push_str("} }\n");
    }
    text.push_str("services:\n  www:\n    link-selection: { formula: ~, hold: 0s, pace: 1 }\n    vips:\n");
    for dc in 0..8 {
        write!(text, "      d{dc}: {{ ").unwrap();
        (0..4).for_each(|link| write!(text, "l{link}: 192.0.2.{}, ", 4 * dc + link + 1).unwrap());
        text.push_str("}\n");
    }
    text.push_str("clients:\n");
    for class in 1..classes {
        let (prefix, weight) = (format!("10.{}.{}.0/24", class / 256, class % 256), 1.0 + class as f64 / 1e4);
        writeln!(text, "  c{class}: {{ prefixes: [{prefix}], prefer: {{ d0/l0: {weight} }} }}").unwrap();
    }
    text
}

fn main() {
    let source = Source { path: "policy.yaml".into(), bytes: policy(2_000).into() };
    let (world, wrong) = World::compile(load(&[source], &NoFiles, &LoadOptions::default()).model, &NoFiles);
    assert!(!wrong.refuse(), "{wrong}");
    let table = PlaceTable::new(Gazetteer::unknown().into(), &[], world.operator_prefixes());
    let atlas = Atlas::survey(&world, &table).unwrap();
    let model = world.model();
    let mut inputs = Inputs::new(model, Status::Up);
    let mut state = State::default();
    let mut times = Vec::new();
    for round in 0_u32..100 {
        for (link, number) in model.links().iter().zip(0_u32..) {
            let delay = Some(f64::from((number * 7 + round * 13) % 50 + 10));
            let (loss, jitter_ms, tries) = (f64::from((number + round) % 5) / 100.0, Some(1.0), 60);
            let measure = Measure { loss, delay_ms: delay, p50_ms: delay, p95_ms: delay, jitter_ms, tries };
            inputs.set_measure(link.target, measure);
        }
        state = advance(&world, &state, &inputs, Duration::from_secs(1_000 + 2 * u64::from(round)));
        let began = Instant::now();
        state.select(&world, &atlas, &inputs);
        times.push(began.elapsed());
    }
    times.sort();
    let classes = state.links(&world, &atlas)[0].classes;
    println!("{classes} classes of 32 links: median {:.1?}, worst {:.1?}", times[50], times[99]);
}
