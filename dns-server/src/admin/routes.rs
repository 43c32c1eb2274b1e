//! What each route answers.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, Query, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use rhumb_policies::{BalancerPlan, Event, node_plan};
use rhumb_zones::{Prefix, Rtype, ServiceId};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use super::links::Links;
use super::status::{Status, ZoneStatus};
use crate::ask::{Question, Told, ask};
use crate::keeper::report::Report;
use crate::keeper::{Keeper, Message};
use crate::orders::{Order, service_named};
use crate::publish::Publisher;
use crate::reload::{Journal, Outcome, Request, now};
use crate::school::{self, LinkOrder};
use crate::stats::Stats;

/// Largest order: two texts and some names.
const MAX_ORDER: usize = 16 << 10;

/// What handlers reach.
#[derive(Clone, Debug)]
pub struct Desk {
    /// What is served.
    pub publisher: Publisher,
    /// Who keeps the state.
    pub keeper: Keeper,
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
        .route("/targets", get(targets))
        .route("/events", get(events))
        .route("/plan", get(plan))
        .route("/links", get(links))
        .route("/links/orders", post(link_orders).layer(DefaultBodyLimit::max(MAX_ORDER)))
        .route("/orders", post(orders).layer(DefaultBodyLimit::max(MAX_ORDER)))
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
    let health = report(&desk).await;
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
        health,
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

async fn report(desk: &Desk) -> Option<Report> {
    let (send, report) = oneshot::channel();
    desk.keeper.send(Message::Report(send));
    report.await.ok().map(|report| *report)
}

async fn targets(State(desk): State<Desk>) -> Result<Json<Report>, StatusCode> {
    report(&desk).await.map(Json).ok_or(StatusCode::SERVICE_UNAVAILABLE)
}

/// The query string of `/events`.
#[derive(Deserialize)]
struct Events {
    count: Option<usize>,
}

async fn events(State(desk): State<Desk>, Query(asked): Query<Events>) -> Json<Vec<Event>> {
    Json(desk.keeper.history().recent(asked.count.unwrap_or(usize::MAX), Duration::ZERO))
}

/// The query string of `/plan`.
#[derive(Deserialize)]
struct PlanOf {
    service: String,
}

/// What `/plan` answers.
#[derive(Debug, Serialize, Deserialize)]
pub struct Planned {
    /// For people.
    pub text: String,
    /// For programs.
    pub plan: serde_json::Value,
}

async fn plan(State(desk): State<Desk>, Query(asked): Query<PlanOf>) -> Result<Json<Planned>, Wrong> {
    let snapshot = desk.publisher.current();
    let parts = snapshot.parts();
    let model = parts.world.model();
    let name = service_named(model, &asked.service).map_err(wrong)?;
    let at = model.services().iter().position(|service| *service.name == *name);
    let id = at.map(ServiceId::new).ok_or_else(|| wrong("no such service"))?;
    let plan = node_plan(&parts.world, &parts.state, id);
    let text = plan.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    Ok(Json(Planned { text, plan: plan.iter().map(BalancerPlan::to_json).collect() }))
}

async fn orders(State(desk): State<Desk>, Json(order): Json<Order>) -> Result<Json<Vec<String>>, Wrong> {
    let (send, said) = oneshot::channel();
    desk.keeper.send(Message::Order(Box::new(order), send));
    said_of(said).await
}

async fn links(State(desk): State<Desk>) -> Json<Links> {
    let snapshot = desk.publisher.current();
    let parts = snapshot.parts();
    let selections = parts.state.links(&parts.world, &parts.atlas);
    Json(Links { selections, learning: school::Report::clone(&desk.keeper.school().report()) })
}

async fn link_orders(
    State(desk): State<Desk>,
    Json(order): Json<LinkOrder>,
) -> Result<Json<Vec<String>>, Wrong> {
    said_of(desk.keeper.school().order(order)).await
}

/// What came of an order.
async fn said_of(said: oneshot::Receiver<Result<Vec<String>, String>>) -> Result<Json<Vec<String>>, Wrong> {
    match said.await {
        Ok(Ok(said)) => Ok(Json(said)),
        Ok(Err(why)) => Err((StatusCode::CONFLICT, why)),
        Err(_) => Err((StatusCode::SERVICE_UNAVAILABLE, "the server is stopping".to_owned())),
    }
}

/// A question that makes no sense, and why.
type Wrong = (StatusCode, String);

fn wrong(error: impl std::fmt::Display) -> Wrong {
    (StatusCode::BAD_REQUEST, error.to_string())
}
