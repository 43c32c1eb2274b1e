//! Domain names in wire form.
//!
//! A [`Name`] holds the uncompressed wire form (RFC 1035 §3.1) with the case
//! its author wrote; comparison, hashing and order ignore ASCII case, and the
//! order is the canonical one of RFC 4034 §6.1, so a sorted list of names is
//! also a walk of the tree and an NSEC chain.
//!
//! Wire form rather than a list of labels: it is what look-ups hash, what
//! answers carry, and one allocation. A [`NameRef`] is the same without any:
//! the wire form lies in a zone's or a message's bytes.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// An absolute domain name; `W` holds its wire form.
#[derive(Clone, Copy)]
pub struct Name<W = Arc<[u8]>>(W);

/// A name whose wire form is borrowed.
pub type NameRef<'a> = Name<&'a [u8]>;

impl<'a> NameRef<'a> {
    /// Takes an uncompressed wire name that fills `wire` exactly.
    ///
    /// # Errors
    /// When a label runs past the end, is a pointer, or the whole is too long.
    pub fn borrow(wire: &'a [u8]) -> Result<Self, NameError> {
        let mut rest = wire;
        loop {
            match rest.split_first() {
                Some((0, [])) if wire.len() <= Name::MAX_WIRE => return Ok(Self(wire)),
                Some((&length, tail)) if (1..=63).contains(&length) => {
                    rest = tail.get(usize::from(length)..).ok_or(NameError::Wire)?;
                }
                Some((0, [])) => return Err(NameError::TooLong),
                _ => return Err(NameError::Wire),
            }
        }
    }

    /// What was a name when it was borrowed first.
    pub(crate) const fn known(wire: &'a [u8]) -> Self {
        Self(wire)
    }

    /// Its wire form, for as long as it is borrowed.
    #[must_use]
    pub const fn wire(self) -> &'a [u8] {
        self.0
    }
}

impl Name {
    /// Longest wire form, root label included (RFC 1035 §2.3.4).
    pub const MAX_WIRE: usize = 255;
    /// Longest label (RFC 1035 §2.3.4).
    pub const MAX_LABEL: usize = 63;

    /// The root.
    #[must_use]
    pub fn root() -> Self {
        Self(Arc::from(&[0u8][..]))
    }

    /// Takes an uncompressed wire name that fills `wire` exactly.
    ///
    /// # Errors
    /// When a label runs past the end, is a pointer, or the whole is too long.
    pub fn from_wire(wire: &[u8]) -> Result<Self, NameError> {
        NameRef::borrow(wire).map(|name| name.to_name())
    }

    /// Scans presentation form. Without a final dot the name is relative to
    /// `origin`, as in a zone file; `@` is the origin itself. `\.`, `\X` and
    /// `\DDD` escape (RFC 1035 §5.1). Non-ASCII text is refused: the DNS
    /// carries A-labels (RFC 5890).
    ///
    /// # Errors
    /// When the text is no name: see [`NameError`].
    pub fn scan(text: &str, origin: &Self) -> Result<Self, NameError> {
        let mut wire = Vec::with_capacity(Self::MAX_WIRE.min(text.len() + 1 + origin.0.len()));
        Self::scan_onto(&mut wire, text, &origin.0)?;
        Ok(Self(Arc::from(wire)))
    }

    /// As [`Name::scan`], appending the wire form to `wire`: zone files hold
    /// millions of names, most of them inside other data. After an error what
    /// was appended is no name.
    pub(crate) fn scan_onto(wire: &mut Vec<u8>, text: &str, origin: &[u8]) -> Result<(), NameError> {
        if text.is_empty() {
            return Err(NameError::Empty);
        }
        if let "@" | "." = text {
            wire.extend_from_slice(if text == "@" { origin } else { &[0] });
            return Ok(());
        }
        let start = wire.len();
        let mut head = start;
        wire.push(0);
        let mut bytes = text.bytes();
        while let Some(byte) = bytes.next() {
            match byte {
                b'.' => {
                    close_label(wire, head)?;
                    head = wire.len();
                    wire.push(0);
                }
                b'\\' => wire.push(unescape(&mut bytes)?),
                0x80.. => return Err(NameError::NotAscii),
                _ => wire.push(byte),
            }
        }
        // After a final dot the label just opened is the root's.
        if wire.len() > head + 1 {
            close_label(wire, head)?;
            wire.extend_from_slice(origin);
        }
        if wire.len() - start > Self::MAX_WIRE { Err(NameError::TooLong) } else { Ok(()) }
    }

    /// Scans a name that is absolute with or without its final dot, as in
    /// policy files.
    ///
    /// # Errors
    /// As [`Name::scan`].
    pub fn scan_absolute(text: &str) -> Result<Self, NameError> {
        if text == "@" { Err(NameError::Empty) } else { Self::scan(text, &Self::root()) }
    }
}

