//! Tokens of RFC 1035 §5.1 text.
//!
//! [`Lexer`] cuts text into entries and entries into tokens, one at a time:
//! nothing is collected, so an entry costs no memory however long it is.
//! Comments, line ends inside parentheses and the parentheses themselves
//! vanish here; escapes stay, because only a field knows whether `\.` is a
//! dot inside a label or a byte of a string.
//!
//! Parentheses may nest and quotes end on their line, as in BIND. A quote in
//! the middle of a word starts a new token, except where the caller asks for
//! `key="value"` in one piece (RFC 9460 §2.1).
//!
//! **Invariant:** tokens start and end at ASCII bytes, so slices never cut a
//! character; a fault never stops progress.

use std::fmt::Display;

/// A piece of text and where it starts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Token<'a> {
    /// Without its quotes, escapes kept.
    pub(crate) text: &'a str,
    /// Byte offset of its first byte, or of its opening quote.
    pub(crate) at: usize,
    /// Whether it stood in quotes.
    pub(crate) quoted: bool,
}

/// What is wrong with a text, and where.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{what}")]
pub struct ScanError {
    /// Byte offset into the text.
    pub at: usize,
    /// What must hold.
    pub what: String,
}

impl ScanError {
    pub(crate) fn new(at: usize, what: impl Into<String>) -> Self {
        Self { at, what: what.into() }
    }
}

impl Token<'_> {
    /// Longest piece of a token that a message repeats, in characters.
    const SHOWN: usize = 40;

    /// `what` must stand here, and this token does.
    pub(crate) fn error(&self, what: impl Display) -> ScanError {
        ScanError::new(self.at, format!("{what}, not {}", self.shown()))
    }

    /// `what` must hold of this token, and does not.
    pub(crate) fn wrong(&self, what: impl Display) -> ScanError {
        ScanError::new(self.at, format!("{}: {what}", self.shown()))
    }

    fn shown(&self) -> String {
        match self.text.char_indices().nth(Self::SHOWN) {
            Some((end, _)) => format!("\"{}…\"", &self.text[..end]),
            None => format!("\"{}\"", self.text),
        }
    }
}

/// Cuts text into tokens.
#[derive(Clone, Debug)]
pub(crate) struct Lexer<'a> {
    text: &'a str,
    at: usize,
    /// End of the last token.
    end: usize,
    depth: u32,
    /// The outermost open parenthesis.
    open: usize,
}

impl<'a> Lexer<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, at: 0, end: 0, depth: 0, open: 0 }
    }

    /// Where the last token ended.
    pub(crate) fn end(&self) -> usize {
        self.end
    }

    /// Whether a blank comes next: at the start of a line, that its owner is
    /// the last one.
    pub(crate) fn at_blank(&self) -> bool {
        matches!(self.text.as_bytes().get(self.at), Some(b' ' | b'\t'))
    }

    /// Steps over the line end that ended an entry; false at the end of text.
    pub(crate) fn next_entry(&mut self) -> bool {
        self.at += 1;
        self.end = self.at;
        self.at < self.text.len()
    }

    /// The next token of this entry, or nothing at its end.
    ///
    /// # Errors
    /// At a stray or open parenthesis, an open quote and a stray carriage
    /// return; the next call goes on behind it.
    pub(crate) fn token(&mut self) -> Result<Option<Token<'a>>, ScanError> {
        self.next(false)
    }

    /// As [`Lexer::token`], but `key="value"` is one token.
    pub(crate) fn pair(&mut self) -> Result<Option<Token<'a>>, ScanError> {
        self.next(true)
    }

    /// The next token of this entry if it is `want`, unquoted; else it is left.
    ///
    /// # Errors
    /// As [`Lexer::token`].
    pub(crate) fn take_if(&mut self, want: &str) -> Result<Option<Token<'a>>, ScanError> {
        let here = self.clone();
        match self.token()? {
            Some(token) if token.text == want && !token.quoted => Ok(Some(token)),
            _ => {
                *self = here;
                Ok(None)
            }
        }
    }

    fn next(&mut self, pair: bool) -> Result<Option<Token<'a>>, ScanError> {
        let bytes = self.text.as_bytes();
        loop {
            match bytes.get(self.at) {
                Some(b' ' | b'\t') => self.at += 1,
                Some(b'\r') => {
                    self.at += 1;
                    if !matches!(bytes.get(self.at), Some(b'\n') | None) {
                        return Err(ScanError::new(
                            self.at - 1,
                            "a carriage return must stand before a line end",
                        ));
                    }
                }
                Some(b'\n') if self.depth > 0 => self.at += 1,
                None if self.depth > 0 => {
                    self.depth = 0;
                    return Err(ScanError::new(self.open, "this parenthesis must be closed"));
                }
                Some(b'\n') | None => return Ok(None),
                Some(b';') => self.at = line_end(bytes, self.at),
                Some(b'(') => {
                    if self.depth == 0 {
                        self.open = self.at;
                    }
                    self.depth = self.depth.saturating_add(1);
                    self.at += 1;
                }
                Some(b')') => {
                    self.at += 1;
                    let outer = self.depth.checked_sub(1);
                    self.depth =
                        outer.ok_or_else(|| ScanError::new(self.at - 1, "no parenthesis is open"))?;
                }
                Some(&byte) => {
                    let token = if byte == b'"' { self.quoted()? } else { self.word(pair)? };
                    self.end = self.at;
                    return Ok(Some(token));
                }
            }
        }
    }

    fn quoted(&mut self) -> Result<Token<'a>, ScanError> {
        let at = self.at;
        self.at = quote_end(self.text.as_bytes(), at).map_err(|end| {
            self.at = end;
            ScanError::new(at, "a quoted string must end on its line")
        })?;
        Ok(Token { text: &self.text[at + 1..self.at - 1], at, quoted: true })
    }

    fn word(&mut self, pair: bool) -> Result<Token<'a>, ScanError> {
        let (bytes, start) = (self.text.as_bytes(), self.at);
        let mut at = start;
        while let Some(&byte) = bytes.get(at) {
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' | b';' | b'(' | b')' => break,
                b'"' if pair && bytes[at - 1] == b'=' => {
                    at = quote_end(bytes, at).map_err(|end| {
                        self.at = end;
                        ScanError::new(at, "a quoted string must end on its line")
                    })?;
                }
                b'"' => break,
                b'\\' if bytes.get(at + 1).is_some_and(|&next| next != b'\n') => at += 2,
                _ => at += 1,
            }
        }
        self.at = at;
        Ok(Token { text: &self.text[start..at], at: start, quoted: false })
    }
}

