//! A learned model of links, as a file.
//!
//! A model is a weight per feature. Everything that is needed to serve, check
//! and doubt it is in one short text that a person can read and compare:
//!
//! ```text
//! rhumb-link-model 1
//! seed 1
//! cost 0.1
//! trust 1
//! groups 480
//! held-out 96
//! top1 0.9375
//! regret 0.021
//! formula-regret 0.034
//! feature quality mean 0.6 std 0.14 weight 0.05 deciles 0.4 … 0.8 shares 0.2 … 1
//! … one line per feature …
//! checksum 5ab2ce8f2b1c9d10
//! ```
//!
//! A weight is in nats per standard deviation, so that weights can be compared
//! with each other; divided by `std` it is what a score is made of. It is final:
//! clipped, scaled and blended with the formula when it was trained, so nothing
//! but a dot product is left to the reader. Mean, deviation, and eleven bounds
//! (least, deciles, greatest) with the shares of values up to each say on what
//! it was trained, for [`drift`](super::drift).
//!
//! The checksum guards against damage and careless edits, not against malice:
//! who can write the file can also compute it. So nothing in it is trusted: a
//! weight of the wrong sign, a number that is none, an unknown feature or
//! version is refused with its line, and [`gate`](super::gate) judges what the
//! weights do.

use std::fmt::{Display, Write as _};
use std::str::{self, FromStr, SplitWhitespace};

use super::feature::{Feature, Weights};
use crate::lottery::name_hash;

/// What the first line says, and the only version there is.
const MAGIC: &str = "rhumb-link-model";
const VERSION: &str = "1";

/// Largest file, bytes: a real one has about 1,500.
pub const MAX_BYTES: usize = 16 << 10;

/// Largest number either way: beyond it a difference of scores says nothing.
const MAX_NUMBER: f64 = 1e6;

/// Least deviation: a feature that varies less does not vary.
pub(super) const MIN_STD: f64 = 1e-6;

/// The least value of a feature, the nine deciles, the greatest.
pub(super) type Deciles = [f64; 11];

/// Weights that were learned, and from what.
#[derive(Clone, PartialEq, Debug)]
pub struct LinkModel {
    id: Box<str>,
    origin: Origin,
    columns: [Column; Feature::COUNT],
}

/// Where a model comes from.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Origin {
    /// The seed of its training.
    pub seed: u64,
    /// What a wrong pair cost in training: the C of the support vector machine.
    pub cost: f64,
    /// How far cross-validation trusted what was learned, beside the formula: 0–1.
    pub trust: f64,
    /// Decisions it was trained on.
    pub groups: usize,
    /// Decisions that were held out to measure it.
    pub held_out: usize,
    /// Share of those in which it picked the best link, 0–1.
    pub top1: f64,
    /// Its mean regret on those; nothing if it could not be measured.
    pub regret: Option<f64>,
    /// That of the formula.
    pub formula_regret: Option<f64>,
}

/// One feature, as training saw it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Column {
    pub(super) mean: f64,
    /// At least [`MIN_STD`]; 1 for a feature that did not vary.
    pub(super) std: f64,
    /// Nats per `std`.
    pub(super) weight: f64,
    pub(super) deciles: Deciles,
    /// Share of values at or below each: equal ones are common.
    pub(super) shares: Deciles,
}

/// Why a file is no model.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ModelError {
    /// It is not even text of a reasonable size.
    #[error("must be text of at most {} KB", MAX_BYTES >> 10)]
    NoText,
    /// A line is wrong.
    #[error("line {line}: {what}")]
    Line {
        /// Which, from 1.
        line: usize,
        /// What must hold.
        what: String,
    },
    /// Its last line does not fit the others.
    #[error("the checksum does not match: the file is damaged or was edited")]
    Checksum,
}

impl LinkModel {
    pub(super) fn new(origin: Origin, columns: [Column; Feature::COUNT]) -> Self {
        let mut model = Self { id: "".into(), origin, columns };
        model.id = format!("{:016x}", name_hash(model.body().as_bytes()))[..8].into();
        model
    }

