//! `rhumb schema`: what editors complete and validate with.

use rhumb_policies::World;
use rhumb_zones::Read as _;

use super::{Ending, Failure, print};
use crate::cases::spec::CaseFile;
use crate::config::ConfigFile;

/// Print the JSON Schema of a kind of file, for editors.
#[derive(clap::Args)]
pub(super) struct Schema {
    /// The kind of file
    #[arg(value_enum, default_value_t)]
    kind: Kind,
}

#[derive(Clone, Copy, Default, clap::ValueEnum)]
enum Kind {
    /// Policies, for `rhumb serve` and `rhumb check`
    #[default]
    Policy,
    /// Policy tests, for `rhumb test`
    Tests,
    /// The server's configuration, for `rhumb serve --config`
    Config,
}

impl Schema {
    pub(super) fn run(self) -> Result<Ending, Failure> {
        let schema = match self.kind {
            Kind::Policy => {
                let [(_, steering), (_, selectors)] = World::schema_parts();
                rhumb_zones::schema(steering, rhumb_health::probe::schema(), selectors)
            }
            Kind::Tests => CaseFile::schema(),
            Kind::Config => ConfigFile::schema(),
        };
        print(&format_args!("{schema:#}"))?;
        Ok(Ending::Well)
    }
}
