//! What a field is scanned from and onto.

use crate::lexer::{Lexer, ScanError, Token};
use crate::name::Name;

/// The tokens left of an entry, and the wire form so far.
pub(crate) struct Input<'i, 't> {
    pub(crate) lexer: &'i mut Lexer<'t>,
    /// What relative names end in, in wire form.
    pub(crate) origin: &'i [u8],
    pub(crate) wire: &'i mut Vec<u8>,
}

impl<'t> Input<'_, 't> {
    /// The next token; `what` must stand there.
    pub(super) fn need(&mut self, what: &str) -> Result<Token<'t>, ScanError> {
        match self.lexer.token()? {
            Some(token) => Ok(token),
            None => Err(ScanError::new(self.lexer.end(), format!("ends too early: {what} must follow"))),
        }
    }

    /// The next token, or nothing at the end of the entry.
    pub(super) fn more(&mut self) -> Result<Option<Token<'t>>, ScanError> {
        self.lexer.token()
    }

    /// A name, relative to the origin.
    pub(super) fn name(&mut self) -> Result<(), ScanError> {
        let token = self.need("a domain name")?;
        self.name_of(token)
    }

    /// Names to the end of the entry; there may be none.
    pub(super) fn names(&mut self) -> Result<(), ScanError> {
        while let Some(token) = self.more()? {
            self.name_of(token)?;
        }
        Ok(())
    }

    fn name_of(&mut self, token: Token<'_>) -> Result<(), ScanError> {
        if token.quoted {
            return Err(token.wrong("a domain name must not stand in quotes"));
        }
        Name::scan_onto(self.wire, token.text, self.origin).map_err(|error| token.wrong(error))
    }

    /// Nothing may follow.
    pub(super) fn end(&mut self) -> Result<(), ScanError> {
        match self.lexer.token()? {
            None => Ok(()),
            Some(token) => Err(token.error("the record must end here")),
        }
    }
}
