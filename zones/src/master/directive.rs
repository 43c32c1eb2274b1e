//! `$ORIGIN`, `$TTL` (RFC 2308 §4) and `$INCLUDE`; `$GENERATE` has its own
//! file.

use std::sync::Arc;

use super::entry::scan_ttl;
use super::{Fault, Frame, MAX_DEPTH, MAX_INCLUDES, Scanner, Which};
use crate::lexer::{ScanError, Token};
use crate::name::Name;

impl<'a> Scanner<'_, 'a> {
    /// Obeys the directive whose name is `token`.
    pub(super) fn directive(&mut self, token: Token<'_>, frame: &mut Frame<'_, 'a>) -> Result<(), Fault> {
        let which = token.text.to_ascii_uppercase();
        let done = match &*which {
            "$ORIGIN" => frame.set_origin(),
            "$TTL" => self.default_ttl(frame),
            "$INCLUDE" => self.include(token, frame),
            "$GENERATE" => return self.generate(token, frame),
            _ => Err(token.error("must be $ORIGIN, $TTL, $INCLUDE or $GENERATE")),
        };
        done.which(&which)
    }

    fn default_ttl(&mut self, frame: &mut Frame<'_, 'a>) -> Result<(), ScanError> {
        let token = frame.next("a TTL")?;
        self.default_ttl = Some(scan_ttl(token)?);
        frame.end()
    }

    fn include(&mut self, directive: Token<'_>, frame: &mut Frame<'_, 'a>) -> Result<(), ScanError> {
        let file = frame.next("a file")?;
        let origin = match frame.lexer.token()? {
            Some(token) => frame.name(token)?,
            None => frame.origin.clone(),
        };
        frame.end()?;
        if self.open.len() >= MAX_DEPTH {
            return Err(ScanError::new(directive.at, format!("must nest at most {MAX_DEPTH} deep")));
        }
        if self.sources.count() > MAX_INCLUDES {
            return Err(ScanError::new(directive.at, format!("must occur at most {MAX_INCLUDES} times")));
        }
        let read = self.zone.files.read(frame.source.path(), file.text);
        let (path, bytes) =
            read.map_err(|error| ScanError::new(file.at, format!("{}: {error}", file.text)))?;
        let path: Arc<str> = path.into();
        if let Some(first) = self.open.iter().position(|open| *open == path) {
            let chain: Vec<&str> = self.open[first..].iter().chain([&path]).map(|path| &**path).collect();
            return Err(ScanError::new(file.at, format!("must not include itself: {}", chain.join(" → "))));
        }
        let owner = self.owner;
        match self.sources.add(path, bytes.into()) {
            Ok(source) => self.file(&source, origin),
            Err((at, what)) => self.out.error(&at, &self.zone.apex.to_string(), "file", what),
        }
        self.owner = owner;
        Ok(())
    }
}

impl Frame<'_, '_> {
    fn set_origin(&mut self) -> Result<(), ScanError> {
        let token = self.next("a domain name")?;
        self.origin = self.name(token)?;
        self.end()
    }

    fn name(&self, token: Token<'_>) -> Result<Name, ScanError> {
        Name::scan(token.text, &self.origin).map_err(|error| token.wrong(error))
    }

    /// Nothing may follow.
    pub(super) fn end(&mut self) -> Result<(), ScanError> {
        match self.lexer.token()? {
            None => Ok(()),
            Some(token) => Err(token.error("the directive must end here")),
        }
    }
}
