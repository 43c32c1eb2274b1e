//! From replies to verdicts, in virtual time: machines, own faults, rosters
//! and ballots.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod ballot;
mod fault;
mod machine;
mod roster;

use std::sync::Arc;
use std::time::Duration;

use rhumb_health::roster::{Homes, Roster, Subject, subject_named};
use rhumb_health::{Cause, Failure, Reply};
use rhumb_zones::{Files, LoadOptions, Model, ReadError, Source};

struct NoFiles;

impl Files for NoFiles {
    fn read(&self, _: &str, path: &str) -> Result<(String, Vec<u8>), ReadError> {
        Err(ReadError(format!("{path} is not there")))
    }
}

/// A policy and what is derived from it.
struct World {
    model: Model,
    homes: Homes,
}

impl World {
    fn new(policy: &str) -> Self {
        let source = Source { path: Arc::from("policy"), bytes: policy.as_bytes().to_vec() };
        let loaded = rhumb_zones::load(&[source], &NoFiles, &LoadOptions::default());
        assert!(!loaded.diagnostics.refuse(), "{}", loaded.diagnostics);
        Self { homes: Homes::new(&loaded.model), model: loaded.model }
    }

    /// Two datacenters with everything probed.
    fn pair() -> Self {
        Self::new(
            "zone: g.example
datacenters:
  north:
    links: { a: { probe: { tcp: '192.0.2.1:1' } }, b: { probe: { tcp: '192.0.2.2:1' } } }
    balancers: { lb: { address: 10.1.0.1, probe: { tcp: 443 } } }
    intranet: { probe: { tcp: '10.1.1.1:22' } }
  south:
    links: { a: { probe: { tcp: '192.0.2.3:1' } } }
    balancers: { lb: { address: 10.2.0.1, probe: { tcp: 443, quorum: 1 of 1 } } }
interconnects: [ { between: [north, south], probe: { ping: 10.255.0.2 } } ]
services:
  www:
    check: { tcp: 443 }
    vips:
      north: { a: { address: [192.0.2.10, 2001:db8::10] }, b: 192.0.2.20 }
      south: { a: 192.0.2.30 }
    nodes: { north: [ { address: '10.1.1.21:80', probe: { tcp: 80 } } ] }
",
        )
    }

    fn subject(&self, name: &str) -> Subject {
        subject_named(&self.model, name).unwrap_or_else(|| panic!("{name} is declared"))
    }

    fn roster(&self, site: &str, sites: &[&str]) -> Roster {
        let sites: Vec<Arc<str>> = sites.iter().map(|&site| Arc::from(site)).collect();
        Roster::new(&self.model, &self.homes, (site, &sites))
    }
}

/// `+` success, `-` silence, `x` refusal.
fn reply(sign: char) -> Reply {
    let failed = |cause| Err(Failure { cause, text: "".into() });
    let outcome = match sign {
        '+' => Ok(()),
        '-' => failed(Cause::Silent),
        'x' => failed(Cause::Refused),
        _ => panic!("{sign} is no reply"),
    };
    Reply { outcome, tries: 1, lost: u8::from(sign == '-'), delay: None, report: None }
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}
