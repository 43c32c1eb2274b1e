//! One entry: a blank line, a directive, or a record.

use super::source::Place;
use super::{Fault, Frame, MAX_RECORDS, MAX_TTL, Owner, Scanned, Scanner, Which};
use crate::lexer::{ScanError, Token};
use crate::name::{Name, NameRef};
use crate::rdata::{self, Input};
use crate::read::did_you_mean;
use crate::record::Rtype;
use crate::records::Full;

const FULL: &str = "is one record too many: the names and data of a zone have at most 2 GiB";

impl<'a> Scanner<'_, 'a> {
    pub(super) fn entry(&mut self, frame: &mut Frame<'_, 'a>) -> Result<(), Fault> {
        let inherits = frame.lexer.at_blank();
        let Some(first) = frame.lexer.token().which("text")? else { return Ok(()) };
        if !inherits && !first.quoted && first.text.starts_with('$') {
            return self.directive(first, frame);
        }
        let next = if inherits {
            first
        } else {
            self.own(first, &frame.origin).which("owner")?;
            frame.next("a record type").which("type")?
        };
        let header = frame.header(next)?;
        self.record(first.at, header, frame)
    }

    /// Makes the token's name the owner of this and of inheriting entries.
    pub(super) fn own(&mut self, token: Token<'_>, origin: &Name) -> Result<(), ScanError> {
        self.wire.clear();
        let scanned = match token.quoted {
            true => Err(token.wrong("a domain name must not stand in quotes")),
            false => Name::scan_onto(&mut self.wire, token.text, origin.as_wire())
                .map_err(|error| token.wrong(error)),
        };
        match self.owner {
            Owner::Some(owner)
                if scanned.is_ok() && self.scanned.records.name(owner).as_wire() == self.wire =>
            {
                return Ok(());
            }
            _ => self.owner = Owner::Refused,
        }
        scanned?;
        let name = NameRef::borrow(&self.wire).map_err(|error| token.wrong(error))?;
        if !name.is_within(self.zone.apex) {
            let what = format!("{name} must lie in the zone {}", self.zone.apex);
            return Err(ScanError::new(token.at, what));
        }
        let owner = self.scanned.records.own(name).map_err(|Full| token.wrong(FULL))?;
        self.owner = Owner::Some(owner);
        Ok(())
    }

    /// Scans the data of a record and keeps it.
    pub(super) fn record(
        &mut self,
        at: usize,
        (written, rtype): (Option<u32>, Rtype),
        frame: &mut Frame<'_, 'a>,
    ) -> Result<(), Fault> {
        self.wire.clear();
        let input = Input { lexer: &mut frame.lexer, origin: frame.origin.as_wire(), wire: &mut self.wire };
        let scanned = rdata::scan_onto(rtype, input).and_then(|()| {
            let place = frame.source.place(at);
            let ttl =
                self.ttl(written, rtype, place).ok_or("must have a TTL: write one here, or $TTL 1h above");
            ttl.and_then(|ttl| self.keep(rtype, ttl, place)).map_err(|what| ScanError::new(at, what))
        });
        scanned.map_err(|error| Fault::new(&rtype.to_string(), error))
    }

    /// The TTL of a record whose data is in `wire`.
    fn ttl(&mut self, written: Option<u32>, rtype: Rtype, at: Place) -> Option<u32> {
        if written.is_some() {
            self.last_ttl = written;
        }
        let known = written.or(self.default_ttl).or(self.last_ttl);
        if known.is_some() || rtype != Rtype::SOA {
            return known;
        }
        self.default_ttl = self.wire.last_chunk().map(|&minimum| u32::from_be_bytes(minimum).min(MAX_TTL));
        let what = "no TTL is written: the minimum is used for all records without one";
        self.out.warn(&self.sources.locate(at), &self.zone.apex.to_string(), "SOA", what);
        self.default_ttl
    }

    fn keep(&mut self, rtype: Rtype, ttl: u32, at: Place) -> Result<(), &'static str> {
        let owner = match self.owner {
            Owner::Some(owner) => owner,
            Owner::Refused => return Ok(()),
            Owner::None => return Err("must have an owner: no name stands before it"),
        };
        let Scanned { records, places } = &mut self.scanned;
        if records.len() >= MAX_RECORDS {
            return Err("is one record too many: a zone has at most 2^25");
        }
        records.push(owner, (rtype, ttl), &self.wire).map_err(|Full| FULL)?;
        places.push(at);
        Ok(())
    }
}

impl<'f, 'a> Frame<'f, 'a> {
    /// The next token; `what` must stand there.
    pub(super) fn next(&mut self, what: &str) -> Result<Token<'f>, ScanError> {
        let token = self.lexer.token()?;
        let early = || ScanError::new(self.lexer.end(), format!("ends too early: {what} must follow"));
        token.ok_or_else(early)
    }

    /// TTL and class in any order or absent, then the type.
    pub(super) fn header(&mut self, mut token: Token<'f>) -> Result<(Option<u32>, Rtype), Fault> {
        let (mut ttl, mut class) = (None, false);
        loop {
            if token.quoted {
                return Err(token.wrong("a type, class or TTL must not stand in quotes")).which("type");
            }
            if ttl.is_none() && token.text.starts_with(|first: char| first.is_ascii_digit()) {
                ttl = Some(scan_ttl(token).which("ttl")?);
            } else if !class && is_class(token).which("class")? {
                class = true;
            } else {
                return Ok((ttl, rtype(token)?));
            }
            token = self.next("a record type").which("type")?;
        }
    }
}

pub(super) fn scan_ttl(token: Token<'_>) -> Result<u32, ScanError> {
    let ttl = rdata::scan_seconds(token.text).filter(|&ttl| ttl <= MAX_TTL);
    ttl.ok_or_else(|| token.error("must be a TTL such as 3600 or 1h30m, at most 2147483647"))
}

/// Whether the token is the class IN; the others are refused.
fn is_class(token: Token<'_>) -> Result<bool, ScanError> {
    let is = |text: &str| token.text.eq_ignore_ascii_case(text);
    let other = ["CH", "HS", "CS"].into_iter().any(is)
        || token.text.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("CLASS"));
    match is("IN") || is("CLASS1") {
        true => Ok(true),
        false if other => Err(token.error("the class must be IN")),
        false => Ok(false),
    }
}

fn rtype(token: Token<'_>) -> Result<Rtype, Fault> {
    let scanned = token.text.parse::<Rtype>().ok();
    let what = match scanned {
        Some(rtype) if rtype.is_data() => return Ok(rtype),
        Some(_) => "must be a type that a zone can hold",
        None => "must be a record type such as AAAA or TYPE65280",
    };
    let hint = if scanned.is_none() { did_you_mean(token.text, rdata::mnemonics()) } else { None };
    Err(Fault { which: "type".to_owned(), error: token.error(what), hint })
}
