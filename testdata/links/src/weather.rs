//! How links fare over time.
//!
//! Time goes in slots of ten minutes. In each, a link is in some [`Sky`]:
//!
//! - *Evenings*: usage rises towards 21:00 and the queue grows as in M/M/1,
//!   u / (1 − u); a carrier that is crowded has all its links near the brim.
//! - *Bursts*: loss comes and goes by a chain of two states (Gilbert, "Capacity
//!   of a Burst-Noise Channel", 1960).
//! - *Drift*: the delay of routes walks by a few per cent an hour and jumps now
//!   and then.
//! - *Brown-outs*: for an hour or so a link limps: lossy, slow and narrow, yet
//!   no probe calls it down.

use std::f64::consts::TAU;

use crate::random::Random;
use crate::world::{Link, World};

/// Slots in a day: a slot is ten minutes, five windows of 60 probes.
pub(crate) const SLOTS_A_DAY: u32 = 144;

/// Hour of the peak: residential networks are busiest at nine in the evening.
const PEAK_HOUR: f64 = 21.0;

/// Queue of a link in use by half, ms: ours.
const QUEUE_MS: f64 = 2.0;

/// Highest usage reckoned with: at 98 % the queue is 49 times that at half.
const MAX_USAGE: f64 = 0.98;

/// From this usage on, queues overflow.
const BRIM: f64 = 0.9;

/// Share lost for each unit of usage above the brim: 1.6 % at most.
const LOSS_ABOVE_BRIM: f64 = 0.2;

/// Additional usage at the peak of links of a crowded carrier.
const CROWD: f64 = 0.4;

/// Jitter of an idle link, ms, and its share of the queue: ours.
const JITTER: [f64; 2] = [0.5, 0.4];

/// Chance for a slot that a burst ends: bursts last 25 minutes in the mean.
const BURST_END: f64 = 0.4;

/// Chance for a slot that a brown-out ends: they last an hour in the mean.
const BROWNOUT_END: f64 = 1.0 / 6.0;

/// How often things happen. The chances are for a link and a slot.
#[derive(Clone, Copy, Debug)]
pub struct Weather {
    /// That a burst of loss begins.
    pub burst: f64,
    /// That a brown-out begins.
    pub brownout: f64,
    /// That a route changes, its delay with it.
    pub reroute: f64,
    /// Standard deviation of the walk of delays, a slot.
    pub drift: f64,
    /// How many carriers are crowded.
    pub crowded: usize,
}

impl Weather {
    /// A usual month: per link a burst in five hours, a brown-out in five
    /// days, a new route in a week.
    pub const USUAL: Self = Self { burst: 0.03, brownout: 0.001_4, reroute: 0.001, drift: 0.01, crowded: 1 };
    /// Evenings: two of four carriers are crowded.
    pub const BUSY: Self = Self { crowded: 2, ..Self::USUAL };
    /// Bursts of loss every hour and a half.
    pub const STORMY: Self = Self { burst: 0.1, ..Self::USUAL };
    /// Routes change daily.
    pub const SHIFTING: Self = Self { reroute: 0.007, drift: 0.03, ..Self::USUAL };
    /// Brown-outs twice a day.
    pub const BROWNOUTS: Self = Self { brownout: 0.015, ..Self::USUAL };
}

/// What a link is like in a slot; nobody sees it but through probes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sky {
    /// Factor that the routes of the day put on the idle delay.
    pub(crate) route: f64,
    pub(crate) queue_ms: f64,
    /// Factor that a brown-out puts on all delay.
    pub(crate) slowness: f64,
    pub(crate) jitter_ms: f64,
    /// Share lost.
    pub(crate) loss: f64,
    /// What brown-outs take of the capacity, nats, at most 0.
    pub(crate) capacity: f64,
}

impl Sky {
    /// Round trip of a link that takes so long when idle, ms.
    pub(crate) fn delay_ms(&self, idle_ms: f64) -> f64 {
        (idle_ms * self.route + self.queue_ms) * self.slowness
    }
}

