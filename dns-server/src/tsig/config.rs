//! The words of the configuration for shared secrets.

use std::path::{Path, PathBuf};

use rhumb_zones::{Key as Word, Name, rdata, spec};

use super::{Algorithm, Key};
use crate::files;

/// Octets of a file with a secret, which has at most a hundred.
const MAX_FILE: u64 = 4096;

/// Fewest octets of a secret: half of the shortest hash, as RFC 8945 §5.2.2.1
/// has it for MACs. What people type is shorter.
const MIN_SECRET: usize = 16;

spec! {
    /// A secret shared with another server.
    pub struct TsigKey as "key" {
        /// How messages are hashed.
        algorithm: Algorithm = Algorithm::HmacSha256,
        /// The secret, in base64.
        secret: Option<String>,
        /// A file with the secret in base64, instead.
        file: Option<String>,
    }
}

/// Why a key of the configuration is none.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// Its name is none.
    #[error("tsig: {0:?} must be a domain name")]
    Name(String),
    /// There must be one secret.
    #[error("tsig: {0} must have either secret or file")]
    One(String),
    /// The secret is no base64, or too short.
    #[error("tsig: the secret of {0} must be base64 of at least 16 octets, such as tsig-keygen makes")]
    Secret(String),
    /// The file cannot be read.
    #[error("tsig: the secret of {0} cannot be read from {path}", path = .1.display())]
    Read(String, PathBuf, #[source] std::io::Error),
}

impl TsigKey {
    /// The key called `name`; paths are relative to `base`.
    ///
    /// # Errors
    /// When name, secret or file are of no use.
    pub fn key(&self, Word { text, .. }: &Word, base: &Path) -> Result<Key, SecretError> {
        let name = Name::scan_absolute(text).map_err(|_| SecretError::Name(text.to_string()))?;
        let who = || text.to_string();
        let secret = match (&self.secret, &self.file) {
            (Some(secret), None) => secret.clone(),
            (None, Some(file)) => {
                let path = base.join(file);
                let bytes = files::bounded(&path, MAX_FILE);
                let bytes = bytes.map_err(|error| SecretError::Read(who(), path, error))?;
                String::from_utf8(bytes).map_err(|_| SecretError::Secret(who()))?
            }
            _ => return Err(SecretError::One(who())),
        };
        let octets = rdata::scan_base64(secret.trim());
        let octets = octets.filter(|octets| octets.len() >= MIN_SECRET);
        octets.map(|octets| Key::new(name, self.algorithm, &octets)).ok_or_else(|| SecretError::Secret(who()))
    }
}
