//! DNSSEC: keys, and what they sign.
//!
//! A [`KeyPair`] signs bytes; a [`Key`] is one with the zone it belongs to and
//! the times that say what it does when; [`ZoneKeys`] is what all keys of a
//! zone amount to at one moment. Keys are read from and written to the text
//! that BIND made common ([`KeyText`]), so that they move freely between
//! servers.
//!
//! **Invariant:** time is an argument, files are texts, and the only
//! randomness is that of keys being made.

mod algorithm;
mod cache;
pub mod denial;
mod ds;
mod key;
mod pair;
pub mod rollover;
mod rrset;
mod text;
mod zone_keys;

pub use algorithm::Algorithm;
pub use cache::{Cache, Digest as Content, Window};
pub use ds::{Digest, ds};
pub use key::{Key, Times, zone_file_name};
pub use pair::{KeyError, KeyPair, MAX_SIGNATURE};
pub use rrset::{MAX_RRSIG, RrSet, Shared, Signer, Unsigned};
pub use text::{KeyText, MAX_KEY_FILE, TextError};
pub use zone_keys::ZoneKeys;
