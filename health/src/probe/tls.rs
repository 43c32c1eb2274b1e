//! TLS handshake, with the certificate's name and days left.
//!
//! For services that speak no HTTP, and for the certificate itself: `expires:
//! 14d` turns a forgotten renewal into an alarm two weeks before it turns into
//! an outage. The chain is verified unless told otherwise, because here the
//! certificate is what is asked about.

use std::net::IpAddr;
use std::time::Duration;

use rhumb_zones::{Name, spec};

use super::way::{Protocol, Security};
use super::whereto::Endpoint;
use super::{Kind, Running, Way};
use crate::reply::Failure;

spec! {
    /// Completes a TLS handshake.
    pub struct Tls {
        /// A port on the target's address, or an address and port.
        tls: Endpoint,
        /// The name to ask for (SNI); the certificate must bear it.
        name: Option<Name>,
        /// How long the certificate must still be valid.
        expires: Option<Duration>,
        /// Whether the certificate must be from an authority this machine trusts.
        verify: bool = true,
    }
}

impl Kind for Tls {
    fn describe(&self) -> String {
        let name = self.name.as_ref().map(|name| format!(" as {name}")).unwrap_or_default();
        format!("TLS handshake with {}{name}", self.tls)
    }

    fn needs_target_address(&self) -> bool {
        self.tls.address.is_none()
    }

    fn run<'a>(&'a self, way: &'a Way<'a>) -> Running<'a> {
        Box::pin(async move {
            let to = match way.endpoint(self.tls) {
                Ok(to) => to,
                Err(failure) => return failure.into(),
            };
            way.converse(to, async |stream| {
                way.secure(stream, self.security(to.ip())?).await?;
                Ok(None)
            })
            .await
        })
    }
}

impl Tls {
    fn security(&self, address: IpAddr) -> Result<Security, Failure> {
        let name = match &self.name {
            Some(name) => Security::name(&name.to_string())?,
            None => Security::nameless(address),
        };
        Ok(Security {
            name,
            is_named: self.name.is_some(),
            is_trusted: self.verify,
            left: self.expires,
            protocol: Protocol::Any,
        })
    }
}