    /// Reads a model file.
    ///
    /// # Errors
    /// When it is damaged, of another version, or makes no sense.
    pub fn parse(bytes: &[u8]) -> Result<Self, ModelError> {
        let text =
            str::from_utf8(bytes).ok().filter(|text| text.len() <= MAX_BYTES).ok_or(ModelError::NoText)?;
        let mut lines = Lines { lines: text.lines(), line: 0 };
        let [version] = lines.words(MAGIC)?;
        if version != VERSION {
            return Err(lines.wrong(format!("version {version} is unknown: this server reads {VERSION}")));
        }
        let origin = Origin {
            seed: lines.value("seed")?,
            cost: lines.number("cost", [0.0, MAX_NUMBER])?,
            trust: lines.number("trust", [0.0, 1.0])?,
            groups: lines.value("groups")?,
            held_out: lines.value("held-out")?,
            top1: lines.number("top1", [0.0, 1.0])?,
            regret: lines.regret("regret")?,
            formula_regret: lines.regret("formula-regret")?,
        };
        let mut columns = [Column { mean: 0.0, std: 1.0, weight: 0.0, deciles: [0.0; 11], shares: [1.0; 11] };
            Feature::COUNT];
        for (feature, column) in Feature::ALL.into_iter().zip(&mut columns) {
            *column = lines.column(feature)?;
        }
        let [checksum] = lines.words("checksum")?;
        if lines.lines.next().is_some() {
            return Err(lines.wrong("must be the last"));
        }
        let body = text.rfind("checksum").map_or("", |end| &text[..end]);
        if checksum != format!("{:016x}", name_hash(body.as_bytes())) {
            return Err(ModelError::Checksum);
        }
        Ok(Self { id: checksum[..8].into(), origin, columns })
    }

    /// The file, such that [`LinkModel::parse`] gives back the same.
    #[must_use]
    pub fn to_text(&self) -> String {
        let body = self.body();
        let checksum = name_hash(body.as_bytes());
        format!("{body}checksum {checksum:016x}\n")
    }

    fn body(&self) -> String {
        let Origin { seed, cost, trust, groups, held_out, top1, regret, formula_regret } = self.origin;
        let or_none =
            |number: Option<f64>| number.map_or_else(|| "none".to_owned(), |number| number.to_string());
        let figures: [(&str, &dyn Display); 8] = [
            ("seed", &seed),
            ("cost", &cost),
            ("trust", &trust),
            ("groups", &groups),
            ("held-out", &held_out),
            ("top1", &top1),
            ("regret", &or_none(regret)),
            ("formula-regret", &or_none(formula_regret)),
        ];
        let mut out = format!("{MAGIC} {VERSION}\n");
        for (key, value) in figures {
            let _ = writeln!(out, "{key} {value}");
        }
        for (feature, Column { mean, std, weight, deciles, shares }) in
            Feature::ALL.into_iter().zip(&self.columns)
        {
            let name = feature.name();
            let _ = write!(out, "feature {name} mean {mean} std {std} weight {weight}");
            for (key, numbers) in [("deciles", deciles), ("shares", shares)] {
                let _ = write!(out, " {key}");
                numbers.iter().for_each(|number| {
                    let _ = write!(out, " {number}");
                });
            }
            out.push('\n');
        }
        out
    }

    /// Nats per unit of each feature: what a score is made of. Loss, delay,
    /// jitter and price never help, quality and weight never harm.
    #[must_use]
    pub fn weights(&self) -> Weights {
        Weights(self.columns.map(|column| column.weight / column.std))
    }

    /// Its checksum in short: models with the same id are the same.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Decisions it was trained on.
    #[must_use]
    pub const fn groups(&self) -> usize {
        self.origin.groups
    }

    /// Where it comes from.
    #[must_use]
    pub const fn origin(&self) -> &Origin {
        &self.origin
    }

