//! Real prefixes of all continents against the real GeoLite2-City: each is
//! sent to the datacenter that its own record, read by another reader and
//! measured by another formula, is nearest to; and the scope of the answer is
//! right at both of its ends.

use std::net::IpAddr;

use maxminddb::{Reader, geoip2};
use rhumb::respond::Transport;
use rhumb_zones::Prefix;

use crate::lab::{Asked, Lab, testdata};
use crate::message::{Reply, query};

/// `at:` of `testdata/cases/geography.yaml`, and the address there.
const DATACENTERS: [(f64, f64, &str); 8] = [
    (50.11, 8.68, "192.0.2.1"),
    (38.95, -77.45, "192.0.2.2"),
    (37.34, -121.89, "192.0.2.3"),
    (-23.43, -46.47, "192.0.2.4"),
    (-26.13, 28.24, "192.0.2.5"),
    (19.09, 72.87, "192.0.2.6"),
    (35.77, 140.39, "192.0.2.7"),
    (-33.95, 151.18, "192.0.2.8"),
];

/// Spherical law of cosines: not the formula of `rhumb-geo`. Radians.
fn angle((lat1, lon1): (f64, f64), (lat2, lon2): (f64, f64)) -> f64 {
    let (a, b, turn) = (lat1.to_radians(), lat2.to_radians(), (lon2 - lon1).to_radians());
    (a.sin() * b.sin() + a.cos() * b.cos() * turn.cos()).clamp(-1.0, 1.0).acos()
}

/// The address expected by a client in `prefix`; nothing where a finer record
/// or a near tie leaves it open.
fn expected(database: &Reader<Vec<u8>>, prefix: Prefix) -> Option<&'static str> {
    let found = database.lookup(prefix.address()).unwrap();
    if found.network().unwrap().prefix() > prefix.length() {
        return None;
    }
    let city: geoip2::City<'_> = found.decode().unwrap()?;
    let (Some(latitude), Some(longitude)) = (city.location.latitude, city.location.longitude) else {
        return Some(DATACENTERS[0].2);
    };
    let mut ranked: Vec<_> =
        DATACENTERS.iter().map(|&(lat, lon, vip)| (angle((latitude, longitude), (lat, lon)), vip)).collect();
    ranked.sort_by(|a, b| a.0.total_cmp(&b.0));
    // A kilometre and a half either way is nobody's nearest.
    (ranked[1].0 - ranked[0].0 > 2.5e-4).then_some(ranked[0].1)
}

/// The first and last address of what the answer holds for.
fn ends(scope: Prefix) -> [IpAddr; 2] {
    let first = scope.address();
    let last = match first {
        IpAddr::V4(v4) => {
            (v4.to_bits() | u32::MAX.checked_shr(scope.length().into()).unwrap_or(0)).to_be_bytes().into()
        }
        IpAddr::V6(v6) => {
            (v6.to_bits() | u128::MAX.checked_shr(scope.length().into()).unwrap_or(0)).to_be_bytes().into()
        }
    };
    [first, last]
}

#[test]
fn real_prefixes_are_sent_to_the_nearest_datacenter() {
    let file = testdata("../target/testdata/GeoLite2-City.mmdb");
    let Ok(bytes) = std::fs::read(&file) else {
        println!("SKIPPED: {} is absent; run testdata/geo/fetch", file.display());
        return;
    };
    let mut lab = Lab::start_with(&testdata("cases/geography.yaml"), vec![bytes.clone()]);
    let database = Reader::from_source(bytes).unwrap();
    let rows = std::fs::read_to_string(testdata("geo/prefixes.tsv")).unwrap();
    let (mut held, mut continents) = (0, std::collections::BTreeSet::new());
    for row in rows.lines().filter(|row| !row.starts_with('#')) {
        let mut columns = row.split('\t');
        let prefix: Prefix = columns.next().unwrap().parse().unwrap();
        let Some(vip) = expected(&database, prefix) else { continue };
        let asked = query(&format!("www.gslb.example.com A +subnet={prefix}"));
        let packet = Asked { packet: &asked, from: IpAddr::from([127, 0, 0, 1]), draw: 0 };
        let raw = lab.in_process(&packet, Transport::Udp).unwrap();
        assert_eq!(Some(&raw), lab.over_udp(&asked, true).as_ref(), "{row}: UDP says the same");
        assert_eq!(Some(&raw), lab.over_tcp(&asked).as_ref(), "{row}: TCP says the same");
        let reply = Reply::parse(&raw);
        let want = [format!("answer www.gslb.example.com 30 A {vip}")];
        assert_eq!(reply.records(), want, "{row}");
        let scope = Prefix::containing(prefix.address(), reply.scope().unwrap()).unwrap();
        for end in ends(scope) {
            let asked = query("www.gslb.example.com A");
            let raw = lab.in_process(&Asked { packet: &asked, from: end, draw: 0 }, Transport::Udp).unwrap();
            assert_eq!(Reply::parse(&raw).records(), want, "{row}: {end} lies in the scope {scope}");
        }
        held += 1;
        continents.insert(columns.nth(1).unwrap().to_owned());
    }
    assert!(held >= 200, "only {held} prefixes could be held against the database");
    assert!(continents.len() >= 6, "only {continents:?}");
}
