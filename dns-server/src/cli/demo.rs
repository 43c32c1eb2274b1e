//! `rhumb demo`.

use std::fmt::Write as _;
use std::net::SocketAddr;

use super::serve::until_stopped;
use super::{Ending, Failure, print};
use crate::demo::{self, Stage};
use crate::serve::Ready;

/// Serve a demonstration on loopback: no files, no root.
#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Demo {
    /// Address and port to answer on [default: 127.0.0.1:5300, or the next free port]
    #[arg(long, value_name = "ADDR:PORT")]
    listen: Option<SocketAddr>,
    #[command(subcommand)]
    scene: Option<Scene>,
}

/// What can happen in the running demonstration
#[derive(clap::Subcommand)]
enum Scene {
    /// Break something: interconnect, fra (all its links), link:fra/blue, balancer:fra/lb1, intranet:fra
    Break(Prop),
    /// Mend it
    Mend(Prop),
}

#[derive(clap::Args)]
struct Prop {
    /// What
    name: String,
    /// The demonstration's port, if several run
    #[arg(long)]
    port: Option<u16>,
}

impl Demo {
    pub(super) fn run(self) -> Result<Ending, Failure> {
        let (Prop { name, port }, word) = match self.scene {
            Some(Scene::Break(prop)) => (prop, "down"),
            Some(Scene::Mend(prop)) => (prop, "up"),
            None => {
                let (config, stage) = demo::config(self.listen)?;
                let ending = until_stopped(config, |ready| print(&introduction(ready)?));
                stage.strike();
                return ending;
            }
        };
        Stage::find(port)?
            .turn(&name, word)?
            .iter()
            .try_for_each(|prop| print(&format_args!("{prop}: {word}")))?;
        Ok(Ending::Well)
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
    writeln!(text, "\nBreak something, and ask again after three seconds:")?;
    for (scene, shows) in demo::SCENES {
        writeln!(text, "  rhumb demo {scene:24} # {shows}")?;
    }
    write!(text, "\nCtrl-C stops.")?;
    Ok(text)
}
