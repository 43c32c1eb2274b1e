//! A million packets that nobody should send.
//!
//! Each is a good query with structure-aware damage: counts that lie, labels
//! and pointers out of place, options and lengths that do not fit, other
//! opcodes, octets flipped, cut off, put in. Good queries in between must get
//! the right answer every time, and the server must neither end nor grow.
//!
//! The damage comes from a seed, so a packet that hurts can be sent again.

use std::net::UdpSocket;
use std::time::Duration;

use crate::support::programs::{Rhumb, fresh_directory, testdata};

/// Packets; a smaller storm where nobody asked for the long one.
const LONG: u32 = 1_000_000;
const SHORT: u32 = 20_000;
/// A good query after so many: the sender waits for its answer, which bounds
/// how far it runs ahead.
const EVERY: u32 = 32;
/// Growth that a storm may cause at most: buffers that are first touched.
const MAX_GROWTH_KIB: u64 = 8 * 1024;

/// A generator good enough for damage (Marsaglia's xorshift64).
struct Draw(u64);

impl Draw {
    const fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end.max(1)).unwrap()).unwrap()
    }

    fn octet(&mut self) -> u8 {
        self.next().to_be_bytes()[3]
    }
}

/// `LABELS TYPE` with an OPT that carries Client Subnet, a cookie and more.
fn good(draw: &mut Draw) -> Vec<u8> {
    const NAMES: [&[u8]; 6] = [
        b"\x03www\x07example\x03com\0",
        b"\x01x\x03old\x07example\x03com\0",
        b"\x05child\x07example\x03com\0",
        b"\x03any\x04wild\x07example\x03com\0",
        b"\x07example\x03com\0",
        b"\0",
    ];
    const TYPES: [u8; 8] = [1, 2, 6, 15, 16, 28, 43, 255];
    const OPTIONS: [&[u8]; 6] = [
        b"\0\x08\0\x07\0\x01\x18\0\xcb\0\x71",
        b"\0\x0a\0\x08abcdefgh",
        b"\0\x03\0\0",
        b"\0\x0c\0\x04\0\0\0\0",
        b"\0\x0b\0\0",
        b"\xff\xfe\0\x02ab",
    ];
    let mut out = vec![0x5a, draw.octet(), 1, 0, 0, 1, 0, 0, 0, 0, 0, 1];
    out.extend(NAMES[draw.below(NAMES.len())]);
    out.extend([0, TYPES[draw.below(TYPES.len())], 0, 1]);
    let options: Vec<u8> =
        (0..draw.below(4)).flat_map(|_| OPTIONS[draw.below(OPTIONS.len())].to_vec()).collect();
    out.extend([0, 0, 41, 4, 0xd0, 0, 0, 0, 0, 0, u8::try_from(options.len()).unwrap()]);
    out.extend(options);
    out
}

/// One kind of damage, or several.
fn damage(packet: &mut Vec<u8>, draw: &mut Draw) {
    for _ in 0..=draw.below(3) {
        let at = draw.below(packet.len());
        match draw.below(9) {
            0 => packet.truncate(at),
            1 => packet.insert(at, draw.octet()),
            // Counts of questions and records.
            2 => set(packet, 4 + draw.below(8), draw.octet()),
            // Flags and opcode, most without QR, which would be silence.
            3 => set(packet, 2, draw.octet() & if draw.below(8) == 0 { 0xff } else { 0x7f }),
            // A pointer.
            4 => {
                set(packet, at, 0xc0 | draw.octet());
                set(packet, at + 1, draw.octet());
            }
            // The first label's length.
            5 => set(packet, 12, draw.octet()),
            6 => {
                let end = (at + draw.below(40)).min(packet.len());
                packet.extend_from_within(at..end);
            }
            7 => packet.extend((0..draw.below(200)).map(|_| draw.octet())),
            _ => set(packet, at, draw.octet()),
        }
        if packet.is_empty() {
            packet.push(draw.octet());
        }
    }
}

fn set(packet: &mut [u8], at: usize, octet: u8) {
    if let Some(to) = packet.get_mut(at) {
        *to = octet;
    }
}

/// Resident memory of a process, KiB.
fn resident(pid: u32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

#[test]
fn malformed_packets_neither_end_nor_swell_the_server() {
    let packets = if std::env::var_os("RHUMB_LONG").is_some() { LONG } else { SHORT };
    let directory = fresh_directory("conformance-storm");
    let rhumb = Rhumb::serve(&directory, &testdata().join("cases/static.yaml"), &["127.0.0.1:0"], &[]);
    let asking = UdpSocket::bind("127.0.0.1:0").unwrap();
    let storming = UdpSocket::bind("127.0.0.1:0").unwrap();
    asking.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    for socket in [&asking, &storming] {
        socket.connect(rhumb.listening[0]).unwrap();
    }
    storming.set_nonblocking(true).unwrap();
    let mut draw = Draw(0x5eed_0000_0000_0001);
    let mut buffer = [0; 65_536];
    let mut settled = 0;
    for sent in 0..packets {
        let mut packet = good(&mut draw);
        damage(&mut packet, &mut draw);
        // Replies that come back full of errors may find nobody: so be it.
        let _ = storming.send(&packet);
        while storming.recv(&mut buffer).is_ok() {}
        if sent % EVERY == 0 {
            right(&asking, sent, &packet);
        }
        if sent == packets / 10 {
            settled = resident(rhumb.pid());
        }
    }
    let end = resident(rhumb.pid());
    assert!(end <= settled + MAX_GROWTH_KIB, "grew from {settled} to {end} KiB");
}

/// Asks a good question; the answer must be the right one.
fn right(socket: &UdpSocket, id: u32, last: &[u8]) {
    let [.., a, b] = id.to_be_bytes();
    let mut query = vec![a, b, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    query.extend(b"\x03www\x07example\x03com\0\0\x01\0\x01");
    let mut want = query.clone();
    want[2] = 0x84;
    want[7] = 1;
    want.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 1, 44, 0, 4, 192, 0, 2, 80]);
    socket.send(&query).unwrap();
    let mut reply = [0; 512];
    let length = socket.recv(&mut reply).unwrap_or_else(|error| panic!("{error} after {last:02x?}"));
    assert_eq!(reply[..length], want, "after {last:02x?}");
}
