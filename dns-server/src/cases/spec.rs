//! What a file of policy tests may say.
//!
//! Read with the same layer as policies, so that a mistyped key is an error
//! with a place and a hint here too: a test that silently expects nothing
//! passes for ever.

use std::time::Duration;

use rhumb_zones::{Fraction, Named, OneOrMany, Point, Prefix, Read, Reader, Rtype, Spanned, Tree, spec};
use serde_json::{Value as Json, json};

use crate::ask::Code;

spec! {
    /// Tests of one policy.
    pub struct CaseFile {
        /// The policy: files and directories, relative to this file.
        policy: OneOrMany<String>,
        /// Geo databases, relative to this file; the embedded table if not given.
        geo: Option<OneOrMany<String>>,
        /// The tests.
        cases: Vec<Spanned<Case>>,
    }
}

spec! {
    /// One question in one state of the world. Targets that are not named are up.
    pub struct Case {
        /// What it shows.
        name: Option<String>,
        /// The client's address, or its network as ADDRESS/LENGTH.
        client: Option<Spanned<Prefix>>,
        /// Where the client is, when no address is given.
        at: Option<Point>,
        /// The client's carrier, when no address is given.
        carrier: Option<String>,
        /// Name and type, such as `www A`; the type is A if not given.
        ask: Spanned<Question>,
        /// Targets whose verdict is down.
        down: Vec<Spanned<String>> = Vec::new(),
        /// Targets whose verdict is up, as those that are not named: for what
        /// lies under a datacenter or service that is down.
        up: Vec<Spanned<String>> = Vec::new(),
        /// Datacenters, links, services and VIPs that are drained.
        drain: Vec<Spanned<String>> = Vec::new(),
        /// Targets forced up or down, whatever their verdict.
        force: Named<Force> = Named::default(),
        /// The time of the question, as 2026-11-22T03:00:00Z.
        now: Option<Instant>,
        /// The datacenter that is primary of the service asked for.
        primary: Option<Spanned<String>>,
        /// What was measured on links.
        measured: Named<Measured> = Named::default(),
        /// What must come out; what is not given may be anything.
        expect: Option<Expect>,
    }
}

spec! {
    /// What must come out.
    pub struct Expect {
        /// The answers: addresses, targets of aliases, or record data as a zone file has it, in any order.
        answers: Option<Vec<String>>,
        /// The datacenter of the first answer.
        datacenter: Option<Spanned<String>>,
        /// The link of the first answer.
        link: Option<Spanned<String>>,
        /// The TTL of the answers in seconds.
        ttl: Option<u32>,
        /// The scope of the answer, in bits.
        scope: Option<u8>,
        /// The response code, such as NXDOMAIN.
        rcode: Option<CodeName>,
    }
}

spec! {
    /// What is forced.
    pub enum Force {
        /// Counts as up.
        Up,
        /// Counts as down, and takes VIPs under it out of all answers.
        Down,
    }
}

spec! {
    /// What was measured on a link.
    pub struct Measured {
        /// The share of packets lost.
        loss: Option<Fraction>,
        /// The delay in milliseconds.
        delay_ms: Option<f64>,
    }
}

/// `www A`, `_https._tcp.www.gslb.example.com. SRV`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Question {
    /// As written.
    pub name: String,
    /// What is asked for.
    pub rtype: Rtype,
}

impl Read for Question {
    fn read(tree: &Tree, reader: &mut Reader<'_>) -> Option<Self> {
        const WANTED: &str = "a name and a type, such as www A";
        let Some(text) = tree.text() else { return reader.must_be(tree, WANTED) };
        let mut words = text.split_whitespace();
        let (name, rtype, more) = (words.next(), words.next(), words.next());
        match (name, rtype.unwrap_or("A").parse(), more) {
            (Some(name), Ok(rtype), None) => Some(Self { name: name.to_owned(), rtype }),
            _ => reader.must_be(tree, WANTED),
        }
    }

    fn schema() -> Json {
        json!({ "type": "string" })
    }
}

/// A response code by name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CodeName(pub Code);

impl Read for CodeName {
    fn read(tree: &Tree, reader: &mut Reader<'_>) -> Option<Self> {
        let found = tree.text().and_then(|text| Code::NAMES.iter().find(|(_, name)| **name == **text));
        if let Some((code, _)) = found {
            return Some(Self(*code));
        }
        reader.must_be(tree, &format!("one of {}", Code::NAMES.map(|(_, name)| name).join(", ")))
    }

    fn schema() -> Json {
        json!({ "enum": Code::NAMES.map(|(_, name)| name) })
    }
}

/// A moment, as time since the Unix epoch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Instant(pub Duration);

impl Read for Instant {
    fn read(tree: &Tree, reader: &mut Reader<'_>) -> Option<Self> {
        let moment = tree.text().and_then(|text| moment(text));
        moment.map(Self).or_else(|| reader.must_be(tree, "a time in UTC such as 2026-11-22T03:00:00Z"))
    }

    fn schema() -> Json {
        json!({ "type": "string", "format": "date-time" })
    }
}

/// `YYYY-MM-DDTHH:MM:SSZ` (RFC 3339, UTC only), from 1970 on.
fn moment(text: &str) -> Option<Duration> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let numbers = |text: &str, separator| {
        let parts: Vec<u64> = text.split(separator).map(|part| part.parse().ok()).collect::<Option<_>>()?;
        <[u64; 3]>::try_from(parts).ok()
    };
    let ([year, month, day], [hour, minute, second]) = (numbers(date, '-')?, numbers(time, ':')?);
    let fits = (1970..10_000).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
    if !fits || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    // Years that start in March have their leap day last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 1;
    /// From 1 March of year 0 to 1 January 1970.
    const EPOCH: u64 = 719_468;
    Some(Duration::from_secs((days - EPOCH) * 86_400 + hour * 3_600 + minute * 60 + second))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments() {
        let rows = [
            ("1970-01-01T00:00:00Z", Some(0), "the epoch"),
            ("2000-02-29T12:00:00Z", Some(951_825_600), "a leap day"),
            ("2026-11-22T03:00:00Z", Some(1_795_316_400), "today"),
            ("2026-11-22", None, "no time"),
            ("2026-13-22T03:00:00Z", None, "no month"),
            ("2026-11-22T03:00:00+08:00", None, "UTC only"),
            ("1969-12-31T23:59:59Z", None, "before the epoch"),
        ];
        for (text, want, why) in rows {
            assert_eq!(moment(text).map(|moment| moment.as_secs()), want, "{text}: {why}");
        }
    }
}
