//! Probes of every kind against servers in the test: what they make of good
//! answers and of bad ones, and that nothing a server does holds them longer
//! than their timeout.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "support/all.rs"]
mod support;

use std::time::Duration;

use rhumb_health::Cause::{Refused, Silent, Wrong};
use support::certificates::{Authority, DAY, Ends};
use support::servers::Manner::{
    self, Behind, Closes, Deaf, Http2, Mute, Repeats, Resets, Says, SaysWithoutEnd,
};
use support::servers::{serve, serve_datagrams};
use support::{LOOPBACKS, Want, check, reply, reply_at};

/// The policy's words, the server's manners, what must come of it, why.
type Row = (&'static str, Manner, Want, &'static str);

/// All at once, for some wait for their timeout, and in both families.
async fn check_all(rows: Vec<Row>) {
    let mut under_way = Vec::new();
    for (text, manner, want, why) in rows {
        for address in LOOPBACKS {
            let manner = manner.clone();
            under_way.push(tokio::spawn(async move {
                let at = serve(address, manner).await;
                check(&reply_at(text, at).await, want, &format!("{text}: {why}"));
            }));
        }
    }
    for one in under_way {
        one.await.unwrap();
    }
}

#[tokio::test]
async fn tcp() {
    check_all(vec![
        ("{ tcp: PORT }", Mute, Ok(()), "a handshake is all it wants"),
        ("{ tcp: PORT }", Closes, Ok(()), "closed afterwards"),
        ("{ tcp: PORT }", Resets, Ok(()), "reset afterwards"),
        ("{ tcp: PORT, timeout: 300ms }", Deaf, Err((Silent, "no answer within 300ms")), "no answer"),
        ("{ tcp: 1 }", Mute, Err((Refused, "connection refused")), "nobody listens there"),
    ])
    .await;
}

#[tokio::test]
async fn what_a_handshake_measures() {
    for address in LOOPBACKS {
        let at = serve(address, Mute).await;
        let got = reply_at("{ tcp: PORT }", at).await;
        assert!(got.delay.is_some_and(|delay| delay < Duration::from_millis(500)), "{got:?}");
        assert_eq!((got.tries, got.lost), (1, 0), "{got:?}");
        let got = reply("{ tcp: 1 }", Some(address)).await;
        assert!(got.delay.is_some() && (got.tries, got.lost) == (1, 0), "a refusal is an answer: {got:?}");
        let at = serve(address, Deaf).await;
        let got = reply_at("{ tcp: PORT, timeout: 300ms, tries: 3 }", at).await;
        assert!(got.delay.is_none() && (got.tries, got.lost) == (3, 3), "{got:?}");
        let got = reply_at("{ tcp: PORT, timeout: 300ms, tries: 1 }", at).await;
        assert_eq!((got.tries, got.lost), (1, 1), "{got:?}");
    }
}

#[tokio::test]
async fn http() {
    const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\nall well";
    const CHUNKED: &str =
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nall \r\n4\r\nwell\r\n0\r\n\r\n";
    const TO_THE_END: &str = "HTTP/1.0 200 OK\r\n\r\nall well";
    check_all(vec![
        ("{ http: /, port: PORT }", Says(OK), Ok(()), "200"),
        ("{ http: /, port: PORT, body: all well }", Says(OK), Ok(()), "the text"),
        ("{ http: /, port: PORT, body: all well }", Says(CHUNKED), Ok(()), "the text across chunks"),
        (
            "{ http: /, port: PORT, body: all well }",
            Says(TO_THE_END),
            Ok(()),
            "a body that ends with the connection",
        ),
        ("{ http: /, port: PORT, body: ill }", Says(OK), Err((Wrong, "lacks the expected text")), "not it"),
        ("{ http: /, port: PORT, regex: '^all w[a-z]+$' }", Says(OK), Ok(()), "an expression"),
        ("{ http: /, port: PORT, regex: '^w' }", Says(OK), Err((Wrong, "does not match")), "another"),
        (
            "{ http: /, port: PORT }",
            Says("HTTP/1.1 302 Found\r\nlocation: /else\r\ncontent-length: 0\r\n\r\n"),
            Ok(()),
            "a redirect is an answer, and not followed",
        ),
        (
            "{ http: /, port: PORT, status: 2xx }",
            Says("HTTP/1.1 302 Found\r\nlocation: /else\r\ncontent-length: 0\r\n\r\n"),
            Err((Wrong, "status 302")),
            "not the status that is wanted",
        ),
        ("{ http: /, port: PORT }", Says("HTTP/1.1 503 Busy\r\n\r\n"), Err((Wrong, "status 503")), "busy"),
        ("{ http: /, port: PORT, status: 503 }", Says("HTTP/1.1 503 Busy\r\n\r\n"), Ok(()), "as wanted"),
        (
            "{ http: /, port: PORT, method: HEAD }",
            Says("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n"),
            Ok(()),
            "no body comes",
        ),
    ])
    .await;
}

