//! Flags and keys for encrypted transports.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use rhumb_zones::{OneOrMany, Read, Reader, Tree, spec};
use serde_json::{Value as Json, json};

use super::{ConfigError, Endpoint};
use crate::net::{CertificateFiles, Encrypted};

/// What the command line may say of them.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct EncryptedFlags {
    /// Address and port for DNS over TLS, such as 192.0.2.53:853; may be repeated
    #[arg(long, value_name = "ADDR:PORT")]
    pub dot: Vec<SocketAddr>,
    /// Address and port for DNS over HTTPS, such as 192.0.2.53:443; may be repeated
    #[arg(long, value_name = "ADDR:PORT")]
    pub doh: Vec<SocketAddr>,
    /// Address and port for DNS over QUIC, such as 192.0.2.53:853; may be repeated
    #[arg(long, value_name = "ADDR:PORT")]
    pub doq: Vec<SocketAddr>,
    /// Certificate for encrypted queries and those between it and its authority, PEM
    #[arg(long, value_name = "FILE")]
    pub certificate: Option<PathBuf>,
    /// Private key of the certificate, PEM
    #[arg(long, value_name = "FILE")]
    pub key: Option<PathBuf>,
}

spec! {
    /// Encrypted transports.
    pub struct EncryptedKeys {
        /// Addresses for DNS over TLS, as ADDRESS:PORT.
        dot: Option<OneOrMany<Endpoint>>,
        /// Addresses for DNS over HTTPS, as ADDRESS:PORT.
        doh: Option<OneOrMany<Endpoint>>,
        /// Addresses for DNS over QUIC, as ADDRESS:PORT.
        doq: Option<OneOrMany<Endpoint>>,
        /// Certificate that clients are shown and those between it and its authority, PEM.
        certificate: Option<String>,
        /// Private key of the certificate, PEM.
        key: Option<String>,
        /// Path of DNS over HTTPS.
        path: UrlPath = UrlPath("/dns-query".to_owned()),
    }
}

/// Merges both; nothing when nobody names an address.
///
/// # Errors
/// When somebody does and there is no certificate for it.
pub(super) fn merge(
    flags: EncryptedFlags,
    keys: Option<EncryptedKeys>,
    base: &Path,
) -> Result<Option<Encrypted>, ConfigError> {
    let EncryptedFlags { dot, doh, doq, certificate, key } = flags;
    let keys = keys.unwrap_or_default();
    let either = |flags: Vec<SocketAddr>, keys: Option<OneOrMany<Endpoint>>| match keys {
        Some(OneOrMany(keys)) if flags.is_empty() => {
            keys.into_iter().map(|Endpoint(address)| address).collect()
        }
        _ => flags,
    };
    let (dot, doh, doq) = (either(dot, keys.dot), either(doh, keys.doh), either(doq, keys.doq));
    if [&dot, &doh, &doq].iter().all(|addresses| addresses.is_empty()) {
        return Ok(None);
    }
    let file = |flag: Option<PathBuf>, key: Option<String>| {
        flag.or_else(|| Some(base.join(key?))).ok_or(ConfigError::NoCertificate)
    };
    let files =
        CertificateFiles { certificate: file(certificate, keys.certificate)?, key: file(key, keys.key)? };
    Ok(Some(Encrypted { files, dot, doh, doq, path: keys.path.0 }))
}

impl Default for EncryptedKeys {
    fn default() -> Self {
        let path = UrlPath("/dns-query".to_owned());
        Self { dot: None, doh: None, doq: None, certificate: None, key: None, path }
    }
}

/// The path of a URL, from its slash on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UrlPath(pub String);

impl Read for UrlPath {
    fn read(tree: &Tree, reader: &mut Reader<'_>) -> Option<Self> {
        let text = String::read(tree, reader)?;
        let fine = text.starts_with('/')
            && text.bytes().all(|octet| octet.is_ascii_graphic() && !b"?#%\"<>{}".contains(&octet));
        if fine { Some(Self(text)) } else { reader.must_be(tree, "a path, such as /dns-query") }
    }

    fn schema() -> Json {
        json!({ "type": "string", "pattern": "^/[!-~]*$" })
    }
}
