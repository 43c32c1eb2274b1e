//! Records to wire, with name compression, into a buffer of fixed size.
//!
//! The composer writes sections in order and keeps their counts. Names are
//! compressed against those already written (RFC 1035 §4.1.4), only where
//! RFC 3597 §4 allows it, in owners and in the rdata of the old types. A
//! record that does not fit is an error and leaves what was there; the caller
//! rolls back to a [`Mark`] and decides what to drop.
//!
//! **Invariant:** nothing allocates; the list of compression targets is short
//! and fixed, and a name that finds no place in it is written whole.

use rhumb_zones::Rtype;

use crate::query::HEADER;

/// Sections of a message after the question.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Section {
    Answer = 0,
    Authority = 1,
    Additional = 2,
}

/// Who owns a record.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Owner<'a> {
    /// The question's name, in the client's case: always at offset 12.
    Question,
    /// An uncompressed wire name.
    Name(&'a [u8]),
}

/// A record about to be written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row<'a> {
    pub(crate) owner: Owner<'a>,
    pub(crate) rtype: Rtype,
    pub(crate) ttl: u32,
    pub(crate) rdata: &'a [u8],
}

/// The message would be longer than it may be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Full;

/// Suffixes that later names may point at. A pointer reaches 16 KiB, and an
/// answer that names more than this many distinct suffixes is rare; beyond
/// it, names are only longer, never wrong.
const MAX_TARGETS: usize = 64;
const POINTER_REACH: usize = 0x4000;

/// Scratch of a composer, kept by the worker.
#[derive(Debug)]
pub(crate) struct Targets {
    offsets: [u16; MAX_TARGETS],
    count: usize,
    /// Whether a name may only point at one in the same case.
    keeps_case: bool,
}

impl Targets {
    pub(crate) const fn new() -> Self {
        Self { offsets: [0; MAX_TARGETS], count: 0, keeps_case: false }
    }

    /// For zone transfers, which keep the case of names (RFC 5936 §3.4).
    pub(crate) const fn keeping_case() -> Self {
        Self { keeps_case: true, ..Self::new() }
    }
}

/// A message being written.
pub(crate) struct Composer<'a> {
    out: &'a mut [u8],
    at: usize,
    limit: usize,
    counts: [u16; 3],
    targets: &'a mut Targets,
}

/// A point to roll back to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    at: usize,
    counts: [u16; 3],
    targets: usize,
}

impl<'a> Composer<'a> {
    /// Starts after the question, which must already stand in `out` (it is
    /// `question` octets long); writes no further than `limit`.
    pub(crate) fn new(out: &'a mut [u8], question: usize, limit: usize, targets: &'a mut Targets) -> Self {
        let at = HEADER + question;
        let limit = limit.min(out.len());
        targets.count = 0;
        Self { out, at, limit, counts: [0; 3], targets }
    }

    pub(crate) const fn length(&self) -> usize {
        self.at
    }

    pub(crate) const fn counts(&self) -> [u16; 3] {
        self.counts
    }

    pub(crate) const fn mark(&self) -> Mark {
        Mark { at: self.at, counts: self.counts, targets: self.targets.count }
    }

    pub(crate) const fn roll_back(&mut self, mark: Mark) {
        self.at = mark.at;
        self.counts = mark.counts;
        self.targets.count = mark.targets;
    }

    /// Writes one record.
    #[inline]
    pub(crate) fn row(&mut self, section: Section, row: &Row<'_>) -> Result<(), Full> {
        let mark = self.mark();
        let written = self.try_row(section, row);
        if written.is_err() {
            self.roll_back(mark);
        }
        written
    }

    #[inline]
    fn try_row(&mut self, section: Section, row: &Row<'_>) -> Result<(), Full> {
        match row.owner {
            Owner::Question => self.put(&[0xc0, 0x0c])?,
            Owner::Name(name) => self.name(name)?,
        }
        let [a, b] = row.rtype.0.to_be_bytes();
        let [t, u, v, w] = row.ttl.to_be_bytes();
        self.put(&[a, b, 0, 1, t, u, v, w, 0, 0])?;
        let start = self.at;
        self.rdata(row.rtype, row.rdata)?;
        let length = u16::try_from(self.at - start).map_err(|_| Full)?;
        self.patch(start - 2, &length.to_be_bytes());
        self.counts[section as usize] += 1;
        Ok(())
    }

