//! Waiting, for conditions and never for mere time.
//!
//! Every wait ends early when the lab is interrupted: all of its loops go
//! through here, so that Ctrl-C unwinds every world and takes its namespaces
//! down.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};
use std::thread;
use std::time::{Duration, Instant};

use crate::failure::{Done, Failure};

/// Far below what is measured.
const STEP: Duration = Duration::from_millis(10);
/// Looking may cost a command of the server's: it takes at most this share of
/// the time, so that waiting worlds leave the machine to others.
const SHARE: u32 = 10;

/// For whatever must happen but has no figure to reach: a busy machine with
/// two cores is slow, a fault that is never found is not.
pub(crate) const GENEROUS: Duration = Duration::from_secs(25);

static INTERRUPTED: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// The flag that signals set.
pub(crate) fn interruption() -> Arc<AtomicBool> {
    Arc::clone(&INTERRUPTED)
}

/// Whether the lab shall end now.
pub(crate) fn is_interrupted() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}

/// Waits until `look` finds something.
///
/// # Errors
/// After `patience`, naming `what`; at once when interrupted.
pub(crate) fn until<T>(what: &str, patience: Duration, mut look: impl FnMut() -> Option<T>) -> Done<T> {
    let start = Instant::now();
    loop {
        let looked = Instant::now();
        if let Some(found) = look() {
            return Ok(found);
        }
        let step = STEP.max(looked.elapsed() * SHARE);
        if is_interrupted() {
            return Failure::because("interrupted");
        }
        if start.elapsed() > patience {
            return Failure::because(format!("{what}: not within {} s", patience.as_secs_f64()));
        }
        thread::sleep(step);
    }
}

/// Lets `span` pass: for what must *not* happen.
///
/// # Errors
/// When interrupted.
pub(crate) fn pass(span: Duration) -> Done {
    let start = Instant::now();
    until("time", span + GENEROUS, || (start.elapsed() >= span).then_some(()))
}
