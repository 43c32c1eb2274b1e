//! The signature algorithms that zones may use.
//!
//! Three of the registry's: those that RFC 8624 §3.1 tells signers to use and
//! every validator to know. RSA with SHA-1 is broken, GOST and DSA are dead,
//! P-384 and Ed448 buy nothing a name server needs; a key of theirs is refused
//! by name.

use std::fmt;

/// A signature algorithm (RFC 8624 §3.1).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Algorithm {
    /// RSA with SHA-256 (RFC 5702).
    RsaSha256,
    /// ECDSA on P-256 with SHA-256 (RFC 6605).
    EcdsaP256,
    /// Ed25519 (RFC 8080).
    Ed25519,
}

impl Algorithm {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::RsaSha256, Self::EcdsaP256, Self::Ed25519];

    /// Its number in DNSKEY, RRSIG and DS.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::RsaSha256 => 8,
            Self::EcdsaP256 => 13,
            Self::Ed25519 => 15,
        }
    }

    /// The algorithm of a number.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.number() == number)
    }

    /// The word for it in policies and commands.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::RsaSha256 => "rsa-sha256",
            Self::EcdsaP256 => "ecdsa-p256",
            Self::Ed25519 => "ed25519",
        }
    }

    /// The registry's mnemonic, as key files spell it.
    #[must_use]
    pub const fn mnemonic(self) -> &'static str {
        match self {
            Self::RsaSha256 => "RSASHA256",
            Self::EcdsaP256 => "ECDSAP256SHA256",
            Self::Ed25519 => "ED25519",
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
