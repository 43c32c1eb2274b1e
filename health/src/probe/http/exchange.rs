//! One request and what comes back, over either version of HTTP.
//!
//! The answer is read no further than the verdict needs: a status that is not
//! expected ends it; of the body, [`MAX_BODY`] bytes are looked at where
//! something is expected in it, and else as many as its first word takes.

use std::error::Error as _;
use std::io;

use bytes::Bytes;
use h2::client::SendRequest;
use http::header::{ACCEPT, CONNECTION, HOST, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use http::{Request, Uri};
use http_body_util::{BodyExt as _, Empty};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

use super::{Http, Version};
use crate::probe::way::{Word, failed, first_word, new, over_http2, remote, wrong};
use crate::reply::{Cause, Failure, Reply};

/// Bytes of a body that are looked at.
const MAX_BODY: usize = 64 << 10;

/// Bytes of a head, which hyper reads whole before it says anything.
const MAX_HEAD: usize = 16 << 10;

/// Fields of a head.
const MAX_FIELDS: usize = 100;

/// What is sent.
pub(super) struct Question<'a> {
    http: &'a Http,
    authority: &'a str,
}

impl<'a> Question<'a> {
    pub(super) const fn new(http: &'a Http, authority: &'a str) -> Self {
        Self { http, authority }
    }

    /// Asks over a stream and judges the answer.
    pub(super) async fn ask(self, stream: impl AsyncRead + AsyncWrite + Unpin) -> Result<Word, Failure> {
        match self.http.version {
            Version::One => self.ask_http1(stream).await,
            Version::Two => over_http2(stream, |requests| self.ask_http2(requests)).await,
        }
    }

    async fn ask_http1(&self, stream: impl AsyncRead + AsyncWrite + Unpin) -> Result<Word, Failure> {
        let request = self.request(self.http.http.path(), Empty::<Bytes>::new())?;
        let mut builder = http1::Builder::new();
        builder.max_buf_size(MAX_HEAD).max_headers(MAX_FIELDS);
        let shaken = builder.handshake(TokioIo::new(stream)).await;
        let (mut requests, connection) = shaken.map_err(|error| http1_failed(&error))?;
        let asking = async {
            let response = requests.send_request(request).await.map_err(|error| http1_failed(&error))?;
            let mut judge = Judge::new(self.http, response.status().as_u16())?;
            let mut body = response.into_body();
            while judge.wants_more() {
                let Some(frame) = body.frame().await else { break };
                let frame = frame.map_err(|error| http1_failed(&error))?;
                judge.hear(frame.data_ref().map_or(&[], |data| data));
            }
            judge.verdict()
        };
        tokio::pin!(asking);
        tokio::select! {
            biased;
            verdict = &mut asking => verdict,
            // Whoever asks hears of the end, and may have the answer already;
            // but why it ended, only the connection knows.
            ended = connection => match (asking.await, ended) {
                (Err(_), Err(error)) => Err(http1_failed(&error)),
                (verdict, _) => verdict,
            },
        }
    }

    async fn ask_http2(&self, requests: SendRequest<Bytes>) -> Result<Word, Failure> {
        let scheme = if self.http.is_tls() { "https" } else { "http" };
        let uri = format!("{scheme}://{}{}", self.authority, self.http.http.path());
        let request = self.request(&uri, ())?;
        let mut requests = requests.ready().await.map_err(|error| failed(&error))?;
        let (answer, _) = requests.send_request(request, true).map_err(|error| failed(&error))?;
        let answer = answer.await.map_err(|error| failed(&error))?;
        let mut judge = Judge::new(self.http, answer.status().as_u16())?;
        let mut body = answer.into_body();
        while judge.wants_more() {
            let Some(data) = body.data().await else { break };
            let data = data.map_err(|error| failed(&error))?;
            let _ = body.flow_control().release_capacity(data.len());
            judge.hear(&data);
        }
        judge.verdict()
    }

    /// Fields of the operator replace ours.
    fn request<B>(&self, uri: &str, body: B) -> Result<Request<B>, Failure> {
        let refused = |what: &str| new(Cause::Local, format!("{what} cannot be sent"));
        let mut request = Request::new(body);
        *request.uri_mut() = uri.parse::<Uri>().map_err(|_| refused(uri))?;
        *request.method_mut() = self.http.method.into();
        let fields = request.headers_mut();
        fields.insert(USER_AGENT, HeaderValue::from_static(concat!("rhumb/", env!("CARGO_PKG_VERSION"))));
        fields.insert(ACCEPT, HeaderValue::from_static("*/*"));
        if self.http.version == Version::One {
            fields.insert(HOST, HeaderValue::from_str(self.authority).map_err(|_| refused(self.authority))?);
            fields.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        self.add_own_fields(fields).ok_or_else(|| refused("a header field"))?;
        Ok(request)
    }

    fn add_own_fields(&self, fields: &mut HeaderMap) -> Option<()> {
        for (name, value) in self.http.headers.iter() {
            let name = HeaderName::from_bytes(name.text.as_bytes()).ok()?;
            fields.insert(name, HeaderValue::from_bytes(value.0.as_bytes()).ok()?);
        }
        Some(())
    }
}

/// What an error of HTTP/1.1 says of the target.
fn http1_failed(error: &hyper::Error) -> Failure {
    let cause = error.source().and_then(|source| source.downcast_ref::<io::Error>());
    match cause {
        Some(error) => remote(error, None),
        None if error.is_incomplete_message() => wrong("closed the connection"),
        None => wrong(format!("HTTP: {error}")),
    }
}

/// Looks at an answer as it comes.
struct Judge<'a> {
    http: &'a Http,
    body: Vec<u8>,
}

impl<'a> Judge<'a> {
    fn new(http: &'a Http, status: u16) -> Result<Self, Failure> {
        let is_expected = http.status.0.iter().any(|range| (range.first..=range.last).contains(&status));
        if is_expected { Ok(Self { http, body: Vec::new() }) } else { Err(wrong(format!("status {status}"))) }
    }

    fn hear(&mut self, data: &[u8]) {
        let room = MAX_BODY - self.body.len();
        self.body.extend_from_slice(&data[..data.len().min(room)]);
    }

    fn wants_more(&self) -> bool {
        let expects = self.http.body.is_some() || self.http.regex.is_some();
        let most = if expects { MAX_BODY } else { 2 * Reply::MAX_REPORT };
        let word = self.body.trim_ascii_start();
        let has_word = !expects && word.iter().any(u8::is_ascii_whitespace);
        self.body.len() < most && !has_word
    }

    fn verdict(self) -> Result<Word, Failure> {
        let text = String::from_utf8_lossy(&self.body);
        if self.http.body.as_ref().is_some_and(|wanted| !text.contains(wanted.as_str())) {
            return Err(wrong("the body lacks the expected text"));
        }
        if self.http.regex.as_ref().is_some_and(|wanted| !wanted.0.is_match(&text)) {
            return Err(wrong("the body does not match"));
        }
        Ok(first_word(&self.body))
    }
}
