//! What the corpus of `testdata/zones` cannot say: what the policy adds,
//! files that are not there, limits, and texts that nobody wrote.

use proptest::prelude::*;

use super::*;
use crate::files::ReadError;
use crate::rdata;
use crate::record::RecordRef;

const TOP: &str = "$TTL 60\n@ SOA ns.x. h.x. 1 2 3 4 5\n NS ns.x.\n";

/// Answers every path with a text that the path selects.
struct Memory;

impl Files for Memory {
    fn read(&self, _: &str, path: &str) -> Result<(String, Vec<u8>), ReadError> {
        let text = match path.split_once(':') {
            // Each file includes the next.
            Some(("nest", depth)) => format!("$INCLUDE nest:{depth}1\n").into_bytes(),
            Some(("text", text)) => text.replace('~', " ").into_bytes(),
            // Zeros that nobody touches take no memory.
            _ if path == "huge" => vec![0; 1 << 30],
            _ => return Err(ReadError("no such file".to_owned())),
        };
        Ok((path.to_owned(), text))
    }
}

fn name(text: &str) -> Name {
    Name::scan_absolute(text).unwrap()
}

/// Reads a zone `z`; its records or what is wrong with it.
fn read(bytes: &[u8], steered: &[&str], defaults: &[Record]) -> (Option<Vec<String>>, Vec<String>) {
    let steered: Vec<Name> = steered.iter().map(|text| name(text)).collect();
    let mut out = Diagnostics::default();
    let zone = ZoneData::read(
        &ZoneSource { apex: &name("z"), path: "f", bytes, files: &Memory, steered: &steered, defaults },
        &mut out,
    );
    let line = |record: RecordRef<'_>| {
        let RecordRef { owner, rtype, ttl, rdata } = record;
        format!("{owner} {ttl} {rtype} {}", rdata::display(rtype, rdata))
    };
    let records = zone.map(|zone| zone.records.iter().map(line).collect());
    (records, out.iter().map(ToString::to_string).collect())
}

/// Reads the text below the usual top; what is said must be `want`.
fn check(text: &str, steered: &[&str], want: &[&str], why: &str) {
    let (records, said) = read(format!("{TOP}{text}").as_bytes(), steered, &[]);
    assert_eq!(said, want, "{text}: {why}");
    assert_eq!(records.is_none(), want.iter().any(|line| !line.contains("warning")), "{text}: {why}");
}

#[test]
fn steered_names() {
    let clash = |line: &str| format!("{line}: must not stand at a name that a service of the policy answers");
    let rows: &[(&str, &[&str], &[&str], &str)] = &[
        ("www A 192.0.2.1", &["www.z"], &[&clash("f:4:1: www.z: A")], "the policy answers A"),
        ("www TXT x\n CAA 0 issue x", &["WWW.z"], &[], "and leaves the rest"),
        ("@ MX 10 @\n A 192.0.2.1", &["z"], &[&clash("f:5:2: z: A")], "the apex keeps its SOA and NS"),
        ("www NS ns.x.", &["www.z"], &[], "a cut is reported by the policy"),
        ("www DNAME x.", &["www.z"], &[&clash("f:4:1: www.z: DNAME")], "a DNAME is not ours to answer"),
        ("@ DNAME x.", &["z"], &[], "but may stand at the apex"),
        ("* A 192.0.2.1", &["*.z"], &[&clash("f:4:1: *.z: A")], "a wildcard is a name"),
        ("* A 192.0.2.1", &["www.z"], &[], "and only that"),
        ("@ MX 10 www\n@ NS www", &["www.z"], &[], "a steered host has addresses"),
        ("@ MX 10 a.b", &["*.b.z"], &[], "also by wildcard"),
        (
            "@ MX 10 a.c",
            &["*.b.z"],
            &["f:4:1: warning: z: MX: a.c.z has no A or AAAA record"],
            "another name",
        ),
    ];
    for (text, steered, want, why) in rows {
        check(text, steered, want, why);
    }
}

#[test]
fn defaults() {
    let record = |owner: &str, rtype: Rtype, text: &str| {
        let rdata = rdata::scan(rtype, text, &Name::root()).unwrap().into();
        Record { owner: name(owner), rtype, ttl: 9, rdata }
    };
    let defaults = [
        record("z", Rtype::SOA, "ns.z h.z 1 2 3 4 5"),
        record("z", Rtype::NS, "ns.z"),
        record("ns.z", Rtype::A, "192.0.2.1"),
    ];
    let (soa, ns, a) = ("z 9 SOA ns.z. h.z. 1 2 3 4 5", "z 9 NS ns.z.", "ns.z 9 A 192.0.2.1");
    let rows: &[(&str, &[&str], &str)] = &[
        ("", &[soa, ns, a], "no file"),
        ("@ 1 TXT x", &["z 9 NS ns.z.", soa, "z 1 TXT \"x\"", a], "a file without SOA and NS"),
        ("@ 1 NS n.x.", &["z 1 NS n.x.", soa], "NS of the file: default servers and glue go"),
        ("@ 1 SOA n. h. 7 2 3 4 5", &[ns, "z 1 SOA n. h. 7 2 3 4 5", a], "SOA of the file"),
    ];
    for (text, want, why) in rows {
        let (records, said) = read(text.as_bytes(), &[], &defaults);
        let mut want = want.to_vec();
        want.sort_by_key(|line| (line.starts_with("ns"), line.contains("TXT"), line.contains("SOA")));
        assert_eq!(records.unwrap_or_default(), want, "{text}: {why}: {said:?}");
    }
    let (records, said) = read(b"ns 1 CNAME x.", &[], &defaults);
    assert_eq!(
        (records, said),
        (None, vec!["f: ns.z: A: must not stand beside a CNAME (RFC 1034 §3.6.2)".to_owned()])
    );
    let (records, said) = read(b"", &[], &defaults[..2]);
    assert_eq!(
        (records.map(|list| list.len()), said),
        (Some(2), vec![]),
        "their hosts are the giver's business"
    );
}

