//! Every type by example, every field by mistake, and the round trip.

use proptest::prelude::*;

use super::*;

/// Type, text as written, text as displayed.
const GOOD: &[(&str, &str, &str)] = &[
    ("A", "192.0.2.1", "192.0.2.1"),
    ("NS", "ns1", "ns1.example.org."),
    ("MD", "a.", "a."),
    ("MF", "@", "example.org."),
    ("CNAME", r"a\.b.x.", r"a\.b.x."),
    (
        "SOA",
        "ns host\\.master 7 1h 900 2w 5m",
        r"ns.example.org. host\.master.example.org. 7 3600 900 1209600 300",
    ),
    ("MB", "a.", "a."),
    ("MG", "a.", "a."),
    ("MR", ".", "."),
    ("NULL", r"\# 2 00ff", r"\# 2 00FF"),
    ("WKS", r"\# 6 c0000201 06 40", r"\# 6 C00002010640"),
    ("PTR", "a.", "a."),
    ("HINFO", "PC \"a \\\"b\"", r#""PC" "a \"b""#),
    ("MINFO", "a. b.", "a. b."),
    ("MX", "10 mail", "10 mail.example.org."),
    ("TXT", r#"a "b c" \065\255 "" ü"#, r#""a" "b c" "A\255" "" "\195\188""#),
    ("RP", "a. b.", "a. b."),
    ("AFSDB", "1 a.", "1 a."),
    ("X25", "311061700956", "\"311061700956\""),
    ("ISDN", "150862028003217", "\"150862028003217\""),
    ("ISDN", "150862028003217 004", "\"150862028003217\" \"004\""),
    ("RT", "2 a.", "2 a."),
    ("NSAP", "0x47.0005.80", "0x47000580"),
    ("NSAP-PTR", "a.", "a."),
    (
        "SIG",
        "A 5 2 60 20300101000000 20200101000000 1 a. AAAA",
        "A 5 2 60 20300101000000 20200101000000 1 a. AAAA",
    ),
    ("KEY", "256 3 RSASHA256 AwEA AQ==", "256 3 8 AwEAAQ=="),
    ("KEY", "49152 3 0", "49152 3 0"),
    ("PX", "10 a. b.", "10 a. b."),
    ("GPOS", "-32.6882 116.8652 10.0", r#""-32.6882" "116.8652" "10.0""#),
    ("AAAA", "2001:DB8::1", "2001:db8::1"),
    ("LOC", "51 30 12.748 N 0 7 39.611 W 0.00m", "51 30 12.748 N 0 7 39.611 W 0.00m 1.00m 10000.00m 10.00m"),
    (
        "LOC",
        "42 S 180 E -100000 0 90000000m 0.01",
        "42 0 0.000 S 180 0 0.000 E -100000.00m 0.00m 90000000.00m 0.01m",
    ),
    ("NXT", r"\# 0", r"\# 0"),
    ("EID", r"\# 1 0 1", r"\# 1 01"),
    ("NIMLOC", r"\# 1 01", r"\# 1 01"),
    ("SRV", "0 5 5060 sip", "0 5 5060 sip.example.org."),
    ("ATMA", r"\# 1 01", r"\# 1 01"),
    ("NAPTR", r#"100 10 "u" "E2U+sip" "!^.*$!sip:a@b!" ."#, r#"100 10 "u" "E2U+sip" "!^.*$!sip:a@b!" ."#),
    ("KX", "10 a.", "10 a."),
    ("CERT", "PKIX 0 ED25519 AAEC", "1 0 15 AAEC"),
    ("A6", r"\# 1 00", r"\# 1 00"),
    ("DNAME", "a.", "a."),
    ("SINK", r"\# 1 00", r"\# 1 00"),
    ("OPT", r"\# 0", r"\# 0"),
    ("APL", "1:192.0.2.0/24 !2:2001:db8::/32 1:0.0.0.0/0", "1:192.0.2.0/24 !2:2001:db8::/32 1:0.0.0.0/0"),
    ("APL", "", ""),
    (
        "DS",
        "60485 5 1 2BB183AF 5F22588179A53B0A98631FAD1A292118",
        "60485 5 1 2BB183AF5F22588179A53B0A98631FAD1A292118",
    ),
    ("SSHFP", "2 3 12ab", "2 3 12AB"),
    ("IPSECKEY", "10 0 2 . AAEC", "10 0 2 . AAEC"),
    ("IPSECKEY", "10 1 2 192.0.2.38 AAEC", "10 1 2 192.0.2.38 AAEC"),
    ("IPSECKEY", "10 2 0 2001:db8::1", "10 2 0 2001:db8::1"),
    ("IPSECKEY", "10 3 2 gw AAEC", "10 3 2 gw.example.org. AAEC"),
    (
        "RRSIG",
        "A 13 2 3600 4294967295 20200101000000 9 a. AAAA",
        "A 13 2 3600 21060207062815 20200101000000 9 a. AAAA",
    ),
    ("NSEC", "b TXT A MX TYPE1234 NSEC", "b.example.org. A MX TXT NSEC TYPE1234"),
    ("DNSKEY", "257 3 13 AAEC", "257 3 13 AAEC"),
    ("DHCID", "AAEC Aw==", "AAECAw=="),
    (
        "NSEC3",
        "1 1 12 aabb 2t7b4g4vsa5smi47k61mv5bv1a22bojr A",
        "1 1 12 AABB 2T7B4G4VSA5SMI47K61MV5BV1A22BOJR A",
    ),
    ("NSEC3", "1 0 0 - 00", "1 0 0 - 00"),
    ("NSEC3PARAM", "1 0 10 -", "1 0 10 -"),
    ("TLSA", "3 1 0 ab cd", "3 1 0 ABCD"),
    ("SMIMEA", "3 1 0 abcd", "3 1 0 ABCD"),
    ("HIP", "2 2001 AAEC a. b", "2 2001 AAEC a. b.example.org."),
    ("HIP", "2 20 AA==", "2 20 AA=="),
    ("NINFO", "a", "\"a\""),
    ("RKEY", "0 3 8 AAEC", "0 3 8 AAEC"),
    ("TALINK", "a. b.", "a. b."),
    ("CDS", "0 0 0 00", "0 0 0 00"),
    ("CDNSKEY", "0 3 0 AA==", "0 3 0 AA=="),
    ("OPENPGPKEY", "AAEC", "AAEC"),
    ("CSYNC", "66 3 A NS AAAA", "66 3 A NS AAAA"),
    ("ZONEMD", "2018031500 1 3 ab", "2018031500 1 3 AB"),
    ("SVCB", "0 svc", "0 svc.example.org."),
    ("SVCB", "1 . key667=hello", "1 . key667=\"hello\""),
    ("SVCB", r#"1 . key667="hello\210qoo""#, r#"1 . key667="hello\210qoo""#),
    (
        "HTTPS",
        r#"16 a. port=53 alpn="h2,h3-19" mandatory=ipv4hint,alpn ipv4hint=192.0.2.1,192.0.2.2"#,
        r#"16 a. mandatory="alpn,ipv4hint" alpn="h2,h3-19" port="53" ipv4hint="192.0.2.1,192.0.2.2""#,
    ),
    (
        "HTTPS",
        r#"1 . alpn="f\\\\oo\\,bar,h2" no-default-alpn"#,
        r#"1 . alpn="f\\\\oo\\,bar,h2" no-default-alpn"#,
    ),
    ("HTTPS", r"1 . alpn=f\\\092oo\092,bar,h2", r#"1 . alpn="f\\\\oo\\,bar,h2""#),
    (
        "HTTPS",
        "1 . ech=AAEC ipv6hint=2001:db8::1 dohpath=/q{?dns} ohttp key3=\\000\\080",
        "1 . port=\"80\" ech=\"AAEC\" ipv6hint=\"2001:db8::1\" dohpath=\"/q{?dns}\" ohttp",
    ),
    ("DSYNC", "CDS NOTIFY 5359 a.", "CDS 1 5359 a."),
    ("SPF", "\"v=spf1 -all\"", "\"v=spf1 -all\""),
    ("NID", "10 14:4fff:ff20:ee64", "10 0014:4FFF:FF20:EE64"),
    ("L32", "10 10.1.2.0", "10 10.1.2.0"),
    ("L64", "10 2001:0db8:1140:1000", "10 2001:0DB8:1140:1000"),
    ("LP", "10 a.", "10 a."),
    ("EUI48", "00-00-5e-00-53-2a", "00-00-5E-00-53-2A"),
    ("EUI64", "00-00-5e-ef-10-00-00-2a", "00-00-5E-EF-10-00-00-2A"),
    ("NXNAME", r"\# 0", r"\# 0"),
    ("TKEY", r"\# 0", r"\# 0"),
    ("TSIG", r"\# 0", r"\# 0"),
    ("IXFR", r"\# 0", r"\# 0"),
    ("AXFR", r"\# 0", r"\# 0"),
    ("MAILB", r"\# 0", r"\# 0"),
    ("MAILA", r"\# 0", r"\# 0"),
    ("ANY", r"\# 0", r"\# 0"),
    ("URI", r#"10 1 "ftp://a/b c""#, r#"10 1 "ftp://a/b c""#),
    ("CAA", "128 iodef mailto:a@b", "128 iodef \"mailto:a@b\""),
    ("CAA", "0 issue \"\"", "0 issue \"\""),
    ("AVC", "a b", "\"a\" \"b\""),
    ("AMTRELAY", "10 0 3 relay", "10 0 3 relay.example.org."),
    ("AMTRELAY", "10 1 1 192.0.2.1", "10 1 1 192.0.2.1"),
    ("AMTRELAY", "128 1 0 .", "128 1 0 ."),
    ("RESINFO", "qnamemin exterr=15-17", "\"qnamemin\" \"exterr=15-17\""),
    ("WALLET", "a", "\"a\""),
    ("CLA", "a", "\"a\""),
    ("TA", "1 8 3 AB", "1 8 3 AB"),
    ("DLV", "1 8 3 AB", "1 8 3 AB"),
    (
        "TYPE65280",
        r"\# 3 ( ab cd ; comment
        ef )",
        r"\# 3 ABCDEF",
    ),
    ("TYPE1", r"\# 4 c0000201", "192.0.2.1"),
    ("A", r"\# 4 c0000201", "192.0.2.1"),
    ("MX", r"\# 5 000a 01 61 00", "10 a."),
];

/// Type, text, the byte at fault, a part of what is said, why.
const BAD: &[(&str, &str, usize, &str, &str)] = &[
    ("A", "192.0.2", 0, "IPv4", "three parts"),
    ("A", "192.0.2.1 x", 10, "must end", "one field too many"),
    ("A", "", 0, "too early", "one field too few"),
    ("AAAA", "192.0.2.1", 0, "IPv6", "the other family"),
    ("MX", "mail 10", 0, "65535", "fields the wrong way round"),
    ("MX", "+5 a.", 0, "65535", "no sign"),
    ("MX", "65536 a.", 0, "65535", "more than two bytes"),
    ("MX", "10 a..b", 3, "empty", "a name with two dots"),
    ("MX", "10 \"a\"", 3, "quotes", "a name in quotes"),
    ("MX", "10 ü.", 3, "xn--", "a U-label"),
    ("SOA", "a. b. 1 2 3 4", 13, "too early", "six of seven"),
    ("SOA", "a. b. 1 2 3 4 5x", 14, "1h30m", "no such unit"),
    ("TXT", "", 0, "too early", "no string"),
    ("TXT", "\"a", 0, "end on its line", "an open quote"),
    ("TXT", r"\256", 0, "255", "no such byte"),
    ("TXT", r"a \1", 2, "three digits", "a short escape"),
    ("HINFO", "a", 1, "too early", "one string of two"),
    ("ISDN", "a b c", 4, "must end", "three of at most two"),
    ("NULL", "00", 0, "RFC 3597", "no text form"),
    ("TYPE65280", "abcd", 0, "RFC 3597", "unknown types too"),
    ("TYPE65280", r"\# 2 ab", 3, "1 bytes follow", "a wrong length"),
    ("TYPE65280", r"\# 1 abc", 3, "pairs", "half a byte"),
    ("TYPE65280", r"\# 65536 00", 3, "65535", "too long"),
    ("TYPE65280", r"\# 1 0g", 6, "hex", "no digit"),
    ("A", r"\# 3 c00002", 0, "type A", "no address"),
    ("MX", r"\# 4 000a c00c", 0, "type MX", "a compressed name"),
    ("CAA", r"\# 3 00 00 61", 0, "type CAA", "an empty tag"),
    ("DS", "1 FOO 1 ab", 2, "or its name", "no algorithm"),
    ("DS", "1 8 1", 5, "too early", "no digest"),
    ("DS", "1 8 1 abc", 6, "pairs", "half a byte"),
    ("DS", "1 8 2 abcd", 6, "2 bytes", "half a digest"),
    ("DS", "1 8 9 \"\"", 6, "0 bytes", "an empty digest"),
    ("TLSA", "3 1 1 abcd", 6, "2 bytes", "no SHA-256"),
    ("SSHFP", "4 2 abcd", 4, "2 bytes", "no SHA-256"),
    ("RRSIG", "A 8 2 1h 0 0 1 a. AAAA", 6, "4294967295", "units in an original TTL"),
    ("DNSKEY", "256 3 8 AAE", 8, "groups of four", "cut off"),
    ("DNSKEY", "256 3 8 AB==", 8, "groups of four", "bits left over"),
    ("DNSKEY", "256 3 8 AA==AA==", 12, "end at its =", "two pieces"),
    ("DNSKEY", "256 3 8 A*AA", 9, "base64", "no digit"),
    ("RRSIG", "FOO 8 2 60 0 0 1 a. AAAA", 0, "record type", "no type"),
    ("RRSIG", "A 8 2 60 20231301000000 0 1 a. AAAA", 9, "YYYYMMDD", "no month"),
    ("NSEC", "a. A FOO", 5, "record type", "no type in the bitmap"),
    ("NSEC3", "1 0 1 abc 00", 6, "pairs", "half a byte of salt"),
    ("NSEC3", "1 0 1 - 0", 8, "whole bytes", "half a hash"),
    ("NSEC3", "1 0 1 - w0", 8, "base32hex", "no digit"),
    ("LOC", "91 N 0 E 0", 3, "90°", "beyond the pole"),
    ("LOC", "N 0 E 0", 0, "first", "no degrees"),
    ("LOC", "1 60 N 0 E 0", 2, "latitude", "sixty minutes"),
    ("LOC", "1 1 1 1 N 0 E 0", 6, "latitude", "four parts"),
    ("LOC", "1 N 1 N 0", 6, "longitude", "the wrong letter"),
    ("LOC", "1 N 1 E 0.001m", 8, "altitude", "less than a centimetre"),
    ("LOC", "1 N 1 E -100001", 8, "altitude", "too deep"),
    ("LOC", "1 N 1 E 0 100000000", 10, "90000000", "too large"),
    ("LOC", "1 N 1 E 0 1 1 1 1", 16, "must end", "one size too many"),
    ("APL", "1:192.0.2.0/33", 0, "192.0.2.0/24", "too long"),
    ("APL", "2:192.0.2.0/24", 0, "192.0.2.0/24", "the wrong family"),
    ("APL", "3:00/1", 0, "192.0.2.0/24", "no such family"),
    ("NSAP", "470005", 0, "0x47", "no 0x"),
    ("NSAP", "0x", 0, "0x47", "nothing behind it"),
    ("EUI48", "00-00-5e-00-53", 0, "6 groups", "five groups"),
    ("EUI48", "00-00-5e-00-53-2a-00", 0, "6 groups", "seven"),
    ("L64", "10 2001:db8:1140:1000:1", 3, "4 hex", "five groups"),
    ("IPSECKEY", "10 4 2 . AAAA", 3, "0 to 3", "no such kind"),
    ("IPSECKEY", "10 1 2 2001:db8::1 AAAA", 7, "IPv4", "the wrong family"),
    ("IPSECKEY", "10 0 2 gw AAAA", 7, "must be .", "a gateway where none is"),
    ("AMTRELAY", "10 2 1 192.0.2.1", 3, "0 or 1", "no bit"),
    ("HIP", "2 abc AAEC", 2, "pairs", "half a byte"),
    ("HIP", "2 ab", 4, "too early", "no key"),
    ("CAA", "0 is-sue x", 2, "letters and digits", "a dash"),
    ("URI", "1 1 \"\"", 4, "empty", "no target"),
    ("HTTPS", "1 . alpn", 4, "ALPN", "no id"),
    ("HTTPS", "1 . alpn=h2,,h3", 4, "ALPN", "an empty id"),
    ("HTTPS", "1 . port=99999", 4, "65535", "no port"),
    ("HTTPS", "1 . port=1 port=2", 11, "twice", "a key again"),
    ("HTTPS", "1 . foo=1", 4, "parameter", "no such key"),
    ("HTTPS", "1 . key65535=1", 4, "parameter", "the reserved key"),
    ("HTTPS", "1 . key01=1", 4, "parameter", "a leading zero"),
    ("HTTPS", "1 . mandatory=port", 3, "present", "a key that is not there"),
    ("HTTPS", "1 . mandatory=mandatory", 4, "itself", "mandatory is not mandatory"),
    ("HTTPS", "1 . mandatory=port,port port=1", 4, "distinct", "twice in the list"),
    ("HTTPS", "1 . no-default-alpn", 3, "with alpn", "alone"),
    ("HTTPS", "1 . no-default-alpn=x alpn=h2", 4, "no value", "a value"),
    ("HTTPS", "1 . ipv4hint=", 4, "IPv4", "no address"),
    ("HTTPS", "1 . ech=", 4, "value", "nothing"),
    ("HTTPS", "1 . alpn=\"h2", 9, "end on its line", "an open quote"),
];

fn origin() -> Name {
    Name::scan_absolute("example.org").unwrap()
}

fn check((mnemonic, text): (&str, &str)) -> Result<(Rtype, Vec<u8>, String), ScanError> {
    let rtype: Rtype = mnemonic.parse().unwrap();
    let wire = scan(rtype, text, &origin())?;
    let shown = display(rtype, &wire);
    assert!(fits(rtype, &wire), "{mnemonic} {text}: what was scanned must fit");
    assert_eq!(scan(rtype, &shown, &origin()).as_deref(), Ok(&wire[..]), "{mnemonic} {text}: round trip");
    Ok((rtype, wire, shown))
}

#[test]
fn good_rows() {
    for &(mnemonic, text, want) in GOOD {
        match check((mnemonic, text)) {
            Ok((.., shown)) => assert_eq!(shown, want, "{mnemonic} {text}"),
            Err(error) => panic!("{mnemonic} {text}: {}: {error}", error.at),
        }
    }
}

#[test]
fn every_type_has_an_example() {
    for number in 0..=u16::MAX {
        if let Some(known) = mnemonic(Rtype(number)) {
            assert!(GOOD.iter().any(|(row, ..)| *row == known), "{known} has no row");
        }
    }
}

#[test]
fn bad_rows() {
    for &(mnemonic, text, at, part, why) in BAD {
        match check((mnemonic, text)) {
            Ok((.., shown)) => panic!("{mnemonic} {text}: {why}: scanned as {shown}"),
            Err(error) => {
                assert!(error.what.contains(part), "{mnemonic} {text}: {why}: {error}");
                assert_eq!(error.at, at, "{mnemonic} {text}: {why}: {error}");
            }
        }
    }
}

#[test]
fn long_fields() {
    let string = "a".repeat(256);
    let texts = "\"\" ".repeat(MAX_RDATA + 1);
    let hex = "ab".repeat(MAX_RDATA);
    let rows = [
        ("TXT", string.clone(), Some("255 bytes"), "one string"),
        ("TXT", texts[3..].to_owned(), None, "as many strings as fit"),
        ("TXT", texts, Some("65535 bytes"), "one more"),
        ("OPENPGPKEY", "AAAA".repeat(21_846), Some("65535 bytes"), "base64"),
        ("NSEC3PARAM", format!("1 0 0 {}", "ab".repeat(256)), Some("255 bytes"), "salt"),
        ("HTTPS", format!("1 . alpn={string}"), Some("255 bytes"), "an ALPN id"),
        ("TYPE65280", format!("\\# 65535 {hex}"), None, "the most opaque data"),
    ];
    for (mnemonic, text, want, why) in rows {
        match (check((mnemonic, &text)), want) {
            (Ok(_), None) => {}
            (Err(error), Some(part)) => assert!(error.what.contains(part), "{mnemonic}: {why}: {error}"),
            (got, want) => panic!("{mnemonic}: {why}: wanted {want:?}, got {:?}", got.map(|row| row.1.len())),
        }
    }
}

#[test]
fn names_inside() {
    // `c` compressible, `a` additional, `-` neither.
    let rows = [
        ("NS", "a.", "ca", "both"),
        ("SOA", "a. b. 1 2 3 4 5", "c c", "two names"),
        ("MX", "10 a.", "ca", "behind a number"),
        ("SRV", "0 0 1 a.", "a", "RFC 3597: not compressible"),
        ("HTTPS", "1 a. alpn=h2", "a", "the target"),
        ("RP", "a. b.", "- -", "younger than RFC 1035"),
        ("HIP", "2 20 AA== a.", "", "opaque to composers"),
        ("TXT", "a.", "", "no name"),
    ];
    for (mnemonic, text, want, why) in rows {
        let (rtype, wire, _) = check((mnemonic, text)).unwrap();
        let shown = |name: &EmbeddedName| match (name.compressible, name.additional) {
            (true, true) => "ca",
            (true, false) => "c",
            (false, true) => "a",
            (false, false) => "-",
        };
        let found = names(rtype, &wire);
        for name in &found {
            assert!(Name::from_wire(&wire[name.range.clone()]).is_ok(), "{mnemonic}");
        }
        assert_eq!(found.iter().map(shown).collect::<Vec<_>>().join(" "), want, "{mnemonic}: {why}");
    }
}

#[test]
fn canonical_form() {
    let rows = [
        ("NS", "A.", "a.", "RFC 4034 §6.2"),
        ("NSEC", "A. A", "A. A", "taken out by RFC 6840 §5.1"),
        ("HTTPS", "1 A.", "1 A.", "younger than the list"),
        ("TXT", "A", "\"A\"", "no name"),
    ];
    for (mnemonic, text, want, why) in rows {
        let (rtype, wire, _) = check((mnemonic, text)).unwrap();
        assert_eq!(display(rtype, &canonical(rtype, &wire)), want, "{mnemonic}: {why}");
    }
}

proptest! {
    /// Bytes that fit a type display as text that scans back to them.
    #[test]
    fn round_trip(
        row in 0..GOOD.len(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        cut in any::<prop::sample::Index>(),
        cutting in prop::bool::weighted(0.1),
    ) {
        let (rtype, mut wire, _) = check((GOOD[row].0, GOOD[row].1)).unwrap();
        for (at, byte) in changes {
            if !wire.is_empty() {
                let at = at.index(wire.len());
                wire[at] = byte;
            }
        }
        if cutting && !wire.is_empty() {
            wire.truncate(cut.index(wire.len()));
        }
        let shown = display(rtype, &wire);
        if fits(rtype, &wire) {
            prop_assert_eq!(scan(rtype, &shown, &origin()), Ok(wire), "{} {}", rtype, shown);
        } else {
            prop_assert!(shown.starts_with("\\# "));
        }
    }

    /// No text makes a scanner panic, and what it accepts fits.
    #[test]
    fn any_text(row in 0..GOOD.len(), text in "[ -~\\n]{0,40}", numbers in "[0-9 .:a-fNE\\-]{0,30}") {
        let rtype: Rtype = GOOD[row].0.parse().unwrap();
        for text in [text, numbers] {
            if let Ok(wire) = scan(rtype, &text, &origin()) {
                prop_assert!(fits(rtype, &wire), "{} {}", rtype, text);
            }
        }
    }

    #[test]
    fn any_bytes(number in any::<u16>(), wire in prop::collection::vec(any::<u8>(), 0..64)) {
        for rtype in [Rtype(number), Rtype(number % 66)] {
            let shown = display(rtype, &wire);
            prop_assert!(names(rtype, &wire).iter().all(|name| name.range.end <= wire.len()));
            prop_assert_eq!(canonical(rtype, &wire).len(), wire.len());
            if fits(rtype, &wire) {
                prop_assert_eq!(scan(rtype, &shown, &origin()), Ok(wire.clone()), "{} {}", rtype, shown);
            }
        }
    }
}
