//! Users: behind a resolver, connecting to what it says, all the time.
//!
//! For each place and service a thread asks the resolver, then fetches a page
//! from the VIP it was given, ten times a second. What counts is whether the
//! page came; which way it came is kept too. A request that hangs is a failed
//! one, and its thread goes on: a user would have given up as well.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::application::browse;
use crate::dns;
use crate::failure::{Done, While as _};
use crate::namespaces::Net;
use crate::topology::{RESOLVER, WEB_PORT, link_of};
use crate::watch::{View, name_of};

/// Start to start.
const PERIOD: Duration = Duration::from_millis(100);
/// What a user of the lab puts up with, for name and page each: more than the
/// second after which a lost SYN is sent again (RFC 6298 §2), for a busy machine
/// may lose one.
const PATIENCE: Duration = Duration::from_millis(2_500);

/// One request.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// Who for what.
    pub(crate) view: View,
    /// When it began.
    pub(crate) at: Instant,
    /// How long its page took, or its failure; the name not counted.
    pub(crate) took: Duration,
    /// The VIP that it went to, as `north/telecom`.
    pub(crate) vip: String,
    /// The way its answer tells, or why there was none.
    pub(crate) page: Result<String, String>,
}

type Requests = Arc<Mutex<Vec<Request>>>;

/// The users.
pub(crate) struct Traffic {
    requests: Requests,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Traffic {
    /// Users near each of `places`, of each of `services`.
    pub(crate) fn start(net: &Net, (places, services): (&[&'static str], &[&'static str])) -> Done<Self> {
        let (requests, stop) = (Requests::default(), Arc::new(AtomicBool::new(false)));
        let mut threads = Vec::new();
        for view in places.iter().flat_map(|&place| services.iter().map(move |&service| (place, service))) {
            let (requests, stop) = (Arc::clone(&requests), Arc::clone(&stop));
            let spawned = net.inside(&format!("near-{}", view.0), move || {
                thread::Builder::new().spawn(move || {
                    while !stop.load(Ordering::Relaxed) {
                        let request = fetch(view);
                        let spent = request.at.elapsed();
                        requests.lock().unwrap_or_else(PoisonError::into_inner).push(request);
                        thread::sleep(PERIOD.saturating_sub(spent));
                    }
                })
            })?;
            threads.push(spawned.doing("browsing")?);
        }
        Ok(Self { requests, stop, threads })
    }

    /// All requests that began at or after `since`.
    pub(crate) fn since(&self, since: Instant) -> Vec<Request> {
        let requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        requests.iter().filter(|request| request.at >= since).cloned().collect()
    }

    /// Whether all of `view`'s requests of the last `span` are well, and there
    /// were some.
    pub(crate) fn flows(&self, view: View, span: Duration, is_well: impl Fn(&Request) -> bool) -> bool {
        let late = self.since(Instant::now() - span);
        let mut own = late.iter().filter(|request| request.view == view).peekable();
        own.peek().is_some() && own.all(is_well)
    }
}

impl Drop for Traffic {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            // A panic there has been printed.
            let _ = thread.join();
        }
    }
}

fn fetch(view: View) -> Request {
    let at = Instant::now();
    let page = Err("no address".to_owned());
    let mut request = Request { view, at, took: Duration::ZERO, vip: String::new(), page };
    match dns::ask((RESOLVER, 53).into(), &name_of(view.1), PATIENCE) {
        Err(error) => request.page = Err(format!("resolver: {error}")),
        Ok(reply) => {
            if let Some(&vip) = reply.addresses.first() {
                let connecting = Instant::now();
                let page = browse(SocketAddr::from((vip, WEB_PORT)), PATIENCE);
                request.took = connecting.elapsed();
                request.vip = link_of(vip);
                request.page = page.map_err(|error| error.to_string());
            }
        }
    }
    request
}
