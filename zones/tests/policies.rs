//! Every policy under `testdata/policies`: what is wrong with it, exactly.
//!
//! A world is a `.yaml` file, or a folder of them. What must be reported
//! stands in its files as `# expect: LINE:COL: who: which: what | hint`,
//! with `file:` in front when it is another file's place; nothing else may be.

#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests read files, and may fail")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use rhumb_zones::{Files, LoadOptions, Loaded, ReadError, Source, load};

struct Disk;

impl Files for Disk {
    fn read(&self, from: &str, path: &str) -> Result<(String, Vec<u8>), ReadError> {
        let path = Path::new(from).with_file_name(path);
        let bytes = std::fs::read(&path).map_err(|error| ReadError(error.kind().to_string()))?;
        Ok((path.display().to_string(), bytes))
    }
}

fn policies() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/policies")
}

/// The worlds in a folder.
fn worlds(folder: &str) -> Vec<Vec<PathBuf>> {
    let list = |folder: &Path| {
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        entries.collect::<BTreeSet<PathBuf>>()
    };
    let is_policy = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "yaml");
    let entries = list(&policies().join(folder)).into_iter();
    let worlds = entries.filter(|path| path.is_dir() || is_policy(path)).map(|path| {
        if path.is_dir() { list(&path).into_iter().filter(is_policy).collect() } else { vec![path] }
    });
    worlds.collect()
}

fn load_world(files: &[PathBuf]) -> (Loaded, Vec<Source>) {
    let source = |path: &PathBuf| Source {
        path: path.display().to_string().into(),
        bytes: std::fs::read(path).unwrap(),
    };
    let sources: Vec<Source> = files.iter().map(source).collect();
    let options = LoadOptions { server_addresses: vec!["192.0.2.53".parse().unwrap()] };
    (load(&sources, &Disk, &options), sources)
}

/// Compares all that is reported with all that is expected.
fn check(files: &[PathBuf], refuse: bool) -> Result<(), String> {
    let (loaded, sources) = load_world(files);
    let folder = files[0].parent().unwrap().display().to_string();
    let mut got = BTreeSet::new();
    for diagnostic in loaded.diagnostics.iter() {
        let text = diagnostic.to_string().replace("\n    hint: ", " | ").replace(&format!("{folder}/"), "");
        let this = diagnostic.at.file.rsplit('/').next().unwrap();
        let own = files.len() == 1 && files[0].ends_with(this);
        got.insert(if own { text[this.len() + 1..].to_owned() } else { text });
    }
    let mut want = BTreeSet::new();
    for source in &sources {
        for line in String::from_utf8_lossy(&source.bytes).lines() {
            want.extend(line.split_once("# expect: ").map(|(_, text)| text.to_owned()));
        }
    }
    let lines = |set: &BTreeSet<String>, other: &BTreeSet<String>| {
        set.difference(other).map(|line| format!("\n  {line}")).collect::<String>()
    };
    let name = files[0].display();
    if got != want {
        return Err(format!("{name}:\nunexpected:{}\nmissing:{}\n", lines(&got, &want), lines(&want, &got)));
    }
    let refused = loaded.diagnostics.refuse();
    if refused == refuse { Ok(()) } else { Err(format!("{name}: refused: {refused}\n")) }
}

fn check_all<'w>(worlds: impl IntoIterator<Item = &'w Vec<PathBuf>>, refuse: bool) {
    let failures: String = worlds.into_iter().filter_map(|world| check(world, refuse).err()).collect();
    assert!(failures.is_empty(), "{failures}");
}

#[test]
fn good_policies_are_taken() {
    let design = ["design-full.yaml", "design-small.yaml"].map(|name| vec![policies().join(name)]);
    check_all(worlds("good").iter().chain(&design), false);
}

#[test]
fn bad_policies_are_refused_with_every_mistake() {
    check_all(&worlds("bad"), true);
}
