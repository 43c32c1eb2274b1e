//! Findings on their way out, a batch at a time.
//!
//! Ten thousand a second would cost whoever hears of them ten thousand wakes.
//! The first finding opens a batch, which leaves a millisecond later or when it
//! is full: together with the timer's own millisecond, nobody waits longer than
//! two.

use std::mem;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::sleep;

use super::Finding;

/// How long a finding may wait for others.
const WAIT: Duration = Duration::from_millis(1);

/// Findings in a batch: more would make whoever hears of them late.
const FULL: usize = 256;

/// Findings that have not left yet.
#[derive(Debug, Default)]
pub(super) struct Batch {
    findings: Mutex<Vec<Finding>>,
    some: Notify,
    full: Notify,
}

impl Batch {
    pub(super) fn push(&self, finding: Finding) {
        let len = {
            let mut findings = self.findings.lock().unwrap_or_else(PoisonError::into_inner);
            findings.push(finding);
            findings.len()
        };
        match len {
            1 => self.some.notify_one(),
            FULL => self.full.notify_one(),
            _ => {}
        }
    }

    /// Hands batches to `report` for ever.
    pub(super) async fn deliver(&self, mut report: impl FnMut(Vec<Finding>)) {
        loop {
            self.some.notified().await;
            tokio::select! {
                () = self.full.notified() => {}
                () = sleep(WAIT) => {}
            }
            report(mem::take(&mut *self.findings.lock().unwrap_or_else(PoisonError::into_inner)));
        }
    }
}
