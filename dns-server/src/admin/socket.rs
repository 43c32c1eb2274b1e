//! The socket's file: private, one per user, never stolen.
//!
//! Whoever may open it may reload and ask; so it is readable and writable by
//! its owner alone from before anyone can connect, and there is no TCP port
//! that would need a password instead. A file left by a server that died is
//! known by nobody accepting behind it and is replaced; one with a server
//! behind it, or that is no socket at all, is left alone.

use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use socket2::{Domain, SockAddr, Socket, Type};

/// Where the socket is when nobody says: `$XDG_RUNTIME_DIR/rhumb.sock`; for
/// root `/run/rhumb.sock`; else `rhumb-UID.sock` in the directory for
/// temporary files.
#[must_use]
pub fn default_path() -> PathBuf {
    let user = rustix::process::geteuid();
    match std::env::var_os("XDG_RUNTIME_DIR") {
        Some(directory) if !directory.is_empty() => PathBuf::from(directory).join("rhumb.sock"),
        _ if user.is_root() && Path::new("/run").is_dir() => PathBuf::from("/run/rhumb.sock"),
        _ => std::env::temp_dir().join(format!("rhumb-{}.sock", user.as_raw())),
    }
}

/// Why the admin socket could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    /// A server answers there.
    #[error("{}: another server is running with this admin socket; give this one its own with --admin", .0.display())]
    InUse(PathBuf),
    /// Something else has that name.
    #[error("{}: is there already and is no socket", .0.display())]
    NoSocket(PathBuf),
    /// The system refused.
    #[error("{}: cannot be bound", path.display())]
    Bind {
        /// The socket's file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// A bound socket; its file goes when it does.
#[derive(Debug)]
pub struct AdminSocket {
    /// Where clients come in; non-blocking.
    pub(super) listener: UnixListener,
    path: PathBuf,
    /// Device and inode: a file that another server put there since stays.
    identity: (u64, u64),
}

impl AdminSocket {
    /// Clients that may wait to be accepted.
    const BACKLOG: i32 = 16;

    /// Binds `path`, for the owner alone.
    ///
    /// # Errors
    /// When something else is there or the system refuses.
    pub fn bind(path: &Path) -> Result<Self, SocketError> {
        let failed = |source| SocketError::Bind { path: path.to_owned(), source };
        match fs::symlink_metadata(path) {
            Ok(found) if !found.file_type().is_socket() => {
                return Err(SocketError::NoSocket(path.to_owned()));
            }
            Ok(_) if is_live(path).map_err(failed)? => return Err(SocketError::InUse(path.to_owned())),
            Ok(_) => fs::remove_file(path).map_err(failed)?,
            Err(_) => {}
        }
        Self::create(path).map_err(failed)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn create(path: &Path) -> io::Result<Self> {
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
        socket.bind(&SockAddr::unix(path)?)?;
        // Nobody can connect before `listen`, so nobody slips in meanwhile.
        fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
        socket.listen(Self::BACKLOG)?;
        socket.set_nonblocking(true)?;
        let identity = identity(path)?;
        Ok(Self { listener: socket.into(), path: path.to_owned(), identity })
    }
}

impl Drop for AdminSocket {
    fn drop(&mut self) {
        if identity(&self.path).is_ok_and(|identity| identity == self.identity) {
            // Gone already is as good.
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    fs::symlink_metadata(path).map(|found| (found.dev(), found.ino()))
}

/// Whether someone accepts connections there; never waits.
fn is_live(path: &Path) -> io::Result<bool> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    match socket.connect(&SockAddr::unix(path)?) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Ok(false),
        // A full backlog is a server too, if a slow one.
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(true),
        connected => connected.map(|()| true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dead_socket_is_replaced_and_nothing_else_is() {
        let scratch = |name: &str| {
            let path = std::env::temp_dir().join(format!("rhumb-socket-{}-{name}", std::process::id()));
            let _ = fs::remove_file(&path);
            path
        };
        let path = scratch("live");
        let live = AdminSocket::bind(&path).expect("free");
        assert_eq!(fs::metadata(&path).expect("bound").mode() & 0o777, 0o600, "for the owner alone");
        assert!(matches!(AdminSocket::bind(&path), Err(SocketError::InUse(_))), "a live one is not stolen");
        assert_eq!(live.path(), path);
        drop(live);
        assert!(!path.exists(), "its file goes with it");

        let path = scratch("dead");
        drop(UnixListener::bind(&path).expect("free"));
        assert!(path.exists(), "std leaves the file, as a killed server does");
        let revived = AdminSocket::bind(&path).expect("a dead one is replaced");
        fs::remove_file(&path).expect("removed by somebody");
        let other = AdminSocket::bind(&path).expect("free again");
        drop(revived);
        assert!(path.exists(), "the file of another server stays");
        drop(other);

        let path = scratch("file");
        fs::write(&path, "precious").expect("written");
        assert!(matches!(AdminSocket::bind(&path), Err(SocketError::NoSocket(_))), "a file is not replaced");
        assert_eq!(fs::read_to_string(&path).expect("still there"), "precious");
        let _ = fs::remove_file(&path);
    }
}
