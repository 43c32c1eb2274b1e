//! The query log: one JSON object a line.
//!
//! The file is appended to. When it is renamed or removed, a new one is made
//! within a second: a rotation needs no signal, and no line is lost by it.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use rhumb_zones::{Name, Rtype};
use serde::Serialize;

use super::Exchange;
use super::outlet::Writer;
use crate::query::{Folded, Query};
use crate::respond::Transport;

/// How often to look whether the file was rotated.
const LOOK: Duration = Duration::from_secs(1);

/// The file of lines.
#[derive(Debug)]
pub(super) struct QueryLog {
    path: PathBuf,
    file: File,
    /// One line; written in one piece, so that what is counted is there.
    line: Vec<u8>,
    identity: Option<(u64, u64)>,
    looked: Instant,
    /// Whether the last write failed, which is told once.
    failing: bool,
}

/// A line. What could not be read of a query is left out.
#[derive(Serialize)]
struct Line<'a> {
    time: String,
    client: IpAddr,
    #[serde(skip_serializing_if = "Option::is_none")]
    server: Option<IpAddr>,
    transport: &'a str,
    #[serde(flatten)]
    asked: Option<Asked>,
    /// `NOERROR`, …; nothing when no reply was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    rcode: Option<String>,
    /// Header bits of the reply that are set.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    flags: Vec<&'a str>,
    /// Records in the answer section.
    answers: u16,
    /// Octets of the query and of the reply.
    octets: [usize; 2],
}

#[derive(Serialize)]
struct Asked {
    name: String,
    #[serde(rename = "type")]
    rtype: String,
    class: u16,
    edns: bool,
    dnssec: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    subnet: Option<String>,
}

impl QueryLog {
    pub(super) fn open(path: PathBuf) -> io::Result<Self> {
        let opened = open(&path).map_err(|error| {
            io::Error::new(error.kind(), format!("query log {}: {error}", path.display()))
        })?;
        let identity = identity(&opened.metadata()?);
        Ok(Self { path, file: opened, line: Vec::new(), identity, looked: Instant::now(), failing: false })
    }

    /// Opens the file anew if it is no longer the one at the path.
    fn follow(&mut self) -> io::Result<()> {
        if std::fs::metadata(&self.path).ok().and_then(|found| identity(&found)) == self.identity {
            return Ok(());
        }
        let opened = open(&self.path)?;
        self.identity = identity(&opened.metadata()?);
        self.file = opened;
        Ok(())
    }

    fn tell(&mut self, outcome: &io::Result<()>) {
        match outcome {
            Err(error) if !self.failing => {
                tracing::warn!(path = %self.path.display(), %error, "the query log cannot be written");
                self.failing = true;
            }
            Ok(()) if self.failing => {
                tracing::info!(path = %self.path.display(), "the query log is written again");
                self.failing = false;
            }
            _ => {}
        }
    }
}

impl Writer for QueryLog {
    fn write(&mut self, exchange: &Exchange) -> io::Result<()> {
        self.line.clear();
        serde_json::to_writer(&mut self.line, &line(exchange))?;
        self.line.push(b'\n');
        let written = self.file.write_all(&self.line);
        self.tell(&written);
        written
    }

    fn settle(&mut self) {
        if self.looked.elapsed() >= LOOK {
            self.looked = Instant::now();
            if let Err(error) = self.follow() {
                self.tell(&Err(error));
            }
        }
    }

    fn close(&mut self) {}
}

fn open(path: &std::path::Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

fn identity(found: &std::fs::Metadata) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt as _;
    Some((found.dev(), found.ino()))
}

fn line(exchange: &Exchange) -> Line<'_> {
    let reply = exchange.reply();
    let word = |at: usize| reply.get(at..at + 2).map_or(0, |two| u16::from_be_bytes([two[0], two[1]]));
    let flag = |bit: u16, name| (word(2) & bit != 0).then_some(name);
    Line {
        time: time(exchange.at),
        client: exchange.source,
        server: exchange.local,
        transport: match exchange.transport {
            Transport::Udp => "udp",
            Transport::Tcp => "tcp",
            Transport::Tls => "tls",
            Transport::Https => "https",
            Transport::Quic => "quic",
        },
        asked: asked(exchange.query()),
        rcode: exchange.sent.then(|| rcode(exchange.rcode)),
        flags: [flag(0x0400, "aa"), flag(0x0200, "tc"), flag(0x0100, "rd")].into_iter().flatten().collect(),
        answers: word(6),
        octets: [exchange.query().len(), reply.len()],
    }
}

fn asked(packet: &[u8]) -> Option<Asked> {
    let query = Query::parse(packet, &mut Folded::new()).ok()?;
    let edns = query.edns.as_ref();
    Some(Asked {
        name: Name::from_wire(query.question.name).ok()?.to_string(),
        rtype: Rtype(query.question.qtype).to_string(),
        class: query.question.qclass,
        edns: edns.is_some(),
        dnssec: edns.is_some_and(|edns| edns.dnssec_ok),
        subnet: edns
            .and_then(|edns| edns.subnet)
            .map(|subnet| format!("{}/{}", subnet.address, subnet.source)),
    })
}

/// RFC 3339, to the microsecond.
fn time(at: Duration) -> String {
    let seconds = i64::try_from(at.as_secs()).unwrap_or(i64::MAX);
    let nanoseconds = i32::try_from(at.subsec_micros() * 1_000).unwrap_or_default();
    jiff::Timestamp::new(seconds, nanoseconds).map(|time| format!("{time:.6}")).unwrap_or_default()
}

/// The mnemonic of those that are sent (RFC 6895 §2.3).
fn rcode(number: u16) -> String {
    let known = match number {
        0 => "NOERROR",
        1 => "FORMERR",
        2 => "SERVFAIL",
        3 => "NXDOMAIN",
        4 => "NOTIMP",
        5 => "REFUSED",
        6 => "YXDOMAIN",
        16 => "BADVERS",
        23 => "BADCOOKIE",
        _ => return format!("RCODE{number}"),
    };
    known.to_owned()
}

#[cfg(test)]
mod tests {
    use super::asked;

    #[test]
    fn what_is_asked_is_told_of_every_query() {
        let ask = |more: u8, rest: &[u8]| {
            let head = [0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, more];
            asked(&[&head[..], b"\x01a\0", &[0, 1, 0, 1], rest].concat()).map(|asked| asked.name)
        };
        let opt = [0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0];
        let tsig = [b"\x01k\0", &[0, 250, 0, 255, 0, 0, 0, 0, 0, 0][..]].concat();
        for (more, rest, told, why) in [
            (0, &[][..], true, "without more"),
            (1, &opt, true, "with an OPT"),
            (1, &tsig, true, "sealed"),
            (2, &[&opt[..], &tsig].concat(), true, "sealed, with an OPT"),
            (1, &tsig[..5], false, "cut short"),
        ] {
            assert_eq!(ask(more, rest), told.then(|| "a".to_owned()), "{why}");
        }
    }
}
