//! Prints what databases cost: CPU time to load, resident memory, look-ups.
//!
//! `cargo run --release -p rhumb-geo --example measure -- FILE.mmdb…`
//!
//! Look-ups are of random addresses that some record locates, in an order that
//! defeats caches; classes are those of 2, 8 and 64 datacenters at random
//! points, nearest first. Times are of the processor, from /proc, so that a
//! busy machine does not inflate them (its caches and clock still suffer).

#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a tool for people")]
#![allow(clippy::disallowed_methods, reason = "it measures: it reads files")]

use std::collections::HashMap;
use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use rhumb_geo::{ClassId, ClassMap, Database, Direction, Gazetteer, PlaceId, PlaceTable};
use rhumb_zones::Point;

const LOOK_UPS: u32 = 2_000_000;

fn main() {
    let start = cpu();
    let mut databases = Vec::new();
    for path in std::env::args().skip(1) {
        let bytes = std::fs::read(&path).unwrap();
        let start = cpu();
        databases.push(Database::open(&path, bytes).unwrap());
        println!("{:>10.3?}  open {path}", cpu() - start);
    }
    let gazetteer = timed("gazetteer", || Arc::new(Gazetteer::new(databases)));
    println!("{:>10.3?}  total load", cpu() - start);
    println!("{:>7} MB  resident, {} MB at peak", status("VmRSS"), status("VmHWM"));
    let table = timed("place table", || PlaceTable::new(Arc::clone(&gazetteer), &[], &[]));
    println!("{:>10}  places", table.len());

    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let v4 = located(&table, &mut random, |r| IpAddr::V4(Ipv4Addr::from_bits((r >> 32) as u32)));
    // One of eight of 2000::/3's /12s in use, so that enough are found.
    let v6 = located(&table, &mut random, |r| {
        let top = [0x2001, 0x2400, 0x2600, 0x2800, 0x2a00, 0x2c00][(r % 6) as usize];
        let high = (top << 48) | (r >> 16);
        IpAddr::V6(Ipv6Addr::from_bits(u128::from(high) << 64))
    });
    for (name, addresses) in [("v4", &v4), ("v6", &v6)] {
        per_look_up(&format!("place {name}"), addresses, |address| table.look_up(address).place.index());
    }
    for datacenters in [2, 8, 64] {
        let map = nearest(&table, datacenters, &mut random);
        for (name, addresses, source) in [("v4", &v4, 24), ("v6", &v6, 56)] {
            let cut: Vec<_> = addresses.iter().map(|a| network(*a, source)).collect();
            per_look_up(&format!("find {name}/{source}"), &cut, |a| map.find(a, source).0.index());
            per_look_up(&format!("class {name}"), addresses, |address| map.class(address).index());
        }
    }
    println!("{:>7} MB  resident, {} MB at peak", status("VmRSS"), status("VmHWM"));
}

fn nearest(table: &PlaceTable, datacenters: usize, random: &mut Random) -> ClassMap {
    println!("{datacenters} datacenters:");
    let mut point = || {
        let mut unit = || (random.next() >> 11) as f64 / (1u64 << 53) as f64;
        Direction::new(Point::new(unit() * 100.0 - 40.0, unit() * 360.0 - 180.0).unwrap())
    };
    let datacenters: Vec<Direction> = (0..datacenters).map(|_| point()).collect();
    let class_of = timed("class of every place", || {
        let mut orders = HashMap::new();
        let class = |order: Vec<usize>, orders: &mut HashMap<_, _>| {
            let next = orders.len();
            *orders.entry(order).or_insert_with(|| ClassId::new(next).unwrap())
        };
        let of_place = |place: rhumb_geo::Place<'_>| {
            let Some(at) = place.at.map(Direction::new) else { return vec![] };
            let chord = |d: usize| datacenters[d].chord_squared(at);
            let mut order: Vec<usize> = (0..datacenters.len()).collect();
            order.sort_by(|a, b| chord(*a).total_cmp(&chord(*b)));
            order.truncate(3);
            order
        };
        table.places().map(|place| class(of_place(place), &mut orders)).collect::<Vec<_>>()
    });
    println!("{:>10}  classes", class_of.iter().max().unwrap().index() + 1);
    let map = timed("class map", || table.classes(&class_of));
    println!("{:>10?}  ranges", map.ranges());
    map
}

fn located(table: &PlaceTable, random: &mut Random, make: impl Fn(u64) -> IpAddr) -> Vec<IpAddr> {
    let addresses = std::iter::repeat_with(|| make(random.next()));
    let known = |address: &IpAddr| table.look_up(*address).place != PlaceId::NOWHERE;
    addresses.filter(known).take(LOOK_UPS as usize).collect()
}

fn network(address: IpAddr, length: u8) -> IpAddr {
    rhumb_zones::Prefix::containing(address, length).unwrap().address()
}

fn timed<T>(what: &str, act: impl FnOnce() -> T) -> T {
    let start = cpu();
    let made = act();
    println!("{:>10.3?}  {what}", cpu() - start);
    made
}

fn per_look_up(what: &str, addresses: &[IpAddr], mut act: impl FnMut(IpAddr) -> usize) {
    let mut best = Duration::MAX;
    for _ in 0..5 {
        let start = cpu();
        addresses.iter().for_each(|address| _ = black_box(act(*address)));
        best = best.min(cpu() - start);
    }
    println!("{:>7.1} ns  {what}", best.as_secs_f64() * 1e9 / f64::from(LOOK_UPS));
}

/// Time that this process has spent on a processor.
fn cpu() -> Duration {
    let statistics = std::fs::read_to_string("/proc/self/schedstat").unwrap();
    Duration::from_nanos(statistics.split_whitespace().next().unwrap().parse().unwrap())
}

fn status(key: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with(key)).unwrap_or("0 0");
    line.split_whitespace().nth(1).and_then(|kb| kb.parse::<u64>().ok()).unwrap_or(0) / 1024
}

/// SplitMix64 (Steele, Lea, Flood 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}
