//! `$GENERATE`: BIND's counted records.
//!
//! `$GENERATE start-stop[/step] owner [ttl] [class] type data`, where in
//! owner and data `$` is the counter, `${offset,width,base}` the counter plus
//! offset in base `d o x X n N`, filled with zeros to `width`, and `$$` or
//! `\$` a dollar. Bases `n` and `N` are hex digits from the lowest with dots
//! between, for `ip6.arpa`; their width counts the dots.
//!
//! Data of several fields stands in one quoted string, as BIND has it, or
//! plainly. Each step is scanned like a written record, so every type works;
//! the first step that fails ends the directive.

use super::{Fault, Frame, MAX_GENERATED, Scanner, Which};
use crate::lexer::{Lexer, ScanError, Token};
use crate::rdata::number;
use crate::record::Rtype;

/// Longest number, in digits: no name or address needs more.
const MAX_WIDTH: usize = 63;
/// Longest owner or data of one record, in bytes of text: with
/// [`MAX_GENERATED`] it bounds what one line of a file can cost to 1 GiB.
const MAX_TEXT: usize = 1_024;

impl<'a> Scanner<'_, 'a> {
    /// Scans the directive and makes its records.
    pub(super) fn generate(&mut self, directive: Token<'_>, frame: &mut Frame<'_, 'a>) -> Result<(), Fault> {
        let token = frame.next("a range").which("$GENERATE")?;
        let range = range(token).which("$GENERATE")?;
        let owner = frame.next("an owner").and_then(pattern).which("$GENERATE")?;
        let first = frame.next("a record type").which("type")?;
        let header = frame.header(first)?;
        let data = data(frame).which("$GENERATE")?;
        let records = self.generated.saturating_add(u64::from((range.stop - range.start) / range.step) + 1);
        if records > MAX_GENERATED {
            let what = format!("must make at most {MAX_GENERATED} records in all");
            return Err(ScanError::new(directive.at, what)).which("$GENERATE");
        }
        self.generated = records;
        let before = self.owner;
        let mut next = Some(range.start);
        while let Some(counter) = next.filter(|&counter| counter <= range.stop) {
            if let Err(fault) = self.step([&owner, &data], (counter, header), (directive.at, frame)) {
                let error = ScanError::new(directive.at, format!("at {counter}: {}", fault.error.what));
                self.report(frame.source, Fault { error, ..fault });
                break;
            }
            next = counter.checked_add(range.step);
        }
        self.owner = before;
        Ok(())
    }

    fn step(
        &mut self,
        [owner, data]: [&[Part]; 2],
        (counter, header): (u32, (Option<u32>, Rtype)),
        (at, frame): (usize, &Frame<'_, 'a>),
    ) -> Result<(), Fault> {
        let name = expand(owner, counter).which("$GENERATE")?;
        self.own(Token { text: &name, at, quoted: false }, &frame.origin).which("$GENERATE")?;
        let text = expand(data, counter).which(&header.1.to_string())?;
        let mut made = Frame { source: frame.source, lexer: Lexer::new(&text), origin: frame.origin.clone() };
        self.record(at, header, &mut made)
    }
}

struct Range {
    start: u32,
    stop: u32,
    step: u32,
}

fn range(token: Token<'_>) -> Result<Range, ScanError> {
    let (span, step) = token.text.split_once('/').unwrap_or((token.text, "1"));
    let bounds = span.split_once('-').and_then(|(start, stop)| Some((number(start)?, number(stop)?)));
    match (bounds, number(step)) {
        (Some((start, stop)), Some(step)) if start <= stop && step > 0 => Ok(Range { start, stop, step }),
        _ => Err(token.error("must be a range such as 1-10 or 0-100/2")),
    }
}

/// A stretch of a pattern.
enum Part {
    Text(String),
    Counter { offset: i64, width: usize, base: char },
}

