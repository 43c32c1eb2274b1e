//! Events of the school.

use std::time::Duration;

use rhumb_policies::{Event, EventKind, Phase, Severity};

fn event(kind: EventKind, how: (Phase, Severity), (name, now): (&str, Duration), text: String) -> Event {
    Event::new(kind, how, &format!("links:{name}"), text).at(now)
}

/// A learned model is in use.
pub(super) fn promoted(who: (&str, Duration), number: u32, reasons: &[String]) -> Event {
    let text = format!("links {}: model {number} is in use: {}", who.0, reasons.join("; "));
    event(EventKind::LinkModelPromoted, (Phase::Notice, Severity::Info), who, text)
}

/// What was learned is not used.
pub(super) fn refused(who: (&str, Duration), reasons: &[String]) -> Event {
    let text = format!("links {}: what was learned is not used: {}", who.0, reasons.join("; "));
    event(EventKind::LinkModelRefused, (Phase::Notice, Severity::Info), who, text)
}

/// A model was taken back.
pub(super) fn rolled_back(who: (&str, Duration), number: u32, why: &str) -> Event {
    let text = format!("links {}: model {number} is taken back: {why}", who.0);
    event(EventKind::LinkModelRolledBack, (Phase::Notice, Severity::Warning), who, text)
}

/// An operator's order was carried out.
pub(super) fn order(who: (&str, Duration), text: String) -> Event {
    event(EventKind::Order, (Phase::Notice, Severity::Info), who, text)
}

/// Links are not what the model was trained on.
pub(super) fn drift_begins(who: (&str, Duration), drift: &[String]) -> Event {
    let text = format!(
        "links {} are not what their model was trained on ({}): the formula chooses, and nothing is \
         learned until that ends or an operator orders a lesson",
        who.0,
        drift.join("; ")
    );
    event(EventKind::LinkDrift, (Phase::Begins, Severity::Warning), who, text)
}

/// They are again, or there is another model.
pub(super) fn drift_ends(who: (&str, Duration)) -> Event {
    let text = format!("links {} are what their model was trained on", who.0);
    event(EventKind::LinkDrift, (Phase::Ends, Severity::Warning), who, text)
}

/// A file of the notebook or of the shelf is of no use.
pub(super) fn files(who: (&str, Duration), why: &str) -> Event {
    let text = format!("links {}: {why}", who.0);
    event(EventKind::LinkFiles, (Phase::Notice, Severity::Warning), who, text)
}
