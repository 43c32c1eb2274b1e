//! TCP and what rides on it: who comes in, on which terms.
//!
//! One thread, one small runtime: a connection mostly waits. A newcomer needs
//! a place, of which there are so many in all and so many for each source;
//! then it has a [conversation](super::stream). UDP is served by other threads
//! and never notices.

use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::interval;

use super::places::{Limits, Places};
use super::respondent::{Caller, Respondent};
use super::stream::converse;
use crate::respond::Transport;

/// How soon the thread sees that it should stop.
const STOP_CHECK: Duration = Duration::from_millis(100);

/// After `accept` failed, usually for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves all `listeners` until `stop`.
pub(super) fn serve(
    listeners: Vec<std::net::TcpListener>,
    respondent: Respondent,
    limits: Limits,
    stop: &AtomicBool,
) {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!(%error, "cannot serve TCP");
            return;
        }
    };
    // All on one thread, so one block of counters has one writer.
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, async {
        let shared = Rc::new(Shared { respondent, places: Places::new(limits) });
        for listener in listeners {
            tokio::task::spawn_local(accept(listener, Rc::clone(&shared)));
        }
        let mut ticks = interval(STOP_CHECK);
        while !stop.load(Ordering::Relaxed) {
            ticks.tick().await;
        }
    });
}

struct Shared {
    respondent: Respondent,
    places: Rc<Places>,
}

async fn accept(listener: std::net::TcpListener, shared: Rc<Shared>) {
    let listener = match TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => {
            tracing::error!(%error, "cannot accept TCP connections");
            return;
        }
    };
    loop {
        // Waiting for a place leaves newcomers in the kernel's queue.
        let permit = shared.places.wait().await;
        match listener.accept().await {
            Ok((stream, peer)) => {
                let shared = Rc::clone(&shared);
                // Clients vanish all the time; how does not matter to anybody.
                tokio::task::spawn_local(async move { drop(attend(stream, peer, (permit, &shared)).await) });
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept a TCP connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// One connection, from first message to last.
async fn attend(
    mut stream: TcpStream,
    peer: SocketAddr,
    (permit, shared): (OwnedSemaphorePermit, &Shared),
) -> io::Result<()> {
    let Shared { respondent, places } = shared;
    let Some(_place) = places.take(permit, peer.ip()) else {
        respondent.counters().refuse_connection();
        return Ok(());
    };
    stream.set_nodelay(true)?;
    let local = stream.local_addr().ok().map(|address| address.ip());
    let caller = Caller { source: peer.ip(), local, transport: Transport::Tcp };
    converse(&mut stream, &caller, (respondent, places)).await
}
