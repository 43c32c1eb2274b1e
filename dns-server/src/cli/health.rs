//! `rhumb targets`, `events` and `plan`: what is up, what happened, and how
//! balancers should go about it.

use hyper::{Method, StatusCode};
use rhumb_policies::Event;

use super::{Ending, Failure, Socket, print};
use crate::admin::{self, Planned};
use crate::keeper::report::Report;

/// Show every target: what it counts as, since when, loss and delay
#[derive(clap::Args)]
pub(super) struct Targets {
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    socket: Socket,
}

impl Targets {
    pub(super) fn run(self) -> Result<Ending, Failure> {
        let body = get(self.socket, "/targets")?;
        let report: Report = serde_json::from_slice(&body)?;
        match self.json {
            true => print(&format_args!("{:#}", serde_json::to_value(&report)?))?,
            false => print(&report.table())?,
        }
        Ok(Ending::Well)
    }
}

/// Show what happened lately
#[derive(clap::Args)]
pub(super) struct Events {
    /// How many
    #[arg(short = 'n', long, default_value_t = 20)]
    count: usize,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    socket: Socket,
}

impl Events {
    pub(super) fn run(self) -> Result<Ending, Failure> {
        let body = get(self.socket, &format!("/events?count={}", self.count))?;
        let events: Vec<Event> = serde_json::from_slice(&body)?;
        match self.json {
            true => print(&format_args!("{:#}", serde_json::to_value(&events)?))?,
            false => events.iter().try_for_each(|event| print(&line(event)))?,
        }
        Ok(Ending::Well)
    }
}

/// Show in which order balancers should try a service's nodes
#[derive(clap::Args)]
pub(super) struct Plan {
    /// The service
    service: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    socket: Socket,
}

impl Plan {
    pub(super) fn run(self) -> Result<Ending, Failure> {
        let body = get(self.socket, &format!("/plan?service={}", admin::encode(&self.service)))?;
        let Planned { text, plan } = serde_json::from_slice(&body)?;
        match self.json {
            true => print(&format_args!("{plan:#}"))?,
            false => print(&text.trim_end())?,
        }
        Ok(Ending::Well)
    }
}

/// When, how bad, what.
fn line(event: &Event) -> String {
    let moment = i64::try_from(event.at_ms).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    let time = moment.map_or_else(String::new, |moment| format!("{moment:.0}"));
    format!("{time}  {:8}  {}", event.severity.name(), event.text)
}

pub(super) fn get(socket: Socket, route: &str) -> Result<hyper::body::Bytes, Failure> {
    let (status, body) = admin::ask(&socket.path(), (Method::GET, route), None)?;
    match status {
        StatusCode::OK => Ok(body),
        _ => Err(String::from_utf8_lossy(&body).into_owned().into()),
    }
}
