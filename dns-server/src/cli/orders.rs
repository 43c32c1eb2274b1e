//! `rhumb force`, `drain`, `undrain`, `promote`, …: operators' words.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hyper::{Method, StatusCode};

use super::{Ending, Failure, Socket, complain, print};
use crate::admin;
use crate::orders::{Order, What};

/// Who says so, and why.
#[derive(clap::Args)]
pub(super) struct Signature {
    /// Why, for the log and for whoever looks later
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(super) reason: String,
    /// Who [default: the user who runs the command]
    #[arg(long = "by", value_name = "NAME")]
    author: Option<String>,
    #[command(flatten)]
    socket: Socket,
}

/// When, and how long.
#[derive(clap::Args)]
struct Span {
    /// How long it lasts: 30s, 10m, 2h, 1d [default: until it is taken back]
    #[arg(long = "for", value_name = "DURATION", value_parser = duration)]
    lasts: Option<Duration>,
    /// When it starts: 22:00 (today or tomorrow, local time) or 2026-11-22T22:00:00Z
    #[arg(long, value_name = "TIME", value_parser = moment)]
    at: Option<SystemTime>,
    /// Do it even if a service is then left without a usable VIP
    #[arg(long)]
    yes_all_down: bool,
}

/// Count a target as up or down, whatever its probes say
#[derive(clap::Args)]
pub(super) struct Force {
    /// link:north/telecom, balancer:north/lb1, interconnect:north/south, …; a bare name is a datacenter
    target: String,
    /// What it shall count as
    #[arg(value_enum)]
    status: Status,
    #[command(flatten)]
    span: Span,
    #[command(flatten)]
    signature: Signature,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Status {
    Up,
    Down,
}

/// Take a force back
#[derive(clap::Args)]
pub(super) struct Unforce {
    /// The target
    target: String,
    #[command(flatten)]
    signature: Signature,
}

/// Answer a datacenter, link, service or VIP only where nothing else is usable
#[derive(clap::Args)]
pub(super) struct Drain {
    /// north, link:north/telecom, service:www, vip:www/north/telecom
    target: String,
    /// Only this service's VIPs there
    #[arg(long, value_name = "NAME")]
    service: Option<String>,
    #[command(flatten)]
    span: Span,
    #[command(flatten)]
    signature: Signature,
}

/// Take drains back
#[derive(clap::Args)]
pub(super) struct Undrain {
    /// The target [default: everything that is drained]
    target: Option<String>,
    /// Only the drain of this service
    #[arg(long, value_name = "NAME")]
    service: Option<String>,
    #[command(flatten)]
    signature: Signature,
}

/// Say where a service's writable store is now; the store itself is yours to promote
#[derive(clap::Args)]
pub(super) struct Promote {
    /// The service
    service: String,
    /// The datacenter
    datacenter: String,
    #[command(flatten)]
    signature: Signature,
}

/// Let a target with `recovery: manual` recover
#[derive(clap::Args)]
pub(super) struct Recover {
    /// The target
    target: String,
    #[command(flatten)]
    signature: Signature,
}

/// Miss a silent site no more: its votes are not waited for
#[derive(clap::Args)]
pub(super) struct Forget {
    /// The site
    site: String,
    #[command(flatten)]
    signature: Signature,
}

impl Forget {
    pub(super) fn run(self) -> Result<Ending, Failure> {
        self.signature.send(What::Forget, Some(self.site), None, None)
    }
}

impl Force {
    pub(super) fn run(self) -> Result<Ending, Failure> {
        let what = match self.status {
            Status::Up => What::ForceUp,
            Status::Down => What::ForceDown,
        };
        self.signature.send(what, Some(self.target), None, Some(self.span))
    }
}

impl Unforce {
    pub(super) fn run(self) -> Result<Ending, Failure> {
        self.signature.send(What::Unforce, Some(self.target), None, None)
    }
}

impl Drain {
    pub(super) fn run(self) -> Result<Ending, Failure> {
        self.signature.send(What::Drain, Some(self.target), self.service, Some(self.span))
    }
}

impl Undrain {
    pub(super) fn run(self) -> Result<Ending, Failure> {
        self.signature.send(What::Undrain, self.target, self.service, None)
    }
}

impl Promote {
    pub(super) fn run(self) -> Result<Ending, Failure> {
        self.signature.send(What::Promote, Some(self.datacenter), Some(self.service), None)
    }
}

impl Recover {
    pub(super) fn run(self) -> Result<Ending, Failure> {
        self.signature.send(What::Recover, Some(self.target), None, None)
    }
}

impl Signature {
    fn send(
        self,
        what: What,
        target: Option<String>,
        service: Option<String>,
        span: Option<Span>,
    ) -> Result<Ending, Failure> {
        let since_epoch = |at: SystemTime| at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let starts = span.as_ref().and_then(|span| span.at).map(since_epoch);
        let lasts = span.as_ref().and_then(|span| span.lasts).map(|lasts| lasts.as_secs());
        let order = Order {
            what,
            target,
            service,
            starts,
            lasts,
            reason: self.reason.clone(),
            author: self.author(),
            yes_all_down: span.is_some_and(|span| span.yes_all_down),
        };
        self.post("/orders", &serde_json::to_value(&order)?)
    }

