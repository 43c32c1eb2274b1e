//! Any bytes as a policy: refused with addressed diagnostics, or compiled to
//! what a server would serve, within bounded time and memory.

#![no_main]

use std::sync::Arc;
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use rhumb::snapshot::{Parts, Signatures, Snapshot, Views};
use rhumb_geo::{Gazetteer, PlaceTable};
use rhumb_health::Status;
use rhumb_policies::{Atlas, Inputs, State, World, advance};
use rhumb_zones::{Files, LoadOptions, Loaded, ReadError, Source, load};

/// Every file that a policy names is the same small zone.
struct OneZone;

const ZONE: &[u8] = b"$TTL 300\n@ SOA ns1 hostmaster 1 3600 600 604800 60\n@ NS ns1\nns1 A 192.0.2.1\n\
    mail A 192.0.2.2\n@ MX 10 mail\nalias CNAME www\n*.any TXT text\nsub NS ns.sub\nns.sub A 192.0.2.3\n";

impl Files for OneZone {
    fn read(&self, _from: &str, path: &str) -> Result<(String, Vec<u8>), ReadError> {
        Ok((format!("zone {path}"), ZONE.to_vec()))
    }
}

fuzz_target!(|bytes: &[u8]| {
    let source = Source { path: "policy.yaml".into(), bytes: bytes.to_vec() };
    let Loaded { model, mut diagnostics } = load(&[source], &OneZone, &LoadOptions::default());
    rhumb_health::probe::validate(&model, &mut diagnostics);
    let (world, wrong) = World::compile(model, &OneZone);
    diagnostics.append(wrong);
    for diagnostic in diagnostics.iter() {
        let text = diagnostic.to_string();
        assert!(text.starts_with("policy.yaml:") || text.starts_with("zone"), "where is it? {text}");
    }
    if !diagnostics.refuse() {
        compile(world);
    }
});

/// What may be served can be compiled.
fn compile(world: World) {
    let carriers = world.model().carriers();
    let places = PlaceTable::new(Arc::new(Gazetteer::unknown()), carriers, world.operator_prefixes());
    let Ok(atlas) = Atlas::survey(&world, &places) else { return };
    let inputs = Inputs::new(world.model(), Status::Unknown);
    let mut state = advance(&world, &State::default(), &inputs, Duration::ZERO);
    state.select(&world, &atlas, &inputs);
    let zones = world.model().zones().len();
    let signatures = Signatures::none(world.model());
    let views = Views::of(&world, &atlas);
    let compiled = Snapshot::compile(Parts {
        serials: vec![1; zones],
        assigned: 0,
        world: Arc::new(world),
        places: Arc::new(places),
        atlas: Arc::new(atlas),
        state: Arc::new(state),
        signatures,
        views: Arc::new(views),
        generation: 1,
        options: Arc::default(),
    });
    assert!(compiled.is_ok(), "{compiled:?}");
}
