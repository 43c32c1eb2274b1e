//! Steering as other servers want it written.
//!
//! gdnsd steers by the great circle, as Rhumb does. Knot's geoip module and
//! PowerDNS's geoip backend know countries: each gets the datacenter that is
//! nearest to most of its networks, which is as well as they can do without
//! listing prefixes by hand.

use std::collections::BTreeMap;
use std::fmt::{Error, Write as _};

use crate::geography::DATACENTERS;
use crate::policies::vip;

/// gdnsd's `plugins`: the nearest by the great circle, as ours.
///
/// # Errors
/// Never: a String takes all.
pub fn gdnsd(database: &str) -> Result<String, Error> {
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

/// Knot's `config-file` of mod-geoip.
///
/// # Errors
/// Never.
pub fn knot(countries: &BTreeMap<String, usize>) -> Result<String, Error> {
    let mut text = String::from("www.geo.example.:\n");
    for (country, datacenter) in countries {
        writeln!(text, "  - geo: \"{country}\"\n    A: {}", vip(*datacenter))?;
    }
    Ok(text)
}

/// PowerDNS's `geoip-zones-file`.
///
/// # Errors
/// Never.
pub fn powerdns(countries: &BTreeMap<String, usize>) -> Result<String, Error> {
    let mut text = String::from(
        "domains:\n- domain: geo.example\n  ttl: 30\n  records:\n    geo.example:\n    \
         - soa: ns1.geo.example hostmaster.geo.example 1 3600 600 604800 300\n    - ns: ns1.geo.example\n",
    );
    writeln!(text, "    default.cc.geo.example:\n    - a: {}", vip(0))?;
    for (country, datacenter) in countries {
        let country = country.to_ascii_lowercase();
        writeln!(text, "    {country}.cc.geo.example:\n    - a: {}", vip(*datacenter))?;
    }
    text.push_str("  services:\n    www.geo.example: [ '%cc.cc.geo.example', 'default.cc.geo.example' ]\n");
    Ok(text)
}
