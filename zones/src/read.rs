//! Reading a [`Tree`] into types, collecting every mistake.
//!
//! A type that can stand in a file implements [`Read`]: how it is read and
//! what an editor may offer for it (its JSON Schema) are said in one place.
//! Groups of keys are declared with [`spec!`](crate::spec), from which the
//! struct, its reader and its schema come; plugins of other crates declare
//! their arguments with it too, so that every file of the house is read, and
//! complained about, alike.
//!
//! A reader that finds a mistake reports it and answers `None`; the caller
//! goes on with a stand-in, so that one run finds all mistakes. Whoever asked
//! looks at [`Diagnostics::refuse`] before it believes the result.
//!
//! serde was refused: it stops at the first mistake, and unknown keys, hints
//! and documentation would each need a second list of the same keys.

mod list;
mod scalar;
mod spec;
mod suggest;

use std::fmt;

pub use list::{Named, OneOrMany, Spanned};
pub use scalar::{Bounded, Fraction, MAX_DURATION, Ttl, scan_duration};
pub use spec::{Entries, KeyInfo, Spec};
pub use suggest::did_you_mean;

use crate::diagnostic::{Diagnostics, Location};
use crate::tree::{Tree, Value};

/// A type that can stand in a file.
pub trait Read: Sized {
    /// Who an entry of a [`Named`] is in diagnostics: `datacenter`, `link`.
    const NOUN: &'static str = "";

    /// The value of `tree`; nothing when it is wrong, which is then reported.
    fn read(tree: &Tree, reader: &mut Reader<'_>) -> Option<Self>;

    /// Its JSON Schema, for editors.
    fn schema() -> serde_json::Value;

    /// What a missing key of this type means; nothing when the key must be
    /// given.
    #[must_use]
    fn absent() -> Option<Self> {
        None
    }
}

/// Reads one value on its own, such as the arguments of a plugin. `who` and
/// `which` start the address of its diagnostics: `service www`, `steer`.
pub fn read<T: Read>(tree: &Tree, [who, which]: [&str; 2], out: &mut Diagnostics) -> Option<T> {
    let mut reader = Reader::new(out, who);
    if which.is_empty() { T::read(tree, &mut reader) } else { reader.inside(which, |r| T::read(tree, r)) }
}

/// Where reading stands and where its mistakes go.
#[derive(Debug)]
pub struct Reader<'o> {
    out: &'o mut Diagnostics,
    who: String,
    which: String,
    /// The names of the nouns around: `north`, `telecom`.
    names: Vec<String>,
}

impl<'o> Reader<'o> {
    /// A reader whose mistakes are `who`'s.
    #[must_use]
    pub fn new(out: &'o mut Diagnostics, who: &str) -> Self {
        Self { out, who: who.to_owned(), which: String::new(), names: Vec::new() }
    }

    /// Takes over the mistakes of another input that this one names.
    pub fn append(&mut self, wrong: Diagnostics) {
        self.out.append(wrong);
    }

    /// Runs `body` one step deeper: in `key` of the current value.
    pub fn inside<T>(&mut self, key: impl fmt::Display, body: impl FnOnce(&mut Self) -> T) -> T {
        let length = self.which.len();
        if length > 0 {
            self.which.push('.');
        }
        self.which.push_str(&key.to_string());
        let result = body(self);
        self.which.truncate(length);
        result
    }

    /// Runs `body` with `noun name` as who is wrong; names of nouns within
    /// nouns are joined as in target names: `link north/telecom`.
    pub fn of<T>(&mut self, noun: &str, name: &str, body: impl FnOnce(&mut Self) -> T) -> T {
        self.names.push(name.to_owned());
        let who = format!("{noun} {}", self.names.join("/"));
        let before = (std::mem::replace(&mut self.who, who), std::mem::take(&mut self.which));
        let result = body(self);
        (self.who, self.which) = before;
        self.names.pop();
        result
    }

    /// Reports that the value at `at` is wrong: `what` must hold.
    pub fn wrong(&mut self, at: &Location, what: impl Into<String>) {
        self.hinted(at, what, None);
    }

    /// Reports a mistake with something that may help.
    pub fn hinted(&mut self, at: &Location, what: impl Into<String>, hint: Option<String>) {
        let which = if self.which.is_empty() { "declaration" } else { &self.which };
        self.out.hinted(at, [&self.who, which], what, hint);
    }

    /// "Did you mean", unless nobody would see it.
    pub fn suggest<S: AsRef<str> + Ord>(
        &self,
        word: &str,
        candidates: impl IntoIterator<Item = S>,
    ) -> Option<String> {
        self.out.suggest(word, candidates)
    }

    /// Reports something usable that an operator should know.
    pub fn warn(&mut self, at: &Location, what: impl Into<String>) {
        let which = if self.which.is_empty() { "declaration" } else { &self.which };
        self.out.warn(at, &self.who, which, what);
    }

    /// Reports that `tree` must be something else: `must be a duration such
    /// as 30s, not a list`. Answers `None` for the caller to pass on.
    pub fn must_be<T>(&mut self, tree: &Tree, wanted: &str) -> Option<T> {
        self.wrong(&tree.at, format!("must be {wanted}, not {}", Found(&tree.value)));
        None
    }
}

/// A wrong value in words.
struct Found<'t>(&'t Value);

/// Longer texts are cut in messages.
const MAX_SHOWN: usize = 40;

impl fmt::Display for Found<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Value::Null => f.write_str("empty"),
            Value::List(_) => f.write_str("a list"),
            Value::Map(_) => f.write_str("a mapping"),
            Value::Plain(text) | Value::Quoted(text) => {
                let quote = if matches!(self.0, Value::Quoted(_)) { "\"" } else { "" };
                let shown: String = text.chars().take(MAX_SHOWN).flat_map(char::escape_debug).collect();
                let rest = if text.chars().count() > MAX_SHOWN { "…" } else { "" };
                write!(f, "{quote}{shown}{rest}{quote}")
            }
        }
    }
}

#[cfg(test)]
mod tests;
