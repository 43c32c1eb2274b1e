//! `rhumb explain`: why a client gets the answer it gets.

use std::path::PathBuf;
use std::sync::Arc;

use hyper::{Method, StatusCode};
use rhumb_zones::{LoadOptions, Prefix, Rtype};

use super::{Ending, Failure, Socket, complain, print};
use crate::admin::{self, Explained};
use crate::ask::{Question, ask};
use crate::load::{Loader, Sources};
use crate::reload::Reloader;
use crate::serial::Serials;
use crate::snapshot::Options;

/// Say why a client gets the answer it gets.
///
/// Asks the running server, or, with --policy, that policy: with every target
/// as its `assume:` says, since nothing is probed.
#[derive(clap::Args)]
pub(super) struct Explain {
    /// A name; relative to the zone where that is clear
    name: String,
    /// A record type
    #[arg(default_value = "A", value_name = "TYPE")]
    rtype: Rtype,
    /// The client's address or network; without one, a resolver on this machine
    #[arg(long, value_name = "ADDR[/LEN]")]
    client: Option<Prefix>,
    /// Policy file or directory to ask instead of the running server; may be repeated
    #[arg(long, value_name = "PATH")]
    policy: Vec<PathBuf>,
    /// Geo database to use with --policy; may be repeated
    #[arg(long, value_name = "FILE", requires = "policy")]
    geo: Vec<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    socket: Socket,
}

impl Explain {
    pub(super) fn run(self) -> Result<Ending, Failure> {
        let json = self.json;
        let told = if self.policy.is_empty() { Some(self.running()?) } else { self.offline()? };
        let Some(Explained { text, told }) = told else { return Ok(Ending::Bad) };
        if json {
            print(&format_args!("{told:#}"))?
        } else {
            print(&text)?
        }
        Ok(Ending::Well)
    }

    /// Asks the running server.
    fn running(self) -> Result<Explained, Failure> {
        let Self { name, rtype, client, socket, .. } = self;
        let client = client.map(|client| format!("&client={}", admin::encode(&client.to_string())));
        let query = format!("name={}&type={rtype}{}", admin::encode(&name), client.unwrap_or_default());
        let (status, body) = admin::ask(&socket.path(), (Method::GET, &format!("/explain?{query}")), None)?;
        match status {
            StatusCode::OK => Ok(serde_json::from_slice(&body)?),
            _ => Err(format!("{name}: {}", String::from_utf8_lossy(&body)).into()),
        }
    }

    /// Asks a policy; nothing when it is wrong, which is then said.
    fn offline(self) -> Result<Option<Explained>, Failure> {
        let Self { name, rtype, client, policy, geo, .. } = self;
        let loader =
            Loader::new(Sources { policies: policy, geo, ..Sources::default() }, LoadOptions::default());
        let reloader = match Reloader::new(loader, Serials::default(), Arc::new(Options::default())) {
            Ok(reloader) => reloader,
            Err(diagnostics) => {
                diagnostics.iter().for_each(|diagnostic| complain(diagnostic));
                return Ok(None);
            }
        };
        let snapshot = reloader.publisher().current();
        let question = Question::new(snapshot.parts().world.model(), &name, (rtype, client));
        let question = question.map_err(|error| format!("{name}: {error}"))?;
        Ok(Some(Explained::new(&ask(&snapshot, &question))))
    }
}
