//! The server ends and comes again in the middle of a fault, or reads its
//! policy again.
//!
//! What it knew is on disk, so no answer may flip: neither back to what is
//! broken nor elsewhere. Users notice nothing at all, for their resolver asks
//! again.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::rows::{failures, restored, with_targets};
use crate::failure::{Done, Failure};
use crate::fault::{How, Part};
use crate::patience::{GENEROUS, pass, until};
use crate::report;
use crate::watch::View;
use crate::world::World;

/// Several rounds of probes: time for a false verdict to show.
const AFTERWARDS: Duration = Duration::from_secs(3);

/// What is broken meanwhile, and whose answers are elsewhere because of it.
struct Row {
    name: &'static str,
    strike: Option<(Part, How)>,
    away: &'static [(View, &'static str)],
    /// How it ends; nothing when it only reads its policy again.
    signal: Option<Signal>,
}

const ROWS: [Row; 6] = [
    Row { name: "SIGTERM, all well", strike: None, away: &[], signal: Some(Signal::TERM) },
    Row { name: "SIGKILL, all well", strike: None, away: &[], signal: Some(Signal::KILL) },
    Row {
        name: "SIGKILL with balancers north down",
        strike: Some((Part::Balancers("north"), How::Kill)),
        away: &[(("north", "any"), "south/telecom"), (("north", "pri"), "south/telecom")],
        signal: Some(Signal::KILL),
    },
    Row {
        name: "SIGTERM with egress south down",
        strike: Some((Part::Egress("south"), How::Drop)),
        away: &[(("south", "any"), "north/unicom"), (("south", "web"), "north/unicom")],
        signal: Some(Signal::TERM),
    },
    Row {
        name: "SIGKILL with the interconnect down",
        strike: Some((Part::Interconnect("north", "south"), How::Cut)),
        away: &[(("south", "pri"), "north/unicom")],
        signal: Some(Signal::KILL),
    },
    Row {
        name: "reload with balancers south down",
        strike: Some((Part::Balancers("south"), How::Cut)),
        away: &[(("south", "any"), "north/unicom"), (("south", "web"), "north/unicom")],
        signal: None,
    },
];

/// Plays every row.
pub(crate) fn play(world: &mut World) -> Done {
    for row in &ROWS {
        let name = format!("restart: {}", row.name);
        match row.play(world) {
            Ok(figures) => report::well(&name, figures),
            Err(failure) => report::missed(&name, with_targets(world, &failure)),
        }
        world.mend()?;
        if !world.rhumb.is_running() {
            world.restart(Signal::TERM)?;
        }
        world.settle()?;
    }
    Ok(())
}

impl Row {
    fn play(&self, world: &mut World) -> Done<String> {
        let before = world.normal.clone();
        if let Some((part, how)) = self.strike {
            world.strike(part, how)?;
        }
        for (view, away) in self.away {
            until(&format!("{} near {} is answered {away}", view.1, view.0), GENEROUS, || {
                world.watch.now(*view).filter(|sight| sight.answer == *away)
            })?;
        }
        until("the state is on disk", GENEROUS, || {
            let is_saved = world.rhumb.is_saved().unwrap_or(false);
            is_saved.then_some(())
        })?;
        let during: Vec<(View, String)> =
            world.answers().into_iter().map(|(view, sight)| (view, sight.answer)).collect();
        let start = Instant::now();
        match self.signal {
            Some(signal) => world.restart(signal)?,
            None => world.rhumb.reload()?,
        }
        until("it answers its commands", GENEROUS, || world.rhumb.targets().ok())?;
        pass(AFTERWARDS)?;
        for (view, want) in &during {
            let seen = world.watch.since(*view, start);
            if let Some(wrong) = seen.iter().find(|sight| sight.answer != *want) {
                let (service, place) = (view.1, view.0);
                return Failure::because(format!(
                    "{service} near {place} flipped to {}, from {want}",
                    wrong.answer
                ));
            }
        }
        let requests = world.traffic.since(start);
        world.mend()?;
        restored(world, &before)?;
        Ok(format!("no answer flipped, {}, recovered", failures(&requests)))
    }
}
