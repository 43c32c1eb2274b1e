//! The courier to a plain webhook: what happened, in order.
//!
//! Events that gathered while a letter was under way go in one. A letter is
//! tried a bounded number of times, then given up: what is old is in the log.
//! An outage of the receiver is logged when it begins and when it ends, not
//! once per try.

use std::sync::Arc;

use serde_json::json;

use super::Patience;
use super::post::Post;
use super::queue::Queue;
use super::url::Url;

/// Most events in a letter, at about a kilobyte each.
const MAX_LETTER: usize = 100;

/// Delivers until the queue is closed.
pub(super) async fn run(
    queue: Arc<Queue>,
    url: Url,
    (post, site, patience): (Arc<Post>, Arc<str>, Patience),
) {
    let mut is_out = false;
    while let Some(batch) = queue.take(MAX_LETTER).await {
        let receiver = url.receiver();
        if batch.dropped > 0 {
            tracing::warn!(
                receiver,
                events = batch.dropped,
                "webhook is too slow: the oldest events are lost"
            );
        }
        let events: Vec<_> = batch.events.iter().map(|event| &**event).collect();
        let body = json!({ "site": *site, "events": events }).to_string();
        let mut failures = 0;
        while let Err(error) = post.send(&url, "", body.clone()).await {
            failures += 1;
            if !is_out {
                is_out = true;
                tracing::warn!(receiver, %error, "webhook does not take events");
            }
            if failures >= patience.tries {
                tracing::warn!(receiver, %error, events = events.len(), "webhook: events are given up");
                break;
            }
            tokio::time::sleep(patience.pause(failures)).await;
        }
        if is_out && failures < patience.tries {
            is_out = false;
            tracing::info!(receiver, "webhook takes events again");
        }
    }
}
