//! What each route answers.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::Sender;

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use rhumb_zones::{Prefix, Rtype};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use super::status::{Status, ZoneStatus};
use crate::ask::{Question, Told, ask};
use crate::publish::Publisher;
use crate::reload::{Journal, Outcome, Request, now};
use crate::stats::Stats;

/// What handlers reach.
#[derive(Clone, Debug)]
pub struct Desk {
    /// What is served.
    pub publisher: Publisher,
    /// What was counted.
    pub stats: Stats,
    /// What happened to reloads.
    pub journal: Arc<Journal>,
    /// Where to ask for one.
    pub requests: Sender<Request>,
    /// Geo databases in use.
    pub geo: Vec<PathBuf>,
    /// Addresses served.
    pub listen: Vec<SocketAddr>,
    /// When the process started, in Unix seconds.
    pub started: u64,
}

/// All routes.
pub fn routes(desk: Desk) -> Router {
    Router::new()
        .route("/status", get(status))
        .route("/reload", post(reload))
        .route("/explain", get(explain))
        .with_state(desk)
}

async fn status(State(desk): State<Desk>) -> Json<Status> {
    let snapshot = desk.publisher.current();
    let parts = snapshot.parts();
    let model = parts.world.model();
    let entry = desk.journal.read();
    let zone = |(zone, serial): (&rhumb_zones::Zone, &u32)| ZoneStatus {
        name: zone.name.to_string(),
        serial: *serial,
        records: zone.records.records.len(),
        services: zone.services.len(),
    };
    let counters = desk.stats.totals().pairs();
    Json(Status {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        pid: std::process::id(),
        now: now(),
        started: desk.started,
        listen: desk.listen,
        generation: parts.generation,
        published: entry.published,
        refused: entry.refused,
        zones: model.zones().iter().zip(&parts.serials).map(zone).collect(),
        datacenters: model.datacenters().len(),
        services: model.services().len(),
        geo: desk.geo,
        queries: counters.into_iter().map(|(name, count)| (name.to_owned(), count)).collect(),
    })
}

async fn reload(State(desk): State<Desk>) -> Result<Json<Outcome>, StatusCode> {
    let (send, outcome) = oneshot::channel();
    // Either fails only when the reloader has ended.
    let ended = |_| StatusCode::SERVICE_UNAVAILABLE;
    desk.requests.send(Request::Asked(send)).map_err(|_| ended(()))?;
    outcome.await.map(Json).map_err(|_| ended(()))
}

/// The query string of `/explain`.
#[derive(Deserialize)]
struct Explain {
    name: String,
    #[serde(rename = "type")]
    rtype: Option<String>,
    client: Option<String>,
}

/// What `/explain` answers.
#[derive(Debug, Serialize, Deserialize)]
pub struct Explained {
    /// For people.
    pub text: String,
    /// For programs.
    pub told: serde_json::Value,
}

impl Explained {
    /// `told`, both ways.
    #[must_use]
    pub fn new(told: &Told) -> Self {
        Self { text: told.to_string(), told: told.to_json() }
    }
}

async fn explain(State(desk): State<Desk>, Query(asked): Query<Explain>) -> Result<Json<Explained>, Wrong> {
    let snapshot = desk.publisher.current();
    let client = asked.client.map(|text| text.parse::<Prefix>()).transpose().map_err(wrong)?;
    let rtype = asked.rtype.as_deref().unwrap_or("A").parse::<Rtype>().map_err(wrong)?;
    let question =
        Question::new(snapshot.parts().world.model(), &asked.name, (rtype, client)).map_err(wrong)?;
    Ok(Json(Explained::new(&ask(&snapshot, &question))))
}

/// A question that makes no sense, and why.
type Wrong = (StatusCode, String);

fn wrong(error: impl std::fmt::Display) -> Wrong {
    (StatusCode::BAD_REQUEST, error.to_string())
}