    /// What each feature was like in training.
    pub(super) const fn columns(&self) -> &[Column; Feature::COUNT] {
        &self.columns
    }
}

/// The lines of a file, each begun with a word that says what it is.
struct Lines<'t> {
    lines: str::Lines<'t>,
    line: usize,
}

impl<'t> Lines<'t> {
    fn wrong(&self, what: impl Into<String>) -> ModelError {
        ModelError::Line { line: self.line, what: what.into() }
    }

    /// What follows `key` on the next line.
    fn after(&mut self, key: &str) -> Result<SplitWhitespace<'t>, ModelError> {
        self.line += 1;
        let mut words = self.lines.next().unwrap_or("").split_whitespace();
        if words.next() == Some(key) { Ok(words) } else { Err(self.wrong(format!("must be {key}"))) }
    }

    fn words<const COUNT: usize>(&mut self, key: &str) -> Result<[&'t str; COUNT], ModelError> {
        let words: Vec<_> = self.after(key)?.take(COUNT + 1).collect();
        words.try_into().map_err(|_| self.wrong(format!("must have {COUNT} words after {key}")))
    }

    fn value<T: FromStr>(&mut self, key: &str) -> Result<T, ModelError> {
        let [value] = self.words(key)?;
        value.parse().map_err(|_| self.wrong(format!("{key} must be a whole number")))
    }

    fn number(&mut self, key: &str, range: [f64; 2]) -> Result<f64, ModelError> {
        let [value] = self.words(key)?;
        self.within(value, key, range)
    }

    fn within(&self, value: &str, what: &str, [low, high]: [f64; 2]) -> Result<f64, ModelError> {
        let number = value.parse().ok().filter(|number| (low..=high).contains(number));
        number.ok_or_else(|| self.wrong(format!("{what} must be a number from {low} to {high}")))
    }

    fn regret(&mut self, key: &str) -> Result<Option<f64>, ModelError> {
        match self.words(key)? {
            ["none"] => Ok(None),
            [value] => self.within(value, key, [0.0, f64::MAX]).map(Some),
        }
    }

    fn column(&mut self, feature: Feature) -> Result<Column, ModelError> {
        let words: [&str; 31] = self.words("feature")?;
        let (head, lists) = words.split_at(7);
        let (["deciles", deciles @ ..], ["shares", shares @ ..]) = lists.split_at(12) else {
            return Err(self.wrong("must end with deciles and 11 numbers, shares and 11 numbers"));
        };
        let [name, "mean", mean, "std", std, "weight", weight] = *head else {
            return Err(self.wrong("must begin with feature NAME mean NUMBER std NUMBER weight NUMBER"));
        };
        if name != feature.name() {
            let known = Feature::ALL.into_iter().any(|feature| feature.name() == name);
            let what = if known { "is out of order" } else { "is unknown" };
            return Err(self.wrong(format!("feature {name} {what}: must be {}", feature.name())));
        }
        let any = [-MAX_NUMBER, MAX_NUMBER];
        // Harm is refused, not clipped: a file that says that loss is good is
        // not one that training wrote.
        let sign = if feature.helps() { [0.0, MAX_NUMBER] } else { [-MAX_NUMBER, 0.0] };
        let column = Column {
            mean: self.within(mean, "mean", any)?,
            std: self.within(std, "std", [MIN_STD, MAX_NUMBER])?,
            weight: self.within(weight, "weight", sign)?,
            deciles: self.rising(deciles, "deciles", any)?,
            shares: self.rising(shares, "shares", [0.0, 1.0])?,
        };
        Ok(column)
    }

    fn rising(&self, words: &[&str], what: &str, range: [f64; 2]) -> Result<Deciles, ModelError> {
        let mut numbers = [0.0; 11];
        for (number, word) in numbers.iter_mut().zip(words) {
            *number = self.within(word, what, range)?;
        }
        if numbers.is_sorted() { Ok(numbers) } else { Err(self.wrong(format!("{what} must not fall"))) }
    }
}

#[cfg(test)]
mod tests;
