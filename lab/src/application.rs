//! What runs on the hosts of a world: nodes, balancers, mappings, databases.
//!
//! All speak as much HTTP/1.0 as the lab needs: a head, an answer, the end. A
//! forwarder is both the mapping from a VIP to the balancers and a balancer
//! itself: it tries its backends in order, those that just failed last, and
//! takes refusal, silence and 503 alike for failure. Each adds its name in a
//! `Via:` field, so that an answer tells the way it came.
//!
//! The node order of a balancer is its own datacenter's, then over the
//! interconnects: what `rhumb plan` says while all is well. It is no product:
//! real balancers are somebody else's.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::server::Handler;
use crate::topology::{DATABASE_PORT, DATACENTERS};

/// How long a forwarder waits for a backend to accept. Paths here take
/// microseconds, a busy machine milliseconds.
const CONNECT: Duration = Duration::from_millis(150);
/// How long it waits for an answer; above the slowness that scenarios ask for.
const ANSWER: Duration = Duration::from_secs(4);
/// How long a backend that failed is tried last.
const BENCH: Duration = Duration::from_secs(2);
/// Largest head or answer, octets: far above any of the lab's.
const MAX_MESSAGE: u64 = 16 * 1024;

/// Which datacenter holds the writable store, as an index in [`DATACENTERS`].
pub(crate) type Primary = Arc<AtomicUsize>;
/// How long a node sleeps before it answers, in milliseconds.
pub(crate) type Slowness = Arc<AtomicU64>;

/// An application server; one with a primary asks its database first.
pub(crate) fn node(name: String, primary: Option<Primary>, slowness: Slowness) -> Handler {
    Arc::new(move |mut stream| {
        let Ok(head) = read_head(&mut stream) else { return };
        std::thread::sleep(Duration::from_millis(slowness.load(Ordering::Relaxed)));
        let has_data = primary.as_ref().is_none_or(|primary| {
            let database = DATACENTERS[primary.load(Ordering::Relaxed)].fabric();
            connect((database, DATABASE_PORT).into()).is_ok()
        });
        let via = head.lines().filter_map(|line| line.strip_prefix("Via: ")).collect::<Vec<_>>().join(" ");
        let status = if has_data { "200 OK" } else { "503 No Data" };
        // Who has gone needs no answer.
        let _ = write!(stream, "HTTP/1.0 {status}\r\nConnection: close\r\n\r\n{via} {name}\n");
    })
}

/// Whatever only has to be there: the database, the fabric's own port.
pub(crate) fn listener() -> Handler {
    Arc::new(|mut stream| {
        let _ = stream.write_all(b"lab\n");
    })
}

/// A mapping or a balancer.
pub(crate) fn forwarder(name: String, backends: Vec<(Ipv4Addr, u16)>) -> Handler {
    let backends: Vec<SocketAddr> = backends.into_iter().map(SocketAddr::from).collect();
    let benched = Mutex::new(vec![None::<Instant>; backends.len()]);
    Arc::new(move |mut stream| {
        let Ok(head) = read_head(&mut stream) else { return };
        let head = format!("{}\r\nVia: {name}\r\n\r\n", head.trim_end());
        let is_benched = |index: usize| {
            let benched = benched.lock().unwrap_or_else(PoisonError::into_inner);
            benched[index].is_some_and(|since| since.elapsed() < BENCH)
        };
        let mut order: Vec<usize> = (0..backends.len()).collect();
        order.sort_by_key(|&index| is_benched(index));
        for index in order {
            let answer =
                ask(backends[index], &head).ok().filter(|answer| !answer.starts_with("HTTP/1.0 503"));
            let failed = answer.is_none().then(Instant::now);
            benched.lock().unwrap_or_else(PoisonError::into_inner)[index] = failed;
            if let Some(answer) = answer {
                let _ = stream.write_all(answer.as_bytes());
                return;
            }
        }
        let _ = stream.write_all(b"HTTP/1.0 503 No Backend\r\nConnection: close\r\n\r\n");
    })
}

fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    TcpStream::connect_timeout(&address, CONNECT)
}

/// Sends a head; reads to the end.
fn ask(address: SocketAddr, head: &str) -> io::Result<String> {
    let mut stream = connect(address)?;
    stream.set_read_timeout(Some(ANSWER))?;
    stream.write_all(head.as_bytes())?;
    let mut answer = String::new();
    stream.take(MAX_MESSAGE).read_to_string(&mut answer)?;
    Ok(answer)
}

/// Reads to the empty line.
fn read_head(stream: &mut TcpStream) -> io::Result<String> {
    stream.set_read_timeout(Some(ANSWER))?;
    let mut head = Vec::new();
    let mut chunk = [0; 1024];
    while !head.ends_with(b"\r\n\r\n") {
        let length = stream.read(&mut chunk)?;
        if length == 0 || head.len() as u64 > MAX_MESSAGE {
            return Err(io::ErrorKind::InvalidData.into());
        }
        head.extend_from_slice(&chunk[..length]);
    }
    String::from_utf8(head).map_err(|_| io::ErrorKind::InvalidData.into())
}

/// Asks a web server at `address` as a browser would, within `patience`;
/// answers what it says of the way.
pub(crate) fn browse(address: SocketAddr, patience: Duration) -> io::Result<String> {
    let start = Instant::now();
    let mut stream = TcpStream::connect_timeout(&address, patience)?;
    let left = patience.saturating_sub(start.elapsed()).max(Duration::from_millis(1));
    stream.set_read_timeout(Some(left))?;
    stream.write_all(b"GET / HTTP/1.0\r\nHost: lab\r\n\r\n")?;
    let mut answer = String::new();
    stream.take(MAX_MESSAGE).read_to_string(&mut answer)?;
    match answer.strip_prefix("HTTP/1.0 200").and_then(|rest| rest.split_once("\r\n\r\n")) {
        Some((_, body)) => Ok(body.trim().to_owned()),
        None => Err(io::Error::other(answer.lines().next().unwrap_or("nothing").to_owned())),
    }
}
