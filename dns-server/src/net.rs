//! Sockets: where queries come from and answers leave.
//!
//! UDP is served by one thread per (address, worker), each with its own
//! socket on the shared port (`SO_REUSEPORT`), in batches; TCP by one
//! thread with a small runtime, because a connection mostly waits, and what is
//! encrypted by another, because handshakes cost. All of
//! them answer through [`respond`](crate::respond::respond) from the
//! publisher's current snapshot and know nothing of what it says.
//!
//! [`Server::bind`] opens every socket before the first query is read, so a
//! port in use is an error at start, not a silent gap.

mod batch;
mod certificate;
mod encrypted;
pub mod https;
mod places;
pub mod proxy;
mod quic;
mod respondent;
mod runtime;
mod stream;
mod tcp;
mod udp;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use socket2::{Domain, Protocol, Socket, Type};

use rhumb_zones::Prefix;

use crate::limit::{Limiter, RateLimits};
use crate::observe::{Observatory, Watching};
use crate::publish::Publisher;
use crate::stats::Stats;
use proxy::Proxies;
use respondent::Respondent;

pub use certificate::Files as CertificateFiles;
pub use encrypted::Encrypted;
pub use places::Limits;

/// Where to listen and with how many threads.
#[derive(Clone, Debug)]
pub struct NetOptions {
    /// Addresses, each for UDP and TCP; port 0 takes a free one for both.
    pub listen: Vec<SocketAddr>,
    /// UDP threads per address, at least 1.
    pub workers: usize,
    /// What streams may take.
    pub limits: Limits,
    /// Where to listen for encrypted queries, if anywhere.
    pub encrypted: Option<Encrypted>,
    /// Sources that send PROXY headers.
    pub proxies: Vec<Prefix>,
    /// How answers over UDP are limited, if they are.
    pub rates: Option<RateLimits>,
    /// Who is told of queries and answers.
    pub watching: Watching,
}

impl NetOptions {
    /// UDP and TCP on these addresses, the rest as usual.
    #[must_use]
    pub fn new(listen: Vec<SocketAddr>, workers: usize) -> Self {
        Self {
            listen,
            workers,
            limits: Limits::default(),
            encrypted: None,
            proxies: Vec::new(),
            rates: None,
            watching: Watching::default(),
        }
    }
}

/// All sockets, bound and not yet read.
#[derive(Debug)]
pub struct Server {
    udp: Vec<udp::Worker>,
    tcp: Vec<std::net::TcpListener>,
    encrypted: Option<encrypted::Listeners>,
    limits: Limits,
    proxies: Proxies,
    limiter: Option<Arc<Limiter>>,
    observatory: Observatory,
    addresses: Vec<SocketAddr>,
    encrypted_addresses: Vec<(&'static str, SocketAddr)>,
    publisher: Publisher,
    stats: Stats,
}

/// The serving threads; dropping it stops them.
#[derive(Debug)]
pub struct Running {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
    /// Ends after the threads, and writes what they still told.
    observatory: Observatory,
}

/// How often a port taken for UDP may turn out to be in use for TCP before
/// `:0` gives up.
const FREE_PORT_TRIES: usize = 16;

/// Connections the kernel queues before they are accepted.
const TCP_BACKLOG: i32 = 1024;

/// Receive buffer asked for: rides out a reload on a busy machine at 200,000
/// queries a second for about 50 ms. The kernel may grant less.
const RECEIVE_BUFFER: usize = 4 << 20;

impl Server {
    /// Binds every address for UDP and TCP.
    ///
    /// # Errors
    /// When an address is in use, not ours, or its port needs a privilege.
    pub fn bind(options: &NetOptions, publisher: &Publisher, stats: &Stats) -> io::Result<Self> {
        let mut server = Self {
            udp: Vec::new(),
            tcp: Vec::new(),
            encrypted: None,
            limits: options.limits,
            proxies: Proxies::new(&options.proxies),
            limiter: options.rates.clone().map(|rates| Arc::new(Limiter::new(rates))),
            observatory: Observatory::open(options.watching.clone(), stats)?,
            addresses: Vec::new(),
            encrypted_addresses: Vec::new(),
            publisher: publisher.clone(),
            stats: stats.clone(),
        };
        for &address in &options.listen {
            server
                .add(address, options.workers.max(1))
                .map_err(|error| io::Error::new(error.kind(), format!("listen on {address}: {error}")))?;
        }
        if let Some(encrypted) = &options.encrypted {
            let (listeners, addresses) = encrypted::Listeners::bind(encrypted)?;
            (server.encrypted, server.encrypted_addresses) = (Some(listeners), addresses);
        }
        Ok(server)
    }

