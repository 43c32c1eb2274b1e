//! The battery: rows of `testdata/cases/*.cases`, each asked in process and over
//! every transport, and held against what a client would see: rcode, flags,
//! every section, Client Subnet scope, and what the counters say.
//!
//! A file starts with `policy PATH` (below `testdata/`); rows are separated by
//! blank lines:
//!
//! ```text
//! # why this row is here
//! ? NAME TYPE [+subnet=A/N] [+dnssec] [+bufsize=N] [+noedns] [+nsid] [+keepalive] [+padding] [+chaos] [+norec]
//! only udp|tcp|process          where the row makes sense, if not everywhere
//! from ADDRESS                  the sender (in process only)
//! = RCODE [aa] [tc] [rd] [cd]
//! answer OWNER TTL TYPE RDATA
//! authority …
//! additional …
//! scope N
//! edns VERSION FLAGS SIZE       the OPT record: flags in hex; or `edns none`
//! count NAME N                  how much a counter grew
//! ```
//!
//! `raw HEX` instead of `?` sends those octets; `silence` instead of `=`
//! expects no answer. A section not mentioned must be empty.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod clients;
mod encrypted;
mod geography;
mod lab;
mod limits;
mod message;
mod proxies;
mod transport;

use std::net::IpAddr;
use std::path::Path;

use rhumb::respond::Transport;
use rhumb_zones::Name;

use lab::{Asked, Lab, testdata};
use message::{Reply, query};

/// One row of a file.
#[derive(Debug, Default)]
struct Row {
    place: String,
    why: String,
    asked: Vec<u8>,
    only: Option<String>,
    from: Option<IpAddr>,
    /// Nothing for silence.
    status: Option<String>,
    records: Vec<String>,
    scope: Option<u8>,
    edns: Option<String>,
    counts: Vec<(String, u64)>,
}

fn rows(file: &Path) -> (String, Vec<Row>) {
    let text = std::fs::read_to_string(file).unwrap();
    let mut policy = String::new();
    let mut rows = Vec::new();
    let mut row = Row::default();
    for (index, line) in text.lines().chain([""]).enumerate() {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "" => {
                if !row.asked.is_empty() {
                    rows.push(std::mem::take(&mut row));
                }
                row = Row::default();
            }
            "#" => rest.clone_into(&mut row.why),
            "policy" => rest.clone_into(&mut policy),
            "?" => {
                row.place = format!("{}:{}", file.display(), index + 1);
                row.asked = query(rest);
            }
            "raw" => {
                row.place = format!("{}:{}", file.display(), index + 1);
                row.asked = unhex(rest);
            }
            "only" => row.only = Some(rest.to_owned()),
            "from" => row.from = Some(rest.parse().unwrap()),
            "=" => row.status = Some(rest.to_owned()),
            "silence" => row.status = None,
            "answer" | "authority" | "additional" => row.records.push(line.to_owned()),
            "edns" => row.edns = Some(rest.to_owned()),
            "scope" => row.scope = Some(rest.parse().unwrap()),
            "count" => {
                let (name, grew) = rest.split_once(' ').unwrap();
                row.counts.push((name.to_owned(), grew.parse().unwrap()));
            }
            _ => panic!("{}:{}: unknown word {word:?}", file.display(), index + 1),
        }
    }
    (policy, rows)
}

fn unhex(text: &str) -> Vec<u8> {
    let digits: String = text.split_whitespace().collect();
    (0..digits.len() / 2).map(|at| u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).unwrap()).collect()
}

/// Asks one row one way; gives what differs.
fn check(lab: &mut Lab, row: &Row, way: &str) -> Result<(), String> {
    let before = lab.totals();
    let from = row.from.unwrap_or_else(|| IpAddr::from([127, 0, 0, 1]));
    let asked = Asked { packet: &row.asked, from, draw: 0 };
    let raw = match way {
        "process" => lab.in_process(&asked, Transport::Udp),
        "udp" => lab.over_udp(&row.asked, row.status.is_some()),
        "tcp" => lab.over_tcp(&row.asked),
        encrypted => lab.clients().ask(encrypted, &row.asked),
    };
    let (Some(raw), Some(status)) = (&raw, &row.status) else {
        return if raw.is_none() == row.status.is_none() {
            Ok(())
        } else {
            Err(format!("got an answer: {}, expected one: {}", raw.is_some(), row.status.is_some()))
        };
    };
    let reply = Reply::parse(raw);
    let mut expected = row.records.clone();
    let mut got = reply.records();
    expected.sort();
    got.sort();
    same("status", status, &reply.status())?;
    same("records", &format!("{expected:#?}"), &format!("{got:#?}"))?;
    same("scope", &format!("{:?}", row.scope), &format!("{:?}", reply.scope()))?;
    if let Some(edns) = &row.edns {
        same("edns", edns, &reply.edns())?;
    }
    same("id", &format!("{:?}", &row.asked[..2]), &format!("{:?}", &raw[..2]))?;
    for (name, grew) in &row.counts {
        let name_now = |totals: &[(&str, u64)]| {
            totals.iter().find(|(known, _)| known == name).unwrap_or_else(|| panic!("no counter {name}")).1
        };
        same(name, &grew.to_string(), &(name_now(&lab.totals()) - name_now(&before)).to_string())?;
    }
    Ok(())
}

fn same(what: &str, expected: &str, got: &str) -> Result<(), String> {
    if expected == got { Ok(()) } else { Err(format!("{what}:\n  expected {expected}\n  got      {got}")) }
}

/// How a row is asked.
const WAYS: [&str; 7] = ["process", "udp", "tcp", "tls", "https-get", "https-post", "quic"];

#[test]
fn every_case_on_every_transport() {
    let folder = testdata("cases");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let (mut asked, mut wrong) = (0, Vec::new());
    for file in files.iter().filter(|file| file.extension().is_some_and(|extension| extension == "cases")) {
        let (policy, rows) = rows(file);
        let mut lab = Lab::start(&testdata(&policy));
        for row in &rows {
            for way in WAYS {
                let wanted = row.only.as_deref().is_none_or(|only| only == way);
                if !wanted || (row.from.is_some() && way != "process") {
                    continue;
                }
                asked += 1;
                if let Err(difference) = check(&mut lab, row, way) {
                    wrong.push(format!("{} ({way}; {}): {difference}", row.place, row.why));
                }
            }
        }
    }
    assert!(asked > 0, "there are cases");
    assert!(wrong.is_empty(), "{} of {asked} asked differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn names_in_rows_are_read_as_written() {
    let name = Name::scan_absolute("WWW.example.com").unwrap();
    assert_eq!(&query("WWW.example.com A +noedns")[12..12 + name.as_wire().len()], name.as_wire());
}
