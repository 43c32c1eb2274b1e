//! What is wrong with an input, each with an address.
//!
//! Nothing stops at the first mistake: readers push into [`Diagnostics`] and
//! carry on with a harmless stand-in. One line reads
//! `file:line:col: who: which: what must hold`, so that editors jump to it.

use std::fmt;
use std::sync::Arc;

use crate::read::did_you_mean;

/// A place in an input.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Location {
    /// The path as the operator gave it.
    pub file: Arc<str>,
    /// From 1; 0 when the whole file is meant.
    pub line: u32,
    /// From 1, in characters; 0 when the whole line is meant.
    pub column: u32,
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.line, self.column) {
            (0, _) => f.write_str(&self.file),
            (line, 0) => write!(f, "{}:{line}", self.file),
            (line, column) => write!(f, "{}:{line}:{column}", self.file),
        }
    }
}

/// Whether an input can be used all the same.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Severity {
    /// The input is refused.
    Error,
    /// The input is used; an operator should know.
    Warning,
}

/// One mistake.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Diagnostic {
    /// Where it stands.
    pub at: Location,
    /// Whether it refuses the input.
    pub severity: Severity,
    /// Who is wrong: `service www`, `datacenter north`, a zone's name.
    pub who: String,
    /// Which of its parts: `ttl`, `vips.north.telecom`, `CNAME`.
    pub which: String,
    /// What must hold: `must be a duration such as 30s`.
    pub what: String,
    /// What may help: `did you mean "nearest"?`.
    pub hint: Option<String>,
}

impl Diagnostic {
    fn new(severity: Severity, at: &Location, [who, which]: [&str; 2], what: impl Into<String>) -> Self {
        let [who, which, what] = [who.to_owned(), which.to_owned(), what.into()].map(shortened);
        Self { at: at.clone(), severity, who, which, what, hint: None }
    }
}

/// Longest part of a diagnostic, in bytes: names come from the input.
const MAX_PART: usize = 400;

fn shortened(mut text: String) -> String {
    if text.len() > MAX_PART {
        let end = (0..=MAX_PART).rev().find(|&end| text.is_char_boundary(end)).unwrap_or(0);
        text.truncate(end);
        text.push('…');
    }
    text
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, severity, who, which, what, hint } = self;
        write!(f, "{at}: ")?;
        if *severity == Severity::Warning {
            f.write_str("warning: ")?;
        }
        write!(f, "{who}: {which}: {what}")?;
        match hint {
            Some(hint) => write!(f, "\n    hint: {hint}"),
            None => Ok(()),
        }
    }
}

/// All that was found wrong so far, bounded.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Diagnostics {
    list: Vec<Diagnostic>,
    dropped: usize,
    errors: usize,
    /// How many of `list` are warnings.
    warnings: usize,
}

impl Diagnostics {
    /// How many are kept: a file with more is hopeless, and each costs memory.
    pub const MAX: usize = 1_000;

    /// Adds one; beyond [`Diagnostics::MAX`] it is only counted, unless it is
    /// an error and a warning can make room.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        let is_error = diagnostic.severity == Severity::Error;
        self.errors += usize::from(is_error);
        if self.is_full() {
            self.dropped += 1;
            if !is_error || self.warnings == 0 {
                return;
            }
            let warning = self.list.iter().rposition(|kept| kept.severity == Severity::Warning);
            self.list.remove(warning.expect("a warning is kept"));
            self.warnings -= 1;
        }
        self.warnings += usize::from(!is_error);
        self.list.push(diagnostic);
    }

    /// Whether what comes is only counted: hints need not be looked for.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.list.len() >= Self::MAX
    }

    /// [`did_you_mean`], unless nobody would see it.
    pub fn suggest<S: AsRef<str> + Ord>(
        &self,
        word: &str,
        candidates: impl IntoIterator<Item = S>,
    ) -> Option<String> {
        if self.is_full() { None } else { did_you_mean(word, candidates) }
    }

    /// Adds an error without a hint.
    pub fn error(&mut self, at: &Location, who: &str, which: &str, what: impl Into<String>) {
        self.push(Diagnostic::new(Severity::Error, at, [who, which], what));
    }

    /// Adds an error with a hint.
    pub fn hinted(
        &mut self,
        at: &Location,
        [who, which]: [&str; 2],
        what: impl Into<String>,
        hint: Option<String>,
    ) {
        self.push(Diagnostic { hint, ..Diagnostic::new(Severity::Error, at, [who, which], what) });
    }

    /// Adds a warning.
    pub fn warn(&mut self, at: &Location, who: &str, which: &str, what: impl Into<String>) {
        self.push(Diagnostic::new(Severity::Warning, at, [who, which], what));
    }

    /// Takes over all of `other`.
    pub fn append(&mut self, other: Self) {
        // Some of those it dropped may have been warnings.
        let errors = self.errors + other.errors;
        self.dropped += other.dropped;
        for diagnostic in other.list {
            self.push(diagnostic);
        }
        self.errors = errors;
    }

    /// Sorts by place, so that a reader goes down the file once.
    pub fn sort(&mut self) {
        self.list.sort_by(|a, b| a.at.cmp(&b.at));
    }

    /// Those kept.
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.list.iter()
    }

    /// How many errors were found, kept or not.
    #[must_use]
    pub const fn errors(&self) -> usize {
        self.errors
    }

    /// Whether the input must be refused.
    #[must_use]
    pub const fn refuse(&self) -> bool {
        self.errors > 0
    }

    /// Whether nothing was found.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty() && self.dropped == 0
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for diagnostic in &self.list {
            writeln!(f, "{diagnostic}")?;
        }
        if self.dropped > 0 {
            writeln!(f, "and {} more", self.dropped)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some(errors: usize, warnings: usize) -> Diagnostics {
        let mut out = Diagnostics::default();
        let at = Location { file: "f".into(), line: 1, column: 0 };
        (0..warnings).for_each(|_| out.warn(&at, "w", "w", "w"));
        (0..errors).for_each(|_| out.error(&at, "e", "e", "e"));
        out
    }

    #[test]
    fn the_list_is_bounded_and_keeps_errors_before_warnings() {
        let most = Diagnostics::MAX;
        // Errors, warnings; errors counted, errors kept, all kept.
        let rows = [
            (2, 3, [2, 2, 5], "few"),
            (0, most + 5, [0, 0, most], "warnings alone refuse nothing"),
            (1, most + 5, [1, 1, most], "an error is not lost among warnings"),
            (most + 5, 3, [most + 5, most, most], "errors beyond the list are counted"),
        ];
        for (errors, warnings, want, why) in rows {
            let direct = some(errors, warnings);
            let mut appended = some(0, 0);
            appended.append(some(errors, warnings));
            for out in [direct, appended] {
                let kept = out.iter().filter(|one| one.severity == Severity::Error).count();
                assert_eq!([out.errors(), kept, out.iter().count()], want, "{why}");
                assert_eq!(out.refuse(), errors > 0, "{why}");
                let rest = out.to_string().lines().last().map(str::to_owned).unwrap_or_default();
                assert_eq!(
                    rest == format!("and {} more", errors + warnings - want[2]),
                    want[2] == most,
                    "{why}"
                );
            }
        }
    }

    #[test]
    fn parts_are_cut() {
        let mut out = Diagnostics::default();
        let at = Location { file: "f".into(), line: 1, column: 1 };
        out.error(&at, "w", &"é".repeat(1_000), "w");
        let shown = out.iter().next().map(|one| one.which.clone()).unwrap_or_default();
        assert_eq!(shown, format!("{}…", "é".repeat(MAX_PART / 2)), "between characters");
    }
}