    /// The addresses really bound, ports filled in.
    #[must_use]
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// The addresses bound for encrypted queries, with the name of how: `tls`,
    /// `https` or `quic`.
    #[must_use]
    pub fn encrypted_addresses(&self) -> &[(&'static str, SocketAddr)] {
        &self.encrypted_addresses
    }

    fn add(&mut self, address: SocketAddr, workers: usize) -> io::Result<()> {
        let (first, listener) = bind_pair(address)?;
        let bound = listener.local_addr()?;
        self.addresses.push(bound);
        self.tcp.push(listener);
        self.udp.push(udp::Worker::new(first, bound)?);
        for _ in 1..workers {
            self.udp.push(udp::Worker::new(bind(bound, Type::DGRAM)?, bound)?);
        }
        Ok(())
    }

    /// Starts serving.
    ///
    /// # Errors
    /// When a thread cannot be started.
    pub fn run(self) -> io::Result<Running> {
        let mut running = Running {
            stop: Arc::new(AtomicBool::new(false)),
            threads: Vec::new(),
            observatory: self.observatory,
        };
        let started = Instant::now();
        for (index, worker) in self.udp.into_iter().enumerate() {
            let (publisher, with) = (self.publisher.clone(), (self.stats.block(), self.proxies.clone()));
            let observer = running.observatory.observer();
            let guard = udp::Guard { limiter: self.limiter.clone(), observer, started };
            running
                .spawn(format!("udp-{index}"), move |stop| worker.serve(&publisher, with, &guard, &stop))?;
        }
        let terms = (self.limits, self.proxies);
        let respondent = |observatory: &Observatory| {
            Respondent::new(self.publisher.clone(), self.stats.block(), observatory.observer())
        };
        if let Some(listeners) = self.encrypted {
            let (respondent, terms) = (respondent(&running.observatory), terms.clone());
            running.spawn("tls".to_owned(), move |stop| listeners.serve(respondent, terms, &stop))?;
        }
        let (listeners, respondent) = (self.tcp, respondent(&running.observatory));
        running.spawn("tcp".to_owned(), move |stop| tcp::serve(listeners, respondent, terms, &stop))?;
        Ok(running)
    }
}

impl Running {
    fn spawn(&mut self, name: String, body: impl FnOnce(Arc<AtomicBool>) + Send + 'static) -> io::Result<()> {
        let stop = Arc::clone(&self.stop);
        self.threads.push(std::thread::Builder::new().name(name).spawn(move || body(stop))?);
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            // A worker that panicked has already said so on stderr.
            let _ = thread.join();
        }
    }
}

/// A UDP socket and a TCP listener on one address; port 0 finds one that is
/// free for both.
fn bind_pair(address: SocketAddr) -> io::Result<(Socket, std::net::TcpListener)> {
    let tries = if address.port() == 0 { FREE_PORT_TRIES } else { 1 };
    let mut last = io::Error::from(io::ErrorKind::AddrInUse);
    for _ in 0..tries {
        let udp = bind(address, Type::DGRAM)?;
        let bound = udp.local_addr()?.as_socket().unwrap_or(address);
        match bind(bound, Type::STREAM) {
            Ok(tcp) => {
                tcp.listen(TCP_BACKLOG)?;
                return Ok((udp, tcp.into()));
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn bind(address: SocketAddr, kind: Type) -> io::Result<Socket> {
    let protocol = if kind == Type::STREAM { Protocol::TCP } else { Protocol::UDP };
    let socket = Socket::new(Domain::for_address(address), kind, Some(protocol))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    if kind == Type::STREAM {
        socket.set_reuse_address(true)?;
        socket.set_nonblocking(true)?;
    } else {
        socket.set_reuse_port(true)?;
        // The kernel caps it at net.core.rmem_max; less is not an error.
        let _ = socket.set_recv_buffer_size(RECEIVE_BUFFER);
        batch::ask_for_packet_info(&socket, address)?;
    }
    socket.bind(&address.into())?;
    Ok(socket)
}

/// Seconds since 1970, as far as 32 bits carry.
pub(crate) fn clock() -> u32 {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    u32::try_from(seconds).unwrap_or(u32::MAX)
}
