//! `dnssec:` as a policy says it.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use serde_json::{Value as Json, json};

use super::defaults;
use crate::model::{Denial, KeyAlgorithm, KeyPlan};
use crate::read::{Bounded, OneOrMany, Read, Reader, Spanned, Ttl};
use crate::spec;
use crate::tree::Tree;

spec! {
    /// How the zone is signed.
    pub(crate) struct DnssecSpec {
        /// What new keys are made with.
        algorithm: KeyAlgorithm = KeyAlgorithm::EcdsaP256,
        /// One key that signs all, or one for the keys and one for the rest.
        keys: KeyPlan = KeyPlan::Csk,
        /// How it is proved that something is not there.
        denial: Denial = Denial::Nsec,
        /// How names are hashed, for denial nsec3.
        nsec3: Option<Spanned<Nsec3Spec>>,
        /// How long signatures hold.
        validity: Spanned<Ttl> = defaults::built_in(Ttl(defaults::VALIDITY)),
        /// TTL of DNSKEY, CDS and CDNSKEY.
        dnskey_ttl: Ttl = Ttl(defaults::DNSKEY_TTL),
        /// After what time at work a zone-signing key is replaced.
        zsk_lifetime: Spanned<Lifetime> = defaults::built_in(Lifetime(Some(defaults::ZSK_LIFETIME))),
        /// After what time at work the key that the parent vouches for is replaced.
        ksk_lifetime: Spanned<Lifetime> = defaults::built_in(Lifetime(None)),
        /// How long it may take until all servers of the zone answer a change.
        propagation: Ttl = Ttl(defaults::PROPAGATION),
        /// TTL of DS in the parent zone.
        parent_ttl: Ttl = Ttl(defaults::PARENT_TTL),
        /// How long it may take until all servers of the parent answer a change.
        parent_delay: Ttl = Ttl(defaults::PARENT_DELAY),
        /// Servers of the parent, which are asked for its DS; without, an operator says when it is there.
        parent: Option<OneOrMany<Server>>,
        /// Whether the parent is told of keys by CDS and CDNSKEY.
        cds: bool = true,
        /// Whether keys are left to their files: none made, none rolled.
        manual: bool = false,
    }
}

spec! {
    /// How names are hashed.
    pub(crate) struct Nsec3Spec {
        /// Additional rounds; RFC 9276 wants 0.
        iterations: Bounded<0, { defaults::MAX_ITERATIONS }> = Bounded(0),
        /// In hex; RFC 9276 wants none.
        salt: Salt = Salt(Vec::new()),
    }
}

/// A time, or `never`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lifetime(pub(crate) Option<Duration>);

impl Read for Lifetime {
    fn read(tree: &Tree, reader: &mut Reader<'_>) -> Option<Self> {
        match tree.text().map(|text| &**text) {
            Some("never") => Some(Self(None)),
            _ => Ttl::read(tree, reader).map(|Ttl(time)| Self(Some(time))),
        }
    }

    fn schema() -> Json {
        json!({ "anyOf": [{ "const": "never" }, Ttl::schema()] })
    }
}

/// Bytes in hex; `-` is none, as in NSEC3PARAM.
#[derive(Clone, Debug)]
pub(crate) struct Salt(pub(crate) Vec<u8>);

impl Read for Salt {
    fn read(tree: &Tree, reader: &mut Reader<'_>) -> Option<Self> {
        let text = tree.text().map_or("", |text| &**text);
        let pairs = text.as_bytes().chunks(2).map(|pair| match pair {
            [high, low] => {
                let digit =
                    |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
                Some(digit(*high)? << 4 | digit(*low)?)
            }
            _ => None,
        });
        let salt = if text == "-" { Some(Vec::new()) } else { pairs.collect::<Option<Vec<u8>>>() };
        let salt = salt.filter(|salt| !text.is_empty() && u8::try_from(salt.len()).is_ok());
        salt.map(Self).or_else(|| reader.must_be(tree, "1 to 255 bytes in hex, or -"))
    }

    fn schema() -> Json {
        json!({ "type": ["string", "integer"], "pattern": "^(-|([0-9A-Fa-f]{2})+)$" })
    }
}

/// An address with or without a port; 53 without.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Server(pub(crate) SocketAddr);

impl Read for Server {
    fn read(tree: &Tree, reader: &mut Reader<'_>) -> Option<Self> {
        const PORT: u16 = 53;
        let text = tree.text().map_or("", |text| &**text);
        let plain = text.parse::<IpAddr>().map(|address| SocketAddr::new(address, PORT));
        let server = plain.or_else(|_| text.parse()).ok().map(Self);
        server.or_else(|| reader.must_be(tree, "an address with or without a port, such as 192.0.2.53"))
    }

    fn schema() -> Json {
        json!({ "type": "string" })
    }
}
