//! What is particular to encrypted transports: HTTP's words, QUIC's rules,
//! padding, and certificates that are renewed.

use std::time::Instant;

use http_body_util::Full;
use hyper::Request;
use hyper::body::Bytes;
use rhumb::net::NetOptions;

use crate::clients::{Papers, base64url, encrypted_with};
use crate::lab::{Lab, PATIENCE, framed, testdata};
use crate::message::{Reply, query};

const MESSAGE: &str = "application/dns-message";

fn request(method: &str, uri: &str, kind: &str, body: &[u8]) -> Request<Full<Bytes>> {
    let builder = Request::builder().method(method).uri(uri).header("content-type", kind);
    builder.body(Full::from(body.to_vec())).unwrap()
}

#[test]
fn http_says_what_is_wrong() {
    let lab = Lab::start(&testdata("cases/static.yaml"));
    let packet = query("www.example.com A");
    let get = format!("/dns-query?dns={}", base64url(&packet));
    let rows = [
        ("GET", &*get, "", &b""[..], 200, "a query in the URL"),
        ("GET", &format!("/dns-query?x=1&dns={}", base64url(&packet)), "", b"", 200, "among others"),
        ("POST", "/dns-query", MESSAGE, &packet, 200, "a query as a body"),
        ("POST", "/dns-query", "Application/DNS-Message", &packet, 200, "case does not matter"),
        ("POST", "/dns-query", "text/plain", &packet, 415, "another media type"),
        ("POST", "/dns-query", MESSAGE, &[7; 5000], 413, "longer than any query"),
        ("POST", "/dns-query", MESSAGE, b"short", 400, "no header"),
        ("PUT", "/dns-query", MESSAGE, &packet, 405, "another method"),
        ("HEAD", &get, "", b"", 405, "an answer is all there is"),
        ("GET", "/", "", b"", 404, "another path"),
        ("GET", "/dns-query", "", b"", 400, "no query"),
        ("GET", "/dns-query?dns=", "", b"", 400, "an empty query"),
        ("GET", "/dns-query?dns=AA==", "", b"", 400, "padded"),
        ("GET", &format!("/dns-query?dns={}", "A".repeat(8000)), "", b"", 414, "longer than any query"),
    ];
    for (method, uri, kind, body, status, why) in rows {
        for modern in [false, true] {
            let uri = if modern { format!("https://localhost{uri}") } else { uri.to_owned() };
            let page = lab.clients().http(modern, request(method, &uri, kind, body));
            assert_eq!(page.status, status, "{method} {why}, HTTP/2: {modern}");
            assert_eq!(page.header("allow").is_some(), status == 405, "{why}");
            if status == 200 {
                assert_eq!(page.header("content-type"), Some(MESSAGE), "{why}");
                assert_eq!(Reply::parse(&page.body).status(), "NOERROR aa rd", "{why}");
            }
        }
    }
}

#[test]
fn http_caches_are_told_how_long_an_answer_holds() {
    let lab = Lab::start(&testdata("cases/static.yaml"));
    let rows = [
        ("www.example.com A", "an answer"),
        ("alias.example.com A", "a chain: the smallest TTL"),
        ("nope.example.com A", "no such name: what the SOA allows"),
        ("www.example.com MX", "no data: likewise"),
        ("www.example.net A", "refused: not at all"),
    ];
    for (asked, why) in rows {
        let packet = query(asked);
        let page = lab.clients().http(false, request("POST", "/dns-query", MESSAGE, &packet));
        let ttls = |section: &str| {
            let records = Reply::parse(&page.body).records();
            let of = |record: &String| record.strip_prefix(section)?.split(' ').nth(2)?.parse::<u32>().ok();
            records.iter().filter_map(of).min()
        };
        let want = ttls("answer").or_else(|| ttls("authority")).unwrap_or(0);
        assert_eq!(page.header("cache-control"), Some(&*format!("private, max-age={want}")), "{why}");
    }
}

#[test]
fn quic_ends_with_those_who_break_its_rules() {
    const PROTOCOL_ERROR: u64 = 2;
    let lab = Lab::start(&testdata("cases/static.yaml"));
    let anonymous = |text: &str| {
        let mut packet = query(text);
        packet[..2].fill(0);
        packet
    };
    let fine = framed(&anonymous("www.example.com A"));
    let rows = [
        (query("www.example.com A"), "an id other than 0"),
        (anonymous("www.example.com A +keepalive"), "an option of TCP's"),
        (vec![0; 5], "no message"),
    ];
    let framed = rows.into_iter().map(|(packet, why)| (framed(&packet), why));
    let cut = [
        (fine[..1].to_vec(), "half a length"),
        (fine[..20].to_vec(), "half a message"),
        ([&fine[..], &fine[..]].concat(), "two messages"),
        (Vec::new(), "nothing"),
    ];
    for (sent, why) in framed.chain(cut) {
        assert_eq!(lab.clients().quic(&sent), Err(PROTOCOL_ERROR), "{why}");
    }
    assert!(lab.clients().quic(&fine).is_ok(), "others are answered");
}

#[test]
fn encrypted_replies_to_those_who_pad_are_whole_blocks() {
    let rows = [
        ("www.example.com A +padding", true, "one block"),
        ("huge.example.com TXT +padding +nsid", true, "many"),
        ("www.example.com A", false, "nobody asked"),
    ];
    let lab = Lab::start(&testdata("cases/static.yaml"));
    for (asked, whole, why) in rows {
        for way in ["tls", "https-post", "quic"] {
            let reply = lab.clients().ask(way, &query(asked)).unwrap();
            assert_eq!(Reply::parse(&reply).status(), "NOERROR aa rd", "{why}");
            assert_eq!(reply.len().is_multiple_of(468), whole, "{why}: {} octets over {way}", reply.len());
        }
        let clear = lab.over_tcp(&query(asked)).unwrap();
        assert_eq!(Reply::parse(&clear).option(12), None, "in clear it would hide nothing");
    }
}

#[test]
fn a_renewed_certificate_is_shown() {
    let papers = Papers::new("renewed");
    let listen = vec!["127.0.0.1:0".parse().unwrap()];
    let options = NetOptions { encrypted: Some(encrypted_with(&papers)), ..NetOptions::new(listen, 1) };
    let lab = Lab::with(&testdata("cases/static.yaml"), &options);
    let started = Instant::now();
    assert!(lab.clients().shows(&papers), "the first");
    papers.renew();
    while !lab.clients().shows(&papers) {
        assert!(started.elapsed() < PATIENCE, "the second");
    }
}
