//! Faults that are none of a target's: loss, delay, slowness, flapping, and
//! the server's own.

use std::time::{Duration, Instant};

use super::rows::{failures, restored, with_targets};
use crate::failure::{Done, Failure};
use crate::fault::{How, Part};
use crate::patience::{GENEROUS, pass, until};
use crate::report;
use crate::rhumb::now_ms;
use crate::topology::DATACENTERS;
use crate::watch::View;
use crate::world::World;

/// A window of the server's at the lab's interval, and a little: its 60 probes,
/// 300 ms apart.
pub(super) const WINDOW: Duration = Duration::from_secs(20);

/// Says how a scenario went; the next one is tried anyway.
pub(super) fn tell(world: &mut World, name: &str, play: impl FnOnce(&mut World) -> Done<String>) -> Done {
    match play(world) {
        Ok(figures) => report::well(name, figures),
        Err(failure) => report::missed(name, with_targets(world, &failure)),
    }
    world.straighten();
    DATACENTERS.iter().for_each(|datacenter| world.slow(datacenter.name, Duration::ZERO));
    world.mend()?;
    world.settle()
}

/// Requires that nobody was answered anything else since `start`.
fn unmoved(world: &World, start: Instant) -> Done {
    for view in world.views() {
        let seen = world.watch.since(view, start);
        if seen.len() > 1 {
            let answers: Vec<_> = seen.into_iter().map(|sight| sight.answer).collect();
            return Failure::because(format!(
                "{} near {} was answered {}",
                view.1,
                view.0,
                answers.join(", then ")
            ));
        }
    }
    Ok(())
}

/// Two links that lose packets, at 20 % and 5 %, all the time.
pub(crate) fn loss(world: &mut World) -> Done {
    tell(world, "20 % and 5 % loss", |world| {
        let start = Instant::now();
        let rows = [("north-telecom", "link:north/telecom", 20), ("south-unicom", "link:south/unicom", 5)];
        for (space, _, percent) in rows {
            world.filter(
                space,
                &format!("iifname \"net\" icmp type echo-request numgen random mod 100 < {percent} drop"),
            )?;
        }
        let mut sums = [0.0; 2];
        for _ in 0..LOSS_WINDOWS {
            pass(LOSS_WINDOW)?;
            for (sum, (_, target, _)) in sums.iter_mut().zip(rows) {
                *sum += world.rhumb.target(target)?.loss.unwrap_or(1.0);
            }
        }
        unmoved(world, start)?;
        let measured = sums.map(|sum| 100.0 * sum / f64::from(LOSS_WINDOWS));
        let figures = format!("measured {:.1} % and {:.1} %, no answer moved", measured[0], measured[1]);
        let near = |index: usize, truth: f64, by: f64| (measured[index] - truth).abs() <= by;
        // Well over three deviations of what so many packets can tell.
        match near(0, 20.0, 11.0) && near(1, 5.0, 6.0) {
            true => Ok(figures),
            false => Failure::because(figures),
        }
    })
}

/// Each is a sample of its own: 60 probes, 500 ms apart.
const LOSS_WINDOWS: u8 = 3;
/// The length of one, and a little.
const LOSS_WINDOW: Duration = Duration::from_secs(31);

/// A link that takes longer, and servers that do.
pub(crate) fn delay(world: &mut World) -> Done {
    tell(world, "a link 40 ms longer each way", |world| {
        let start = Instant::now();
        world.detour((DATACENTERS[0], 0), Duration::from_millis(40))?;
        let measured = measured(world, "link:north/telecom", 80.0..100.0)?;
        unmoved(world, start)?;
        Ok(format!("measured {measured:.1} ms there and back, no answer moved"))
    })?;
    tell(world, "a rule that keeps off a slow link", |world| {
        let (start, before) = (Instant::now(), world.normal.clone());
        world.detour((DATACENTERS[1], 1), Duration::from_millis(40))?;
        let away = (start, "south/telecom");
        let took = until("users leave the slow link", WINDOW + GENEROUS, || {
            world.watch.first(("south", "any"), away)
        })?;
        world.straighten();
        restored(world, &before)?;
        let requests = world.traffic.since(start);
        Ok(format!("kept off after {}, {}, recovered", report::seconds(took), failures(&requests)))
    })?;
    tell(world, "nodes that take 100 ms", |world| {
        let start = Instant::now();
        world.slow("north", Duration::from_millis(100));
        let measured = measured(world, "vip:web/north/telecom", 100.0..150.0)?;
        unmoved(world, start)?;
        Ok(format!("measured {measured:.1} ms for a page, no answer moved"))
    })?;
    tell(world, "nodes that take 3 s", |world| {
        let (start, before) = (Instant::now(), world.normal.clone());
        world.slow("north", Duration::from_secs(3));
        let view = ("north", "web");
        let took = until("web moves south", GENEROUS, || world.watch.first(view, (start, "south/telecom")))?;
        world.slow("north", Duration::ZERO);
        restored(world, &before)?;
        let requests = world.traffic.since(start);
        let of_web: Vec<_> = requests.into_iter().filter(|request| request.view == view).collect();
        Ok(format!("right answer {}, {} near them, recovered", report::seconds(took), failures(&of_web)))
    })
}

