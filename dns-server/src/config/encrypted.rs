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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rhumb_zones::Diagnostics;

    use super::*;

    /// What flags and keys amount to, or what is wrong.
    fn merged(words: &[&str], text: &str) -> String {
        #[derive(clap::Parser)]
        struct Command {
            #[command(flatten)]
            flags: EncryptedFlags,
        }
        let mut out = Diagnostics::default();
        let trees = Tree::parse(&Arc::from("F"), text.as_bytes(), &mut out);
        let keys = rhumb_zones::read(&trees[0], ["configuration", "tls"], &mut out);
        if out.refuse() {
            return out.to_string();
        }
        let Command { flags } = clap::Parser::parse_from([&["rhumb"], words].concat());
        match merge(flags, keys, Path::new("/etc/rhumb")) {
            Ok(Some(Encrypted { files, dot, doh, doq, path })) => {
                let CertificateFiles { certificate, key } = files;
                format!("{dot:?} {doh:?} {doq:?} {} {} {path}", certificate.display(), key.display())
            }
            Ok(None) => "none".to_owned(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn flags_and_keys() {
        let rows: [(&[&str], &str, &str, &str); 6] = [
            (
                &[],
                "{certificate: c.pem, key: /k.pem, dot: ['[::1]:853'], doq: '[::1]:853', path: /q}",
                "[[::1]:853] [] [[::1]:853] /etc/rhumb/c.pem /k.pem /q",
                "the file alone; paths are relative to it",
            ),
            (
                &["--dot", "127.0.0.1:1", "--certificate", "mine.pem"],
                "{certificate: c.pem, key: k.pem, dot: '[::1]:853', doh: '127.0.0.1:2'}",
                "[127.0.0.1:1] [127.0.0.1:2] [] mine.pem /etc/rhumb/k.pem /dns-query",
                "a flag replaces what the file says of the same",
            ),
            (&[], "{certificate: c.pem, key: k.pem}", "none", "nowhere to listen"),
            (
                &["--doh", "127.0.0.1:1"],
                "{certificate: c.pem}",
                "DNS over TLS, HTTPS and QUIC need --certificate and --key, or both under `tls:` in the --config file",
                "no key",
            ),
            (
                &[],
                "{path: dns-query}",
                "F:1:8: configuration: tls.path: must be a path, such as /dns-query, not dns-query\n",
                "no slash",
            ),
            (
                &[],
                "{path: '/q?dns='}",
                "F:1:8: configuration: tls.path: must be a path, such as /dns-query, not \"/q?dns=\"\n",
                "more than a path",
            ),
        ];
        for (words, text, want, why) in rows {
            assert_eq!(merged(words, text), want, "{why}");
        }
    }
}
