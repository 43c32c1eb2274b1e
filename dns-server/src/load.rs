//! From files to a validated world.
//!
//! A [`Loader`] knows what to read: policy files and directories, geo
//! databases, and documents that are no files (a demonstration's, a test
//! runner's). Each [`load`](Loader::load) reads all policies and what they
//! name anew, because that costs milliseconds, and the databases only when
//! they changed, because that costs seconds. Whatever is wrong, in any crate's
//! eyes, is reported in one go.
//!
//! **Invariant:** a load changes nothing that is served; a database that
//! cannot be read leaves the one in use in place.

mod disk;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rhumb_geo::{Database, PlaceTable};
use rhumb_policies::{Atlas, World};
use rhumb_zones::{Diagnostics, LoadOptions, Location, Source};

use disk::{Disk, Stamp, list};

pub use disk::Footprint;

/// What to read.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// Policy files, and directories of them.
    pub policies: Vec<PathBuf>,
    /// Geo databases; none means the embedded table.
    pub geo: Vec<PathBuf>,
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
}

/// Reads the same sources again and again.
#[derive(Debug)]
pub struct Loader {
    sources: Sources,
    options: LoadOptions,
    /// The databases last read without a mistake, and which they were.
    databases: Option<(Vec<Stamp>, Arc<rhumb_geo::Atlas>)>,
}

impl Loader {
    /// A loader of `sources`; `options` are handed to the reader of policies.
    #[must_use]
    pub const fn new(sources: Sources, options: LoadOptions) -> Self {
        Self { sources, options, databases: None }
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
        let (world, wrong) = World::compile(read.model);
        out.append(wrong);
        let footprint = disk.into_footprint(&self.sources, (files, stamps.clone()));
        let geography = self.geography(stamps, &mut out);
        let loaded = match geography {
            Some(geography) if !out.refuse() => survey(world, &geography, &mut out),
            _ => None,
        };
        out.sort();
        Load { loaded, diagnostics: out, footprint }
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

    /// The databases of `stamps`, read if they are not those last read.
    fn geography(&mut self, stamps: Vec<Stamp>, out: &mut Diagnostics) -> Option<Arc<rhumb_geo::Atlas>> {
        match &self.databases {
            Some((known, geography)) if *known == stamps => return Some(Arc::clone(geography)),
            _ => {}
        }
        let mut open = |path: &PathBuf| {
            let bytes = std::fs::read(path)
                .map_err(|error| refuse(path, format!("cannot be read: {error}"), out))
                .ok()?;
            let opened = Database::open(&path.to_string_lossy(), bytes);
            opened.map_err(|error| refuse(path, error.to_string(), out)).ok()
        };
        let databases: Vec<Option<Database>> = self.sources.geo.iter().map(&mut open).collect();
        let databases = databases.into_iter().collect::<Option<Vec<Database>>>()?;
        let geography = Arc::new(rhumb_geo::Atlas::new(databases));
        self.databases = Some((stamps, Arc::clone(&geography)));
        Some(geography)
    }
}

/// Locates everybody and tells apart whom the policy tells apart.
fn survey(world: World, geography: &Arc<rhumb_geo::Atlas>, out: &mut Diagnostics) -> Option<Loaded> {
    let places = PlaceTable::new(Arc::clone(geography), world.model().carriers(), world.operator_prefixes());
    match Atlas::survey(&world, &places) {
        Ok(atlas) => {
            Some(Loaded { world: Arc::new(world), places: Arc::new(places), atlas: Arc::new(atlas) })
        }
        Err(wrong) => {
            out.append(wrong);
            None
        }
    }
}

/// Reports that a whole file is of no use.
fn refuse(path: &Path, what: impl Into<String>, out: &mut Diagnostics) {
    let at = Location { file: Arc::from(path.to_string_lossy()), line: 0, column: 0 };
    out.error(&at, "rhumb", "file", what);
}
