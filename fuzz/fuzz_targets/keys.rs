//! Any bytes as a key's two files, split at the first NUL: refused, or a key
//! that signs and whose own files say the same.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rhumb_dnssec::{KeyText, MAX_SIGNATURE};

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let (public, private) = text.split_once('\0').unwrap_or((&text, ""));
    let text = KeyText { public: public.to_owned(), private: private.to_owned() };
    let Ok(key) = text.scan() else { return };
    let mut room = [0; MAX_SIGNATURE];
    assert_eq!(key.pair.sign(bytes, &mut room), Ok(key.pair.signature_octets()));
    let again = KeyText::of(&key).scan().expect("what we write we read");
    assert_eq!((again.zone, again.pair.dnskey(), again.times), (key.zone, key.pair.dnskey(), key.times));
});
