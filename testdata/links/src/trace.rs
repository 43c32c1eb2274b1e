//! Decisions: what an operator sees of links, and what would have been best.
//!
//! One class of clients is asked for every 50 minutes, so that all hours and
//! weeks of weather come by in a few hundred decisions. Streams of randomness
//! are apart: more wrong labels change labels, and nothing else.

use std::fmt::Write;

use crate::kind::Kind;
use crate::planetlab::PlanetLab;
use crate::random::Random;
use crate::truth::{Facts, Truth};
use crate::weather::{Forecast, Sky};
use crate::world::{CARRIER_STEP_KM, MS_PER_KM, USUAL_LOSS, Way, World, told_capacity};

/// First line of a file of samples.
pub const HEADER: &str = "group,link,quality,price_km,weight,loss,delay_ms,jitter_ms,best,utility";

/// Slots from one decision to the next: 50 minutes, which no day divides.
const STRIDE: u32 = 5;

/// Probes in a window.
pub(crate) const PROBES: u32 = 60;

/// Noise of a window's delay and jitter: the standard deviation of the
/// logarithm.
pub(crate) const DELAY_NOISE: f64 = 0.15;

/// Share of links and windows that nobody measured: a prober restarts. Ours.
const UNMEASURED: f64 = 0.01;

/// What a mismatch of carriers costs at the peak and at night, of its mean:
/// peerings are crowded when networks are.
const MISMATCH: [f64; 2] = [1.5, 0.5];

/// Loss of a crowded peering at the peak: ours, a few times usual loss.
const PEERING_LOSS: f64 = 0.005;

/// Which trace.
#[derive(Clone, Copy, Debug)]
pub struct How<'a> {
    /// Weather and truth.
    pub kind: &'a Kind,
    /// Decides all.
    pub seed: u64,
    /// How many decisions.
    pub groups: u32,
    /// Share of labels that name another link than the best, 0–1.
    pub wrong: f64,
}

/// One decision: the links that a class of clients could be given.
#[derive(Clone, PartialEq, Debug)]
pub struct Decision {
    /// Unique over kinds and seeds.
    pub group: String,
    /// In the order of declaration; at least two.
    pub candidates: Vec<Candidate>,
    /// The link that was truly best for these clients in the slot before.
    pub best_before: usize,
}

/// A link, as an operator sees it.
#[derive(Clone, PartialEq, Debug)]
pub struct Candidate {
    /// Its name.
    pub link: String,
    /// Operator's rating, 1–100.
    pub quality: f64,
    /// Distance and steps, km.
    pub price_km: Option<f64>,
    /// What operators say in `prefer:`, else 1.
    pub weight: f64,
    /// Share of 60 probes lost; nothing when there were none.
    pub loss: Option<f64>,
    /// Median, ms.
    pub delay_ms: Option<f64>,
    /// ms.
    pub jitter_ms: Option<f64>,
    /// Whether it is labelled best.
    pub is_best: bool,
    /// How good it truly was, nats.
    pub utility: f64,
    /// Great-circle distance, km.
    pub distance_km: Option<f64>,
    /// What the truth would say of what is seen: the bound that noise sets to
    /// every selector.
    pub guess: f64,
}

/// The decisions of a trace.
#[must_use]
pub fn trace(how: &How<'_>) -> Vec<Decision> {
    let How { kind, seed, groups, wrong } = *how;
    let stage = Stage::new(kind, seed);
    let mut forecast = Forecast::new(&stage.world, kind.weather, seed);
    let [mut clients, mut noise, mut labels] =
        ["clients", "noise", "labels"].map(|purpose| Random::new(seed, purpose));
    let mut decide = |number: u32| {
        for _ in 2..STRIDE {
            forecast.next(&stage.world);
        }
        let [before, now] = [forecast.next(&stage.world), forecast.next(&stage.world)];
        let slot = (number + 1) * STRIDE - 1;
        let class = clients.below(stage.world.ways.len());
        let utilities = |skies: &[Sky], slot| -> Vec<_> {
            stage.facts(class, skies, slot).iter().map(|facts| kind.truth.utility(facts)).collect()
        };
        let truth = utilities(&now, slot);
        let best_before = best(&utilities(&before, slot - 1));
        let label = mislabel(best(&truth), truth.len(), wrong, &mut labels);
        let facts = stage.facts(class, &now, slot);
        let candidates = facts.iter().enumerate().map(|(index, facts)| Candidate {
            link: stage.world.links[index].name.clone(),
            is_best: index == label,
            utility: round(truth[index], 1e4),
            ..seen(facts, &stage.world.ways[class][index], stage.planetlab.is_some(), &mut noise)
        });
        let mut candidates: Vec<_> = candidates.collect();
        guess(&kind.truth, &mut candidates);
        Decision { group: format!("{}-{seed}-{number}", kind.name), candidates, best_before }
    };
    (0..groups).map(&mut decide).collect()
}