#[tokio::test]
async fn what_http_sends() {
    check_all(vec![
        ("{ http: '/a?b=c', port: PORT, body: \"GET /a?b=c HTTP/1.1\\r\\n\" }", Repeats, Ok(()), "the path"),
        ("{ http: /, port: PORT, method: OPTIONS, body: 'OPTIONS / ' }", Repeats, Ok(()), "the method"),
        (
            "{ http: /, port: PORT, host: www.example.com, body: 'host: www.example.com' }",
            Repeats,
            Ok(()),
            "Host",
        ),
        (
            "{ http: 'http://www.example.com:PORT/x', body: 'host: www.example.com:PORT' }",
            Repeats,
            Ok(()),
            "a URL's host and port",
        ),
        (
            "{ http: /, port: PORT, headers: { X-Probe: 'yes' }, body: 'x-probe: yes' }",
            Repeats,
            Ok(()),
            "a field",
        ),
        (
            "{ http: /, port: PORT, headers: { Host: a }, body: 'host: a' }",
            Repeats,
            Ok(()),
            "a field replaces ours",
        ),
        ("{ http: /, port: PORT, body: 'connection: close' }", Repeats, Ok(()), "one question a connection"),
    ])
    .await;
}

#[tokio::test]
async fn http_servers_that_misbehave() {
    const HEAD: &str = "HTTP/1.1 200 OK\r\n\r\n";
    let quick = "{ http: /, port: PORT, timeout: 400ms }";
    check_all(vec![
        (quick, Mute, Err((Silent, "connected, but no answer within 400ms")), "never answers"),
        (quick, Deaf, Err((Silent, "no answer")), "does not even accept"),
        ("{ http: /, port: PORT }", Closes, Err((Wrong, "closed the connection")), "closes at once"),
        ("{ http: /, port: PORT }", Resets, Err((Refused, "reset")), "resets"),
        ("{ http: /, port: PORT }", Says("220 mail ready\r\n"), Err((Wrong, "HTTP")), "speaks otherwise"),
        ("{ http: /, port: PORT }", Says("HTTP/1.1 200 OK\r\nconte"), Err((Wrong, "")), "stops in the head"),
        (
            "{ http: /, port: PORT, body: x }",
            Says("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nx"),
            Err((Wrong, "")),
            "stops in the body",
        ),
        (
            "{ http: /, port: PORT }",
            SaysWithoutEnd(HEAD),
            Ok(()),
            "an endless body, and nothing wanted of it",
        ),
        (
            "{ http: /, port: PORT, body: xyz }",
            SaysWithoutEnd(HEAD),
            Err((Wrong, "lacks")),
            "nor found in it",
        ),
        (
            "{ http: /, port: PORT, regex: 'x{9}$' }",
            SaysWithoutEnd(HEAD),
            Ok(()),
            "an expression sees no more than the bound",
        ),
        (
            "{ http: /, port: PORT }",
            SaysWithoutEnd("HTTP/1.1 200 OK\r\nx-long: "),
            Err((Wrong, "HTTP")),
            "a header field without end",
        ),
        (
            "{ http: /, port: PORT, status: 500 }",
            SaysWithoutEnd("HTTP/1.1 200 OK\r\n\r\n"),
            Err((Wrong, "status 200")),
            "a body that is not even looked at",
        ),
    ])
    .await;
}

