//! Signed zones: every signature and every denial is checked by meaning, by
//! dnspython (`testdata/conformance/verify`), in each kind of denial. That
//! the content is right is what the comparison without DO says; here the same
//! server must give the same content with DO.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use rhumb_zones::Rtype;

use crate::ask;
use crate::question::{self, Question};
use crate::servers;
use crate::support::programs::{PATIENCE, fresh_directory, skipped, testdata};
use crate::zones::{self, Zone};

/// One question in so many: a signature takes dnspython a millisecond.
const STEP: usize = 17;
/// Zones that are not signed: data that a signer makes itself stands in them.
const UNSIGNED: [&str; 1] = ["key.test"];

/// A Python that has what the checker needs.
fn python() -> Option<PathBuf> {
    let own = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/venv/bin/python");
    [own, "python3".into()].into_iter().find(|python| {
        let mut command = Command::new(python);
        command.args(["-c", "import dns.dnssec, cryptography"]);
        command.output().is_ok_and(|output| output.status.success())
    })
}

/// A question as the checker reads it.
fn line(question: &Question) -> String {
    let name = question.name.to_string();
    let dot = if name == "." { "" } else { "." };
    format!("{name}{dot} TYPE{}", question.rtype.0)
}

/// Waits until the server has made itself keys.
fn await_keys(address: SocketAddr, zones: &[Zone]) {
    let start = Instant::now();
    for zone in zones {
        let question = Question { name: zone.data.apex.clone(), rtype: Rtype::DNSKEY };
        // Counts of the header: an answer.
        while ask::once(address, &question).is_none_or(|reply| reply[7] == 0) {
            assert!(start.elapsed() < PATIENCE, "no DNSKEY of {}", zone.data.apex);
            std::thread::yield_now();
        }
    }
}

fn check(denial: &str) {
    let Some(python) = python() else { return skipped("needs dnspython and cryptography") };
    let mut zones = zones::read(&testdata().join("conformance/zones"));
    zones.retain(|zone| !UNSIGNED.contains(&zone.data.apex.to_string().as_str()));
    let directory = fresh_directory(&format!("conformance-signed-{denial}"));
    let rhumb = servers::rhumb(&directory, &zones, &format!("dnssec: {{ denial: {denial} }}"));
    let address = rhumb.listening[0];
    await_keys(address, &zones);
    let questions: Vec<Question> = question::all(&zones).into_iter().step_by(STEP).collect();
    let lines = |lines: Vec<String>| lines.join("\n");
    let apexes = lines(zones.iter().map(|Zone { data, .. }| data.apex.to_string()).collect());
    fs::write(directory.join("zones"), apexes).unwrap();
    let questions = lines(questions.iter().map(line).collect());
    fs::write(directory.join("questions"), questions).unwrap();
    let mut command = Command::new(python);
    command.arg(testdata().join("conformance/verify")).arg(address.port().to_string());
    command.args(["zones", "questions", denial]).current_dir(&directory);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{denial}: {}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn signed_with_nsec() {
    check("nsec");
}

#[test]
fn signed_with_nsec3() {
    check("nsec3");
}

#[test]
fn signed_with_compact_denial() {
    check("compact");
}