impl<W: AsRef<[u8]>> Name<W> {
    /// Its wire form.
    #[must_use]
    pub fn as_wire(&self) -> &[u8] {
        self.0.as_ref()
    }

    /// The same name, borrowed.
    #[must_use]
    pub fn view(&self) -> NameRef<'_> {
        Name(self.as_wire())
    }

    /// The same name on its own.
    #[must_use]
    pub fn to_name(&self) -> Name {
        Name(Arc::from(self.as_wire()))
    }

    /// Its wire form in lower case: the key of look-ups.
    #[must_use]
    pub fn folded(&self) -> Vec<u8> {
        self.as_wire().to_ascii_lowercase()
    }

    /// Its labels from the left, without the root's.
    pub fn labels(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = self.as_wire();
        std::iter::from_fn(move || {
            let (&length, tail) = rest.split_first()?;
            let (label, after) = tail.split_at_checked(usize::from(length))?;
            rest = after;
            (length > 0).then_some(label)
        })
    }

    /// The name without its first label; nothing for the root.
    #[must_use]
    pub fn parent(&self) -> Option<Name> {
        let wire = self.as_wire();
        let length = usize::from(wire[0]);
        (length > 0).then(|| Name(Arc::from(&wire[length + 1..])))
    }

    /// Whether it is `ancestor` or lies below it.
    #[must_use]
    pub fn is_within<V: AsRef<[u8]>>(&self, ancestor: &Name<V>) -> bool {
        let (wire, ancestor) = (self.as_wire(), ancestor.as_wire());
        let Some(start) = wire.len().checked_sub(ancestor.len()) else { return false };
        let mut at = 0;
        while at < start {
            at += usize::from(wire[at]) + 1;
        }
        at == start && wire[start..].eq_ignore_ascii_case(ancestor)
    }

    /// Whether its first label is `*` (RFC 4592).
    #[must_use]
    pub fn is_wildcard(&self) -> bool {
        self.as_wire().starts_with(b"\x01*")
    }

    /// `label` in front of this name.
    ///
    /// # Errors
    /// When the label or the result is too long.
    pub fn child(&self, label: &[u8]) -> Result<Name, NameError> {
        let mut wire = Vec::with_capacity(label.len() + 1 + self.as_wire().len());
        wire.push(0);
        wire.extend_from_slice(label);
        close_label(&mut wire, 0)?;
        wire.extend_from_slice(self.as_wire());
        if wire.len() > Name::MAX_WIRE { Err(NameError::TooLong) } else { Ok(Name(Arc::from(wire))) }
    }
}

/// Writes the length of the label that ends `wire` to its head.
fn close_label(wire: &mut [u8], head: usize) -> Result<(), NameError> {
    match u8::try_from(wire.len() - head - 1) {
        Ok(0) => return Err(NameError::EmptyLabel),
        Ok(length @ 1..=63) => wire[head] = length,
        _ => return Err(NameError::LongLabel),
    }
    Ok(())
}

/// The byte after a backslash: itself, or three digits.
pub(crate) fn unescape(bytes: &mut std::str::Bytes<'_>) -> Result<u8, NameError> {
    let first = bytes.next().ok_or(NameError::Escape)?;
    if !first.is_ascii_digit() {
        return Ok(first);
    }
    let mut value = u16::from(first - b'0');
    for _ in 0..2 {
        match bytes.next() {
            Some(digit @ b'0'..=b'9') => value = value * 10 + u16::from(digit - b'0'),
            _ => return Err(NameError::Escape),
        }
    }
    u8::try_from(value).map_err(|_| NameError::Escape)
}

impl<W: AsRef<[u8]>, V: AsRef<[u8]>> PartialEq<Name<V>> for Name<W> {
    fn eq(&self, other: &Name<V>) -> bool {
        self.as_wire().eq_ignore_ascii_case(other.as_wire())
    }
}

impl<W: AsRef<[u8]>> Eq for Name<W> {}

impl<W: AsRef<[u8]>> Hash for Name<W> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for byte in self.as_wire() {
            state.write_u8(byte.to_ascii_lowercase());
        }
    }
}

impl<W: AsRef<[u8]>> PartialOrd for Name<W> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<W: AsRef<[u8]>> Ord for Name<W> {
    /// Canonical order: right to left by label (RFC 4034 §6.1).
    fn cmp(&self, other: &Self) -> Ordering {
        let (a, b) = (self.as_wire(), other.as_wire());
        let (mut ours, mut theirs) = ([0u8; 128], [0u8; 128]);
        let (n, m) = (label_starts(a, &mut ours), label_starts(b, &mut theirs));
        for back in 1..=n.min(m) {
            let a = label_at(a, ours[n - back]);
            let b = label_at(b, theirs[m - back]);
            let fold = |byte: &u8| byte.to_ascii_lowercase();
            match a.iter().map(fold).cmp(b.iter().map(fold)) {
                Ordering::Equal => {}
                unequal => return unequal,
            }
        }
        n.cmp(&m)
    }
}

