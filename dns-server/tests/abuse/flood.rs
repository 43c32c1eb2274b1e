//! A flood over real sockets: it gets its rate, others theirs.

use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

use rhumb::cookie::Cookies;
use rhumb::limit::RateLimits;
use rhumb::net::{NetOptions, Server};
use rhumb::respond::Class;
use rhumb::snapshot::Options;
use rhumb::stats::{Stats, Totals};

use crate::message::{line, publisher, query};

/// Long enough for a loaded machine.
const PATIENCE: Duration = Duration::from_secs(20);

const WWW: &str = "www.gslb.example.com. A";
const RATE: u32 = 20;
/// Less than a client's socket holds replies.
const FLOOD: u64 = 200;

/// Sends `count` times and takes what comes back until `done` says that there
/// is no more to come.
fn ask(socket: &UdpSocket, packet: &[u8], count: u64, done: impl Fn() -> bool) -> Vec<Vec<u8>> {
    let start = Instant::now();
    for _ in 0..count {
        socket.send(packet).unwrap();
    }
    while !done() {
        assert!(start.elapsed() < PATIENCE, "all queries are read");
        std::thread::yield_now();
    }
    let (mut replies, mut buffer) = (Vec::new(), [0; 4096]);
    // What was answered is in the socket's queue by now, or will be at once.
    socket.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    loop {
        match socket.recv(&mut buffer) {
            Ok(length) => replies.push(buffer[..length].to_vec()),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                return replies;
            }
            Err(error) => panic!("receive: {error}"),
        }
    }
}

pub(crate) fn over_tcp(address: SocketAddr, packet: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(&[&u16::try_from(packet.len()).unwrap().to_be_bytes(), packet].concat()).unwrap();
    let mut length = [0; 2];
    stream.read_exact(&mut length).unwrap();
    let mut reply = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut reply).unwrap();
    reply
}

fn client(address: SocketAddr, source: [u8; 4]) -> UdpSocket {
    let socket = UdpSocket::bind((IpAddr::from(source), 0)).unwrap();
    socket.connect(address).unwrap();
    socket
}

#[test]
fn a_flood_is_limited_and_others_are_not() {
    let cookies = Cookies::new(Cookies::scan("e5e973e5a6b2a43f48e7dc849e37bfcf").unwrap(), false);
    let publisher = publisher(Options { cookies, ..Options::default() });
    let stats = Stats::default();
    let rates = RateLimits {
        rates: [RATE; Class::COUNT],
        window: 15,
        slip: 2,
        leak: 0,
        lengths: [24, 56],
        exempt: Vec::new(),
        log_only: false,
    };
    let listen = vec!["127.0.0.1:0".parse().unwrap()];
    let options = NetOptions { rates: Some(rates), ..NetOptions::new(listen, 1) };
    let server = Server::bind(&options, &publisher, &stats).unwrap();
    let address = server.addresses()[0];
    let running = server.run().unwrap();
    let read = |count: u64| {
        let (stats, before) = (&stats, stats.totals().udp_queries);
        move || stats.totals().udp_queries >= before + count
    };

    let flooder = client(address, [127, 0, 0, 1]);
    let start = Instant::now();
    let replies = ask(&flooder, &query(WWW, 1232, ""), FLOOD, read(FLOOD));
    let most = u64::from(RATE) * (start.elapsed().as_secs() + 2);
    let lines: Vec<String> = replies.iter().map(|reply| line(reply)).collect();
    let whole = lines.iter().filter(|line| *line == "0 1/0/1").count() as u64;
    let cut = lines.iter().filter(|line| *line == "0 tc 0/0/1").count() as u64;
    let Totals { rate_dropped, rate_slipped, noerror, .. } = stats.totals();
    assert_eq!(lines.len() as u64, whole + cut, "whole or cut short: {lines:?}");
    assert!((u64::from(RATE)..=most).contains(&whole), "{whole} whole of at most {most}");
    assert_eq!((cut, rate_dropped + cut + whole, noerror), (rate_slipped, FLOOD, FLOOD), "all are counted");
    assert!(cut > FLOOD / 8 && rate_dropped > FLOOD / 8, "{cut} slipped, {rate_dropped} dropped");

    let other = client(address, [127, 0, 1, 1]);
    let whole =
        |replies: Vec<Vec<u8>>| replies.iter().filter(|reply| line(reply).starts_with("0 1/")).count();
    assert_eq!(whole(ask(&other, &query(WWW, 1232, ""), 10, read(10))), 10, "another network");

    let first = over_tcp(address, &query(WWW, 1232, "000a0008 2464c4abcf10c957"));
    let cookie = format!("000a0018 {}", line(&first).split(" 10:").nth(1).unwrap());
    assert_eq!(whole(vec![first]), 1, "the flooded network over TCP");
    let proved = ask(&flooder, &query(WWW, 1232, &cookie), FLOOD, read(FLOOD));
    assert_eq!(whole(proved) as u64, FLOOD, "the flooded network with a cookie");
    drop(running);
}
