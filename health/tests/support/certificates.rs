//! Certificates as tests need them, and servers that show them.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

pub(crate) const DAY: Duration = Duration::from_secs(86_400);

/// An authority of its own.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// Its certificate, for those who shall trust it.
    pub(crate) pem: String,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "authority of a test");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// A server whose certificate is not valid yet.
    pub(crate) fn server_from_tomorrow(&self, name: &str) -> Arc<ServerConfig> {
        let tomorrow = SystemTime::now() + DAY;
        self.server_between(name, [tomorrow, tomorrow + DAY], &[])
    }

    /// A server whose certificate bears `name`, began that long ago and ends
    /// as said.
    pub(crate) fn server(
        &self,
        name: &str,
        (began, ends): (Duration, Ends),
        alpn: &[&str],
    ) -> Arc<ServerConfig> {
        let now = SystemTime::now();
        let ends = match ends {
            Ends::In(time) => now + time,
            Ends::Ago(time) => now - time,
        };
        self.server_between(name, [now - began, ends], alpn)
    }

    fn server_between(&self, name: &str, [began, ends]: [SystemTime; 2], alpn: &[&str]) -> Arc<ServerConfig> {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        (params.not_before, params.not_after) = (began.into(), ends.into());
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        Arc::new(config)
    }
}

/// When a certificate ends.
pub(crate) enum Ends {
    In(Duration),
    Ago(Duration),
}