/// Behind the quote that closes the one at `open`, or the end of its line.
fn quote_end(bytes: &[u8], open: usize) -> Result<usize, usize> {
    let mut at = open + 1;
    loop {
        match bytes.get(at) {
            Some(b'"') => return Ok(at + 1),
            Some(b'\n') | None => return Err(at),
            Some(b'\\') if bytes.get(at + 1).is_some_and(|&next| next != b'\n') => at += 2,
            Some(_) => at += 1,
        }
    }
}

fn line_end(bytes: &[u8], from: usize) -> usize {
    bytes[from..].iter().position(|&byte| byte == b'\n').map_or(bytes.len(), |length| from + length)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tokens with `|` between them, entries with `/`, faults as `!offset`.
    fn shown(text: &str) -> String {
        let mut lexer = Lexer::new(text);
        let mut entries = Vec::new();
        loop {
            let mut tokens = Vec::new();
            loop {
                match lexer.pair() {
                    Ok(Some(token)) if token.quoted => tokens.push(format!("\"{}\"", token.text)),
                    Ok(Some(token)) => tokens.push(token.text.to_owned()),
                    Ok(None) => break,
                    Err(fault) => tokens.push(format!("!{}", fault.at)),
                }
            }
            entries.push(tokens.join("|"));
            if !lexer.next_entry() {
                return entries.join("/");
            }
        }
    }

    #[test]
    fn tokens() {
        let rows = [
            ("a  b\tc", "a|b|c", "blanks part"),
            ("a\nb\n", "a/b", "a final newline ends an entry, it starts none"),
            ("a\r\nb ( \r\n c )", "a/b|c", "CRLF"),
            ("a\rb c", "a|!1|b|c", "CR alone"),
            ("a ; b ( \" \nc", "a/c", "a comment hides all"),
            ("a ( b ; x\n c ) d\ne", "a|b|c|d/e", "parentheses span lines"),
            ("a (( b\n) c\n) d", "a|b|c|d", "they nest"),
            ("a(b)c", "a|b|c", "they part"),
            ("a ) b", "a|!2|b", "a stray one"),
            ("a ( b\nc", "a|b|c|!2", "an open one is reported where it opens"),
            (r#""a ; (b" c"#, r#""a ; (b"|c"#, "quotes hide all"),
            (r#"a"b"c"#, r#"a|"b"|c"#, "quotes part"),
            (r#"k="a b" c"#, r#"k="a b"|c"#, "but not after ="),
            (r#""a\"b" \"c"#, r#""a\"b"|\"c"#, "escaped quotes are text"),
            (r"a\ b\;c\(", r"a\ b\;c\(", "escaped specials are text"),
            ("a \"b\nc", "a|!2/c", "an open quote ends with its line"),
            ("k=\"b\nc", "!2/c", "so does one inside a pair"),
            ("a\\\nb", "a\\/b", "a line end cannot be escaped"),
            ("\\é é", "\\é|é", "characters stay whole"),
            ("", "", "nothing"),
        ];
        for (text, want, why) in rows {
            assert_eq!(shown(text), want, "{text:?}: {why}");
        }
    }
}
