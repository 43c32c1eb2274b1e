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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_file_leaves_the_old_one_in_use() {
        let directory = std::env::temp_dir().join(format!("rhumb-certificate-{}", std::process::id()));
        std::fs::create_dir_all(&directory).expect("made");
        let files = Files { certificate: directory.join("crt"), key: directory.join("key") };
        let issue = || rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("issued");
        let (first, second) = (issue(), issue());
        let write = |certificate: &str, key: &str| {
            // A file written within one tick of the clock must still look new.
            let _ = std::fs::remove_file(&files.certificate);
            std::fs::write(&files.key, key).expect("written");
            std::fs::write(&files.certificate, certificate).expect("written");
        };
        let [first, second] = [first, second].map(|one| (one.cert.pem(), one.signing_key.serialize_pem()));
        write(&first.0, &first.1);
        let mut certificate = Certificate::read(files.clone()).expect("right");
        let rows = [
            (&*first.0, &*first.1, false, "the same, written again: read, and equal"),
            ("no certificate", &*first.1, false, "no PEM"),
            (&*second.0, &*first.1, false, "it came before its key"),
            (&*second.0, &*second.1, true, "and here is its key"),
            ("", "", true, "two empty files"),
        ];
        for (pem, key, renewed, why) in rows {
            write(pem, key);
            certificate.look();
            let shown = certificate.shown.0.load().cert[0].clone();
            let want = if renewed { &second.0 } else { &first.0 };
            let want = tokio_rustls::rustls::pki_types::pem::PemObject::from_pem_slice(want.as_bytes());
            assert_eq!(shown, want.expect("a certificate"), "{why}");
        }
        let _ = std::fs::remove_dir_all(&directory);
    }
}