#[tokio::test]
async fn http2() {
    let authority = Authority::new();
    let tls = |alpn| authority.server("www.example.com", (DAY, Ends::In(DAY)), alpn);
    let (h2, h1) = (tls(&["h2"]), tls(&["http/1.1"]));
    let asked = || Http2(200, Vec::new(), None);
    check_all(vec![
        ("{ http: /, port: PORT, version: 2 }", asked(), Ok(()), "by prior knowledge"),
        (
            "{ http: '/a?b', port: PORT, version: 2, host: www.example.com, body: 'GET http://www.example.com/a?b' }",
            asked(),
            Ok(()),
            "method, path and authority",
        ),
        (
            "{ http: 'https://www.example.com:PORT/', version: 2, body: 'https://www.example.com:PORT/' }",
            Behind(h2, Box::new(asked())),
            Ok(()),
            "by ALPN",
        ),
        (
            "{ http: 'https://www.example.com:PORT/', version: 2 }",
            Behind(h1, Box::new(asked())),
            Err((Wrong, "TLS")),
            "a server without it",
        ),
        ("{ http: /, port: PORT, version: 2 }", Http2(503, Vec::new(), None), Err((Wrong, "status 503")), "busy"),
        (
            "{ http: /, port: PORT, version: 2, body: x }",
            Http2(200, vec![b'y'; 200_000], None),
            Err((Wrong, "lacks")),
            "a long body",
        ),
        ("{ http: /, port: PORT, version: 2 }", Says("HTTP/1.1 400 Bad\r\n\r\n"), Err((Wrong, "HTTP/2")), "HTTP/1.1"),
        ("{ http: /, port: PORT, version: 2 }", Closes, Err((Wrong, "")), "closes at once"),
        (
            "{ http: /, port: PORT, version: 2, timeout: 400ms }",
            Mute,
            Err((Silent, "connected, but")),
            "never answers",
        ),
    ])
    .await;
}

#[tokio::test]
async fn grpc() {
    let serving = |status| vec![0, 0, 0, 0, 2, 8, status];
    check_all(vec![
        ("{ grpc: PORT }", Http2(200, serving(1), Some("0")), Ok(()), "serving"),
        ("{ grpc: PORT, service: shop }", Http2(200, serving(1), Some("0")), Ok(()), "a service"),
        ("{ grpc: PORT }", Http2(200, serving(2), Some("0")), Err((Wrong, "NOT_SERVING")), "not serving"),
        (
            "{ grpc: PORT }",
            Http2(200, vec![0; 5], Some("0")),
            Err((Wrong, "UNKNOWN")),
            "the default of the field",
        ),
        ("{ grpc: PORT }", Http2(200, serving(3), Some("0")), Err((Wrong, "status 3")), "service unknown"),
        ("{ grpc: PORT }", Http2(200, Vec::new(), Some("5")), Err((Wrong, "gRPC status 5")), "not found"),
        ("{ grpc: PORT }", Http2(200, Vec::new(), Some("0")), Err((Wrong, "not an answer")), "no message"),
        ("{ grpc: PORT }", Http2(404, Vec::new(), Some("0")), Err((Wrong, "status 404")), "no gRPC"),
        ("{ grpc: PORT }", Http2(200, vec![0; 4000], Some("0")), Err((Wrong, "too long")), "too much"),
        ("{ grpc: PORT }", Closes, Err((Wrong, "")), "closes at once"),
        ("{ grpc: PORT, timeout: 400ms }", Mute, Err((Silent, "connected, but")), "never answers"),
    ])
    .await;
}

