//! Key files, read and written.

use std::fs::{self, DirBuilder, File, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _, lchown};
use std::path::{Path, PathBuf};

use rhumb_dnssec::rollover::{Act, RolloverPolicy, advance};
use rhumb_dnssec::{Key, KeyError, KeyText, MAX_KEY_FILE, TextError, zone_file_name};
use rhumb_zones::{Diagnostics, Location, Name};

use crate::files;

/// Most keys of a zone: rolled daily, those of the two weeks that files are
/// kept and a good many more.
const MAX_KEYS: usize = 256;

/// Most keys of a zone that are published at once: more would make a DNSKEY
/// answer that resolvers refuse.
const MAX_PUBLISHED: usize = 16;

/// How often a key is made anew because its tag is taken.
const MAX_TRIES: usize = 16;

/// The directory of all keys.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Store {
    root: PathBuf,
}

/// The keys of a zone as they were read, and the files they were read from.
#[derive(Clone, Debug, Default)]
pub struct Keyed {
    /// The keys that could be read, by tag.
    pub keys: Vec<Key>,
    /// The files, `.key` before `.private`, whether they could be read or not.
    pub files: Vec<PathBuf>,
}

/// That nobody else changes the keys of a zone, until it is dropped.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// Why keys are not stored or made.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A file cannot be used.
    #[error("{}: cannot be used", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Somebody else is at it.
    #[error("{}: is being changed by another process", .0.display())]
    Busy(PathBuf),
    /// A key cannot be made.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Text that is no key.
    #[error(transparent)]
    Text(#[from] TextError),
}

impl Store {
    /// The store under a directory, which need not exist yet.
    #[must_use]
    pub const fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// Where the keys of a zone are.
    #[must_use]
    pub fn directory(&self, zone: &Name) -> PathBuf {
        let name = zone_file_name(zone);
        // No other zone's name has an @ here.
        self.root.join(match name.trim_end_matches('.') {
            "" => "@",
            name => name,
        })
    }

    /// The `.key` files of a zone in order; none when it has no directory.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn list(&self, zone: &Name) -> io::Result<Vec<PathBuf>> {
        let entries = match fs::read_dir(self.directory(zone)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut listed = Vec::new();
        for entry in entries {
            let path = entry?.path();
            if is_key_file(&path) && path.extension().is_some_and(|extension| extension == "key") {
                listed.push(path);
            }
            if listed.len() > MAX_KEYS {
                return Err(io::Error::other(format!("holds more than {MAX_KEYS} keys")));
            }
        }
        listed.sort();
        Ok(listed)
    }

    /// Reads the keys of a zone; what is wrong goes to `out`. `read` reads a
    /// file of at most so many bytes, and says what is wrong with it.
    pub fn read(
        &self,
        zone: &Name,
        read: impl Fn(&Path, u64) -> Result<Vec<u8>, String>,
        out: &mut Diagnostics,
    ) -> Keyed {
        let who = format!("zone {zone}");
        let listed = self.list(zone).unwrap_or_else(|error| {
            out.error(&place(&self.directory(zone)), &who, "keys", format!("cannot be read: {error}"));
            Vec::new()
        });
        let mut found = Keyed::default();
        for public in listed {
            let private = public.with_extension("private");
            let text = |path: &Path| {
                let bytes = read(path, MAX_KEY_FILE as u64).map_err(|what| (path.to_owned(), what))?;
                String::from_utf8(bytes).map_err(|_| (path.to_owned(), "must be text".to_owned()))
            };
            let key = text(&public).and_then(|public_text| {
                let text = KeyText { public: public_text, private: text(&private)? };
                let key = text.scan().map_err(|error| (public.clone(), error.to_string()))?;
                belongs(&key, zone, &public).map_err(|what| (public.clone(), what))
            });
            match key {
                Ok(key) => found.keys.push(key),
                Err((path, what)) => out.error(&place(&path), &who, "key", what),
            }
            if fs::metadata(&private).is_ok_and(|found| found.mode() & 0o077 != 0) {
                out.warn(&place(&private), &who, "key", "may be read by others: it should have mode 0600");
            }
            found.files.extend([public, private]);
        }
        found
    }

    /// As [`Store::read`], from the disk as it is.
    pub fn read_now(&self, zone: &Name, out: &mut Diagnostics) -> Keyed {
        let bounded = |path: &Path, limit| {
            files::bounded(path, limit).map_err(|error| format!("cannot be read: {error}"))
        };
        self.read(zone, bounded, out)
    }

    /// Keeps others from changing the keys of a zone; makes its directory.
    ///
    /// # Errors
    /// When another process holds it, or it cannot be had.
    pub fn lock(&self, zone: &Name) -> Result<Lock, StoreError> {
        let directory = self.directory(zone);
        let wrong = |source| StoreError::File { path: directory.clone(), source };
        let parent = self.root.parent().filter(|parent| !parent.as_os_str().is_empty());
        let parent = parent.unwrap_or_else(|| Path::new("."));
        fs::create_dir_all(parent).and_then(|()| make_directory(&self.root, parent)).map_err(wrong)?;
        make_directory(&directory, &self.root).map_err(wrong)?;
        let path = directory.join(".lock");
        let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(wrong)?;
        like_directory(&path, &directory).map_err(wrong)?;
        match file.try_lock() {
            Ok(()) => Ok(Lock { _file: file }),
            Err(fs::TryLockError::WouldBlock) => Err(StoreError::Busy(directory)),
            Err(fs::TryLockError::Error(error)) => Err(wrong(error)),
        }
    }

