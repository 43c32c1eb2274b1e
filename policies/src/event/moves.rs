//! Clients that got another link, in words.
//!
//! A move is no fault: it is what selection is for. But whoever reads the log
//! because pages are slow wants to see that clients were moved, whither and
//! when. Moves off a link that is down are told with that fault.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Event, EventKind, Phase, Severity};
use crate::state::{Moved, State};
use crate::world::World;

/// Most events at a time: a busy second must not fill the log.
const MOST: usize = 20;

/// Most moves that one event names.
const NAMED: usize = 3;

/// Moves of clients between links from one state to the next of the same
/// policy, one event for all services that steer alike.
#[must_use]
pub fn link_moves(world: &World, before: &State, after: &State, now: Duration) -> Vec<Event> {
    after.moved(world, before).into_iter().take(MOST).map(|moved| event(&moved).at(now)).collect()
}

fn event(moved: &Moved) -> Event {
    let Moved { services, classes, pairs } = moved;
    let mut counts: BTreeMap<_, usize> = BTreeMap::new();
    pairs.iter().for_each(|pair| *counts.entry(pair).or_default() += 1);
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let told = |(index, ((from, to), count)): (usize, &(&(String, String), usize))| match index {
        0 => format!("{count} of {classes} classes of clients moved from {from} to {to}"),
        _ => format!("{count} from {from} to {to}"),
    };
    let mut told: Vec<_> = counts.iter().take(NAMED).enumerate().map(told).collect();
    let rest: usize = counts.iter().skip(NAMED).map(|(_, count)| count).sum();
    told.extend((rest > 0).then(|| format!("{rest} between others")));
    let more = services.len() - 1;
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let text = format!("{}{more}: {}", services[0], told.join(", "));
    let target = format!("service:{}", services[0]);
    Event::new(EventKind::LinksMoved, (Phase::Notice, Severity::Info), &target, text)
}
