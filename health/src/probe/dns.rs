//! A DNS query and its answer.
//!
//! For targets that are name servers, and for chains that end in one. The
//! expected answer is written as in a zone file and compared as data, so that
//! neither case nor the order of records matters.

mod message;

use std::cmp::Ordering;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU16;
use std::sync::Arc;

use rhumb_zones::{Name, OneOrMany, Reader, Rtype, Spanned, Tree, rdata, spec};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::{Instant, timeout_at};

use self::message::Answer;
use super::way::{Stream, Word, first_word, new, remote, wrong};
use super::{Kind, Running, Way};
use crate::reply::{Cause, Failure, Reply};

/// Port of the DNS (RFC 1035 §4.2).
const PORT: NonZeroU16 = NonZeroU16::new(53).expect("53 is not zero");

spec! {
    /// Asks a name server and looks at its answer.
    pub struct Dns {
        /// The name asked for.
        dns: Name,
        /// The type asked for.
        r#type: Rtype = Rtype::A,
        /// The response code that means up.
        rcode: Rcode = Rcode::Noerror,
        /// Data that must be in the answer, each as in a zone file, names absolute.
        answer: Option<OneOrMany<Spanned<Arc<str>>>>,
        /// Another address than the target's.
        address: Option<IpAddr>,
        /// The port.
        port: NonZeroU16 = PORT,
        /// Whether over TCP.
        tcp: bool = false,
    }
}

spec! {
    /// A response code (RFC 1035 §4.1.1, RFC 2136 §2.2).
    pub enum Rcode {
        /// No error.
        Noerror,
        /// The server could not read the query.
        Formerr,
        /// The server failed.
        Servfail,
        /// There is no such name.
        Nxdomain,
        /// The server does not know the kind of query.
        Notimp,
        /// The server will not answer.
        Refused,
    }
}

impl Kind for Dns {
    fn describe(&self) -> String {
        format!("DNS query for {} {}", self.dns, self.r#type)
    }

    fn needs_target_address(&self) -> bool {
        self.address.is_none()
    }

    fn reports(&self) -> bool {
        self.r#type == Rtype::TXT
    }

    fn run<'a>(&'a self, way: &'a Way<'a>) -> Running<'a> {
        Box::pin(async move {
            let to = match way.destination(self.address) {
                Ok(address) => SocketAddr::new(address, self.port.get()),
                Err(failure) => return failure.into(),
            };
            if self.tcp { self.ask_by_tcp(way, to).await } else { self.ask_by_udp(way, to).await }
        })
    }

    fn check(&self, _: &Tree, reader: &mut Reader<'_>) {
        for Spanned { at, value } in self.answer.iter().flat_map(|OneOrMany(answers)| answers) {
            if let Err(error) = rdata::scan(self.r#type, value, &Name::root()) {
                reader.inside("answer", |reader| reader.wrong(at, error.to_string()));
            }
        }
    }
}

impl Dns {
    fn query(&self) -> Vec<u8> {
        message::query(fastrand::u16(..), &self.dns, self.r#type)
    }

    /// Asks by UDP, and what is truncated again by TCP in the time left.
    async fn ask_by_udp(&self, way: &Way<'_>, to: SocketAddr) -> Reply {
        let deadline = Instant::now() + way.probe.timeout;
        let accept = |query: &[u8], message: &[u8]| message::answers(query, message).then(|| parse(message));
        let tried = way.exchange(to, || self.query(), accept).await;
        if tried.result.as_ref().is_ok_and(|answer| answer.is_truncated) {
            let again = timeout_at(deadline, self.ask_by_tcp(way, to)).await;
            return again.unwrap_or_else(|_| {
                let failure = new(Cause::Silent, "truncated, and no answer by TCP in time");
                Reply {
                    outcome: Err(failure),
                    tries: tried.tries,
                    lost: tried.lost,
                    delay: None,
                    report: None,
                }
            });
        }
        let judged = tried.and_then(|answer| self.judge(&answer));
        judged.into_reply(|word| word)
    }

    async fn ask_by_tcp(&self, way: &Way<'_>, to: SocketAddr) -> Reply {
        way.converse(to, async |stream| {
            let query = self.query();
            let message = ask_over(stream, &query).await?;
            if !message::answers(&query, &message) {
                return Err(wrong("it answers another question"));
            }
            self.judge(&parse(&message)?)
        })
        .await
    }

    fn judge(&self, answer: &Answer) -> Result<Word, Failure> {
        let wanted = self.rcode.number();
        if answer.rcode != wanted {
            return Err(wrong(format!("response code {}", answer.rcode)));
        }
        let records = || answer.records.iter().filter(|(rtype, _)| *rtype == self.r#type);
        for Spanned { value, .. } in self.answer.iter().flat_map(|OneOrMany(answers)| answers) {
            let wanted = rdata::scan(self.r#type, value, &Name::root());
            let wanted = wanted.map_err(|error| new(Cause::Local, format!("{value}: {error}")))?;
            let is_there =
                records().any(|(rtype, data)| rdata::compare(*rtype, data, &wanted) == Ordering::Equal);
            if !is_there {
                return Err(wrong(format!("no {} {value} in the answer", self.r#type)));
            }
        }
        let text = records().find(|_| self.r#type == Rtype::TXT).and_then(|(_, data)| first_string(data));
        Ok(text.and_then(first_word))
    }
}

impl Rcode {
    const fn number(self) -> u8 {
        match self {
            Self::Noerror => 0,
            Self::Formerr => 1,
            Self::Servfail => 2,
            Self::Nxdomain => 3,
            Self::Notimp => 4,
            Self::Refused => 5,
        }
    }
}

fn parse(message: &[u8]) -> Result<Answer, Failure> {
    Answer::parse(message).ok_or_else(|| wrong("a malformed answer"))
}

/// The first of the strings of a TXT record (RFC 1035 §3.3.14).
fn first_string(data: &[u8]) -> Option<&[u8]> {
    let (len, rest) = data.split_first()?;
    rest.get(..usize::from(*len))
}

/// A message and its answer over a stream, each behind its length (RFC 1035
/// §4.2.2).
async fn ask_over(mut stream: Stream, query: &[u8]) -> Result<Vec<u8>, Failure> {
    let len = u16::try_from(query.len()).expect("a name has at most 255 bytes");
    let framed = [&len.to_be_bytes(), query].concat();
    let lost = |error| remote(&error, None);
    stream.write_all(&framed).await.map_err(lost)?;
    let len = stream.read_u16().await.map_err(lost)?;
    let mut message = vec![0; usize::from(len)];
    stream.read_exact(&mut message).await.map_err(lost)?;
    Ok(message)
}
