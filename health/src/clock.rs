//! The one place that looks at the clock: probes and findings bear the time.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Since the Unix epoch; zero before it.
#[expect(clippy::disallowed_methods, reason = "what is probed is stamped, and nothing else reads a clock")]
pub(crate) fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
