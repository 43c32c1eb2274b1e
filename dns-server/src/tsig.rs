//! Messages signed with a shared secret (RFC 8945).
//!
//! A TSIG record ends a message and proves who sent it, when, and that nobody
//! touched it. [`Keyring`] holds the keys of the configuration;
//! [`verify`] judges a request, and what comes of it is a
//! [`Session`], which seals what is answered: one message, or many that are
//! chained by their MACs.
//!
//! A truncated MAC is refused: nobody needs one. So are the hashes that are
//! broken or were never common; one of the three is known to everybody.
//!
//! **Invariant:** a message is sealed only for a request whose MAC held.

mod config;
mod record;
mod seal;
mod verify;

use std::fmt;
use std::sync::Arc;

use rhumb_zones::{Name, spec};
use ring::hmac;

pub use config::{SecretError, TsigKey};
pub(crate) use record::{Found, Tsig, find};
pub(crate) use seal::{Session, seal_error};
pub(crate) use verify::{Fault, verify, without};

spec! {
    /// How a message is hashed (RFC 8945 §6).
    pub enum Algorithm {
        /// HMAC with SHA-256: what everybody has.
        HmacSha256,
        /// HMAC with SHA-384.
        HmacSha384,
        /// HMAC with SHA-512.
        HmacSha512,
    }
}

impl Algorithm {
    /// Its name on the wire.
    const fn wire(self) -> &'static [u8] {
        match self {
            Self::HmacSha256 => b"\x0bhmac-sha256\x00",
            Self::HmacSha384 => b"\x0bhmac-sha384\x00",
            Self::HmacSha512 => b"\x0bhmac-sha512\x00",
        }
    }

    const fn hmac(self) -> hmac::Algorithm {
        match self {
            Self::HmacSha256 => hmac::HMAC_SHA256,
            Self::HmacSha384 => hmac::HMAC_SHA384,
            Self::HmacSha512 => hmac::HMAC_SHA512,
        }
    }
}

/// A shared secret and its name.
#[derive(Clone)]
pub struct Key {
    name: Name,
    algorithm: Algorithm,
    secret: hmac::Key,
}

impl Key {
    /// Of this name and secret.
    #[must_use]
    pub fn new(name: Name, algorithm: Algorithm, secret: &[u8]) -> Self {
        Self { name, algorithm, secret: hmac::Key::new(algorithm.hmac(), secret) }
    }

    /// What it is called.
    #[must_use]
    pub const fn name(&self) -> &Name {
        &self.name
    }
}

impl fmt::Debug for Key {
    /// Without the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({:?})", self.name, self.algorithm)
    }
}

/// The keys that this server knows; by default it does not know which it
/// knows, as a command that looks at a policy without the configuration.
#[derive(Clone, Debug, Default)]
pub struct Keyring(Option<Arc<[Key]>>);

impl Keyring {
    /// The key of this name.
    #[must_use]
    pub fn find(&self, name: &Name) -> Option<&Key> {
        self.0.iter().flat_map(|keys| keys.iter()).find(|key| key.name == *name)
    }

    /// Whether there is surely no key of this name.
    pub(crate) fn lacks(&self, name: &Name) -> bool {
        self.0.is_some() && self.find(name).is_none()
    }
}

impl FromIterator<Key> for Keyring {
    fn from_iter<T: IntoIterator<Item = Key>>(keys: T) -> Self {
        Self(Some(keys.into_iter().collect()))
    }
}
