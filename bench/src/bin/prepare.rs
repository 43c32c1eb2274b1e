//! Writes the same two zones for every server, and what to ask them.
//!
//! `prepare CITY.mmdb DIRECTORY` writes, below the directory:
//!
//! - `static.zone`, 100,000 names with one A each, and `static.queries`;
//! - `static.yaml` and `geo.yaml`, Rhumb's policies of both zones;
//! - `gdnsd.geoip`, gdnsd's `plugins` of the same datacenters;
//! - `geo.queries`: 100,000 random /24s that the database places, each with
//!   the address of the datacenter nearest to it.
//!
//! Every run draws the same networks from the same database.

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;

use maxminddb::{PathElement, Reader};

/// Names in the static zone and client networks in the geo case: more than
/// any cache of answers would hold in a core's L2.
const MANY: usize = 100_000;

/// Spread over the world so that clients use all of them.
const DATACENTERS: [(&str, f64, f64); 8] = [
    ("fra", 50.11, 8.68),
    ("iad", 38.95, -77.45),
    ("sjc", 37.34, -121.89),
    ("gru", -23.55, -46.63),
    ("jnb", -26.20, 28.05),
    ("bom", 19.08, 72.88),
    ("nrt", 35.68, 139.69),
    ("syd", -33.87, 151.21),
];

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [database, directory] = &arguments[..] else {
        return Err("usage: prepare CITY.mmdb DIRECTORY".into());
    };
    let directory = Path::new(directory);
    let reader = Reader::open_readfile(database)?;
    let mut random = Random(0x9E37_79B9_7F4A_7C15);

    let (zone, queries) = static_zone(&mut random);
    fs::write(directory.join("static.zone"), zone)?;
    fs::write(directory.join("static.queries"), queries)?;
    fs::write(directory.join("static.yaml"), "zone: static.example\nrecords: static.zone\n")?;
    fs::write(directory.join("geo.yaml"), policy()?)?;
    fs::write(directory.join("gdnsd.geoip"), gdnsd_plugins(database)?)?;
    fs::write(directory.join("geo.queries"), geo_queries(&reader, &mut random)?)?;
    Ok(())
}

/// Xorshift: the same draw every time, from nothing.
struct Random(u64);

impl Random {
    #[allow(clippy::cast_possible_truncation)]
    fn below(&mut self, bound: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (((self.0 >> 32) * u64::from(bound)) >> 32) as u32
    }
}

fn static_zone(random: &mut Random) -> (String, String) {
    let mut zone = String::from(
        "$ORIGIN static.example.\n$TTL 300\n\
         @ IN SOA ns1 hostmaster 1 3600 600 604800 300\n@ IN NS ns1\nns1 IN A 127.0.0.1\n",
    );
    let mut lines: Vec<String> = Vec::with_capacity(MANY);
    for host in 0..MANY {
        let address = Ipv4Addr::from_bits(0x0A00_0000 + u32::try_from(host).expect("fewer than 2^24"));
        writeln!(zone, "h{host:06} IN A {address}").expect("a String takes all");
        lines.push(format!("h{host:06}.static.example - {address}\n"));
    }
    for at in (1..lines.len()).rev() {
        lines.swap(at, random.below(u32::try_from(at + 1).expect("fewer than 2^24")) as usize);
    }
    (zone, lines.concat())
}

fn vip(datacenter: usize) -> String {
    format!("192.0.2.{}", datacenter + 1)
}

fn policy() -> Result<String, std::fmt::Error> {
    let mut text = String::from("zone: geo.example\ndatacenters:\n");
    for (name, latitude, longitude) in DATACENTERS {
        writeln!(text, "  {name}: {{ at: [{latitude}, {longitude}], links: {{ a: {{}}, b: {{}} }} }}")?;
    }
    text.push_str("services:\n  www:\n    vips:\n");
    for (index, (name, ..)) in DATACENTERS.iter().enumerate() {
        writeln!(text, "      {name}: {{ a: {}, b: 198.51.100.{} }}", vip(index), index + 1)?;
    }
    Ok(text)
}

fn gdnsd_plugins(database: &str) -> Result<String, std::fmt::Error> {
    let mut text =
        format!("geoip => {{ maps => {{ world => {{\n  geoip2_db => {database},\n  datacenters => [");
    for (name, ..) in DATACENTERS {
        write!(text, " {name},")?;
    }
    text.push_str(" ],\n  auto_dc_coords => {");
    for (name, latitude, longitude) in DATACENTERS {
        write!(text, " {name} => [ {latitude}, {longitude} ],")?;
    }
    text.push_str(" }\n}}, resources => { www => { map => world, dcmap => {");
    for (index, (name, ..)) in DATACENTERS.iter().enumerate() {
        write!(text, " {name} => {},", vip(index))?;
    }
    text.push_str(" }}}}\n");
    Ok(text)
}

fn geo_queries(reader: &Reader<Vec<u8>>, random: &mut Random) -> Result<String, Box<dyn Error>> {
    let mut text = String::new();
    let mut drawn = 0;
    while drawn < MANY {
        let client = Ipv4Addr::from_bits(random.below(1 << 24) << 8);
        let Some((latitude, longitude)) = place_of(reader, client)? else {
            continue;
        };
        writeln!(text, "www.geo.example {client} {}", vip(nearest(latitude, longitude)))?;
        drawn += 1;
    }
    Ok(text)
}

/// Where the database puts a /24; nothing if it does not, or if it divides
/// it, so that there is one right answer.
fn place_of(reader: &Reader<Vec<u8>>, client: Ipv4Addr) -> Result<Option<(f64, f64)>, Box<dyn Error>> {
    let found = reader.lookup(client.into())?;
    if !found.has_data() || found.network()?.prefix() > 24 {
        return Ok(None);
    }
    let coordinate = |key| found.decode_path(&[PathElement::Key("location"), PathElement::Key(key)]);
    Ok(coordinate("latitude")?.zip(coordinate("longitude")?))
}

fn nearest(latitude: f64, longitude: f64) -> usize {
    let distance = |at: usize| central_angle((latitude, longitude), (DATACENTERS[at].1, DATACENTERS[at].2));
    (0..DATACENTERS.len())
        .min_by(|a, b| distance(*a).total_cmp(&distance(*b)))
        .expect("there are datacenters")
}

/// The great-circle angle between two points, by haversines.
fn central_angle(a: (f64, f64), b: (f64, f64)) -> f64 {
    let (latitude_a, latitude_b) = (a.0.to_radians(), b.0.to_radians());
    let half = |from: f64, to: f64| ((to - from) / 2.0).sin().powi(2);
    let chord = half(latitude_a, latitude_b)
        + latitude_a.cos() * latitude_b.cos() * half(a.1.to_radians(), b.1.to_radians());
    2.0 * chord.sqrt().min(1.0).asin()
}
