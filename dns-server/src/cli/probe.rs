//! `rhumb probe`: votes for servers elsewhere, without DNS.

use std::path::PathBuf;
use std::sync::Arc;

use super::{Ending, Failure, complain, print};
use crate::load::Sources;
use crate::station::{self, StationError};
use crate::votes::{Identity, Peer, Settings};

/// Probe what a site sees, and vote at servers
#[derive(clap::Args)]
pub(super) struct Probe {
    /// Policy files, and directories of *.yaml and *.yml files: those of the servers
    #[arg(required = true, value_name = "PATH")]
    policies: Vec<PathBuf>,
    /// Name of the place it probes from: a datacenter's, when it stands inside
    #[arg(long, value_name = "NAME")]
    site: String,
    /// Server to vote at; may be repeated
    #[arg(long, required = true, value_name = "HOST:PORT")]
    to: Vec<Peer>,
    /// Certificates of the authority that servers are verified against
    #[arg(long, value_name = "FILE")]
    ca: PathBuf,
    /// Certificate for the name of the site
    #[arg(long, value_name = "FILE")]
    cert: PathBuf,
    /// Private key of the certificate
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Name among the probers of the site [default: the host's]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
}

impl Probe {
    pub(super) fn run(self) -> Result<Ending, Failure> {
        let Self { policies, site, to, ca, cert, key, name } = self;
        let sources = Sources { policies, ..Sources::default() };
        let announced = format!("for site {site}");
        let settings = Settings {
            site: Arc::from(site),
            prober: name.map(Arc::from),
            listen: None,
            to,
            identity: Identity { ca, cert, key },
        };
        let ready = |probes| {
            if let Err(error) = print(&format_args!("{probes} probes {announced}")) {
                complain(&format_args!("rhumb: nowhere to say what is probed: {error}"));
            }
        };
        match station::run(sources, settings, ready) {
            Ok(()) => Ok(Ending::Well),
            Err(StationError::Policy(diagnostics)) => {
                diagnostics.iter().for_each(|diagnostic| complain(diagnostic));
                Ok(Ending::Bad)
            }
            Err(error) => Err(error.into()),
        }
    }
}
