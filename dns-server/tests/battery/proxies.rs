//! PROXY headers: whom they are believed from, and what they change.

use std::net::IpAddr;

use rhumb::net::NetOptions;
use rhumb::respond::Transport;

use crate::clients::encrypted;
use crate::lab::{Asked, Lab, framed, testdata};
use crate::message::query;

/// A header of version 2 for a client, as the row says.
fn header(command: u8, family: u8, addresses: &[IpAddr], extra: &[u8]) -> Vec<u8> {
    let mut rest = Vec::new();
    for address in addresses {
        match address {
            IpAddr::V4(v4) => rest.extend(v4.octets()),
            IpAddr::V6(v6) => rest.extend(v6.octets()),
        }
    }
    if !addresses.is_empty() {
        rest.extend([0xc0, 0, 0, 53]);
    }
    rest.extend(extra);
    let mut out = b"\r\n\r\n\0\r\nQUIT\n".to_vec();
    out.extend([command, family]);
    out.extend(u16::try_from(rest.len()).unwrap().to_be_bytes());
    out.extend(rest);
    out
}

fn lab(trusted: &str) -> Lab {
    let listen = vec!["127.0.0.1:0".parse().unwrap()];
    let options = NetOptions {
        proxies: vec![trusted.parse().unwrap()],
        encrypted: Some(encrypted()),
        ..NetOptions::new(listen, 1)
    };
    Lab::with(&testdata("cases/steered.yaml"), &options)
}

#[test]
fn a_listed_proxy_says_who_asks() {
    let mut lab = lab("127.0.0.0/8");
    let asked = query("www.gslb.example.com A +noedns");
    let ip = |text: &str| text.parse::<IpAddr>().unwrap();
    let (here, europe, america) = (ip("127.0.0.1"), ip("193.0.6.139"), ip("8.8.8.8"));
    let server = ip("192.0.2.53");
    let v6 = [ip("2001:67c:2e8::1"), ip("2001:db8::53")];
    let rows = [
        (header(0x21, 0x12, &[europe, server], &[]), Some(europe), "a client in Europe"),
        (header(0x21, 0x12, &[america, server], &[]), Some(america), "one in America"),
        (header(0x21, 0x11, &[america, server], &[4, 0, 1, 0]), Some(america), "with more behind it"),
        (header(0x21, 0x22, &v6, &[]), Some(v6[0]), "over IPv6"),
        (header(0x20, 0x00, &[], &[]), Some(here), "the proxy itself"),
        (header(0x21, 0x00, &[], &[]), Some(here), "the proxy does not know"),
        (header(0x31, 0x12, &[europe, server], &[]), None, "another version"),
        (header(0x22, 0x12, &[europe, server], &[]), None, "another command"),
        (header(0x21, 0x31, &[], &[0; 216]), None, "a unix socket"),
        (header(0x21, 0x22, &[europe, server], &[]), None, "shorter than its addresses"),
        (header(0x21, 0x12, &[europe, server], &[])[..15].to_vec(), None, "cut short"),
        (Vec::new(), None, "no header"),
    ];
    for (header, from, why) in rows {
        let want = from
            .map(|from| lab.in_process(&Asked { packet: &asked, from, draw: 0 }, Transport::Tcp).unwrap());
        let udp = [&header[..], &asked].concat();
        assert_eq!(lab.over_udp(&udp, want.is_some()), want, "{why}, over UDP");
        let tcp = [&header[..], &framed(&asked)].concat();
        assert_eq!(lab.raw_tcp(&tcp), want, "{why}, over TCP");
        if want.is_some() {
            assert_eq!(lab.clients().tls_after(&header, &framed(&asked)), want, "{why}, over TLS");
        }
    }
    assert!(lab.totals().contains(&("proxy_errors", 12)), "{:?}", lab.totals());
}

#[test]
fn nobody_else_is_believed() {
    let lab = lab("192.0.2.1/32");
    let asked = query("www.gslb.example.com A +noedns");
    assert!(lab.over_udp(&asked, true).is_some(), "without a header");
    let header = header(0x21, 0x12, &["8.8.8.8".parse().unwrap(), "192.0.2.53".parse().unwrap()], &[]);
    let reply = lab.over_udp(&[&header[..], &asked].concat(), true).unwrap();
    assert_eq!(reply[3] & 0x0f, 4, "NOTIMP: read as a query, a header has a strange opcode");
}