/// Where each label of `wire` starts; a name of 255 bytes has at most 127.
fn label_starts(wire: &[u8], starts: &mut [u8; 128]) -> usize {
    let (mut at, mut count) = (0u8, 0);
    while wire[usize::from(at)] != 0 {
        starts[count] = at;
        count += 1;
        at += wire[usize::from(at)] + 1;
    }
    count
}

fn label_at(wire: &[u8], start: u8) -> &[u8] {
    let start = usize::from(start);
    &wire[start + 1..start + 1 + usize::from(wire[start])]
}

impl<W: AsRef<[u8]>> fmt::Display for Name<W> {
    /// Presentation form without the final dot, except for the root.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.as_wire().len() == 1 {
            return f.write_str(".");
        }
        for (index, label) in self.labels().enumerate() {
            if index > 0 {
                f.write_str(".")?;
            }
            for &byte in label {
                match byte {
                    b'.' | b'\\' | b'"' | b';' | b'(' | b')' | b'@' | b'$' => {
                        write!(f, "\\{}", char::from(byte))?;
                    }
                    0x21..=0x7e => write!(f, "{}", char::from(byte))?,
                    _ => write!(f, "\\{byte:03}")?,
                }
            }
        }
        Ok(())
    }
}

impl<W: AsRef<[u8]>> fmt::Debug for Name<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Why a text or wire form is not a name.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NameError {
    /// Nothing there.
    #[error("a name must not be empty")]
    Empty,
    /// Two dots in a row, or a dot in front.
    #[error("a label must not be empty")]
    EmptyLabel,
    /// RFC 1035 §2.3.4.
    #[error("a label must be at most 63 bytes")]
    LongLabel,
    /// RFC 1035 §2.3.4.
    #[error("a name must be at most 255 bytes on the wire")]
    TooLong,
    /// A backslash without a character or `DDD` ≤ 255.
    #[error("a backslash must be followed by a character or three digits up to 255")]
    Escape,
    /// The DNS carries A-labels.
    #[error("a name must be ASCII: write international names in their xn-- form")]
    NotAscii,
    /// Not an uncompressed wire name.
    #[error("the wire form must be whole and uncompressed")]
    Wire,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        Name::scan_absolute(text).unwrap()
    }

    #[test]
    fn scan_and_display() {
        let long = format!("{}.example", "a".repeat(64));
        let rows = [
            ("www.Example.com.", Ok("www.Example.com"), "case is kept"),
            ("www", Ok("www.example.org"), "relative to the origin"),
            ("@", Ok("example.org"), "the origin"),
            (".", Ok("."), "the root"),
            (r"a\.b.example.", Ok(r"a\.b.example"), "an escaped dot stays in its label"),
            (r"a\255.example.", Ok(r"a\255.example"), "a byte by number"),
            (r"a\256.example.", Err(NameError::Escape), "no such byte"),
            ("a..b", Err(NameError::EmptyLabel), "two dots"),
            (&long, Err(NameError::LongLabel), "64 bytes"),
            ("bücher.example.", Err(NameError::NotAscii), "U-label"),
            (r"a\.", Ok(r"a\..example.org"), "an escaped final dot ends no name"),
            (".a", Err(NameError::EmptyLabel), "a dot in front"),
        ];
        let origin = name("example.org");
        for (text, want, why) in rows {
            let got = Name::scan(text, &origin);
            assert_eq!(got.map(|n| n.to_string()), want.map(str::to_owned), "{text}: {why}");
        }
    }

    #[test]
    fn canonical_order_is_that_of_rfc_4034() {
        let mut sorted = [
            "example",
            "a.example",
            "yljkjljk.a.example",
            "Z.a.example",
            r"zABC.a.EXAMPLE",
            "z.example",
            r"\001.z.example",
            "*.z.example",
            r"\200.z.example",
        ]
        .map(name);
        let want = sorted.clone();
        sorted.reverse();
        sorted.sort();
        assert_eq!(sorted, want);
    }

    #[test]
    fn within() {
        let rows = [
            ("a.example", "example", true, "below"),
            ("EXAMPLE", "example", true, "itself, whatever the case"),
            ("notexample", "example", false, "a suffix of bytes is not one of labels"),
            ("example", "a.example", false, "above"),
            ("x", ".", true, "all lies below the root"),
        ];
        for (inner, outer, want, why) in rows {
            assert_eq!(name(inner).is_within(&name(outer)), want, "{inner} in {outer}: {why}");
        }
    }
}
