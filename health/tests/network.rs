//! Probes over wires: sources, interfaces, silence, and what routers say. In a
//! network of the test's own, which needs the right to make one.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests may panic")]

#[path = "support/all.rs"]
mod support;

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::time::Duration;

use rhumb_health::Cause::{Local, Refused, Silent};
use rhumb_health::Reply;
use rhumb_health::probe::{Tools, Way};
use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use support::network::in_own_network;
use support::router::{Router, await_carrier, ip, sysctl};
use support::{Want, check, probe, reply};
use tokio::runtime::{Builder, Runtime};

/// ICMP sockets are raw in a new network, until its group is allowed the
/// datagram kind.
const KINDS: [&str; 2] = ["raw", "datagram"];

fn allow(kind: &str) {
    if kind == "datagram" {
        sysctl("ipv4/ping_group_range", "0 0");
    }
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// Holds probes against what they must find, one after the other.
fn check_all(rows: &[(&str, Want, &str)], also: &str) {
    for (text, want, why) in rows {
        let got = runtime().block_on(reply(text, None));
        check(&got, *want, &format!("{text}: {why} ({also})"));
    }
}

/// Servers of TCP and UDP on port 7 behind the router, that say who asks.
fn serve(router: &Router) {
    router.run(|| {
        for at in ["198.51.100.1:7", "[2001:db8:100::1]:7"] {
            let at: SocketAddr = at.parse().unwrap();
            let (udp, tcp) = (UdpSocket::bind(at).unwrap(), TcpListener::bind(at).unwrap());
            std::thread::spawn(move || {
                while let Ok((_, from)) = udp.recv_from(&mut [0; 9]) {
                    let _ = udp.send_to(from.ip().to_string().as_bytes(), from);
                }
            });
            std::thread::spawn(move || {
                while let Ok((mut stream, from)) = tcp.accept() {
                    let _ = std::io::Read::read(&mut stream, &mut [0; 999]);
                    let body = from.ip().to_string();
                    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
                    let _ = std::io::Write::write_all(&mut stream, (head + &body).as_bytes());
                    let _ = std::io::copy(&mut stream, &mut std::io::sink());
                }
            });
        }
    });
}

#[test]
fn sources_and_interfaces() {
    in_own_network("sources_and_interfaces", &[], || {
        let router = Router::new();
        serve(&router);
        let rows: [(&str, &str, &str); 8] = [
            ("", "10.1.0.1", "the better route"),
            ("source: 10.1.0.1", "10.1.0.1", "its own address"),
            ("source: 10.2.0.1", "10.2.0.1", "another wire's address"),
            ("interface: b", "10.2.0.1", "another wire"),
            ("interface: b, source: 10.2.0.1", "10.2.0.1", "both"),
            ("interface: a", "10.1.0.1", "the first wire"),
            ("source: 'fd02::1'", "fd02::1", "IPv6"),
            ("interface: b, source: 'fd02::1'", "fd02::1", "both"),
        ];
        for (keys, seen, why) in rows {
            let to = if keys.contains("fd0") { "2001:db8:100::1" } else { "198.51.100.1" };
            let bracketed = if keys.contains("fd0") { format!("[{to}]") } else { to.to_owned() };
            for text in [
                format!("{{ udp: '{bracketed}:7', send: x, {keys} }}"),
                format!("{{ http: /, port: 7, address: '{to}', {keys} }}"),
            ] {
                let text = text.replace(", }", " }");
                let got = runtime().block_on(reply(&text, None));
                check(&got, Ok(()), &format!("{text}: {why}"));
                assert_eq!(got.report.as_deref(), Some(seen), "{text}: {why}");
            }
        }
        for kind in KINDS {
            allow(kind);
            for (keys, _, why) in rows {
                let to = if keys.contains("fd0") { "2001:db8:100::1" } else { "198.51.100.1" };
                let text = format!("{{ ping: '{to}', {keys} }}").replace(", }", " }");
                check(&runtime().block_on(reply(&text, None)), Ok(()), &format!("{text}: {why} ({kind})"));
            }
        }
    });
}

#[test]
fn what_routers_say_and_who_is_silent() {
    in_own_network("what_routers_say_and_who_is_silent", &[], || {
        let _router = Router::new();
        let says = "host unreachable, says 10.1.0.2";
        let says6 = "unreachable, says fd01::2";
        let rows: [(&str, Want, &str); 11] = [
            ("{ ping: 203.0.113.1 }", Err((Refused, says)), "a router knows better"),
            ("{ ping: '2001:db8:bad::1' }", Err((Refused, says6)), "the same"),
            ("{ udp: 203.0.113.1:7, send: x }", Err((Refused, says)), "over UDP"),
            ("{ udp: '[2001:db8:bad::1]:7', send: x }", Err((Refused, says6)), "the same"),
            ("{ tcp: 203.0.113.1:7 }", Err((Refused, "unreachable")), "over TCP"),
            ("{ ping: 10.1.0.99 }", Err((Silent, "")), "nobody has this address"),
            ("{ ping: 'fd01::99' }", Err((Silent, "")), "the same"),
            ("{ udp: 10.1.0.99:7, send: x }", Err((Silent, "")), "over UDP"),
            ("{ tcp: 10.1.0.99:7 }", Err((Silent, "")), "over TCP"),
            ("{ tcp: '[fd01::99]:7' }", Err((Silent, "")), "the same"),
            ("{ tcp: 192.0.2.1:7 }", Err((Local, "network unreachable")), "no route here"),
        ];
        for kind in KINDS {
            allow(kind);
            check_all(&rows, kind);
            check_all(&[("{ ping: 192.0.2.1 }", Err((Local, "network unreachable")), "nor for ICMP")], kind);
        }
    });
}

#[test]
fn wires_that_go_and_come_back() {
    in_own_network("wires_that_go_and_come_back", &[], || {
        let _router = Router::new();
        for kind in KINDS {
            allow(kind);
            // One set of tools throughout: its sockets must not outlive the wire.
            let (tools, runtime) = (Tools::new(), runtime());
            let ask = |text: &str| -> Reply {
                let (kind, probe) = probe(text);
                runtime.block_on(kind.run(&Way { probe: &probe, address: None, tools: &tools }))
            };
            let all = ["{ ping: 198.51.100.1 }", "{ ping: 198.51.100.1, interface: b }"];
            let check_both = |want: Want, why: &str| {
                for text in all {
                    check(&ask(text), want, &format!("{text}: {why} ({kind})"));
                }
            };
            check_both(Ok(()), "before");
            ip("link set dev a down");
            ip("link set dev b down");
            check_both(Err((Local, "cannot")), "no wire");
            for (wire, net) in [("a", 1), ("b", 2)] {
                ip(&format!("link set dev {wire} up"));
                await_carrier(wire);
                ip(&format!("route add 198.51.100.0/24 via 10.{net}.0.2 dev {wire} metric {net}"));
            }
            check_both(Ok(()), "after");
        }
        // Another wire of the same name.
        let (tools, runtime) = (Tools::new(), runtime());
        let (kind, probe) = probe("{ ping: 198.51.100.1, interface: b }");
        let way = Way { probe: &probe, address: None, tools: &tools };
        check(&runtime.block_on(kind.run(&way)), Ok(()), "the first wire");
        for order in ["b down", "b name old", "a down", "a name b", "b up"] {
            ip(&format!("link set dev {order}"));
        }
        await_carrier("b");
        ip("route add 198.51.100.0/24 via 10.1.0.2 dev b");
        let gone = runtime.block_on(kind.run(&way));
        assert!(gone.outcome.is_err(), "the first is gone: {gone:?}");
        check(&runtime.block_on(kind.run(&way)), Ok(()), "the second is found");
    });
}

/// What comes back on a request, whose ICMP header is at the front.
type Forger = fn(&mut Vec<u8>);

#[test]
fn replies_that_are_not_ours() {
    in_own_network("replies_that_are_not_ours", &[], || {
        let router = Router::new();
        let rows: [(Forger, Want, bool, &str); 8] = [
            (|_| {}, Ok(()), false, "an echo"),
            (|reply| reply[4] ^= 1, Err((Silent, "")), false, "another's identifier does not even reach us"),
            (|reply| reply[7] ^= 1, Err((Silent, "")), true, "another sequence number"),
            (|reply| reply[15] ^= 1, Err((Silent, "")), true, "another token"),
            (|reply| reply.truncate(8), Err((Silent, "")), false, "no token"),
            (|reply| reply[0] = 8, Err((Silent, "")), false, "a request"),
            (|reply| reply[1] = 1, Err((Silent, "")), false, "an unknown code"),
            (|reply| reply.extend([0; 900]), Ok(()), false, "longer than what was sent"),
        ];
        router.run(|| sysctl("ipv4/icmp_echo_ignore_all", "1"));
        for kind in KINDS {
            allow(kind);
            for (forge, want, is_stray, why) in &rows {
                let socket = router.run(|| {
                    let socket = Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::ICMPV4)).unwrap();
                    let target: SocketAddr = "198.51.100.1:0".parse().unwrap();
                    socket.bind(&target.into()).unwrap();
                    socket
                });
                let forge = *forge;
                std::thread::scope(|scope| {
                    let forger = scope.spawn(|| forge_replies(&socket, forge));
                    let probe = probe("{ ping: 198.51.100.1, timeout: 300ms }");
                    let tools = Tools::new();
                    let way = Way { probe: &probe.1, address: None, tools: &tools };
                    let got = runtime().block_on(probe.0.run(&way));
                    check(&got, *want, &format!("{why} ({kind})"));
                    assert_eq!(tools.strays() > 0, *is_stray, "{why} ({kind})");
                    forger.join().unwrap();
                });
            }
        }
    });
}

/// Answers requests with what `forge` makes of them until none comes.
fn forge_replies(socket: &Socket, forge: Forger) {
    socket.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    loop {
        let mut reader = socket;
        let mut packet = vec![0; 2048];
        let Ok(len) = std::io::Read::read(&mut reader, &mut packet) else { return };
        packet.truncate(len);
        let from = Ipv4Addr::new(packet[12], packet[13], packet[14], packet[15]);
        let mut reply = packet.split_off(20);
        if reply[0] != 8 || from != Ipv4Addr::new(10, 1, 0, 1) {
            continue;
        }
        reply[0] = 0;
        forge(&mut reply);
        reply[2..4].fill(0);
        let checksum = checksum(&reply);
        reply[2..4].copy_from_slice(&checksum.to_be_bytes());
        let to = SockAddr::from(SocketAddr::new(IpAddr::V4(from), 0));
        let _ = socket.send_to(&reply, &to);
    }
}

/// RFC 1071.
fn checksum(bytes: &[u8]) -> u16 {
    let mut sum: u32 =
        bytes.chunks(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0))).sum();
    while sum >> 16 > 0 {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).unwrap()
}
