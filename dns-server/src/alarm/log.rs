//! Events as lines of the log.

use std::sync::Arc;

use rhumb_policies::{Event, Severity};

use super::queue::Queue;

/// Events per turn: another courier may run in between.
const TURN: usize = 100;

/// Logs events until the queue is closed.
pub(super) async fn run(queue: Arc<Queue>) {
    while let Some(batch) = queue.take(TURN).await {
        if batch.dropped > 0 {
            tracing::warn!(events = batch.dropped, "more events than can be logged: the oldest are lost");
        }
        batch.events.iter().for_each(|event| line(event));
        tokio::task::yield_now().await;
    }
}

fn line(event: &Event) {
    // A macro, because the level of a line is a constant.
    macro_rules! line {
        ($level:ident) => {
            tracing::$level!(
                event = event.kind.name(),
                phase = event.phase.name(),
                of = event.target,
                severity = event.severity.name(),
                cause = event.cause,
                masked = event.masked_count,
                "{}",
                event.text
            )
        };
    }
    match event.severity {
        Severity::Info => line!(info),
        Severity::Warning => line!(warn),
        Severity::Critical => line!(error),
    }
}
