//! The gRPC health protocol (`grpc.health.v1`).
//!
//! Its answer is the service's own word, per service name, so one port with
//! many services can be probed service by service. Any answer but SERVING is
//! down, also UNKNOWN and SERVICE_UNKNOWN: a name that is misspelled here must
//! not look healthy.

use rhumb_zones::spec;

use super::Kind;
use super::whereto::Endpoint;

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
}
