//! ICMP echo.

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