    /// Writes a key, or its new times.
    ///
    /// # Errors
    /// When a file cannot be written; the old one then stands.
    pub fn save(&self, key: &Key) -> Result<(), StoreError> {
        self.copy(key, &self.directory(&key.zone))
    }

    /// Writes the files of a key to any directory.
    ///
    /// # Errors
    /// As [`Store::save`].
    pub fn copy(&self, key: &Key, directory: &Path) -> Result<(), StoreError> {
        let text = KeyText::of(key);
        // The private one first: a key without it is none.
        for (extension, text, mode) in [("private", text.private, 0o600), ("key", text.public, 0o644)] {
            let path = directory.join(format!("{}.{extension}", key.stem()));
            let written = files::replace(&path, |file| {
                file.get_ref().set_permissions(Permissions::from_mode(mode))?;
                file.write_all(text.as_bytes())
            });
            let written = written.and_then(|()| like_directory(&path, directory));
            written.map_err(|source| StoreError::File { path, source })?;
        }
        Ok(())
    }

    /// Removes the files of a key.
    ///
    /// # Errors
    /// When they cannot be removed.
    pub fn remove(&self, key: &Key) -> Result<(), StoreError> {
        for extension in ["key", "private"] {
            let path = self.directory(&key.zone).join(format!("{}.{extension}", key.stem()));
            match fs::remove_file(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                removed => removed.map_err(|source| StoreError::File { path, source })?,
            }
        }
        Ok(())
    }

    /// Does all that is to be done with a zone's keys at `now`, as changed in
    /// `keys`, and says what it did.
    ///
    /// # Errors
    /// When a key cannot be made or stored; what was done until then is whole.
    pub fn advance(
        &self,
        (zone, keys): (&Name, &mut Vec<Key>),
        policy: &RolloverPolicy,
        now: u32,
    ) -> Result<Vec<String>, StoreError> {
        let mut done = Vec::new();
        for act in advance(keys, policy, now).acts {
            match act {
                Act::Make { is_entry, times } => {
                    let mut key = self.make(zone, (policy.algorithm, is_entry), keys)?;
                    key.times = times;
                    self.save(&key)?;
                    done.push(format!("made {}", key.stem()));
                    keys.push(key);
                }
                Act::Set { id, times } => {
                    if let Some(key) = keys.iter_mut().find(|key| key.pair.id() == id) {
                        key.times = times;
                        self.save(key)?;
                        done.push(format!("changed the times of {}", key.stem()));
                    }
                }
                Act::Remove { id } => {
                    if let Some(at) = keys.iter().position(|key| key.pair.id() == id) {
                        let key = keys.remove(at);
                        self.remove(&key)?;
                        done.push(format!("removed {}", key.stem()));
                    }
                }
            }
        }
        Ok(done)
    }

    /// A new key whose files and tag no other has.
    ///
    /// # Errors
    /// When none can be made.
    pub fn make(
        &self,
        zone: &Name,
        (algorithm, is_entry): (rhumb_dnssec::Algorithm, bool),
        others: &[Key],
    ) -> Result<Key, StoreError> {
        let created = u32::try_from(crate::reload::now()).unwrap_or(u32::MAX);
        let mut key = Key::generate(zone.clone(), algorithm, is_entry, created)?;
        for _ in 1..MAX_TRIES {
            if others.iter().all(|other| other.pair.tag() != key.pair.tag()) {
                break;
            }
            key = Key::generate(zone.clone(), algorithm, is_entry, created)?;
        }
        Ok(key)
    }
}

/// Whether a name is that of a key file.
#[must_use]
pub(crate) fn is_key_file(path: &Path) -> bool {
    let begins = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"K"));
    begins && path.extension().is_some_and(|extension| extension == "key" || extension == "private")
}

/// The key, if it is the zone's and its file is called as it is.
fn belongs(key: &Key, zone: &Name, file: &Path) -> Result<Key, String> {
    let stem = key.stem();
    if key.zone != *zone {
        Err(format!("must be a key of {zone}, not of {}", key.zone))
    } else if file.file_stem().is_none_or(|name| name != stem.as_str()) {
        Err(format!("must be called {stem}.key, after the key in it"))
    } else {
        Ok(key.clone())
    }
}

/// Makes a directory in one that exists, if it is not there.
fn make_directory(path: &Path, parent: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made.and_then(|()| like_directory(path, parent)),
    }
}

/// Gives a file to the owner of its directory, if root made it for a server
/// that is not root; never through a link, which that user may have put there.
fn like_directory(path: &Path, directory: &Path) -> io::Result<()> {
    let (file, directory) = (fs::symlink_metadata(path)?, fs::metadata(directory)?);
    if file.uid() == directory.uid() {
        return Ok(());
    }
    lchown(path, Some(directory.uid()), Some(directory.gid()))
}

pub(crate) fn place(path: &Path) -> Location {
    Location { file: path.to_string_lossy().into(), line: 0, column: 0 }
}

/// Says when more keys are published than resolvers stand.
pub(crate) fn check_published(zone: &Name, (published, directory): (usize, &Path), out: &mut Diagnostics) {
    if published > MAX_PUBLISHED {
        let what = format!("publishes {published} keys, and must publish at most {MAX_PUBLISHED}");
        out.error(&place(directory), &format!("zone {zone}"), "keys", what);
    }
}
