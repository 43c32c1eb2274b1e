//! The zones of the comparison: `APEX.zone` each, all served at once. A zone
//! that a server refuses to load says so: `; not-bind: why`.

use std::fs;
use std::path::{Path, PathBuf};

use rhumb_zones::{Diagnostics, Name, NoFiles, ZoneData, ZoneSource};

/// One zone.
pub(crate) struct Zone {
    /// Its file.
    pub(crate) path: PathBuf,
    /// What is in it.
    pub(crate) data: ZoneData,
    /// Its text.
    text: String,
}

impl Zone {
    /// Whether the server called `server` can load it.
    pub(crate) fn loads_in(&self, server: &str) -> bool {
        !self.text.contains(&format!("\n; not-{server}: "))
    }
}

/// Reads every zone in `folder`, in the order of their names.
///
/// # Panics
/// When Rhumb refuses one.
pub(crate) fn read(folder: &Path) -> Vec<Zone> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.into_iter().filter(|path| path.extension().is_some_and(|word| word == "zone")).map(zone).collect()
}

fn zone(path: PathBuf) -> Zone {
    let apex = Name::scan_absolute(path.file_stem().unwrap().to_str().unwrap()).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    let mut found = Diagnostics::default();
    let name = path.display().to_string();
    let source = ZoneSource {
        apex: &apex,
        path: &name,
        bytes: text.as_bytes(),
        files: &NoFiles,
        steered: &[],
        defaults: &[],
    };
    let data = ZoneData::read(&source, &mut found).unwrap_or_else(|| {
        let said: Vec<String> = found.iter().map(ToString::to_string).collect();
        panic!("{}", said.join("\n"))
    });
    Zone { path, data, text }
}