    /// Writes `rdata`, compressing the names of types that allow it.
    #[inline]
    fn rdata(&mut self, rtype: Rtype, rdata: &[u8]) -> Result<(), Full> {
        // Octets before the first name, and how many names follow.
        let (before, names) = match rtype {
            Rtype::NS | Rtype::CNAME | Rtype::PTR => (0, 1),
            Rtype::MX => (2, 1),
            Rtype::SOA => (0, 2),
            _ => return self.put(rdata),
        };
        let (head, mut rest) = rdata.split_at_checked(before).unwrap_or((rdata, &[]));
        self.put(head)?;
        for _ in 0..names {
            let (name, tail) = rest.split_at(name_length(rest));
            self.name(name)?;
            rest = tail;
        }
        self.put(rest)
    }

    /// Writes bytes of records that are whole already: `count` of them.
    #[inline]
    pub(crate) fn rows(&mut self, section: Section, bytes: &[u8], count: u16) -> Result<usize, Full> {
        let start = self.at;
        self.put(bytes)?;
        self.counts[section as usize] += count;
        Ok(start)
    }

    #[inline]
    pub(crate) fn patch(&mut self, at: usize, bytes: &[u8]) {
        if let Some(to) = self.out.get_mut(at..at + bytes.len()) {
            to.copy_from_slice(bytes);
        }
    }

    #[inline]
    fn put(&mut self, bytes: &[u8]) -> Result<(), Full> {
        let end = self.at + bytes.len();
        if end > self.limit {
            return Err(Full);
        }
        self.out.get_mut(self.at..end).ok_or(Full)?.copy_from_slice(bytes);
        self.at = end;
        Ok(())
    }

    fn name(&mut self, name: &[u8]) -> Result<(), Full> {
        if self.targets.count == 0 {
            self.remember_question();
        }
        let start = self.at;
        let mut rest = name;
        while let Some(&length) = rest.first().filter(|&&length| length > 0) {
            if let Some(target) = self.target(rest) {
                self.put(&(0xc000 | target).to_be_bytes())?;
                self.remember_until(start, self.at - 2);
                return Ok(());
            }
            let (label, tail) = rest.split_at_checked(usize::from(length) + 1).ok_or(Full)?;
            self.put(label)?;
            rest = tail;
        }
        self.put(&[0])?;
        self.remember_until(start, self.at - 1);
        Ok(())
    }

    /// Where `name` already stands.
    fn target(&self, name: &[u8]) -> Option<u16> {
        self.targets
            .offsets
            .get(..self.targets.count)?
            .iter()
            .copied()
            .find(|&at| self.stands_at(name, usize::from(at)))
    }

    /// Whether the name written at `at` is `name`, ASCII case aside.
    fn stands_at(&self, mut name: &[u8], mut at: usize) -> bool {
        loop {
            let Some(&length) = self.out.get(at) else { return false };
            if length >= 0xc0 {
                let Some(&low) = self.out.get(at + 1) else { return false };
                at = usize::from(u16::from_be_bytes([length & 0x3f, low]));
                continue;
            }
            let end = usize::from(length) + 1;
            let (Some(ours), Some((theirs, tail))) = (self.out.get(at..at + end), name.split_at_checked(end))
            else {
                return false;
            };
            let same =
                if self.targets.keeps_case { ours == theirs } else { ours.eq_ignore_ascii_case(theirs) };
            if !same {
                return false;
            }
            if length == 0 {
                return true;
            }
            at += end;
            name = tail;
        }
    }

    /// Most answers write no name at all, so the question's labels become
    /// targets only when the first one comes.
    fn remember_question(&mut self) {
        let length = self.out.get(HEADER..self.at).map_or(1, name_length);
        self.remember_until(HEADER, HEADER + length - 1);
    }

    /// Makes every label of `start..end` a target.
    fn remember_until(&mut self, start: usize, end: usize) {
        let mut at = start;
        while at < end && at < POINTER_REACH && self.targets.count < MAX_TARGETS {
            let Some(&length) = self.out.get(at) else { return };
            self.targets.offsets[self.targets.count] = u16::try_from(at).unwrap_or_default();
            self.targets.count += 1;
            at += usize::from(length) + 1;
        }
    }
}

/// Octets of the uncompressed name that `bytes` starts with.
pub(crate) fn name_length(bytes: &[u8]) -> usize {
    let mut at = 0;
    while let Some(&length) = bytes.get(at) {
        at += usize::from(length) + 1;
        if length == 0 {
            return at;
        }
    }
    bytes.len()
}
