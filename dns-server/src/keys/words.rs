//! What a key does, in words.
//!
//! All of it follows from the key's times, so it is the same whether a server
//! runs or not.

use rhumb_dnssec::{Key, Times};

/// What a key does at `now`, what it waits for, and what comes next.
#[must_use]
pub fn state(key: &Key, now: u32) -> String {
    let times = &key.times;
    let mut words = vec![work(times, now)];
    if key.pair.is_entry() && !times.is_gone(now) {
        words.extend(parent(times, now));
    }
    if let Some((what, when)) = next(times, now) {
        words.push(format!("{what} {}", moment(when)));
    }
    words.join(", ")
}

fn work(times: &Times, now: u32) -> String {
    let since = |time: Option<u32>| time.map_or_else(String::new, |time| format!(" since {}", moment(time)));
    match (times.is_published(now), times.is_active(now)) {
        (true, true) => format!("at work{}", since(times.publish.max(times.activate))),
        (true, false) if times.inactive.is_some_and(|inactive| inactive <= now) => {
            format!("published only, signed until {}", times.inactive.map_or_else(String::new, moment))
        }
        (true, false) => format!("published{}", since(times.publish)),
        (false, true) => format!("signs unpublished{}", since(times.activate)),
        (false, false) if times.is_gone(now) => format!("gone{}", since(times.delete)),
        (false, false) => "not in use".to_owned(),
    }
}

/// What the parent knows of it.
fn parent(times: &Times, now: u32) -> Option<String> {
    let Times { sync_publish, sync_delete, ds_publish, inactive, .. } = *times;
    match (sync_publish, ds_publish) {
        _ if inactive.is_some() || sync_delete.is_some_and(|end| end <= now) => None,
        (_, Some(seen)) => Some(format!("DS in the parent since {}", moment(seen))),
        (Some(offered), None) if offered <= now => {
            Some(format!("waits for its DS in the parent since {}", moment(offered)))
        }
        (Some(offered), None) => Some(format!("its DS may go to the parent from {}", moment(offered))),
        (None, None) => Some("no DS in the parent".to_owned()),
    }
}

/// The next thing it does by itself.
fn next(times: &Times, now: u32) -> Option<(&'static str, u32)> {
    let Times { publish, activate, inactive, delete, .. } = *times;
    let steps =
        [("is published", publish), ("signs from", activate), ("signs until", inactive), ("leaves", delete)];
    let steps = steps.into_iter().filter_map(|(what, when)| Some((what, when?)));
    steps.filter(|&(_, when)| when > now).min_by_key(|&(_, when)| when)
}

/// `2026-11-22T12:00:00Z`
pub(crate) fn moment(seconds: u32) -> String {
    jiff::Timestamp::from_second(seconds.into()).map_or_else(|_| seconds.to_string(), |at| at.to_string())
}

#[cfg(test)]
mod tests {
    use rhumb_dnssec::Algorithm;
    use rhumb_zones::Name;

    use super::*;

    #[test]
    fn states() {
        let none = Times::default();
        let at_work = Times { publish: Some(1_000), activate: Some(1_000), ..none };
        let rows = [
            (none, "not in use, no DS in the parent", "made to rest"),
            (
                Times { publish: Some(3_000), ..none },
                "not in use, no DS in the parent, is published 1970-01-01T00:50:00Z",
                "to come",
            ),
            (
                Times { sync_publish: Some(2_500), ..at_work },
                "at work since 1970-01-01T00:16:40Z, its DS may go to the parent from 1970-01-01T00:41:40Z",
                "new",
            ),
            (
                Times { sync_publish: Some(1_500), ..at_work },
                "at work since 1970-01-01T00:16:40Z, waits for its DS in the parent since 1970-01-01T00:25:00Z",
                "known",
            ),
            (
                Times { ds_publish: Some(1_600), ..at_work },
                "at work since 1970-01-01T00:16:40Z, DS in the parent since 1970-01-01T00:26:40Z",
                "vouched for",
            ),
            (
                Times { inactive: Some(2_600), delete: Some(2_700), ..at_work },
                "at work since 1970-01-01T00:16:40Z, signs until 1970-01-01T00:43:20Z",
                "succeeded",
            ),
            (
                Times { inactive: Some(1_900), delete: Some(2_700), ..at_work },
                "published only, signed until 1970-01-01T00:31:40Z, leaves 1970-01-01T00:45:00Z",
                "leaving",
            ),
            (
                Times { inactive: Some(1_900), delete: Some(1_950), ..at_work },
                "gone since 1970-01-01T00:32:30Z",
                "gone",
            ),
            (
                Times { activate: Some(1_000), publish: Some(2_500), ..none },
                "signs unpublished since 1970-01-01T00:16:40Z, no DS in the parent, is published 1970-01-01T00:41:40Z",
                "another algorithm",
            ),
        ];
        let key = Key::generate(Name::root(), Algorithm::Ed25519, true, 0).unwrap();
        for (times, want, why) in rows {
            assert_eq!(state(&Key { times, ..key.clone() }, 2_000), want, "{why}");
        }
    }
}
