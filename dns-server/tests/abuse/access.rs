//! Who may ask what, and whose Client Subnet is believed.

use std::net::IpAddr;

use rhumb::respond::Transport::Udp;
use rhumb::snapshot::Options;

use crate::message::{ask, line, query, world};

fn prefixes(list: &[&str]) -> Option<Vec<rhumb_zones::Prefix>> {
    Some(list.iter().map(|prefix| prefix.parse().unwrap()).collect())
}

#[test]
fn zones_are_for_whom_they_are_for() {
    let world = world(Options::default());
    let rows = [
        ("www.inner.example.com. A", "10.1.2.3", "0 1/0/1", "one of those allowed"),
        ("www.inner.example.com. A", "192.0.2.1", "5 0/0/1 15:0012", "another: REFUSED, prohibited"),
        ("nothing.inner.example.com. A", "192.0.2.1", "5 0/0/1 15:0012", "nor what does not exist"),
        ("inner.example.com. SOA", "2001:db8::1", "5 0/0/1 15:0012", "of the other family"),
        ("www.gslb.example.com. A", "192.0.2.1", "0 1/0/1", "the zone beside it is for all"),
        ("inward.gslb.example.com. A", "10.1.2.3", "0 2/0/1", "an alias into it is followed"),
        ("inward.gslb.example.com. A", "192.0.2.1", "0 1/0/1", "as far as one may"),
    ];
    for (question, source, want, why) in rows {
        let reply = ask(&world, &query(question, 1232, ""), (source, Udp)).unwrap();
        assert_eq!(line(&reply), want, "{why}");
    }
}

#[test]
fn chaos_is_for_whom_it_is_for() {
    let world = world(Options { chaos_from: prefixes(&["192.0.2.0/24"]), ..Options::default() });
    let mut asked = query("version.bind. TXT", 1232, "");
    // The class follows name and type.
    asked[12 + 14 + 3] = 3;
    for (source, want, why) in [("192.0.2.1", "0 1/0/1", "allowed"), ("192.0.3.1", "5 0/0/1 15:0012", "not")]
    {
        assert_eq!(line(&ask(&world, &asked, (source, Udp)).unwrap()), want, "{why}");
    }
}

#[test]
fn client_subnet_is_believed_of_whom_it_is() {
    let world = world(Options { client_subnet_from: prefixes(&["192.0.2.0/24"]), ..Options::default() });
    // 5.0.1.0/24, which lies in America.
    let subnet = "0008 0007 0001 18 00 050001";
    let rows = [
        ("192.0.2.1", [192, 0, 2, 20], "8:0001181005", "believed: the client's datacenter, its scope"),
        ("5.1.0.1", [192, 0, 2, 10], "8:0001180005", "not: the resolver's, SCOPE 0 (RFC 7871 §7.2.1)"),
    ];
    for (source, address, echo, why) in rows {
        let reply = ask(&world, &query("www.gslb.example.com. A", 1232, subnet), (source, Udp)).unwrap();
        assert!(line(&reply).contains(echo), "{why}: {}", line(&reply));
        let at = 12 + 22 + 4 + 12;
        assert_eq!(
            IpAddr::from(<[u8; 4]>::try_from(&reply[at..at + 4]).unwrap()),
            IpAddr::from(address),
            "{why}"
        );
    }
}
