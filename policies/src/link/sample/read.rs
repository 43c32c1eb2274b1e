//! Samples from CSV: every wrong row is told, by line.
//!
//! Columns are found by the names of the header, in any order. The rows of a
//! decision need not be next to each other, so a shuffled file is as good as a
//! sorted one; decisions come out in the order of their first rows. Lines may
//! end as Windows ends them, empty ones are skipped, names and numbers may be
//! in quotes.
//!
//! **Invariant:** memory is bounded by the size of the file, and that by
//! [`MAX_BYTES`]; no input makes it panic.

use std::borrow::Cow;
use std::str;

use rhumb_zones::{Diagnostics, Location};
use rustc_hash::FxHashMap;

use super::{FACTS, Row, Sample, UTILITY_RANGE, header};
use crate::link::feature::LinkFacts;

/// Largest file of samples: a million rows, which a datacenter of four links
/// and a hundred classes fills in two days, deciding once a minute.
pub const MAX_BYTES: usize = 96 << 20;

/// Longest line: two quoted names and eight numbers.
const MAX_LINE: usize = 2_048;

/// Longest name, bytes: a DNS name, or a time with a class of clients.
const MAX_NAME: usize = 255;

/// Most links of a decision: 8 datacenters of 32 links, ranked jointly.
const MAX_LINKS: usize = 256;

/// Columns of the header; all but the last must be there.
const COLUMNS: usize = 10;

/// Reads a file of samples; `file` is its name in complaints.
///
/// # Errors
/// Every row that is wrong, and every decision that has not exactly one best
/// link and at least one rival.
pub fn read_samples(file: &str, bytes: &[u8]) -> Result<Vec<Sample>, Diagnostics> {
    let mut reader = Reader {
        at: Location { file: file.into(), line: 0, column: 0 },
        drafts: Vec::new(),
        named: FxHashMap::default(),
        out: Diagnostics::default(),
    };
    if bytes.len() > MAX_BYTES {
        reader.wrong("samples", "file", format!("must have at most {} MB", MAX_BYTES >> 20));
        return Err(reader.out);
    }
    let mut columns = None;
    for line in bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).split(|&byte| byte == b'\n') {
        reader.at.line += 1;
        let Some(cells) = reader.cells(line) else { continue };
        match &columns {
            Some(columns) => reader.row(columns, &cells),
            None => match reader.columns(&cells) {
                Some(found) => columns = Some(found),
                None => return Err(reader.out), // no row can be told right from wrong
            },
        }
    }
    if columns.is_none() {
        reader.wrong("samples", "file", format!("must begin with {}", header()));
    }
    reader.finish()
}

/// A decision as far as it is read.
struct Draft {
    sample: Sample,
    /// Where it begins.
    line: u32,
    /// Whether a row of it is wrong: what follows from that is not told too.
    is_doubtful: bool,
}

struct Reader<'b> {
    at: Location,
    drafts: Vec<Draft>,
    /// Place of each decision in `drafts`.
    named: FxHashMap<Cow<'b, str>, usize>,
    out: Diagnostics,
}

/// Where in a row each column of [`header`] is.
type Columns = [Option<usize>; COLUMNS];

impl<'b> Reader<'b> {
    fn wrong(&mut self, who: &str, which: &str, what: impl Into<String>) {
        self.out.error(&self.at, who, which, what);
    }

