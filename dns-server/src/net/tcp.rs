//! TCP and what rides on it: who comes in, on which terms.
//!
//! A newcomer needs a place, of which there are so many in all and so many
//! for each source. One from a listed proxy must first say for whom it speaks.
//! Then it has a [conversation](super::stream), at once, within TLS, or as
//! [HTTP](super::https). UDP is served by other threads and never notices.

use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::spawn_local;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::places::{Limits, Places};
use super::proxy::{Ends, Proxies};
use super::respondent::{Caller, Respondent};
use super::stream::converse;
use super::{https, runtime};
use crate::respond::Transport;

/// After `accept` failed, usually for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What connections of one kind share.
pub(super) struct Shared {
    pub(super) respondent: Rc<Respondent>,
    pub(super) places: Rc<Places>,
    pub(super) proxies: Proxies,
    pub(super) over: Over,
}

/// What a connection carries.
pub(super) enum Over {
    Tcp,
    Tls(TlsAcceptor),
    /// With the path that is answered.
    Https(TlsAcceptor, Rc<str>),
}

/// Serves all `listeners` until `stop`.
pub(super) fn serve(
    listeners: Vec<std::net::TcpListener>,
    respondent: Respondent,
    (limits, proxies): (Limits, Proxies),
    stop: &AtomicBool,
) {
    let start = || {
        let (respondent, places) = (Rc::new(respondent), Places::new(limits));
        let shared = Rc::new(Shared { respondent, places, proxies, over: Over::Tcp });
        for listener in listeners {
            spawn_local(accept(listener, Rc::clone(&shared)));
        }
    };
    runtime::run("TCP", stop, start, || ());
}

/// Lets clients in for ever.
pub(super) async fn accept(listener: std::net::TcpListener, shared: Rc<Shared>) {
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
                spawn_local(async move { drop(attend(stream, peer, (permit, &shared)).await) });
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
    (permit, shared): (OwnedSemaphorePermit, &Rc<Shared>),
) -> io::Result<()> {
    let Shared { respondent, places, proxies, over } = &**shared;
    stream.set_nodelay(true)?;
    let mut ends = Ends { source: peer.ip(), local: stream.local_addr().ok().map(|address| address.ip()) };
    if proxies.include(peer.ip()) {
        match timeout(places.message(), super::proxy::read(&mut stream)).await? {
            Ok(told) => ends = told.unwrap_or(ends),
            Err(error) => {
                respondent.counters().refuse_proxy();
                return Err(error);
            }
        }
    }
    let Some(_place) = places.take(permit, ends.source) else {
        respondent.counters().refuse_connection();
        return Ok(());
    };
    let caller = |transport| Caller { source: ends.source, local: ends.local, transport };
    match over {
        Over::Tcp => converse(&mut stream, &caller(Transport::Tcp), (respondent, places)).await,
        Over::Tls(acceptor) => {
            let mut stream = timeout(places.message(), acceptor.accept(stream)).await??;
            converse(&mut stream, &caller(Transport::Tls), (respondent, places)).await
        }
        Over::Https(acceptor, path) => {
            let stream = timeout(places.message(), acceptor.accept(stream)).await??;
            let desk = https::Desk {
                respondent: Rc::clone(respondent),
                caller: caller(Transport::Https),
                path: Rc::clone(path),
            };
            https::serve(stream, desk, places).await
        }
    }
}

/// The TLS of listeners, for streams.
pub(super) fn acceptor(config: tokio_rustls::rustls::ServerConfig) -> TlsAcceptor {
    TlsAcceptor::from(Arc::new(config))
}
