//! Datacenters, clients, and who is nearest to whom.
//!
//! The one place that says what a right answer is: every server's geo case is
//! held against the great circle from where the database puts a network. So
//! only networks count that the database does not divide: those have one right
//! answer.
//!
//! Every run draws the same clients from the same database.

use std::collections::BTreeMap;
use std::error::Error;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use maxminddb::{LookupResult, PathElement, Reader};

/// Name, latitude and longitude, degrees. Spread over the world so that
/// clients use all of them.
pub const DATACENTERS: [(&str, f64, f64); 8] = [
    ("fra", 50.11, 8.68),
    ("iad", 38.95, -77.45),
    ("sjc", 37.34, -121.89),
    ("gru", -23.55, -46.63),
    ("jnb", -26.20, 28.05),
    ("bom", 19.08, 72.88),
    ("nrt", 35.68, 139.69),
    ("syd", -33.87, 151.21),
];

/// Xorshift: the same draw every time, from nothing.
pub struct Random(pub u64);

impl Random {
    /// Uniform below `bound`.
    #[allow(clippy::cast_possible_truncation)]
    pub fn below(&mut self, bound: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (((self.0 >> 32) * u64::from(bound)) >> 32) as u32
    }

    /// Uniform in [0, 1).
    pub fn share(&mut self) -> f64 {
        f64::from(self.below(u32::MAX)) / f64::from(u32::MAX)
    }
}

/// A network and the index of its nearest datacenter.
pub type Client = (IpAddr, usize);

/// `count` random /24s that the database places.
///
/// # Errors
/// When the database cannot be read.
pub fn clients_v4(
    reader: &Reader<Vec<u8>>,
    random: &mut Random,
    count: usize,
) -> Result<Vec<Client>, Box<dyn Error>> {
    let mut clients = Vec::with_capacity(count);
    while clients.len() < count {
        let client = IpAddr::V4(Ipv4Addr::from_bits(random.below(1 << 24) << 8));
        if let Some(place) = place(&reader.lookup(client)?, 24)? {
            clients.push((client, nearest(place)));
        }
    }
    Ok(clients)
}

/// `count` random /56s, each in a random one of the database's networks: most
/// of the address space is nobody's, and the rest a few giants'.
///
/// # Errors
/// When the database cannot be read.
pub fn clients_v6(
    reader: &Reader<Vec<u8>>,
    random: &mut Random,
    count: usize,
) -> Result<Vec<Client>, Box<dyn Error>> {
    let mut networks = Vec::new();
    for found in reader.within("2000::/3".parse()?, maxminddb::WithinOptions::default())? {
        let found = found?;
        if let (IpAddr::V6(first), Some(place)) = (found.network()?.network(), place(&found, 56)?) {
            networks.push((first, found.network()?.prefix(), nearest(place)));
        }
    }
    let bound = u32::try_from(networks.len())?;
    let clients = (0..count).map(|_| {
        let (first, length, nearest) = networks[random.below(bound) as usize];
        let within = u64::from(random.below(u32::MAX)) << 32 | u64::from(random.below(u32::MAX));
        // The bits between the network's length and the /56.
        let host = within.checked_shr(u32::from(length)).unwrap_or(0) & !0xFF;
        (IpAddr::V6(Ipv6Addr::from_bits(first.to_bits() | u128::from(host) << 64)), nearest)
    });
    Ok(clients.collect())
}

/// Each country's datacenter, for those who can steer by no more: the one that
/// is nearest to most of its networks, of `count` drawn.
///
/// # Errors
/// When the database cannot be read.
pub fn countries(
    reader: &Reader<Vec<u8>>,
    random: &mut Random,
    count: usize,
) -> Result<BTreeMap<String, usize>, Box<dyn Error>> {
    let mut votes: BTreeMap<String, [u32; DATACENTERS.len()]> = BTreeMap::new();
    for _ in 0..count {
        let found = reader.lookup(IpAddr::V4(Ipv4Addr::from_bits(random.below(1 << 24) << 8)))?;
        let Some(place) = place(&found, 24)? else { continue };
        let country: Option<String> =
            found.decode_path(&[PathElement::Key("country"), PathElement::Key("iso_code")])?;
        if let Some(country) = country {
            votes.entry(country).or_default()[nearest(place)] += 1;
        }
    }
    let most = |votes: &[u32; DATACENTERS.len()]| (0..votes.len()).max_by_key(|&at| votes[at]).unwrap_or(0);
    Ok(votes.into_iter().map(|(country, votes)| (country, most(&votes))).collect())
}

/// Where the database puts a network; nothing if it does not, or if it divides
/// networks of `longest` bits there.
fn place(found: &LookupResult<'_, Vec<u8>>, longest: u8) -> Result<Option<(f64, f64)>, Box<dyn Error>> {
    if !found.has_data() || found.network()?.prefix() > longest {
        return Ok(None);
    }
    let coordinate = |key| found.decode_path(&[PathElement::Key("location"), PathElement::Key(key)]);
    Ok(coordinate("latitude")?.zip(coordinate("longitude")?))
}

/// The index of the datacenter nearest to a latitude and longitude.
#[must_use]
pub fn nearest(place: (f64, f64)) -> usize {
    let distance = |at: usize| central_angle(place, (DATACENTERS[at].1, DATACENTERS[at].2));
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
