//! Every record type as one row: mnemonic, number, fields.
//!
//! The IANA registry "DNS Parameters", sorted by number. Text → wire, wire →
//! text, the check of wire data and the search for names inside it all walk
//! the same row, so a new type is a new line here. What needs code of its
//! own (LOC, APL, SVCB, gateways, HIP) is still one field of a row.
//!
//! Types without a presentation form in use (NULL, A6, NXT …) and those that
//! are not data (ANY, OPT …) have rows for their mnemonics alone: the former
//! are written as RFC 3597 `\#`, the latter have no place in a zone.

/// One kind of field, on the wire and in text.
#[derive(Clone, Copy, Debug)]
pub(super) enum Field {
    /// One byte, decimal.
    U8,
    /// Two bytes, decimal.
    U16,
    /// Four bytes, decimal.
    U32,
    /// Four bytes of seconds, decimal or with units (`1h30m`).
    Seconds,
    /// Four bytes of time since 1970, `YYYYMMDDHHmmSS` (RFC 4034 §3.2).
    Time,
    /// One byte, decimal or one of these words.
    Code8(&'static [(&'static str, u8)]),
    /// Two bytes, decimal or one of these words.
    Code16(&'static [(&'static str, u16)]),
    /// Two bytes, a record type by mnemonic.
    Type,
    /// A domain name.
    Name(NameKind),
    /// An IPv4 address.
    Ip4,
    /// An IPv6 address.
    Ip6,
    /// This many bytes as hex pairs with `-` between (RFC 7043).
    Eui(usize),
    /// Eight bytes as four groups of hex with `:` between (RFC 6742).
    Locator,
    /// Bytes as hex after `0x`, dots ignored (RFC 1706).
    Nsap,
    /// One character string.
    Text,
    /// Zero or one character string at the end.
    OptionalText,
    /// One or more character strings to the end.
    Texts,
    /// All the rest as one text, its length not on the wire; the flag says
    /// whether it may be empty.
    Rest(bool),
    /// The property tag of CAA: letters and digits (RFC 8659 §4.1).
    Tag,
    /// All the rest as hex, at least one byte; where the byte before it is
    /// one of these kinds, exactly so many.
    Hex(&'static [(u8, usize)]),
    /// All the rest as base64; the flag says whether it may be absent.
    Base64(bool),
    /// Length and bytes as hex, `-` when empty (RFC 5155 §3.3).
    Salt,
    /// Length and bytes as base32hex (RFC 5155 §3.3).
    Hash,
    /// A type bitmap (RFC 4034 §4.1.2).
    Types,
    /// RFC 1876.
    Location,
    /// RFC 3123.
    Prefixes,
    /// RFC 9460 §2.2.
    Parameters,
    /// One byte whose low bits give the kind of the later gateway.
    GatewayKind,
    /// The discovery bit and the kind of the later gateway (RFC 8777 §4.2).
    RelayKind,
    /// Nothing, an address or a name, as byte 1 of the data says (RFC 4025).
    Gateway,
    /// RFC 8005 §5, whole.
    HostIdentity,
    /// All the rest, only as RFC 3597 has it.
    Opaque,
}

/// How a name inside record data may be treated.
#[derive(Clone, Copy, Debug)]
pub(super) struct NameKind {
    /// Compressible in answers: types of RFC 1035 only (RFC 3597 §4).
    pub(super) compressible: bool,
    /// In lower case in canonical form (RFC 4034 §6.2, RFC 6840 §5.1).
    pub(super) folded: bool,
    /// Its addresses belong in the additional section.
    pub(super) additional: bool,
}

/// A record type.
pub(super) struct Row {
    pub(super) mnemonic: &'static str,
    pub(super) number: u16,
    pub(super) fields: &'static [Field],
}

/// The row of a mnemonic, whatever its case.
pub(super) fn by_mnemonic(text: &str) -> Option<&'static Row> {
    ROWS.iter().find(|row| row.mnemonic.eq_ignore_ascii_case(text))
}

/// The row of a number.
pub(super) fn by_number(number: u16) -> Option<&'static Row> {
    ROWS.binary_search_by_key(&number, |row| row.number).ok().map(|index| &ROWS[index])
}

/// The fields of a type, known or not.
pub(super) fn fields(number: u16) -> &'static [Field] {
    by_number(number).map_or(OPAQUE, |row| row.fields)
}

const OLD: Field = name([true, true, false]);
const OLD_HOST: Field = name([true, true, true]);
const FOLDED: Field = name([false, true, false]);
const FOLDED_HOST: Field = name([false, true, true]);
const EXACT: Field = name([false, false, false]);
const EXACT_HOST: Field = name([false, false, true]);

