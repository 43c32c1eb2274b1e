//! A reply as it is compared: header bits by name, sections as sets of
//! lines, names in lower case and uncompressed. The OPT record stands apart.

use std::collections::BTreeSet;

use rhumb_zones::rdata;
use rhumb_zones::{Name, Rtype};

/// What a reply says.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Seen {
    /// RCODE, extended where there is an OPT.
    pub(crate) rcode: u16,
    /// `qr aa tc rd ra ad cd`, as far as set.
    pub(crate) flags: String,
    /// Answer, authority, additional: `OWNER TTL TYPE DATA`.
    pub(crate) sections: [BTreeSet<String>; 3],
    /// Whether there is an OPT.
    pub(crate) edns: bool,
}

const BITS: [(u16, &str); 7] = [
    (0x8000, "qr"),
    (0x0400, "aa"),
    (0x0200, "tc"),
    (0x0100, "rd"),
    (0x0080, "ra"),
    (0x0020, "ad"),
    (0x0010, "cd"),
];

impl Seen {
    /// Reads a reply; says what is malformed.
    pub(crate) fn read(packet: &[u8]) -> Result<Self, String> {
        let mut reader = Reader { packet, at: 0 };
        let [_, bits, questions, counts @ ..] = reader.words::<6>()?;
        let flags: Vec<&str> =
            BITS.iter().filter(|(bit, _)| bits & bit != 0).map(|(_, name)| *name).collect();
        let mut seen = Self { rcode: bits & 0x0f, flags: flags.join(" "), ..Self::default() };
        for _ in 0..questions {
            reader.name()?;
            reader.words::<2>()?;
        }
        for (section, count) in counts.into_iter().enumerate() {
            for _ in 0..count {
                seen.record(section, &mut reader)?;
            }
        }
        if reader.at != packet.len() {
            return Err(format!("{} octets after the message", packet.len() - reader.at));
        }
        Ok(seen)
    }

    fn record(&mut self, section: usize, reader: &mut Reader<'_>) -> Result<(), String> {
        let owner = reader.name()?;
        let [rtype, class, high, low, length] = reader.words()?;
        let end = reader.at + usize::from(length);
        if Rtype(rtype) == Rtype::OPT {
            self.edns = true;
            self.rcode |= high >> 8 << 4;
            reader.take(usize::from(length))?;
            return Ok(());
        }
        let wire = reader.rdata(rtype, end)?;
        if reader.at != end {
            return Err(format!("data of {owner} does not end where it says"));
        }
        let ttl = u32::from(high) << 16 | u32::from(low);
        let class = if class == 1 { String::new() } else { format!(" CLASS{class}") };
        let rtype = Rtype(rtype);
        let data = rdata::display(rtype, &rdata::canonical(rtype, &wire));
        let line = format!("{}{class} {ttl} {rtype} {data}", owner.to_string().to_ascii_lowercase());
        if !self.sections[section].insert(line.clone()) {
            return Err(format!("twice: {line}"));
        }
        Ok(())
    }
}

struct Reader<'a> {
    packet: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], String> {
        let taken = self.packet.get(self.at..self.at + length).ok_or("cut short")?;
        self.at += length;
        Ok(taken)
    }

    fn words<const N: usize>(&mut self) -> Result<[u16; N], String> {
        let octets = self.take(2 * N)?;
        Ok(std::array::from_fn(|word| u16::from_be_bytes([octets[2 * word], octets[2 * word + 1]])))
    }

    fn name(&mut self) -> Result<Name, String> {
        let (mut wire, mut at, mut end) = (Vec::new(), self.at, None);
        loop {
            let length = *self.packet.get(at).ok_or("a name cut short")?;
            if length >= 0xc0 {
                let low = *self.packet.get(at + 1).ok_or("a pointer cut short")?;
                let to = usize::from(length & 0x3f) << 8 | usize::from(low);
                end.get_or_insert(at + 2);
                // Only backwards, so that it ends.
                at = if to < at { to } else { return Err("a pointer that does not point back".to_owned()) };
                continue;
            }
            let label = self.packet.get(at..=at + usize::from(length)).ok_or("a label cut short")?;
            wire.extend_from_slice(label);
            at += label.len();
            if length == 0 {
                self.at = end.unwrap_or(at);
                return Name::from_wire(&wire).map_err(|error| error.to_string());
            }
        }
    }

    /// Data up to `end` with its names uncompressed.
    fn rdata(&mut self, rtype: u16, end: usize) -> Result<Vec<u8>, String> {
        // Octets before the first name, and how many names follow: RFC 1035's
        // types, which senders may compress, and those some compress anyway.
        let (before, names) = match rtype {
            2..=5 | 7..=9 | 12 | 39 => (0, 1),
            6 | 14 | 17 => (0, 2),
            15 | 18 | 21 | 36 => (2, 1),
            26 => (2, 2),
            33 => (6, 1),
            _ => (0, 0),
        };
        let mut wire = self.take(before)?.to_vec();
        for _ in 0..names {
            wire.extend_from_slice(self.name()?.as_wire());
        }
        let rest = end.checked_sub(self.at).ok_or("a name longer than its data")?;
        wire.extend_from_slice(self.take(rest)?);
        Ok(wire)
    }
}
