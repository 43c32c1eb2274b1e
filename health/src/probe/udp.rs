//! A datagram and its answer.
//!
//! UDP has no handshake, so there must be something to send that makes the
//! service answer. Without `expect` any answer from the address asked will do:
//! most services answer garbage with an error, and that is a sign of life.

use rhumb_zones::{Reader, Tree, spec};

use super::Kind;
use super::whereto::Endpoint;

/// Longest datagram: 65,535 bytes less the headers of IPv4 and UDP.
const MAX_DATAGRAM: usize = 65_507;

spec! {
    /// Sends a datagram and expects one back.
    pub struct Udp {
        /// A port on the target's address, or an address and port.
        udp: Endpoint,
        /// What is sent; nothing is an empty datagram. Escapes in double quotes give any byte below 128.
        send: String = String::new(),
        /// What the answer must contain; any answer does when not said.
        expect: Option<String>,
    }
}

impl Kind for Udp {
    fn describe(&self) -> String {
        format!("UDP datagram of {} bytes to {}", self.send.len(), self.udp)
    }

    fn needs_target_address(&self) -> bool {
        self.udp.address.is_none()
    }

    fn check(&self, tree: &Tree, reader: &mut Reader<'_>) {
        if self.send.len() > MAX_DATAGRAM {
            reader.inside("send", |reader| {
                reader.wrong(&tree.at, format!("must be at most {MAX_DATAGRAM} bytes"))
            });
        }
    }
}
