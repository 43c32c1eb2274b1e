//! A DNS query and its answer.
//!
//! For targets that are name servers, and for chains that end in one. The
//! expected answer is written as in a zone file and compared as data, so that
//! neither case nor the order of records matters.

use std::net::IpAddr;
use std::num::NonZeroU16;
use std::sync::Arc;

use rhumb_zones::{Name, OneOrMany, Reader, Rtype, Spanned, Tree, rdata, spec};

use super::Kind;

/// Port of the DNS (RFC 1035 §4.2).
const PORT: NonZeroU16 = NonZeroU16::new(53).expect("53 is not zero");

spec! {
    /// Asks a name server and looks at its answer.
    pub struct Dns {
        /// The name asked for.
        dns: Name,
        /// The type asked for.
        r#type: Rtype = Rtype::A,
        /// The response code that means up.
        rcode: Rcode = Rcode::Noerror,
        /// Data that must be in the answer, each as in a zone file, names absolute.
        answer: Option<OneOrMany<Spanned<Arc<str>>>>,
        /// Another address than the target's.
        address: Option<IpAddr>,
        /// The port.
        port: NonZeroU16 = PORT,
        /// Whether over TCP.
        tcp: bool = false,
    }
}

spec! {
    /// A response code (RFC 1035 §4.1.1, RFC 2136 §2.2).
    pub enum Rcode {
        /// No error.
        Noerror,
        /// The server could not read the query.
        Formerr,
        /// The server failed.
        Servfail,
        /// There is no such name.
        Nxdomain,
        /// The server does not know the kind of query.
        Notimp,
        /// The server will not answer.
        Refused,
    }
}

impl Kind for Dns {
    fn describe(&self) -> String {
        format!("DNS query for {} {}", self.dns, self.r#type)
    }

    fn needs_target_address(&self) -> bool {
        self.address.is_none()
    }

    fn check(&self, _: &Tree, reader: &mut Reader<'_>) {
        for Spanned { at, value } in self.answer.iter().flat_map(|OneOrMany(answers)| answers) {
            if let Err(error) = rdata::scan(self.r#type, value, &Name::root()) {
                reader.inside("answer", |reader| reader.wrong(at, error.to_string()));
            }
        }
    }
}
