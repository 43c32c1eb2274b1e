//! What only real sockets show: pipelined queries, messages in pieces, and
//! replies that leave from the address the query came to.

use std::io::Write;
use std::net::{SocketAddr, TcpStream, UdpSocket};

use crate::lab::{Lab, PATIENCE, framed, read_message, testdata};
use crate::message::{Reply, query};

#[test]
fn queries_on_one_connection_are_answered_however_they_arrive() {
    let lab = Lab::start(&testdata("cases/static.yaml"));
    let asked: Vec<_> = ["www", "mail", "nope"].map(|name| query(&format!("{name}.example.com A"))).into();
    let all: Vec<u8> = asked.iter().flat_map(|packet| framed(packet)).collect();
    // Where the octets are cut: all at once, inside a length, inside a message.
    for cuts in [&[][..], &[1], &[40], &[1, 2, 3, 50]] {
        let mut stream = TcpStream::connect(lab.address()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        let mut from = 0;
        for &to in cuts.iter().chain([&all.len()]) {
            stream.write_all(&all[from..to]).unwrap();
            from = to;
        }
        let status: Vec<_> =
            asked.iter().map(|_| Reply::parse(&read_message(&mut stream).unwrap()).status()).collect();
        assert_eq!(status, ["NOERROR aa rd", "NOERROR aa rd", "NXDOMAIN aa rd"], "cut at {cuts:?}");
    }
}

#[test]
fn a_reply_leaves_from_the_address_that_was_asked() {
    let rows = [
        ("0.0.0.0:0", "127.0.0.1", "a wildcard bind"),
        ("0.0.0.0:0", "127.0.0.77", "another of the host's addresses"),
        ("[::]:0", "[::1]", "over IPv6"),
        ("127.0.0.78:0", "127.0.0.78", "a bind to one address"),
    ];
    for (listen, asked, why) in rows {
        let lab = Lab::listening(&testdata("cases/static.yaml"), listen);
        let port = lab.address().port();
        let to: SocketAddr = format!("{asked}:{port}").parse().unwrap();
        let socket = UdpSocket::bind(if to.is_ipv6() { "[::1]:0" } else { "127.0.0.1:0" }).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket.send_to(&query("www.example.com A"), to).unwrap();
        let mut reply = [0; 512];
        let (length, from) = socket.recv_from(&mut reply).unwrap();
        assert_eq!(from, to, "{why}");
        assert_eq!(Reply::parse(&reply[..length]).status(), "NOERROR aa rd", "{why}");
    }
}
