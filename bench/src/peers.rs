//! Steering as other servers want it written.

use std::fmt::Write as _;

use crate::geography::DATACENTERS;
use crate::policies::vip;

/// gdnsd's `plugins`: the nearest by the great circle, as ours.
///
/// # Errors
/// Never: a String takes all.
pub fn gdnsd(database: &str) -> Result<String, std::fmt::Error> {
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
