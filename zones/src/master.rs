//! RFC 1035 §5 master files: text → records.
//!
//! [`scan`] reads a file and all it includes, entry by entry. A fault costs
//! its entry: it is reported with line and column, the rest of the entry is
//! skipped, and scanning goes on, so that one run shows all mistakes.
//!
//! Where the RFCs leave room, BIND is followed, because that is what
//! operators' files are written for: a record without TTL takes `$TTL`, else
//! the last TTL written, else the SOA's minimum; after an `$INCLUDE` origin
//! and owner are as before it, while a `$TTL` inside it stays. Unlike BIND, a
//! record outside the zone is an error, not ignored.
//!
//! A file may hold a million records, so a record costs no allocation (see
//! [`Records`]) and its place one word: see [`Sources`].
//!
//! **Invariant:** time and memory are bounded by the limits below, whatever
//! the bytes; nothing panics.

mod directive;
mod entry;
mod generate;
mod source;
#[cfg(test)]
mod tests;

use std::rc::Rc;
use std::sync::Arc;

pub(crate) use source::{Place, Sources};

use crate::diagnostic::Diagnostics;
use crate::lexer::{Lexer, ScanError};
use crate::name::Name;
use crate::records::{self, Records};
use crate::zone::ZoneSource;
use source::Source;

/// Bytes of a file and all it includes: ten million names at 60 bytes a line
/// are 0.6 GiB; places must fit 32 bits.
const MAX_BYTES: usize = 1 << 30;
/// Records of a zone; each takes about 50 bytes.
const MAX_RECORDS: usize = 1 << 25;
/// Files open at a time; real zones nest two or three deep.
const MAX_DEPTH: usize = 16;
/// Files included in all; bounds empty ones, which no other limit counts.
const MAX_INCLUDES: usize = 10_000;
/// Records from `$GENERATE`: the reverse names of a /12. A larger range
/// belongs in a file that somebody can read.
const MAX_GENERATED: u64 = 1 << 20;
/// Mistakes after which the rest is not read: their number then says more
/// than they do, and the last of [`Diagnostics::MAX`] can say so.
const MAX_FAULTS: usize = Diagnostics::MAX - 1;
/// Longest TTL (RFC 2181 §8).
const MAX_TTL: u32 = (1 << 31) - 1;

/// Records in the order of the file, and where each stands.
#[derive(Default)]
pub(crate) struct Scanned {
    pub(crate) records: Records,
    pub(crate) places: Vec<Place>,
}

/// Scans the file of a zone and all it includes; mistakes go to `out`.
pub(crate) fn scan<'a>(zone: &ZoneSource<'a>, out: &mut Diagnostics) -> (Scanned, Sources<'a>) {
    let mut scanner = Scanner {
        zone: *zone,
        out,
        scanned: Scanned::default(),
        sources: Sources::default(),
        open: Vec::new(),
        owner: Owner::None,
        default_ttl: None,
        last_ttl: None,
        generated: 0,
        wire: Vec::new(),
    };
    let path: Arc<str> = zone.path.into();
    match scanner.sources.add(path, zone.bytes.into()) {
        Ok(source) => scanner.file(&source, zone.apex.clone()),
        Err((at, what)) => scanner.out.error(&at, &zone.apex.to_string(), "file", what),
    }
    (scanner.scanned, scanner.sources)
}

/// The state that entries hand on.
struct Scanner<'s, 'a> {
    zone: ZoneSource<'a>,
    out: &'s mut Diagnostics,
    scanned: Scanned,
    sources: Sources<'a>,
    /// Resolved paths of the files that include each other just now.
    open: Vec<Arc<str>>,
    owner: Owner,
    /// From `$TTL` or the SOA's minimum.
    default_ttl: Option<u32>,
    /// The last one written.
    last_ttl: Option<u32>,
    generated: u64,
    /// Scratch for names and data.
    wire: Vec<u8>,
}

/// Whom an entry without an owner inherits.
#[derive(Clone, Copy)]
enum Owner {
    /// Nobody yet.
    None,
    /// Somebody whose name was reported: entries are scanned, not kept.
    Refused,
    /// This name, which lies in the zone.
    Some(records::Owner),
}

/// A mistake in an entry.
struct Fault {
    which: String,
    error: ScanError,
    hint: Option<String>,
}

impl Fault {
    fn new(which: &str, error: ScanError) -> Self {
        Self { which: which.to_owned(), error, hint: None }
    }
}

/// Says which part of an entry a mistake is in.
trait Which<T> {
    fn which(self, which: &str) -> Result<T, Fault>;
}

impl<T> Which<T> for Result<T, ScanError> {
    fn which(self, which: &str) -> Result<T, Fault> {
        self.map_err(|error| Fault::new(which, error))
    }
}

/// A file being scanned.
struct Frame<'f, 'a> {
    source: &'f Source<'a>,
    lexer: Lexer<'f>,
    origin: Name,
}

impl<'a> Scanner<'_, 'a> {
    fn file(&mut self, source: &Rc<Source<'a>>, origin: Name) {
        self.open.push(Arc::clone(source.path()));
        let mut frame = Frame { source, lexer: Lexer::new(source.text()), origin };
        loop {
            if let Err(fault) = self.entry(&mut frame) {
                self.report(source, fault);
                self.skip(&mut frame);
            }
            if self.out.errors() > MAX_FAULTS || !frame.lexer.next_entry() {
                break;
            }
        }
        self.open.pop();
    }

    fn report(&mut self, source: &Source<'_>, Fault { which, error, hint }: Fault) {
        match self.out.errors() {
            ..MAX_FAULTS => {}
            MAX_FAULTS => {
                let what = "too many mistakes: the rest is not read";
                let at = source.locate(error.at);
                return self.out.error(&at, &self.zone.apex.to_string(), "file", what);
            }
            _ => return,
        }
        let who = match self.owner {
            Owner::Some(owner) => self.scanned.records.name(owner),
            _ => self.zone.apex.view(),
        };
        self.out.hinted(&source.locate(error.at), [&who.to_string(), &which], error.what, hint);
    }

    /// Goes to the end of an entry; what is wrong with its tokens is new.
    fn skip(&mut self, frame: &mut Frame<'_, 'a>) {
        loop {
            match frame.lexer.token() {
                Ok(Some(_)) => {}
                Ok(None) => return,
                Err(error) => self.report(frame.source, Fault::new("text", error)),
            }
        }
    }
}
