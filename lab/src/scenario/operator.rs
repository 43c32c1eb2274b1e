//! Operators' words under traffic: drain, force, promote, and the refusals.
//!
//! Nothing is broken here, so not one request may fail: a drain moves users
//! away from what still works.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::rows::{failures, restored, with_targets};
use crate::failure::{Done, Failure};
use crate::fault::{How, Part};
use crate::patience::{GENEROUS, pass, until};
use crate::report;
use crate::watch::View;
use crate::world::World;

/// Two TTLs of the lab: every user has moved.
const MOVED: Duration = Duration::from_secs(4);

/// Far above what writing a small file takes.
const WRITTEN: Duration = Duration::from_secs(1);

/// A word, what follows, and the word that takes it back.
struct Row {
    say: &'static [&'static str],
    then: &'static [(View, &'static str)],
    take_back: &'static [&'static str],
}

const ROWS: [Row; 5] = [
    Row {
        say: &["drain", "north", "--reason", "power works"],
        then: &[
            (("north", "any"), "south/telecom"),
            (("north", "pri"), "south/telecom"),
            (("south", "any"), "south/unicom"),
        ],
        take_back: &["undrain", "north"],
    },
    Row {
        say: &["drain", "north", "--service", "any"],
        then: &[(("north", "any"), "south/telecom"), (("north", "pri"), "north/telecom")],
        take_back: &["undrain", "north", "--service", "any"],
    },
    Row {
        say: &["drain", "link:south/unicom"],
        then: &[(("south", "any"), "south/telecom"), (("south", "web"), "south/telecom")],
        take_back: &["undrain"],
    },
    Row {
        say: &["force", "datacenter:south", "down", "--for", "10m", "--reason", "game day"],
        then: &[(("south", "any"), "north/unicom"), (("south", "pri"), "north/unicom")],
        take_back: &["unforce", "datacenter:south"],
    },
    Row {
        say: &["force", "interconnect:north/south", "down"],
        then: &[(("south", "pri"), "north/unicom"), (("south", "any"), "south/unicom")],
        take_back: &["unforce", "interconnect:north/south"],
    },
];

/// Plays every row, then a promotion and what must be refused.
pub(crate) fn play(world: &mut World) -> Done {
    for row in &ROWS {
        tell(world, &row.say.join(" "), |world| row.play(world))?;
        world.rhumb.tell(&["undrain"]).ok();
    }
    tell(world, "what would leave nothing is refused", refusals)?;
    tell(world, "a drain outlives a restart", outlives)?;
    tell(world, "promote pri south, then the interconnect", promote)
}

fn tell(world: &mut World, name: &str, play: impl FnOnce(&mut World) -> Done<String>) -> Done {
    match play(world) {
        Ok(figures) => report::well(name, figures),
        Err(failure) => report::missed(name, with_targets(world, &failure)),
    }
    world.mend()?;
    world.settle()
}

fn answered(world: &World, then: &[(View, &str)]) -> Done {
    then.iter().try_for_each(|(view, want)| {
        until(&format!("{} near {} is answered {want}", view.1, view.0), GENEROUS, || {
            world.watch.now(*view).filter(|sight| sight.answer == *want).map(drop)
        })
    })
}

/// Requires that all requests since `start` got their page; says how many.
fn unharmed(world: &World, start: Instant) -> Done<String> {
    let requests = world.traffic.since(start);
    match requests.iter().find(|request| request.page.is_err()) {
        None => Ok(failures(&requests)),
        Some(failed) => Failure::because(format!("{}, such as {failed:?}", failures(&requests))),
    }
}

impl Row {
    fn play(&self, world: &World) -> Done<String> {
        let (start, before) = (Instant::now(), world.normal.clone());
        world.rhumb.tell(self.say)?;
        answered(world, self.then)?;
        let took = start.elapsed();
        pass(MOVED)?;
        let strayed = |view: View, vip: &str| {
            !world.traffic.flows(view, Duration::from_secs(1), |request| request.vip == vip)
        };
        if let Some((view, _)) = self.then.iter().find(|(view, want)| strayed(*view, want)) {
            return Failure::because(format!("users of {} near {} have not moved", view.1, view.0));
        }
        world.rhumb.tell(self.take_back)?;
        restored(world, &before)?;
        pass(MOVED)?;
        Ok(format!("right answers after {}, {}, taken back", report::seconds(took), unharmed(world, start)?))
    }
}

/// Orders that would leave a service without a usable VIP.
fn refusals(world: &mut World) -> Done<String> {
    let start = Instant::now();
    world.rhumb.tell(&["drain", "north"])?;
    for order in
        [["drain", "south"].as_slice(), &["force", "datacenter:south", "down"], &["drain", "service:any"]]
    {
        if world.rhumb.tell(order).is_ok() {
            return Failure::because(format!("`rhumb {}` was not refused", order.join(" ")));
        }
    }
    world.rhumb.tell(&["undrain"])?;
    pass(MOVED)?;
    unharmed(world, start)
}

fn outlives(world: &mut World) -> Done<String> {
    let (start, before) = (Instant::now(), world.normal.clone());
    world.rhumb.tell(&["drain", "north"])?;
    let then = [(("north", "any"), "south/telecom")];
    answered(world, &then)?;
    // The word is on disk soon after it is taken, not before.
    pass(WRITTEN)?;
    let killed = Instant::now();
    world.restart(Signal::KILL)?;
    until("it answers its commands", GENEROUS, || world.rhumb.targets().ok())?;
    pass(MOVED)?;
    let seen = world.watch.since(("north", "any"), killed);
    if let Some(wrong) = seen.iter().find(|sight| sight.answer != "south/telecom") {
        return Failure::because(format!("answered {} after the restart", wrong.answer));
    }
    world.rhumb.tell(&["undrain"])?;
    restored(world, &before)?;
    unharmed(world, start)
}

/// The store moves south, says the operator; then the line is cut, and all
/// writes go south.
fn promote(world: &mut World) -> Done<String> {
    let before = world.normal.clone();
    world.primary.store(1, Ordering::Relaxed);
    world.rhumb.tell(&["promote", "pri", "south", "--reason", "the replica took over"])?;
    world.strike(Part::Interconnect("north", "south"), How::Cut)?;
    let start = Instant::now();
    answered(world, &[(("north", "pri"), "south/telecom"), (("south", "pri"), "south/unicom")])?;
    let took = start.elapsed();
    world.mend()?;
    restored(world, &before)?;
    world.primary.store(0, Ordering::Relaxed);
    world.rhumb.tell(&["promote", "pri", "north"])?;
    Ok(format!("right answer {}, recovered", report::seconds(took)))
}
