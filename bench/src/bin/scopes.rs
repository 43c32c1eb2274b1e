//! What the scope of answers costs resolvers' caches and gains their clients.
//!
//! `scopes CITY.mmdb ADDR:PORT [TTL]` asks a running server where a million
//! random /24s go and for which network each answer holds, then plays a
//! resolver that sends Client Subnet (RFC 7871 §7.3): questions for one name
//! come at a rate, from networks whose shares follow Zipf's law; an answer is
//! kept for its scope and TTL. Rows of a table go to standard output: for the
//! server's own scopes, and for scopes of one length for all, what share of
//! questions the cache answers, and what share of clients gets the datacenter
//! that is nearest by the database.

use std::collections::HashMap;
use std::error::Error;
use std::net::{IpAddr, Ipv4Addr, UdpSocket};
use std::path::Path;
use std::time::Duration;

use maxminddb::Reader;
use nix::sys::socket::SockaddrIn6;
use rhumb_bench::batch::{BATCH, Batch};
use rhumb_bench::geography::{Random, clients_v4};
use rhumb_bench::policies::vip;
use rhumb_bench::query;

/// Networks that ask: a tenth of those in use.
const NETWORKS: usize = 1_000_000;

/// Questions a second for one name at one resolver: a branch office's, a
/// provider's, a public service's.
const RATES: [u32; 3] = [10, 1_000, 100_000];

/// Questions played for each row, after as many TTLs as fill the cache.
const QUESTIONS: u32 = 2_000_000;

/// A network, what it is answered, and the right answer.
struct Client {
    network: u32,
    scope: u8,
    answer: Ipv4Addr,
    nearest: Ipv4Addr,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [database, server, rest @ ..] = &arguments[..] else {
        return Err("usage: scopes CITY.mmdb ADDR:PORT [TTL]".into());
    };
    let ttl: f64 = rest.first().map_or(Ok(30.0), |ttl| ttl.parse())?;
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let drawn = clients_v4(&Reader::open_readfile(Path::new(database))?, &mut random, NETWORKS)?;
    let mut clients = Vec::with_capacity(NETWORKS);
    let asker = Asker::new(server)?;
    for some in drawn.chunks(BATCH) {
        asker.ask(some, &mut clients)?;
    }
    let zipf = Zipf::new(clients.len());
    println!("| scope | questions a second | answered by the cache | clients at their nearest |");
    println!("|---|---|---|---|");
    for clamp in [Some(8), Some(12), Some(16), Some(20), Some(24), None] {
        for rate in RATES {
            let (hits, right) = play(&clients, (&zipf, &mut random), (rate, ttl), clamp);
            let name = clamp.map_or("as answered".to_owned(), |clamp| format!("/{clamp} for all"));
            println!("| {name} | {rate} | {:.2} % | {:.2} % |", 100.0 * hits, 100.0 * right);
        }
    }
    #[allow(clippy::cast_precision_loss)]
    let mean = clients.iter().map(|client| f64::from(client.scope)).sum::<f64>() / NETWORKS as f64;
    eprintln!("mean scope as answered: {mean:.1}");
    Ok(())
}

/// Shares of questions that the cache answers, and that are answered rightly.
fn play(
    clients: &[Client],
    (zipf, random): (&Zipf, &mut Random),
    (rate, ttl): (u32, f64),
    clamp: Option<u8>,
) -> (f64, f64) {
    let mut cache: HashMap<(u32, u8), (f64, Ipv4Addr)> = HashMap::new();
    let (mut hits, mut right, mut counted) = (0_u32, 0_u32, 0_u32);
    // One TTL fills the cache, or a round of questions where that is too long.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let fill = (f64::from(rate) * ttl).min(f64::from(QUESTIONS)) as u32;
    for asked in 0..fill + QUESTIONS {
        let now = f64::from(asked) / f64::from(rate);
        let client = &clients[zipf.draw(random)];
        let scope = clamp.unwrap_or(client.scope);
        let network = client.network & u32::MAX.checked_shl(32 - u32::from(scope)).unwrap_or(0);
        let entry = cache.entry((network, scope)).or_insert((f64::MIN, client.answer));
        let hit = entry.0 > now;
        if !hit {
            *entry = (now + ttl, client.answer);
        }
        if asked >= fill {
            hits += u32::from(hit);
            right += u32::from(entry.1 == client.nearest);
            counted += 1;
        }
    }
    (f64::from(hits) / f64::from(counted), f64::from(right) / f64::from(counted))
}

/// The k-th of so many has a share of 1/k.
struct Zipf(Vec<f64>);

impl Zipf {
    fn new(count: usize) -> Self {
        let sums = (1..=count).scan(0.0, |sum, rank| {
            *sum += 1.0 / rank as f64;
            Some(*sum)
        });
        Self(sums.collect())
    }

    fn draw(&self, random: &mut Random) -> usize {
        let all = self.0.last().copied().unwrap_or_default();
        let drawn = random.share() * all;
        self.0.partition_point(|sum| *sum < drawn).min(self.0.len() - 1)
    }
}

struct Asker(UdpSocket);

impl Asker {
    fn new(server: &str) -> Result<Self, Box<dyn Error>> {
        let socket = UdpSocket::bind("127.0.0.1:0")?;
        socket.connect(server)?;
        socket.set_read_timeout(Some(Duration::from_secs(1)))?;
        Ok(Self(socket))
    }

    /// Asks for a batch of networks at once.
    fn ask(&self, some: &[(IpAddr, usize)], clients: &mut Vec<Client>) -> Result<(), Box<dyn Error>> {
        let (mut out, mut back) = (Batch::<SockaddrIn6>::default(), Batch::<SockaddrIn6>::default());
        for (id, (network, _)) in some.iter().enumerate() {
            let packet = query::compose("www.geo.example", Some(*network), false).ok_or("a name")?;
            out.push(&packet)[1] = u8::try_from(id)?;
        }
        out.send(&self.0)?;
        let mut left = some.len();
        while left > 0 {
            back.receive(&self.0)?;
            for reply in back.datagrams() {
                let id = query::header(reply).map(|header| usize::from(header.id));
                let Some(&(IpAddr::V4(network), nearest)) = id.and_then(|id| some.get(id)) else {
                    return Err("an answer to nothing".into());
                };
                let answer = query::first_address(reply).ok_or("no address")?;
                let scope = query::scope(reply).ok_or("no scope")?;
                clients.push(Client { network: network.to_bits(), scope, answer, nearest: vip(nearest) });
                left -= 1;
            }
        }
        Ok(())
    }
}
