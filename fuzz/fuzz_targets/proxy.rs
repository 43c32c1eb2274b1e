//! Any octets as a datagram of a proxy's: a header that is whole, or nothing.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rhumb::net::proxy::split;

fuzz_target!(|datagram: &[u8]| {
    let Some((told, query)) = split(datagram) else { return };
    assert!(datagram.ends_with(query), "the query is the end of what came");
    let header = &datagram[..datagram.len() - query.len()];
    assert!(header.len() >= 16, "a header has a fixed part");
    let length = usize::from(u16::from_be_bytes([header[14], header[15]]));
    assert_eq!(header.len(), 16 + length, "and is as long as it says");
    let addresses = if header[13] >> 4 == 1 { 12 } else { 36 };
    assert!(told.is_none() || length >= addresses, "addresses are not made up");
    assert_eq!(split(&[header, b"other"].concat()), Some((told, &b"other"[..])), "whatever follows");
});
