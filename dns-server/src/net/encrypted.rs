//! Everything encrypted: DNS over TLS, HTTPS and QUIC.
//!
//! One thread of its own: a handshake costs a hundred times what an answer
//! does, and neither plain TCP, which truncated answers fall back to, nor UDP
//! shall wait for one. Each kind has places of its own.
//!
//! hickory-server, which speaks all three, was refused: it decodes and encodes
//! every answer anew, answers one query of a connection at a time, and bounds
//! neither connections nor their sources.

use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::rc::Rc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use socket2::Type;
use tokio::task::spawn_local;

use super::certificate::{Certificate, Files};
use super::places::{Limits, Places};
use super::proxy::Proxies;
use super::respondent::Respondent;
use super::tcp::{Over, Shared, accept, acceptor};
use super::{TCP_BACKLOG, bind, quic, runtime};

/// How often the files of the certificate are looked at.
const LOOK: Duration = Duration::from_secs(1);

/// Where to listen for encrypted queries.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Encrypted {
    /// What clients are shown.
    pub files: Files,
    /// Addresses for DNS over TLS.
    pub dot: Vec<SocketAddr>,
    /// Addresses for DNS over HTTPS.
    pub doh: Vec<SocketAddr>,
    /// Addresses for DNS over QUIC.
    pub doq: Vec<SocketAddr>,
    /// The path of DNS over HTTPS, from its slash on.
    pub path: String,
}

/// Bound sockets that nobody reads yet.
#[derive(Debug)]
pub(super) struct Listeners {
    certificate: Certificate,
    dot: Vec<TcpListener>,
    doh: Vec<TcpListener>,
    doq: Vec<UdpSocket>,
    path: String,
}

impl Listeners {
    /// Binds them all; says where, and how, in the same words as URLs do.
    pub(super) fn bind(options: &Encrypted) -> io::Result<(Self, Vec<(&'static str, SocketAddr)>)> {
        let Encrypted { files, dot, doh, doq, path } = options;
        let certificate = Certificate::read(files.clone()).map_err(io::Error::other)?;
        let dot: Vec<TcpListener> = all(dot, listen)?;
        let doh: Vec<TcpListener> = all(doh, listen)?;
        let doq: Vec<UdpSocket> = all(doq, receive)?;
        let mut bound = Vec::new();
        for (how, listeners) in [("tls", &dot), ("https", &doh)] {
            for listener in listeners {
                bound.push((how, listener.local_addr()?));
            }
        }
        for socket in &doq {
            bound.push(("quic", socket.local_addr()?));
        }
        Ok((Self { certificate, dot, doh, doq, path: path.clone() }, bound))
    }

    /// Serves until `stop`.
    pub(super) fn serve(
        self,
        respondent: Respondent,
        (limits, proxies): (Limits, Proxies),
        stop: &AtomicBool,
    ) {
        let Self { mut certificate, dot, doh, doq, path } = self;
        let tls = acceptor(certificate.config(&["dot"]));
        let https = acceptor(certificate.config(&["h2", "http/1.1"]));
        let quic = quic::config(certificate.config(&["doq"]), limits);
        let start = || {
            let respondent = Rc::new(respondent);
            let open = |listeners: Vec<TcpListener>, over: Over| {
                let (respondent, places) = (Rc::clone(&respondent), Places::new(limits));
                let shared = Rc::new(Shared { respondent, places, proxies: proxies.clone(), over });
                for listener in listeners {
                    spawn_local(accept(listener, Rc::clone(&shared)));
                }
            };
            open(dot, Over::Tls(tls));
            open(doh, Over::Https(https, Rc::from(path)));
            let places = Places::new(limits);
            for socket in doq {
                let (respondent, places) = (Rc::clone(&respondent), Rc::clone(&places));
                spawn_local(quic::accept(socket, quic.clone(), (respondent, places)));
            }
        };
        let mut looked = Instant::now();
        let look = || {
            if looked.elapsed() >= LOOK {
                looked = Instant::now();
                certificate.look();
            }
        };
        runtime::run("TLS", stop, start, look);
    }
}

fn all<S>(addresses: &[SocketAddr], bind: impl Fn(SocketAddr) -> io::Result<S>) -> io::Result<Vec<S>> {
    let told = |address| {
        move |error: io::Error| io::Error::new(error.kind(), format!("listen on {address}: {error}"))
    };
    addresses.iter().map(|&address| bind(address).map_err(told(address))).collect()
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = bind(address, Type::STREAM)?;
    socket.listen(TCP_BACKLOG)?;
    Ok(socket.into())
}

/// Not shared with anyone, unlike those of UDP workers: packets of one
/// connection must find the one that knows it.
fn receive(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = socket2::Socket::new(socket2::Domain::for_address(address), Type::DGRAM, None)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.bind(&address.into())?;
    Ok(socket.into())
}
