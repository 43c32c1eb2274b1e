//! DNS over TCP (RFC 7766).
//!
//! One thread, one small runtime: a connection mostly waits. Queries on a
//! connection may be pipelined; each is answered as it comes, which costs
//! microseconds, so answers are never out of order for long enough to matter.
//!
//! A connection may be idle for [`IDLE`]; when most places are taken the wait
//! shrinks to [`IDLE_WHEN_BUSY`], so that a crowd of idle clients cannot keep
//! others out. A message must arrive whole within [`MESSAGE`]: slow senders
//! are cut off. UDP is served by other threads and never notices.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{interval, timeout};

use crate::publish::Publisher;
use crate::respond::{Meta, Scratch, Transport, respond};
use crate::stats::Counters;

/// Connections at once. Each costs about 70 KiB while it answers.
const CONNECTIONS: usize = 1024;

/// How long a connection may be silent between messages (RFC 7766 §6.2.3
/// asks for seconds, not minutes).
const IDLE: Duration = Duration::from_secs(10);

/// The same when more than three quarters of the places are taken.
const IDLE_WHEN_BUSY: Duration = Duration::from_secs(1);

/// How long one message may take to arrive or leave once begun.
const MESSAGE: Duration = Duration::from_secs(5);

/// How soon the thread sees that it should stop.
const STOP_CHECK: Duration = Duration::from_millis(100);

/// After `accept` failed, usually for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

const MESSAGE_MAX: usize = 65_535;

/// Serves all `listeners` until `stop`.
pub(super) fn serve(
    listeners: Vec<std::net::TcpListener>,
    publisher: &Publisher,
    counters: Arc<Counters>,
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
        let places = Arc::new(Semaphore::new(CONNECTIONS));
        for listener in listeners {
            let shared = Shared {
                publisher: publisher.clone(),
                counters: Arc::clone(&counters),
                places: Arc::clone(&places),
            };
            tokio::task::spawn_local(accept(listener, shared));
        }
        let mut ticks = interval(STOP_CHECK);
        while !stop.load(Ordering::Relaxed) {
            ticks.tick().await;
        }
    });
}

#[derive(Clone)]
struct Shared {
    publisher: Publisher,
    counters: Arc<Counters>,
    places: Arc<Semaphore>,
}

async fn accept(listener: std::net::TcpListener, shared: Shared) {
    let listener = match TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => {
            tracing::error!(%error, "cannot accept TCP connections");
            return;
        }
    };
    loop {
        // Waiting for a place leaves newcomers in the kernel's queue.
        let Ok(place) = Arc::clone(&shared.places).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, peer)) => {
                tokio::task::spawn_local(converse(stream, peer, shared.clone(), place));
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept a TCP connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// One connection, from first message to last.
async fn converse(stream: TcpStream, peer: SocketAddr, shared: Shared, _place: OwnedSemaphorePermit) {
    // Clients vanish all the time; how does not matter to anybody.
    let _ = exchange(stream, peer, &shared).await;
}

async fn exchange(mut stream: TcpStream, peer: SocketAddr, shared: &Shared) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let local = stream.local_addr().ok().map(|address| address.ip());
    let mut scratch = Scratch::new(Arc::clone(&shared.counters));
    let mut query = Vec::new();
    let mut reply = vec![0; 2 + MESSAGE_MAX];
    let mut random = fastrand::Rng::new();
    loop {
        let busy = shared.places.available_permits() < CONNECTIONS / 4;
        let wait = if busy { IDLE_WHEN_BUSY } else { IDLE };
        let mut length = [0; 2];
        timeout(wait, stream.read_exact(&mut length[..1])).await??;
        timeout(MESSAGE, stream.read_exact(&mut length[1..])).await??;
        query.resize(usize::from(u16::from_be_bytes(length)), 0);
        timeout(MESSAGE, stream.read_exact(&mut query)).await??;
        let meta = Meta {
            source: peer.ip(),
            local,
            transport: Transport::Tcp,
            now: super::clock(),
            draw: random.u64(..),
        };
        let snapshot = shared.publisher.current();
        let (prefix, body) = reply.split_at_mut(2);
        let Some(written) = respond(&snapshot, &mut scratch, (&query, &meta), body) else { return Ok(()) };
        drop(snapshot);
        prefix.copy_from_slice(&u16::try_from(written).unwrap_or(u16::MAX).to_be_bytes());
        let message = reply.get(..2 + written).unwrap_or_default();
        timeout(MESSAGE, stream.write_all(message)).await??;
    }
}
