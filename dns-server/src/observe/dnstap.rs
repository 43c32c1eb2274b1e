//! dnstap: whole messages, in protocol buffers, to a unix socket or a file.
//!
//! One message of the schema (dnstap.pb) per exchange: `AUTH_RESPONSE` with
//! the query beside the reply, or `AUTH_QUERY` where no reply was sent. The
//! few fields are written by hand; a generator would bring a compiler along
//! for thirty lines.
//!
//! A socket that nobody listens on is tried again every second; what comes
//! meanwhile is lost and counted. A file is written anew at start, and again
//! when it is renamed or removed: frames of two streams do not share one.

use std::fs::File;
use std::io::{self, Write as _};
use std::net::IpAddr;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use super::outlet::Writer;
use super::{Exchange, TapTo, frames};
use crate::respond::Transport;

/// How often to look whether somebody listens, or the file was rotated.
const LOOK: Duration = Duration::from_secs(1);

/// How long a listener may take; then it is gone.
const PATIENCE: Duration = Duration::from_secs(1);

/// The stream, where there is one.
#[derive(Debug)]
pub(super) struct Dnstap {
    to: TapTo,
    identity: Option<String>,
    stream: Option<Stream>,
    looked: Instant,
    /// One encoded frame; written in one piece, so that what is counted is there.
    frame: Vec<u8>,
}

#[derive(Debug)]
enum Stream {
    Socket(UnixStream),
    File(File, (u64, u64)),
}

impl Dnstap {
    pub(super) fn open(to: TapTo, identity: Option<String>) -> io::Result<Self> {
        let mut tap = Self { to, identity, stream: None, looked: Instant::now(), frame: Vec::new() };
        match (tap.connect(), &tap.to) {
            (Err(error), TapTo::File(path)) => {
                return Err(io::Error::new(error.kind(), format!("dnstap {}: {error}", path.display())));
            }
            (Err(error), TapTo::Socket(path)) => {
                tracing::warn!(path = %path.display(), %error, "nobody listens to dnstap yet");
            }
            (Ok(()), _) => {}
        }
        Ok(tap)
    }

    fn connect(&mut self) -> io::Result<()> {
        self.stream = Some(match &self.to {
            TapTo::Socket(path) => {
                let mut stream = UnixStream::connect(path)?;
                stream.set_read_timeout(Some(PATIENCE))?;
                stream.set_write_timeout(Some(PATIENCE))?;
                frames::shake_hands(&mut stream)?;
                Stream::Socket(stream)
            }
            TapTo::File(path) => {
                let mut file = File::create(path)?;
                let found = file.metadata()?;
                frames::start(&mut file)?;
                Stream::File(file, (found.dev(), found.ino()))
            }
        });
        Ok(())
    }

    /// Gives a stream up that failed or was moved away.
    fn lose(&mut self, error: Option<&io::Error>) {
        if let Some(error) = error {
            tracing::warn!(to = ?self.to, %error, "dnstap cannot be written");
        }
        self.stream = None;
    }
}

impl Writer for Dnstap {
    fn write(&mut self, exchange: &Exchange) -> io::Result<()> {
        self.frame.clear();
        frames::open(&mut self.frame);
        encode(exchange, self.identity.as_deref(), &mut self.frame);
        frames::seal(&mut self.frame);
        let written = match &mut self.stream {
            None => return Err(io::ErrorKind::NotConnected.into()),
            Some(Stream::Socket(stream)) => stream.write_all(&self.frame),
            Some(Stream::File(file, _)) => file.write_all(&self.frame),
        };
        if let Err(error) = &written {
            self.lose(Some(error));
        }
        written
    }

    fn settle(&mut self) {
        if self.looked.elapsed() < LOOK {
            return;
        }
        self.looked = Instant::now();
        if let (Some(Stream::File(file, identity)), TapTo::File(path)) = (&mut self.stream, &self.to)
            && identity_of(path) != Some(*identity)
        {
            // The old file is whole; whether it could be is its keeper's affair.
            let _ = frames::stop(file);
            self.lose(None);
        }
        // Said when it was lost; the next look tries again.
        if self.stream.is_none() && self.connect().is_ok() {
            tracing::info!(to = ?self.to, "dnstap is written");
        }
    }

