//! Record data: text ↔ wire, and the names inside it.
//!
//! Every type is a row of [`table`]: its fields. [`scan`] turns text into
//! uncompressed wire form, [`display`] is its inverse, [`names`] tells a
//! composer of answers which names it may compress and whose addresses it
//! should add. Wire form is what zones keep: it is what answers carry.
//!
//! Data of any type, known or not, may be written as RFC 3597 `\# LENGTH HEX`.
//! For a known type it must still be data of that type: a record that cannot
//! be displayed, compressed or signed is a mistake to find at load.
//!
//! Own code rather than a library's: no library at hand knows all types that
//! operators' zone files hold *and* says in which token a mistake stands.
//!
//! **Invariant:** for all data that [`scan`] yields, [`display`] gives text
//! that scans to the same bytes; no input panics.

mod address_prefixes;
mod codec;
mod display;
mod gateway;
mod input;
mod location;
mod parameters;
mod scan;
mod table;
#[cfg(test)]
mod tests;
mod text;
mod time;
mod types;
mod wire;

use std::borrow::Cow;
use std::cmp::Ordering;
use std::ops::Range;

pub use codec::{scan_base64, to_base64};
pub(crate) use input::Input;
pub(crate) use text::number;
pub(crate) use time::scan_seconds;
pub use time::{display_time, scan_time};

use crate::lexer::{Lexer, ScanError};
use crate::name::Name;
use crate::record::Rtype;
use table::Field;

/// Longest record data (RFC 1035 §3.2.1: RDLENGTH has 16 bits).
pub const MAX_RDATA: usize = 65_535;

/// The mnemonic of a type, if it has one.
pub(crate) fn mnemonic(rtype: Rtype) -> Option<&'static str> {
    table::by_number(rtype.0).map(|row| row.mnemonic)
}

/// All mnemonics, by number.
pub(crate) fn mnemonics() -> impl Iterator<Item = &'static str> {
    table::ROWS.iter().map(|row| row.mnemonic)
}

/// The type of a mnemonic or of `TYPE` and a number (RFC 3597 §5).
pub(crate) fn by_mnemonic(text: &str) -> Option<Rtype> {
    let known = table::by_mnemonic(text).map(|row| row.number);
    let generic = || number(text.get(4..).filter(|_| text[..4].eq_ignore_ascii_case("TYPE"))?);
    known.or_else(generic).map(Rtype)
}

/// A name inside record data.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EmbeddedName {
    /// Where its uncompressed wire form stands in the data.
    pub range: Range<usize>,
    /// Whether it may be compressed: only in types of RFC 1035 (RFC 3597 §4).
    pub compressible: bool,
    /// Whether its addresses belong in the additional section: NS, MX, SRV,
    /// AFSDB, RT, KX, SVCB, HTTPS. In the last two `.` stands for the owner
    /// (RFC 9460 §2.5).
    pub additional: bool,
}

/// Scans the data of one record as a zone file writes it.
///
/// # Errors
/// Where `text` is no data of this type.
pub fn scan(rtype: Rtype, text: &str, origin: &Name) -> Result<Vec<u8>, ScanError> {
    let mut lexer = Lexer::new(text);
    let mut wire = Vec::new();
    scan_onto(rtype, Input { lexer: &mut lexer, origin: origin.as_wire(), wire: &mut wire })?;
    match lexer.next_entry() {
        true => Err(ScanError::new(lexer.end(), "must be the data of one record")),
        false => Ok(wire),
    }
}

/// As [`scan`], from the tokens that are left of an entry.
pub(crate) fn scan_onto(rtype: Rtype, mut input: Input<'_, '_>) -> Result<(), ScanError> {
    let start = input.lexer.end();
    scan::fields(rtype, &mut input)?;
    if input.wire.len() > MAX_RDATA {
        return Err(ScanError::new(start, format!("data must be at most {MAX_RDATA} bytes")));
    }
    input.end()
}

/// Record data in presentation form, names absolute; RFC 3597 form where the
/// type is unknown or the data does not fit it.
#[must_use]
pub fn display(rtype: Rtype, rdata: &[u8]) -> String {
    display::rdata(rtype, rdata).unwrap_or_else(|| display::opaque(rdata))
}

/// The names inside record data that a composer must know of; none where the
/// type is unknown or the data does not fit it.
#[must_use]
pub fn names(rtype: Rtype, rdata: &[u8]) -> Vec<EmbeddedName> {
    let mut found = Vec::new();
    let fits = wire::walk(rtype.0, rdata, |field, range| {
        if let Field::Name(kind) = field {
            found.push(EmbeddedName { range, compressible: kind.compressible, additional: kind.additional });
        }
    });
    if fits.is_some() { found } else { Vec::new() }
}

/// Whether the bytes are data of this type; any are of an unknown one.
#[must_use]
pub fn fits(rtype: Rtype, rdata: &[u8]) -> bool {
    rdata.len() <= MAX_RDATA && wire::walk(rtype.0, rdata, |_, _| {}).is_some()
}

/// Record data in canonical form: names in lower case in the types of RFC
/// 4034 §6.2 as RFC 6840 §5.1 corrects it, and nowhere else.
#[must_use]
pub fn canonical(rtype: Rtype, rdata: &[u8]) -> Cow<'_, [u8]> {
    let mut canonical = Cow::Borrowed(rdata);
    let fits = wire::walk(rtype.0, rdata, |field, range| {
        if matches!(field, Field::Name(kind) if kind.folded)
            && rdata[range.clone()].iter().any(u8::is_ascii_uppercase)
        {
            canonical.to_mut()[range].make_ascii_lowercase();
        }
    });
    if fits.is_some() { canonical } else { Cow::Borrowed(rdata) }
}

/// The canonical order of data within an RRset (RFC 4034 §6.3); equal data
/// is one record.
#[must_use]
pub fn compare(rtype: Rtype, a: &[u8], b: &[u8]) -> Ordering {
    if a == b { Ordering::Equal } else { canonical(rtype, a).cmp(&canonical(rtype, b)) }
}
