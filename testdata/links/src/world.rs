//! Links, clients, and the ways between them: what stays through a trace.
//!
//! A country of 3,000 km by 3,000 km, its last quarter abroad, in regions of
//! 1,000 km, with four carriers. One to three datacenters hold the links. Each
//! class of clients sits somewhere and belongs to a carrier, or to none that is
//! known. How far a link is for operators (the *price*) is the distance plus
//! steps; what the way really takes is drawn around it, once for each pair.

use crate::random::Random;

/// Carriers: China has three large ones and a remainder.
const CARRIERS: [&str; 4] = ["telecom", "unicom", "mobile", "cable"];

/// Datacenters, at most.
const DATACENTERS: [&str; 3] = ["north", "south", "west"];

/// Share of classes whose carrier is not known: ours.
const UNKNOWN_CARRIER: f64 = 0.2;

/// Classes of clients; one is asked for in each slot. Ours: enough that a
/// class differs from another, few enough that each returns.
const CLASSES: usize = 12;

/// Side of the square that everything sits in, km: a large country.
const SIDE_KM: f64 = 3_000.0;

/// East of it is abroad, km.
const BORDER_KM: f64 = 2_250.0;

/// Side of a region, km.
const REGION_KM: f64 = 1_000.0;

/// Step of the price when the link is not of the client's carrier, km: 40 ms,
/// what a mismatch costs in China, at 21 ms per 1,000 km.
pub(crate) const CARRIER_STEP_KM: f64 = 1_900.0;

/// Step for another country, km: 21 ms.
const COUNTRY_STEP_KM: f64 = 1_000.0;

/// Step for another region, km: 10 ms.
const REGION_STEP_KM: f64 = 500.0;

/// Round trip, ms per km: the median of 57,807 measured pairs of cities.
pub(crate) const MS_PER_KM: f64 = 0.021;

/// Spread of a link's capacity, nats: ours, e^0.2 is a fifth more or less.
const CAPACITY_SPREAD: f64 = 0.2;

/// Points of an operator's rating for a nat of capacity, about 60: ours.
const POINTS_PER_NAT: f64 = 60.0;

/// Rating of a link of usual capacity: ours.
const USUAL_RATING: f64 = 60.0;

/// Loss of an idle link, and the spread of its logarithm: paid transit loses
/// a few in ten thousand. Ours.
pub(crate) const USUAL_LOSS: f64 = 0.000_2;
const IDLE_LOSS_SPREAD: f64 = 1.0;

/// Share of pairs of class and link with a `prefer:` of 2 or 0.5: ours, most
/// operators say nothing.
const PREFERRED: f64 = 0.12;

/// A link as it was built.
pub(crate) struct Link {
    pub(crate) name: String,
    pub(crate) carrier: usize,
    at: [f64; 2],
    /// Operator's rating, 1–100.
    pub(crate) quality: f64,
    /// How much more than usual it carries, nats.
    pub(crate) capacity: f64,
    /// Round trip from the prober when idle, ms.
    pub(crate) idle_ms: f64,
    /// Share lost in good times.
    pub(crate) idle_loss: f64,
    /// Share of its capacity in use at night and how much more at the peak.
    pub(crate) usage: [f64; 2],
}

/// Clients that no operator can tell apart.
struct Class {
    carrier: Option<usize>,
    at: [f64; 2],
}

/// The way from a class of clients to a link.
pub(crate) struct Way {
    /// Great-circle distance, km.
    pub(crate) distance_km: f64,
    /// What operators reckon: distance and steps, km.
    pub(crate) price_km: f64,
    /// What operators said in `prefer:`, else 1.
    pub(crate) weight: f64,
    /// Round trip without the mismatch, ms.
    pub(crate) idle_ms: f64,
    /// How much a mismatch costs this pair, about 1; 0 without one.
    pub(crate) mismatch: f64,
}

