//! The disk as the loader sees it, and what the loader saw.
//!
//! [`Disk`] reads policies and the files they name, and keeps of each what
//! tells whether it has changed: a hash of its content, or that it could not
//! be read. The resulting [`Footprint`] says what to watch, whether anything
//! differs from the last time, and how new a zone's files are.
//!
//! Text is compared by content, not by time: touching a file must not make a
//! generation, and two edits within one tick of a clock must. Databases are
//! compared by identity, size and times, because 66 MB need not be read again
//! for every edit of a policy.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::fs::{self, File, Metadata};
use std::hash::{DefaultHasher, Hasher as _};
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use rhumb_zones::{Files, ReadError, Tree, Zone};

use super::keyring::KeyListing;
use super::{Document, Sources};
use crate::net::clock;
use crate::watch::is_policy_file;

/// Largest zone file or prefix list: a million names need 100 MB.
const MAX_FILE: u64 = 512 << 20;

/// Largest file of secrets: far more than a few lines with comments.
const MAX_SMALL: u64 = 1 << 20;

/// Most policy files in a directory.
const MAX_LISTED: usize = 10_000;

/// Reads files and remembers them.
#[derive(Debug, Default)]
pub(super) struct Disk<'s> {
    /// Documents that are no files, by name.
    embedded: &'s [Document],
    seen: RefCell<Vec<Seen>>,
}

/// One file as it was when it was read.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Seen {
    path: PathBuf,
    /// The file that names it; a policy file is named by none.
    from: Option<Box<str>>,
    /// Its largest size.
    limit: u64,
    /// A hash of its content; nothing when it could not be read.
    content: Option<u64>,
    /// When it was last written, in Unix seconds.
    modified: u32,
}

/// Everything a load depended on.
#[derive(Clone, Debug, Default)]
pub struct Footprint {
    sources: Sources,
    policies: Vec<PathBuf>,
    seen: Vec<Seen>,
    stamps: Vec<Stamp>,
    keys: KeyListing,
}

/// What tells one content of a large file from the next without reading it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Stamp {
    identity: Option<[u64; 3]>,
    times: Option<[i64; 4]>,
}

impl Stamp {
    /// The stamp of `path` now.
    pub(super) fn of(path: &Path) -> Self {
        let found = fs::metadata(path).ok();
        let found = found.as_ref();
        Self {
            identity: found.map(|found| [found.dev(), found.ino(), found.size()]),
            times: found.map(|found| [found.mtime(), found.mtime_nsec(), found.ctime(), found.ctime_nsec()]),
        }
    }
}

impl<'s> Disk<'s> {
    pub(super) fn new(embedded: &'s [Document]) -> Self {
        Self { embedded, seen: RefCell::default() }
    }

    /// The content of a policy file.
    pub(super) fn policy(&self, path: &Path) -> Result<Vec<u8>, ReadError> {
        self.file(path, None, Tree::MAX_BYTES as u64)
    }

    /// The content of a file that no policy names and that is small.
    pub(super) fn small(&self, path: &Path) -> Result<Vec<u8>, ReadError> {
        self.file(path, None, MAX_SMALL)
    }

    /// The content of a key file.
    pub(super) fn key(&self, path: &Path, limit: u64) -> Result<Vec<u8>, ReadError> {
        self.file(path, None, limit)
    }

    pub(super) fn into_footprint(
        self,
        sources: &Sources,
        (policies, stamps): (Vec<PathBuf>, Vec<Stamp>),
        keys: KeyListing,
    ) -> Footprint {
        Footprint { sources: sources.clone(), policies, seen: self.seen.into_inner(), stamps, keys }
    }

    fn file(&self, path: &Path, from: Option<&str>, limit: u64) -> Result<Vec<u8>, ReadError> {
        let read = read(path, limit);
        let seen = |content, modified| Seen {
            path: path.to_owned(),
            from: from.map(Box::from),
            limit,
            content,
            modified,
        };
        let (seen, bytes) = match read {
            Ok((bytes, modified)) => (seen(Some(hash(&bytes)), modified), Ok(bytes)),
            Err(error) => (seen(None, 0), Err(ReadError(format!("cannot be read: {error}")))),
        };
        self.seen.borrow_mut().push(seen);
        bytes
    }
}

impl Files for Disk<'_> {
    fn read(&self, from: &str, path: &str) -> Result<(String, Vec<u8>), ReadError> {
        let path = Path::new(from).parent().unwrap_or_else(|| Path::new("")).join(path);
        let name = path.to_string_lossy().into_owned();
        match self.embedded.iter().find(|document| *document.name == *name) {
            Some(document) => Ok((name, document.bytes.to_vec())),
            None => self.file(&path, Some(from), MAX_FILE).map(|bytes| (name, bytes)),
        }
    }
}

