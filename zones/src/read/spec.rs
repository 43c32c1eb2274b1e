//! One declaration per group of keys: struct, reader and schema at once.
//!
//! A macro by example and not a derive: it needs no crate of its own, and what
//! it makes can be read below in one piece. The reader takes the keys it knows
//! out of a mapping ([`Entries`]); what is left is unknown. That is also how
//! groups of keys nest, and how a probe leaves the keys of its kind to others.

use serde_json::{Map, Value as Json, json};

use super::{Read, Reader};
use crate::diagnostic::{Diagnostics, Location};
use crate::tree::{Key, Tree, Value};

/// Declares what may stand in a file, each with a doc line for people and
/// editors.
///
/// A struct is a mapping with fixed keys: `ttl_floor` is the key `ttl-floor`.
/// A key must be given unless its type says what its absence means
/// ([`Read::absent`]: `Option` does, lists do, and structs without a key that
/// must be given) or a default follows after `=`.
/// `..name: Type` at the end reads the keys of another such struct from the
/// same mapping. `as "link"` says who an entry of a [`Named`](crate::Named)
/// is in diagnostics.
///
/// An enum is a choice of words: `AllToPrimary` is `all-to-primary`.
///
/// ```
/// use rhumb_zones::{Fraction, spec};
///
/// spec! {
///     /// Orders datacenters by distance from the client.
///     pub struct Nearest {
///         /// How much farther than the nearest still counts as a tie.
///         within: Option<Fraction>,
///         /// What is measured.
///         by: Measure = Measure::GreatCircle,
///     }
/// }
///
/// spec! {
///     /// A kind of distance.
///     pub enum Measure {
///         /// Over the surface of the earth.
///         GreatCircle,
///         /// In routers.
///         Hops,
///     }
/// }
/// ```
#[macro_export]
macro_rules! spec {
    (
        $(#[doc = $doc:literal])*
        $vis:vis struct $name:ident $(as $noun:literal)? {
            $($(#[doc = $about:literal])+ $field:ident: $type:ty $(= $default:expr)?,)*
            $(..$(#[doc = $group_about:literal])* $group:ident: $group_type:ty,)*
        }
    ) => {
        $(#[doc = $doc])*
        #[derive(Clone, Debug)]
        $vis struct $name {
            $($(#[doc = $about])+ $vis $field: $type,)*
            $($(#[doc = $group_about])* $vis $group: $group_type,)*
        }

        impl $crate::Spec for $name {
            fn keys() -> Vec<$crate::KeyInfo> {
                let own = vec![$($crate::KeyInfo {
                    name: $crate::KeyInfo::name_of(stringify!($field)),
                    about: concat!($($about),+),
                    required: $crate::spec!(@default $type $(, $default)?).is_none(),
                    schema: <$type as $crate::Read>::schema,
                }),*];
                [own, $(<$group_type as $crate::Spec>::keys(),)*].concat()
            }

            fn take(entries: &mut $crate::Entries<'_>, reader: &mut $crate::Reader<'_>) -> Option<Self> {
                $(let $field = {
                    let default = || $crate::spec!(@default $type $(, $default)?);
                    entries.take(stringify!($field), default, reader)
                };)*
                $(let $group = <$group_type as $crate::Spec>::take(entries, reader);)*
                Some(Self { $($field: $field?,)* $($group: $group?,)* })
            }
        }

        impl $crate::Read for $name {
            $(const NOUN: &'static str = $noun;)?

            fn read(tree: &$crate::Tree, reader: &mut $crate::Reader<'_>) -> Option<Self> {
                $crate::Entries::read(tree, reader)
            }

            fn schema() -> $crate::serde_json::Value {
                <Self as $crate::Spec>::schema_of(concat!($($doc),*))
            }

            fn absent() -> Option<Self> {
                <Self as $crate::Spec>::silent()
            }
        }
    };

    (
        $(#[doc = $doc:literal])*
        $vis:vis enum $name:ident {
            $($(#[doc = $about:literal])+ $variant:ident,)+
        }
    ) => {
        $(#[doc = $doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        $vis enum $name {
            $($(#[doc = $about])+ $variant,)+
        }

        impl $crate::Read for $name {
            fn read(tree: &$crate::Tree, reader: &mut $crate::Reader<'_>) -> Option<Self> {
                reader.choice(tree, &[$((stringify!($variant), Self::$variant)),+])
            }

            fn schema() -> $crate::serde_json::Value {
                $crate::KeyInfo::choices(&[$((stringify!($variant), concat!($($about),+))),+])
            }
        }
    };

    (@default $type:ty, $default:expr) => { Some::<$type>($default) };
    (@default $type:ty) => { <$type as $crate::Read>::absent() };
}

/// A group of keys, as [`spec!`](crate::spec) declares it.
pub trait Spec: Sized {
    /// Its keys, for hints and editors.
    fn keys() -> Vec<KeyInfo>;

    /// Takes its keys out of `entries`; nothing when a required one is
    /// missing or wrong, which is then reported.
    fn take(entries: &mut Entries<'_>, reader: &mut Reader<'_>) -> Option<Self>;

    /// What a mapping without entries means; nothing when a key is required.
    #[must_use]
    fn silent() -> Option<Self> {
        let at = Location { file: "built-in".into(), line: 0, column: 0 };
        let mut out = Diagnostics::default();
        Self::take(&mut Entries { at, left: Vec::new() }, &mut Reader::new(&mut out, "built-in"))
    }

    /// The JSON Schema of a mapping with these keys and no others.
    #[must_use]
    fn schema_of(about: &str) -> Json {
        let keys = Self::keys();
        let required: Vec<&str> =
            keys.iter().filter(|key| key.required).map(|key| key.name.as_str()).collect();
        let mut schema = json!({
            "type": if required.is_empty() { json!(["object", "null"]) } else { json!("object") },
            "description": one_line(about),
            "additionalProperties": false,
        });
        if !required.is_empty() {
            schema["required"] = json!(required);
        }
        let properties: Map<String, Json> = keys.into_iter().map(KeyInfo::into_property).collect();
        schema["properties"] = Json::Object(properties);
        schema
    }
}

/// What is known of a key.
#[derive(Clone, Debug)]
pub struct KeyInfo {
    /// As operators write it.
    pub name: String,
    /// Its documentation.
    pub about: &'static str,
    /// Whether it must be given.
    pub required: bool,
    /// Makes the JSON Schema of its value.
    pub schema: fn() -> Json,
}

impl KeyInfo {
    /// The key of a field: `ttl_floor` → `ttl-floor`, `r#type` → `type`.
    #[must_use]
    pub fn name_of(field: &str) -> String {
        field.trim_start_matches("r#").replace('_', "-")
    }

    /// The word of a variant: `AllToPrimary` → `all-to-primary`.
    #[must_use]
    pub fn word_of(variant: &str) -> String {
        let mut word = String::new();
        for c in variant.chars() {
            if c.is_ascii_uppercase() && !word.is_empty() {
                word.push('-');
            }
            word.push(c.to_ascii_lowercase());
        }
        word
    }

    /// The JSON Schema of a choice of variants and their documentation.
    #[must_use]
    pub fn choices(variants: &[(&str, &str)]) -> Json {
        let words: Vec<Json> = variants
            .iter()
            .map(
                |(variant, about)| json!({ "const": Self::word_of(variant), "description": one_line(about) }),
            )
            .collect();
        json!({ "oneOf": words })
    }

    /// Its name and schema, with its documentation.
    pub(crate) fn into_property(self) -> (String, Json) {
        let Self { name, about, required: _, schema } = self;
        let mut schema = schema();
        if let Json::Object(map) = &mut schema {
            map.insert("description".into(), one_line(about).into());
        }
        (name, schema)
    }
}

/// Doc lines as one line.
fn one_line(about: &str) -> String {
    about.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The entries of a mapping that nobody has taken yet.
#[derive(Debug)]
pub struct Entries<'t> {
    at: Location,
    left: Vec<&'t (Key, Tree)>,
}

impl<'t> Entries<'t> {
    /// The entries of a mapping; an empty value has none. Anything else is
    /// reported.
    pub fn of(tree: &'t Tree, reader: &mut Reader<'_>) -> Option<Self> {
        match &tree.value {
            Value::Map(entries) => Some(Self { at: tree.at.clone(), left: entries.iter().collect() }),
            Value::Null => Some(Self { at: tree.at.clone(), left: Vec::new() }),
            _ => reader.must_be(tree, "a mapping"),
        }
    }

    /// Reads a whole mapping as one spec.
    pub fn read<S: Spec>(tree: &'t Tree, reader: &mut Reader<'_>) -> Option<S> {
        let mut entries = Self::of(tree, reader)?;
        let spec = S::take(&mut entries, reader);
        if !entries.left.is_empty() {
            let keys = S::keys();
            entries.refuse(keys.iter().map(|key| key.name.as_str()), reader);
        }
        spec
    }

    /// Takes the entry of a field. Absent, or wrong and reported, it is what
    /// `default` says; nothing when it says nothing, which is then reported.
    pub fn take<T: Read>(
        &mut self,
        field: &str,
        default: impl FnOnce() -> Option<T>,
        reader: &mut Reader<'_>,
    ) -> Option<T> {
        let name = field.trim_start_matches("r#");
        let is_it = |key: &str| key.bytes().eq(name.bytes().map(|b| if b == b'_' { b'-' } else { b }));
        let Some(index) = self.left.iter().position(|(key, _)| is_it(&key.text)) else {
            return default().or_else(|| {
                reader.inside(KeyInfo::name_of(field), |reader| reader.wrong(&self.at, "must be given"));
                None
            });
        };
        let (key, tree) = self.left.remove(index);
        reader.inside(&key.text, |reader| T::read(tree, reader)).or_else(default)
    }

    /// What nobody took.
    #[must_use]
    pub fn left(&self) -> &[&'t (Key, Tree)] {
        &self.left
    }

    /// Reports all that nobody took; `known` are the keys there are.
    pub fn refuse<'k>(&self, known: impl Iterator<Item = &'k str>, reader: &mut Reader<'_>) {
        let known: Vec<&str> = known.collect();
        for (key, _) in &self.left {
            let hint = reader
                .suggest(&key.text, known.iter().copied())
                .unwrap_or_else(|| format!("the keys here are {}", known.join(", ")));
            reader.inside(&key.text, |reader| {
                reader.hinted(&key.at, "is not a key that this place knows", Some(hint));
            });
        }
    }
}

impl Reader<'_> {
    /// One of a few words, each the name of a variant.
    pub fn choice<T: Copy>(&mut self, tree: &Tree, variants: &[(&str, T)]) -> Option<T> {
        let words: Vec<String> = variants.iter().map(|(variant, _)| KeyInfo::word_of(variant)).collect();
        let text = tree.text().map(|text| &**text);
        if let Some(index) = words.iter().position(|word| Some(word.as_str()) == text) {
            return Some(variants[index].1);
        }
        let hint = text.and_then(|text| self.suggest(text, words.iter().map(String::as_str)));
        let (last, others) = words.split_last().map_or(("", &[][..]), |(last, others)| (last, others));
        let or = if others.is_empty() { "" } else { " or " };
        self.hinted(&tree.at, format!("must be {}{or}{last}", others.join(", ")), hint);
        None
    }
}
