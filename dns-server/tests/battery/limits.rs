//! What streams may take: so many connections of a source, so many in all, so
//! long for a message; and that UDP is answered whatever happens to them.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use rhumb::net::{Limits, NetOptions};
use socket2::{Domain, Socket, Type};

use crate::clients::encrypted;
use crate::lab::{Lab, PATIENCE, framed, read_message, testdata};
use crate::message::{Reply, query};

/// Three places, two of each source; impatient.
const TIGHT: Limits = Limits {
    connections: 3,
    per_source: 2,
    idle: Duration::from_secs(10),
    message: Duration::from_millis(100),
};

fn lab(limits: Limits) -> Lab {
    let listen = vec!["127.0.0.1:0".parse().unwrap()];
    Lab::with(&testdata("cases/static.yaml"), &NetOptions { limits, ..NetOptions::new(listen, 1) })
}

/// A connection from one of loopback's many addresses.
fn connect(lab: &Lab, from: &str) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    let from: SocketAddr = format!("{from}:0").parse().unwrap();
    socket.bind(&from.into()).unwrap();
    socket.connect(&lab.address().into()).unwrap();
    let stream: TcpStream = socket.into();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// The status of an answer, or nothing when the server closes.
fn ask(stream: &mut TcpStream) -> Option<String> {
    // A server that has closed may have reset the connection already.
    let _ = stream.write_all(&framed(&query("www.example.com A")));
    read_message(stream).map(|reply| Reply::parse(&reply).status())
}

const ANSWERED: Option<&str> = Some("NOERROR aa rd");

#[test]
fn a_source_that_has_its_share_is_refused_and_the_rest_wait() {
    let lab = lab(TIGHT);
    let mut first = connect(&lab, "127.0.0.2");
    let mut second = connect(&lab, "127.0.0.2");
    for stream in [&mut first, &mut second] {
        assert_eq!(ask(stream).as_deref(), ANSWERED, "within its share");
    }
    assert_eq!(ask(&mut connect(&lab, "127.0.0.2")), None, "beyond its share");
    assert!(lab.totals().contains(&("connections_refused", 1)), "and counted");
    let mut third = connect(&lab, "127.0.0.3");
    assert_eq!(ask(&mut third).as_deref(), ANSWERED, "the last place");
    let udp = lab.over_udp(&query("www.example.com A"), true).unwrap();
    assert_eq!(Reply::parse(&udp).status(), "NOERROR aa rd", "UDP does not notice");
    let mut waiting = connect(&lab, "127.0.0.4");
    drop(first);
    assert_eq!(ask(&mut waiting).as_deref(), ANSWERED, "one that leaves makes room");
}

#[test]
fn the_slow_and_the_idle_are_cut_off() {
    let message = framed(&query("www.example.com A"));
    let rows: [(&[u8], &str); 4] = [
        (&message[..1], "half a length"),
        (&message[..20], "half a message"),
        (&message[..2], "a length and nothing"),
        (&[&message[..], &message[..9]].concat(), "one whole, then half of the next"),
    ];
    for (sent, why) in rows {
        let lab = lab(TIGHT);
        let mut stream = connect(&lab, "127.0.0.2");
        stream.write_all(sent).unwrap();
        let mut got = Vec::new();
        let ended = stream.read_to_end(&mut got);
        assert!(ended.is_ok() || got.is_empty(), "{why}: {ended:?}");
        assert_eq!(got.is_empty(), sent.len() < message.len(), "{why}: only whole ones are answered");
    }
    let lab = lab(Limits { idle: Duration::from_millis(50), ..TIGHT });
    let mut idle = connect(&lab, "127.0.0.2");
    assert_eq!(read_message(&mut idle), None, "silence ends");
}

#[test]
fn a_handshake_that_does_not_begin_is_cut_off() {
    let listen = vec!["127.0.0.1:0".parse().unwrap()];
    // Handshakes that do begin need some time on a busy machine.
    let limits = Limits { message: Duration::from_secs(2), ..TIGHT };
    let options = NetOptions { encrypted: Some(encrypted()), limits, ..NetOptions::new(listen, 1) };
    let lab = Lab::with(&testdata("cases/static.yaml"), &options);
    for how in ["tls", "https"] {
        let mut stream = TcpStream::connect(lab.clients().address(how)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        assert_eq!(stream.read_to_end(&mut Vec::new()).unwrap(), 0, "{how}");
    }
    assert!(lab.clients().ask("tls", &query("www.example.com A")).is_some(), "others are let in");
}

#[test]
fn one_that_does_not_read_is_cut_off_and_others_are_answered() {
    let lab = lab(TIGHT);
    let mut deaf = connect(&lab, "127.0.0.2");
    let many = framed(&query("huge.example.com TXT")).repeat(1000);
    deaf.set_write_timeout(Some(PATIENCE)).unwrap();
    // Until the buffers of both sides are full, and then until it is cut off.
    while deaf.write_all(&many).is_ok() {}
    let mut other = connect(&lab, "127.0.0.3");
    assert_eq!(ask(&mut other).as_deref(), ANSWERED);
}

#[test]
fn clients_that_ask_are_told_how_long_they_may_be_idle() {
    let rows = [
        ("www.example.com A +keepalive", Some(vec![0, 100]), "10 s, in tenths of a second"),
        ("www.example.com A", None, "nobody asked"),
    ];
    let lab = lab(TIGHT);
    for (asked, want, why) in rows {
        let reply = lab.over_tcp(&query(asked)).unwrap();
        assert_eq!(Reply::parse(&reply).option(11), want, "{why}");
    }
    let reply = lab.over_udp(&query("www.example.com A +keepalive"), true).unwrap();
    assert_eq!(Reply::parse(&reply).option(11), None, "a datagram has no connection (RFC 7828 §3.2.1)");
}
