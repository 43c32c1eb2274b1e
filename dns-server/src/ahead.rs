//! Memory asked for before it is needed.
//!
//! What an answer is made from lies far apart: a slot, a cell, the index of a
//! class map and its ranges are each one wait for memory, one after another,
//! and together longer than all that is computed. A batch of queries is
//! therefore looked at once before any of it is answered, step by step over
//! all of it: the waits of one step are independent of each other, so the
//! processor makes them at the same time.
//!
//! What is read here is thrown away, and a query that is misread (sealed,
//! behind a proxy, an alias) is answered a little later and not otherwise.
//!
//! **Invariant:** nothing is decided here.

use std::hint::black_box;
use std::net::IpAddr;

use rhumb_zones::ServiceId;

use crate::query::{Folded, glance};
use crate::snapshot::Snapshot;

/// Queries looked at, at most: a whole batch.
const MOST: usize = 32;

/// What is known of a query on the way.
#[derive(Clone, Copy, Debug)]
struct Step {
    hash: u64,
    client: IpAddr,
    service: Option<ServiceId>,
}

/// Looks at queries and who sent them, so that their answers come sooner.
pub fn look<'p>(snapshot: &Snapshot, queries: impl Iterator<Item = (&'p [u8], IpAddr)>) {
    let (names, atlas) = (snapshot.names(), &snapshot.parts().atlas);
    let mut steps = [const { None }; MOST];
    let mut folded = Folded::new();
    let mut count = 0;
    for (step, (packet, source)) in steps.iter_mut().zip(queries) {
        count += 1;
        let Some(subnet) = glance(packet, &mut folded) else { continue };
        let hash = names.hash(folded.name());
        black_box(names.approach(hash));
        *step = Some(Step { hash, client: subnet.unwrap_or(source), service: None });
    }
    if count < 2 {
        return;
    }
    let steps = &mut steps[..count];
    for step in steps.iter().flatten() {
        black_box(names.candidate(step.hash));
    }
    for step in steps.iter_mut().flatten() {
        step.service = names.candidate(step.hash).and_then(|node| node.service);
    }
    let mut approaches = [const { None }; MOST];
    for (approach, step) in approaches.iter_mut().zip(steps.iter().flatten()) {
        let Some(service) = step.service else { continue };
        let shape = atlas.shape(service);
        black_box((snapshot.rows(service).any, snapshot.parts().state.service(service).ttl));
        *approach = Some((shape, shape.map().approach(step.client)));
    }
    for (shape, approach) in approaches.iter().flatten() {
        black_box(shape.map().arrive(*approach));
    }
}
