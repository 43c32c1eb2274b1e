//! ICMP echo.
//!
//! The plainest question: does the path carry a packet there and back. It is
//! the probe for links, whose far end is a carrier's router that serves nothing
//! else, and the one that measures loss and delay without a server's own time
//! in them.

use rhumb_zones::spec;

use super::whereto::Host;
use super::{Cost, Kind, Running, Way};

spec! {
    /// Sends ICMP echo requests and expects an answer.
    pub struct Ping {
        /// Whom: an address, or nothing for the target's own.
        ping: Host,
    }
}

impl Kind for Ping {
    fn describe(&self) -> String {
        format!("ICMP echo to {}", self.ping)
    }

    fn needs_target_address(&self) -> bool {
        self.ping.0.is_none()
    }

    fn cost(&self) -> Cost {
        Cost::Shared
    }

    fn run<'a>(&'a self, way: &'a Way<'a>) -> Running<'a> {
        Box::pin(async move {
            match way.destination(self.ping.0) {
                Ok(to) => way.ping(to).await,
                Err(failure) => failure.into(),
            }
        })
    }
}
