//! The figures a name server can promise: from a fault to the first answer
//! that is changed.
//!
//! Measured end to end, by questions every 20 ms. A figure is the best of up
//! to three tries, because the machine may be busy with the other worlds; all
//! are printed. Each try has a service of its own, so that none waits for the
//! recovery of the one before; but for an interconnect, which there is one of.

use std::time::{Duration, Instant};

use crate::failure::Done;
use crate::fault::{How, Part};
use crate::patience::{GENEROUS, until};
use crate::report;
use crate::topology::DATACENTERS;
use crate::watch::View;
use crate::world::World;

/// Services with checks from outside, one for each try.
pub(crate) const SERVICES: [&str; 9] = ["c1", "c2", "c3", "r1", "r2", "r3", "s1", "s2", "s3"];
/// Tries for a figure.
const TRIES: usize = 3;
/// The interconnects' hold in these worlds.
const HOLD: Duration = Duration::from_secs(10);

/// How long what has recovered is held down, by default.
const HELD_DOWN: Duration = Duration::from_secs(30);

/// A way for a VIP to fail.
#[derive(Clone, Copy)]
enum Failing {
    /// Nobody listens.
    Refused,
    /// A firewall resets.
    Reset,
    /// Packets vanish.
    Silent,
}

/// With the defaults: 3.5 s where there is an answer, 5.5 s where there is none.
pub(crate) fn defaults(world: &mut World) -> Done {
    let (answered, silent) = (Duration::from_millis(3_500), Duration::from_millis(5_500));
    figure(world, ("defaults: refused", &SERVICES[..TRIES]), (Failing::Refused, answered))?;
    figure(world, ("defaults: reset", &SERVICES[TRIES..2 * TRIES]), (Failing::Reset, answered))?;
    figure(world, ("defaults: silent drop", &SERVICES[2 * TRIES..]), (Failing::Silent, silent))?;
    interconnect(world, "defaults: interconnect cut", HOLD + silent)
}

/// With interval and timeout of 200 ms: within a second.
pub(crate) fn tuned(world: &mut World) -> Done {
    let second = Duration::from_secs(1);
    figure(world, ("tuned: refused", &SERVICES[..TRIES]), (Failing::Refused, second))?;
    figure(world, ("tuned: reset", &SERVICES[TRIES..2 * TRIES]), (Failing::Reset, second))?;
    figure(world, ("tuned: silent drop", &SERVICES[2 * TRIES..]), (Failing::Silent, second))?;
    interconnect(world, "tuned: interconnect cut", HOLD + second)
}

/// Measures until a try is within `bar`.
fn figure(
    world: &mut World,
    (name, services): (&str, &[&'static str]),
    (failing, bar): (Failing, Duration),
) -> Done {
    let mut tries = Vec::new();
    for service in services {
        let start = fail(world, service, failing)?;
        tries.push(changed(world, ("north", service), (start, "north/unicom"))?);
        world.mend()?;
        if tries.last().is_some_and(|took| *took <= bar) {
            break;
        }
    }
    say(name, &tries, bar);
    Ok(())
}

/// Breaks a service's VIP on north/telecom; answers when it was broken.
fn fail(world: &mut World, service: &'static str, failing: Failing) -> Done<Instant> {
    let router = DATACENTERS[0].space("telecom");
    let index = world.views().iter().position(|(_, one)| *one == service).unwrap_or_default();
    let vip = DATACENTERS[0].vip(0, index);
    match failing {
        Failing::Refused => world.kill(&router, Some(service))?,
        Failing::Reset => {
            world.filter(&router, &format!("ip daddr {vip} tcp dport 80 reject with tcp reset"))?
        }
        Failing::Silent => world.filter(&router, &format!("ip daddr {vip} drop"))?,
    }
    Ok(Instant::now())
}

fn changed(world: &World, view: (&'static str, &'static str), right: (Instant, &str)) -> Done<Duration> {
    until(&format!("{} near {} is answered {}", view.1, view.0, right.1), GENEROUS, || {
        world.watch.first(view, right)
    })
}

/// The primary's datacenter for its services, when its line is cut.
fn interconnect(world: &mut World, name: &str, bar: Duration) -> Done {
    let view = ("south", "pri");
    let before = world.answers();
    let mut tries = Vec::new();
    while tries.len() < TRIES && tries.last().is_none_or(|took| *took > bar) {
        if !tries.is_empty() {
            world.mend()?;
            until("the line is used again", HELD_DOWN + GENEROUS, || {
                world.is_answered(view, "south/unicom").then_some(())
            })?;
        }
        world.strike(Part::Interconnect("north", "south"), How::Drop)?;
        tries.push(changed(world, view, (Instant::now(), "north/unicom"))?);
    }
    say(name, &tries, bar);
    if tries.iter().any(|took| *took < HOLD) {
        report::missed(name, "before its hold");
    }
    // What came back meanwhile from an earlier try went home.
    let moved = |view: View, was: &str| !world.is_answered(view, was) && world.normal_answer(view) == was;
    let others = before.iter().filter(|(view, _)| view.1 != "pri");
    match others.filter(|(view, sight)| moved(*view, &sight.answer)).count() {
        0 => {}
        many => report::missed(name, format!("{many} answers moved that need no interconnect")),
    }
    Ok(())
}

fn say(name: &str, tries: &[Duration], bar: Duration) {
    let all: Vec<String> = tries.iter().map(|took| report::seconds(*took)).collect();
    let line = format!("first changed answer after {} (at most {})", all.join(", "), report::seconds(bar));
    match tries.iter().any(|took| *took <= bar) {
        true => report::well(name, line),
        false => report::missed(name, line),
    }
}
