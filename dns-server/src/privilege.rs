//! Becoming a user who may do little, once every socket is bound.
//!
//! Ports below 1024 need a privilege that answering does not. All that a user
//! may lose is given up: groups, ids, and every capability but the one that
//! pings need (`CAP_NET_RAW`, if it was there). The state directory, which the
//! server must still write, is given to that user; what it must still read,
//! such as policies and certificates, is the operator's to make readable. The
//! admin socket stays root's: commands trust none that a user may have put
//! there.
//!
//! It happens before the server's own threads start, because a capability is
//! kept by a thread and by those it starts.

use std::ffi::CString;
use std::io;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};

use nix::unistd::{User, initgroups, setgid, setuid};
use rustix::thread::{CapabilitySet, CapabilitySets, capabilities, set_capabilities, set_keep_capabilities};

/// Why the process could not become another user.
#[derive(Debug, thiserror::Error)]
pub enum PrivilegeError {
    /// There is no such user.
    #[error("--user {0}: there is no such user")]
    Unknown(String),
    /// The state directory cannot be given to the user.
    #[error("--user: {} cannot be given to it", path.display())]
    Give {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The system refused.
    #[error("--user: cannot become it")]
    Become(#[source] io::Error),
}

/// Gives a directory to the user called `name`.
///
/// # Errors
/// When there is no such user or the system refuses.
pub fn give(name: &str, directory: &Path) -> Result<(), PrivilegeError> {
    let user = named(name)?;
    chown(directory, Some(user.uid.as_raw()), Some(user.gid.as_raw()))
        .map_err(|source| PrivilegeError::Give { path: directory.to_owned(), source })
}

fn named(name: &str) -> Result<User, PrivilegeError> {
    User::from_name(name).map_err(refused)?.ok_or_else(|| PrivilegeError::Unknown(name.to_owned()))
}

/// Becomes the user called `name`.
///
/// # Errors
/// When there is none or the system refuses, as it does without privileges.
pub fn become_user(name: &str) -> Result<(), PrivilegeError> {
    let c_name = CString::new(name).map_err(|_| PrivilegeError::Unknown(name.to_owned()))?;
    let user = named(name)?;
    let before = capabilities(None).map_err(refused)?;
    let kept = before.permitted & CapabilitySet::NET_RAW;
    set_keep_capabilities(true).map_err(refused)?;
    initgroups(&c_name, user.gid).map_err(refused)?;
    setgid(user.gid).map_err(refused)?;
    setuid(user.uid).map_err(refused)?;
    let sets = CapabilitySets { effective: kept, permitted: kept, inheritable: CapabilitySet::empty() };
    set_capabilities(None, sets).map_err(refused)
}

fn refused(error: impl Into<io::Error>) -> PrivilegeError {
    PrivilegeError::Become(error.into())
}
