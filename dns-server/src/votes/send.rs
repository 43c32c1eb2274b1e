//! Votes on their way to one server.
//!
//! For as long as the process lives: connect, say everything, say what
//! changes, and begin again when that fails. News leave at once; what only
//! confirms leaves with others, at most [`BATCH`] later, so that a thousand
//! probes a second are ten messages. Every probe's end confirms its votes, so
//! none grows older than its probe's interval.
//!
//! The log hears when a server counts the votes and when no more, and every
//! reason for that once until it does again.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncWrite, AsyncWriteExt as _, BufReader, ReadHalf, WriteHalf};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{sleep, sleep_until, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls;
use tokio_rustls::rustls::pki_types::ServerName;

use super::board::VoteSender;
use super::identity::Papers;
use super::wire::{Answer, HEARTBEAT, Hello, MAX_HELLO, Message, clean, line};
use super::{now, read_line};

/// To reach one address: a SYN may be lost once.
const CONNECT: Duration = Duration::from_secs(3);

/// Addresses tried of those that a name has.
const MAX_ADDRESSES: usize = 4;

/// For the handshake and the answer to the hello.
const WELCOME: Duration = Duration::from_secs(5);

/// For a message to leave: a server that does not read is no server.
const WRITE: Duration = Duration::from_secs(10);

/// How long sent bytes may stay without acknowledgement. Votes are stale after
/// six seconds by default; a dead path must not look alive for longer.
const UNACKNOWLEDGED: Duration = Duration::from_secs(5);

/// How long a confirmation may wait for others.
const BATCH: Duration = Duration::from_millis(100);

/// First pause after a failure, doubled with each.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// Longest pause: a server that comes back gets its votes within this time.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Reasons told of one outage: some change with every attempt.
const MAX_REASONS: usize = 4;

/// A server to vote at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Peer {
    /// What its certificate must be for.
    name: ServerName<'static>,
    host: Arc<str>,
    port: u16,
}

/// Why a text is no [`Peer`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("must be HOST:PORT, such as ns1.example.com:853, 192.0.2.53:853 or [2001:db8::53]:853")]
pub struct NoPeer;

impl FromStr for Peer {
    type Err = NoPeer;

    fn from_str(text: &str) -> Result<Self, NoPeer> {
        let (host, port) = text.rsplit_once(':').ok_or(NoPeer)?;
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        if bare.is_none() && host.contains(':') {
            return Err(NoPeer);
        }
        let host = bare.unwrap_or(host);
        let name = ServerName::try_from(host.to_owned()).map_err(|_| NoPeer)?;
        let port = port.parse().ok().filter(|port| *port != 0).ok_or(NoPeer)?;
        Ok(Self { name, host: Arc::from(host), port })
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "[{}]:{}", self.host, self.port),
            false => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

/// Carries votes to one server.
pub(super) struct Courier {
    pub(super) peer: Peer,
    pub(super) papers: Arc<Papers>,
    pub(super) votes: VoteSender,
    pub(super) hello: Hello,
    /// Number of the last message.
    pub(super) seq: u64,
}

type Reader = BufReader<ReadHalf<TlsStream<TcpStream>>>;
type Writer = WriteHalf<TlsStream<TcpStream>>;

/// Why votes do not arrive.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("its name has no address: {0}")]
    Lookup(io::Error),
    #[error("cannot be reached: {0}")]
    Connect(io::Error),
    #[error("its certificate is not good: {0}")]
    Certificate(rustls::CertificateError),
    #[error("it ends TLS with {0:?}: see its log for what it has against our certificate")]
    Alert(rustls::AlertDescription),
    #[error("the connection is lost: {0}")]
    Lost(io::Error),
    #[error("it does not answer")]
    Late,
    #[error("it says: {0}")]
    Refused(Box<str>),
    #[error("it is no server of votes: {0}")]
    Strange(Box<str>),
    #[error("it closed the connection")]
    Closed,
}

