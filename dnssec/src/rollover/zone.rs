//! Keys that sign the zone's data alone: made, pre-published, rolled.

use super::Work;
use crate::key::Times;

pub(super) fn advance(work: &mut Work<'_>) {
    if work.policy.split {
        start(work);
        let keys = work.lasting(false);
        match keys.split_last() {
            None => first(work),
            Some((&leader, older)) => {
                succeed(work, leader, older);
                roll(work, leader);
            }
        }
    } else {
        dismiss(work);
    }
    end(work);
}

/// A key that was published without more, as `rhumb keys roll` makes one, is
/// at work once every resolver knows it.
fn start(work: &mut Work<'_>) {
    let (known, now) = (work.policy.known_after(), work.now);
    for state in work.keys.iter_mut().filter(|state| !state.is_entry()) {
        if let (None, Some(publish)) = (state.times.activate, state.times.publish) {
            state.times.activate = Some(publish.saturating_add(known).max(now));
        }
    }
}

/// Makes the first. Where a key that signs all is at work, it is
/// pre-published like any successor; beside another algorithm it signs first.
fn first(work: &mut Work<'_>) {
    let (policy, now) = (work.policy, work.now);
    let at_work = work.keys.iter().any(|state| {
        state.algorithm() == policy.algorithm && state.times.activate.is_some_and(|at| at < now)
    });
    let (publish, activate) = if at_work {
        (now, now.saturating_add(policy.known_after()))
    } else if work.changes_algorithm() {
        (now.saturating_add(policy.forgotten_after()), now)
    } else {
        (now, now)
    };
    work.make(false, Times { publish: Some(publish), activate: Some(activate), ..Times::default() });
}

/// The older ones end when the leader begins.
fn succeed(work: &mut Work<'_>, leader: usize, older: &[usize]) {
    let begin = work.keys[leader].times.activate.unwrap_or(work.now).max(work.now);
    for &at in older {
        work.keys[at].times.inactive = Some(begin);
    }
}

/// Makes the successor of a leader so early that it can take over in time.
fn roll(work: &mut Work<'_>, leader: usize) {
    let (known, now) = (work.policy.known_after(), work.now);
    let (Some(lifetime), Some(begin)) = (work.policy.zsk_lifetime, work.keys[leader].times.activate) else {
        return;
    };
    let end = begin.saturating_add(lifetime);
    let publish = end.saturating_sub(known);
    if publish <= now {
        let activate = Some(end.max(now.saturating_add(known)));
        work.make(false, Times { publish: Some(now), activate, ..Times::default() });
    }
    work.due(publish);
}

/// Where one key signs all, others end as soon as it is at work and known.
fn dismiss(work: &mut Work<'_>) {
    let now = work.now;
    let entry =
        work.lasting(true).into_iter().map(|at| work.keys[at].times).find(|times| times.is_active(now));
    let Some(entry) = entry else { return };
    let known = entry.publish.or(entry.activate).unwrap_or(now).saturating_add(work.policy.known_after());
    for state in work.keys.iter_mut().filter(|state| !state.is_entry() && state.is_lasting()) {
        state.times.inactive = Some(known.max(now));
    }
}

/// What no longer signs is deleted when its signatures are forgotten.
fn end(work: &mut Work<'_>) {
    let wait = work.policy.forgotten_after();
    for state in work.keys.iter_mut().filter(|state| !state.is_entry()) {
        if let (Some(inactive), None) = (state.times.inactive, state.times.delete) {
            state.times.delete = Some(inactive.saturating_add(wait));
        }
    }
}
