//! YAML as a tree in which every value knows where it stands.
//!
//! The tree, not serde, is what readers walk: serde stops at the first
//! mistake, and an operator at 3 a.m. wants all of them.

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
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number with a fraction or an exponent.
    Float(f64),
    /// Anything else that is one scalar.
    Text(Arc<str>),
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