#[tokio::test]
async fn tls_unverified() {
    let authority = Authority::new();
    let server = |ends| authority.server("www.example.com", (30 * DAY, ends), &[]);
    let behind = |ends| Behind(server(ends), Box::new(Mute));
    let wide = DAY * 365 * 400;
    check_all(vec![
        ("{ tls: PORT, verify: false }", behind(Ends::In(DAY)), Ok(()), "any certificate"),
        ("{ tls: PORT, verify: false }", behind(Ends::Ago(DAY)), Ok(()), "an expired one, where nobody asks"),
        ("{ tls: PORT, verify: false, name: www.example.com }", behind(Ends::In(DAY)), Ok(()), "its name"),
        (
            "{ tls: PORT, verify: false, name: mail.example.com }",
            behind(Ends::In(DAY)),
            Err((Wrong, "does not bear mail.example.com")),
            "another name",
        ),
        ("{ tls: PORT, verify: false, expires: 14d }", behind(Ends::In(DAY * 15)), Ok(()), "long enough"),
        (
            "{ tls: PORT, verify: false, expires: 14d }",
            behind(Ends::In(DAY * 5 + DAY / 2)),
            Err((Wrong, "expires in 5 days")),
            "soon",
        ),
        (
            "{ tls: PORT, verify: false, expires: 1s }",
            behind(Ends::Ago(DAY * 3)),
            Err((Wrong, "expired 3 days ago")),
            "ended",
        ),
        (
            "{ tls: PORT, verify: false, expires: 14d }",
            behind(Ends::In(wide)),
            Ok(()),
            "a year of five digits is cut",
        ),
        (
            "{ tls: PORT, name: www.example.com }",
            behind(Ends::In(DAY)),
            Err((Wrong, "TLS")),
            "nobody trusts it",
        ),
        (
            "{ http: 'https://www.example.com:PORT/', verify: true }",
            Behind(server(Ends::In(DAY)), Box::new(Repeats)),
            Err((Wrong, "TLS")),
            "nor here",
        ),
        (
            "{ http: 'https://www.example.com:PORT/' }",
            Behind(server(Ends::Ago(DAY)), Box::new(Repeats)),
            Ok(()),
            "but who asks the service does not ask the certificate",
        ),
        ("{ tls: PORT }", Says("220 mail ready\r\n"), Err((Wrong, "TLS")), "no TLS"),
        ("{ tls: PORT }", SaysWithoutEnd("\u{16}"), Err((Wrong, "TLS")), "nonsense without end"),
        ("{ tls: PORT }", Closes, Err((Wrong, "closed the connection")), "closes at once"),
        ("{ tls: PORT, timeout: 400ms }", Mute, Err((Silent, "connected, but")), "never answers"),
    ])
    .await;
}

#[tokio::test]
async fn udp() {
    let rows: Vec<(&str, Vec<&[u8]>, Want, &str)> = vec![
        ("{ udp: PORT, send: hi }", vec![b"hi there"], Ok(()), "any answer"),
        ("{ udp: PORT }", vec![b""], Ok(()), "an empty question and answer"),
        ("{ udp: PORT, send: hi, expect: there }", vec![b"hi there"], Ok(()), "the one expected"),
        ("{ udp: PORT, send: hi, expect: xy }", vec![b"hi"], Err((Wrong, "not the expected")), "another"),
        ("{ udp: PORT, send: hi, timeout: 300ms }", vec![], Err((Silent, "no answer within")), "none"),
        ("{ udp: 1, send: hi }", vec![], Err((Refused, "refused")), "nobody listens there"),
    ];
    for (text, answers, want, why) in rows {
        for address in LOOPBACKS {
            let answers: Vec<Vec<u8>> = answers.iter().map(|answer| answer.to_vec()).collect();
            let at = serve_datagrams(address, move |_| answers.clone()).await;
            check(&reply_at(text, at).await, want, &format!("{text}: {why}"));
        }
    }
}

#[tokio::test]
async fn answers_that_come_late_or_after_a_loss() {
    for address in LOOPBACKS {
        let count = std::sync::atomic::AtomicU8::new(0);
        let every_third = move |_: &[u8]| {
            let number = count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            if number % 3 == 2 { vec![b"at last".to_vec()] } else { Vec::new() }
        };
        let at = serve_datagrams(address, every_third).await;
        let got = reply_at("{ udp: PORT, send: x, timeout: 600ms }", at).await;
        check(&got, Ok(()), "one success within the timeout is enough");
        assert_eq!((got.tries, got.lost), (3, 2), "and the losses are counted");
        let got = reply_at("{ udp: PORT, send: x, timeout: 600ms, tries: 2 }", at).await;
        check(&got, Err((Silent, "")), "two tries are not three");
    }
}

