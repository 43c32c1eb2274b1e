//! `steer:`, `link-selection:`, `last-resort:` and `quorum:` as written.
//!
//! Names of steering methods and selectors are their crates' to know; here
//! only the shape is read. These types are read straight into the model's,
//! because nothing in them refers to anything else: there is nothing left to
//! resolve.

use std::net::IpAddr;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use crate::model::{LastResort, LinkSelection, Plugin, Quorum};
use crate::name::Name;
use crate::read::{Entries, Fraction, OneOrMany, Read, Reader};
use crate::spec;
use crate::tree::{Tree, Value};

/// A steering chain.
#[derive(Clone, Debug)]
pub(crate) struct Steps(pub(crate) Vec<Plugin>);

/// One step of it.
struct Step(Plugin);

impl Read for Steps {
    fn read(tree: &Tree, reader: &mut Reader<'_>) -> Option<Self> {
        let steps = OneOrMany::<Step>::read(tree, reader)?;
        Some(Self(steps.0.into_iter().map(|Step(plugin)| plugin).collect()))
    }

    fn schema() -> Json {
        OneOrMany::<Step>::schema()
    }
}

impl Read for Step {
    fn read(tree: &Tree, reader: &mut Reader<'_>) -> Option<Self> {
        match &tree.value {
            Value::Plain(name) | Value::Quoted(name) => Some(Self(Plugin::word(name, tree))),
            Value::Map(entries) if entries.len() == 1 => entries.first().map(|(key, arguments)| {
                Self(Plugin { name: Arc::clone(&key.text), at: key.at.clone(), arguments: arguments.clone() })
            }),
            _ => reader.must_be(tree, "a method such as nearest, or one with arguments such as { take: 2 }"),
        }
    }

    fn schema() -> Json {
        json!({ "$ref": "#/$defs/steering" })
    }
}

spec! {
    /// What is ranked at once.
    pub(crate) enum Across {
        /// Links of all datacenters, instead of those inside one.
        Datacenters,
    }
}

impl Read for LinkSelection {
    fn read(tree: &Tree, reader: &mut Reader<'_>) -> Option<Self> {
        match &tree.value {
            Value::Plain(name) | Value::Quoted(name) => {
                Some(Self { selector: Some(Plugin::word(name, tree)), across_datacenters: false })
            }
            Value::Map(_) => {
                let mut entries = Entries::of(tree, reader)?;
                let across = entries.take::<Option<Across>>("across", || Some(None), reader)?;
                let across_datacenters = across.is_some_and(|Across::Datacenters| true);
                Some(Self { selector: Plugin::of_left(&entries), across_datacenters })
            }
            _ => reader.must_be(tree, "a selector such as carrier, or { model: FILE }"),
        }
    }

    fn schema() -> Json {
        json!({ "$ref": "#/$defs/link-selection" })
    }
}

spec! {
    /// What to answer when nothing is usable.
    enum Resort {
        /// Everything that is not excluded, in order of preference.
        Everything,
        /// What was usable last.
        Keep,
        /// SERVFAIL.
        Fail,
    }
}

spec! {
    /// Answer this instead.
    struct FallbackSpec {
        /// Addresses, or a name to alias.
        fallback: Fallback,
    }
}

#[derive(Clone, Debug)]
struct Fallback(LastResort);

impl Read for Fallback {
    fn read(tree: &Tree, reader: &mut Reader<'_>) -> Option<Self> {
        let is_address = |text: &Arc<str>| text.parse::<IpAddr>().is_ok();
        let resort = if matches!(tree.value, Value::List(_)) || tree.text().is_some_and(is_address) {
            LastResort::Addresses(OneOrMany::read(tree, reader)?.0)
        } else {
            LastResort::Name(Name::read(tree, reader)?)
        };
        Some(Self(resort))
    }

    fn schema() -> Json {
        json!({ "anyOf": [OneOrMany::<IpAddr>::schema(), Name::schema()] })
    }
}

impl Read for LastResort {
    fn read(tree: &Tree, reader: &mut Reader<'_>) -> Option<Self> {
        match &tree.value {
            Value::Plain(_) | Value::Quoted(_) => Resort::read(tree, reader).map(|resort| match resort {
                Resort::Everything => Self::Everything,
                Resort::Keep => Self::Keep,
                Resort::Fail => Self::Fail,
            }),
            Value::Map(_) => {
                FallbackSpec::read(tree, reader).map(|FallbackSpec { fallback: Fallback(resort) }| resort)
            }
            _ => reader.must_be(tree, "everything, keep, fail or { fallback: [ADDRESS…] or NAME }"),
        }
    }

    fn schema() -> Json {
        json!({ "anyOf": [Resort::schema(), FallbackSpec::schema()] })
    }
}

impl Read for Quorum {
    fn read(tree: &Tree, reader: &mut Reader<'_>) -> Option<Self> {
        let word = tree.text().map_or("", |text| text);
        let counts =
            word.split_once(" of ").and_then(|(k, n)| k.trim().parse().ok().zip(n.trim().parse().ok()));
        match (word, counts, Fraction::scan(word)) {
            ("majority", ..) => Some(Self::Majority),
            (_, Some((k, n)), _) if (1..=n).contains(&k) => Some(Self::KOfN { k, n }),
            (_, _, Some(Fraction(share))) => Some(Self::Fraction(share)),
            _ => reader.must_be(tree, "majority, K of N such as 2 of 3, or a fraction from 0 to 1"),
        }
    }

    fn schema() -> Json {
        json!({ "anyOf": [
            { "const": "majority" },
            { "type": "string", "pattern": "^[0-9]+ of [0-9]+$" },
            Fraction::schema(),
        ]})
    }
}
