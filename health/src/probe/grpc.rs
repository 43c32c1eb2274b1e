//! The gRPC health protocol (`grpc.health.v1`).
//!
//! Its answer is the service's own word, per service name, so one port with
//! many services can be probed service by service. Any answer but SERVING is
//! down, also UNKNOWN and SERVICE_UNKNOWN: a name that is misspelled here must
//! not look healthy.

mod check;

use std::net::SocketAddr;

use rhumb_zones::spec;

use super::way::{Protocol, Security, over_http2};
use super::whereto::Endpoint;
use super::{Kind, Running, Way};
use crate::reply::Failure;

spec! {
    /// Asks `grpc.health.v1.Health/Check` and expects SERVING.
    pub struct Grpc {
        /// A port on the target's address, or an address and port.
        grpc: Endpoint,
        /// The service asked about; the server as a whole when not said.
        service: String = String::new(),
        /// Whether over TLS.
        tls: bool = false,
        /// The name to ask for (SNI and :authority).
        name: Option<String>,
    }
}

impl Kind for Grpc {
    fn describe(&self) -> String {
        let service = if self.service.is_empty() { "the server" } else { &self.service };
        format!("gRPC health of {service} at {}", self.grpc)
    }

    fn needs_target_address(&self) -> bool {
        self.grpc.address.is_none()
    }

    fn run<'a>(&'a self, way: &'a Way<'a>) -> Running<'a> {
        Box::pin(async move {
            let to = match way.endpoint(self.grpc) {
                Ok(to) => to,
                Err(failure) => return failure.into(),
            };
            way.converse(to, async |stream| {
                let request = check::request(self.tls, &self.authority(to), &self.service)?;
                let asked = async |requests| check::ask(requests, request).await;
                if self.tls {
                    over_http2(way.secure(stream, self.security(to)?).await?, asked).await?;
                } else {
                    over_http2(stream, asked).await?;
                }
                Ok(None)
            })
            .await
        })
    }
}

impl Grpc {
    fn authority(&self, to: SocketAddr) -> String {
        self.name.clone().unwrap_or_else(|| to.to_string())
    }

    fn security(&self, to: SocketAddr) -> Result<Security, Failure> {
        let name = match &self.name {
            Some(name) => Security::name(name)?,
            None => Security::nameless(to.ip()),
        };
        Ok(Security { name, is_named: false, is_trusted: false, left: None, protocol: Protocol::Http2 })
    }
}