/// The links and clients of one trace.
pub struct World {
    pub(crate) links: Vec<Link>,
    /// By class, then by link.
    pub(crate) ways: Vec<Vec<Way>>,
}

impl World {
    /// The world of a seed, with 2–8 links; every seven seeds have all.
    /// `spread` is how far ways differ from what their length says, as the
    /// standard deviation of the logarithm; `hearsay` how wrong ratings are, in
    /// points.
    #[must_use]
    pub fn new(seed: u64, spread: f64, hearsay: f64) -> Self {
        let random = &mut Random::new(seed, "world");
        let count = 2 + usize::try_from(seed % 7).expect("below seven");
        let datacenters: Vec<_> = (0..=random.below(DATACENTERS.len())).map(|_| spot(random)).collect();
        let links: Vec<_> = (0..count).map(|index| link(index, &datacenters, hearsay, random)).collect();
        let ways = (0..CLASSES).map(|_| {
            let carrier = (!random.chance(UNKNOWN_CARRIER)).then(|| random.below(CARRIERS.len()));
            let class = Class { carrier, at: spot(random) };
            links.iter().map(|link| way(&class, link, spread, random)).collect()
        });
        Self { ways: ways.collect(), links }
    }
}

fn spot(random: &mut Random) -> [f64; 2] {
    [random.between(0.0, SIDE_KM), random.between(0.0, SIDE_KM)]
}

fn link(index: usize, datacenters: &[[f64; 2]], hearsay: f64, random: &mut Random) -> Link {
    // Neighbours differ, mostly.
    let carrier = (index + random.below(2)) % CARRIERS.len();
    let capacity = CAPACITY_SPREAD * random.normal();
    let rating = USUAL_RATING + POINTS_PER_NAT * capacity + hearsay * random.normal();
    Link {
        // Counted, because a datacenter may have two links of a carrier; what
        // follows the last slash is the carrier.
        name: format!("{}/{index}/{}", DATACENTERS[index % datacenters.len()], CARRIERS[carrier]),
        carrier,
        at: datacenters[index % datacenters.len()],
        quality: (rating / 5.0).round().clamp(1.0, 20.0) * 5.0,
        capacity,
        // From the edge of the city to another province: ours.
        idle_ms: random.log_between(4.0, 60.0),
        idle_loss: USUAL_LOSS * random.factor(IDLE_LOSS_SPREAD),
        usage: [random.between(0.2, 0.4), random.between(0.1, 0.4)],
    }
}

/// The capacity that a rating speaks of, nats.
pub(crate) fn told_capacity(quality: f64) -> f64 {
    (quality - USUAL_RATING) / POINTS_PER_NAT
}

fn way(class: &Class, link: &Link, spread: f64, random: &mut Random) -> Way {
    let [x, y] = [class.at[0] - link.at[0], class.at[1] - link.at[1]];
    let distance_km = x.hypot(y);
    let is_foreign = class.carrier != Some(link.carrier);
    let is_abroad = (class.at[0] < BORDER_KM) != (link.at[0] < BORDER_KM);
    let region = |at: [f64; 2]| at.map(|side| (side / REGION_KM).floor());
    let step = |is_taken, km| if is_taken { km } else { 0.0 };
    let borders_km =
        step(is_abroad, COUNTRY_STEP_KM) + step(region(class.at) != region(link.at), REGION_STEP_KM);
    let factor = random.factor(spread);
    let mismatch = random.factor(spread);
    let is_less = random.chance(0.5);
    let weight = if random.chance(PREFERRED) { if is_less { 0.5 } else { 2.0 } } else { 1.0 };
    Way {
        distance_km,
        price_km: (distance_km + borders_km + step(is_foreign, CARRIER_STEP_KM)).round(),
        weight,
        idle_ms: (distance_km + borders_km) * MS_PER_KM * factor,
        mismatch: step(is_foreign, mismatch),
    }
}
