//! TCP connect.

use rhumb_zones::spec;

use super::Kind;
use super::whereto::Endpoint;

spec! {
    /// Opens a TCP connection and closes it.
    pub struct Tcp {
        /// A port on the target's address, or an address and port.
        tcp: Endpoint,
    }
}

impl Kind for Tcp {
    fn describe(&self) -> String {
        format!("TCP connect to {}", self.tcp)
    }

    fn needs_target_address(&self) -> bool {
        self.tcp.address.is_none()
    }
}
