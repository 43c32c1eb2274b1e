//! What is served: the same answers as each server wants them written.
//!
//! Addresses are on loopback, so that health checks and link probes meet the
//! listeners of `targets` and the state behind the answers is a real one.

use std::fmt::{Error, Write as _};
use std::net::{Ipv4Addr, SocketAddrV4};

use crate::geography::DATACENTERS;

/// Where checks and link probes find a listener, on any loopback address.
pub const PORT: u16 = 5399;

/// Services of the cold case.
pub const COLD: usize = 10_000;

/// The VIP of a datacenter's link `a`, which clients are answered: its
/// operator rates it higher.
#[must_use]
pub fn vip(datacenter: usize) -> Ipv4Addr {
    on_loopback(1, datacenter)
}

/// The same for a service of the cold case.
#[must_use]
pub fn cold_vip(service: usize, datacenter: usize) -> Ipv4Addr {
    let at = u32::try_from(service * DATACENTERS.len() + datacenter).expect("fewer than 2^24");
    Ipv4Addr::from_bits(0x0A00_0000 + at)
}

/// Every address that checks and link probes of [`geo`] ask.
#[must_use]
pub fn targets() -> Vec<SocketAddrV4> {
    let kinds = (1..=4).flat_map(|kind| (0..DATACENTERS.len()).map(move |at| on_loopback(kind, at)));
    kinds.map(|address| SocketAddrV4::new(address, PORT)).collect()
}

/// An address of each datacenter, in a /24 for each kind of target.
fn on_loopback(kind: u8, datacenter: usize) -> Ipv4Addr {
    Ipv4Addr::new(127, 0, kind, u8::try_from(datacenter + 1).expect("few datacenters"))
}

/// Datacenters with two probed links each, and `www` with checked VIPs.
///
/// # Errors
/// Never: a String takes all.
pub fn geo() -> Result<String, Error> {
    let mut text = String::from("zone: geo.example\ndatacenters:\n");
    for (index, (name, latitude, longitude)) in DATACENTERS.iter().enumerate() {
        writeln!(text, "  {name}:\n    at: [{latitude}, {longitude}]\n    links:")?;
        for (link, quality, kind) in [("a", 80, 3), ("b", 50, 4)] {
            let near = on_loopback(kind, index);
            writeln!(text, "      {link}: {{ quality: {quality}, probe: {{ tcp: '{near}:{PORT}' }} }}")?;
        }
    }
    text.push_str(&www()?);
    Ok(text)
}

/// [`geo`] with probes in a hurry and a hundred services, whose VIPs are the
/// same; the TTL makes one such policy differ from another.
///
/// # Errors
/// Never.
pub fn hurried(ttl: u32) -> Result<String, Error> {
    let pace = "interval: 200ms, fast-interval: 100ms, timeout: 100ms, fall: 1, rise: 1, hold-down: 0s";
    let www = www()?;
    let one = www.strip_prefix("services:\n").unwrap_or_default();
    let more = (0..99).map(|at| one.replacen("www", &format!("s{at:02}"), 1));
    Ok(format!("defaults: {{ {pace}, ttl: {ttl}s }}\n{}{}", geo()?, more.collect::<String>()))
}

/// The same service in a signed zone; the datacenters are those of [`geo`].
///
/// # Errors
/// Never.
pub fn signed() -> Result<String, Error> {
    Ok(format!("zone: signed.example\ndnssec: {{}}\n{}", www()?))
}

fn www() -> Result<String, Error> {
    let mut text =
        format!("services:\n  www:\n    check: {{ tcp: {PORT} }}\n    link-selection: formula\n    vips:\n");
    for (index, (name, ..)) in DATACENTERS.iter().enumerate() {
        writeln!(text, "      {name}: {{ a: {}, b: {} }}", vip(index), on_loopback(2, index))?;
    }
    Ok(text)
}

/// [`COLD`] services with addresses of their own; nobody could check 160,000
/// of them on one machine, so links alone are probed.
///
/// # Errors
/// Never.
pub fn cold() -> Result<String, Error> {
    let mut text = String::from("zone: cold.example\nservices:\n");
    for service in 0..COLD {
        write!(text, "  s{service:04}: {{ vips: {{")?;
        for (index, (name, ..)) in DATACENTERS.iter().enumerate() {
            let a = cold_vip(service, index);
            let b = Ipv4Addr::from_bits(a.to_bits() + (1 << 24));
            let comma = if index == 0 { "" } else { "," };
            write!(text, "{comma} {name}: {{ a: {a}, b: {b} }}")?;
        }
        text.push_str(" } }\n");
    }
    Ok(text)
}