    /// Who.
    pub(super) fn author(&self) -> String {
        self.author.clone().unwrap_or_else(user)
    }

    /// Sends an order and prints what came of it.
    pub(super) fn post(self, route: &str, order: &serde_json::Value) -> Result<Ending, Failure> {
        let (status, answer) = admin::ask(&self.socket.path(), (Method::POST, route), Some(order))?;
        match status {
            StatusCode::OK => {
                let said: Vec<String> = serde_json::from_slice(&answer)?;
                said.iter().try_for_each(|line| print(line))?;
                Ok(Ending::Well)
            }
            StatusCode::CONFLICT => {
                complain(&String::from_utf8_lossy(&answer));
                Ok(Ending::Bad)
            }
            _ => Err(format!("the server answered {status}: {}", String::from_utf8_lossy(&answer)).into()),
        }
    }
}

/// Who runs the command: behind `sudo` the one who called it.
fn user() -> String {
    let named = |variable| std::env::var(variable).ok().filter(|name| !name.is_empty());
    let uid = || format!("uid {}", rustix::process::getuid().as_raw());
    named("SUDO_USER").or_else(|| named("USER")).unwrap_or_else(uid)
}

fn duration(text: &str) -> Result<Duration, String> {
    rhumb_zones::scan_duration(text)
        .filter(|span| *span >= Duration::from_secs(1))
        .ok_or_else(|| "must be a duration of at least 1s, such as 30s, 10m, 2h or 1d".to_owned())
}

fn moment(text: &str) -> Result<SystemTime, String> {
    let wrong = || "must be a time such as 22:00, or 2026-11-22T22:00:00Z".to_owned();
    if let Ok(moment) = text.parse::<jiff::Timestamp>() {
        return Ok(moment.into());
    }
    let time: jiff::civil::Time = text.parse().map_err(|_| wrong())?;
    let now = jiff::Zoned::now();
    let today = now.date().to_datetime(time).to_zoned(now.time_zone().clone()).map_err(|_| wrong())?;
    let next = if today > now { Ok(today) } else { today.tomorrow() };
    next.map(|next| next.timestamp().into()).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_and_moments() {
        let rows =
            [("2h", Some(7_200)), ("90s", Some(90)), ("1d", Some(86_400)), ("0s", None), ("soon", None)];
        for (text, want) in rows {
            assert_eq!(duration(text).ok().map(|span| span.as_secs()), want, "{text}");
        }
        let day = Duration::from_secs(86_400 + 3_600); // a day may have 25 hours
        for text in ["00:00", "22:00", "23:59:59"] {
            let at = moment(text).unwrap();
            let ahead = at.duration_since(SystemTime::now()).unwrap();
            assert!(ahead <= day, "{text} is the next one: {ahead:?}");
        }
        let fixed = moment("2026-11-22T22:00:00Z").unwrap();
        assert_eq!(fixed.duration_since(UNIX_EPOCH).unwrap().as_secs(), 1_795_384_800);
        assert!(moment("25:00").is_err() && moment("tonight").is_err());
    }
}
