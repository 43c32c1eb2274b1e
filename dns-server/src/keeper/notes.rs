//! Events that are no difference of two states: orders, sites, the keeper's own.

use std::time::Duration;

use rhumb_policies::{Event, EventKind, Phase, Severity};

/// Whom events about this process are about.
const SERVER: &str = "server";

/// An operator's order was carried out.
pub(super) fn order(text: String, target: &str, now: Duration) -> Event {
    Event::new(EventKind::Order, (Phase::Notice, Severity::Info), target, text).at(now)
}

/// All is silent, or no more so.
pub(super) fn own_fault(begins: bool, now: Duration) -> Event {
    let (phase, text) = match begins {
        true => (Phase::Begins, "everything is silent: the fault is this server's own; nothing moves"),
        false => (Phase::Ends, "this server hears again"),
    };
    Event::new(EventKind::OwnFault, (phase, Severity::Critical), SERVER, text.to_owned()).at(now)
}

/// A site votes that did not before.
pub(super) fn site_heard(site: &str, now: Duration) -> Event {
    let text = format!("site {site} votes");
    Event::new(EventKind::SiteHeard, (Phase::Notice, Severity::Info), &format!("site:{site}"), text).at(now)
}

/// The votes of a site are stale, or fresh again.
pub(super) fn site_silent(site: &str, begins: bool, now: Duration) -> Event {
    let (phase, text) = match begins {
        true => (Phase::Begins, format!("site {site} is not heard any more: its votes do not count")),
        false => (Phase::Ends, format!("site {site} is heard again")),
    };
    Event::new(EventKind::SiteSilent, (phase, Severity::Warning), &format!("site:{site}"), text).at(now)
}

/// What was kept makes no sense.
pub(super) fn state_lost(why: &str, now: Duration) -> Event {
    let text = format!("the state kept from before makes no sense and is not used: {why}");
    Event::new(EventKind::StateLost, (Phase::Notice, Severity::Critical), SERVER, text).at(now)
}

/// A probe reports a primary that is no datacenter.
pub(super) fn strange_primary(service: &str, report: &str, now: Duration) -> Event {
    let text = format!("the primary of {service} is reported as {report:?}, which is no datacenter");
    let target = format!("service:{service}");
    Event::new(EventKind::StrangePrimary, (Phase::Notice, Severity::Warning), &target, text).at(now)
}
