//! YAML as a tree in which every value knows where it stands.
//!
//! The tree, not serde, is what readers walk: serde stops at the first
//! mistake, and an operator at 3 a.m. wants all of them.
//!
//! A scalar keeps its text and whether it was quoted, nothing more. What a
//! plain `1.10`, `no` or `0755` means depends on the place it stands in, and
//! only the reader of that place ([`Read`](crate::Read)) knows: `version: 1.10`
//! must not become 1.1, nor the country `no` false. Quoted text is never a
//! number, a truth value or nothing, as in YAML 1.2.

mod parse;

use std::sync::Arc;

use crate::diagnostic::Location;

/// A value and its place.
#[derive(Clone, Debug)]
pub struct Tree {
    /// Where the value starts.
    pub at: Location,
    /// The value.
    pub value: Value,
}

/// What YAML can say, after aliases and merge keys are resolved.
#[derive(Clone, Debug)]
pub enum Value {
    /// Nothing, `~` or `null`.
    Null,
    /// A scalar without quotes, as written.
    Plain(Arc<str>),
    /// A quoted or block scalar: always text.
    Quoted(Arc<str>),
    /// A sequence.
    List(Vec<Tree>),
    /// A mapping in file order; keys are distinct.
    Map(Vec<(Key, Tree)>),
}

/// A key of a mapping and its place.
#[derive(Clone, Debug)]
pub struct Key {
    /// Where the key starts.
    pub at: Location,
    /// Its text, as written.
    pub text: Arc<str>,
}

impl Tree {
    /// Largest file, in bytes: 10,000 services in 8 datacenters need 6 MB.
    pub const MAX_BYTES: usize = 16 << 20;
    /// Most values in a file once aliases are expanded. 10,000 services in 8
    /// datacenters need 700,000; each costs about 100 bytes.
    pub const MAX_NODES: usize = 2_000_000;
    /// Most commas, colons, brackets, braces and quotes in a file. The parser
    /// holds every token of a collection in flow style until it ends, at over
    /// 100 bytes each; the same services in JSON have 1,400,000 marks.
    pub const MAX_MARKS: usize = 2_000_000;
    /// Deepest nesting. The policy format needs 8; the limit keeps readers
    /// that recurse off the end of the stack.
    pub const MAX_DEPTH: usize = 64;
    /// Most documents in a file: one per zone.
    pub const MAX_DOCUMENTS: usize = 10_000;

    /// The text of a scalar, quoted or not.
    #[must_use]
    pub const fn text(&self) -> Option<&Arc<str>> {
        match &self.value {
            Value::Plain(text) | Value::Quoted(text) => Some(text),
            _ => None,
        }
    }

    /// The value under `key`, if this is a mapping that has it.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        match &self.value {
            Value::Map(entries) => entries.iter().find(|(k, _)| &*k.text == key).map(|(_, tree)| tree),
            _ => None,
        }
    }
}
