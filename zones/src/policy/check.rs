//! `check:` and `probe:`: the name of a check, a URL, or a probe.
//!
//! Which key is the probe's kind and what its arguments mean is not known
//! here: all keys that are not common to probes are passed on as they stand. A
//! URL becomes the one argument of the kind that its scheme names, so that the
//! short form and the long one are read by the same code.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::keys::ProbeKeys;
use crate::diagnostic::Location;
use crate::model::Plugin;
use crate::read::{Entries, Read, Reader, Spanned, Spec};
use crate::tree::{Key, Tree, Value};

/// What stands after `check:` or `probe:`.
#[derive(Clone, Debug)]
pub(crate) enum CheckForm {
    /// One of `checks:`.
    Named(Spanned<Arc<str>>),
    /// A probe of its own.
    Probe(Box<ProbeSpec>),
}

/// A probe, its kind unread.
#[derive(Clone, Debug)]
pub(crate) struct ProbeSpec {
    pub(crate) at: Location,
    pub(crate) keys: ProbeKeys,
    pub(crate) kind: Plugin,
}

impl Read for CheckForm {
    const NOUN: &'static str = "check";

    fn read(tree: &Tree, reader: &mut Reader<'_>) -> Option<Self> {
        match &tree.value {
            Value::Map(_) => read_probe(tree, reader).map(|spec| Self::Probe(Box::new(spec))),
            Value::Plain(text) | Value::Quoted(text) => match text.split_once("://") {
                Some((scheme, _)) => read_url(tree, scheme, reader).map(|spec| Self::Probe(Box::new(spec))),
                None => Some(Self::Named(Spanned { at: tree.at.clone(), value: Arc::clone(text) })),
            },
            Value::Null | Value::List(_) => {
                reader.must_be(tree, "the name of a check, a URL, or a probe such as { tcp: 443 }")
            }
        }
    }

    fn schema() -> Json {
        json!({ "$ref": "#/$defs/probe" })
    }
}

fn read_probe(tree: &Tree, reader: &mut Reader<'_>) -> Option<ProbeSpec> {
    let mut entries = Entries::of(tree, reader)?;
    let keys = ProbeKeys::take(&mut entries, reader)?;
    let Some(kind) = Plugin::of_left(&entries) else {
        reader.hinted(&tree.at, "must say what to do", Some("for example tcp: 443".into()));
        return None;
    };
    Some(ProbeSpec { at: tree.at.clone(), keys, kind })
}

/// A URL is the main argument of the kind that its scheme names.
fn read_url(tree: &Tree, scheme: &str, reader: &mut Reader<'_>) -> Option<ProbeSpec> {
    let name: Arc<str> = match scheme {
        "http" | "https" => "http".into(),
        _ => return reader.must_be(tree, "a URL that starts with http:// or https://"),
    };
    let at = tree.at.clone();
    let key = Key { at: at.clone(), text: Arc::clone(&name) };
    let arguments = Tree { at: at.clone(), value: Value::Map(vec![(key, tree.clone())]) };
    let kind = Plugin { name, at: at.clone(), arguments };
    let keys = ProbeKeys::silent()?;
    Some(ProbeSpec { at, keys, kind })
}
