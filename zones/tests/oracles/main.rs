//! The corpus of zone files, read by Rhumb, named-checkzone and kzonecheck.
//!
//! Good zones are accepted by all, and named writes the same records as we
//! read; bad ones are refused by us, line for line as the file says, and by
//! one of the others. An oracle that is not installed is skipped aloud.

#![expect(clippy::unwrap_used, reason = "a test that panics fails")]

mod corpus;

use std::io::Write;
use std::process::{Command, Output};

use corpus::{Case, cases};
use rhumb_zones::{Name, RecordRef, ZoneData, rdata};

#[test]
fn good_zones_are_read() {
    check("good", |case| {
        let (zone, said) = case.scan(&case.bytes());
        case.said(&said)?;
        zone.map(drop).ok_or_else(|| "refused".to_owned())
    });
}

#[test]
fn bad_zones_are_refused() {
    check("bad", |case| {
        let (zone, said) = case.scan(&case.bytes());
        case.said(&said)?;
        zone.map_or(Ok(()), |_| Err("accepted".to_owned()))
    });
}

#[test]
fn display_reads_back() {
    check("good", |case| {
        let zone = case.scan(&case.bytes()).0.ok_or("refused")?;
        let line = |record: RecordRef<'_>| {
            let dot = if record.owner == Name::root() { "" } else { "." };
            let data = rdata::display(record.rtype, record.rdata);
            format!("{}{dot} {} IN {} {data}\n", record.owner, record.ttl, record.rtype)
        };
        let text: String = zone.records.iter().map(line).collect();
        let (again, said) = case.scan(text.as_bytes());
        let again = again.ok_or_else(|| said.join("\n"))?;
        same(&zone, &again)
    });
}

#[test]
fn good_zones_are_the_same_to_named() {
    if !installed(&["named-compilezone"]) {
        return;
    }
    check("good", |case| {
        let dumped = compiled(case);
        let read = || {
            let ours = case.scan(&case.bytes()).0.ok_or("refused by us")?;
            let (theirs, said) = case.scan(&dumped.stdout);
            same(&ours, &theirs.ok_or_else(|| said.join("\n"))?)
        };
        let verdict = if dumped.status.success() { read() } else { Err(text(&dumped)) };
        case.unless("not-named-checkzone", verdict)
    });
}

#[test]
fn good_zones_are_good_to_knot() {
    if !installed(&["kzonecheck"]) {
        return;
    }
    check("good", |case| {
        let checked = kzonecheck(case);
        let verdict = if checked.status.success() { Ok(()) } else { Err(text(&checked)) };
        case.unless("not-kzonecheck", verdict)
    });
}

#[test]
fn bad_zones_are_bad_to_an_oracle() {
    if !installed(&["named-checkzone", "kzonecheck"]) {
        return;
    }
    check("bad", |case| {
        let (named, knot) = (named_checkzone(case), kzonecheck(case));
        let refused = !named.status.success() || !knot.status.success();
        let verdict = if refused { Ok(()) } else { Err(text(&named) + &text(&knot)) };
        case.unless("only-rhumb", verdict)
    });
}

/// Puts every case of a folder to the test and shows all that fail.
fn check(folder: &str, test: impl Fn(&Case) -> Result<(), String>) {
    let failed = cases(folder).into_iter().filter_map(|case| Some((test(&case).err()?, case)));
    let failed: Vec<String> = failed.map(|(why, case)| format!("{}: {why}", case.path.display())).collect();
    assert!(failed.is_empty(), "{} failed:\n{}", failed.len(), failed.join("\n"));
}

/// Whether two zones hold the same records.
fn same(ours: &ZoneData, theirs: &ZoneData) -> Result<(), String> {
    let (ours, theirs) = (records(ours), records(theirs));
    let only = |these: &[String], those: &[String], whose: &str| {
        let only = these.iter().filter(|record| !those.contains(record));
        only.map(|record| format!("{whose}: {record}\n")).collect::<String>()
    };
    let differences = only(&ours, &theirs, "ours") + &only(&theirs, &ours, "theirs");
    if differences.is_empty() { Ok(()) } else { Err(differences) }
}

/// Records as text, in canonical form.
fn records(zone: &ZoneData) -> Vec<String> {
    let record = |record: RecordRef<'_>| {
        let owner = record.owner.to_string().to_ascii_lowercase();
        let data = rdata::display(record.rtype, &rdata::canonical(record.rtype, record.rdata));
        format!("{owner} {} {} {data}", record.ttl, record.rtype)
    };
    zone.records.iter().map(record).collect()
}

/// Text of the whole zone, one record to a line.
fn compiled(case: &Case) -> Output {
    let loose = "-i none -k ignore -m ignore -M ignore -n ignore -r ignore -S ignore -W ignore -f text -F text -s full";
    run(case, "named-compilezone", &format!("{loose} -o - {} {}", case.apex, file(case)))
}

fn named_checkzone(case: &Case) -> Output {
    // `full` would ask the network for hosts of other zones.
    run(case, "named-checkzone", &format!("-i local {} {}", case.apex, file(case)))
}

fn kzonecheck(case: &Case) -> Output {
    run(case, "kzonecheck", &format!("-d off -o {} {}", case.apex, file(case)))
}

fn file(case: &Case) -> &str {
    case.path.file_name().unwrap().to_str().unwrap()
}

/// Whether all these programs are there; those that are not are named, past
/// the test harness, which hides what a passing test prints.
fn installed(programs: &[&str]) -> bool {
    let missing = programs.iter().filter(|program| Command::new(program).arg("-h").output().is_err());
    let said = missing.map(|program| writeln!(std::io::stderr(), "SKIPPED: {program} is not installed"));
    said.count() == 0
}

/// Runs an oracle in the folder of the case.
fn run(case: &Case, program: &str, arguments: &str) -> Output {
    let folder = case.path.parent().unwrap();
    Command::new(program).args(arguments.split(' ')).current_dir(folder).output().unwrap()
}

fn text(output: &Output) -> String {
    [&output.stdout[..], &output.stderr[..]].map(String::from_utf8_lossy).concat()
}