    /// The cells of a line, if it has any that can be told apart.
    fn cells(&mut self, line: &'b [u8]) -> Option<Vec<Cow<'b, str>>> {
        if line.len() > MAX_LINE {
            self.wrong("row", "line", format!("must have at most {MAX_LINE} bytes"));
            return None;
        }
        let Ok(text) = str::from_utf8(line) else {
            self.wrong("row", "line", "must be UTF-8");
            return None;
        };
        let text = text.trim_end_matches('\r');
        if text.trim().is_empty() {
            return None;
        }
        let cells = split(text);
        if cells.is_none() {
            self.wrong("row", "line", "a cell that begins with a quote must end with one");
        }
        cells
    }

    fn columns(&mut self, cells: &[Cow<'_, str>]) -> Option<Columns> {
        let mut columns = Columns::default();
        for (place, cell) in cells.iter().enumerate() {
            match header().split(',').position(|name| name == cell) {
                Some(column) if columns[column].is_none() => columns[column] = Some(place),
                Some(_) => self.wrong("header", cell, "must be there once"),
                None => {
                    let hint = self.out.suggest(cell, header().split(','));
                    self.out.hinted(&self.at, ["header", cell], "is no column of samples", hint);
                }
            }
        }
        for (name, place) in header().split(',').zip(columns).take(COLUMNS - 1) {
            if place.is_none() {
                self.wrong("header", name, "must be among the columns");
            }
        }
        (!self.out.refuse()).then_some(columns)
    }

    fn row(&mut self, columns: &Columns, cells: &[Cow<'b, str>]) {
        let needed = columns.iter().flatten().count();
        if cells.len() != needed {
            let found = cells.len();
            return self.wrong(
                "row",
                "line",
                format!("must have {needed} cells, as the header has, not {found}"),
            );
        }
        let mistakes = self.out.errors();
        let cell = |column: usize| columns[column].map_or("", |place| &*cells[place]);
        let [group, link] = [cell(0), cell(1)];
        for (which, name) in ["group", "link"].into_iter().zip([group, link]) {
            if name.is_empty() || name.len() > MAX_NAME || name.contains(char::is_control) {
                self.wrong("row", which, format!("must be a name of 1 to {MAX_NAME} bytes in one line"));
            }
        }
        let mut facts = LinkFacts::default();
        for (index, fact) in FACTS.iter().enumerate() {
            (fact.set)(&mut facts, self.number([link, fact.name], cell(index + 2), fact.range));
        }
        if !matches!(cell(8), "0" | "1") {
            self.wrong(link, "best", "must be 1 on the best link of the group, else 0");
        }
        let utility = self.number([link, "utility"], cell(9), UTILITY_RANGE);
        let row = Row { link: link.into(), facts, is_best: cell(8) == "1", utility };
        let is_doubtful = self.out.errors() > mistakes;
        self.add(group, row, is_doubtful);
    }

    fn number(&mut self, [link, which]: [&str; 2], text: &str, [low, high]: [f64; 2]) -> Option<f64> {
        if text.is_empty() {
            return None;
        }
        let value = text.parse().ok().filter(|value| (low..=high).contains(value));
        if value.is_none() {
            self.wrong(
                link,
                which,
                format!("must be a number from {low} to {high}, or empty if not measured"),
            );
        }
        value
    }

    fn add(&mut self, group: &str, row: Row, is_doubtful: bool) {
        let place = match self.named.get(group) {
            Some(&place) => place,
            None => {
                let sample = Sample { group: group.into(), rows: Vec::new() };
                self.drafts.push(Draft { sample, line: self.at.line, is_doubtful });
                self.named.insert(group.to_owned().into(), self.drafts.len() - 1);
                self.drafts.len() - 1
            }
        };
        let draft = &mut self.drafts[place];
        draft.is_doubtful |= is_doubtful;
        let rows = &mut draft.sample.rows;
        if rows.iter().any(|other| other.link == row.link) {
            draft.is_doubtful = true;
            self.wrong(&row.link, "link", format!("must be there once in group {group}"));
        } else if rows.len() == MAX_LINKS {
            draft.is_doubtful = true;
            self.wrong(&row.link, "group", format!("must have at most {MAX_LINKS} links"));
        } else {
            rows.push(row);
        }
    }

    fn finish(mut self) -> Result<Vec<Sample>, Diagnostics> {
        for Draft { sample: Sample { group, rows }, line, .. } in
            self.drafts.iter().filter(|draft| !draft.is_doubtful)
        {
            self.at.line = *line;
            let best = rows.iter().filter(|row| row.is_best).count();
            if rows.len() < 2 {
                self.out.error(
                    &self.at,
                    group,
                    "link",
                    "must have a rival: a decision is between two links or more",
                );
            } else if best != 1 {
                self.out.error(
                    &self.at,
                    group,
                    "best",
                    format!("must be 1 on exactly one link, not on {best}"),
                );
            }
        }
        self.out.sort();
        if self.out.refuse() {
            Err(self.out)
        } else {
            Ok(self.drafts.into_iter().map(|draft| draft.sample).collect())
        }
    }
}

/// The cells of a line, without their quotes (RFC 4180 §2); nothing if a quote
/// stands alone.
fn split(line: &str) -> Option<Vec<Cow<'_, str>>> {
    let mut cells = Vec::with_capacity(COLUMNS);
    let mut rest = Some(line);
    while let Some(text) = rest {
        let quoted = text.trim_start().strip_prefix('"');
        let (cell, after) = match quoted {
            Some(quoted) => unquoted(quoted)?,
            None => match text.split_once(',') {
                Some((cell, after)) => (cell.trim().into(), Some(after)),
                None => (text.trim().into(), None),
            },
        };
        cells.push(cell);
        rest = after;
    }
    Some(cells)
}

/// The cell that begins after a quote, and what follows the comma behind it.
fn unquoted(text: &str) -> Option<(Cow<'_, str>, Option<&str>)> {
    let mut pairs = 0;
    let mut from = 0;
    let end = loop {
        let quote = from + text[from..].find('"')?;
        if !text[quote + 1..].starts_with('"') {
            break quote;
        }
        pairs += 1;
        from = quote + 2;
    };
    let cell = if pairs == 0 { text[..end].into() } else { text[..end].replace("\"\"", "\"").into() };
    let after = text[end + 1..].trim_start();
    if after.is_empty() { Some((cell, None)) } else { Some((cell, Some(after.strip_prefix(',')?))) }
}
