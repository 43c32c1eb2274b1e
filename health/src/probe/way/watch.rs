//! Descriptors that tokio has no type for, in its reactor.

use std::io;
use std::os::fd::OwnedFd;

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Waits for `interest` in a descriptor.
///
/// # Errors
/// Where the reactor has no room left.
#[expect(deprecated, reason = "unsound for descriptors that others may close; an owned one is ours alone")]
pub(crate) fn watch(descriptor: impl Into<OwnedFd>, interest: Interest) -> io::Result<AsyncFd<OwnedFd>> {
    AsyncFd::with_interest(descriptor.into(), interest)
}
