//! Copies prove themselves: digests and signatures of whole zones, held
//! against programs that are not ours, and against the RFC's digests by way of
//! the loader, which its examples test.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::serve;
use super::support::dig::dig;
use super::support::programs::{Rhumb, fresh_directory, missing};

/// Transfers a zone into a file, changed by `edit`.
fn copy(rhumb: &Rhumb, directory: &Path, zone: &str, edit: impl FnOnce(String) -> String) -> String {
    let at = rhumb.listening[0];
    let transfer = dig(&format!("@{} -p {} {zone} AXFR +onesoa +noall +answer", at.ip(), at.port()));
    let path = directory.join(format!("{zone}.copy"));
    fs::write(&path, edit(transfer.text)).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Whether a program is content.
fn accepts(program: &str, arguments: &[&str]) -> Result<(), String> {
    let path = std::env::var("PATH").unwrap_or_default();
    let mut command = Command::new(program);
    let output = command.env("PATH", format!("{path}:/usr/sbin")).args(arguments).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    if output.status.success() { Ok(()) } else { Err(format!("{program} {arguments:?}: {said}")) }
}

#[test]
fn a_digest_is_that_of_what_came() {
    if missing(&["dig"]) {
        return;
    }
    let directory = fresh_directory("transfers-digest");
    let rhumb = serve(&directory, "127.0.0.1:0");
    let at = rhumb.listening[0];
    let asked = dig(&format!("@{} -p {} digest.test ZONEMD", at.ip(), at.port()));
    let rows = [
        ("192.0.2.2", true, "the zone as it came"),
        ("192.0.2.3", false, "the view's address was changed on the way"),
    ];
    let policy = directory.join("copy.yaml");
    fs::write(&policy, "{ zone: digest.test, records: digest.test.copy }\n").unwrap();
    for (address, good, why) in rows {
        let path = copy(&rhumb, &directory, "digest.test", |zone| zone.replace("192.0.2.2", address));
        let zone = fs::read_to_string(path).unwrap();
        let digest = asked.answers.first().and_then(|answer| answer.split(' ').nth(5)).unwrap();
        assert!(
            zone.contains(digest),
            "{why}: what is asked for is what is transferred:\n{zone}{}",
            asked.text
        );
        let checked = accepts(env!("CARGO_BIN_EXE_rhumb"), &["check", policy.to_str().unwrap()]);
        assert_eq!(checked.is_ok(), good, "{why}: {checked:?}\n{zone}");
    }
}

#[test]
fn signed_copies_are_whole() {
    if missing(&["dig", "ldns-verify-zone", "dnssec-verify"]) {
        return;
    }
    let directory = fresh_directory("transfers-signed");
    let rhumb = serve(&directory, "127.0.0.1:0");
    for zone in ["nsec.test", "nsec3.test"] {
        let path = copy(&rhumb, &directory, zone, |zone| zone);
        accepts("ldns-verify-zone", &[&path]).unwrap();
        // -z: a single key may do both kinds of work.
        accepts("dnssec-verify", &["-z", "-o", zone, &path]).unwrap();
        let path = copy(&rhumb, &directory, zone, |zone| zone.replace("192.0.2.2", "192.0.2.3"));
        assert!(accepts("ldns-verify-zone", &[&path]).is_err(), "{zone}: a changed copy is found out");
    }
}
