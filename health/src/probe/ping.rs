//! ICMP echo.
//!
//! The plainest question: does the path carry a packet there and back. It is
//! the probe for links, whose far end is a carrier's router that serves nothing
//! else, and the one that measures loss and delay without a server's own time
//! in them.

use rhumb_zones::spec;

use super::Kind;
use super::whereto::Host;

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
}
