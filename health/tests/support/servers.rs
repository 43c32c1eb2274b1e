//! Servers that behave, and servers that do not, in tokio tasks of the test.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use socket2::{Domain, SockRef, Socket, Type};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

/// What a server does with a connection.
#[derive(Clone)]
pub(crate) enum Manner {
    /// Its queue is full: the handshake stays without answer.
    Deaf,
    /// Accepts and says nothing.
    Mute,
    /// Accepts and closes.
    Closes,
    /// Accepts and resets.
    Resets,
    /// Sends this after the first bytes of a request, and closes.
    Says(&'static str),
    /// Sends this, then the letter x for ever.
    SaysWithoutEnd(&'static str),
    /// Sends the request back as the body of an answer.
    Repeats,
    /// Speaks HTTP/2: status, body, and trailers as of gRPC if any.
    Http2(u16, Vec<u8>, Option<&'static str>),
    /// Does the latter behind TLS.
    Behind(Arc<ServerConfig>, Box<Self>),
}

/// Starts a server; it lives as long as the runtime.
pub(crate) async fn serve(address: IpAddr, manner: Manner) -> SocketAddr {
    if matches!(manner, Manner::Deaf) {
        return deaf(address).await;
    }
    let listener = TcpListener::bind((address, 0)).await.unwrap();
    let at = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(welcome(stream, manner.clone()));
        }
    });
    at
}

/// A listener whose queue of one is taken.
async fn deaf(address: IpAddr) -> SocketAddr {
    let any = SocketAddr::new(address, 0);
    let socket = Socket::new(Domain::for_address(any), Type::STREAM, None).unwrap();
    socket.bind(&any.into()).unwrap();
    socket.listen(0).unwrap();
    let at = socket.local_addr().unwrap().as_socket().unwrap();
    let waiting = TcpStream::connect(at).await.unwrap();
    std::mem::forget((socket, waiting));
    at
}

async fn welcome(stream: TcpStream, manner: Manner) {
    match manner {
        Manner::Behind(config, manner) => {
            if let Ok(stream) = TlsAcceptor::from(config).accept(stream).await {
                converse(stream, *manner).await;
            }
        }
        Manner::Resets => SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap(),
        manner => converse(stream, manner).await,
    }
}

async fn converse(mut stream: impl AsyncRead + AsyncWrite + Unpin, manner: Manner) {
    let mut request = vec![0; 8192];
    match manner {
        Manner::Closes => {
            let _ = stream.shutdown().await;
            // Until the other side is done: who closes with something unread
            // resets.
            while stream.read(&mut request).await.is_ok_and(|len| len > 0) {}
        }
        Manner::Mute => while stream.read(&mut request).await.is_ok_and(|len| len > 0) {},
        Manner::Says(text) => {
            let _ = stream.read(&mut request).await;
            let _ = stream.write_all(text.as_bytes()).await;
            let _ = stream.shutdown().await;
            while stream.read(&mut request).await.is_ok_and(|len| len > 0) {}
        }
        Manner::SaysWithoutEnd(text) => {
            let _ = stream.read(&mut request).await;
            let _ = stream.write_all(text.as_bytes()).await;
            while stream.write_all(&[b'x'; 4096]).await.is_ok() {}
        }
        Manner::Repeats => {
            let len = stream.read(&mut request).await.unwrap_or(0);
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {len}\r\n\r\n");
            let _ = stream.write_all(head.as_bytes()).await;
            let _ = stream.write_all(&request[..len]).await;
        }
        Manner::Http2(status, body, grpc) => speak_http2(stream, status, (body, grpc)).await,
        Manner::Deaf | Manner::Resets | Manner::Behind(..) => unreachable!("dealt with before"),
    }
}

async fn speak_http2(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    status: u16,
    (body, grpc): (Vec<u8>, Option<&str>),
) {
    let Ok(mut connection) = h2::server::handshake(stream).await else { return };
    while let Some(Ok((request, mut respond))) = connection.accept().await {
        let asked = format!("{} {}", request.method(), request.uri());
        let body = if body.is_empty() && grpc.is_none() { asked.into_bytes() } else { body.clone() };
        let head = http::Response::builder().status(status).body(()).unwrap();
        let mut sending = respond.send_response(head, false).unwrap();
        sending.send_data(Bytes::from(body), grpc.is_none()).unwrap();
        if let Some(status) = grpc {
            let mut trailers = http::HeaderMap::new();
            trailers.insert("grpc-status", status.parse().unwrap());
            sending.send_trailers(trailers).unwrap();
        }
    }
}

/// A server of datagrams: what `answer` makes of each goes back.
pub(crate) async fn serve_datagrams(
    address: IpAddr,
    answer: impl Fn(&[u8]) -> Vec<Vec<u8>> + Send + 'static,
) -> SocketAddr {
    let socket = UdpSocket::bind((address, 0)).await.unwrap();
    let at = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut bytes = vec![0; 65_536];
        while let Ok((len, from)) = socket.recv_from(&mut bytes).await {
            for datagram in answer(&bytes[..len]) {
                let _ = socket.send_to(&datagram, from).await;
            }
        }
    });
    at
}
