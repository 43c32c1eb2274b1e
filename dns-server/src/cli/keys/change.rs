//! The commands that change key files.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use rhumb_dnssec::{Algorithm, Key, KeyText, MAX_KEY_FILE, Times};
use rhumb_zones::Name;

use super::{algorithm, clock, name, read};
use crate::cli::{Ending, Failure, print};
use crate::files;
use crate::keys::Store;

#[derive(Subcommand)]
pub(super) enum Change {
    /// Make a key that is at work at once: one that signs all unless it is said otherwise
    Create {
        /// The zone
        zone: String,
        /// ecdsa-p256 or ed25519
        #[arg(long, value_parser = algorithm, default_value = "ecdsa-p256", value_name = "WORD")]
        algorithm: Algorithm,
        /// Only for the zone's data: without the secure entry point
        #[arg(long)]
        zsk: bool,
    },
    /// Take over keys from files of dnssec-keygen and its like, times included
    Import {
        /// The zone
        zone: String,
        /// K*.key or K*.private; the other of the pair stands beside it
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Copy the keys of a zone to a directory that exists
    Export {
        /// The zone
        zone: String,
        /// Where to
        #[arg(value_name = "DIR")]
        directory: PathBuf,
    },
    /// Let a key sign no more; another of its role must be at work
    Retire {
        /// The zone
        zone: String,
        /// Its tag
        tag: u16,
        /// Unpublish it at once too: answers in caches that it signed become bogus
        #[arg(long)]
        at_once: bool,
    },
    /// Begin a rollover now: the server carries it through by the policy's times
    Roll {
        /// The zone
        zone: String,
        /// The key for the zone's data, not the one that the parent vouches for
        #[arg(long)]
        zsk: bool,
    },
    /// Say that the parent's DS names a key, on all of its servers
    DsSeen {
        /// The zone
        zone: String,
        /// The key's tag [default: the newest that waits]
        tag: Option<u16>,
    },
}

impl Change {
    pub(super) fn run(self, store: &Store) -> Result<Ending, Failure> {
        match self {
            Self::Create { zone, algorithm, zsk } => create(store, &name(&zone)?, (algorithm, !zsk)),
            Self::Import { zone, files } => import(store, &name(&zone)?, &files),
            Self::Export { zone, directory } => export(store, &name(&zone)?, directory),
            Self::Retire { zone, tag, at_once } => retire(store, &name(&zone)?, tag, at_once),
            Self::Roll { zone, zsk } => roll(store, &name(&zone)?, !zsk),
            Self::DsSeen { zone, tag } => ds_seen(store, &name(&zone)?, tag),
        }
    }
}

fn create(store: &Store, zone: &Name, (algorithm, is_entry): (Algorithm, bool)) -> Result<Ending, Failure> {
    let _lock = store.lock(zone)?;
    let mut key = store.make(zone, (algorithm, is_entry), &read(store, zone)?)?;
    let now = Some(clock());
    key.times = Times { publish: now, activate: now, ..key.times };
    saved(store, &key)
}

fn saved(store: &Store, key: &Key) -> Result<Ending, Failure> {
    store.save(key)?;
    print(&key.stem())?;
    Ok(Ending::Well)
}

fn import(store: &Store, zone: &Name, paths: &[PathBuf]) -> Result<Ending, Failure> {
    let text = |path: &Path, extension: &str| -> Result<String, Failure> {
        let path = path.with_extension(extension);
        let bytes = files::bounded(&path, MAX_KEY_FILE as u64)
            .map_err(|error| format!("{}: cannot be read: {error}", path.display()))?;
        String::from_utf8(bytes).map_err(|_| format!("{}: must be text", path.display()).into())
    };
    let mut keys = Vec::new();
    for path in paths {
        let text = KeyText { public: text(path, "key")?, private: text(path, "private")? };
        let key = text.scan().map_err(|error| format!("{}: {error}", path.display()))?;
        if key.zone != *zone {
            return Err(format!("{}: is a key of {}, not of {zone}", path.display(), key.zone).into());
        }
        keys.push(key);
    }
    let _lock = store.lock(zone)?;
    for key in keys {
        saved(store, &key)?;
    }
    Ok(Ending::Well)
}

fn export(store: &Store, zone: &Name, directory: PathBuf) -> Result<Ending, Failure> {
    if !fs::metadata(&directory)?.is_dir() {
        return Err(format!("{}: must be a directory", directory.display()).into());
    }
    for key in read(store, zone)? {
        store.copy(&key, &directory)?;
        print(&directory.join(key.stem()).display())?;
    }
    Ok(Ending::Well)
}

fn find(keys: &[Key], tag: u16) -> Result<Key, Failure> {
    let found = keys.iter().find(|key| key.pair.tag() == tag);
    found.cloned().ok_or_else(|| format!("no key has the tag {tag}").into())
}

fn retire(store: &Store, zone: &Name, tag: u16, at_once: bool) -> Result<Ending, Failure> {
    let _lock = store.lock(zone)?;
    let (keys, now) = (read(store, zone)?, clock());
    let mut key = find(&keys, tag)?;
    let stays = |other: &&Key| {
        let same_role = other.pair.is_entry() == key.pair.is_entry() || other.pair.is_entry();
        other.pair.id() != key.pair.id()
            && same_role
            && other.times.is_active(now)
            && other.times.is_published(now)
    };
    if !keys.iter().any(|other| stays(&other)) {
        return Err(format!("{tag} is the last of its role at work: roll it, or create another first").into());
    }
    key.times.inactive = Some(key.times.inactive.map_or(now, |inactive| inactive.min(now)));
    if at_once {
        key.times.delete = Some(now);
    }
    saved(store, &key)
}

fn roll(store: &Store, zone: &Name, is_entry: bool) -> Result<Ending, Failure> {
    let _lock = store.lock(zone)?;
    let (keys, now) = (read(store, zone)?, clock());
    let mut role: Vec<&Key> = keys
        .iter()
        .filter(|key| {
            key.pair.is_entry() == is_entry && key.times.inactive.is_none() && !key.times.is_gone(now)
        })
        .collect();
    role.sort_by_key(|key| key.times.activate.or(key.times.publish));
    let Some(leader) = role.last() else {
        return Err(format!("{zone} has no such key to be rolled").into());
    };
    let is_new = if is_entry { leader.times.ds_publish.is_none() } else { !leader.times.is_active(now) };
    if is_new && role.len() > 1 {
        return Err(format!("a rollover is under way: {} is not in place yet", leader.stem()).into());
    }
    let mut key = store.make(zone, (leader.pair.algorithm(), is_entry), &keys)?;
    key.times.publish = Some(now);
    saved(store, &key)
}

fn ds_seen(store: &Store, zone: &Name, tag: Option<u16>) -> Result<Ending, Failure> {
    let _lock = store.lock(zone)?;
    let (keys, now) = (read(store, zone)?, clock());
    let waits =
        |key: &&Key| key.pair.is_entry() && key.times.ds_publish.is_none() && key.times.is_published(now);
    let newest = || keys.iter().filter(waits).max_by_key(|key| key.times.publish).cloned();
    let mut key = match tag {
        Some(tag) => find(&keys, tag)?,
        None => newest().ok_or("no key waits for its DS")?,
    };
    if !key.pair.is_entry() {
        return Err(format!("{} is for the zone's data alone: no DS names it", key.stem()).into());
    }
    if key.times.sync_publish.is_some_and(|offered| offered > now) {
        return Err(
            format!("{} must not be in the parent yet: not every resolver knows it", key.stem()).into()
        );
    }
    key.times.ds_publish = Some(key.times.ds_publish.unwrap_or(now));
    saved(store, &key)
}
