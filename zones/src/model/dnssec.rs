//! How a zone is signed.
//!
//! Only what operators decide: the keys themselves are files with a life of
//! their own, and are read elsewhere.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::diagnostic::Location;
use crate::spec;

/// `dnssec:` of a zone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Dnssec {
    /// Where the policy says so.
    pub location: Location,
    /// What new keys are made with.
    pub algorithm: KeyAlgorithm,
    /// One key for all, or two.
    pub keys: KeyPlan,
    /// How it is proved that something is not there.
    pub denial: Denial,
    /// How names are hashed for `denial: nsec3`.
    pub nsec3: Nsec3,
    /// How long signatures hold; whole seconds.
    pub validity: Duration,
    /// TTL of DNSKEY, CDS and CDNSKEY; whole seconds.
    pub dnskey_ttl: Duration,
    /// After what time at work a zone-signing key is replaced; nothing is never.
    pub zsk_lifetime: Option<Duration>,
    /// The same for the key that the parent vouches for: KSK or CSK.
    pub ksk_lifetime: Option<Duration>,
    /// How long it may take until all servers of the zone answer a change.
    pub propagation: Duration,
    /// TTL of DS in the parent zone.
    pub parent_ttl: Duration,
    /// How long it may take until all servers of the parent answer a change.
    pub parent_delay: Duration,
    /// Servers of the parent that are asked for its DS; none: an operator says.
    pub parent: Vec<SocketAddr>,
    /// Whether the parent is told of keys by CDS and CDNSKEY (RFC 7344).
    pub cds: bool,
    /// Whether keys are left to their files: none made, none rolled.
    pub manual: bool,
}

spec! {
    /// What new keys are made with (RFC 8624).
    pub enum KeyAlgorithm {
        /// ECDSA on P-256: short signatures that every validator knows.
        EcdsaP256,
        /// Ed25519: as short, cheaper to validate, known to fewer.
        Ed25519,
        /// RSA with SHA-256: imported keys only.
        RsaSha256,
    }
}

spec! {
    /// How many keys share the work.
    pub enum KeyPlan {
        /// One key signs all.
        Csk,
        /// One signs the keys, another the rest.
        Split,
    }
}

spec! {
    /// How it is proved that something is not there.
    pub enum Denial {
        /// By the next name (RFC 4034).
        Nsec,
        /// By the next hash of a name (RFC 5155).
        Nsec3,
        /// By a name made up for the question, which then exists without types (RFC 9824).
        Compact,
    }
}

/// How names are hashed (RFC 5155 §3.1).
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Nsec3 {
    /// Additional rounds, at most 50; RFC 9276 wants 0.
    pub iterations: u16,
    /// At most 255 bytes; RFC 9276 wants none.
    pub salt: Arc<[u8]>,
}
