//! Files that are read within bounds and replaced whole.
//!
//! Whoever reads a file that is replaced sees the old one or the new, never a
//! part, also after a crash: the new one is written beside it, synced, and
//! renamed into place.

use std::fs::{self, File};
use std::io::{self, BufWriter, Read as _};
use std::path::Path;

/// Replaces `path` with what `write` writes.
///
/// # Errors
/// When it cannot be written whole; the old one then stands.
pub(crate) fn replace(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> io::Result<()> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".new");
    // Anew, for what is there may be a link that another user put there.
    let _ = fs::remove_file(&temporary);
    let mut file = BufWriter::new(File::create_new(&temporary)?);
    write(&mut file)?;
    file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
    fs::rename(&temporary, path)
}

/// A file, or the first byte beyond `limit` too, so that its reader refuses it.
///
/// # Errors
/// When it cannot be read.
pub(crate) fn bounded(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(limit + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}
