//! Where votes come in.
//!
//! Whoever calls must shake hands and say who it is within [`WELCOME`]; until
//! then it counts against its address, so that a crowd from one address leaves
//! room for others. The certificate must bear the name of the site, exactly:
//! `*.example` or `NORTH` is not `north`. Then messages are handed on as they
//! come, at most [`RATE`] votes a second of each prober: more is not read, and
//! waits at the sender, where only the latest is kept.
//!
//! A peer that breaks a rule is told why, dropped, and told of (not too
//! often). Connections share nothing but seats, so nobody suffers for another.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWriteExt as _, BufReader, ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::grumbles::Grumbles;
use super::guests::{Guests, NotHeard, Seat};
use super::identity::{Papers, names};
use super::wire::{Answer, HEARTBEAT, Hello, MAX_HELLO, MAX_LINE, Message, WireError, clean, line};
use super::{Hear, now, read_line};

/// For the handshake and the hello: two round trips around the world on a bad
/// line, and no more.
const WELCOME: Duration = Duration::from_secs(5);

/// Callers not yet welcomed: 64 KB of handshake each, 16 MB in all.
const MAX_CALLERS: usize = 256;

/// Of one address (an IPv6 /64): all probers behind one NAT reconnect at once.
const MAX_FROM_ADDRESS: usize = 16;

/// Three heartbeats without a message: it is gone.
const IDLE: Duration = HEARTBEAT.saturating_mul(3);

/// After this a prober must connect anew, so that its certificate is verified
/// once a day: one that expired or whose authority is no longer believed ends.
const LIFE: Duration = Duration::from_secs(24 * 3600);

/// Votes a second of one prober: 10,000 targets probed twice a second.
const RATE: f64 = 20_000.0;

/// A full set may come faster than that.
const BURST: Duration = Duration::from_secs(2);

/// Where there is no descriptor for the next caller, one may be free later.
const PAUSE: Duration = Duration::from_millis(100);

/// The listening side.
pub(super) struct Hall {
    papers: Arc<Papers>,
    hear: Box<Hear>,
    guests: Mutex<Guests>,
    callers: Mutex<HashMap<IpAddr, usize>>,
    grumbles: Grumbles,
}

type Reader = BufReader<ReadHalf<TlsStream<TcpStream>>>;
type Writer = WriteHalf<TlsStream<TcpStream>>;

/// A prober that may speak.
struct Visit {
    reader: Reader,
    writer: Writer,
    seat: Seat,
    /// Closes when another takes the seat.
    unseated: oneshot::Receiver<()>,
}

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
enum End {
    #[error("too many callers from this address are not welcomed yet")]
    Crowd,
    #[error("no descriptor is left: {0}")]
    Accept(io::Error),
    #[error("no TLS: {0}")]
    Tls(io::Error),
    #[error("its hello takes longer than {} s", WELCOME.as_secs())]
    Late,
    #[error("its certificate is for {names}, not for site {site}")]
    WrongSite { site: Arc<str>, names: String },
    #[error(transparent)]
    NotHeard(#[from] NotHeard),
    #[error(transparent)]
    Wire(#[from] WireError),
    #[error("nothing came for {} s", IDLE.as_secs())]
    Idle,
    #[error("connected for a day: its certificate is to be verified again")]
    Old,
    #[error("the connection is lost: {0}")]
    Lost(io::Error),
    #[error("it closed the connection")]
    Closed,
}

impl Hall {
    pub(super) fn new(papers: Arc<Papers>, hear: Box<Hear>) -> Self {
        let (guests, callers) = (Mutex::default(), Mutex::default());
        Self { papers, hear, guests, callers, grumbles: Grumbles::default() }
    }

    /// Lets callers in for ever.
    pub(super) async fn open(self: Arc<Self>, listener: TcpListener) {
        loop {
            match listener.accept().await {
                Ok((stream, address)) => match Caller::enter(&self, address.ip()) {
                    Some(caller) => _ = tokio::spawn(Arc::clone(&self).attend(stream, address, caller)),
                    None => self.grumble(address, None, &End::Crowd),
                },
                Err(error) => {
                    let nobody = SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), 0);
                    self.grumble(nobody, None, &End::Accept(error));
                    sleep(PAUSE).await;
                }
            }
        }
    }

    async fn attend(self: Arc<Self>, stream: TcpStream, address: SocketAddr, caller: Caller) {
        let mut who = None;
        let welcomed = timeout(WELCOME, self.welcome(stream, &mut who)).await;
        drop(caller);
        let Visit { mut reader, mut writer, seat, unseated } = match welcomed.unwrap_or(Err(End::Late)) {
            Ok(visit) => visit,
            Err(end) => return self.grumble(address, who.as_ref(), &end),
        };
        if let Some(kept_back) = self.grumbles.may_tell(address.ip(), "welcome", Instant::now()) {
            tracing::info!(%address, site = &*seat.site, prober = &*seat.prober, kept_back, "a prober votes");
        }
        let end = tokio::select! {
            end = self.listen(&mut reader, &seat) => end,
            _ = unseated => NotHeard::Unseated.into(),
            () = sleep(LIFE) => End::Old,
        };
        self.guests().leave(&seat);
        // Whether it hears why is its own business.
        let answer = line(&Answer::new(Some(end.to_string())));
        let _ = timeout(WELCOME, async {
            writer.write_all(&answer).await?;
            writer.shutdown().await
        })
        .await;
        self.grumble(address, who.as_ref(), &end);
    }