/// Waits until a window has only what is so now.
fn measured(world: &World, target: &str, range: std::ops::Range<f64>) -> Done<f64> {
    let mut last = None;
    until(&format!("{target} takes {range:?} ms"), WINDOW + GENEROUS, || {
        last = world.rhumb.target(target).ok()?.delay_ms;
        last.filter(|delay| range.contains(delay))
    })
    .map_err(|failure| Failure::new(format!("{failure}, but {last:?}")))
}

/// A server that is cut off itself; then a link that comes and goes.
pub(crate) fn own_fault_and_flaps(world: &mut World) -> Done {
    for (name, how) in [("own uplinks cut", How::Cut), ("own uplinks silent", How::Drop)] {
        tell(world, name, |world| own_fault(world, how))?;
    }
    tell(world, "link north/telecom flaps", flaps)
}

fn own_fault(world: &mut World, how: How) -> Done<String> {
    let (start, start_ms) = (Instant::now(), now_ms());
    world.strike(Part::Uplinks, how)?;
    until("it takes the fault for its own", GENEROUS, || world.rhumb.is_own_fault().ok()?.then_some(()))?;
    let alarm = event(world, start_ms, "own-fault begins")?;
    pass(Duration::from_secs(3))?;
    unmoved(world, start)?;
    world.mend()?;
    until("it sees again", GENEROUS, || (!world.rhumb.is_own_fault().ok()?).then_some(()))?;
    event(world, start_ms, "own-fault ends")?;
    world.settle()?;
    unmoved(world, start)?;
    let requests = world.traffic.since(start);
    match requests.iter().find(|request| request.page.is_err()) {
        None => {
            Ok(format!("alarm after {}, {}, no answer moved", report::seconds(alarm), failures(&requests)))
        }
        Some(failed) => Failure::because(format!("a request failed: {failed:?}")),
    }
}

/// Waits for an event; how long after `start_ms`.
fn event(world: &World, start_ms: u64, what: &str) -> Done<Duration> {
    until(what, GENEROUS, || {
        let events = world.rhumb.events().ok()?;
        let found = events.iter().find(|event| event.at_ms >= start_ms && event.what.starts_with(what))?;
        Some(Duration::from_millis(found.at_ms - start_ms))
    })
}

/// How often the link goes and comes back.
const FLAPS: usize = 10;
/// Down, then up, each long enough to be seen.
const HALF_FLAP: Duration = Duration::from_millis(1_800);

fn flaps(world: &mut World) -> Done<String> {
    let (start, before) = (Instant::now(), world.normal.clone());
    for _ in 0..FLAPS {
        world.strike(Part::Link("north", "telecom"), How::Cut)?;
        pass(HALF_FLAP)?;
        world.mend()?;
        pass(HALF_FLAP)?;
    }
    let view: View = ("north", "any");
    let moves = world.watch.since(view, start).len() - 1;
    let mended = Instant::now();
    restored(world, &before)?;
    let figures = format!(
        "{FLAPS} flaps, {moves} moves, home {} after the last, {}",
        report::seconds(mended.elapsed()),
        failures(&world.traffic.since(start))
    );
    // Undamped, each would move answers away and home.
    match (1..=FLAPS / 2).contains(&moves) {
        true => Ok(figures),
        false => Failure::because(figures),
    }
}

/// What is seen only over the interconnect, when that is cut: nobody knows, and
/// what was known stands.
pub(crate) fn masked(world: &mut World) -> Done {
    tell(world, "seen over a cut interconnect alone: masked, not down", |world| {
        let (start, before) = (Instant::now(), world.normal.clone());
        world.strike(Part::Interconnect("north", "south"), How::Drop)?;
        let away = (start, "north/unicom");
        let took = until("writes move north", GENEROUS, || world.watch.first(("south", "pri"), away))?;
        for name in ["balancer:south/lb1", "balancer:south/lb2", "intranet:south"] {
            let target = until(&format!("{name} is masked"), GENEROUS, || {
                world
                    .rhumb
                    .target(name)
                    .ok()
                    .filter(|target| target.notes.contains("masked by interconnect:north/south"))
            })?;
            if target.status != "up" {
                return Failure::because(format!("{name} counts as {}", target.status));
            }
        }
        pass(Duration::from_secs(2))?;
        for (view, normal) in before.iter().filter(|(view, _)| view.1 != "pri") {
            let seen = world.watch.since(*view, start);
            if seen.iter().any(|sight| sight.answer != *normal) {
                return Failure::because(format!("{} near {} moved", view.1, view.0));
            }
        }
        world.mend()?;
        restored(world, &before)?;
        Ok(format!("right answer {}, recovered", report::seconds(took)))
    })
}
