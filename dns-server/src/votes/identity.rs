//! Who this process is, and whom it believes: certificates of both sides.
//!
//! Sites vote under an authority of the operator's own (`ca`), not under the
//! public ones: whoever bears a certificate of it for the name of a site may
//! vote for that site. Both sides show a certificate and verify the other's.
//!
//! The files are looked at again before each connection, and read again when
//! they changed: certificates are renewed while a process runs. What reads
//! wrong is told once and leaves the old ones in use; a key that arrives a
//! moment after its certificate is waited for in this way.
//!
//! Sessions are not resumed: each connection is verified in full, and there
//! are few.

use std::error::Error as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use tokio_rustls::rustls::client::Resumption;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::server::{NoServerSessionStorage, VerifierBuilderError, WebPkiClientVerifier};
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore, ServerConfig};

use crate::pem::{PemError, Stamp, certificates, private_key};

/// The files, PEM each.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Identity {
    /// Certificates of the authority that both sides are verified against.
    pub ca: PathBuf,
    /// The own certificate, and those between it and the authority.
    pub cert: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// What files said when they were last read well.
#[derive(Debug)]
pub(super) struct Papers {
    identity: Identity,
    read: Mutex<Read>,
}

#[derive(Debug)]
struct Read {
    stamps: [Stamp; 3],
    tls: Tls,
}

/// How to shake hands, from either side.
#[derive(Clone, Debug)]
pub(super) struct Tls {
    pub(super) client: Arc<ClientConfig>,
    pub(super) server: Arc<ServerConfig>,
}

impl Papers {
    /// Reads the files.
    pub(super) fn read(identity: Identity) -> Result<Self, PemError> {
        let stamps = identity.stamps();
        let tls = identity.read()?;
        Ok(Self { identity, read: Mutex::new(Read { stamps, tls }) })
    }

    /// What the files say now, or said last.
    pub(super) fn current(&self) -> Tls {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let stamps = self.identity.stamps();
        if read.stamps != stamps {
            read.stamps = stamps;
            match self.identity.read() {
                Ok(tls) => {
                    tracing::info!(certificate = %self.identity.cert.display(), "certificates of votes read again");
                    read.tls = tls;
                }
                Err(error) => {
                    let source = error.source();
                    tracing::error!(%error, source, "certificates of votes are wrong; those before are used");
                }
            }
        }
        read.tls.clone()
    }
}

impl Identity {
    fn stamps(&self) -> [Stamp; 3] {
        [&self.ca, &self.cert, &self.key].map(|path| Stamp::of(path))
    }

    fn read(&self) -> Result<Tls, PemError> {
        let mut roots = RootCertStore::empty();
        for root in certificates(&self.ca)? {
            roots.add(root).map_err(PemError::about(&self.ca, "holds a certificate that is none"))?;
        }
        let roots = Arc::new(roots);
        let chain = certificates(&self.cert)?;
        let key = private_key(&self.key)?;
        let provider = Arc::new(ring::default_provider());
        let mismatch = "does not fit the private key, or is of a kind that is not known";
        let verifier =
            WebPkiClientVerifier::builder_with_provider(Arc::clone(&roots), Arc::clone(&provider)).build();
        let verifier = verifier
            .map_err(|error: VerifierBuilderError| PemError::about(&self.ca, "is no authority")(error))?;
        let mut server = versions(ServerConfig::builder_with_provider(Arc::clone(&provider)))
            .with_client_cert_verifier(verifier)
            .with_single_cert(chain.clone(), key.clone_key())
            .map_err(PemError::about(&self.cert, mismatch))?;
        (server.session_storage, server.send_tls13_tickets) = (Arc::new(NoServerSessionStorage {}), 0);
        let mut client = versions(ClientConfig::builder_with_provider(provider))
            .with_root_certificates(roots)
            .with_client_auth_cert(chain, key)
            .map_err(PemError::about(&self.cert, mismatch))?;
        client.resumption = Resumption::disabled();
        Ok(Tls { client: Arc::new(client), server: Arc::new(server) })
    }
}

fn versions<Side: rustls::ConfigSide>(
    builder: rustls::ConfigBuilder<Side, rustls::WantsVersions>,
) -> rustls::ConfigBuilder<Side, rustls::WantsVerifier> {
    let versions = builder.with_safe_default_protocol_versions();
    versions.expect("ring knows the suites of TLS 1.2 and 1.3")
}

/// The DNS names in a certificate that was verified.
pub(super) fn names(certificate: &CertificateDer<'_>) -> Vec<String> {
    let parsed = webpki::EndEntityCert::try_from(certificate);
    parsed.map(|parsed| parsed.valid_dns_names().map(str::to_owned).collect()).unwrap_or_default()
}
