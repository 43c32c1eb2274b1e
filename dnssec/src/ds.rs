//! DS data: the digest by which a parent vouches for a key.
//!
//! SHA-256 is what everybody knows (RFC 8624 §3.3); SHA-384 may be had. SHA-1
//! must not be made any more.

use rhumb_zones::Name;
use ring::digest::{SHA256, SHA384, digest};

use crate::pair::KeyPair;

/// A digest type of DS (RFC 8624 §3.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Digest {
    /// Type 2 (RFC 4509).
    Sha256,
    /// Type 4 (RFC 6605).
    Sha384,
}

impl Digest {
    /// Its number in DS.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Sha256 => 2,
            Self::Sha384 => 4,
        }
    }
}

/// The data of the DS, or CDS, record of a zone's key (RFC 4034 §5.1.4).
#[must_use]
pub fn ds(zone: &Name, key: &KeyPair, kind: Digest) -> Vec<u8> {
    let mut owned = zone.folded();
    owned.extend(key.dnskey());
    let digest = match kind {
        Digest::Sha256 => digest(&SHA256, &owned),
        Digest::Sha384 => digest(&SHA384, &owned),
    };
    let mut rdata = key.tag().to_be_bytes().to_vec();
    rdata.extend([key.algorithm().number(), kind.number()]);
    rdata.extend(digest.as_ref());
    rdata
}
