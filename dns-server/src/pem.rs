//! Certificates and keys in PEM files, and whether they have changed.
//!
//! Whatever shows a certificate reads its files through here, and looks again
//! from time to time: certificates are renewed while a process runs. What is
//! wrong names the file, so that an operator knows which one to mend.

use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use tokio_rustls::rustls::pki_types::pem::{self, PemObject as _};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// Why a file is of no use.
#[derive(Debug, thiserror::Error)]
#[error("{}: {what}", path.display())]
pub struct PemError {
    path: PathBuf,
    what: &'static str,
    #[source]
    source: Box<dyn std::error::Error + Send + Sync>,
}

impl PemError {
    /// What is wrong with `path`, given what its reader said.
    pub(crate) fn about<E: std::error::Error + Send + Sync + 'static>(
        path: &Path,
        what: &'static str,
    ) -> impl Fn(E) -> Self {
        move |error| Self { path: path.to_owned(), what, source: Box::new(error) }
    }
}

/// What changes when a file is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Stamp(Option<(SystemTime, u64, u64)>);

impl Stamp {
    /// The stamp of `path` now.
    pub(crate) fn of(path: &Path) -> Self {
        let metadata = std::fs::metadata(path).ok();
        Self(metadata.and_then(|found| Some((found.modified().ok()?, found.len(), found.ino()))))
    }
}

/// All certificates of a file, at least one.
pub(crate) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, PemError> {
    let none = "holds no certificate";
    let certificates = CertificateDer::pem_file_iter(path).map_err(unreadable(path, none))?;
    let certificates: Vec<_> = certificates.collect::<Result<_, _>>().map_err(unreadable(path, none))?;
    match certificates.is_empty() {
        true => Err(PemError::about(path, none)(io::Error::from(io::ErrorKind::UnexpectedEof))),
        false => Ok(certificates),
    }
}

/// The private key of a file.
pub(crate) fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, PemError> {
    PrivateKeyDer::from_pem_file(path).map_err(unreadable(path, "holds no private key"))
}

fn unreadable(path: &Path, what: &'static str) -> impl Fn(pem::Error) -> PemError {
    move |error| match error {
        pem::Error::Io(error) => PemError::about(path, "cannot be read")(error),
        other => PemError::about(path, what)(other),
    }
}