impl Courier {
    /// Carries for ever.
    pub(super) async fn work(mut self) {
        let mut pause = FIRST_PAUSE;
        let mut told: Vec<String> = Vec::new();
        loop {
            let failure = match self.connect().await {
                Ok((reader, writer)) => {
                    tracing::info!(server = %self.peer, "votes are counted there");
                    told.clear();
                    let since = Instant::now();
                    let failure = tokio::select! {
                        failure = hear(reader) => failure,
                        failure = self.speak(writer) => failure,
                    };
                    if since.elapsed() > LONGEST_PAUSE {
                        pause = FIRST_PAUSE;
                    }
                    failure
                }
                Err(failure) => failure,
            };
            let reason = failure.to_string();
            if told.len() < MAX_REASONS && !told.contains(&reason) {
                tracing::warn!(server = %self.peer, "votes are not counted there: {reason}");
                told.push(reason);
            }
            // Half of it at random: servers restart before many probers at once.
            sleep(pause.mul_f64(0.5 + fastrand::f64() / 2.0)).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn connect(&self) -> Result<(Reader, Writer), Failure> {
        // Without a limit of its own: the resolver has one, and a thread that
        // waits for it must not be left behind.
        let addresses = lookup_host((&*self.peer.host, self.peer.port)).await.map_err(Failure::Lookup)?;
        let addresses: Vec<_> = addresses.take(MAX_ADDRESSES).collect();
        let stream = reach(&addresses).await.map_err(Failure::Connect)?;
        stream.set_nodelay(true).map_err(Failure::Connect)?;
        let limit = socket2::SockRef::from(&stream).set_tcp_user_timeout(Some(UNACKNOWLEDGED));
        limit.map_err(Failure::Connect)?;
        timeout(WELCOME, self.greet(stream)).await.unwrap_or(Err(Failure::Late))
    }

    async fn greet(&self, stream: TcpStream) -> Result<(Reader, Writer), Failure> {
        let connector = TlsConnector::from(self.papers.current().client);
        let stream = connector.connect(self.peer.name.clone(), stream).await?;
        let (reader, mut writer) = tokio::io::split(stream);
        let mut reader = BufReader::new(reader);
        writer.write_all(&line(&self.hello)).await?;
        writer.flush().await?;
        match listen(&mut reader).await? {
            Answer { refused: None, .. } => Ok((reader, writer)),
            Answer { refused: Some(why), .. } => Err(Failure::Refused(clean(&why))),
        }
    }

    /// Says everything, then whatever is new, until that fails.
    async fn speak(&mut self, mut writer: Writer) -> Failure {
        let (mut news, mut confirmations) = (self.votes.watch(), self.votes.watch());
        let mut sent = 0;
        loop {
            while let Some((votes, last)) = self.votes.after(sent, now()) {
                self.seq += 1;
                if let Err(failure) = write(&mut writer, &Message { seq: self.seq, votes }).await {
                    return failure;
                }
                sent = last;
            }
            let wrote = tokio::time::Instant::now();
            let is_idle = tokio::select! {
                // The board outlives its watchers: waiting does not fail.
                () = async { let _ = news.wait_for(|heads| heads.urgent > sent).await; } => false,
                () = async {
                    let _ = confirmations.wait_for(|heads| heads.latest > sent).await.map(drop);
                    sleep_until(wrote + BATCH).await;
                } => false,
                () = sleep_until(wrote + HEARTBEAT) => true,
            };
            if is_idle {
                self.seq += 1;
                if let Err(failure) = write(&mut writer, &Message { seq: self.seq, votes: Vec::new() }).await
                {
                    return failure;
                }
            }
        }
    }
}

/// The first of these addresses that can be reached.
async fn reach(addresses: &[SocketAddr]) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "no address");
    for address in addresses {
        match timeout(CONNECT, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => last = error,
            Err(_) => last = io::ErrorKind::TimedOut.into(),
        }
    }
    Err(last)
}

async fn write(writer: &mut (impl AsyncWrite + Unpin), message: &Message) -> Result<(), Failure> {
    let line = line(message);
    let written = timeout(WRITE, async {
        writer.write_all(&line).await?;
        writer.flush().await
    });
    written.await.map_err(|_| Failure::Late)?.map_err(Failure::from)
}

/// Waits for the server's last word.
async fn hear(mut reader: Reader) -> Failure {
    match listen(&mut reader).await {
        Ok(Answer { refused: Some(why), .. }) => Failure::Refused(clean(&why)),
        Ok(_) => Failure::Strange("it welcomes twice".into()),
        Err(failure) => failure,
    }
}

async fn listen(reader: &mut Reader) -> Result<Answer, Failure> {
    let mut line = Vec::new();
    match read_line(reader, &mut line, MAX_HELLO).await? {
        true => Answer::read(&line).map_err(|error| Failure::Strange(clean(&error.to_string()))),
        false => Err(Failure::Closed),
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            Some(rustls::Error::InvalidCertificate(what)) => Self::Certificate(what.clone()),
            Some(rustls::Error::AlertReceived(alert)) => Self::Alert(*alert),
            _ => Self::Lost(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peers() {
        let rows = [
            ("ns1.example.com:853", true, "a name"),
            ("192.0.2.53:853", true, "an address"),
            ("[2001:db8::53]:853", true, "a v6 address in brackets"),
            ("2001:db8::53:853", false, "which part is the port?"),
            ("ns1.example.com", false, "no port"),
            ("ns1:0", false, "no port that anyone listens on"),
            (":853", false, "no host"),
            ("ns 1:853", false, "no certificate has that name"),
        ];
        for (text, want, why) in rows {
            let peer: Result<Peer, _> = text.parse();
            assert_eq!(
                peer.map(|peer| peer.to_string()),
                if want { Ok(text.to_owned()) } else { Err(NoPeer) },
                "{why}"
            );
        }
    }
}
