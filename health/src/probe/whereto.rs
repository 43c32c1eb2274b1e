//! Where a probe goes: the target's own address unless another is given.
//!
//! A VIP's probe must go to the VIP, one probe per address, so the usual form
//! is a mere port. Links, intranets and interconnects have no address: theirs
//! must be written. Names are refused, for a probe that needs the DNS would
//! fail with it, and that is what it is meant to notice.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use rhumb_zones::serde_json::{Value as Json, json};
use rhumb_zones::{Read, Reader, Tree, Value};

/// `443` on the target's own address, or `10.1.1.1:22`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Endpoint {
    /// Another address than the target's.
    pub address: Option<IpAddr>,
    /// The port, not 0.
    pub port: u16,
}

impl Read for Endpoint {
    fn read(tree: &Tree, reader: &mut Reader<'_>) -> Option<Self> {
        let endpoint = tree.text().and_then(|text| {
            let port = text.parse().map(|port| Self { address: None, port });
            let whole = text.parse::<SocketAddr>();
            port.ok().or_else(|| whole.ok().map(|at| Self { address: Some(at.ip()), port: at.port() }))
        });
        let endpoint = endpoint.filter(|endpoint| endpoint.port > 0);
        endpoint.or_else(|| reader.must_be(tree, "a port, or an address and port such as 10.1.1.1:22"))
    }

    fn schema() -> Json {
        json!({ "type": ["integer", "string"] })
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.address {
            Some(address) => SocketAddr::new(address, self.port).fmt(f),
            None => write!(f, "port {}", self.port),
        }
    }
}

/// An address, or nothing for the target's own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Host(pub Option<IpAddr>);

impl Read for Host {
    fn read(tree: &Tree, reader: &mut Reader<'_>) -> Option<Self> {
        if matches!(tree.value, Value::Null) {
            Some(Self(None))
        } else {
            IpAddr::read(tree, reader).map(|at| Self(Some(at)))
        }
    }

    fn schema() -> Json {
        json!({ "type": ["string", "null"] })
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(address) => address.fmt(f),
            None => f.write_str("the target"),
        }
    }
}