const fn name([compressible, folded, additional]: [bool; 3]) -> Field {
    Field::Name(NameKind { compressible, folded, additional })
}

/// <https://www.iana.org/assignments/dns-sec-alg-numbers>
const ALGORITHM: Field = Field::Code8(&[
    ("RSAMD5", 1),
    ("DH", 2),
    ("DSA", 3),
    ("RSASHA1", 5),
    ("DSA-NSEC3-SHA1", 6),
    ("NSEC3DSA", 6),
    ("RSASHA1-NSEC3-SHA1", 7),
    ("NSEC3RSASHA1", 7),
    ("RSASHA256", 8),
    ("RSASHA512", 10),
    ("ECC-GOST", 12),
    ("ECCGOST", 12),
    ("ECDSAP256SHA256", 13),
    ("ECDSAP384SHA384", 14),
    ("ED25519", 15),
    ("ED448", 16),
    ("INDIRECT", 252),
    ("PRIVATEDNS", 253),
    ("PRIVATEOID", 254),
]);

/// RFC 4398 §2.1
const CERTIFICATE: Field = Field::Code16(&[
    ("PKIX", 1),
    ("SPKI", 2),
    ("PGP", 3),
    ("IPKIX", 4),
    ("ISPKI", 5),
    ("IPGP", 6),
    ("ACPKIX", 7),
    ("IACPKIX", 8),
    ("URI", 253),
    ("OID", 254),
]);

/// RFC 9859 §2.3
const SCHEME: Field = Field::Code8(&[("NOTIFY", 1)]);

const OPAQUE: &[Field] = &[Field::Opaque];
/// Digest types and their lengths (IANA "DS RR Type Digest Algorithms").
const DIGEST: &[Field] = &[Field::U16, ALGORITHM, Field::U8, Field::Hex(&[(1, 20), (2, 32), (4, 48)])];
const KEY: &[Field] = &[Field::U16, Field::U8, ALGORITHM, Field::Base64(true)];
const SIGNATURE: &[Field] = &[
    Field::Type,
    ALGORITHM,
    Field::U8,
    Field::U32,
    Field::Time,
    Field::Time,
    Field::U16,
    FOLDED,
    Field::Base64(false),
];
/// Matching types and their lengths (RFC 6698 §2.1.3).
const ASSOCIATION: &[Field] = &[Field::U8, Field::U8, Field::U8, Field::Hex(&[(1, 32), (2, 64)])];
const BINDING: &[Field] = &[Field::U16, EXACT_HOST, Field::Parameters];

const fn row(mnemonic: &'static str, number: u16, fields: &'static [Field]) -> Row {
    Row { mnemonic, number, fields }
}

