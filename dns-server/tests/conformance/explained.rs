//! Differences that are no mistakes, as rows with the RFC that allows them.
//!
//! A row is a paragraph: `#` and the reason first, then what it matches, each
//! word once and all of them together:
//!
//! ```text
//! # why this may differ (RFC and section)
//! part header|answer|authority|additional
//! name GLOB…       `*` is any octets; in lower case
//! type TYPE…
//! way udp|tcp
//! like SERVER      that server says the same as Rhumb
//! rhumb TEXT       Rhumb's part contains it
//! other TEXT       one of the others' parts contains it
//! ```

use std::fs;
use std::path::Path;

use crate::compare::Difference;
use crate::servers::NAMES;

/// All rows.
pub(crate) struct Explained {
    rows: Vec<Row>,
}

#[derive(Default)]
struct Row {
    why: String,
    words: Vec<(String, String)>,
    used: usize,
}

impl Explained {
    pub(crate) fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap();
        let mut rows = Vec::new();
        for paragraph in text.split("\n\n").filter(|text| !text.trim().is_empty()) {
            let mut row = Row::default();
            for line in paragraph.trim().lines() {
                match line.split_once(' ') {
                    Some(("#", why)) => row.why += why,
                    Some((word, value)) => row.words.push((word.to_owned(), value.to_owned())),
                    None => panic!("{}: {line:?}", path.display()),
                }
            }
            if !row.words.is_empty() {
                assert!(row.why.contains("RFC"), "{}: which RFC? {}", path.display(), row.why);
                rows.push(row);
            }
        }
        Self { rows }
    }

    /// Whether a row covers the difference.
    pub(crate) fn covers(&mut self, difference: &Difference<'_>) -> bool {
        let Some(row) = self.rows.iter_mut().find(|row| row.matches(difference)) else { return false };
        row.used += 1;
        true
    }

    /// Rows that covered nothing.
    pub(crate) fn unused(&self) -> Vec<&str> {
        self.rows.iter().filter(|row| row.used == 0).map(|row| row.why.as_str()).collect()
    }
}

impl Row {
    fn matches(&self, difference: &Difference<'_>) -> bool {
        self.words.iter().all(|(word, value)| match word.as_str() {
            "part" => value == difference.part,
            "name" => {
                let name = difference.question.name.to_string().to_ascii_lowercase();
                value.split(' ').any(|pattern| glob(pattern, &name))
            }
            "type" => value.split(' ').any(|rtype| rtype == difference.question.rtype.to_string()),
            "way" => difference.way.starts_with(value.as_str()),
            "rhumb" => difference.said[0].contains(value),
            "like" => {
                let other = NAMES.iter().position(|name| name == value).unwrap();
                difference.said[other] == difference.said[0]
            }
            "other" => difference.said[1..].iter().any(|said| said.contains(value)),
            _ => panic!("unknown word {word:?}"),
        })
    }
}

/// Whether `text` is `pattern`, whose stars stand for anything.
fn glob(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((head, rest)) => text.strip_prefix(head).is_some_and(|tail| {
            (0..=tail.len()).any(|at| tail.is_char_boundary(at) && glob(rest, &tail[at..]))
        }),
    }
}
