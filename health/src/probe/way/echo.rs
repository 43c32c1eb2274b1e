//! ICMP echo: one socket for all targets of one source, interface and family.
//!
//! A socket of our own rather than a library's, for three reasons. Time: the
//! kernel stamps what arrives (`SO_TIMESTAMPNS`), so that a busy process does
//! not measure itself. Bursts: a socket buffer for seconds of replies, and a
//! filter in the kernel that keeps out what other programs ping. Identity: a
//! reply counts only if sequence number, sender and a random token of 64 bits
//! are those of a question that waits; others are counted as
//! [strays](super::Tools::strays).
//!
//! Where the system lets this user (`net.ipv4.ping_group_range`), sockets are
//! of the datagram kind and need no right; else raw ones, which need
//! `CAP_NET_RAW`. ICMP errors come by the error queue (`IP_RECVERR`), whichever
//! the kind, with the packet they are about.
//!
//! **Invariant:** nothing here limits the rate: who asks too fast is told by
//! its losses. The budget of [`run`](crate::run) is what paces.

mod packet;
mod socket;

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use socket2::SockRef;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::sync::oneshot;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use self::packet::Packet;
use self::socket::{Arrived, receive};
use super::watch::watch;
use super::{Way, failure, local, origin};
use crate::clock;
use crate::reply::{Cause, Failure};

/// Packets taken from a socket before other work has its turn.
const BATCH: usize = 256;

/// A socket and those who wait for replies on it.
#[derive(Debug)]
pub(crate) struct Echo {
    shared: Arc<Shared>,
    reader: AbortHandle,
}

#[derive(Debug)]
struct Shared {
    socket: AsyncFd<OwnedFd>,
    /// Its identifier, where the kernel does not see to that.
    identifier: Option<u16>,
    waiting: Mutex<Waiting>,
    strays: Arc<AtomicU64>,
}

#[derive(Debug, Default)]
struct Waiting {
    next: u16,
    by_sequence: HashMap<u16, Question>,
}

#[derive(Debug)]
struct Question {
    to: IpAddr,
    token: u64,
    /// Since the Unix epoch, to be compared with the kernel's stamp.
    sent: Duration,
    since: Instant,
    answer: oneshot::Sender<Result<Duration, Failure>>,
}

impl Echo {
    /// Opens a socket as the probe says and starts to read it.
    ///
    /// # Errors
    /// Where the machine has no such source or interface, or neither kind of
    /// socket is allowed.
    pub(crate) fn open(way: &Way<'_>, to: IpAddr, strays: &Arc<AtomicU64>) -> Result<Self, Failure> {
        let (socket, identifier) = socket::open(way, to)?;
        let interest = Interest::READABLE | Interest::WRITABLE | Interest::ERROR;
        let socket = watch(socket, interest).map_err(|error| local("cannot wait", &error))?;
        let waiting = Mutex::default();
        let shared = Arc::new(Shared { socket, identifier, waiting, strays: Arc::clone(strays) });
        let reader = tokio::spawn(read(Arc::clone(&shared))).abort_handle();
        Ok(Self { shared, reader })
    }

    /// Asks `to`; ends with the delay when it answers, with a failure when a
    /// router does, and never otherwise.
    pub(crate) async fn ask(&self, to: IpAddr) -> Result<Duration, Failure> {
        let token = fastrand::u64(..);
        let (answer, heard) = oneshot::channel();
        let question = Question { to, token, sent: clock::now(), since: Instant::now(), answer };
        let Some(sequence) = self.shared.waiting().add(question) else {
            return Err(failure::new(Cause::Local, "too many echo requests are under way"));
        };
        let _asked = Asked { shared: &self.shared, sequence, token };
        let packet = Packet { identifier: self.shared.identifier.unwrap_or(0), sequence, token };
        self.shared
            .send(&packet.request(to.is_ipv4()), to)
            .await
            .map_err(|error| local("cannot send", &error))?;
        match heard.await {
            Ok(outcome) => outcome,
            Err(_) => Err(failure::new(Cause::Local, "the socket was closed")),
        }
    }

