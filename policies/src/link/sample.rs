//! Decisions to learn from: what was known of each link, and which was best.
//!
//! A sample is one decision: the links that could have served one class of
//! clients at one time. It says which of them a person chose or the outcome
//! proved best and, if somebody measured it, how useful each was. Samples come
//! from operators' files and from the server's own log, and both are the same
//! CSV, one row per link:
//!
//! ```text
//! group,link,quality,price_km,weight,loss,delay_ms,jitter_ms,best,utility
//! 2026-11-22T10:00 fra,north/telecom,80,310,1,0.016,41.5,1.2,1,-2.1
//! 2026-11-22T10:00 fra,north/unicom,60,310,1,,,,0,
//! ```
//!
//! An empty cell is a fact that was not measured, which is not zero. `utility`
//! may be any measure that orders links: more is better or less is better, as
//! the `best` rows show.
//!
//! CSV was chosen because every spreadsheet and every script writes it; the few
//! rules of RFC 4180 are spelled out here rather than taken from a crate, since
//! a wrong row must be told with its line and the reading go on.

mod read;

use std::fmt::Write as _;

pub use read::{MAX_BYTES, read_samples};

use super::feature::{Features, LinkFacts, features};

/// One link of a decision.
#[derive(Clone, PartialEq, Debug)]
pub struct Row {
    /// Which, such as `north/telecom`; what follows the last slash is taken
    /// for its carrier. 1–255 bytes without control characters.
    pub link: Box<str>,
    /// What was known of it.
    pub facts: LinkFacts,
    /// Whether it was chosen, or proved best.
    pub is_best: bool,
    /// How useful it was, in a unit that is the same for all samples.
    pub utility: Option<f64>,
}

/// One decision.
#[derive(Clone, PartialEq, Debug)]
pub struct Sample {
    /// Its name, unlike that of any other in its file. As a link's.
    pub group: Box<str>,
    /// Two links or more, exactly one of them best.
    pub rows: Vec<Row>,
}

/// A column that holds a fact.
struct Fact {
    name: &'static str,
    /// The least and the greatest that makes sense.
    range: [f64; 2],
    get: fn(&LinkFacts) -> Option<f64>,
    set: fn(&mut LinkFacts, Option<f64>),
}

macro_rules! fact {
    ($name:ident, $low:literal, $high:literal) => {
        Fact {
            name: stringify!($name),
            range: [$low, $high],
            get: |facts| facts.$name,
            set: |facts, value| facts.$name = value,
        }
    };
}

/// The facts in the order of the columns, with the ranges of
/// [`feature`](super::feature).
static FACTS: [Fact; 6] = [
    fact!(quality, 1.0, 100.0),
    fact!(price_km, 0.0, 40_000.0),
    fact!(weight, 0.0, 1_000.0),
    fact!(loss, 0.0, 1.0),
    fact!(delay_ms, 0.0, 60_000.0),
    fact!(jitter_ms, 0.0, 60_000.0),
];

/// Greatest utility either way: sums of a million stay exact enough.
const UTILITY_RANGE: [f64; 2] = [-1e12, 1e12];

/// The first line of a file of samples.
#[must_use]
pub const fn header() -> &'static str {
    "group,link,quality,price_km,weight,loss,delay_ms,jitter_ms,best,utility"
}

impl Sample {
    /// Writes its rows, each a line. [`read_samples`] takes them back exactly;
    /// facts beyond their range are cut to it, what is no number is left empty.
    pub fn write(&self, out: &mut String) {
        for Row { link, facts, is_best, utility } in &self.rows {
            name(out, &self.group);
            out.push(',');
            name(out, link);
            for Fact { range, get, .. } in &FACTS {
                number(out, get(facts), *range);
            }
            out.push_str(if *is_best { ",1" } else { ",0" });
            number(out, *utility, UTILITY_RANGE);
            out.push('\n');
        }
    }

    /// The row that is best; the first one if none is said to be.
    #[must_use]
    pub fn best(&self) -> usize {
        self.rows.iter().position(|row| row.is_best).unwrap_or(0)
    }

    /// What its links are judged by.
    #[must_use]
    pub fn features(&self) -> Vec<Features> {
        features(&self.rows.iter().map(|row| row.facts).collect::<Vec<_>>())
    }
}

/// The row picked in each of `samples`, as CSV with the header `group,link`.
#[must_use]
pub fn picks(samples: &[Sample], picks: &[usize]) -> String {
    let mut out = "group,link\n".to_owned();
    for (sample, &pick) in samples.iter().zip(picks) {
        name(&mut out, &sample.group);
        out.push(',');
        name(&mut out, &sample.rows[pick].link);
        out.push('\n');
    }
    out
}

/// Writes a name, in quotes if it must be (RFC 4180 §2).
fn name(out: &mut String, text: &str) {
    if text.contains([',', '"']) || text.trim() != text {
        let _ = write!(out, "\"{}\"", text.replace('"', "\"\""));
    } else {
        out.push_str(text);
    }
}

/// Writes a comma and a number, in as many digits as it has.
fn number(out: &mut String, value: Option<f64>, [low, high]: [f64; 2]) {
    out.push(',');
    if let Some(value) = value.filter(|value| !value.is_nan()) {
        let _ = write!(out, "{}", value.clamp(low, high));
    }
}

#[cfg(test)]
mod tests;
