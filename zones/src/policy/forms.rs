//! Values that may be written in more than one way.
//!
//! The short form of each is the value of one key of its long form, so a short
//! one is read as a mapping with that key alone: there is one reader, one set
//! of checks and one set of messages for both. Only `vips:` must wait, for
//! whether its keys are links depends on the datacenter.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::file::{NameServerSpec, NodeSpec, PrimarySpec, VipSpec};
use crate::name::Name;
use crate::read::{Named, OneOrMany, Read, Reader, Spanned, Spec};
use crate::tree::{Key, Tree, Value};

/// Reads `S`, taking anything but a mapping for the value of its `key`.
fn read_or_key<S: Read>(key: &str, tree: &Tree, reader: &mut Reader<'_>) -> Option<S> {
    if matches!(tree.value, Value::Map(_) | Value::Null) {
        return S::read(tree, reader);
    }
    let at = tree.at.clone();
    let entry = (Key { at: at.clone(), text: key.into() }, tree.clone());
    S::read(&Tree { at, value: Value::Map(vec![entry]) }, reader)
}

/// The zone of a document; nothing when it is wrong, which is not the same as
/// not given.
#[derive(Clone, Debug)]
pub(crate) struct ZoneForm(pub(crate) Option<Spanned<Name>>);

impl Read for ZoneForm {
    fn read(tree: &Tree, reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self(Spanned::read(tree, reader)))
    }

    fn schema() -> Json {
        Name::schema()
    }
}

/// `north`, or `{ initially: north, probe: … }`.
#[derive(Clone, Debug)]
pub(crate) struct PrimaryForm(pub(crate) PrimarySpec);

impl Read for PrimaryForm {
    fn read(tree: &Tree, reader: &mut Reader<'_>) -> Option<Self> {
        read_or_key("initially", tree, reader).map(Self)
    }

    fn schema() -> Json {
        json!({ "anyOf": [String::schema(), PrimarySpec::schema()] })
    }
}

/// `ns1.example.com`, or `{ name, address }`.
#[derive(Clone, Debug)]
pub(crate) struct NameServerForm(pub(crate) NameServerSpec);

impl Read for NameServerForm {
    fn read(tree: &Tree, reader: &mut Reader<'_>) -> Option<Self> {
        read_or_key("name", tree, reader).map(Self)
    }

    fn schema() -> Json {
        json!({ "anyOf": [Name::schema(), NameServerSpec::schema()] })
    }
}

/// `10.1.1.21:8080`, or `{ address, probe, priority, enabled }`.
#[derive(Clone, Debug)]
pub(crate) struct NodeForm(pub(crate) NodeSpec);

impl Read for NodeForm {
    fn read(tree: &Tree, reader: &mut Reader<'_>) -> Option<Self> {
        read_or_key("address", tree, reader).map(Self)
    }

    fn schema() -> Json {
        json!({ "anyOf": [NodeAddress::schema(), NodeSpec::schema()] })
    }
}

/// An address with or without a port, as written.
#[derive(Clone, Debug)]
pub(crate) struct NodeAddress(pub(crate) Arc<str>);

impl Read for NodeAddress {
    fn read(tree: &Tree, reader: &mut Reader<'_>) -> Option<Self> {
        match tree.text() {
            Some(text) if text.parse::<IpAddr>().is_ok() || text.parse::<SocketAddr>().is_ok() => {
                Some(Self(Arc::clone(text)))
            }
            _ => reader.must_be(tree, "an address with or without a port, such as 10.1.1.21:8080"),
        }
    }

    fn schema() -> Json {
        json!({ "type": "string" })
    }
}

/// An address, a list of addresses, or `{ address, weight, … }`.
#[derive(Clone, Debug)]
pub(crate) struct VipForm(pub(crate) VipSpec);

impl Read for VipForm {
    fn read(tree: &Tree, reader: &mut Reader<'_>) -> Option<Self> {
        read_or_key("address", tree, reader).map(Self)
    }

    fn schema() -> Json {
        json!({ "anyOf": [OneOrMany::<IpAddr>::schema(), VipSpec::schema()] })
    }
}

/// The VIPs of a service in one datacenter, unread: whether the keys are
/// links or a VIP's own depends on the datacenter.
#[derive(Clone, Debug)]
pub(crate) struct VipsForm(pub(crate) Tree);

impl VipsForm {
    /// Whether this is one VIP by its looks.
    pub(crate) fn looks_like_a_vip(&self) -> bool {
        match &self.0.value {
            Value::Map(entries) => {
                let keys = VipSpec::keys();
                entries.iter().any(|(key, _)| keys.iter().any(|known| known.name == *key.text))
            }
            _ => true,
        }
    }
}

impl Read for VipsForm {
    fn read(tree: &Tree, _: &mut Reader<'_>) -> Option<Self> {
        Some(Self(tree.clone()))
    }

    fn schema() -> Json {
        json!({ "anyOf": [VipForm::schema(), Named::<VipForm>::schema()] })
    }
}

/// `AS4134` or `4134`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asn(pub(crate) u32);

impl Asn {
    /// The number of `AS4134`.
    pub(crate) fn scan(text: &str) -> Option<u32> {
        let digits = text.strip_prefix("AS").or_else(|| text.strip_prefix("as"))?;
        digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
    }
}

impl Read for Asn {
    fn read(tree: &Tree, reader: &mut Reader<'_>) -> Option<Self> {
        let number = tree.text().and_then(|text| Self::scan(text).or_else(|| text.parse().ok()));
        number
            .map(Self)
            .or_else(|| reader.must_be(tree, "the number of an autonomous system, such as AS4134"))
    }

    fn schema() -> Json {
        json!({ "anyOf": [
            { "type": "string", "pattern": "^[Aa][Ss][0-9]+$" },
            { "type": "integer", "minimum": 0, "maximum": u32::MAX },
        ]})
    }
}

/// A datacenter or other target as rules and clients name it.
pub(crate) type Reference = Spanned<Arc<str>>;
