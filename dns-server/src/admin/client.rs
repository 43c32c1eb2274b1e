//! The commands' side of the admin socket.

use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value as Json;
use tokio::net::UnixStream;

/// How long an answer may take: a reload of a large geo database included.
const PATIENCE: Duration = Duration::from_secs(120);

/// How large an answer may be: a thousand diagnostics are 200 KB.
const MAX_ANSWER: usize = 16 << 20;

/// Why the running server could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// There is none.
    #[error("no server listens on {}; is it running, with another --admin?", path.display())]
    NoServer {
        /// The socket's file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another user put the socket there.
    #[error("{} belongs to user {owner}, who is neither root nor you", path.display())]
    Stranger {
        /// The socket's file.
        path: PathBuf,
        /// Who.
        owner: u32,
    },
    /// It did not answer in time.
    #[error("the server did not answer within {} s", PATIENCE.as_secs())]
    Timeout,
    /// The connection broke or the answer was no HTTP.
    #[error("the server's answer could not be read")]
    Broken(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Sends one request, with `body` as JSON if there is one, to the server behind
/// the socket at `path` and waits for its status and body.
///
/// # Errors
/// When there is no server, it is not ours, or it does not answer.
pub fn ask(
    path: &Path,
    (method, target): (Method, &str),
    body: Option<&Json>,
) -> Result<(StatusCode, Bytes), AskError> {
    let no_server = |source| AskError::NoServer { path: path.to_owned(), source };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(no_server)?;
    let owner = std::fs::metadata(path).map_err(no_server)?.uid();
    if owner != 0 && owner != rustix::process::geteuid().as_raw() {
        return Err(AskError::Stranger { path: path.to_owned(), owner });
    }
    runtime.block_on(async {
        let exchange = async {
            let stream = UnixStream::connect(path).await.map_err(no_server)?;
            exchange(stream, (method, target), body).await.map_err(AskError::Broken)
        };
        tokio::time::timeout(PATIENCE, exchange).await.map_err(|_| AskError::Timeout)?
    })
}

async fn exchange(
    stream: UnixStream,
    (method, target): (Method, &str),
    body: Option<&Json>,
) -> Result<(StatusCode, Bytes), Box<dyn std::error::Error + Send + Sync>> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let body = Full::new(body.map(|body| Bytes::from(body.to_string())).unwrap_or_default());
    let request = Request::builder().method(method).uri(target).header("host", "rhumb");
    let request = request.header("content-type", "application/json").body(body)?;
    let response = sender.send_request(request).await?;
    let status = response.status();
    let body = Limited::new(response.into_body(), MAX_ANSWER).collect().await?;
    Ok((status, body.to_bytes()))
}

/// `text` as one value of a query string (RFC 3986 §2).
#[must_use]
pub fn encode(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
        encoded
    })
}
