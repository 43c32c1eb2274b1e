//! Services that fail over: what they are, for the server and for who breaks
//! them.
//!
//! Each service has a VIP in each of two datacenters, on an address of its
//! own, and is broken once, so that runs need not wait for one another.

use std::fmt::{Error, Write as _};
use std::net::Ipv4Addr;

/// Where all of them listen.
pub const PORT: u16 = 5403;

/// Runs of a group.
pub const RUNS: u8 = 10;

/// How a group is probed and breaks.
pub struct Group {
    /// Starts its services' names.
    pub letter: char,
    /// Milliseconds.
    pub interval: u64,
    /// Whether it falls silent instead of refusing: a UDP probe.
    pub silent: bool,
}

/// The defaults, and what [health.md] names for those in a hurry.
///
/// [health.md]: ../../docs/health.md
pub const GROUPS: [Group; 4] = [
    Group { letter: 'a', interval: 2000, silent: false },
    Group { letter: 'b', interval: 2000, silent: true },
    Group { letter: 'c', interval: 200, silent: false },
    Group { letter: 'd', interval: 200, silent: true },
];

/// The VIP of a run's service in the datacenter that is preferred, 0, or the
/// other, 1.
#[must_use]
pub fn vip(group: usize, run: u8, datacenter: u8) -> Ipv4Addr {
    Ipv4Addr::new(127, 1, datacenter, u8::try_from(group).unwrap_or(u8::MAX) * RUNS + run + 1)
}

/// The name of a run's service.
#[must_use]
pub fn name(group: usize, run: u8) -> String {
    format!("{}{run}.failover.example", GROUPS[group].letter)
}

/// All of them as Rhumb's policy.
///
/// # Errors
/// Never: a String takes all.
pub fn policy() -> Result<String, Error> {
    let mut text = String::from(
        "zone: failover.example\ndatacenters: { fra: { at: [50.11, 8.68] }, iad: { at: [38.95, -77.45] } }\n\
         defaults: { steer: [{ priority: [fra, iad] }] }\nservices:\n",
    );
    for (at, group) in GROUPS.iter().enumerate() {
        let kind = if group.silent { format!("udp: {PORT}, send: ping") } else { format!("tcp: {PORT}") };
        let pace = match group.interval {
            2000 => String::new(),
            fast => format!(", interval: {fast}ms, timeout: {fast}ms"),
        };
        for run in 0..RUNS {
            let (fra, iad) = (vip(at, run, 0), vip(at, run, 1));
            writeln!(
                text,
                "  {}{run}: {{ check: {{ {kind}{pace} }}, vips: {{ fra: {fra}, iad: {iad} }} }}",
                group.letter
            )?;
        }
    }
    Ok(text)
}
