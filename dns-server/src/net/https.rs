//! DNS over HTTPS (RFC 8484): GET and POST, HTTP/1.1 and HTTP/2.
//!
//! A request is a query in base64url in the URL or as a body, a response is
//! the answer and for how long it holds. Responses are `private`: a steered
//! answer depends on who asks, so a cache between two clients must not share
//! it. Errors of HTTP are told with HTTP's status, errors of DNS within a 200.
//!
//! Requests are small and bounded, streams of a connection and its idle time
//! too; one on which no request begins for that long is closed, whatever else
//! it does. A reverse proxy in front is possible, but nothing it says in
//! headers about its clients is believed: PROXY is for that.

use std::cell::Cell;
use std::convert::Infallible;
use std::io;
use std::rc::Rc;

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::spawn_local;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_rustls::server::TlsStream;

use super::places::Places;
use super::respondent::{Caller, Respondent};

pub use crate::query::lifetime;

/// Largest query, octets: as over UDP twice what any client sends; a hundred
/// requests at once on every connection must fit in memory.
pub(super) const QUERY_MAX: usize = 4096;

/// Requests at once on one connection of HTTP/2.
const STREAMS: u32 = 32;

/// Largest head of a request: the longest query in base64url, and headers.
const HEAD_MAX: u32 = 16 << 10;

/// Octets of one body that may be on their way; and of all of a connection.
const WINDOW: u32 = 16 << 10;

const MEDIA_TYPE: &str = "application/dns-message";

/// What requests of one connection are answered with.
pub(super) struct Desk {
    pub(super) respondent: Rc<Respondent>,
    pub(super) caller: Caller,
    pub(super) path: Rc<str>,
}

/// What one connection of HTTP asks, and when it last began to.
struct Visit {
    desk: Desk,
    asked: Cell<Instant>,
}

/// Serves one connection until it ends or is silent for too long.
///
/// # Errors
/// When the client does not keep to HTTP, or is too slow to leave.
pub(super) async fn serve(stream: TlsStream<TcpStream>, desk: Desk, places: &Places) -> io::Result<()> {
    let modern = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    let visit = Rc::new(Visit { desk, asked: Cell::new(Instant::now()) });
    let message = places.message();
    let service = {
        let visit = Rc::clone(&visit);
        service_fn(move |request| {
            visit.asked.set(Instant::now());
            let visit = Rc::clone(&visit);
            async move {
                let answered = timeout(message, visit.desk.answer(request)).await;
                let answered = answered.unwrap_or(Err(StatusCode::REQUEST_TIMEOUT));
                Ok::<_, Infallible>(answered.unwrap_or_else(refusal))
            }
        })
    };
    let stream = TokioIo::new(stream);
    // The two connections are of different types, so each has its own loop.
    macro_rules! attend {
        ($connection:expr) => {{
            let mut connection = std::pin::pin!($connection);
            loop {
                let until = visit.asked.get() + places.idle();
                tokio::select! {
                    ended = connection.as_mut() => return ended.map_err(io::Error::other),
                    () = sleep_until(until) => {}
                }
                if visit.asked.get() + places.idle() <= Instant::now() {
                    break;
                }
            }
            connection.as_mut().graceful_shutdown();
            timeout(message, connection).await?.map_err(io::Error::other)
        }};
    }
    if modern {
        let mut builder = http2::Builder::new(Here);
        builder.max_concurrent_streams(STREAMS).max_header_list_size(HEAD_MAX);
        builder.initial_stream_window_size(WINDOW).initial_connection_window_size(WINDOW);
        attend!(builder.serve_connection(stream, service))
    } else {
        attend!(http1::Builder::new().max_buf_size(HEAD_MAX as usize).serve_connection(stream, service))
    }
}

/// Spawns on this thread.
#[derive(Clone, Copy)]
struct Here;

