//! Keys that the parent vouches for: made, offered, and rolled by double-KSK.
//!
//! **Invariant:** an entry key ends only after another one's DS is known to
//! stand in the parent.

use super::Work;
use crate::key::Times;

pub(super) fn advance(work: &mut Work<'_>) {
    start(work);
    let entries = work.lasting(true);
    match entries.split_last() {
        None => first(work),
        Some((&leader, older)) => {
            offer(work, leader, older.is_empty());
            if work.keys[leader].times.ds_publish.is_some() {
                succeed(work, leader);
                roll(work, leader);
            }
        }
    }
    end(work);
}

/// An entry key signs as soon as it is published.
fn start(work: &mut Work<'_>) {
    for state in work.keys.iter_mut().filter(|state| state.is_entry()) {
        let Times { publish, activate, .. } = &mut state.times;
        *activate = activate.or(*publish);
    }
}

/// Makes the first of its algorithm. Beside another algorithm signatures come
/// first, and are published when no data without them is cached.
fn first(work: &mut Work<'_>) {
    let publish = match work.changes_algorithm() {
        true => work.now.saturating_add(work.policy.forgotten_after()),
        false => work.now,
    };
    let times = Times { publish: Some(publish), activate: Some(work.now), ..Times::default() };
    work.make(true, times);
}

/// Offers the leader to the parent once every resolver knows it, takes the
/// offer of the others back, and waits for the DS.
fn offer(work: &mut Work<'_>, leader: usize, is_alone: bool) {
    let policy = work.policy;
    let Times { publish, activate, sync_publish, ds_publish, .. } = work.keys[leader].times;
    // The first key of a zone must wait until no data without signatures is cached.
    let known = policy.known_after();
    let wait = if is_alone && ds_publish.is_none() { known.max(policy.forgotten_after()) } else { known };
    let published = publish.or(activate).unwrap_or(work.now);
    let ready = sync_publish.unwrap_or_else(|| published.saturating_add(wait));
    if policy.cds {
        work.keys[leader].times.sync_publish = Some(ready);
        for (at, state) in work.keys.iter_mut().enumerate().filter(|(at, _)| *at != leader) {
            let is_offered = state.times.sync_publish.is_some() && state.times.sync_delete.is_none();
            if at != leader && is_offered {
                state.times.sync_delete = Some(ready);
            }
        }
    }
    if ds_publish.is_none() {
        if ready <= work.now {
            work.await_ds(work.keys[leader].id());
        }
        work.due(ready);
    }
}

/// Ends the others once no resolver holds a DS of theirs.
fn succeed(work: &mut Work<'_>, leader: usize) {
    let policy = work.policy;
    let Some(vouched) = work.keys[leader].times.ds_publish else { return };
    let end = vouched.saturating_add(policy.vouched_after()).max(work.now);
    for (at, state) in work.keys.iter_mut().enumerate() {
        if at == leader || !state.is_lasting() {
            continue;
        }
        if state.algorithm() != policy.algorithm {
            // The key leaves first, its signatures when no resolver holds the key.
            state.times.delete = Some(end);
            state.times.inactive = Some(end.saturating_add(policy.known_after()));
        } else if state.is_entry() {
            state.times.inactive = Some(end);
        }
    }
}

/// Makes the successor of a leader that has been at work long enough.
fn roll(work: &mut Work<'_>, leader: usize) {
    let Some(lifetime) = work.policy.ksk_lifetime else { return };
    let (begin, _) = work.keys[leader].rank();
    let end = begin.saturating_add(lifetime);
    if end <= work.now {
        let now = Some(work.now);
        work.make(true, Times { publish: now, activate: now, ..Times::default() });
    }
    work.due(end);
}

/// What no longer signs is deleted when no resolver needs it: a key that
/// signed the zone's data when those signatures are forgotten.
fn end(work: &mut Work<'_>) {
    let wait = if work.policy.split { work.policy.propagation } else { work.policy.forgotten_after() };
    for state in work.keys.iter_mut().filter(|state| state.is_entry()) {
        if let (Some(inactive), None) = (state.times.inactive, state.times.delete) {
            state.times.delete = Some(inactive.saturating_add(wait));
        }
    }
}
