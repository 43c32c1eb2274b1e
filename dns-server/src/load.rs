//! From files to a validated world.
//!
//! A [`Loader`] knows what to read: policy files and directories, geo
//! databases, and documents that are no files (a demonstration's, a test
//! runner's). Each [`load`](Loader::load) reads all policies and what they
//! name anew, and keeps what comes from geo databases for as long as it holds.
//! Whatever is wrong, in any crate's eyes, is reported in one go.
//!
//! **Invariant:** a load changes nothing that is served; a database that
//! cannot be read leaves the one in use in place.

mod disk;
mod geography;
mod keyring;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rhumb_dnssec::ZoneKeys;
use rhumb_geo::PlaceTable;
use rhumb_policies::{Atlas, World};
use rhumb_zones::{Diagnostics, LoadOptions, Location, Source};

use crate::cookie::{Cookies, Secret};
use crate::keys::KeySource;
use crate::net::clock;
use crate::zonemd;
use disk::{Disk, Stamp, list};
use geography::Geography;

pub use disk::Footprint;

/// What to read.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// Policy files, and directories of them.
    pub policies: Vec<PathBuf>,
    /// Geo databases; none means the embedded table.
    pub geo: Vec<PathBuf>,
    /// The secrets of DNS cookies.
    pub cookie_secrets: Option<PathBuf>,
    /// Where the keys of signed zones are.
    pub keys: KeySource,
    /// Documents that are no files.
    pub embedded: Vec<Document>,
}

/// A document that is no file: a policy if it is called `*.yaml`, else one
/// that a policy may name.
#[derive(Clone, Debug)]
pub struct Document {
    /// What it is called in diagnostics and by policies.
    pub name: Arc<str>,
    /// Its content.
    pub bytes: Arc<[u8]>,
}

/// What came of a load.
#[derive(Debug)]
pub struct Load {
    /// The world; nothing when it is refused.
    pub loaded: Option<Loaded>,
    /// What is wrong, or should be known, sorted by place.
    pub diagnostics: Diagnostics,
    /// What it depended on.
    pub footprint: Footprint,
}

/// A world that may be served.
#[derive(Debug)]
pub struct Loaded {
    /// The validated policy.
    pub world: Arc<World>,
    /// Where clients are.
    pub places: Arc<PlaceTable>,
    /// Which clients the policy tells apart.
    pub atlas: Arc<Atlas>,
    /// Keys by zone; nothing where a zone is not signed.
    pub keys: Vec<Option<Arc<ZoneKeys>>>,
    /// The secrets of DNS cookies, if they stand in a file.
    pub cookie_secrets: Option<Vec<Secret>>,
}

/// Reads the same sources again and again.
#[derive(Debug)]
pub struct Loader {
    sources: Sources,
    options: LoadOptions,
    geography: Geography,
}

impl Loader {
    /// A loader of `sources`; `options` are handed to the reader of policies.
    #[must_use]
    pub fn new(sources: Sources, options: LoadOptions) -> Self {
        Self { sources, options, geography: Geography::default() }
    }

    /// Reads everything.
    pub fn load(&mut self) -> Load {
        let mut out = Diagnostics::default();
        // Before reading: a file that changes meanwhile must not look current.
        let stamps: Vec<Stamp> = self.sources.geo.iter().map(|path| Stamp::of(path)).collect();
        let disk = Disk::new(&self.sources.embedded);
        let (files, wrong) = list(&self.sources.policies);
        for (path, what) in wrong {
            refuse(&path, what, &mut out);
        }
        let sources = self.read(&files, &disk, &mut out);
        let read = rhumb_zones::load(&sources, &disk, &self.options);
        out.append(read.diagnostics);
        if read.model.zones().is_empty() && !out.refuse() {
            // A file being written is empty at first, and must not take every zone away.
            let first = files.first().map_or_else(|| Path::new("policy"), PathBuf::as_path);
            refuse(first, "must declare a zone, here or in another file", &mut out);
        }
        rhumb_health::probe::validate(&read.model, &mut out);
        zonemd::check(&read.model, &mut out);
        let (world, wrong) = World::compile(read.model, &disk);
        out.append(wrong);
        let cookie_secrets = self.cookie_secrets(&disk, &mut out);
        let keys = (&self.sources.keys, world.model());
        let (keys, listing) = keyring::read(keys, &disk, clock(), &mut out);
        let footprint = disk.into_footprint(&self.sources, (files, stamps.clone()), listing);
        let databases = self.geography.read(&self.sources.geo, stamps, &mut out);
        let loaded = databases.filter(|_| !out.refuse()).and_then(|databases| {
            let survey = self.geography.survey(&world, &sources, databases);
            let (places, atlas) = survey.map_err(|wrong| out.append(wrong)).ok()?;
            Some(Loaded { world: Arc::new(world), places, atlas, keys, cookie_secrets })
        });
        out.sort();
        Load { loaded, diagnostics: out, footprint }
    }

    fn cookie_secrets(&self, disk: &Disk<'_>, out: &mut Diagnostics) -> Option<Vec<Secret>> {
        let path = self.sources.cookie_secrets.as_ref()?;
        let scanned = match disk.small(path) {
            Ok(bytes) => Cookies::scan(&String::from_utf8_lossy(&bytes)).map_err(|error| error.to_string()),
            Err(error) => Err(error.0),
        };
        scanned.map_err(|what| refuse(path, what, out)).ok()
    }

    fn read(&self, files: &[PathBuf], disk: &Disk<'_>, out: &mut Diagnostics) -> Vec<Source> {
        let is_policy = |document: &&Document| document.name.ends_with(".yaml");
        let embedded = self.sources.embedded.iter().filter(is_policy);
        let mut sources: Vec<Source> = embedded
            .map(|Document { name, bytes }| Source { path: Arc::clone(name), bytes: bytes.to_vec() })
            .collect();
        for file in files {
            match disk.policy(file) {
                Ok(bytes) => sources.push(Source { path: Arc::from(file.to_string_lossy()), bytes }),
                Err(error) => refuse(file, error.0, out),
            }
        }
        sources
    }
}

/// Reports that a whole file is of no use.
fn refuse(path: &Path, what: impl Into<String>, out: &mut Diagnostics) {
    let at = Location { file: Arc::from(path.to_string_lossy()), line: 0, column: 0 };
    out.error(&at, "rhumb", "file", what);
}