impl<F: Future + 'static> hyper::rt::Executor<F> for Here {
    fn execute(&self, future: F) {
        spawn_local(async move { drop(future.await) });
    }
}

impl Desk {
    async fn answer(&self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, StatusCode> {
        if request.uri().path() != &*self.path {
            return Err(StatusCode::NOT_FOUND);
        }
        let query = match *request.method() {
            Method::GET => from_url(request.uri().query().unwrap_or_default())?,
            Method::POST => {
                let kind = request.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes);
                if !kind.is_some_and(|kind| kind.eq_ignore_ascii_case(MEDIA_TYPE.as_bytes())) {
                    return Err(StatusCode::UNSUPPORTED_MEDIA_TYPE);
                }
                let body = Limited::new(request.into_body(), QUERY_MAX).collect().await;
                body.map_err(|_| StatusCode::PAYLOAD_TOO_LARGE)?.to_bytes().to_vec()
            }
            _ => return Err(StatusCode::METHOD_NOT_ALLOWED),
        };
        let reply = self.respondent.answer(&query, (&self.caller, None), Bytes::copy_from_slice);
        let reply = reply.ok_or(StatusCode::BAD_REQUEST)?;
        let age = format!("private, max-age={}", lifetime(&reply));
        let mut response = Response::new(Full::new(reply));
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        headers.insert(CACHE_CONTROL, HeaderValue::try_from(age).expect("digits and letters"));
        Ok(response)
    }
}

fn refusal(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    if status == StatusCode::METHOD_NOT_ALLOWED {
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, POST"));
    }
    response
}

/// The query in `dns=…` of a URL's query string.
///
/// # Errors
/// With the status that says why there is none: 400, or 414 when it is too long.
pub fn from_url(text: &str) -> Result<Vec<u8>, StatusCode> {
    let value = text.split('&').find_map(|pair| pair.strip_prefix("dns="));
    let value = value.ok_or(StatusCode::BAD_REQUEST)?;
    match base64url(value) {
        Some(query) if query.len() > QUERY_MAX => Err(StatusCode::URI_TOO_LONG),
        Some(query) => Ok(query),
        None => Err(StatusCode::BAD_REQUEST),
    }
}

/// The octets of base64url without padding (RFC 4648 §5, RFC 8484 §4.1.1);
/// nothing when it is something else, or not the one way to write them.
fn base64url(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() * 3 / 4);
    for group in text.as_bytes().chunks(4) {
        let mut bits = 0u32;
        for &letter in group {
            let digit = match letter {
                b'A'..=b'Z' => letter - b'A',
                b'a'..=b'z' => letter - b'a' + 26,
                b'0'..=b'9' => letter - b'0' + 52,
                b'-' => 62,
                b'_' => 63,
                _ => return None,
            };
            bits = bits << 6 | u32::from(digit);
        }
        let octets = group.len() * 6 / 8;
        let [_, decoded @ ..] = (bits << (24 - 6 * group.len())).to_be_bytes();
        let (kept, rest) = decoded.split_at(octets);
        // A lone letter holds no octet; bits left over must be zero.
        if octets == 0 || rest.iter().any(|&octet| octet != 0) {
            return None;
        }
        out.extend(kept);
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64url_is_read_one_way() {
        let rows: [(&str, Option<&[u8]>, &str); 9] = [
            ("", Some(b""), "nothing"),
            ("AAE", Some(&[0, 1]), "two octets"),
            ("AA", Some(&[0]), "one"),
            ("AAEC", Some(&[0, 1, 2]), "three"),
            ("-_-_", Some(&[0xfb, 0xff, 0xbf]), "the two letters that differ from base64"),
            ("A", None, "six bits are no octet"),
            ("AB", None, "bits left over"),
            ("AA==", None, "padding"),
            ("+/+/", None, "base64 of another kind"),
        ];
        for (text, want, why) in rows {
            assert_eq!(base64url(text).as_deref(), want, "{why}: {text}");
        }
    }
}
