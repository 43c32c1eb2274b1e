//! Steering methods, probe kinds and link selectors as the policy names them.
//!
//! Their arguments stay unread: only the crate that owns a plugin knows what
//! it takes, and adding one must touch nothing here. What this crate does know
//! is the two shapes they are written in, and how a name is found in each.

use std::sync::Arc;

use crate::diagnostic::Location;
use crate::read::{Entries, Reader};
use crate::tree::{Tree, Value};

/// A plugin's name and its arguments, still unread.
///
/// A step of `steer:` is a word, or one key with its arguments:
/// `{nearest: {within: 10%}}` is `nearest` with `{within: 10%}`. Probes and
/// selectors are a word, or a mapping whose keys are all arguments, the
/// name's own too: `{http: /healthz, port: 443}` is read as it stands.
#[derive(Clone, Debug)]
pub struct Plugin {
    /// The word, or the first key; [`Plugin::among`] knows better.
    pub name: Arc<str>,
    /// Where the name stands.
    pub at: Location,
    /// Its arguments; null when it is a mere word.
    pub arguments: Tree,
}

impl Plugin {
    /// A mere word.
    pub(crate) fn word(name: &Arc<str>, tree: &Tree) -> Self {
        let arguments = Tree { at: tree.at.clone(), value: Value::Null };
        Self { name: Arc::clone(name), at: tree.at.clone(), arguments }
    }

    /// The keys that nobody else took; nothing when none are left.
    pub(crate) fn of_left(entries: &Entries<'_>) -> Option<Self> {
        let (key, _) = *entries.left().first()?;
        let left = entries.left().iter().map(|&entry| entry.clone()).collect();
        let at = key.at.clone();
        let arguments = Tree { at: at.clone(), value: Value::Map(left) };
        Some(Self { name: Arc::clone(&key.text), at, arguments })
    }

    /// Which of the `known` plugins is meant: the one named, or the first
    /// key that names one, for tools that sort keys put others in front.
    /// None is reported.
    pub fn among<'k>(&self, known: &[&'k str], reader: &mut Reader<'_>) -> Option<&'k str> {
        let find = |word: &str| known.iter().copied().find(|known| *known == word);
        let by_key = match &self.arguments.value {
            Value::Map(entries) => entries.iter().find_map(|(key, _)| find(&key.text)),
            _ => None,
        };
        let found = find(&self.name).or(by_key);
        if found.is_none() {
            let hint = reader
                .suggest(&self.name, known.iter().copied())
                .unwrap_or_else(|| format!("there are {}", known.join(", ")));
            reader.hinted(&self.at, format!("{:?} is not known here", self.name), Some(hint));
        }
        found
    }
}
