//! A cursor over a packet that never reads past its end.

/// What is left of a packet.
#[derive(Clone, Debug)]
pub(crate) struct Reader<'a> {
    packet: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(packet: &'a [u8]) -> Self {
        Self { packet, at: 0 }
    }

    pub(crate) const fn position(&self) -> usize {
        self.at
    }

    /// What was read since `start`.
    pub(crate) fn since(&self, start: usize) -> &'a [u8] {
        self.packet.get(start..self.at).unwrap_or_default()
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.at >= self.packet.len()
    }

    pub(crate) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let end = self.at.checked_add(count)?;
        let taken = self.packet.get(self.at..end)?;
        self.at = end;
        Some(taken)
    }

    /// The next `N` octets, which stay where they are.
    pub(crate) fn peek<const N: usize>(&self) -> Option<&'a [u8; N]> {
        self.packet.get(self.at..)?.first_chunk()
    }

    pub(crate) fn byte(&mut self) -> Option<u8> {
        let byte = *self.packet.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    pub(crate) fn word(&mut self) -> Option<u16> {
        self.words().map(|[word]| word)
    }

    /// The next `N` 16-bit words in network order.
    pub(crate) fn words<const N: usize>(&mut self) -> Option<[u16; N]> {
        let bytes = self.take(2 * N)?;
        let (pairs, _) = bytes.as_chunks::<2>();
        let mut words = [0; N];
        for (word, pair) in words.iter_mut().zip(pairs) {
            *word = u16::from_be_bytes(*pair);
        }
        Some(words)
    }

    /// The next name, which must not be compressed, and how many labels it has.
    pub(crate) fn name(&mut self) -> Option<(&'a [u8], usize)> {
        let rest = self.packet.get(self.at..)?;
        let (mut at, mut labels) = (0, 0);
        loop {
            let length = usize::from(*rest.get(at)?);
            // A pointer or an extended label type, or more than 255 octets.
            if length > 63 || at + length >= 255 {
                return None;
            }
            at += length + 1;
            if length == 0 {
                return Some((self.take(at)?, labels));
            }
            labels += 1;
        }
    }

    /// Skips a name, compressed or not; only its end matters.
    pub(crate) fn skip_name(&mut self) -> Option<()> {
        loop {
            match self.byte()? {
                0 => return Some(()),
                length @ 1..=63 => self.take(usize::from(length)).map(|_| ())?,
                192.. => return self.byte().map(|_| ()),
                _ => return None,
            }
        }
    }
}