    /// Shakes hands; notes `who` it claims to be as soon as that is known.
    async fn welcome(&self, stream: TcpStream, who: &mut Option<Hello>) -> Result<Visit, End> {
        stream.set_nodelay(true).map_err(End::Lost)?;
        let stream =
            TlsAcceptor::from(self.papers.current().server).accept(stream).await.map_err(End::Tls)?;
        let certificate = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
        let names = certificate.map(names).unwrap_or_default();
        let (reader, mut writer) = tokio::io::split(stream);
        let mut reader = BufReader::new(reader);
        match self.introduce(&mut reader, &names, who).await {
            Ok((seat, unseated)) => {
                let answer = line(&Answer::new(None));
                let said = async {
                    writer.write_all(&answer).await?;
                    writer.flush().await
                }
                .await;
                match said {
                    Ok(()) => Ok(Visit { reader, writer, seat, unseated }),
                    Err(error) => {
                        self.guests().leave(&seat);
                        Err(End::Lost(error))
                    }
                }
            }
            Err(end) => {
                let answer = line(&Answer::new(Some(end.to_string())));
                let _ = writer.write_all(&answer).await;
                let _ = writer.shutdown().await;
                Err(end)
            }
        }
    }

    async fn introduce(
        &self,
        reader: &mut Reader,
        names: &[String],
        who: &mut Option<Hello>,
    ) -> Result<(Seat, oneshot::Receiver<()>), End> {
        let mut hello = Vec::new();
        next_line(reader, &mut hello, MAX_HELLO).await?;
        let hello = who.insert(Hello::read(&hello)?);
        if !names.iter().any(|name| **name == *hello.site) {
            let names = if names.is_empty() { "no DNS name".into() } else { clean(&names.join(", ")) };
            return Err(End::WrongSite { site: Arc::clone(&hello.site), names: names.into() });
        }
        Ok(self.guests().admit(hello)?)
    }

    /// Hands on what a prober says, until the end.
    async fn listen(&self, reader: &mut Reader, seat: &Seat) -> End {
        let mut line = Vec::new();
        let earliest = |now: Instant| now.checked_sub(BURST).unwrap_or(now);
        let mut pace = earliest(Instant::now());
        loop {
            let next = timeout(IDLE, next_line(reader, &mut line, MAX_LINE)).await;
            let said = next.unwrap_or(Err(End::Idle)).and_then(|()| self.take(&line, seat));
            let votes = match said {
                Ok(votes) => votes,
                Err(end) => return end,
            };
            // An empty message is work, too.
            let cost = Duration::from_secs_f64((votes + 1) as f64 / RATE);
            let started = Instant::now();
            pace = pace.max(earliest(started)) + cost;
            if pace > started {
                sleep(pace - started).await;
            }
        }
    }

    fn take(&self, line: &[u8], seat: &Seat) -> Result<usize, End> {
        let Message { seq, votes } = Message::read(line)?;
        self.guests().note(seat, seq)?;
        let now = now();
        let votes: Vec<_> = votes.into_iter().map(|vote| vote.read(now)).collect::<Result<_, _>>()?;
        let count = votes.len();
        (self.hear)(Arc::clone(&seat.site), Arc::clone(&seat.prober), votes);
        Ok(count)
    }

    fn guests(&self) -> MutexGuard<'_, Guests> {
        self.guests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn grumble(&self, address: SocketAddr, who: Option<&Hello>, end: &End) {
        let Some(kept_back) = self.grumbles.may_tell(address.ip(), end.matter(), Instant::now()) else {
            return;
        };
        let (site, prober) = who.map_or(("", ""), |hello| (&*hello.site, &*hello.prober));
        if end.is_fault() {
            tracing::warn!(%address, site, prober, kept_back, "votes refused: {end}");
        } else {
            tracing::info!(%address, site, prober, kept_back, "a prober is gone: {end}");
        }
    }
}

impl End {
    /// What it is about, for counting.
    const fn matter(&self) -> &'static str {
        match self {
            Self::Crowd => "crowd",
            Self::Accept(_) => "accept",
            Self::Tls(_) => "tls",
            Self::Late => "late",
            Self::WrongSite { .. } => "site",
            Self::NotHeard(NotHeard::Unseated) => "unseated",
            Self::NotHeard(_) => "not heard",
            Self::Wire(_) => "wire",
            Self::Idle | Self::Old | Self::Lost(_) | Self::Closed => "gone",
        }
    }

    const fn is_fault(&self) -> bool {
        let is_usual = matches!(
            self,
            Self::NotHeard(NotHeard::Unseated) | Self::Idle | Self::Old | Self::Lost(_) | Self::Closed
        );
        !is_usual
    }
}

/// Reads a line that must come.
async fn next_line<R: AsyncRead + Unpin>(
    reader: &mut BufReader<R>,
    into: &mut Vec<u8>,
    longest: usize,
) -> Result<(), End> {
    match read_line(reader, into, longest).await {
        Ok(true) => Ok(()),
        Ok(false) => Err(End::Closed),
        Err(error) => Err(End::Lost(error)),
    }
}

/// Someone who is not welcomed yet.
struct Caller {
    hall: Arc<Hall>,
    address: IpAddr,
}

impl Caller {
    fn enter(hall: &Arc<Hall>, address: IpAddr) -> Option<Self> {
        let address = network(address);
        let mut callers = hall.callers.lock().unwrap_or_else(PoisonError::into_inner);
        let is_full = callers.values().sum::<usize>() >= MAX_CALLERS
            || callers.get(&address).is_some_and(|count| *count >= MAX_FROM_ADDRESS);
        if is_full {
            return None;
        }
        *callers.entry(address).or_default() += 1;
        Some(Self { hall: Arc::clone(hall), address })
    }
}

impl Drop for Caller {
    fn drop(&mut self) {
        let mut callers = self.hall.callers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = callers.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                callers.remove(&self.address);
            }
        }
    }
}

/// What one host may have many of.
const fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(address) => IpAddr::V4(address),
            None => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !(u64::MAX as u128))),
        },
    }
}
