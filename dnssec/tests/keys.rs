//! Key files made by another, read; keys made here, written and read; what
//! they sign, verified.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may fail, and reads its files")]

use std::fs;
use std::path::{Path, PathBuf};

use rhumb_dnssec::{Algorithm, Digest, Key, KeyError, KeyPair, KeyText, MAX_SIGNATURE, TextError, ds};
use rhumb_zones::Name;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};

const STEMS: [&str; 6] = [
    "Kexample.com.+008+20501",
    "Kexample.com.+008+36138",
    "Kexample.com.+013+03682",
    "Kexample.com.+013+50823",
    "Kexample.com.+015+54793",
    "Kexample.com.+015+62438",
];

fn path(stem: &str, extension: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/keys/example.com");
    folder.join(format!("{stem}.{extension}"))
}

fn text(stem: &str) -> KeyText {
    let read = |extension| fs::read_to_string(path(stem, extension)).unwrap();
    KeyText { public: read("key"), private: read("private") }
}

/// Whether the key signs what anyone can verify with its DNSKEY alone.
fn check(key: &Key, why: &str) {
    let message = b"as bytes of an RRset may be";
    let mut room = [0; MAX_SIGNATURE];
    let length = key.pair.sign(message, &mut room).unwrap();
    assert_eq!(length, key.pair.signature_octets(), "{why}");
    let (signature, rdata) = (&room[..length], key.pair.dnskey());
    let public = &rdata[4..];
    let verified = match key.pair.algorithm() {
        Algorithm::EcdsaP256 => {
            let point = [&[4], public].concat();
            UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature)
        }
        Algorithm::Ed25519 => UnparsedPublicKey::new(&ED25519, public).verify(message, signature),
        Algorithm::RsaSha256 => {
            let (e, n) = public[1..].split_at(usize::from(public[0]));
            RsaPublicKeyComponents { n, e }.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature)
        }
    };
    assert_eq!(verified, Ok(()), "{why}");
    let again = KeyText::of(key).scan().unwrap();
    assert_eq!((again.pair.dnskey(), again.times), (rdata, key.times), "{why}");
    assert_eq!(again.pair.sign(message, &mut room[..length - 1]), Err(KeyError::Room), "{why}");
}

#[test]
fn keys_of_dnssec_keygen() {
    for stem in STEMS {
        let key = text(stem).scan().unwrap();
        assert_eq!(key.stem(), stem, "zone, algorithm and tag");
        check(&key, stem);
    }
}

#[test]
fn keys_of_ours() {
    for algorithm in [Algorithm::EcdsaP256, Algorithm::Ed25519] {
        for is_entry in [false, true] {
            let zone = Name::scan_absolute("Example.COM").unwrap();
            let key = Key::generate(zone, algorithm, is_entry, 1_800_000_000).unwrap();
            assert_eq!(key.pair.flags(), 256 + u16::from(is_entry));
            check(&key, algorithm.word());
        }
    }
    assert_eq!(KeyPair::generate(Algorithm::RsaSha256, true).unwrap_err(), KeyError::MakeRsa);
}

#[test]
fn digests_are_those_of_dnssec_dsfromkey() {
    let key = text("Kexample.com.+013+50823").scan().unwrap();
    let shown =
        |digest| rhumb_zones::rdata::display(rhumb_zones::Rtype::DS, &ds(&key.zone, &key.pair, digest));
    assert_eq!(
        shown(Digest::Sha256),
        "50823 13 2 65E5DE43E336FFF8B6616F7BF4E06BC0A9BE3BFBFEFA8A3A8AD0852B02B45D55"
    );
    assert_eq!(
        shown(Digest::Sha384),
        "50823 13 4 F24C0DB7939DE1E246E6DB0B70B5539B9861507543D405214DC47E3199B420E516D6B6EB2306A0EA25CEE98EE51F9B3D"
    );
}

#[test]
fn files_are_called_as_binds() {
    let rows = [
        ("Example.COM", "Kexample.com.", "lower case"),
        (".", "K.", "the root"),
        (r"a/b\.c.d", "Ka%2fb%2ec.d.", "no path and no other name"),
    ];
    for (zone, want, why) in rows {
        let key = Key::generate(Name::scan_absolute(zone).unwrap(), Algorithm::Ed25519, true, 0).unwrap();
        assert_eq!(key.stem(), format!("{want}+015+{:05}", key.pair.tag()), "{why}");
    }
}

#[test]
fn what_is_no_key_is_refused() {
    let good = text("Kexample.com.+013+50823");
    let other = text("Kexample.com.+013+03682");
    let swap = |from: &str, to: &str| KeyText {
        public: good.public.replace(from, to),
        private: good.private.replace(from, to),
    };
    let mut damaged = text("Kexample.com.+008+36138");
    let at = damaged.private.find("Exponent1: ").unwrap() + 40;
    let digit = if damaged.private[at..].starts_with('A') { "B" } else { "A" };
    damaged.private.replace_range(at..=at, digit);
    let rows = [
        (damaged, TextError::Key(KeyError::Private), "a number of RSA that only shows when it signs"),
        (
            KeyText { private: other.private, ..good.clone() },
            TextError::Key(KeyError::Private),
            "another's private",
        ),
        (KeyText { private: String::new(), ..good.clone() }, TextError::Format, "an empty file"),
        (swap("v1.3", "v2.0"), TextError::Format, "a format to come"),
        (swap("Algorithm: 13", "Algorithm: 15"), TextError::Mismatch, "another algorithm"),
        (swap("257 3 13", "257 3 14"), TextError::Algorithm(14), "P-384"),
        (swap("257 3 13", "385 3 13"), TextError::Key(KeyError::Flags), "revoked"),
        (swap("257 3 13", "0 3 13"), TextError::Key(KeyError::Flags), "no zone key"),
        (swap("257 3 13", "257 2 13"), TextError::Record("its protocol must be 3".into()), "protocol"),
        (swap("Created: 2", "Revoke: 2"), TextError::Revoked, "RFC 5011"),
        (swap("Created: 2", "Created: x"), TextError::Line("Created"), "no time"),
        (swap("PrivateKey: ", "PrivateKey: *"), TextError::Line("PrivateKey"), "no base64"),
        (swap("PrivateKey: ", "PrivateKey: AAAA"), TextError::Key(KeyError::Private), "too long a number"),
        (swap("DNSKEY", "KEY"), TextError::Record("its type must be DNSKEY".into()), "an old type"),
        (swap("DNSKEY", &"x".repeat(20_000)), TextError::TooLarge, "bounded"),
    ];
    for (text, want, why) in rows {
        assert_eq!(text.scan().unwrap_err(), want, "{why}");
    }
}
