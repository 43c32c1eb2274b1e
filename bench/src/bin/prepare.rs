//! Writes the same zones for every server, and what to ask them.
//!
//! `prepare CITY.mmdb DIRECTORY` writes, below the directory:
//!
//! - `static.zone`, 100,000 names with one A each, and `static.queries`;
//! - `static.yaml`, `geo.yaml`, `signed.yaml`, `cold.yaml`, `failover.yaml`, and
//!   `hurried.a` and `hurried.b` to reload in turn: Rhumb's policies;
//! - what other servers want for the same datacenters (`rhumb_bench::peers`);
//! - `geo.queries` and `geo6.queries`: 100,000 random networks that the
//!   database places, each with the address of the datacenter nearest to it;
//!   `do.queries` and `signed.queries`, the same clients asking for DNSSEC;
//!   `cold.queries`, the same asking random services.
//!
//! Every run draws the same networks from the same database.

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;

use maxminddb::Reader;
use rhumb_bench::failover;
use rhumb_bench::geography::{Client, Random, clients_v4, clients_v6, countries};
use rhumb_bench::peers;
use rhumb_bench::policies::{self, COLD, cold_vip, vip};

/// Names in the static zone and client networks in each geo case: more than
/// any cache of answers would hold in a core's L2.
const MANY: usize = 100_000;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [database, directory] = &arguments[..] else {
        return Err("usage: prepare CITY.mmdb DIRECTORY".into());
    };
    let write = |name: &str, text: &str| fs::write(Path::new(directory).join(name), text);
    let reader = Reader::open_readfile(database)?;
    let mut random = Random(0x9E37_79B9_7F4A_7C15);

    let (zone, queries) = static_zone(&mut random)?;
    write("static.zone", &zone)?;
    write("static.queries", &queries)?;
    write("static.yaml", "zone: static.example\nrecords: static.zone\n")?;
    write("geo.yaml", &policies::geo()?)?;
    write("signed.yaml", &policies::signed()?)?;
    write("cold.yaml", &policies::cold()?)?;
    write("hurried.a", &policies::hurried(30)?)?;
    write("hurried.b", &policies::hurried(31)?)?;
    write("failover.yaml", &failover::policy()?)?;
    let clients = clients_v4(&reader, &mut random, MANY)?;
    write("geo.queries", &ask(&clients, "www.geo.example", ""))?;
    write("do.queries", &ask(&clients, "www.geo.example", " do"))?;
    write("signed.queries", &ask(&clients, "www.signed.example", " signed"))?;
    write("cold.queries", &ask_cold(&clients, &mut random)?)?;
    write("geo6.queries", &ask(&clients_v6(&reader, &mut random, MANY)?, "www.geo.example", ""))?;
    let countries = countries(&reader, &mut random, 10 * MANY)?;
    write("gdnsd.geoip", &peers::gdnsd(database)?)?;
    write("knot.geoip", &peers::knot(&countries)?)?;
    write("powerdns.geoip", &peers::powerdns(&countries)?)?;
    Ok(())
}

fn static_zone(random: &mut Random) -> Result<(String, String), Box<dyn Error>> {
    let mut zone = String::from(
        "$ORIGIN static.example.\n$TTL 300\n\
         @ IN SOA ns1 hostmaster 1 3600 600 604800 300\n@ IN NS ns1\nns1 IN A 127.0.0.1\n",
    );
    let mut lines: Vec<String> = Vec::with_capacity(MANY);
    for host in 0..MANY {
        let address = Ipv4Addr::from_bits(0x0A00_0000 + u32::try_from(host)?);
        writeln!(zone, "h{host:06} IN A {address}")?;
        lines.push(format!("h{host:06}.static.example - {address}\n"));
    }
    for at in (1..lines.len()).rev() {
        lines.swap(at, random.below(u32::try_from(at + 1)?) as usize);
    }
    Ok((zone, lines.concat()))
}

fn ask(clients: &[Client], name: &str, dnssec: &str) -> String {
    let line = |&(client, nearest): &Client| format!("{name} {client} {}{dnssec}\n", vip(nearest));
    clients.iter().map(line).collect()
}

fn ask_cold(clients: &[Client], random: &mut Random) -> Result<String, Box<dyn Error>> {
    let mut text = String::new();
    for &(client, nearest) in clients {
        let service = random.below(u32::try_from(COLD)?) as usize;
        writeln!(text, "s{service:04}.cold.example {client} {}", cold_vip(service, nearest))?;
    }
    Ok(text)
}
