//! Which change on disk may change what is served.
//!
//! Directories are watched, never files: an editor saves by renaming a new
//! file over the old one, and a watch on the old one sees nothing more. Each
//! path is walked component by component, and every entry whose replacement
//! would lead elsewhere is of interest: the file, each symbolic link on the
//! way (a Kubernetes config map swaps `..data`), and the directory that holds
//! it. Events for other entries of a watched directory are dropped unseen.
//!
//! A file that is being written is not read half-way: an event says whether
//! every file written so far has been closed again.
//!
//! A change is only a hint. Whether content changed is for the loader to
//! find, so a superfluous event costs one comparison and a file system that
//! sends none (NFS) is served by SIGHUP and `rhumb reload`.
//!
//! **Invariant:** this module opens no file and knows no format.

use std::collections::{HashSet, VecDeque};
use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use notify::event::{AccessKind, AccessMode, EventKind, ModifyKind};
use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher as _};

use crate::keys::is_key_file;

/// The policy files that a directory given as PATH stands for.
pub(crate) fn is_policy_file(path: &Path) -> bool {
    let hidden = path.file_name().is_none_or(|name| name.as_encoded_bytes().starts_with(b"."));
    !hidden && path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml")
}

/// What is being watched.
#[derive(Debug)]
pub struct Watch {
    watcher: RecommendedWatcher,
    watched: HashSet<PathBuf>,
    interest: Arc<Mutex<Interest>>,
}

/// Something of interest may have changed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    /// Whether all files written to are closed again.
    pub settled: bool,
    /// What changed; nothing when events were lost.
    pub path: Option<PathBuf>,
}

#[derive(Debug, Default)]
struct Interest {
    /// Directory entries that matter.
    entries: HashSet<PathBuf>,
    /// Directories whose policy and key files all matter.
    directories: HashSet<PathBuf>,
    /// Entries written to and not yet closed.
    open: HashSet<PathBuf>,
}

impl Watch {
    /// Starts a watch on nothing; `changed` runs on the watch's own thread.
    ///
    /// # Errors
    /// When the system offers no watches.
    pub fn new(changed: impl Fn(Change) + Send + 'static) -> notify::Result<Self> {
        let interest = Arc::new(Mutex::new(Interest::default()));
        let shared = Arc::clone(&interest);
        let watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            let mut interest = shared.lock().unwrap_or_else(PoisonError::into_inner);
            let change = match event {
                Ok(event) => interest.weigh(&event),
                Err(_) => interest.lost(),
            };
            drop(interest);
            if let Some(change) = change {
                changed(change);
            }
        })?;
        Ok(Self { watcher, watched: HashSet::new(), interest })
    }

    /// Watches exactly these files and the policy and key files of these
    /// directories from now on. Call it *before* reading them, or a change in between is
    /// lost. A directory that cannot be watched is named in the log.
    pub fn follow<'a>(
        &mut self,
        files: impl Iterator<Item = &'a Path>,
        directories: impl Iterator<Item = PathBuf>,
    ) {
        let mut interest = Interest::default();
        for file in files {
            entries(file, &mut interest.entries);
        }
        for directory in directories {
            let real = entries(&directory, &mut interest.entries);
            interest.directories.insert(real);
        }
        let parents = interest.entries.iter().filter_map(|entry| entry.parent());
        let wanted: HashSet<PathBuf> =
            parents.map(Path::to_owned).chain(interest.directories.iter().cloned()).collect();
        let mut shared = self.interest.lock().unwrap_or_else(PoisonError::into_inner);
        interest.open = std::mem::take(&mut shared.open);
        *shared = interest;
        drop(shared);
        for gone in self.watched.difference(&wanted) {
            // The directory may itself be gone, and its watch with it.
            let _ = self.watcher.unwatch(gone);
        }
        for directory in &wanted {
            // Also those watched before: one may have been deleted and made anew.
            if let Err(error) = self.watcher.watch(directory, RecursiveMode::NonRecursive)
                && directory.exists()
            {
                tracing::warn!(directory = %directory.display(), %error, "cannot be watched");
            }
        }
        self.watched = wanted;
    }
}

impl Interest {
    fn weigh(&mut self, event: &Event) -> Option<Change> {
        if event.need_rescan() {
            return self.lost();
        }
        let path = event.paths.iter().find(|path| self.holds(path))?.clone();
        match event.kind {
            EventKind::Access(AccessKind::Close(AccessMode::Write)) | EventKind::Remove(_) => {
                self.open.remove(&path);
            }
            EventKind::Access(_) => return None,
            EventKind::Modify(ModifyKind::Data(_)) => _ = self.open.insert(path.clone()),
            _ => {}
        }
        Some(Change { settled: self.open.is_empty(), path: Some(path) })
    }

    /// Events were lost, perhaps that of a close: anything may have changed.
    fn lost(&mut self) -> Option<Change> {
        self.open.clear();
        Some(Change { settled: true, path: None })
    }

    fn holds(&self, path: &Path) -> bool {
        let listed = || path.parent().is_some_and(|parent| self.directories.contains(parent));
        self.entries.contains(path)
            || self.directories.contains(path)
            || ((is_policy_file(path) || is_key_file(path)) && listed())
    }
}

