//! What commands ask of the running server, over a unix socket.
//!
//! HTTP/1.1 with JSON, so that `curl --unix-socket` is a client too, on the
//! main thread's own small runtime: nothing an operator asks, however slow,
//! takes a turn from a thread that answers queries. A request is bounded in
//! size, a connection in time and their number is small; one connection
//! carries one request.
//!
//! | route | answers |
//! |---|---|
//! | `GET /status` | [`Status`]: what is served, since when, what was refused |
//! | `POST /reload` | [`Outcome`](crate::reload::Outcome) of the reload, once it is known |
//! | `GET /explain?name=&type=&client=` | the decision, as `rhumb explain --json` |
//! | `GET /targets` | [`Report`](crate::keeper::report::Report): all that is known of targets |
//! | `GET /events?count=` | what happened lately, oldest first |
//! | `GET /plan?service=` | in which order balancers should try a service's nodes |
//! | `POST /orders` | what came of an [`Order`](crate::orders::Order); 409 and why when refused |
//! | `GET /links` | [`Links`]: who has which link and why, models in use and what they learned |
//! | `POST /links/orders` | what came of a [`LinkOrder`](crate::school::LinkOrder); 409 and why when refused |
//!
//! An unauthenticated TCP port was refused: whoever reaches it owns the
//! answers. The file's mode is the authentication.
//!
//! **Invariant:** handlers ask the reloader and the keeper; none of them builds
//! or publishes a snapshot itself.

mod client;
mod links;
mod routes;
mod socket;
mod status;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::UnixListener;
use tokio::sync::Semaphore;

pub use client::{AskError, ask, encode};
pub use links::Links;
pub use routes::{Desk, Explained, Planned, routes};
pub use socket::{AdminSocket, SocketError, default_path};
pub use status::{Status, ZoneStatus};

/// Connections served at a time; more wait in the backlog.
const MAX_CONNECTIONS: usize = 16;

/// Time for the head of a request to arrive: it comes from this machine.
const HEAD_TIME: Duration = Duration::from_secs(5);

/// Time for a whole connection: a reload of the largest geo database and of
/// a million names takes less.
const CONNECTION_TIME: Duration = Duration::from_secs(120);

/// Largest head of a request; names are at most 1 KB, escaped.
const MAX_HEAD: usize = 16 << 10;

/// A pause when no connection can be accepted, as without free descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves `router` on `socket` for ever. Must run inside a runtime.
///
/// # Errors
/// When the runtime cannot take the socket.
pub async fn serve(socket: &AdminSocket, router: Router) -> std::io::Result<()> {
    let listener = UnixListener::from_std(socket.listener.try_clone()?)?;
    let seats = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let seat = Arc::clone(&seats).acquire_owned().await.expect("the semaphore is never closed");
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let service = TowerToHyperService::new(router.clone());
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIME)
            .max_buf_size(MAX_HEAD)
            .keep_alive(false)
            .serve_connection(TokioIo::new(stream), service);
        tokio::spawn(async move {
            // A client that left or was too slow is no concern of anyone else.
            let _ = tokio::time::timeout(CONNECTION_TIME, connection).await;
            drop(seat);
        });
    }
}
