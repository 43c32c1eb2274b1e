//! The texts of a zone, and places in them as one number.
//!
//! A record remembers where it stands while the zone is checked: over all
//! files, bytes are numbered on, so a place is one `u32`. Lines are counted
//! when the first place of a file is asked for, that is when something is
//! wrong with it.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::rc::Rc;
use std::sync::Arc;

use super::MAX_BYTES;
use crate::diagnostic::Location;

/// Longest stretch of a line, in bytes, over which a column is counted;
/// beyond it only the line is given. Many mistakes on one huge line would
/// else cost the square of its length.
const MAX_COLUMN: usize = 1 << 16;

/// A place in the texts of a zone.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Place(u32);

impl Place {
    /// Of what no file says.
    pub(crate) const NOWHERE: Self = Self(u32::MAX);
}

/// All files read for a zone, the first the zone's own.
#[derive(Default)]
pub(crate) struct Sources<'a> {
    list: Vec<Rc<Source<'a>>>,
    bytes: usize,
}

impl<'a> Sources<'a> {
    /// Takes a file in.
    ///
    /// # Errors
    /// When it is no UTF-8 text, or all files together are too large.
    pub(super) fn add(
        &mut self,
        path: Arc<str>,
        bytes: Cow<'a, [u8]>,
    ) -> Result<Rc<Source<'a>>, (Location, String)> {
        let whole = Location { file: Arc::clone(&path), line: 0, column: 0 };
        // One more than its bytes: its end is a place too.
        let start = u32::try_from(self.bytes).unwrap_or(u32::MAX);
        self.bytes = self.bytes.saturating_add(bytes.len() + 1);
        if self.bytes > MAX_BYTES {
            return Err((whole, format!("a zone's files must be at most {MAX_BYTES} bytes together")));
        }
        let text = text(bytes).map_err(|bytes| not_utf8(&bytes, &whole))?;
        let source = Rc::new(Source { path, text, start, lines: OnceCell::new() });
        self.list.push(Rc::clone(&source));
        Ok(source)
    }

    pub(super) fn count(&self) -> usize {
        self.list.len()
    }

    /// File, line and column of a place.
    pub(crate) fn locate(&self, Place(place): Place) -> Location {
        let after = self.list.partition_point(|source| source.start <= place);
        match self.list.get(after.wrapping_sub(1)) {
            Some(source) if place != Place::NOWHERE.0 => source.locate((place - source.start) as usize),
            _ => self.whole(),
        }
    }

    /// The zone's own file as a whole.
    pub(crate) fn whole(&self) -> Location {
        let file = self.list.first().map_or_else(|| "".into(), |source| Arc::clone(&source.path));
        Location { file, line: 0, column: 0 }
    }
}

/// The text of one file.
pub(super) struct Source<'a> {
    path: Arc<str>,
    text: Cow<'a, str>,
    start: u32,
    /// Where each line starts.
    lines: OnceCell<Vec<usize>>,
}

impl Source<'_> {
    pub(super) fn path(&self) -> &Arc<str> {
        &self.path
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The place of a byte of this file.
    pub(super) fn place(&self, at: usize) -> Place {
        Place(u32::try_from(at).map_or(u32::MAX, |at| self.start.saturating_add(at)))
    }

    /// File, line and column of a byte.
    pub(super) fn locate(&self, at: usize) -> Location {
        let lines = self.lines.get_or_init(|| {
            let ends = self.text.bytes().enumerate().filter(|&(_, byte)| byte == b'\n');
            std::iter::once(0).chain(ends.map(|(end, _)| end + 1)).collect()
        });
        let line = lines.partition_point(|&start| start <= at);
        let start = lines.get(line.wrapping_sub(1)).copied().unwrap_or_default();
        let before = self.text.get(start..at).filter(|before| before.len() <= MAX_COLUMN);
        let column = before.map_or(0, |before| before.chars().count() + 1);
        let [line, column] = [line, column].map(|count| u32::try_from(count).unwrap_or(u32::MAX));
        Location { file: Arc::clone(&self.path), line, column }
    }
}

/// Bytes as text, without the mark that some editors put in front.
fn text(bytes: Cow<'_, [u8]>) -> Result<Cow<'_, str>, Cow<'_, [u8]>> {
    const MARK: &str = "\u{feff}";
    match bytes {
        Cow::Borrowed(bytes) => {
            let text = std::str::from_utf8(bytes).map_err(|_| Cow::Borrowed(bytes))?;
            Ok(Cow::Borrowed(text.strip_prefix(MARK).unwrap_or(text)))
        }
        Cow::Owned(bytes) => {
            let mut text = String::from_utf8(bytes).map_err(|error| Cow::Owned(error.into_bytes()))?;
            if text.starts_with(MARK) {
                text.drain(..MARK.len());
            }
            Ok(Cow::Owned(text))
        }
    }
}

fn not_utf8(bytes: &[u8], whole: &Location) -> (Location, String) {
    let valid = std::str::from_utf8(bytes).map_or_else(|error| error.valid_up_to(), str::len);
    let line = 1 + bytes[..valid].iter().filter(|&&byte| byte == b'\n').count();
    let start = bytes[..valid].iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
    let column = 1 + String::from_utf8_lossy(&bytes[start..valid]).chars().count();
    let [line, column] = [line, column].map(|count| u32::try_from(count).unwrap_or(u32::MAX));
    let byte = bytes.get(valid).copied().unwrap_or_default();
    let what = format!("must be UTF-8 text, and the byte 0x{byte:02X} is not; nothing of this file is read");
    (Location { line, column, ..whole.clone() }, what)
}
