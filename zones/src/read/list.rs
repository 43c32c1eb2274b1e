//! Lists, named entries and optional values.
//!
//! A list leaves out the items that are wrong and goes on, for the next may be
//! wrong too. A mapping from names keeps the name of a wrong entry: whoever
//! refers to it is not wrong, and should not be told so.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::{Read, Reader};
use crate::diagnostic::Location;
use crate::tree::{Key, Tree, Value};

impl<T: Read> Read for Option<T> {
    fn read(tree: &Tree, reader: &mut Reader<'_>) -> Option<Self> {
        T::read(tree, reader).map(Some)
    }

    fn schema() -> Json {
        T::schema()
    }

    fn absent() -> Option<Self> {
        Some(None)
    }
}

impl<T: Read> Read for Box<T> {
    fn read(tree: &Tree, reader: &mut Reader<'_>) -> Option<Self> {
        T::read(tree, reader).map(Self::new)
    }

    fn schema() -> Json {
        T::schema()
    }
}

/// A value that remembers its place, for checks that need more than itself.
#[derive(Clone, PartialEq, Debug)]
pub struct Spanned<T> {
    /// Where it stands.
    pub at: Location,
    /// What stands there.
    pub value: T,
}

impl<T: Read> Read for Spanned<T> {
    const NOUN: &'static str = T::NOUN;

    fn read(tree: &Tree, reader: &mut Reader<'_>) -> Option<Self> {
        T::read(tree, reader).map(|value| Self { at: tree.at.clone(), value })
    }

    fn schema() -> Json {
        T::schema()
    }
}

impl<T: Read> Read for Vec<T> {
    /// Wrong items are reported and left out. An item with a noun and a
    /// `name` is who it is, others are a step deeper in their owner.
    fn read(tree: &Tree, reader: &mut Reader<'_>) -> Option<Self> {
        let Value::List(items) = &tree.value else { return reader.must_be(tree, "a list") };
        Some(read_items(items, reader))
    }

    fn schema() -> Json {
        json!({ "type": "array", "items": T::schema() })
    }

    fn absent() -> Option<Self> {
        Some(Self::new())
    }
}

fn read_items<T: Read>(items: &[Tree], reader: &mut Reader<'_>) -> Vec<T> {
    let read = |(index, item): (usize, &Tree)| match item.get("name").and_then(Tree::text) {
        Some(name) if !T::NOUN.is_empty() => reader.of(T::NOUN, name, |reader| T::read(item, reader)),
        _ => reader.inside(index, |reader| T::read(item, reader)),
    };
    items.iter().enumerate().filter_map(read).collect()
}

/// `x` or `[x, y]`; never empty.
#[derive(Clone, PartialEq, Debug)]
pub struct OneOrMany<T>(pub Vec<T>);

impl<T: Read> Read for OneOrMany<T> {
    fn read(tree: &Tree, reader: &mut Reader<'_>) -> Option<Self> {
        match &tree.value {
            Value::List(items) if items.is_empty() => {
                reader.wrong(&tree.at, "must not be an empty list");
                None
            }
            Value::List(items) => Some(Self(read_items(items, reader))),
            _ => T::read(tree, reader).map(|one| Self(vec![one])),
        }
    }

    fn schema() -> Json {
        json!({ "anyOf": [T::schema(), { "type": "array", "minItems": 1, "items": T::schema() }] })
    }
}

/// A mapping whose keys the operator chooses, in file order. An entry whose
/// value is wrong keeps its name, so that references to it still resolve.
/// In diagnostics an entry is [`Read::NOUN`] and its name, or without a noun
/// a step deeper in its owner.
#[derive(Clone, Debug)]
pub struct Named<T>(pub Vec<(Key, Option<T>)>);

impl<T> Named<T> {
    /// The entries that could be read.
    pub fn iter(&self) -> impl Iterator<Item = (&Key, &T)> {
        self.0.iter().filter_map(|(key, value)| Some((key, value.as_ref()?)))
    }

    /// Every name, of wrong entries too.
    pub fn names(&self) -> impl Iterator<Item = &Arc<str>> {
        self.0.iter().map(|(key, _)| &key.text)
    }
}

impl<T> Default for Named<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Read> Read for Named<T> {
    fn read(tree: &Tree, reader: &mut Reader<'_>) -> Option<Self> {
        let entries = match &tree.value {
            Value::Map(entries) => &entries[..],
            Value::Null => &[],
            _ => return reader.must_be(tree, "a mapping from names"),
        };
        let read = |(key, value): &(Key, Tree)| {
            let read = if T::NOUN.is_empty() {
                reader.inside(&key.text, |reader| T::read(value, reader))
            } else {
                reader.of(T::NOUN, &key.text, |reader| T::read(value, reader))
            };
            (key.clone(), read)
        };
        Some(Self(entries.iter().map(read).collect()))
    }

    fn schema() -> Json {
        json!({ "type": ["object", "null"], "additionalProperties": T::schema() })
    }

    fn absent() -> Option<Self> {
        Some(Self::default())
    }
}
