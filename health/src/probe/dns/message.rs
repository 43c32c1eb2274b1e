//! Queries and answers on the wire, as little of them as a probe needs.

use rhumb_zones::{Name, Rtype};

/// Class IN (RFC 1035 §3.2.4).
const IN: [u8; 2] = [0, 1];

/// Length of the header (RFC 1035 §4.1.1).
const HEADER: usize = 12;

/// QR, in the third byte.
const RESPONSE: u8 = 0x80;

/// TC, in the third byte.
const TRUNCATED: u8 = 0x02;

/// RD, in the third byte: chains may end in a resolver.
const RECURSION_DESIRED: u8 = 0x01;

/// A query for a name and type.
pub(super) fn query(id: u16, name: &Name, rtype: Rtype) -> Vec<u8> {
    let [high, low] = id.to_be_bytes();
    let header = [high, low, RECURSION_DESIRED, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    [&header, name.as_wire(), &rtype.0.to_be_bytes(), &IN].concat()
}

/// An answer.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct Answer {
    pub(super) rcode: u8,
    pub(super) is_truncated: bool,
    /// Of the answer section, with names uncompressed.
    pub(super) records: Vec<(Rtype, Vec<u8>)>,
}

/// Whether `message` answers `query`: its id, and its question unless there is
/// none, for who cannot read a query cannot repeat it.
pub(super) fn answers(query: &[u8], message: &[u8]) -> bool {
    let (Some(asked), Some((header, rest))) = (query.get(HEADER..), message.split_at_checked(HEADER)) else {
        return false;
    };
    let is_response = header[2] & RESPONSE != 0 && query.get(..2) == Some(&header[..2]);
    let is_same = rest.get(..asked.len()).is_some_and(|question| question.eq_ignore_ascii_case(asked));
    let is_refusal = header[4..6] == [0, 0] && header[3] & 0x0f != 0;
    is_response && (is_refusal || header[4..6] == [0, 1] && is_same)
}

impl Answer {
    /// Reads an answer to a query; none where it is malformed.
    pub(super) fn parse(message: &[u8]) -> Option<Self> {
        let header = message.first_chunk::<HEADER>()?;
        let [questions, answers] = [4, 6].map(|at| u16::from_be_bytes([header[at], header[at + 1]]));
        let mut reader = Reader { message, at: HEADER };
        for _ in 0..questions {
            reader.name(None)?;
            reader.take(4)?;
        }
        let is_truncated = header[2] & TRUNCATED != 0;
        let mut records = Vec::new();
        for _ in 0..answers {
            match reader.record() {
                Some(record) => records.push(record),
                // Some servers cut in the midst of a record.
                None if is_truncated => break,
                None => return None,
            }
        }
        Some(Self { rcode: header[3] & 0x0f, is_truncated, records })
    }
}

/// Where names stand in the data of types whose names may be compressed (RFC
/// 1035 §3.3, RFC 3597 §4): how many bytes are before them, and how many they
/// are.
const fn names_in(rtype: Rtype) -> (usize, usize) {
    match rtype.0 {
        // NS, MD, MF, CNAME, MB, MG, MR, PTR, DNAME
        2..=5 | 7..=9 | 12 | 39 => (0, 1),
        // SOA, MINFO, RP
        6 | 14 | 17 => (0, 2),
        // MX, AFSDB, RT, KX
        15 | 18 | 21 | 36 => (2, 1),
        // SRV
        33 => (6, 1),
        _ => (0, 0),
    }
}

struct Reader<'a> {
    message: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let end = self.at.checked_add(len)?;
        let bytes = self.message.get(self.at..end)?;
        self.at = end;
        Some(bytes)
    }

    fn number(&mut self) -> Option<u16> {
        self.take(2)?.first_chunk().map(|bytes| u16::from_be_bytes(*bytes))
    }

    fn record(&mut self) -> Option<(Rtype, Vec<u8>)> {
        self.name(None)?;
        let rtype = Rtype(self.number()?);
        // Class and TTL.
        self.take(6)?;
        let len = usize::from(self.number()?);
        let end = self.at.checked_add(len)?;
        let (before, names) = names_in(rtype);
        let mut data = self.take(before)?.to_vec();
        for _ in 0..names {
            self.name(Some(&mut data))?;
        }
        data.extend_from_slice(self.take(end.checked_sub(self.at)?)?);
        Some((rtype, data))
    }

    /// Reads a name, and writes it uncompressed. Each pointer must go back
    /// beyond all before it, so that it ends.
    fn name(&mut self, mut out: Option<&mut Vec<u8>>) -> Option<()> {
        let (mut at, mut lowest, mut end) = (self.at, self.at, None);
        let mut written = 0;
        loop {
            let len = *self.message.get(at)?;
            match len >> 6 {
                0 => {
                    let label = self.message.get(at..=at + usize::from(len))?;
                    written += label.len();
                    if written > Name::MAX_WIRE {
                        return None;
                    }
                    if let Some(out) = out.as_deref_mut() {
                        out.extend_from_slice(label);
                    }
                    at += label.len();
                    if len == 0 {
                        break;
                    }
                }
                3 => {
                    let low = *self.message.get(at + 1)?;
                    end.get_or_insert(at + 2);
                    at = usize::from(len & 0x3f) << 8 | usize::from(low);
                    if at >= lowest {
                        return None;
                    }
                    lowest = at;
                }
                _ => return None,
            }
        }
        self.at = end.unwrap_or(at);
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An answer with a compressed name in its data.
    fn message() -> Vec<u8> {
        let name = Name::scan_absolute("example.com.").unwrap();
        let mut message = query(7, &name, Rtype::MX);
        (message[2], message[7]) = (RESPONSE, 1);
        message.extend([0xc0, 12, 0, 15, 0, 1, 0, 0, 0, 60, 0, 7, 0, 10, 2, b'm', b'x', 0xc0, 12]);
        message
    }

    #[test]
    fn names_are_uncompressed() {
        let answer = Answer::parse(&message()).unwrap();
        let want = b"\x00\x0a\x02mx\x07example\x03com\x00".to_vec();
        assert_eq!(answer.records, [(Rtype::MX, want)]);
    }

    #[test]
    fn no_message_does_harm() {
        let (message, query) = (message(), message()[..29].to_vec());
        for len in 0..message.len() {
            assert_eq!(Answer::parse(&message[..len]), None, "cut at {len}");
        }
        let mut random = fastrand::Rng::with_seed(1);
        for _ in 0..20_000 {
            let mut spoilt = message.clone();
            for _ in 0..random.usize(1..6) {
                let at = random.usize(..spoilt.len());
                spoilt[at] = random.u8(..);
            }
            let _ = (answers(&query, &spoilt), Answer::parse(&spoilt));
        }
    }
}