#[tokio::test]
async fn what_targets_report() {
    let rows: [(&str, &str, Option<&str>, &str); 6] = [
        ("body", "north is up\n", Some("north"), "the first word"),
        ("body", "  \r\n south", Some("south"), "after space"),
        ("body", "", None, "nothing"),
        ("body", "{\"primary\":\"north\"}", Some("{\"primary\":\"north\"}"), "no word of ours, but one"),
        (
            "body",
            "a-word-of-more-than-sixty-four-bytes-is-none-that-a-datacenter-could-bear",
            None,
            "too long",
        ),
        ("body", "no\u{7}rth", None, "not fit to be shown"),
    ];
    for (_, body, want, why) in rows {
        let text = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        let at = serve(LOOPBACKS[0], Says(Box::leak(text.into_boxed_str()))).await;
        let got = reply_at("{ http: /, port: PORT }", at).await;
        check(&got, Ok(()), why);
        assert_eq!(got.report.as_deref(), want, "{why}");
    }
}

#[tokio::test]
async fn the_peer_sees_the_source() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let text = format!("{{ tcp: 127.0.0.1:{port}, source: 127.0.0.2 }}");
    let (got, accepted) = tokio::join!(reply(&text, None), listener.accept());
    check(&got, Ok(()), "from an address of its own");
    assert_eq!(accepted.unwrap().1.ip().to_string(), "127.0.0.2");
    let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let port = socket.local_addr().unwrap().port();
    let text = format!("{{ udp: 127.0.0.1:{port}, source: 127.0.0.3, timeout: 300ms }}");
    let mut bytes = [0; 9];
    let (_, received) = tokio::join!(reply(&text, None), socket.recv_from(&mut bytes));
    assert_eq!(received.unwrap().1.ip().to_string(), "127.0.0.3");
}

#[tokio::test]
async fn what_this_machine_cannot_do() {
    use rhumb_health::Cause::Local;
    let rows = [
        ("{ tcp: 127.0.0.1:80, source: 192.0.2.1 }", "cannot send from 192.0.2.1", "not its address"),
        ("{ ping: 127.0.0.1, source: 192.0.2.1 }", "cannot send from 192.0.2.1", "nor for ICMP"),
        ("{ udp: 127.0.0.1:80, source: 192.0.2.1 }", "cannot send from 192.0.2.1", "nor for UDP"),
        ("{ tcp: 127.0.0.1:80, interface: nope0 }", "cannot use interface nope0", "no such interface"),
        ("{ tcp: '[::1]:80', source: 127.0.0.1 }", "source 127.0.0.1 cannot reach ::1", "the other family"),
        ("{ tcp: 80 }", "the target has no address", "no address at all"),
        ("{ tcp: 255.255.255.255:80 }", "cannot connect", "no route for it"),
        ("{ http: /, address: 127.0.0.1, port: 1, tls: true, sni: 'a b' }", "", "refused before TLS"),
    ];
    for (text, part, why) in rows {
        let cause = if part.is_empty() { Refused } else { Local };
        let got = reply(text, None).await;
        check(&got, Err((cause, part)), why);
        assert_eq!(got.tries, u8::from(part.is_empty()), "{why}: nothing was sent");
    }
}

#[tokio::test]
async fn ping() {
    for address in LOOPBACKS {
        let got = reply("{ ping: }", Some(address)).await;
        check(&got, Ok(()), "this machine answers");
        assert!(got.delay.is_some() && (got.tries, got.lost) == (1, 0), "{got:?}");
        let got = reply(&format!("{{ ping: '{address}', source: '{address}' }}"), None).await;
        check(&got, Ok(()), "from a source");
    }
}
