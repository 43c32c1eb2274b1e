//! Cookies and extended errors in answers.

use rhumb::cookie::Cookies;
use rhumb::respond::Transport;
use rhumb::snapshot::Options;

use crate::message::{ask, hex, line, query, unhex, world};

const SECRET: &str = "e5e973e5a6b2a43f48e7dc849e37bfcf";
const CLIENT: &str = "000a0008 2464c4abcf10c957";
const WWW: &str = "www.gslb.example.com. A";

fn options(require: bool) -> Options {
    let cookies = Cookies::new(Cookies::scan(SECRET).unwrap(), require);
    Options { cookies, udp_size: 4096, udp_size_without_cookie: 512, ..Options::default() }
}

/// The option a client sends back after `reply`.
fn returned(reply: &[u8]) -> String {
    let cookie = line(reply).split(" 10:").nth(1).unwrap().to_owned();
    format!("000a0018 {cookie}")
}

#[test]
fn cookies_and_errors_in_answers() {
    use Transport::{Tcp, Udp};
    let (free, strict) = (world(options(false)), world(options(true)));
    let first = ask(&free, &query(WWW, 1232, CLIENT), ("192.0.2.1", Udp)).unwrap();
    let good = returned(&first);
    let ours = good.split(' ').nth(1).unwrap();
    assert_eq!(unhex(ours).len(), 24, "8 octets of the client's, 16 of RFC 9018");
    let bad = "000a0010 2464c4abcf10c957 0102030405060708";
    let long = format!("000a0029 {}", "07".repeat(41));
    let with = |rest: &str| format!("{rest} 10:{ours}");
    let rows = [
        (&free, WWW, CLIENT, Udp, with("0 1/0/1"), "a new client is answered, with a cookie"),
        (&free, WWW, &good, Udp, with("0 1/0/1"), "it comes back with it"),
        (&free, WWW, bad, Udp, with("0 1/0/1"), "a false one is as none (RFC 7873 §5.2.3)"),
        (&free, WWW, "", Udp, "0 1/0/1".to_owned(), "none in the query, none in the answer"),
        (&free, WWW, "000a0007 07070707070707", Udp, "1 0/0/1".to_owned(), "too short: FORMERR"),
        (&free, WWW, "000a000c 070707070707070707070707", Udp, "1 0/0/1".to_owned(), "between the lengths"),
        (&free, WWW, &long, Udp, "1 0/0/1".to_owned(), "too long"),
        (&free, "- A", CLIENT, Udp, with("0 0/0/1"), "no question but for a cookie (RFC 7873 §5.4)"),
        (&free, "- A", "", Udp, "1 0/0/1".to_owned(), "no question at all"),
        (&strict, WWW, CLIENT, Udp, with("23 0/0/1"), "BADCOOKIE: come back with it"),
        (&strict, WWW, bad, Udp, with("23 0/0/1"), "a false one is as none"),
        (&strict, WWW, &good, Udp, with("0 1/0/1"), "it comes back with it"),
        (&strict, WWW, "", Udp, "0 tc 0/0/1".to_owned(), "knows no cookies: TCP proves as much"),
        (&strict, WWW, "", Tcp, "0 1/0/1".to_owned(), "and there is answered"),
        (&strict, WWW, bad, Tcp, with("0 1/0/1"), "TCP needs no cookie"),
        (&free, "example.org. A", CLIENT, Udp, with("5 0/0/1") + " 15:0014", "not ours: EDE 20"),
        (&free, "gslb.example.com. AXFR", "", Tcp, "5 0/0/1 15:0012".to_owned(), "not for you: EDE 18"),
        (&free, "gslb.example.com. MAILA", "", Udp, "4 0/0/1 15:0015".to_owned(), "long gone: EDE 21"),
    ];
    for (world, question, options, transport, want, why) in rows {
        let reply = ask(world, &query(question, 1232, options), ("192.0.2.1", transport)).unwrap();
        assert_eq!(line(&reply), want, "{why}");
    }
}

#[test]
fn large_answers_go_to_who_proved_an_address() {
    let world = world(options(false));
    let long = "long.gslb.example.com. TXT";
    let first = ask(&world, &query(WWW, 4096, CLIENT), ("192.0.2.1", Transport::Udp)).unwrap();
    let good = returned(&first);
    let rows = [
        (&*good, "192.0.2.1", "", "a valid cookie: as much as the client takes"),
        (CLIENT, "192.0.2.1", " tc", "no server cookie yet"),
        ("", "192.0.2.1", " tc", "no cookie"),
        (&good, "192.0.2.2", " tc", "the cookie of another address"),
    ];
    for (options, source, want, why) in rows {
        let reply = ask(&world, &query(long, 4096, options), (source, Transport::Udp)).unwrap();
        let said = line(&reply);
        assert_eq!(said.contains(" tc"), want == " tc", "{why}: {said} {}", hex(&reply));
        assert!(want.is_empty() == (reply.len() > 512), "{why}: {} octets", reply.len());
    }
}
