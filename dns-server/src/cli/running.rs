//! `rhumb status` and `rhumb reload`: questions to the running server.

use hyper::{Method, StatusCode};

use super::{Ending, Failure, Socket, complain, print};
use crate::admin;
use crate::reload::Outcome;

/// Show what the running server serves.
#[derive(clap::Args)]
pub(super) struct Status {
    #[command(flatten)]
    socket: Socket,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Status {
    pub(super) fn run(self) -> Result<Ending, Failure> {
        let (_, body) = admin::ask(&self.socket.path(), (Method::GET, "/status"), None)?;
        let status: admin::Status = serde_json::from_slice(&body)?;
        match self.json {
            true => print(&format_args!("{:#}", serde_json::to_value(&status)?))?,
            false => print(&status)?,
        }
        Ok(Ending::Well)
    }
}

/// Have the running server read its files again.
#[derive(clap::Args)]
pub(super) struct Reload {
    #[command(flatten)]
    socket: Socket,
}

impl Reload {
    pub(super) fn run(self) -> Result<Ending, Failure> {
        let (status, body) = admin::ask(&self.socket.path(), (Method::POST, "/reload"), None)?;
        if status != StatusCode::OK {
            return Err(format!("the server answered {status}").into());
        }
        match serde_json::from_slice(&body)? {
            Outcome::Published { generation, warnings } => {
                warnings.iter().for_each(|warning| complain(warning));
                print(&format_args!("generation {generation}"))?;
            }
            Outcome::Unchanged { generation } => {
                print(&format_args!("generation {generation}: nothing changed"))?;
            }
            Outcome::Refused { generation, diagnostics } => {
                diagnostics.iter().for_each(|diagnostic| complain(diagnostic));
                print(&format_args!("refused; generation {generation} is still served"))?;
                return Ok(Ending::Bad);
            }
        }
        Ok(Ending::Well)
    }
}
