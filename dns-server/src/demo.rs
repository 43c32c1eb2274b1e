//! A complete world with nothing installed: `rhumb demo`.
//!
//! The policy and its zone file are in the binary and are served by the same
//! code as any other, on loopback and an unprivileged port. Everything that
//! works on a real server works on it: `status`, `explain`, `dig`.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::sync::Arc;

use crate::admin;
use crate::config::{Config, cores};
use crate::load::{Document, Sources};
use crate::net::NetOptions;
use crate::snapshot::Options;

/// Where it answers, if that port is free.
const PORT: u16 = 5300;

/// How many ports are tried.
const PORTS: u16 = 100;

/// Questions worth asking, with what they show.
pub const QUESTIONS: [(&str, &str); 9] = [
    ("www.gslb.example.com A +subnet=193.0.6.0/24", "a client in Europe"),
    ("www.gslb.example.com A +subnet=199.43.0.0/24", "one in America"),
    ("www.gslb.example.com A +subnet=198.51.100.0/24", "one in Paris at the carrier blue"),
    ("www.gslb.example.com A +subnet=203.0.113.0/24", "one in Paris at the carrier green"),
    ("www.gslb.example.com HTTPS +subnet=193.0.6.0/24", "the same decision as hints"),
    ("www.gslb.example.com A +subnet=2001:db8:1ab::/48", "the operator's own order of datacenters"),
    ("any.apps.gslb.example.com A +subnet=193.0.6.0/24", "a wildcard, both datacenters in one answer"),
    ("shop.gslb.example.com AAAA +subnet=193.0.6.0/24", "a static alias of a steered name"),
    ("_why.www.gslb.example.com TXT +subnet=193.0.6.0/24", "why"),
];

/// The embedded documents.
#[must_use]
pub fn documents() -> Vec<Document> {
    let document =
        |name: &str, text: &'static str| Document { name: Arc::from(name), bytes: text.as_bytes().into() };
    vec![
        document("demo.yaml", include_str!("../../testdata/policies/demo.yaml")),
        document("demo.zone", include_str!("../../testdata/policies/demo.zone")),
    ]
}

/// How the demonstration runs: on `listen`, or on loopback at the first port
/// from 5300 that is really free.
///
/// # Errors
/// When no port is free.
pub fn config(listen: Option<SocketAddr>) -> io::Result<Config> {
    let listen = listen.map_or_else(free, Ok)?;
    // Beside the socket of a real server, and one for each demonstration.
    let admin = admin::default_path().with_file_name(format!("rhumb-demo-{}.sock", listen.port()));
    Ok(Config {
        sources: Sources { embedded: documents(), ..Sources::default() },
        net: NetOptions { listen: vec![listen], workers: cores() },
        admin,
        state: None,
        options: Arc::new(Options::default()),
    })
}

/// An address that nobody has for UDP or TCP. Asked without `SO_REUSEPORT`:
/// with it, two servers of one user would share the port and its queries.
fn free() -> io::Result<SocketAddr> {
    let address = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let is_free =
        |address: &SocketAddr| UdpSocket::bind(address).is_ok() && TcpListener::bind(address).is_ok();
    (PORT..PORT + PORTS).map(address).find(is_free).ok_or_else(|| {
        io::Error::new(
            io::ErrorKind::AddrInUse,
            format!("no port from {PORT} to {} is free", PORT + PORTS - 1),
        )
    })
}
