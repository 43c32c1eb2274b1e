//! A private key and what it signs.
//!
//! Signatures come in the wire form of RRSIG: r and s side by side for ECDSA
//! (RFC 6605 §4), the 64 bytes of RFC 8032 for Ed25519 (RFC 8080 §4), PKCS #1
//! for RSA (RFC 5702 §3). The work is ring's; it makes no RSA keys, which is
//! no loss, since nobody should begin with RSA today: they are imported.
//!
//! The private numbers are kept beside ring's own form of them, because a key
//! that was made must be written and one that was read may be exported.
//!
//! **Invariant:** private numbers show in no message and no `Debug`.

use std::fmt;

use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom as _, SystemRandom};
use ring::rsa::{KeyPairComponents, PublicKeyComponents};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
};

use crate::algorithm::Algorithm;

/// Longest signature, bytes: that of RSA with 4096 bits, ring's longest.
pub const MAX_SIGNATURE: usize = 512;

/// Bytes of a signature by an elliptic curve.
const CURVE_SIGNATURE: usize = 64;
/// Bytes of a private key on an elliptic curve.
const CURVE_PRIVATE: usize = 32;

/// Flag: the key belongs to a zone (RFC 4034 §2.1.1).
const ZONE: u16 = 0x0100;
/// Flag: secure entry point (RFC 4034 §2.1.1).
const SEP: u16 = 0x0001;
/// DNSKEY's protocol, always 3 (RFC 4034 §2.1.2).
const PROTOCOL: u8 = 3;

/// Where the two numbers stand in ring's PKCS #8 form of a P-256 key, which
/// is a fixed frame of 138 bytes (RFC 5915 in RFC 5958).
const P256_PRIVATE: std::ops::Range<usize> = 36..68;
const P256_PUBLIC: std::ops::Range<usize> = 74..138;

/// Numbers of an RSA private key in the order of BIND's key files: n, e, d,
/// p, q, d mod p−1, d mod q−1, q⁻¹ mod p.
pub(crate) const RSA_NUMBERS: usize = 8;

/// A key of a zone: its flags, its public part, its private part.
pub struct KeyPair {
    flags: u16,
    /// The public key as DNSKEY holds it.
    public: Vec<u8>,
    private: Private,
    tag: u16,
    id: u64,
}

/// The private part in ring's form and as numbers.
enum Private {
    Ecdsa(EcdsaKeyPair, [u8; CURVE_PRIVATE]),
    Ed25519(Ed25519KeyPair, [u8; CURVE_PRIVATE]),
    Rsa(Box<RsaKeyPair>, [Vec<u8>; RSA_NUMBERS]),
}

/// Why there is no key, or no signature.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum KeyError {
    /// Ring makes none.
    #[error("RSA keys are not made here, only imported: make one with dnssec-keygen, or use ecdsa-p256")]
    MakeRsa,
    /// Flags of another sort of key.
    #[error("flags must be 256 (zone key) or 257 (with secure entry point)")]
    Flags,
    /// Not numbers of such a key, or not of the public one beside it.
    #[error("the private key must be whole and belong to the public key")]
    Private,
    /// The system gave none.
    #[error("the system must give random numbers")]
    Random,
    /// Room that the signature does not fit in; see [`MAX_SIGNATURE`].
    #[error("the buffer must have room for the signature")]
    Room,
}

