//! The keys of signed zones, as part of a load.
//!
//! Key files are files like others: what was read is watched and compared.
//! They also change by themselves, when a key's time comes; so a load lasts
//! until the first such time at most.
//!
//! A zone that is signed for the first time gets its first keys here, the one
//! thing that a load writes: the first answer for it is to be signed.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rhumb_dnssec::{Key, ZoneKeys};
use rhumb_zones::{Diagnostics, Model, Name, Zone};

use super::disk::Disk;
use crate::keys::{KeySource, Store, check_published, place, rollover_policy};

/// The key directories of a load.
#[derive(Clone, Debug, Default)]
pub(super) struct KeyListing {
    /// Of each signed zone: its name and the `.key` files there were.
    zones: Vec<(Name, Option<Vec<PathBuf>>)>,
    store: Option<Store>,
    /// When the first key does something else, in seconds since 1970.
    until: Option<u32>,
}

impl KeyListing {
    /// Whether the directories list the same, and no key's time has come.
    pub(super) fn is_current(&self, now: u32) -> bool {
        let Some(store) = &self.store else { return true };
        self.until.is_none_or(|until| now < until)
            && self.zones.iter().all(|(zone, listed)| listing(store, zone) == *listed)
    }

    /// The directories to watch.
    pub(super) fn directories(&self) -> impl Iterator<Item = PathBuf> {
        let store = self.store.as_ref();
        self.zones.iter().filter_map(move |(zone, _)| Some(store?.directory(zone)))
    }
}

/// The files, or nothing where there is no directory.
fn listing(store: &Store, zone: &Name) -> Option<Vec<PathBuf>> {
    if store.directory(zone).is_dir() { store.list(zone).ok() } else { None }
}

/// Reads the keys of all signed zones at `now`, by zone.
pub(super) fn read(
    (source, model): (&KeySource, &Model),
    disk: &Disk<'_>,
    now: u32,
    out: &mut Diagnostics,
) -> (Vec<Option<Arc<ZoneKeys>>>, KeyListing) {
    let mut listing_of = KeyListing::default();
    let Some(directory) = source.directory() else {
        if *source == KeySource::Nowhere {
            model.zones().iter().for_each(|zone| refuse_signed(zone, out));
        }
        return (vec![None; model.zones().len()], listing_of);
    };
    let store = Store::new(directory.to_owned());
    // Before reading: what changes meanwhile must not look current.
    let mut one = |zone: &Zone| {
        zone.dnssec.as_ref()?;
        if *source == KeySource::Kept(directory.to_owned()) {
            make_first((model, zone), &store, now, out);
        }
        listing_of.zones.push((zone.name.clone(), listing(&store, &zone.name)));
        let bytes = |path: &Path, limit| disk.key(path, limit).map_err(|error| error.0);
        let keys = store.read(&zone.name, bytes, out).keys;
        let keys = at_work(zone, (&keys, &store), now, out);
        listing_of.until = listing_of.until.into_iter().chain(keys.next_change).min();
        Some(Arc::new(keys))
    };
    let keys = model.zones().iter().map(&mut one).collect();
    listing_of.store = Some(store);
    (keys, listing_of)
}

/// What the keys amount to; a signed zone must have some at work.
fn at_work(zone: &Zone, (keys, store): (&[Key], &Store), now: u32, out: &mut Diagnostics) -> ZoneKeys {
    let directory = store.directory(&zone.name);
    let at = ZoneKeys::at(keys, now);
    check_published(&zone.name, (at.dnskeys.len(), &directory), out);
    if (at.is_empty() || at.dnskeys.is_empty()) && !out.refuse() {
        let what = format!("must have a key at work in {}", directory.display());
        let hint = format!("rhumb keys create {0}, or rhumb keys import {0} FILE", zone.name);
        let location = zone.dnssec.as_ref().map_or(&zone.location, |dnssec| &dnssec.location);
        out.hinted(location, [&format!("zone {}", zone.name), "dnssec"], what, Some(hint));
    }
    at
}

/// Makes the first keys of a zone that has none.
fn make_first((model, zone): (&Model, &Zone), store: &Store, now: u32, out: &mut Diagnostics) {
    let is_manual = zone.dnssec.as_ref().is_none_or(|dnssec| dnssec.manual);
    let Some(policy) = rollover_policy(model, zone) else { return };
    // What is wrong with files that there are is said when they are read.
    if is_manual || out.refuse() || !store.list(&zone.name).is_ok_and(|listed| listed.is_empty()) {
        return;
    }
    let made = store.lock(&zone.name).and_then(|_lock| {
        // Another may have made them while this one waited.
        match store.list(&zone.name).is_ok_and(|listed| listed.is_empty()) {
            true => store.advance((&zone.name, &mut Vec::new()), &policy, now),
            false => Ok(Vec::new()),
        }
    });
    match made {
        Ok(done) => done.iter().for_each(|done| tracing::info!(zone = %zone.name, "keys: {done}")),
        Err(error) => {
            let source =
                std::error::Error::source(&error).map_or_else(String::new, |source| format!(": {source}"));
            let at = place(&store.directory(&zone.name));
            out.error(&at, &format!("zone {}", zone.name), "keys", format!("{error}{source}"));
        }
    }
}

fn refuse_signed(zone: &Zone, out: &mut Diagnostics) {
    if let Some(dnssec) = &zone.dnssec {
        let what = "must have a place for its keys: give --keys DIR, or --state DIR";
        out.error(&dnssec.location, &format!("zone {}", zone.name), "dnssec", what);
    }
}
