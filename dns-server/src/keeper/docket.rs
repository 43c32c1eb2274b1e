//! Operators' orders: checked, tried, then done.
//!
//! A drain or force is first tried on a copy: if any service that has a VIP of
//! the first tier would be left without one, the order is refused and says
//! which, unless the operator has said that this is meant. The trial is the
//! same `advance` that would carry the order out.

use std::time::Duration;

use rhumb_policies::{Outcome, State, Tier, World, advance};
use rhumb_zones::{DatacenterId, ServiceId, TargetId};

use super::books::Books;
use super::notes;
use crate::naming;
use crate::orders::{self, Ledger, Order, What};

/// Services named in a refusal; the rest are counted.
const NAMED: usize = 5;

/// Does what `order` asks in the books, and says what was done.
pub(super) fn obey(
    books: &mut Books,
    (world, state): (&World, &State),
    order: &Order,
    now: Duration,
) -> Result<Vec<String>, String> {
    match order.what {
        What::ForceUp | What::ForceDown | What::Drain => enter(books, (world, state), order, now),
        What::Unforce | What::Undrain => take(books, world, order, now),
        What::Promote => promote(books, (world, state), order, now),
        What::Recover => recover(books, (world, state), order, now),
        What::Forget => forget(books, world, order, now),
    }
}

fn enter(
    books: &mut Books,
    (world, state): (&World, &State),
    order: &Order,
    now: Duration,
) -> Result<Vec<String>, String> {
    let word = orders::word(world.model(), order, now)?;
    let mut ledger = books.ledger.clone();
    ledger.enter(word.clone())?;
    let bare = bared(books, (world, state), &ledger, word.starts.map_or(now, Duration::from_secs));
    if !bare.is_empty() && !order.yes_all_down {
        let names = bare.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
        let more = bare.len().saturating_sub(NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        return Err(format!(
            "refused: {names}{more} would be left without a usable VIP; --yes-all-down does it all the same"
        ));
    }
    books.ledger = ledger;
    let when = word.starts.map(|starts| format!(" from {starts} s (Unix)")).unwrap_or_default();
    books.log(notes::order(format!("{word}{when}"), &word.target, now));
    let mut said = vec![word.to_string()];
    said.extend(bare.into_iter().map(|service| format!("{service} is left without a usable VIP")));
    Ok(said)
}

/// Services that have a VIP of the first tier and would have none.
fn bared(books: &Books, (world, state): (&World, &State), ledger: &Ledger, at: Duration) -> Vec<String> {
    let model = world.model();
    let next = advance(world, state, &books.inputs_with(model, ledger), at);
    let has = |state: &State, id| state.service(id).outcome == Outcome::Vips(Tier::Allowed);
    let ids = (0..model.services().len()).map(ServiceId::new);
    ids.filter(|&id| has(state, id) && !has(&next, id)).map(|id| model.service(id).name.to_string()).collect()
}

fn take(books: &mut Books, world: &World, order: &Order, now: Duration) -> Result<Vec<String>, String> {
    // A target that is not declared any more may still have words.
    let full = |text: &str| {
        let target = naming::target(world.model(), text);
        target.map_or_else(|_| text.to_owned(), |id: TargetId| world.model().target(id).name.to_string())
    };
    let target = order.target.as_deref().map(full);
    let taken = books.ledger.take(order.what == What::Undrain, target.as_deref(), order.service.as_deref());
    if taken.is_empty() {
        return Err(match &target {
            Some(target) => format!("there is no {} to take back on {target}", noun(order.what)),
            None => format!("there is no {} to take back", noun(order.what)),
        });
    }
    for word in &taken {
        books.log(notes::order(
            format!("{} {}{}", order.what, word.target, signed(order)),
            &word.target,
            now,
        ));
    }
    Ok(taken.iter().map(|word| format!("taken back: {word}")).collect())
}

const fn noun(what: What) -> &'static str {
    if matches!(what, What::Undrain) { "drain" } else { "force" }
}

fn promote(
    books: &mut Books,
    (world, state): (&World, &State),
    order: &Order,
    now: Duration,
) -> Result<Vec<String>, String> {
    let model = world.model();
    let service = order.service.as_deref().ok_or("a service must be given")?;
    let name = orders::service_named(model, service)?;
    let at = model.services().iter().position(|one| *one.name == *name).ok_or("no such service")?;
    let (id, service) = (ServiceId::new(at), &model.services()[at]);
    let primary = service.primary.as_ref().ok_or_else(|| format!("{name} has no primary"))?;
    if primary.probe.is_some() {
        return Err(format!("the primary of {name} follows a probe: promote the store, and it will follow"));
    }
    let text = order.target.as_deref().ok_or("a datacenter must be given")?;
    let text = text.strip_prefix("datacenter:").unwrap_or(text);
    let names = model.datacenters().iter().map(|one| &*one.name);
    let datacenter = model.datacenters().iter().position(|one| *one.name == *text).ok_or_else(|| {
        let hint =
            rhumb_zones::did_you_mean(text, names).map(|hint| format!(" ({hint})")).unwrap_or_default();
        format!("no datacenter is named {text:?}{hint}")
    })?;
    if state.primary(id) == Some(DatacenterId::new(datacenter)) {
        return Ok(vec![format!("{text} is the primary of {name} already")]);
    }
    books.once().promoted.push((id, DatacenterId::new(datacenter)));
    books.log(notes::order(
        format!("promote {name} {text}{}", signed(order)),
        &format!("service:{name}"),
        now,
    ));
    Ok(vec![format!("{text} is the primary of {name} now")])
}

fn recover(
    books: &mut Books,
    (world, state): (&World, &State),
    order: &Order,
    now: Duration,
) -> Result<Vec<String>, String> {
    let text = order.target.as_deref().ok_or("a target must be given")?;
    let target = naming::target(world.model(), text).map_err(|unknown| unknown.to_string())?;
    let name = &world.model().target(target).name;
    if !state.target(world, target).waits_for_word {
        return Err(format!("{name} does not wait for an operator's word"));
    }
    books.once().recovered.push((target, now));
    books.log(notes::order(format!("recover {name}{}", signed(order)), &name.to_string(), now));
    Ok(vec![format!("{name} recovers when its probes say so")])
}

fn forget(books: &mut Books, world: &World, order: &Order, now: Duration) -> Result<Vec<String>, String> {
    let site = order.target.as_deref().ok_or("a site must be given")?;
    if site == &**books.site() {
        return Err(format!("{site} is this server's own site"));
    }
    if !books.dismiss(world.model(), site, now) {
        return Err(format!("no site {site} has voted within a day"));
    }
    books.log(notes::order(format!("forget site {site}{}", signed(order)), &format!("site:{site}"), now));
    Ok(vec![format!("site {site} is not missed any more; it counts again when it votes")])
}

/// Who orders, and why, as far as said.
fn signed(order: &Order) -> String {
    let who = if order.author.is_empty() { String::new() } else { format!(", by {}", order.author) };
    if order.reason.is_empty() { who } else { format!("{who}: {}", order.reason) }
}