/// What a link remembers from slot to slot.
struct Memory {
    /// Logarithm of what routes add to the delay.
    drift: f64,
    burst: Option<f64>,
    brownout: Option<Brownout>,
}

#[derive(Clone, Copy)]
struct Brownout {
    loss: f64,
    slowness: f64,
    capacity: f64,
}

/// Brings the weather of each slot, in order.
pub(crate) struct Forecast {
    weather: Weather,
    crowded: Vec<bool>,
    memories: Vec<Memory>,
    slot: u32,
    random: Random,
}

impl Forecast {
    pub(crate) fn new(world: &World, weather: Weather, seed: u64) -> Self {
        let mut random = Random::new(seed, "weather");
        let first = random.below(4);
        let is_crowded = |link: &Link| (link.carrier + 4 - first) % 4 < weather.crowded;
        let memories = world.links.iter().map(|_| Memory { drift: 0.0, burst: None, brownout: None });
        Self {
            weather,
            crowded: world.links.iter().map(is_crowded).collect(),
            memories: memories.collect(),
            slot: 0,
            random,
        }
    }

    /// How near the peak hour a slot is, 0–1.
    pub(crate) fn peak(slot: u32) -> f64 {
        let hour = f64::from(slot % SLOTS_A_DAY) / f64::from(SLOTS_A_DAY) * 24.0;
        f64::midpoint(1.0, (TAU * (hour - PEAK_HOUR) / 24.0).cos())
    }

    /// The next slot's sky of each link.
    pub(crate) fn next(&mut self, world: &World) -> Vec<Sky> {
        let peak = Self::peak(self.slot);
        self.slot += 1;
        let links = world.links.iter().zip(&mut self.memories).zip(&self.crowded);
        links
            .map(|((link, memory), &is_crowded)| {
                memory.pass(&self.weather, &mut self.random);
                let crowd = if is_crowded { CROWD } else { 0.0 };
                memory.sky(link, (link.usage[0] + (link.usage[1] + crowd) * peak).min(MAX_USAGE))
            })
            .collect()
    }
}

impl Memory {
    fn pass(&mut self, weather: &Weather, random: &mut Random) {
        let Weather { burst, brownout, reroute, drift, .. } = *weather;
        // Pulled back by 1 % a slot, so that a month's walk stays near home.
        self.drift = self.drift * 0.99 + drift * random.normal();
        if random.chance(reroute) {
            self.drift = random.between(-0.2, 0.6); // routes change for the worse, mostly
        }
        self.burst = match self.burst {
            Some(loss) if !random.chance(BURST_END) => Some(loss),
            Some(_) => None,
            None => random.chance(burst).then(|| random.log_between(0.01, 0.1)),
        };
        self.brownout = match self.brownout {
            Some(brownout) if !random.chance(BROWNOUT_END) => Some(brownout),
            Some(_) => None,
            None => random.chance(brownout).then(|| Brownout {
                loss: random.log_between(0.03, 0.2), // 20 % of loss is 0.8 % of failed probes
                slowness: random.between(1.2, 3.0),
                capacity: -random.between(0.2, 0.7),
            }),
        };
    }

    fn sky(&self, link: &Link, usage: f64) -> Sky {
        let queue_ms = QUEUE_MS * usage / (1.0 - usage);
        let slowness = self.brownout.map_or(1.0, |one| one.slowness);
        let losses = [
            link.idle_loss,
            (usage - BRIM).max(0.0) * LOSS_ABOVE_BRIM,
            self.burst.unwrap_or(0.0),
            self.brownout.map_or(0.0, |one| one.loss),
        ];
        Sky {
            route: self.drift.exp(),
            queue_ms,
            slowness,
            jitter_ms: JITTER[0] + JITTER[1] * queue_ms * slowness,
            loss: 1.0 - losses.iter().map(|loss| 1.0 - loss).product::<f64>(),
            capacity: self.brownout.map_or(0.0, |one| one.capacity),
        }
    }
}
