//! Probes of every kind against servers that behave, in both families.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "support/all.rs"]
mod support;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use rhumb_health::Cause;
use support::{check, reply};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

const V4: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const V6: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);

/// A server that reads a request and sends `answer`.
async fn http_server(address: IpAddr, answer: &'static str) -> SocketAddr {
    let listener = TcpListener::bind((address, 0)).await.unwrap();
    let at = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let mut request = [0; 4096];
                let _ = stream.read(&mut request).await;
                let _ = stream.write_all(answer.as_bytes()).await;
            });
        }
    });
    at
}

#[tokio::test]
async fn tcp() {
    for address in [V4, V6] {
        let at = http_server(address, "").await;
        let got = reply(&format!("{{ tcp: {} }}", at.port()), Some(address)).await;
        check(&got, Ok(()), "it listens");
        assert!(got.delay.is_some() && got.tries == 1, "{got:?}");
        let got = reply("{ tcp: 1 }", Some(address)).await;
        check(&got, Err((Cause::Refused, "connection refused")), "nobody listens");
    }
}

#[tokio::test]
async fn ping() {
    for address in [V4, V6] {
        let got = reply("{ ping: }", Some(address)).await;
        check(&got, Ok(()), "this machine answers");
        assert!(got.delay.is_some() && got.tries == 1, "{got:?}");
    }
}

#[tokio::test]
async fn http() {
    let good = "HTTP/1.1 200 OK\r\ncontent-length: 12\r\n\r\nnorth is up\n";
    for address in [V4, V6] {
        let at = http_server(address, good).await;
        let got =
            reply(&format!("{{ http: /healthz, port: {}, body: is up }}", at.port()), Some(address)).await;
        check(&got, Ok(()), "200 and the text");
        assert_eq!(got.report.as_deref(), Some("north"), "the first word");
    }
}
