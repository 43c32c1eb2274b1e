//! `rhumb demo`.

use std::fmt::Write as _;
use std::net::SocketAddr;

use super::serve::until_stopped;
use super::{Ending, Failure, print};
use crate::demo;
use crate::serve::Ready;

/// Serve a demonstration on loopback: no files, no root.
#[derive(clap::Args)]
pub(super) struct Demo {
    /// Address and port to answer on [default: 127.0.0.1:5300, or the next free port]
    #[arg(long, value_name = "ADDR:PORT")]
    listen: Option<SocketAddr>,
}

impl Demo {
    pub(super) fn run(self) -> Result<Ending, Failure> {
        until_stopped(demo::config(self.listen)?, |ready| print(&introduction(ready)?))
    }
}

/// What is served, and what to try.
fn introduction(ready: &Ready<'_>) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    for address in ready.listen {
        writeln!(text, "listening on {address}")?;
    }
    let model = ready.snapshot.parts().world.model();
    for zone in model.zones() {
        writeln!(text, "zone {}: {} static records and", zone.name, zone.records.records.len())?;
    }
    for service in model.services() {
        let about = service.description.as_deref().unwrap_or_default();
        writeln!(text, "  {:30} {about}", service.owner.to_string())?;
    }
    let Some(address) = ready.listen.first() else { return Ok(text) };
    writeln!(text, "\nTry, in another terminal:")?;
    for (question, shows) in demo::QUESTIONS {
        writeln!(text, "  dig @{} -p {} +short {question:56} # {shows}", address.ip(), address.port())?;
    }
    let admin = ready.admin.display();
    writeln!(text, "\n  rhumb explain www --client 193.0.6.139 --admin {admin}")?;
    writeln!(text, "  rhumb status --admin {admin}")?;
    write!(text, "\nCtrl-C stops.")?;
    Ok(text)
}
