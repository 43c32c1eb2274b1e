//! Who says what, and whether Rhumb is alone with it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;

use crate::ask::Way;
use crate::explained::Explained;
use crate::question::Question;
use crate::seen::Seen;
use crate::servers::NAMES;

/// How many differences are shown in full.
const SHOWN: usize = 4000;

/// One part of an answer in which Rhumb differs from most.
pub(crate) struct Difference<'a> {
    pub(crate) part: &'static str,
    pub(crate) question: &'a Question,
    pub(crate) way: String,
    /// What each server said.
    pub(crate) said: [String; 4],
}

/// Hears answers and counts.
pub(crate) struct Judge {
    explained: Explained,
    heard: usize,
    covered: usize,
    wrong: BTreeMap<&'static str, Vec<String>>,
}

/// What stands for the sections of a reply that was cut short, which are of
/// no use to anyone (RFC 2181 §9), or that is malformed.
const UNREAD: &str = "unread";

const PARTS: [&str; 4] = ["header", "answer", "authority", "additional"];

impl Judge {
    pub(crate) const fn new(explained: Explained) -> Self {
        Self { explained, heard: 0, covered: 0, wrong: BTreeMap::new() }
    }

    /// Compares the four replies to one question.
    pub(crate) fn hear(&mut self, question: &Question, way: Way, replies: &[Option<&[u8]>; 4]) {
        self.heard += 1;
        let parts = replies.map(parts);
        let way = format!("{way:?}").to_ascii_lowercase();
        for (part, name) in PARTS.into_iter().enumerate() {
            let said = parts.each_ref().map(|parts| parts[part].clone());
            // Sections that cannot be read say nothing.
            let judges = said[1..].iter().filter(|other| **other != UNREAD).count();
            let agree = said[1..].iter().filter(|other| **other == said[0]).count();
            if agree >= judges.min(2) || (part > 0 && said[0] == UNREAD) {
                continue;
            }
            let difference = Difference { part: name, question, way: way.clone(), said };
            if self.explained.covers(&difference) {
                self.covered += 1;
            } else {
                self.wrong.entry(name).or_default().push(difference.to_string());
            }
        }
    }

    /// Says how it went.
    ///
    /// # Panics
    /// When something is unexplained, or an explanation explains nothing.
    pub(crate) fn end(self) {
        let _ = writeln!(
            std::io::stdout(),
            "conformance: {} answers compared, {} differences explained",
            self.heard,
            self.covered
        );
        let count: usize = self.wrong.values().map(Vec::len).sum();
        let shown: Vec<String> =
            self.wrong.into_values().flat_map(|list| list.into_iter().take(SHOWN)).collect();
        assert!(count == 0, "{count} differences are unexplained:\n{}", shown.join("\n"));
        let unused = self.explained.unused();
        assert!(unused.is_empty(), "rows that explain nothing:\n{}", unused.join("\n"));
    }
}

impl std::fmt::Display for Difference<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{} ({}, {}):", self.question, self.part, self.way)?;
        for (name, said) in NAMES.iter().zip(&self.said) {
            writeln!(f, "  {name:5} {said}")?;
        }
        Ok(())
    }
}

/// A reply as four texts: header, answer, authority, additional.
fn parts(reply: Option<&[u8]>) -> [String; 4] {
    let Some(packet) = reply else { return ["silence", UNREAD, UNREAD, UNREAD].map(str::to_owned) };
    let seen = match Seen::read(packet) {
        Ok(seen) => seen,
        Err(error) => return [&format!("malformed: {error}"), UNREAD, UNREAD, UNREAD].map(str::to_owned),
    };
    let edns = if seen.edns { " edns" } else { "" };
    let header = format!("rcode {} {}{edns}", seen.rcode, seen.flags);
    if seen.flags.contains("tc") {
        return [&header, UNREAD, UNREAD, UNREAD].map(str::to_owned);
    }
    let [answer, mut authority, mut additional] = seen.sections;
    if seen.flags.contains("aa") && !answer.is_empty() {
        without_servers(&answer, &mut authority, &mut additional);
    }
    [header, join(&answer), join(&authority), join(&additional)]
}

/// Takes the zone's NS beside an answer away, which may be there or not, and
/// the addresses that only they name.
fn without_servers(
    answer: &BTreeSet<String>,
    authority: &mut BTreeSet<String>,
    additional: &mut BTreeSet<String>,
) {
    let servers: Vec<String> = authority
        .iter()
        .filter_map(|line| line.split_once(" NS "))
        .map(|(_, host)| host.to_owned())
        .collect();
    authority.retain(|line| !line.contains(" NS "));
    let named = |host: &str| answer.iter().any(|line| line.split(' ').any(|word| word == host));
    additional.retain(|line| {
        let owner = line.split(' ').next().unwrap_or_default();
        let host = format!("{owner}.");
        named(&host) || !servers.contains(&host)
    });
}

fn join(lines: &BTreeSet<String>) -> String {
    lines.iter().map(String::as_str).collect::<Vec<_>>().join(" | ")
}
