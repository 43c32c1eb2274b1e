//! TCP connect.
//!
//! A completed handshake proves the path and a listening socket, not that the
//! service behind it works. A reset is an answer too: it says "down" at once
//! and proves that the network is up, where silence could be either's fault.

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