#[rustfmt::skip]
pub(super) static ROWS: &[Row] = &[
    row("A", 1, &[Field::Ip4]),
    row("NS", 2, &[OLD_HOST]),
    row("MD", 3, &[OLD]),
    row("MF", 4, &[OLD]),
    row("CNAME", 5, &[OLD]),
    row("SOA", 6, &[OLD, OLD, Field::U32, Field::Seconds, Field::Seconds, Field::Seconds, Field::Seconds]),
    row("MB", 7, &[OLD]),
    row("MG", 8, &[OLD]),
    row("MR", 9, &[OLD]),
    row("NULL", 10, OPAQUE),
    row("WKS", 11, OPAQUE),
    row("PTR", 12, &[OLD]),
    row("HINFO", 13, &[Field::Text, Field::Text]),
    row("MINFO", 14, &[OLD, OLD]),
    row("MX", 15, &[Field::U16, OLD_HOST]),
    row("TXT", 16, &[Field::Texts]),
    row("RP", 17, &[FOLDED, FOLDED]),
    row("AFSDB", 18, &[Field::U16, FOLDED_HOST]),
    row("X25", 19, &[Field::Text]),
    row("ISDN", 20, &[Field::Text, Field::OptionalText]),
    row("RT", 21, &[Field::U16, FOLDED_HOST]),
    row("NSAP", 22, &[Field::Nsap]),
    row("NSAP-PTR", 23, &[EXACT]),
    row("SIG", 24, SIGNATURE),
    row("KEY", 25, KEY),
    row("PX", 26, &[Field::U16, FOLDED, FOLDED]),
    row("GPOS", 27, &[Field::Text, Field::Text, Field::Text]),
    row("AAAA", 28, &[Field::Ip6]),
    row("LOC", 29, &[Field::Location]),
    row("NXT", 30, OPAQUE),
    row("EID", 31, OPAQUE),
    row("NIMLOC", 32, OPAQUE),
    row("SRV", 33, &[Field::U16, Field::U16, Field::U16, FOLDED_HOST]),
    row("ATMA", 34, OPAQUE),
    row("NAPTR", 35, &[Field::U16, Field::U16, Field::Text, Field::Text, Field::Text, FOLDED]),
    row("KX", 36, &[Field::U16, FOLDED_HOST]),
    row("CERT", 37, &[CERTIFICATE, Field::U16, ALGORITHM, Field::Base64(false)]),
    row("A6", 38, OPAQUE),
    row("DNAME", 39, &[FOLDED]),
    row("SINK", 40, OPAQUE),
    row("OPT", 41, OPAQUE),
    row("APL", 42, &[Field::Prefixes]),
    row("DS", 43, DIGEST),
    row("SSHFP", 44, &[Field::U8, Field::U8, Field::Hex(&[(1, 20), (2, 32)])]),
    row("IPSECKEY", 45, &[Field::U8, Field::GatewayKind, Field::U8, Field::Gateway, Field::Base64(true)]),
    row("RRSIG", 46, SIGNATURE),
    row("NSEC", 47, &[EXACT, Field::Types]),
    row("DNSKEY", 48, &[Field::U16, Field::U8, ALGORITHM, Field::Base64(false)]),
    row("DHCID", 49, &[Field::Base64(false)]),
    row("NSEC3", 50, &[Field::U8, Field::U8, Field::U16, Field::Salt, Field::Hash, Field::Types]),
    row("NSEC3PARAM", 51, &[Field::U8, Field::U8, Field::U16, Field::Salt]),
    row("TLSA", 52, ASSOCIATION),
    row("SMIMEA", 53, ASSOCIATION),
    row("HIP", 55, &[Field::HostIdentity]),
    row("NINFO", 56, &[Field::Texts]),
    row("RKEY", 57, &[Field::U16, Field::U8, ALGORITHM, Field::Base64(false)]),
    row("TALINK", 58, &[EXACT, EXACT]),
    row("CDS", 59, DIGEST),
    row("CDNSKEY", 60, &[Field::U16, Field::U8, ALGORITHM, Field::Base64(false)]),
    row("OPENPGPKEY", 61, &[Field::Base64(false)]),
    row("CSYNC", 62, &[Field::U32, Field::U16, Field::Types]),
    row("ZONEMD", 63, &[Field::U32, Field::U8, Field::U8, Field::Hex(&[(1, 48), (2, 64)])]),
    row("SVCB", 64, BINDING),
    row("HTTPS", 65, BINDING),
    row("DSYNC", 66, &[Field::Type, SCHEME, Field::U16, EXACT]),
    row("SPF", 99, &[Field::Texts]),
    row("NID", 104, &[Field::U16, Field::Locator]),
    row("L32", 105, &[Field::U16, Field::Ip4]),
    row("L64", 106, &[Field::U16, Field::Locator]),
    row("LP", 107, &[Field::U16, EXACT]),
    row("EUI48", 108, &[Field::Eui(6)]),
    row("EUI64", 109, &[Field::Eui(8)]),
    row("NXNAME", 128, OPAQUE),
    row("TKEY", 249, OPAQUE),
    row("TSIG", 250, OPAQUE),
    row("IXFR", 251, OPAQUE),
    row("AXFR", 252, OPAQUE),
    row("MAILB", 253, OPAQUE),
    row("MAILA", 254, OPAQUE),
    row("ANY", 255, OPAQUE),
    row("URI", 256, &[Field::U16, Field::U16, Field::Rest(false)]),
    row("CAA", 257, &[Field::U8, Field::Tag, Field::Rest(true)]),
    row("AVC", 258, &[Field::Texts]),
    row("AMTRELAY", 260, &[Field::U8, Field::RelayKind, Field::Gateway]),
    row("RESINFO", 261, &[Field::Texts]),
    row("WALLET", 262, &[Field::Texts]),
    row("CLA", 263, &[Field::Texts]),
    row("TA", 32768, DIGEST),
    row("DLV", 32769, DIGEST),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_sorted_and_mnemonics_distinct() {
        for pair in ROWS.windows(2) {
            assert!(pair[0].number < pair[1].number, "{} is out of order", pair[1].mnemonic);
        }
        for row in ROWS {
            assert_eq!(by_mnemonic(row.mnemonic).map(|found| found.number), Some(row.number));
            assert!(!row.fields.is_empty(), "{} has no field", row.mnemonic);
        }
    }
}
