//! The courier to an Alertmanager: what stands, again and again.
//!
//! `POST /api/v2/alerts` takes alerts as often as one likes; those of equal
//! labels are one. So labels are what an alert is (its kind, target, severity
//! and site) and never what it says; servers of one site that see the same
//! raise one alert together. Every alert that stands is given an end a few
//! repetitions ahead: if this server dies, its alerts end instead of standing
//! until somebody looks.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use serde_json::{Value as Json, json};

use super::Patience;
use super::board::{Alert, Board};
use super::post::Post;
use super::url::Url;

/// Under the URL of the web page.
const PATH: &str = "/api/v2/alerts";

/// Most alerts in one request, at about a kilobyte each.
const MAX_LETTER: usize = 500;

/// Repetitions that may be lost before an alert ends.
const LOST: u32 = 4;

/// Delivers until the board is closed and its news are told, or cannot be.
pub(super) async fn run(
    board: Arc<Board>,
    url: Url,
    (post, site, patience): (Arc<Post>, Arc<str>, Patience),
) {
    let mut failures = 0;
    loop {
        if failures > 0 {
            tokio::time::sleep(patience.pause(failures)).await;
        } else {
            let _ = tokio::time::timeout(patience.repeat, board.changed()).await;
        }
        let is_last = board.is_closed();
        let moment = now();
        let letter = board.letter(moment);
        let mut sent = Ok(());
        for part in letter.chunks(MAX_LETTER) {
            let body: Vec<_> =
                part.iter().map(|alert| compose(alert, &site, moment + patience.repeat * LOST)).collect();
            sent = post.send(&url, PATH, Json::from(body).to_string()).await;
            if sent.is_err() {
                break;
            }
            board.was_told(part);
        }
        let receiver = url.receiver();
        match sent {
            Ok(()) => {
                if failures > 0 && !letter.is_empty() {
                    tracing::info!(receiver, "Alertmanager takes alerts again");
                }
                failures = 0;
            }
            Err(error) => {
                failures += 1;
                if failures == 1 {
                    tracing::warn!(receiver, %error, "Alertmanager does not take alerts");
                }
            }
        }
        if is_last && failures == 0 {
            return;
        }
    }
}

/// The alert as the API takes it; it stands until `until`, unless it has ended.
fn compose(Alert { event, ended }: &Alert, site: &str, until: Duration) -> Json {
    let mut annotations = json!({ "summary": event.text });
    if !event.masked.is_empty() {
        annotations["masked"] = event.masked.join(" ").into();
    }
    if let Some(cause) = &event.cause {
        annotations["cause"] = cause.as_str().into();
    }
    json!({
        "labels": {
            "alertname": event.kind.name(),
            "job": "rhumb",
            "target": event.target,
            "severity": event.severity.name(),
            "site": site,
        },
        "annotations": annotations,
        "startsAt": stamp(Duration::from_millis(event.at_ms)),
        "endsAt": stamp(ended.unwrap_or(until)),
    })
}

/// Since the Unix epoch.
fn now() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

/// As RFC 3339 has it; beyond the year 9999 the last moment before.
fn stamp(time: Duration) -> String {
    let milliseconds = i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
    Timestamp::from_millisecond(milliseconds).unwrap_or(Timestamp::MAX).to_string()
}
