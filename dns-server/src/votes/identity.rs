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

use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use tokio_rustls::rustls::client::Resumption;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject as _};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::{NoServerSessionStorage, VerifierBuilderError, WebPkiClientVerifier};
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore, ServerConfig};

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

/// Why there is no identity.
#[derive(Debug, thiserror::Error)]
#[error("{}: {what}", path.display())]
pub struct IdentityError {
    path: PathBuf,
    what: &'static str,
    #[source]
    source: Box<dyn std::error::Error + Send + Sync>,
}

/// What files said when they were last read well.
#[derive(Debug)]
pub(super) struct Papers {
    identity: Identity,
    read: Mutex<Read>,
}

#[derive(Debug)]
struct Read {
    stamps: [Option<Stamp>; 3],
    tls: Tls,
}

/// How to shake hands, from either side.
#[derive(Clone, Debug)]
pub(super) struct Tls {
    pub(super) client: Arc<ClientConfig>,
    pub(super) server: Arc<ServerConfig>,
}

/// What changes when a file is written.
type Stamp = (SystemTime, u64, u64);

impl Papers {
    /// Reads the files.
    pub(super) fn read(identity: Identity) -> Result<Self, IdentityError> {
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
                    let source = &*error.source;
                    tracing::error!(%error, source, "certificates of votes are wrong; those before are used");
                }
            }
        }
        read.tls.clone()
    }
}

impl Identity {
    fn stamps(&self) -> [Option<Stamp>; 3] {
        [&self.ca, &self.cert, &self.key].map(|path| {
            let metadata = std::fs::metadata(path).ok()?;
            Some((metadata.modified().ok()?, metadata.len(), metadata.ino()))
        })
    }

    fn read(&self) -> Result<Tls, IdentityError> {
        let mut roots = RootCertStore::empty();
        for root in certificates(&self.ca)? {
            roots.add(root).map_err(wrong(&self.ca, "holds a certificate that is none"))?;
        }
        let roots = Arc::new(roots);
        let chain = certificates(&self.cert)?;
        let key =
            PrivateKeyDer::from_pem_file(&self.key).map_err(unreadable(&self.key, "holds no private key"))?;
        let provider = Arc::new(ring::default_provider());
        let mismatch = "does not fit the private key, or is of a kind that is not known";
        let verifier =
            WebPkiClientVerifier::builder_with_provider(Arc::clone(&roots), Arc::clone(&provider)).build();
        let verifier =
            verifier.map_err(|error: VerifierBuilderError| wrong(&self.ca, "is no authority")(error))?;
        let mut server = versions(ServerConfig::builder_with_provider(Arc::clone(&provider)))
            .with_client_cert_verifier(verifier)
            .with_single_cert(chain.clone(), key.clone_key())
            .map_err(wrong(&self.cert, mismatch))?;
        (server.session_storage, server.send_tls13_tickets) = (Arc::new(NoServerSessionStorage {}), 0);
        let mut client = versions(ClientConfig::builder_with_provider(provider))
            .with_root_certificates(roots)
            .with_client_auth_cert(chain, key)
            .map_err(wrong(&self.cert, mismatch))?;
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

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, IdentityError> {
    let none = "holds no certificate";
    let certificates = CertificateDer::pem_file_iter(path).map_err(unreadable(path, none))?;
    let certificates: Vec<_> = certificates.collect::<Result<_, _>>().map_err(unreadable(path, none))?;
    match certificates.is_empty() {
        true => Err(wrong(path, none)(io::Error::from(io::ErrorKind::UnexpectedEof))),
        false => Ok(certificates),
    }
}

fn unreadable(path: &Path, what: &'static str) -> impl Fn(pem::Error) -> IdentityError {
    move |error| match error {
        pem::Error::Io(error) => wrong(path, "cannot be read")(error),
        other => wrong(path, what)(other),
    }
}

fn wrong<E: std::error::Error + Send + Sync + 'static>(
    path: &Path,
    what: &'static str,
) -> impl Fn(E) -> IdentityError {
    move |error| IdentityError { path: path.to_owned(), what, source: Box::new(error) }
}

/// The DNS names in a certificate that was verified.
pub(super) fn names(certificate: &CertificateDer<'_>) -> Vec<String> {
    let parsed = webpki::EndEntityCert::try_from(certificate);
    parsed.map(|parsed| parsed.valid_dns_names().map(str::to_owned).collect()).unwrap_or_default()
}