#[test]
fn canonical_order() {
    let text = "b A 192.0.2.1\n*.b A 192.0.2.1\na.b A 192.0.2.1\nB-b A 192.0.2.1\n\\001.b A 192.0.2.1\n\
        \\000.b A 192.0.2.1\nA AAAA ::1\na A 192.0.2.2\n A 192.0.2.10\n\\200 A 192.0.2.1\n";
    let (records, _) = read(format!("{TOP}{text}").as_bytes(), &[], &[]);
    let records = records.unwrap();
    let owners: Vec<&str> = records.iter().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(
        owners,
        [
            "z",
            "z",
            "a.z",
            "a.z",
            "a.z",
            "b.z",
            r"\000.b.z",
            r"\001.b.z",
            "*.b.z",
            "a.b.z",
            "B-b.z",
            r"\200.z"
        ]
    );
    assert!(records[2].ends_with("192.0.2.2") && records[3].ends_with("192.0.2.10"), "by wire, not by text");
    let mut names: Vec<Name> = owners.iter().map(|text| name(text)).collect();
    names.sort();
    assert_eq!(names.iter().map(Name::to_string).collect::<Vec<_>>(), owners, "as names compare");
}

#[test]
fn limits() {
    let include = "$INCLUDE text:;\n".repeat(10_001);
    let bad = "x A y\n".repeat(2_000);
    let many = "a A ".to_owned() + &")".repeat(200_000);
    let cases: [(&str, usize, &str, &str); 6] = [
        ("$INCLUDE nest:1", 1, "must nest at most 16 deep", "files in files"),
        (&include, 1, "must occur at most 10000 times", "files after files"),
        ("$INCLUDE huge", 1, "must be at most 1073741824 bytes together", "a file too large"),
        (&bad, 1_000, "too many mistakes: the rest is not read", "mistake after mistake"),
        (&many, 1_000, "too many mistakes: the rest is not read", "on one line"),
        ("$GENERATE 0-1048576 a$ A 192.0.2.1", 1, "at most 1048576 records", "a range too large"),
    ];
    for (text, errors, last, why) in cases {
        let (records, said) = read(format!("{TOP}{text}").as_bytes(), &[], &[]);
        assert!(records.is_none(), "{why}");
        assert_eq!(said.len(), errors, "{why}: {:?}", said.first());
        assert!(said.iter().any(|line| line.contains(last)), "{why}: {:?}", said.last());
    }
}

proptest! {
    /// No bytes make the scanner panic.
    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        read(&bytes, &["a.z"], &[]);
    }

    /// No text of the characters that mean something does either.
    #[test]
    fn any_text(text in "([a-c@*.$ \\t\\n();\"\\\\0-9:={}-]|A |MX |TXT |IN |\\$INCLUDE text:a~A~b|\\$GENERATE 1-2 ){0,60}") {
        read(text.as_bytes(), &["a.z"], &[]);
        read(format!("{TOP}{text}").as_bytes(), &["a.z"], &[]);
    }

    /// Nor does a real zone with bytes changed, cut out or put in twice; and
    /// what is read is in order.
    #[test]
    fn mutated(
        zone in 0..3usize,
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<u8>(), 0..4u8), 1..6),
    ) {
        let mut bytes = [
            &include_bytes!("../../../testdata/zones/good/types.zone")[..],
            include_bytes!("../../../testdata/zones/good/generate.zone"),
            include_bytes!("../../../testdata/zones/good/delegations.zone"),
        ][zone].to_vec();
        for (at, length, byte, kind) in edits {
            let at = at.index(bytes.len());
            let end = (at + length.index(40)).min(bytes.len());
            match kind {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, b" \n()\";$@\\."[usize::from(byte % 10)]),
                2 => drop(bytes.drain(at..end)),
                _ => bytes.extend_from_within(at..end),
            }
            if bytes.is_empty() {
                bytes.push(byte);
            }
        }
        let mut out = Diagnostics::default();
        let apex = name("example.com");
        let source = ZoneSource { apex: &apex, path: "f", bytes: &bytes, files: &Memory, steered: &[], defaults: &[] };
        if let Some(zone) = ZoneData::read(&source, &mut out) {
            let key = |record: RecordRef<'_>| (record.owner.to_name(), record.rtype);
            prop_assert!(zone.records.iter().is_sorted_by_key(key));
            prop_assert!(zone.records.iter().all(|record| rdata::fits(record.rtype, record.rdata)));
        } else {
            prop_assert!(out.refuse());
        }
    }
}
