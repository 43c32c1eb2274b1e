//! What the keeper tells the school, and what it is taught.
//!
//! A window is what was decided for some classes of every model's services,
//! and what all their links measured: the outcome of the window before. Both
//! come from the state that is published, so that what is written down is what
//! was answered.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use rhumb_policies::link::learned::ModelFile;
use rhumb_policies::{Atlas, Decision, LinkSummary, State, World};

use crate::school::{self, Group, Measured, Window};
use crate::snapshot::Snapshot;

/// What is decided now, model by model.
pub(super) fn windows(snapshot: &Snapshot, state: &State, now: Duration) -> Vec<Window> {
    let parts = snapshot.parts();
    let (world, atlas): (&World, &Atlas) = (&parts.world, &parts.atlas);
    let files = world.model_files();
    if files.is_empty() {
        return Vec::new();
    }
    let measured = measured(&state.links(world, atlas));
    let window = |file: Arc<ModelFile>| {
        let decisions = state.decisions(world, atlas, &file.name, |classes| school::turn(classes, now));
        let groups = decisions.into_iter().map(|Decision { name, links }| Group {
            name,
            links: links.into_iter().map(|(link, facts)| (Arc::from(link), facts)).collect(),
        });
        let groups = groups.collect();
        Window { name: Arc::clone(&file.name), at: now, groups, measured: measured.clone() }
    };
    files.into_iter().map(window).collect()
}

fn measured(summaries: &[LinkSummary]) -> HashMap<Arc<str>, Measured> {
    let links = summaries.iter().flat_map(|summary| &summary.links);
    let measured = links.map(|link| {
        let (loss, delay_ms, jitter_ms) = (link.loss, link.delay_ms, link.jitter_ms);
        (Arc::from(&*link.link), Measured { loss, delay_ms, jitter_ms })
    });
    measured.collect()
}
