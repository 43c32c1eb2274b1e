//! Clients of the encrypted transports, which are not the server's code: one
//! connection for each question, certificates verified.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::client::conn::{http1, http2};
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use quinn::crypto::rustls::QuicClientConfig;
use rhumb::net::{CertificateFiles, Encrypted};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, pem::PemObject as _};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::lab::{PATIENCE, framed};

/// Where one test's certificate is, and how to make another.
pub(crate) struct Papers(PathBuf);

/// The certificate of all tests that do not change it.
static COMMON: LazyLock<Papers> = LazyLock::new(|| Papers::new("common"));

impl Papers {
    pub(crate) fn new(name: &str) -> Self {
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("battery-{name}"));
        std::fs::create_dir_all(&directory).unwrap();
        let papers = Self(directory);
        papers.renew();
        papers
    }

    pub(crate) fn files(&self) -> CertificateFiles {
        CertificateFiles { certificate: self.0.join("server.crt"), key: self.0.join("server.key") }
    }

    /// A new certificate and key.
    pub(crate) fn renew(&self) {
        let issued = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let CertificateFiles { certificate, key } = self.files();
        std::fs::write(key, issued.signing_key.serialize_pem()).unwrap();
        std::fs::write(certificate, issued.cert.pem()).unwrap();
    }

    fn certificate(&self) -> CertificateDer<'static> {
        CertificateDer::from_pem_file(self.files().certificate).unwrap()
    }
}

/// On free ports of loopback, with the common certificate.
pub(crate) fn encrypted() -> Encrypted {
    encrypted_with(&COMMON)
}

pub(crate) fn encrypted_with(papers: &Papers) -> Encrypted {
    let free = || vec!["127.0.0.1:0".parse().unwrap()];
    Encrypted { files: papers.files(), dot: free(), doh: free(), doq: free(), path: "/dns-query".to_owned() }
}

/// Asks one server.
pub(crate) struct Clients {
    runtime: Runtime,
    addresses: Vec<(&'static str, SocketAddr)>,
}

/// What an HTTP server said.
pub(crate) struct Page {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Page {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| &**value)
    }
}

