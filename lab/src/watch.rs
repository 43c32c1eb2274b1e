//! What the server answers, asked directly, all the time.
//!
//! From near each datacenter a thread asks for every service each
//! [`PERIOD`]. Only changes are kept: when an answer was first seen, so that
//! "the first right answer after the fault" is a look-up, and "it never
//! flipped" a count. Silence is no answer and changes nothing.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::dns::{self, Reply};
use crate::failure::{Done, While as _};
use crate::namespaces::Net;
use crate::topology::link_of;

/// The grain of "time to the first right answer".
const PERIOD: Duration = Duration::from_millis(20);
/// Far above what an answer takes; a lost one delays only its own thread.
const PATIENCE: Duration = Duration::from_millis(200);

/// Who asks for what: the datacenter nearby, and the service.
pub(crate) type View = (&'static str, &'static str);

/// An answer and when it was first seen.
#[derive(Clone, Debug)]
pub(crate) struct Sight {
    /// When.
    pub(crate) at: Instant,
    /// As `north/telecom`; several joined by `+`; `none` and `fail` for no addresses.
    pub(crate) answer: String,
    /// Its TTL, seconds.
    pub(crate) ttl: u32,
}

type Sights = Arc<Mutex<HashMap<View, Vec<Sight>>>>;

/// The threads that ask.
pub(crate) struct Watch {
    sights: Sights,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Watch {
    /// Asks `server` from each of `places` for each of `services`.
    pub(crate) fn start(
        net: &Net,
        server: SocketAddr,
        (places, services): (&[&'static str], &[&'static str]),
    ) -> Done<Self> {
        let (sights, stop) = (Sights::default(), Arc::new(AtomicBool::new(false)));
        let mut threads = Vec::new();
        for &place in places {
            let (sights, stop, services) = (Arc::clone(&sights), Arc::clone(&stop), services.to_vec());
            let spawned = net.inside(&format!("near-{place}"), move || {
                thread::Builder::new().spawn(move || {
                    while !stop.load(Ordering::Relaxed) {
                        let start = Instant::now();
                        for &service in &services {
                            look(server, (place, service), &sights);
                        }
                        thread::sleep(PERIOD.saturating_sub(start.elapsed()));
                    }
                })
            })?;
            threads.push(spawned.doing("watching")?);
        }
        Ok(Self { sights, stop, threads })
    }

    /// What is answered now.
    pub(crate) fn now(&self, view: View) -> Option<Sight> {
        self.sights.lock().unwrap_or_else(PoisonError::into_inner).get(&view)?.last().cloned()
    }

    /// What was answered at `since` and all changes thereafter.
    pub(crate) fn since(&self, view: View, since: Instant) -> Vec<Sight> {
        let sights = self.sights.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(all) = sights.get(&view) else { return Vec::new() };
        let first = all.iter().rposition(|sight| sight.at <= since).unwrap_or(0);
        all[first..].to_vec()
    }

    /// When `answer` was first seen after `since`; at once where it held already.
    pub(crate) fn first(&self, view: View, (since, answer): (Instant, &str)) -> Option<Duration> {
        let sights = self.since(view, since);
        sights
            .iter()
            .find(|sight| sight.answer == answer)
            .map(|sight| sight.at.saturating_duration_since(since))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            // A panic there has been printed.
            let _ = thread.join();
        }
    }
}

/// Asks once and keeps what is new.
fn look(server: SocketAddr, view: View, sights: &Sights) {
    let Ok(reply) = dns::ask(server, &name_of(view.1), PATIENCE) else { return };
    let (at, answer, ttl) = (Instant::now(), words(&reply), reply.ttl);
    let mut sights = sights.lock().unwrap_or_else(PoisonError::into_inner);
    let seen = sights.entry(view).or_default();
    match seen.last_mut() {
        Some(last) if last.answer == answer => last.ttl = ttl,
        _ => seen.push(Sight { at, answer, ttl }),
    }
}

/// The full name of a service.
pub(crate) fn name_of(service: &str) -> String {
    format!("{service}.gslb.example.com")
}

fn words(reply: &Reply) -> String {
    match (reply.code, reply.addresses.as_slice()) {
        (0, []) => "none".to_owned(),
        (0, addresses) => addresses.iter().map(|vip| link_of(*vip)).collect::<Vec<_>>().join("+"),
        (_, _) => "fail".to_owned(),
    }
}
