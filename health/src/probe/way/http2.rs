//! HTTP/2 (RFC 9113) for a single exchange.
//!
//! The connection is driven by whoever asks, and ends with the question: a
//! server that never closes holds nothing of ours.

use bytes::Bytes;
use h2::client::{Builder, SendRequest};
use tokio::io::{AsyncRead, AsyncWrite};

use super::{remote, wrong};
use crate::reply::Failure;

/// Header fields of an answer, by the reckoning of RFC 9113 §6.5.2.
pub(crate) const MAX_HEAD: u32 = 16 << 10;

/// Shakes hands over a stream, then lets `talk` use the connection.
pub(crate) async fn over<T, F>(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    talk: impl FnOnce(SendRequest<Bytes>) -> F,
) -> Result<T, Failure>
where
    F: Future<Output = Result<T, Failure>>,
{
    let mut builder = Builder::new();
    builder.enable_push(false).max_header_list_size(MAX_HEAD);
    let (requests, connection) = builder.handshake(stream).await.map_err(|error| failed(&error))?;
    tokio::pin! {
        let talking = talk(requests);
    }
    tokio::select! {
        biased;
        result = &mut talking => result,
        // Whoever talks hears of the end, and may have the answer already.
        _ = connection => talking.await,
    }
}

/// What an error of HTTP/2 says of the target.
pub(crate) fn failed(error: &h2::Error) -> Failure {
    match error.get_io() {
        Some(error) => remote(error, None),
        None => wrong(format!("HTTP/2: {error}")),
    }
}
