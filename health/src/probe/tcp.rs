//! TCP connect.
//!
//! A completed handshake proves the path and a listening socket, not that the
//! service behind it works. A reset is an answer too: it says "down" at once
//! and proves that the network is up, where silence could be either's fault.

use std::time::Duration;

use rhumb_zones::spec;

use socket2::SockRef;

use super::whereto::Endpoint;
use super::{Kind, Running, Way};

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

    fn run<'a>(&'a self, way: &'a Way<'a>) -> Running<'a> {
        Box::pin(async move {
            let to = match way.endpoint(self.tcp) {
                Ok(to) => to,
                Err(failure) => return failure.into(),
            };
            way.converse(to, async |stream| {
                // Closed by a reset: thousands of connections a second would
                // each be remembered for a minute otherwise (TIME-WAIT).
                let _ = SockRef::from(&stream).set_linger(Some(Duration::ZERO));
                Ok(None)
            })
            .await
        })
    }
}
