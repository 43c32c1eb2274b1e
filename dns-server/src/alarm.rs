//! The herald: tells people what happened.
//!
//! Events go to the log, one structured line each, and to the receivers of
//! `alarms:`. Every receiver has its own courier and its own memory, so that
//! one that is slow, dead or malicious costs nobody else anything; all of them
//! share one thread, because they wait much and do little. Whoever tells never
//! waits: [`Herald::tell`] takes a short lock and returns.
//!
//! The two kinds of receivers differ in what they must be told. A plain webhook
//! is told what *happened*: events in order, from a bounded queue, each tried a
//! bounded number of times. An Alertmanager is told what *is*: its alerts end
//! by themselves unless they are repeated, and a lost end would leave one
//! standing for ever. So its courier keeps a board of what stands and repeats
//! it, and no loss of any message has an effect that lasts.
//!
//! hyper is driven by hand, one connection per letter. A pooling client was
//! refused: a letter a minute gains nothing from a pool.
//!
//! **Invariant:** nothing here can hold up an answer, a probe or a reload.

mod alertmanager;
mod board;
mod history;
mod log;
mod plain;
mod post;
mod queue;
mod url;

use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use rhumb_policies::Event;
use rhumb_zones::{Read, Reader, Tree, spec};
use serde_json::Value as Json;
use tokio::runtime;
use tokio::task::JoinSet;

pub use history::History;
pub use url::Url;

use board::Board;
use post::Post;
use queue::Queue;

/// A receiver of alarms.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Webhook {
    /// An Alertmanager, by the URL of its web page; its v2 API is used.
    Alertmanager(Url),
    /// Anything that takes JSON: `{"site": …, "events": […]}`.
    Plain(Url),
}

/// How patient couriers are. The default is for real receivers.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Longest time for one try, from the connection to the status.
    pub timeout: Duration,
    /// Longest pause after a first failure; doubled after each further one.
    pub pause: Duration,
    /// Longest pause of all.
    pub longest: Duration,
    /// Tries per letter to a plain webhook.
    pub tries: u32,
    /// How often what stands is repeated to an Alertmanager. It forgets after
    /// five minutes by default, and Prometheus repeats every minute too.
    pub repeat: Duration,
}

impl Default for Patience {
    /// With ten tries a letter outlives a receiver's restart of five minutes.
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(10),
            pause: Duration::from_secs(1),
            longest: Duration::from_secs(60),
            tries: 10,
            repeat: Duration::from_secs(60),
        }
    }
}

impl Patience {
    /// The pause after this many failures in a row: doubled each time, and
    /// random in its upper half, so that servers do not knock together.
    fn pause(&self, failures: u32) -> Duration {
        let doubled = self.pause.saturating_mul(1 << failures.saturating_sub(1).min(16));
        doubled.min(self.longest).mul_f64(0.5 + fastrand::f64() / 2.0)
    }
}

/// Tells the log and all receivers. Dropping it gives couriers
/// [`Herald::GRACE`] to deliver what they have.
#[derive(Debug)]
pub struct Herald {
    log: Arc<Queue>,
    desks: Vec<Desk>,
    thread: Option<JoinHandle<()>>,
}

/// Where a courier finds what it has to deliver.
#[derive(Clone, Debug)]
enum Desk {
    Plain(Arc<Queue>, Url),
    Alertmanager(Arc<Board>, Url),
}

impl Herald {
    /// How long the last letters may take when the server stops.
    pub const GRACE: Duration = Duration::from_secs(2);

    /// Starts couriers to `webhooks`, on a thread of their own. `site` is this
    /// server's, a label of every alert; `none` when it has none.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn spawn(webhooks: Vec<Webhook>, site: Option<&str>, patience: Patience) -> io::Result<Self> {
        let desk = |webhook| match webhook {
            Webhook::Alertmanager(url) => Desk::Alertmanager(Arc::default(), url),
            Webhook::Plain(url) => Desk::Plain(Arc::default(), url),
        };
        let desks: Vec<_> = webhooks.into_iter().map(desk).collect();
        let log = Arc::new(Queue::default());
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            // Names of receivers are looked up on these.
            .max_blocking_threads(4)
            .build()?;
        let (journal, couriers, site) = (Arc::clone(&log), desks.clone(), Arc::from(site.unwrap_or("none")));
        let run = move || {
            runtime.block_on(deliver(journal, couriers, (site, patience)));
            runtime.shutdown_background();
        };
        let thread = std::thread::Builder::new().name("herald".to_owned()).spawn(run)?;
        Ok(Self { log, desks, thread: Some(thread) })
    }

    /// Tells everybody what happened. Never waits for anybody.
    pub fn tell(&self, events: Vec<Event>) {
        for event in events.into_iter().map(Arc::new) {
            self.log.push(Arc::clone(&event));
            for desk in &self.desks {
                match desk {
                    Desk::Plain(queue, _) => queue.push(Arc::clone(&event)),
                    Desk::Alertmanager(board, _) => board.hear(&event),
                }
            }
        }
    }

    /// Tells Alertmanagers that these stand: after a restart or a reload, from
    /// [`rhumb_policies::standing`]. Of the kinds that it tells, what stood
    /// before and does not any more ends at `now` (since the Unix epoch).
    pub fn stand(&self, events: &[Event], now: Duration) {
        for desk in &self.desks {
            if let Desk::Alertmanager(board, _) = desk {
                board.replace(events, now);
            }
        }
    }
}

impl Drop for Herald {
    fn drop(&mut self) {
        self.log.close();
        for desk in &self.desks {
            match desk {
                Desk::Plain(queue, _) => queue.close(),
                Desk::Alertmanager(board, _) => board.close(),
            }
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Runs the couriers until the log is closed, and a grace more.
async fn deliver(log: Arc<Queue>, desks: Vec<Desk>, (site, patience): (Arc<str>, Patience)) {
    let post = Arc::new(Post::new(patience.timeout));
    let mut couriers = JoinSet::new();
    for desk in desks {
        let means = (Arc::clone(&post), Arc::clone(&site), patience);
        match desk {
            Desk::Plain(queue, url) => couriers.spawn(plain::run(queue, url, means)),
            Desk::Alertmanager(board, url) => couriers.spawn(alertmanager::run(board, url, means)),
        };
    }
    log::run(log).await;
    let all = async { while couriers.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(Herald::GRACE, all).await;
}

spec! {
    /// A receiver of alarms: an Alertmanager or a plain webhook.
    struct WebhookSpec {
        /// URL of an Alertmanager's web page, such as http://alerts:9093.
        alertmanager: Option<Url>,
        /// URL to which events are posted as JSON.
        webhook: Option<Url>,
    }
}

impl Read for Webhook {
    fn read(tree: &Tree, reader: &mut Reader<'_>) -> Option<Self> {
        match WebhookSpec::read(tree, reader)? {
            WebhookSpec { alertmanager: Some(url), webhook: None } => Some(Self::Alertmanager(url)),
            WebhookSpec { alertmanager: None, webhook: Some(url) } => Some(Self::Plain(url)),
            _ => {
                let given = ["alertmanager", "webhook"].iter().filter(|key| tree.get(key).is_some()).count();
                if given != 1 {
                    reader.wrong(&tree.at, "must have either alertmanager or webhook");
                }
                None
            }
        }
    }

    fn schema() -> Json {
        WebhookSpec::schema()
    }
}

#[cfg(test)]
mod tests;