    fn close(&mut self) {
        let parted = match &mut self.stream {
            None => Ok(()),
            Some(Stream::Socket(stream)) => frames::part(stream),
            Some(Stream::File(file, _)) => frames::stop(file),
        };
        if let Err(error) = &parted {
            self.lose(Some(error));
        }
    }
}

fn identity_of(path: &Path) -> Option<(u64, u64)> {
    std::fs::metadata(path).ok().map(|found| (found.dev(), found.ino()))
}

/// Numbers of the fields and values used, from dnstap.pb.
mod schema {
    pub(super) const IDENTITY: u8 = 1;
    pub(super) const VERSION: u8 = 2;
    pub(super) const MESSAGE: u8 = 14;
    pub(super) const KIND: u8 = 15;
    pub(super) const KIND_MESSAGE: u64 = 1;

    pub(super) const TYPE: u8 = 1;
    pub(super) const AUTH_QUERY: u64 = 1;
    pub(super) const AUTH_RESPONSE: u64 = 2;
    pub(super) const FAMILY: u8 = 2;
    pub(super) const PROTOCOL: u8 = 3;
    pub(super) const QUERY_ADDRESS: u8 = 4;
    pub(super) const RESPONSE_ADDRESS: u8 = 5;
    pub(super) const QUERY_SECONDS: u8 = 8;
    pub(super) const QUERY_NANOSECONDS: u8 = 9;
    pub(super) const QUERY: u8 = 10;
    pub(super) const RESPONSE_SECONDS: u8 = 12;
    pub(super) const RESPONSE_NANOSECONDS: u8 = 13;
    pub(super) const RESPONSE: u8 = 14;
}

/// Appends an exchange as a `Dnstap` message.
fn encode(exchange: &Exchange, identity: Option<&str>, out: &mut Vec<u8>) {
    let Exchange { at, source, local, transport, sent, .. } = exchange;
    let mut message = Vec::with_capacity(exchange.bytes.len() + 64);
    let kind = if *sent { schema::AUTH_RESPONSE } else { schema::AUTH_QUERY };
    number(&mut message, schema::TYPE, kind);
    number(&mut message, schema::FAMILY, if source.is_ipv4() { 1 } else { 2 });
    let protocol = match transport {
        Transport::Udp => 1,
        Transport::Tcp => 2,
        Transport::Tls => 3,
        Transport::Https => 4,
        Transport::Quic => 7,
    };
    number(&mut message, schema::PROTOCOL, protocol);
    address(&mut message, schema::QUERY_ADDRESS, *source);
    if let Some(local) = local {
        address(&mut message, schema::RESPONSE_ADDRESS, *local);
    }
    number(&mut message, schema::QUERY_SECONDS, at.as_secs());
    fixed(&mut message, schema::QUERY_NANOSECONDS, at.subsec_nanos());
    octets(&mut message, schema::QUERY, exchange.query());
    if *sent {
        number(&mut message, schema::RESPONSE_SECONDS, at.as_secs());
        fixed(&mut message, schema::RESPONSE_NANOSECONDS, at.subsec_nanos());
        octets(&mut message, schema::RESPONSE, exchange.reply());
    }
    if let Some(identity) = identity {
        octets(out, schema::IDENTITY, identity.as_bytes());
    }
    octets(out, schema::VERSION, concat!("rhumb ", env!("CARGO_PKG_VERSION")).as_bytes());
    octets(out, schema::MESSAGE, &message);
    number(out, schema::KIND, schema::KIND_MESSAGE);
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(u8::try_from(value & 0x7f).unwrap_or_default() | 0x80);
        value >>= 7;
    }
    out.push(u8::try_from(value).unwrap_or_default());
}

/// A field whose value is a varint.
fn number(out: &mut Vec<u8>, field: u8, value: u64) {
    out.push(field << 3);
    varint(out, value);
}

/// A field of four octets, small end first.
fn fixed(out: &mut Vec<u8>, field: u8, value: u32) {
    out.push(field << 3 | 5);
    out.extend(value.to_le_bytes());
}

/// A field of octets.
fn octets(out: &mut Vec<u8>, field: u8, value: &[u8]) {
    out.push(field << 3 | 2);
    varint(out, value.len() as u64);
    out.extend(value);
}

fn address(out: &mut Vec<u8>, field: u8, address: IpAddr) {
    match address {
        IpAddr::V4(v4) => octets(out, field, &v4.octets()),
        IpAddr::V6(v6) => octets(out, field, &v6.octets()),
    }
}