impl KeyPair {
    /// Makes a key: with `is_entry`, one that a parent's DS may name.
    ///
    /// # Errors
    /// For RSA, and when the system gives no randomness.
    pub fn generate(algorithm: Algorithm, is_entry: bool) -> Result<Self, KeyError> {
        let flags = if is_entry { ZONE | SEP } else { ZONE };
        let random = SystemRandom::new();
        match algorithm {
            Algorithm::RsaSha256 => Err(KeyError::MakeRsa),
            Algorithm::EcdsaP256 => {
                let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random);
                let made = made.map_err(|_| KeyError::Random)?;
                let (Some(private), Some(public)) =
                    (made.as_ref().get(P256_PRIVATE), made.as_ref().get(P256_PUBLIC))
                else {
                    return Err(KeyError::Private);
                };
                Self::from_curve(algorithm, flags, (private, public))
            }
            Algorithm::Ed25519 => {
                let mut seed = [0; CURVE_PRIVATE];
                random.fill(&mut seed).map_err(|_| KeyError::Random)?;
                let pair = Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|_| KeyError::Private)?;
                let public = pair.public_key().as_ref().to_vec();
                Self::new(flags, public, Private::Ed25519(pair, seed))
            }
        }
    }

    /// A key on an elliptic curve from its private number and its public key
    /// as DNSKEY holds it.
    pub(crate) fn from_curve(
        algorithm: Algorithm,
        flags: u16,
        (private, public): (&[u8], &[u8]),
    ) -> Result<Self, KeyError> {
        let wrong = |_| KeyError::Private;
        let number: [u8; CURVE_PRIVATE] = private.try_into().map_err(|_| KeyError::Private)?;
        let private = match algorithm {
            Algorithm::RsaSha256 => return Err(KeyError::Private),
            Algorithm::EcdsaP256 => {
                // SEC 1 puts a 4 before an uncompressed point; DNSKEY leaves it out.
                let point = [&[4], public].concat();
                let random = SystemRandom::new();
                let scheme = &ECDSA_P256_SHA256_FIXED_SIGNING;
                let pair = EcdsaKeyPair::from_private_key_and_public_key(scheme, &number, &point, &random);
                Private::Ecdsa(pair.map_err(wrong)?, number)
            }
            Algorithm::Ed25519 => Private::Ed25519(
                Ed25519KeyPair::from_seed_and_public_key(&number, public).map_err(wrong)?,
                number,
            ),
        };
        Self::new(flags, public.to_vec(), private)
    }

    /// An RSA key of 2048 to 4096 bits from its numbers, which must agree with
    /// the public key as DNSKEY holds it (RFC 3110 §2).
    pub(crate) fn from_rsa(
        flags: u16,
        public: &[u8],
        numbers: [Vec<u8>; RSA_NUMBERS],
    ) -> Result<Self, KeyError> {
        let [n, e, d, p, q, d_p, d_q, q_inv] = &numbers;
        let components = KeyPairComponents {
            public_key: PublicKeyComponents { n, e },
            d,
            p,
            q,
            dP: d_p,
            dQ: d_q,
            qInv: q_inv,
        };
        let pair = RsaKeyPair::from_components(&components).map_err(|_| KeyError::Private)?;
        let mut held = match u8::try_from(e.len()) {
            Ok(length) => vec![length],
            Err(_) => return Err(KeyError::Private),
        };
        held.extend(e);
        held.extend(n);
        if held != public {
            return Err(KeyError::Private);
        }
        let pair = Self::new(flags, held, Private::Rsa(Box::new(pair), numbers))?;
        // Ring does not hold all numbers against each other before it signs.
        pair.sign(b"", &mut [0; MAX_SIGNATURE]).map_err(|_| KeyError::Private)?;
        Ok(pair)
    }

    fn new(flags: u16, public: Vec<u8>, private: Private) -> Result<Self, KeyError> {
        if flags & !SEP != ZONE {
            return Err(KeyError::Flags);
        }
        let mut pair = Self { flags, public, private, tag: 0, id: 0 };
        let rdata = pair.dnskey();
        pair.tag = tag(&rdata);
        let hash = digest(&SHA256, &rdata);
        pair.id = hash.as_ref().iter().take(8).fold(0, |id, &byte| id << 8 | u64::from(byte));
        Ok(pair)
    }

    /// Its algorithm.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        match self.private {
            Private::Ecdsa(..) => Algorithm::EcdsaP256,
            Private::Ed25519(..) => Algorithm::Ed25519,
            Private::Rsa(..) => Algorithm::RsaSha256,
        }
    }

    /// Its flags: 256, or 257 with the secure entry point.
    #[must_use]
    pub const fn flags(&self) -> u16 {
        self.flags
    }

    /// Whether a parent's DS may name it (flag SEP).
    #[must_use]
    pub const fn is_entry(&self) -> bool {
        self.flags & SEP != 0
    }

    /// Its key tag (RFC 4034 appendix B).
    #[must_use]
    pub const fn tag(&self) -> u16 {
        self.tag
    }

    /// The same for the same DNSKEY in every process and release: for caches
    /// of signatures.
    #[must_use]
    pub const fn id(&self) -> u64 {
        self.id
    }

    /// The data of its DNSKEY record.
    #[must_use]
    pub fn dnskey(&self) -> Vec<u8> {
        let mut rdata = self.flags.to_be_bytes().to_vec();
        rdata.extend([PROTOCOL, self.algorithm().number()]);
        rdata.extend(&self.public);
        rdata
    }

    /// How long its signatures are, bytes; at most [`MAX_SIGNATURE`].
    #[must_use]
    pub fn signature_octets(&self) -> usize {
        match &self.private {
            Private::Ecdsa(..) | Private::Ed25519(..) => CURVE_SIGNATURE,
            Private::Rsa(pair, _) => pair.public().modulus_len(),
        }
    }

    /// Signs `message` into the beginning of `out` and says how many bytes
    /// that took, in the form of RRSIG's signature field.
    ///
    /// # Errors
    /// When `out` is too short, or the system gives no randomness.
    pub fn sign(&self, message: &[u8], out: &mut [u8]) -> Result<usize, KeyError> {
        let length = self.signature_octets();
        let room = out.get_mut(..length).ok_or(KeyError::Room)?;
        let random = SystemRandom::new();
        match &self.private {
            Private::Ecdsa(pair, _) => {
                room.copy_from_slice(pair.sign(&random, message).map_err(|_| KeyError::Random)?.as_ref());
            }
            Private::Ed25519(pair, _) => room.copy_from_slice(pair.sign(message).as_ref()),
            Private::Rsa(pair, _) => {
                pair.sign(&RSA_PKCS1_SHA256, &random, message, room).map_err(|_| KeyError::Random)?;
            }
        }
        Ok(length)
    }

    /// Its private numbers, for the file it is kept in: one on a curve, eight
    /// for RSA.
    pub(crate) fn numbers(&self) -> Vec<&[u8]> {
        match &self.private {
            Private::Ecdsa(_, number) | Private::Ed25519(_, number) => vec![number],
            Private::Rsa(_, numbers) => numbers.iter().map(Vec::as_slice).collect(),
        }
    }
}

/// RFC 4034 appendix B, for all algorithms but the first.
fn tag(rdata: &[u8]) -> u16 {
    let sum = rdata.chunks(2).fold(0u32, |sum, pair| {
        let low = pair.get(1).copied().unwrap_or(0);
        sum + u32::from(u16::from_be_bytes([pair[0], low]))
    });
    let [_, _, high, low] = (sum + (sum >> 16)).to_be_bytes();
    u16::from_be_bytes([high, low])
}

impl fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyPair({} {} {})", self.flags, self.algorithm(), self.tag)
    }
}