impl Clients {
    pub(crate) fn new(addresses: &[(&'static str, SocketAddr)]) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Self { runtime, addresses: addresses.to_vec() }
    }

    pub(crate) fn address(&self, how: &str) -> SocketAddr {
        self.addresses.iter().find(|(known, _)| *known == how).unwrap().1
    }

    /// The answer, however it comes; nothing when the server refuses.
    pub(crate) fn ask(&self, way: &str, packet: &[u8]) -> Option<Vec<u8>> {
        match way {
            "tls" => self.wait(self.tls(&framed(packet))),
            "quic" => {
                // The id is 0 there (RFC 9250 §4.2.1).
                let mut anonymous = packet.to_vec();
                let id: Vec<u8> = anonymous.iter().copied().take(2).collect();
                anonymous.iter_mut().take(2).for_each(|octet| *octet = 0);
                let mut reply = self.quic(&framed(&anonymous)).ok()?;
                assert_eq!(usize::from(u16::from_be_bytes([reply[0], reply[1]])), reply.len() - 2);
                assert_eq!(reply[2..4], [0, 0], "the id of the query");
                reply[2..4].copy_from_slice(&id);
                Some(reply.split_off(2))
            }
            _ => {
                let request = Request::builder();
                let request = match way {
                    "https-get" => {
                        request.uri(format!("/dns-query?dns={}", base64url(packet))).body(Full::default())
                    }
                    _ => request
                        .method("POST")
                        .uri("https://localhost/dns-query")
                        .header("content-type", "application/dns-message")
                        .body(Full::from(packet.to_vec())),
                };
                let page = self.http(way != "https-get", request.unwrap());
                assert!(matches!(page.status, 200 | 400), "{}", page.status);
                (page.status == 200).then_some(page.body)
            }
        }
    }

    fn wait<T>(&self, doing: impl Future<Output = T>) -> T {
        self.runtime.block_on(async { timeout(PATIENCE, doing).await.expect("in time") })
    }

    /// The next message that comes back after `sent`.
    async fn tls(&self, sent: &[u8]) -> Option<Vec<u8>> {
        let mut stream = connect(self.address("tls"), &COMMON, &[b"dot"], b"").await.unwrap();
        stream.write_all(sent).await.unwrap();
        let length = stream.read_u16().await.ok()?;
        let mut message = vec![0; usize::from(length)];
        stream.read_exact(&mut message).await.unwrap();
        Some(message)
    }

    /// Asks over TLS what begins in clear with `before`.
    pub(crate) fn tls_after(&self, before: &[u8], sent: &[u8]) -> Option<Vec<u8>> {
        self.wait(async {
            let mut stream = connect(self.address("tls"), &COMMON, &[], before).await?;
            stream.write_all(sent).await.unwrap();
            let length = stream.read_u16().await.ok()?;
            let mut message = vec![0; usize::from(length)];
            stream.read_exact(&mut message).await.unwrap();
            Some(message)
        })
    }

    /// Whether a client that trusts only the certificate there now gets in.
    pub(crate) fn shows(&self, papers: &Papers) -> bool {
        self.wait(connect(self.address("tls"), papers, &[], b"")).is_some()
    }

    pub(crate) fn http(&self, modern: bool, request: Request<Full<Bytes>>) -> Page {
        self.wait(async {
            let protocols: &[&[u8]] = if modern { &[b"h2"] } else { &[b"http/1.1"] };
            let stream = connect(self.address("https"), &COMMON, protocols, b"").await.unwrap();
            let stream = TokioIo::new(stream);
            let response = if modern {
                let (mut send, connection) = http2::handshake(TokioExecutor::new(), stream).await.unwrap();
                tokio::spawn(connection);
                send.send_request(request).await
            } else {
                let (mut send, connection) = http1::handshake(stream).await.unwrap();
                tokio::spawn(connection);
                send.send_request(request).await
            };
            page(response.unwrap()).await
        })
    }

    /// What comes back on a stream of its own, or the code that ended the
    /// connection.
    pub(crate) fn quic(&self, sent: &[u8]) -> Result<Vec<u8>, u64> {
        self.wait(async {
            let tls = QuicClientConfig::try_from(client(&COMMON, &[b"doq"])).unwrap();
            let mut endpoint = quinn::Endpoint::client("127.0.0.1:0".parse().unwrap()).unwrap();
            endpoint.set_default_client_config(quinn::ClientConfig::new(Arc::new(tls)));
            let connecting = endpoint.connect(self.address("quic"), "localhost").unwrap();
            let connection = connecting.await.unwrap();
            let (mut send, mut receive) = connection.open_bi().await.unwrap();
            send.write_all(sent).await.unwrap();
            send.finish().unwrap();
            match receive.read_to_end(70_000).await {
                Ok(reply) => Ok(reply),
                Err(_) => match connection.closed().await {
                    quinn::ConnectionError::ApplicationClosed(close) => Err(close.error_code.into_inner()),
                    other => panic!("{other}"),
                },
            }
        })
    }
}

async fn page(response: Response<hyper::body::Incoming>) -> Page {
    let status = response.status().as_u16();
    let text = |value: &hyper::header::HeaderValue| value.to_str().unwrap().to_owned();
    let headers =
        response.headers().iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect();
    let body = response.into_body().collect().await.unwrap().to_bytes().to_vec();
    Page { status, headers, body }
}

fn client(papers: &Papers, protocols: &[&[u8]]) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(papers.certificate()).unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().unwrap();
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    config
}

async fn connect(
    to: SocketAddr,
    papers: &Papers,
    protocols: &[&[u8]],
    before: &[u8],
) -> Option<TlsStream<TcpStream>> {
    let mut stream = TcpStream::connect(to).await.unwrap();
    stream.write_all(before).await.unwrap();
    let connector = TlsConnector::from(Arc::new(client(papers, protocols)));
    connector.connect(ServerName::try_from("localhost").unwrap(), stream).await.ok()
}

/// RFC 4648 §5 without padding, the other way round than the server does it.
pub(crate) fn base64url(octets: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for group in octets.chunks(3) {
        let bits =
            group.iter().fold(0u32, |bits, &octet| bits << 8 | u32::from(octet)) << (24 - 8 * group.len());
        for place in 0..=group.len() {
            text.push(char::from(LETTERS[(bits >> (18 - 6 * place)) as usize & 63]));
        }
    }
    text
}