    /// Hands out what has arrived but was not read yet.
    pub(crate) fn look(&self) {
        let _ = self.shared.read_some();
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

/// Takes a question back when nobody waits any more.
struct Asked<'a> {
    shared: &'a Shared,
    sequence: u16,
    token: u64,
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        let mut waiting = self.shared.waiting();
        let is_mine = waiting.by_sequence.get(&self.sequence).is_some_and(|one| one.token == self.token);
        if is_mine {
            waiting.by_sequence.remove(&self.sequence);
        }
    }
}

impl Waiting {
    /// Gives a question the next free sequence number, if there is one.
    fn add(&mut self, question: Question) -> Option<u16> {
        if self.by_sequence.len() > usize::from(u16::MAX) {
            return None;
        }
        while self.by_sequence.contains_key(&self.next) {
            self.next = self.next.wrapping_add(1);
        }
        let sequence = self.next;
        self.next = self.next.wrapping_add(1);
        self.by_sequence.insert(sequence, question);
        Some(sequence)
    }
}

impl Shared {
    fn waiting(&self) -> std::sync::MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn send(&self, packet: &[u8], to: IpAddr) -> io::Result<()> {
        /// Errors of other packets, which the kernel reports to whoever comes
        /// next, that are passed over.
        const OTHERS: u8 = 8;
        let to = std::net::SocketAddr::new(to, 0).into();
        let mut others = 0;
        loop {
            match SockRef::from(self.socket.get_ref()).send_to(packet, &to) {
                Ok(_) => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.socket.writable().await?.clear_ready();
                }
                Err(error) if others == OTHERS => return Err(error),
                Err(_) => others += 1,
            }
        }
    }

    /// Reads up to [`BATCH`] packets and errors; whether there may be more.
    fn read_some(&self) -> bool {
        let socket = self.socket.get_ref();
        for _ in 0..BATCH {
            match receive(socket) {
                Arrived::Packet { packet, from, stamp } => self.hear(packet, from, stamp),
                Arrived::Strange => {}
                Arrived::Error => self.take_errors(),
                Arrived::Nothing => {
                    self.take_errors();
                    return false;
                }
            }
        }
        true
    }

    fn hear(&self, packet: Packet, from: IpAddr, stamp: Option<Duration>) {
        let question = {
            let mut waiting = self.waiting();
            let is_answer = waiting
                .by_sequence
                .get(&packet.sequence)
                .is_some_and(|one| (one.to, one.token) == (from, packet.token));
            if is_answer { waiting.by_sequence.remove(&packet.sequence) } else { None }
        };
        let Some(question) = question else {
            self.strays.fetch_add(1, Ordering::Relaxed);
            return;
        };
        // The machine's clock may be set while a packet is on its way.
        let most = question.since.elapsed();
        let stamped = stamp.and_then(|stamp| stamp.checked_sub(question.sent)).filter(|delay| *delay <= most);
        let _ = question.answer.send(Ok(stamped.unwrap_or(most)));
    }

    fn take_errors(&self) {
        let mut bytes = [0; packet::LEN];
        while let Some(report) = origin::take(self.socket.get_ref(), &mut bytes) {
            let Some(packet) = Packet::parse_header(bytes.get(..report.len).unwrap_or(&bytes)) else {
                continue;
            };
            let is_mine = self.identifier.is_none_or(|own| own == packet.identifier);
            let mut waiting = self.waiting();
            let is_about =
                waiting.by_sequence.get(&packet.sequence).is_some_and(|one| Some(one.to) == report.to);
            if is_mine && is_about {
                let question = waiting.by_sequence.remove(&packet.sequence);
                drop(waiting);
                let error = io::Error::from_raw_os_error(report.errno);
                let failure = failure::remote(&error, report.router);
                let _ = question.map(|question| question.answer.send(Err(failure)));
            }
        }
    }
}

async fn read(shared: Arc<Shared>) {
    while let Ok(mut ready) = shared.socket.ready(Interest::READABLE | Interest::ERROR).await {
        if shared.read_some() {
            tokio::task::yield_now().await;
        } else {
            ready.clear_ready();
        }
    }
}
