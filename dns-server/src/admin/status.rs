//! What `rhumb status` shows.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::keeper::report::{Ago, Report};
use crate::reload::Refusal;

/// The state of a running server. Times are Unix seconds.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Status {
    /// The program's version.
    pub version: String,
    /// Its process.
    pub pid: u32,
    /// Now, by the server's clock.
    pub now: u64,
    /// When it started.
    pub started: u64,
    /// Addresses it answers on, UDP and TCP.
    pub listen: Vec<SocketAddr>,
    /// What is being served: counts up from 1 with every change.
    pub generation: u64,
    /// When this generation was published.
    pub published: u64,
    /// Why the last edit was not, if so.
    pub refused: Option<Refusal>,
    /// Zones, in declaration order.
    pub zones: Vec<ZoneStatus>,
    /// How many datacenters are declared.
    pub datacenters: usize,
    /// How many services are.
    pub services: usize,
    /// Geo databases in use; none means the embedded table.
    pub geo: Vec<PathBuf>,
    /// What is known of targets; nothing when nobody keeps the state any more.
    pub health: Option<Report>,
    /// Counters of the query path, summed over all workers.
    pub queries: Vec<(String, u64)>,
}

/// One zone.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ZoneStatus {
    /// Its name.
    pub name: String,
    /// The serial in its SOA.
    pub serial: u32,
    /// How many static records it has.
    pub records: usize,
    /// How many services.
    pub services: usize,
}

/// Diagnostics shown by `status`; `rhumb check` shows all.
const SHOWN: usize = 20;

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { version, pid, now, started, listen, generation, published, refused, .. } = self;
        let ago = |time: u64| Ago(Duration::from_secs(now.saturating_sub(time)));
        writeln!(f, "rhumb {version}, process {pid}, up {}", ago(*started))?;
        for address in listen {
            writeln!(f, "listening on {address}")?;
        }
        writeln!(f, "generation {generation}, published {} ago", ago(*published))?;
        match refused {
            None => writeln!(f, "policy as on disk")?,
            Some(Refusal { since, diagnostics }) => {
                writeln!(
                    f,
                    "THE FILES ON DISK ARE WRONG since {}; the last good ones are served:",
                    ago(*since)
                )?;
                for diagnostic in diagnostics.iter().take(SHOWN) {
                    writeln!(f, "  {}", diagnostic.replace('\n', "\n  "))?;
                }
                if diagnostics.len() > SHOWN {
                    writeln!(f, "  and {} more", diagnostics.len() - SHOWN)?;
                }
            }
        }
        writeln!(f, "{}, {}", count(self.datacenters, "datacenter"), count(self.services, "service"))?;
        for ZoneStatus { name, serial, records, services } in &self.zones {
            let (records, services) = (count(*records, "record"), count(*services, "service"));
            writeln!(f, "zone {name}: serial {serial}, {records}, {services}")?;
        }
        if self.geo.is_empty() {
            writeln!(f, "geo: the embedded table")?;
        }
        for path in &self.geo {
            writeln!(f, "geo: {}", path.display())?;
        }
        match &self.health {
            Some(health) => write!(f, "{health}")?,
            None => writeln!(f, "NOTHING IS PROBED: the keeper of the state has ended; restart the server")?,
        }
        let counted: Vec<String> =
            self.queries.iter().map(|(name, count)| format!("{name} {count}")).collect();
        write!(f, "queries: {}", counted.join(", "))
    }
}

/// `1 service`, `2 services`.
fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}
