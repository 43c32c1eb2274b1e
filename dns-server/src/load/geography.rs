//! Databases and what is made from them, kept for as long as it holds.
//!
//! Reading a city database takes over a second, telling its 340,000 places
//! into classes a quarter of one; an edit of a zone file needs neither. So
//! databases are read again when a file changed, the place table is made
//! again when carriers or operators' prefixes did, and the survey when any
//! policy did: what it depends on besides is the policy, so equal bytes make
//! equal classes. Even then, shapes that are as they were are kept.

use std::hash::{DefaultHasher, Hasher as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rhumb_geo::{Database, PlaceTable};
use rhumb_policies::{Atlas, World};
use rhumb_zones::{Carrier, Diagnostics, Prefix, Source};

use super::disk::Stamp;
use super::refuse;

/// What was made last, and from what.
#[derive(Debug, Default)]
pub(super) struct Geography {
    databases: Option<(Vec<Stamp>, Arc<rhumb_geo::Gazetteer>)>,
    places: Option<Places>,
    classes: Option<Classes>,
}

#[derive(Debug)]
struct Places {
    databases: Arc<rhumb_geo::Gazetteer>,
    carriers: Vec<Carrier>,
    prefixes: Vec<Prefix>,
    table: Arc<PlaceTable>,
}

#[derive(Debug)]
struct Classes {
    places: Arc<PlaceTable>,
    /// A hash of all policy files.
    policies: u64,
    atlas: Arc<Atlas>,
}

impl Geography {
    /// Reads the databases at `paths`, unless `stamps` says that they are
    /// those read last. One that is wrong is reported, and the last ones stay.
    pub(super) fn read(
        &mut self,
        paths: &[PathBuf],
        stamps: Vec<Stamp>,
        out: &mut Diagnostics,
    ) -> Option<Arc<rhumb_geo::Gazetteer>> {
        if let Some((known, databases)) = &self.databases
            && *known == stamps
        {
            return Some(Arc::clone(databases));
        }
        let opened: Vec<Option<Database>> = paths.iter().map(|path| open(path, out)).collect();
        let databases = Arc::new(rhumb_geo::Gazetteer::new(opened.into_iter().collect::<Option<_>>()?));
        self.databases = Some((stamps, Arc::clone(&databases)));
        Some(databases)
    }

    /// Locates everybody and tells apart whom the policy, made from
    /// `sources`, tells apart.
    pub(super) fn survey(
        &mut self,
        world: &World,
        sources: &[Source],
        databases: Arc<rhumb_geo::Gazetteer>,
    ) -> Result<(Arc<PlaceTable>, Arc<Atlas>), Diagnostics> {
        let places = self.locate(world, databases);
        let mut hasher = DefaultHasher::new();
        sources.iter().for_each(|source| {
            hasher.write_usize(source.bytes.len());
            hasher.write(&source.bytes);
        });
        let policies = hasher.finish();
        let atlas = match &self.classes {
            Some(known) if known.policies == policies && Arc::ptr_eq(&known.places, &places) => {
                Arc::clone(&known.atlas)
            }
            Some(known) if Arc::ptr_eq(&known.places, &places) => {
                Arc::new(known.atlas.resurvey(world, &places)?)
            }
            _ => Arc::new(Atlas::survey(world, &places)?),
        };
        self.classes = Some(Classes { places: Arc::clone(&places), policies, atlas: Arc::clone(&atlas) });
        Ok((places, atlas))
    }

    fn locate(&mut self, world: &World, databases: Arc<rhumb_geo::Gazetteer>) -> Arc<PlaceTable> {
        let (carriers, prefixes) = (world.model().carriers(), world.operator_prefixes());
        let known = self.places.as_ref().filter(|known| {
            Arc::ptr_eq(&known.databases, &databases)
                && known.carriers == carriers
                && known.prefixes == prefixes
        });
        if let Some(known) = known {
            return Arc::clone(&known.table);
        }
        let table = Arc::new(PlaceTable::new(Arc::clone(&databases), carriers, prefixes));
        let (carriers, prefixes) = (carriers.to_vec(), prefixes.to_vec());
        self.places = Some(Places { databases, carriers, prefixes, table: Arc::clone(&table) });
        table
    }
}

fn open(path: &Path, out: &mut Diagnostics) -> Option<Database> {
    let bytes = std::fs::read(path);
    let bytes = bytes.map_err(|error| refuse(path, format!("cannot be read: {error}"), out)).ok()?;
    let opened = Database::open(&path.to_string_lossy(), bytes);
    opened.map_err(|error| refuse(path, error.to_string(), out)).ok()
}
