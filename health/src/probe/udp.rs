//! A datagram and its answer.
//!
//! UDP has no handshake, so there must be something to send that makes the
//! service answer. Without `expect` any answer from the address asked will do:
//! most services answer garbage with an error, and that is a sign of life.

use rhumb_zones::{Reader, Tree, spec};

use super::way::{first_word, wrong};
use super::whereto::Endpoint;
use super::{Kind, Running, Way};

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

    fn reports(&self) -> bool {
        true
    }

    fn run<'a>(&'a self, way: &'a Way<'a>) -> Running<'a> {
        Box::pin(async move {
            let to = match way.endpoint(self.udp) {
                Ok(to) => to,
                Err(failure) => return failure.into(),
            };
            let question = || self.send.as_bytes().to_vec();
            let accept = |_: &[u8], answer: &[u8]| {
                let is_expected = self.expect.as_ref().is_none_or(|text| contains(answer, text.as_bytes()));
                Some(if is_expected { Ok(first_word(answer)) } else { Err(wrong("not the expected answer")) })
            };
            way.exchange(to, question, accept).await.into_reply(|word| word)
        })
    }

    fn check(&self, tree: &Tree, reader: &mut Reader<'_>) {
        if self.send.len() > MAX_DATAGRAM {
            reader.inside("send", |reader| {
                reader.wrong(&tree.at, format!("must be at most {MAX_DATAGRAM} bytes"))
            });
        }
    }
}

fn contains(answer: &[u8], wanted: &[u8]) -> bool {
    wanted.is_empty() || answer.windows(wanted.len()).any(|window| window == wanted)
}
