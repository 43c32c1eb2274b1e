//! `Check` of the health protocol on the wire.
//!
//! The request has one field and the answer another, both of the simplest
//! kinds, so they are written and read by hand; a library for protocol
//! buffers would bring a compiler.

use bytes::Bytes;
use h2::client::SendRequest;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, TE};
use http::{Method, Request, Uri};

use crate::probe::way::{failed, new, wrong};
use crate::reply::{Cause, Failure};

/// The method that is called.
const PATH: &str = "/grpc.health.v1.Health/Check";

/// Flag and length before each message.
const PREFIX: usize = 5;

/// Bytes of an answer: a real one has seven.
const MAX_ANSWER: usize = 1024;

/// `SERVING` of `HealthCheckResponse.ServingStatus`.
const SERVING: u64 = 1;

/// A request and its message.
pub(super) type Question = (Request<()>, Bytes);

/// Asks for one service; the empty name is the server as a whole.
pub(super) fn request(is_tls: bool, authority: &str, service: &str) -> Result<Question, Failure> {
    let scheme = if is_tls { "https" } else { "http" };
    let uri = format!("{scheme}://{authority}{PATH}").parse::<Uri>();
    let uri = uri.map_err(|_| new(Cause::Local, format!("{authority} cannot be asked for")))?;
    let mut request = Request::new(());
    *request.method_mut() = Method::POST;
    *request.uri_mut() = uri;
    request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    request.headers_mut().insert(TE, HeaderValue::from_static("trailers"));
    Ok((request, message(service)))
}

/// Field 1, a string, behind the prefix of an uncompressed message.
fn message(service: &str) -> Bytes {
    const STRING_1: u8 = 0x0a;
    let mut field = Vec::new();
    if !service.is_empty() {
        field.push(STRING_1);
        let mut len = service.len();
        while len >= 0x80 {
            field.push(0x80 | u8::try_from(len & 0x7f).expect("seven bits"));
            len >>= 7;
        }
        field.push(u8::try_from(len).expect("less than 128"));
        field.extend_from_slice(service.as_bytes());
    }
    let len = u32::try_from(field.len()).unwrap_or(u32::MAX);
    [&[0], &len.to_be_bytes()[..], &field].concat().into()
}

/// Asks, and judges the answer.
pub(super) async fn ask(requests: SendRequest<Bytes>, (request, message): Question) -> Result<(), Failure> {
    let mut requests = requests.ready().await.map_err(|error| failed(&error))?;
    let (answer, mut sending) = requests.send_request(request, false).map_err(|error| failed(&error))?;
    sending.send_data(message, true).map_err(|error| failed(&error))?;
    let answer = answer.await.map_err(|error| failed(&error))?;
    if answer.status() != http::StatusCode::OK {
        return Err(wrong(format!("status {}", answer.status().as_u16())));
    }
    refused(answer.headers())?;
    let mut body = answer.into_body();
    let mut message = Vec::new();
    while let Some(data) = body.data().await {
        let data = data.map_err(|error| failed(&error))?;
        let _ = body.flow_control().release_capacity(data.len());
        message.extend_from_slice(&data);
        if message.len() > MAX_ANSWER {
            return Err(wrong("the answer is too long"));
        }
    }
    let trailers = body.trailers().await.map_err(|error| failed(&error))?;
    trailers.as_ref().map_or(Ok(()), refused)?;
    match status(&message) {
        Some(SERVING) => Ok(()),
        Some(0) => Err(wrong("status UNKNOWN")),
        Some(2) => Err(wrong("status NOT_SERVING")),
        Some(other) => Err(wrong(format!("status {other}"))),
        None => Err(wrong("not an answer of the health protocol")),
    }
}

/// A status of gRPC that is not OK: `5` where the service is not known, `12`
/// where the protocol is not.
fn refused(fields: &HeaderMap) -> Result<(), Failure> {
    let field = |name: &'static str| {
        fields.get(HeaderName::from_static(name)).map(|value| String::from_utf8_lossy(value.as_bytes()))
    };
    match field("grpc-status").as_deref() {
        None | Some("0") => Ok(()),
        Some(status) => {
            let said = field("grpc-message").map(|said| format!(": {said}")).unwrap_or_default();
            Err(wrong(format!("gRPC status {status}{said}")))
        }
    }
}

/// Field 1 of the message, a varint; 0 when it is not there. Other fields are
/// none that `HealthCheckResponse` has.
fn status(message: &[u8]) -> Option<u64> {
    const VARINT_1: u8 = 0x08;
    let (prefix, rest) = message.split_first_chunk::<PREFIX>()?;
    let (flag, len) = prefix.split_first()?;
    let len = u32::from_be_bytes(len.try_into().ok()?);
    if *flag != 0 || usize::try_from(len) != Ok(rest.len()) {
        return None;
    }
    match rest {
        [] => Some(0),
        [VARINT_1, value @ ..] => varint(value),
        _ => None,
    }
}

fn varint(bytes: &[u8]) -> Option<u64> {
    let (last, more) = bytes.split_last()?;
    if bytes.len() > 9 || *last >= 0x80 || more.iter().any(|byte| *byte < 0x80) {
        return None;
    }
    Some(bytes.iter().rev().fold(0, |value, byte| value << 7 | u64::from(byte & 0x7f)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions() {
        let long = "x".repeat(200);
        let rows: [(&str, &[u8], &str); 3] = [
            ("", &[0, 0, 0, 0, 0], "the server as a whole is the default, which is not written"),
            ("ab", &[0, 0, 0, 0, 4, 0x0a, 2, b'a', b'b'], "a name"),
            (&long, &[0, 0, 0, 0, 203, 0x0a, 0xc8, 1], "a length of two bytes"),
        ];
        for (service, want, why) in rows {
            assert_eq!(&message(service)[..want.len()], want, "{why}");
        }
    }

    #[test]
    fn answers() {
        let rows: [(&[u8], Option<u64>, &str); 9] = [
            (&[0, 0, 0, 0, 2, 8, 1], Some(SERVING), "serving"),
            (&[0, 0, 0, 0, 2, 8, 2], Some(2), "not serving"),
            (&[0, 0, 0, 0, 0], Some(0), "the default is not written"),
            (&[0, 0, 0, 0, 3, 8, 0x81, 1], Some(129), "two bytes"),
            (&[1, 0, 0, 0, 2, 8, 1], None, "compressed"),
            (&[0, 0, 0, 0, 9, 8, 1], None, "shorter than it says"),
            (&[0, 0, 0, 0, 2, 8, 0x81], None, "no end"),
            (&[0, 0, 0, 0, 2, 0x10, 1], None, "another field"),
            (&[], None, "nothing"),
        ];
        for (message, want, why) in rows {
            assert_eq!(status(message), want, "{why}");
        }
    }
}