/// Adds every directory entry whose replacement may change what `path` is,
/// and returns where the path ends.
fn entries(path: &Path, found: &mut HashSet<PathBuf>) -> PathBuf {
    /// As many links as Linux follows; a loop is the loader's to report.
    const MAX_LINKS: usize = 40;
    let Ok(path) = std::path::absolute(path) else { return path.to_owned() };
    let mut rest: VecDeque<OsString> = names(&path).collect();
    let mut here = PathBuf::from("/");
    let mut links = 0;
    while let Some(name) = rest.pop_front() {
        if name == ".." {
            here.pop();
            continue;
        }
        let entry = here.join(&name);
        match std::fs::read_link(&entry) {
            Ok(target) if links < MAX_LINKS => {
                links += 1;
                found.insert(entry);
                for name in names(&target).collect::<Vec<_>>().into_iter().rev() {
                    rest.push_front(name);
                }
                if target.is_absolute() {
                    here = PathBuf::from("/");
                }
            }
            _ => here = entry,
        }
    }
    found.extend(here.parent().filter(|parent| parent.parent().is_some()).map(Path::to_owned));
    found.insert(here.clone());
    here
}

fn names(path: &Path) -> impl Iterator<Item = OsString> {
    path.components().filter_map(|component| match component {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some(OsString::from("..")),
        Component::CurDir | Component::RootDir | Component::Prefix(_) => None,
    })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str) -> Self {
            let root = std::env::temp_dir().join(format!("rhumb-watch-{name}-{}", std::process::id()));
            let _ = fs::remove_dir_all(&root);
            fs::create_dir_all(&root).expect("a scratch directory");
            Self(root.canonicalize().expect("it exists"))
        }

        fn write(&self, path: &str, text: &str) {
            let path = self.0.join(path);
            fs::create_dir_all(path.parent().expect("below the root")).expect("made");
            fs::write(path, text).expect("written");
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_config_map_is_walked_through_its_links() {
        let scratch = Scratch::new("entries");
        scratch.write("map/..2026/demo.yaml", "");
        symlink("..2026", scratch.0.join("map/..data")).expect("linked");
        symlink("..data/demo.yaml", scratch.0.join("map/demo.yaml")).expect("linked");
        let mut found = HashSet::new();
        let end = entries(&scratch.0.join("map/demo.yaml"), &mut found);
        assert_eq!(end, scratch.0.join("map/..2026/demo.yaml"));
        let rows = [
            ("map/demo.yaml", "the link that was named"),
            ("map/..data", "the link that is swapped"),
            ("map/..2026", "the directory of the file"),
            ("map/..2026/demo.yaml", "the file"),
        ];
        for (entry, why) in rows {
            assert!(found.contains(&scratch.0.join(entry)), "{entry}: {why}");
        }
        assert_eq!(found.len(), rows.len(), "and nothing else: {found:?}");
    }

    type Act = fn(&Path) -> std::io::Result<()>;

    #[test]
    fn changes_are_seen_and_others_are_not() {
        let scratch = Scratch::new("changes");
        scratch.write("policies/a.yaml", "old");
        scratch.write("zones/example.zone", "old");
        scratch.write("fence", "old");
        scratch.write("r1/b.yaml", "old");
        scratch.write("r2/b.yaml", "new");
        symlink("r1", scratch.0.join("current")).expect("linked");
        let (send, receive) = mpsc::channel();
        let mut watch = Watch::new(move |change| send.send(change).expect("listened to")).expect("watched");
        let files =
            ["policies/a.yaml", "zones/example.zone", "current/b.yaml", "fence"].map(|f| scratch.0.join(f));
        let directories = [scratch.0.join("policies")];
        let rows: [(Act, Option<&str>, &str); 8] = [
            (|root| fs::write(root.join("policies/a.yaml"), "new"), Some("policies/a.yaml"), "in place"),
            (|root| fs::write(root.join("policies/note.txt"), "x"), None, "no policy file"),
            (|root| fs::write(root.join("zones/other.zone"), "x"), None, "a zone nobody named"),
            (
                |root| fs::rename(root.join("zones/other.zone"), root.join("zones/example.zone")),
                Some("zones/example.zone"),
                "saved by renaming",
            ),
            (|root| fs::write(root.join("policies/b.yaml"), "x"), Some("policies/b.yaml"), "a new file"),
            (|root| fs::remove_file(root.join("policies/b.yaml")), Some("policies/b.yaml"), "gone again"),
            (|root| fs::read(root.join("policies/a.yaml")).map(drop), None, "reading is no change"),
            (
                |root| {
                    symlink("r2", root.join("next"))?;
                    fs::rename(root.join("next"), root.join("current"))
                },
                Some("current"),
                "a link swapped",
            ),
        ];
        for (act, want, why) in rows {
            watch.follow(files.iter().map(PathBuf::as_path), directories.iter().cloned());
            act(&scratch.0).expect(why);
            // Events come in order: one that must not come would come before
            // this fence does.
            scratch.write("fence", why);
            let mut seen = HashSet::new();
            loop {
                let change = receive.recv_timeout(Duration::from_secs(10)).expect("the fence is seen");
                let path = change.path.expect("no event was lost");
                if path.ends_with("fence") && change.settled {
                    break;
                }
                seen.insert(path.strip_prefix(&scratch.0).expect("below the root").to_owned());
            }
            seen.remove(Path::new("fence"));
            assert_eq!(seen, want.into_iter().map(PathBuf::from).collect(), "{why}");
        }
    }
}
