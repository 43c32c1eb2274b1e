//! The certificate that clients are shown, and the next one.
//!
//! Certificates are renewed while a server runs, so the files are looked at
//! once a second and read again when they changed. What reads wrong, or does
//! not fit together, is told once and leaves the old one in use; a key that
//! arrives a moment after its certificate is waited for in this way. All
//! encrypted listeners share one [`Shown`], so none shows an older one than
//! another.

use std::error::Error as _;
use std::path::PathBuf;
use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;

use crate::pem::{PemError, Stamp, certificates, private_key};

/// A certificate and its key, as they were last read well.
#[derive(Debug)]
pub(super) struct Certificate {
    files: Files,
    stamps: [Stamp; 2],
    shown: Arc<Shown>,
}

/// Where they are, PEM each.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Files {
    /// The certificate, and those between it and its authority.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

#[derive(Debug)]
struct Shown(ArcSwap<CertifiedKey>);

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.load_full())
    }
}

impl Certificate {
    pub(super) fn read(files: Files) -> Result<Self, PemError> {
        let stamps = files.stamps();
        let shown = Arc::new(Shown(ArcSwap::from_pointee(files.read()?)));
        Ok(Self { files, stamps, shown })
    }

    /// Reads the files again if they changed.
    pub(super) fn look(&mut self) {
        let stamps = self.files.stamps();
        if stamps == self.stamps {
            return;
        }
        self.stamps = stamps;
        let certificate = self.files.certificate.display();
        match self.files.read() {
            Ok(read) => {
                self.shown.0.store(Arc::new(read));
                tracing::info!(%certificate, "certificate read again");
            }
            Err(error) => {
                tracing::error!(%error, source = error.source(), "the new certificate is wrong; the old one is shown");
            }
        }
    }

    /// How to shake hands with clients that speak one of `protocols`.
    pub(super) fn config(&self, protocols: &[&str]) -> ServerConfig {
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("ring knows the suites of TLS 1.2 and 1.3")
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&self.shown) as _);
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        config
    }
}

impl Files {
    fn stamps(&self) -> [Stamp; 2] {
        [&self.certificate, &self.key].map(|path| Stamp::of(path))
    }

    fn read(&self) -> Result<CertifiedKey, PemError> {
        let chain = certificates(&self.certificate)?;
        let key = private_key(&self.key)?;
        let mismatch = "does not fit the private key, or is of a kind that is not known";
        CertifiedKey::from_der(chain, key, &ring::default_provider())
            .map_err(PemError::about(&self.certificate, mismatch))
    }
}