impl Footprint {
    /// Whether a load now would read the same.
    #[must_use]
    pub fn is_current<'f>(&'f self) -> bool {
        let here = |seen: &Seen| content(&seen.path, seen.limit).ok();
        // A file that many name was read for each, and need not be again.
        let mut known: HashMap<&Path, Option<u64>> = HashMap::new();
        let same =
            |seen: &'f Seen| *known.entry(seen.path.as_path()).or_insert_with(|| here(seen)) == seen.content;
        self.stamps == self.sources.geo.iter().map(|path| Stamp::of(path)).collect::<Vec<_>>()
            && self.keys.is_current(clock())
            && self.policies == list(&self.sources.policies).0
            && self.seen.iter().all(same)
    }

    /// The files to watch, whether they could be read or not.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        let seen = self.seen.iter().map(|seen| &seen.path);
        seen.chain(&self.sources.geo).chain(&self.sources.policies).map(PathBuf::as_path)
    }

    /// The directories to watch for policy files and keys.
    pub fn directories(&self) -> impl Iterator<Item = PathBuf> {
        let policies = self.sources.policies.iter().filter(|path| path.is_dir());
        policies.cloned().chain(self.keys.directories())
    }

    /// When the newest file was written that a zone was read from: its policy
    /// file and all that it names. In Unix seconds.
    pub fn newest(&self) -> impl Fn(&Zone) -> u32 {
        let mut written: HashMap<Cow<'_, str>, u32> = HashMap::new();
        let mut named: HashMap<&str, Vec<Cow<'_, str>>> = HashMap::new();
        for seen in &self.seen {
            let name = seen.path.to_string_lossy();
            written.insert(name.clone(), seen.modified);
            if let Some(from) = &seen.from {
                named.entry(from).or_default().push(name);
            }
        }
        move |zone| {
            // A document that is no file has no time; 0 is no serial to start with.
            let mut newest = 1;
            let mut known = HashSet::from([&*zone.location.file]);
            let mut open: Vec<&str> = known.iter().copied().collect();
            while let Some(name) = open.pop() {
                newest = newest.max(written.get(name).copied().unwrap_or(0));
                let below = named.get(name).into_iter().flatten();
                open.extend(below.map(|name| &**name).filter(|name| known.insert(name)));
            }
            newest
        }
    }
}

/// The policy files that PATHs stand for, in order, and those PATHs that
/// stand for none, with the reason.
pub(super) fn list(paths: &[PathBuf]) -> (Vec<PathBuf>, Vec<(PathBuf, String)>) {
    let (mut files, mut wrong) = (Vec::new(), Vec::new());
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        match directory(path) {
            Ok(listed) if listed.is_empty() => {
                wrong.push((path.clone(), "must hold a *.yaml or *.yml file".to_owned()));
            }
            Ok(listed) => files.extend(listed),
            Err(error) => wrong.push((path.clone(), format!("cannot be read: {error}"))),
        }
    }
    (files, wrong)
}

/// The policy files directly in a directory, sorted by name.
fn directory(path: &Path) -> io::Result<Vec<PathBuf>> {
    let entries: Vec<PathBuf> =
        fs::read_dir(path)?.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<_>>()?;
    let mut listed: Vec<PathBuf> = entries.into_iter().filter(|path| is_policy_file(path)).collect();
    if listed.len() > MAX_LISTED {
        return Err(io::Error::other(format!("holds more than {MAX_LISTED} policy files")));
    }
    listed.sort();
    Ok(listed)
}

/// A whole regular file of at most `limit` bytes, and when it was written.
fn read(path: &Path, limit: u64) -> io::Result<(Vec<u8>, u32)> {
    let (mut file, found) = open(path, limit)?;
    let mut bytes = Vec::with_capacity(usize::try_from(found.len()).unwrap_or(0));
    file.read_to_end(&mut bytes)?;
    // It may have grown since.
    if bytes.len() as u64 > limit { Err(too_large(limit)) } else { Ok((bytes, modified(&found))) }
}

/// The [`hash`] of such a file, of which little is in memory at a time.
fn content(path: &Path, limit: u64) -> io::Result<u64> {
    let (mut file, _) = open(path, limit)?;
    let mut hash = Hash::default();
    if io::copy(&mut file, &mut hash)? > limit { Err(too_large(limit)) } else { Ok(hash.0.finish()) }
}

/// A regular file that ends one byte after `limit` at the latest.
fn open(path: &Path, limit: u64) -> io::Result<(io::Take<File>, Metadata)> {
    // Asked before opening: opening a pipe would wait for its writer.
    let found = fs::metadata(path)?;
    if !found.is_file() {
        return Err(io::Error::other("is no regular file"));
    }
    if found.len() > limit {
        return Err(too_large(limit));
    }
    Ok((File::open(path)?.take(limit + 1), found))
}

fn too_large(limit: u64) -> io::Error {
    io::Error::other(format!("is larger than {}", size(limit)))
}

/// A limit in words.
fn size(limit: u64) -> String {
    match limit >> 20 {
        0 => format!("{} KB", limit >> 10),
        megabytes => format!("{megabytes} MB"),
    }
}

fn modified(found: &Metadata) -> u32 {
    let since = found.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    since.map_or(0, |since| u32::try_from(since.as_secs()).unwrap_or(u32::MAX))
}

fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    hasher.finish()
}

/// What bytes are written to to be hashed; it does not matter where they are
/// cut.
#[derive(Default)]
struct Hash(DefaultHasher);

impl io::Write for Hash {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
