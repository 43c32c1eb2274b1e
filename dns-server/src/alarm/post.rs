//! One letter: a POST, and whether it was taken.
//!
//! Only the status of the answer is read. Its body, however long, is left in
//! the connection, which ends with the letter. Redirects are not followed: the
//! operator said where.

use std::io;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::{Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore};

use super::url::Url;

/// How letters are sent.
#[derive(Default)]
pub(super) struct Post {
    timeout: Duration,
    /// Made when first needed: reading the machine's authorities takes tens of
    /// milliseconds.
    tls: OnceLock<TlsConnector>,
}

/// Why a letter was not taken.
#[derive(Debug, thiserror::Error)]
pub(super) enum PostError {
    #[error("no answer within {} s", .0.as_secs_f32())]
    Timeout(Duration),
    #[error("cannot be reached: {0}")]
    Connect(io::Error),
    #[error("TLS: {0}")]
    Tls(io::Error),
    #[error("TLS: {0}")]
    Setup(rustls::Error),
    #[error("not a name that TLS can check")]
    Name,
    #[error("not HTTP: {0}")]
    Http(hyper::Error),
    #[error("not a request: {0}")]
    Request(hyper::http::Error),
    #[error("status {0}")]
    Status(StatusCode),
}

impl Post {
    pub(super) fn new(timeout: Duration) -> Self {
        Self { timeout, ..Self::default() }
    }

    /// Posts JSON to `url`, with `more` after its path.
    pub(super) async fn send(&self, url: &Url, more: &str, body: String) -> Result<(), PostError> {
        let sending = self.exchange(url, more, body);
        let status = tokio::time::timeout(self.timeout, sending);
        let status = status.await.map_err(|_| PostError::Timeout(self.timeout))??;
        if status.is_success() { Ok(()) } else { Err(PostError::Status(status)) }
    }

    async fn exchange(&self, url: &Url, more: &str, body: String) -> Result<StatusCode, PostError> {
        let request = Request::post(url.path_with(more))
            .header(header::HOST, url.receiver())
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::USER_AGENT, concat!("rhumb/", env!("CARGO_PKG_VERSION")))
            .header(header::CONNECTION, "close")
            .body(Full::new(Bytes::from(body)))
            .map_err(PostError::Request)?;
        let stream = TcpStream::connect((url.host.as_str(), url.port)).await.map_err(PostError::Connect)?;
        if !url.is_tls {
            return ask(stream, request).await;
        }
        let name = ServerName::try_from(url.host.clone()).map_err(|_| PostError::Name)?;
        let stream = self.tls()?.connect(name, stream).await.map_err(PostError::Tls)?;
        ask(stream, request).await
    }

    fn tls(&self) -> Result<&TlsConnector, PostError> {
        if let Some(connector) = self.tls.get() {
            return Ok(connector);
        }
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(PostError::Setup)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(self.tls.get_or_init(|| TlsConnector::from(Arc::new(config))))
    }
}

/// Drives one connection until the status of the answer is there.
async fn ask<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    request: Request<Full<Bytes>>,
) -> Result<StatusCode, PostError> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(PostError::Http)?;
    let answer = sender.send_request(request);
    tokio::pin!(answer, connection);
    let answer = tokio::select! {
        biased;
        answer = &mut answer => answer,
        // Once the connection has ended, the answer is there or never comes.
        _ = &mut connection => answer.await,
    };
    answer.map(|answer| answer.status()).map_err(PostError::Http)
}
