//! The zone files of `testdata/zones`, and how they say what they expect.
//!
//! Comments at the top of a file carry, one to a line:
//! `apex: NAME` (else `example.com`), `expect: DIAGNOSTIC` for each line that
//! Rhumb says of it, in order, `not-named-checkzone: why` or `not-kzonecheck:
//! why` where that oracle refuses, or reads otherwise, what is good, and
//! `only-rhumb: why` where both accept what is bad.

use std::path::{Path, PathBuf};

use rhumb_zones::{Diagnostics, Files, Name, ReadError, ZoneData, ZoneSource};

/// A zone file and its expectations.
pub(crate) struct Case {
    pub(crate) path: PathBuf,
    pub(crate) apex: String,
    expect: Vec<String>,
    header: Vec<(String, String)>,
}

impl Case {
    fn read(path: PathBuf) -> Self {
        let bytes = read(&path);
        let text = String::from_utf8_lossy(&bytes);
        let comments = text.lines().map(|line| line.trim_start_matches('\u{feff}'));
        let header: Vec<(String, String)> = comments
            .filter_map(|line| line.strip_prefix("; ")?.split_once(": "))
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect();
        let all = |key: &str| header.iter().filter(|line| line.0 == key).map(|line| line.1.clone()).collect();
        let expect: Vec<String> = all("expect");
        let apexes: Vec<String> = all("apex");
        let apex = apexes.into_iter().next().unwrap_or_else(|| "example.com".to_owned());
        Self { path, apex, expect, header }
    }

    /// Whether the diagnostics are those that the file expects.
    pub(crate) fn said(&self, said: &[String]) -> Result<(), String> {
        let shown = |lines: &[String]| lines.join("\n  ");
        if said == self.expect {
            Ok(())
        } else {
            Err(format!("got\n  {}\nexpected\n  {}", shown(said), shown(&self.expect)))
        }
    }

    /// A verdict, turned round by a mark in the file.
    pub(crate) fn unless(&self, mark: &str, verdict: Result<(), String>) -> Result<(), String> {
        match self.header.iter().any(|(key, _)| key == mark) {
            true if verdict.is_ok() => Err(format!("marked {mark}, wrongly")),
            true => Ok(()),
            false => verdict,
        }
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        read(&self.path)
    }

    /// Reads `bytes` as this zone; what is said of them, without their path.
    pub(crate) fn scan(&self, bytes: &[u8]) -> (Option<ZoneData>, Vec<String>) {
        let path = self.path.file_name().unwrap().to_str().unwrap();
        let mut out = Diagnostics::default();
        let zone = ZoneData::read(
            &ZoneSource {
                apex: &Name::scan_absolute(&self.apex).unwrap(),
                path,
                bytes,
                files: &Beside(self.path.parent().unwrap()),
                steered: &[],
                defaults: &[],
            },
            &mut out,
        );
        let own = format!("{path}:");
        let lines = out.iter().map(|line| line.to_string().replace("\n    ", " "));
        (zone, lines.map(|line| line.strip_prefix(&own).unwrap_or(&line).trim_start().to_owned()).collect())
    }
}

/// All cases of a folder, `good` or `bad`.
pub(crate) fn cases(folder: &str) -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/zones").join(folder);
    let mut paths: Vec<PathBuf> = folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "zone"));
    assert!(paths.len() > 10, "{} must hold the corpus", folder.display());
    paths.into_iter().map(Case::read).collect()
}

/// Files under a folder, by their path from it.
struct Beside<'a>(&'a Path);

impl Files for Beside<'_> {
    fn read(&self, from: &str, path: &str) -> Result<(String, Vec<u8>), ReadError> {
        let mut parts: Vec<&str> = from.split('/').collect();
        parts.pop();
        for part in path.split('/') {
            match part {
                ".." => drop(parts.pop()),
                _ => parts.push(part),
            }
        }
        let path = parts.join("/");
        let whole = self.0.join(&path);
        if whole.is_file() { Ok((path, read(&whole))) } else { Err(ReadError("cannot be read".to_owned())) }
    }
}

#[expect(clippy::disallowed_methods, reason = "the corpus lies on the disk")]
fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap()
}
