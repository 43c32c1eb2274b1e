//! Echo requests and replies on the wire (RFC 792, RFC 4443 §4).
//!
//! Eight bytes of header and eight of payload, the token. Padding would
//! measure more of the path than whether it is there.

/// Length of a request: header and token.
pub(super) const LEN: usize = 16;

/// Length of the header, which every ICMP error returns (RFC 792).
const HEADER: usize = 8;

/// Types of request and reply, in IPv4.
const V4: (u8, u8) = (8, 0);

/// Types of request and reply, in IPv6.
const V6: (u8, u8) = (128, 129);

/// What a request and its reply have in common.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Packet {
    pub(super) identifier: u16,
    pub(super) sequence: u16,
    pub(super) token: u64,
}

impl Packet {
    /// An echo request. The checksum of IPv6 is the kernel's to fill in, for
    /// it covers addresses that are not chosen yet.
    pub(super) fn request(&self, is_v4: bool) -> [u8; LEN] {
        let mut bytes = [0; LEN];
        bytes[0] = if is_v4 { V4.0 } else { V6.0 };
        bytes[4..6].copy_from_slice(&self.identifier.to_be_bytes());
        bytes[6..8].copy_from_slice(&self.sequence.to_be_bytes());
        bytes[8..].copy_from_slice(&self.token.to_be_bytes());
        if is_v4 {
            let checksum = checksum(&bytes);
            bytes[2..4].copy_from_slice(&checksum.to_be_bytes());
        }
        bytes
    }

    /// Reads an echo reply from its ICMP header on.
    pub(super) fn parse_reply(bytes: &[u8], is_v4: bool) -> Option<Self> {
        let reply = if is_v4 { V4.1 } else { V6.1 };
        let token = bytes.get(HEADER..LEN)?.try_into().ok()?;
        let header = Self::parse_header(bytes)?;
        (bytes[..2] == [reply, 0]).then_some(Self { token: u64::from_be_bytes(token), ..header })
    }

    /// Reads no more than the header, of a packet that an error returned.
    pub(super) fn parse_header(bytes: &[u8]) -> Option<Self> {
        let [_, _, _, _, i, j, s, t] = *bytes.first_chunk::<HEADER>()?;
        Some(Self { identifier: u16::from_be_bytes([i, j]), sequence: u16::from_be_bytes([s, t]), token: 0 })
    }
}

/// The Internet checksum (RFC 1071).
fn checksum(bytes: &[u8; LEN]) -> u16 {
    let words = bytes.chunks_exact(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(pair[1]));
    let sum: u32 = words.sum();
    let folded = (sum & 0xffff) + (sum >> 16);
    let folded = (folded & 0xffff) + (folded >> 16);
    !u16::try_from(folded).expect("eight words carry at most once more")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_and_their_echoes() {
        let packet = Packet { identifier: 0xbeef, sequence: 0xffff, token: u64::MAX - 1 };
        for is_v4 in [true, false] {
            let mut bytes = packet.request(is_v4);
            assert_eq!(Packet::parse_reply(&bytes, is_v4), None, "a request is no reply");
            bytes[0] = if is_v4 { V4.1 } else { V6.1 };
            assert_eq!(Packet::parse_reply(&bytes, is_v4), Some(packet), "an echo has all of it");
            assert_eq!(Packet::parse_reply(&bytes, !is_v4), None, "the other family's type");
            assert_eq!(
                Packet::parse_reply(&bytes[..LEN - 1], is_v4),
                None,
                "a piece of the token is missing"
            );
            bytes[1] = 1;
            assert_eq!(Packet::parse_reply(&bytes, is_v4), None, "no such code");
        }
    }

    #[test]
    fn checksums() {
        let rows = [
            ([0; LEN], 0xffff, "nothing"),
            ([0xff; LEN], 0, "all ones"),
            ([8, 0, 0, 0, 0x12, 0x34, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0], 0xe5ca, "RFC 1071 by hand"),
        ];
        for (bytes, want, why) in rows {
            assert_eq!(checksum(&bytes), want, "{why}");
        }
    }
}