/// The data of all records: one quoted string is its content.
fn data(frame: &mut Frame<'_, '_>) -> Result<Vec<Part>, ScanError> {
    let first = frame.next("data")?;
    let Some(mut token) = frame.lexer.token()? else { return pattern(first) };
    let mut parts = quoted_pattern(first)?;
    loop {
        parts.push(Part::Text(" ".to_owned()));
        parts.extend(quoted_pattern(token)?);
        match frame.lexer.token()? {
            Some(next) => token = next,
            None => return Ok(parts),
        }
    }
}

/// A token as a pattern, in quotes if it stood in quotes.
fn quoted_pattern(token: Token<'_>) -> Result<Vec<Part>, ScanError> {
    let mut parts = pattern(token)?;
    if token.quoted {
        parts.insert(0, Part::Text("\"".to_owned()));
        parts.push(Part::Text("\"".to_owned()));
    }
    Ok(parts)
}

fn pattern(token: Token<'_>) -> Result<Vec<Part>, ScanError> {
    let mut parts = Vec::new();
    let mut text = String::new();
    let mut rest = token.text.chars();
    while let Some(char) = rest.next() {
        match char {
            '\\' => text.extend(std::iter::once(char).chain(rest.next())),
            '$' if rest.as_str().starts_with('$') => {
                text.extend(['\\', '$']);
                rest.next();
            }
            '$' => {
                parts.push(Part::Text(std::mem::take(&mut text)));
                let (counter, after) = counter(rest.as_str()).ok_or_else(|| {
                    token.error(
                        "must have ${offset,width,base} with a width up to 63 and a base of d o x X n N",
                    )
                })?;
                parts.push(counter);
                rest = after.chars();
            }
            _ => text.push(char),
        }
    }
    parts.push(Part::Text(text));
    Ok(parts)
}

/// What follows a dollar as a counter, and the text behind it.
fn counter(text: &str) -> Option<(Part, &str)> {
    let Some(braced) = text.strip_prefix('{') else {
        return Some((Part::Counter { offset: 0, width: 0, base: 'd' }, text));
    };
    let (inside, after) = braced.split_once('}')?;
    let mut fields = inside.split(',');
    let offset = fields.next().unwrap_or_default();
    let offset = match offset.strip_prefix('-') {
        Some(digits) => -i64::from(number::<u32>(digits)?),
        None => i64::from(number::<u32>(offset.strip_prefix('+').unwrap_or(offset))?),
    };
    let width = fields.next().map_or(Some(0), number).filter(|&width| width <= MAX_WIDTH)?;
    let base = match fields.next() {
        None => 'd',
        Some(base) => {
            ["d", "o", "x", "X", "n", "N"].into_iter().find(|known| *known == base)?.chars().next()?
        }
    };
    fields.next().is_none().then_some((Part::Counter { offset, width, base }, after))
}

/// The text of one step.
fn expand(pattern: &[Part], value: u32) -> Result<String, ScanError> {
    let mut text = String::new();
    for part in pattern {
        match part {
            Part::Text(plain) => text.push_str(plain),
            Part::Counter { offset, width, base } => {
                let value = u64::try_from(i64::from(value) + offset);
                let value = value.map_err(|_| ScanError::new(0, "the counter must not be negative"))?;
                text.push_str(&spell(value, *width, *base));
            }
        }
        if text.len() > MAX_TEXT {
            return Err(ScanError::new(0, format!("must be at most {MAX_TEXT} bytes of text")));
        }
    }
    Ok(text)
}

fn spell(value: u64, width: usize, base: char) -> String {
    match base {
        'o' => format!("{value:0width$o}"),
        'x' => format!("{value:0width$x}"),
        'X' => format!("{value:0width$X}"),
        'n' | 'N' => {
            // `width` counts digits and dots; a final dot is never written.
            let digits = format!("{value:0digits$x}", digits = width.div_ceil(2));
            let digits = if base == 'N' { digits.to_ascii_uppercase() } else { digits };
            let nibbles: Vec<String> = digits.chars().rev().map(String::from).collect();
            nibbles.join(".")
        }
        _ => format!("{value:0width$}"),
    }
}