/// What of a trace does not pass.
struct Stage {
    world: World,
    /// Delays, by class and link, in either slice.
    planetlab: Option<Vec<Vec<[f64; 2]>>>,
}

impl Stage {
    fn new(kind: &Kind, seed: u64) -> Self {
        let world = World::new(seed, kind.spread, kind.hearsay);
        let planetlab = kind.is_planetlab.then(|| nodes(&world, seed));
        Self { world, planetlab }
    }

    /// What is true of each link for a class, under a sky.
    fn facts(&self, class: usize, skies: &[Sky], slot: u32) -> Vec<Facts> {
        let peak = Forecast::peak(slot);
        let links = self.world.links.iter().zip(skies).zip(&self.world.ways[class]).enumerate();
        links
            .map(|(index, ((link, sky), way))| {
                let real = self.planetlab.as_ref().map(|delays| delays[class][index]);
                // The slices stand for night and evening.
                let way_share = if real.is_some() { 0.0 } else { 1.0 }; // measured delays have it
                let real_ms = real.map(|[night, evening]| night + (evening - night) * peak);
                let mismatch = way.mismatch * (MISMATCH[1] + (MISMATCH[0] - MISMATCH[1]) * peak);
                Facts {
                    quality: link.quality,
                    price_km: way.price_km,
                    weight: way.weight,
                    loss: sky.loss,
                    delay_ms: sky.delay_ms(real_ms.unwrap_or(link.idle_ms)),
                    jitter_ms: sky.jitter_ms,
                    way_ms: way_share * (way.idle_ms + mismatch * CARRIER_STEP_KM * MS_PER_KM),
                    way_loss: way_share * way.mismatch.min(1.0) * PEERING_LOSS * peak * peak,
                    capacity: link.capacity + sky.capacity,
                }
            })
            .collect()
    }
}

/// Other nodes for each class and link, and their delays.
fn nodes(world: &World, seed: u64) -> Vec<Vec<[f64; 2]>> {
    let planetlab = PlanetLab::read();
    let random = &mut Random::new(seed, "nodes");
    let mut nodes: Vec<_> = (0..PlanetLab::NODES).collect();
    for index in 0..world.links.len() + world.ways.len() {
        let other = index + random.below(nodes.len() - index);
        nodes.swap(index, other);
    }
    let (links, rest) = nodes.split_at(world.links.len());
    let delays = |&class: &usize| links.iter().map(|&link| planetlab.round_trip_ms(class, link)).collect();
    rest.iter().take(world.ways.len()).map(delays).collect()
}

/// What an operator sees of it.
fn seen(facts: &Facts, way: &Way, is_priceless: bool, noise: &mut Random) -> Candidate {
    let lost = (0..PROBES).filter(|_| noise.chance(facts.loss)).count();
    let delay_ms = facts.delay_ms * noise.factor(DELAY_NOISE);
    let jitter_ms = facts.jitter_ms * noise.factor(DELAY_NOISE);
    let is_measured = !noise.chance(UNMEASURED);
    let measured = |value: f64| is_measured.then_some(value);
    #[expect(clippy::cast_precision_loss, reason = "60 at most")]
    let loss = lost as f64 / f64::from(PROBES);
    Candidate {
        link: String::new(),
        quality: facts.quality,
        price_km: (!is_priceless).then_some(facts.price_km),
        weight: facts.weight,
        loss: measured(round(loss, 1e4)),
        delay_ms: measured(round(delay_ms, 1e2)),
        jitter_ms: measured(round(jitter_ms, 1e2)),
        is_best: false,
        utility: 0.0,
        distance_km: (!is_priceless).then(|| way.distance_km.round()),
        guess: 0.0,
    }
}

