//! Requests and what comes of them, by `dig`.

use super::support::dig::dig;
use super::support::programs::{fresh_directory, missing};
use super::{SECRET, serve};

/// Words for dig, whether records are expected and text that must be there, why.
const ROWS: &[(&str, &[&str], &str)] = &[
    (
        "example.com AXFR",
        &[
            "XFR size: 19 records",
            "Mail.example.com.\t3600\tIN\tA\t192.0.2.30",
            "www.example.com.\t40\tIN\tA\t192.0.2.2",
            "*.apps.example.com.\t30\tIN\tCNAME\tapps.example.org.",
            "ns.child.example.com.\t3600\tIN\tA\t192.0.2.33",
        ],
        "static records in their own case, glue, and services as the view has them",
    ),
    ("EXAMPLE.com AXFR +noedns", &["XFR size: 19 records"], "whatever the case of the question"),
    ("example.com IXFR=999", &["XFR size: 19 records"], "further behind than the journal: the whole zone"),
    ("example.com IXFR=1000", &["XFR size: 1 records"], "not behind: the SOA alone"),
    ("example.com IXFR=1001", &["XFR size: 1 records"], "ahead, as after a loss of state: the SOA alone"),
    (
        "example.com IXFR=5 +notcp",
        &["SOA\tns1.example.com. hostmaster.example.com. 1000", "(UDP)"],
        "over UDP, the SOA alone",
    ),
    ("example.com AXFR +notcp", &["XFR size: 19 records"], "dig insists on TCP"),
    ("example.net AXFR", &["Transfer failed"], "needs a key"),
    ("example.net AXFR -y K", &["XFR size: 4 records", "NOERROR 0"], "has it"),
    (
        "example.net AXFR -y hmac-sha512:other:OTg3NjU0MzIxMDk4NzY1NDMyMTA5ODc2NTQzMjEwOTg3NjU0MzIxMDk4NzY1NDMyMTA5ODc2NTQzMjEw",
        &["XFR size: 4 records"],
        "any of its keys will do",
    ),
    (
        "example.net AXFR -y hmac-sha384:idle:aWRsZWlkbGVpZGxlaWRsZWlkbGVpZGxlaWRsZWlkbGU=",
        &["Transfer failed"],
        "a key of the server, but not of the zone",
    ),
    ("example.org AXFR -y K", &["Transfer failed"], "the key, but not the address"),
    ("example.org AXFR -b 127.0.0.2", &["Transfer failed"], "the address, but not the key"),
    ("example.org AXFR -b 127.0.0.2 -y K", &["XFR size: 3 records"], "both"),
    ("example.info AXFR", &["Transfer failed"], "nobody may have it"),
    ("www.example.com AXFR", &["Transfer failed"], "a name, but no zone"),
    ("example.net SOA -y K", &["status: NOERROR", "NOERROR 0", "(UDP)"], "a signed query is answered signed"),
    ("example.net SOA +tcp -y K", &["status: NOERROR", "NOERROR 0", "(TCP)"], "over TCP too"),
    (
        "example.net SOA -y hmac-sha256:secondary:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDA=",
        &["status: NOTAUTH", "BADSIG"],
        "another secret",
    ),
    (
        "example.net SOA -y hmac-sha384:secondary:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
        &["status: NOTAUTH", "BADKEY"],
        "the key's other algorithm",
    ),
    (
        "example.net SOA -y hmac-sha256:nobody:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
        &["status: NOTAUTH", "BADKEY"],
        "no such key",
    ),
    (
        "example.net SOA -y hmac-sha256-128:secondary:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
        &["status: NOTAUTH", "BADTRUNC"],
        "a MAC cut in half",
    ),
    (
        "example.net SOA -y K +fuzztime=1000000",
        &["status: NOTAUTH", "BADTIME 6"],
        "another time, told ours, signed",
    ),
    ("example.com SOA +opcode=notify", &["status: NOTAUTH"], "this server fetches no zones"),
];

#[test]
fn requests() {
    if missing(&["dig"]) {
        return;
    }
    let rhumb = serve(&fresh_directory("transfers-rows"), "127.0.0.1:0");
    let at = rhumb.listening[0];
    let mut wrong = Vec::new();
    for (words, wants, why) in ROWS {
        let words = words.replace("-y K", &format!("-y hmac-sha256:secondary:{SECRET}"));
        let text = dig(&format!("@{} -p {} {words}", at.ip(), at.port())).text;
        let text = text.replace("\t\t", "\t").replace("\t\t", "\t");
        for want in wants.iter().filter(|want| !text.contains(**want)) {
            wrong.push(format!("{words} ({why}): no {want:?} in\n{text}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
