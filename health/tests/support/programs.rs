//! Tests that cannot run here say so.

use std::io::Write as _;

/// Says that a test did not run. Written past the test harness, which keeps
/// what `println!` prints in tests that pass.
///
/// # Panics
/// With `RHUMB_NO_SKIP` set: then nothing may be missing.
pub(crate) fn skipped(why: &str) {
    assert!(std::env::var_os("RHUMB_NO_SKIP").is_none(), "RHUMB_NO_SKIP is set: {why}");
    let _ =
        writeln!(std::io::stdout(), "SKIPPED: {}: {why}", std::thread::current().name().unwrap_or("test"));
}