/// Says of each candidate what the truth would, if all that is seen were true
/// and what is not seen were usual.
fn guess(truth: &Truth, candidates: &mut [Candidate]) {
    let mean = |fact: fn(&Candidate) -> Option<f64>| {
        let known: Vec<_> = candidates.iter().filter_map(fact).collect();
        known.iter().sum::<f64>() / f64::from(u32::try_from(known.len().max(1)).expect("a few"))
    };
    let usual = [mean(|one| one.loss), mean(|one| one.delay_ms), mean(|one| one.jitter_ms)];
    for one in candidates {
        let price_km = one.price_km.unwrap_or(0.0);
        one.guess = truth.utility(&Facts {
            quality: one.quality,
            price_km,
            weight: one.weight,
            loss: one.loss.unwrap_or(usual[0]).max(USUAL_LOSS),
            delay_ms: one.delay_ms.unwrap_or(usual[1]).max(1.0),
            jitter_ms: one.jitter_ms.unwrap_or(usual[2]),
            way_ms: price_km * MS_PER_KM,
            way_loss: 0.0,
            capacity: told_capacity(one.quality),
        });
    }
}

/// As it is written, so that a file says the same as the trace.
fn round(value: f64, steps: f64) -> f64 {
    (value * steps).round() / steps
}

fn best(utilities: &[f64]) -> usize {
    (0..utilities.len()).max_by(|&one, &other| utilities[one].total_cmp(&utilities[other])).unwrap_or(0)
}

fn mislabel(best: usize, count: usize, wrong: f64, labels: &mut Random) -> usize {
    let other = (best + 1 + labels.below(count - 1)) % count; // drawn even if not used
    if labels.chance(wrong) { other } else { best }
}

/// Writes decisions as samples, without the header.
pub fn write(decisions: &[Decision], out: &mut String) {
    let cell = |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
    for Decision { group, candidates, .. } in decisions {
        for one in candidates {
            let Candidate { link, quality, weight, is_best, utility, .. } = one;
            let [price, loss, delay, jitter] =
                [one.price_km, one.loss, one.delay_ms, one.jitter_ms].map(cell);
            let best = u8::from(*is_best);
            writeln!(
                out,
                "{group},{link},{quality},{price},{weight},{loss},{delay},{jitter},{best},{utility}"
            )
            .expect("a string takes all");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind::KINDS;

    #[test]
    fn is_the_same_for_ever() {
        let kind = Kind::named("stream").unwrap();
        let mut text = String::new();
        write(&trace(&How { kind, seed: 3, groups: 1, wrong: 0.1 }), &mut text);
        let expected = "\
stream-3-0,north/0/unicom,30,4430,1,0,35.69,1.91,0,1.275
stream-3-0,north/1/mobile,50,4430,1,0,44.89,1.04,0,1.5963
stream-3-0,north/2/cable,50,2530,1,0,37.15,0.84,1,1.9466
stream-3-0,north/3/telecom,70,4430,1,0.0667,25.34,5.18,0,0.4974
stream-3-0,north/4/telecom,50,4430,0.5,0,54.42,12.65,0,1.2497
";
        assert_eq!(text, expected, "who changes traces measures anew what the README says");
    }

    #[test]
    fn labels_are_as_wrong_as_told() {
        for kind in &KINDS {
            let how = How { kind, seed: 3, groups: 400, wrong: 0.25 };
            let decisions = trace(&how);
            let right = |one: &Decision| {
                let top = one.candidates.iter().map(|one| one.utility).fold(f64::MIN, f64::max);
                one.candidates.iter().any(|one| one.is_best && one.utility >= top)
            };
            let wrong = decisions.iter().filter(|&one| !right(one)).count();
            assert!((60..140).contains(&wrong), "{}: a quarter of labels is wrong: {wrong}", kind.name);
            let more = trace(&How { wrong: 0.0, groups: 2, ..how });
            assert!(more.iter().all(right), "{}: no label is wrong", kind.name);
            let unlabelled = |decision: &Decision| -> Vec<_> {
                decision.candidates.iter().map(|one| Candidate { is_best: false, ..one.clone() }).collect()
            };
            assert_eq!(unlabelled(&more[1]), unlabelled(&decisions[1]), "{}: all else stays", kind.name);
        }
    }
}
