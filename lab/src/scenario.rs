//! What is tried, in which worlds.
//!
//! A world is a line in [`WORLDS`]: its policy, and what plays in it. Most is a
//! table of rows, each a fault and the answers it must lead to.

mod figures;
mod links;
mod operator;
mod quality;
mod restart;
mod rows;
mod table;

use crate::failure::Done;
use crate::policy::{ANY, BRISK, DEFAULT, Eyes, OFF_THE_SLOW, PATIENT, PRIMARY, Policy, Service, TUNED, WEB};
use crate::topology::DATACENTERS;
use crate::world::World;

/// A world and what plays in it.
pub(crate) struct Script {
    /// Its name, for the command line and its spaces.
    pub(crate) name: &'static str,
    /// What it serves.
    pub(crate) policy: fn() -> Policy,
    /// What is tried; an error is for what ends the play.
    pub(crate) play: fn(&mut World) -> Done,
}

/// All of them; those that measure come first, while the machine is calm.
pub(crate) const WORLDS: [Script; 16] = [
    Script { name: "tuned", policy: || figures(TUNED), play: figures::tuned },
    Script { name: "defaults", policy: || figures(DEFAULT), play: figures::defaults },
    Script { name: "loss", policy: || Policy { defaults: PATIENT, ..brisk(2) }, play: quality::loss },
    Script { name: "delay", policy: || Policy { rules: OFF_THE_SLOW, ..brisk(2) }, play: quality::delay },
    Script { name: "lossy-link", policy: links::policy, play: |world| links::LOSSY.play(world) },
    Script { name: "slow-link", policy: links::policy, play: |world| links::SLOW.play(world) },
    Script { name: "slow-restart", policy: links::policy, play: |world| links::RESTARTED.play(world) },
    Script { name: "single", policy: || brisk(2), play: |world| rows::play(world, table::SINGLE) },
    Script { name: "private", policy: || brisk(2), play: |world| rows::play(world, table::PRIVATE) },
    Script { name: "compound", policy: || brisk(2), play: |world| rows::play(world, table::COMPOUND) },
    Script { name: "three", policy: || brisk(3), play: |world| rows::play(world, table::THREE) },
    Script {
        name: "probers",
        policy: || seen_by(Eyes::Probers),
        play: |world| rows::play(world, table::PROBERS),
    },
    Script { name: "across", policy: || seen_by(Eyes::Across), play: quality::masked },
    Script { name: "own-fault", policy: || brisk(2), play: quality::own_fault_and_flaps },
    Script { name: "restart", policy: || brisk(2), play: restart::play },
    Script { name: "operator", policy: || brisk(2), play: operator::play },
];

/// Two or three datacenters and a service of each kind.
fn brisk(datacenters: usize) -> Policy {
    let services = vec![ANY, PRIMARY, WEB];
    let datacenters = &DATACENTERS[..datacenters];
    Policy {
        datacenters,
        services,
        defaults: BRISK,
        hold: "2s",
        eyes: Eyes::Server,
        rules: "",
        samples: None,
    }
}

/// Two datacenters, probed by these.
fn seen_by(eyes: Eyes) -> Policy {
    Policy { eyes, ..brisk(2) }
}

/// A service for each try at a figure, so that no try waits for a recovery.
fn figures(defaults: &'static str) -> Policy {
    let checked = figures::SERVICES.map(|name| Service { name, ..WEB });
    let services = checked.into_iter().chain([PRIMARY]).collect();
    Policy { services, defaults, hold: "10s", ..brisk(2) }
}
