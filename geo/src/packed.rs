//! Reading `geo/data/*.bin`, the data that the binary carries.
//!
//! Plain bytes and LEB128 numbers, as `scripts/refresh-embedded` writes them:
//! two bytes for most ranges. A general compressor would halve that and cost
//! a dependency. The bytes are our own and tested, so a reader of them does
//! not fail.

/// Reads from the front of embedded bytes.
pub(crate) struct Packed(pub(crate) &'static [u8]);

impl Packed {
    /// The next byte.
    pub(crate) fn byte(&mut self) -> u8 {
        let (byte, rest) = self.0.split_first().expect("embedded data is whole");
        self.0 = rest;
        *byte
    }

    /// The next number: seven bits a byte, low ones first.
    pub(crate) fn number(&mut self) -> u128 {
        let mut number = 0;
        for shift in (0..).step_by(7) {
            let byte = self.byte();
            number |= u128::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                break;
            }
        }
        number
    }
}
