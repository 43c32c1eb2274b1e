//! Links as they go by, probe after probe, for what must stay calm.
//!
//! A [`Series`] has one class of clients and a few links, all probed every two
//! seconds. What a selection sees of it at some time is [`Series::seen`]: the
//! window of the last 60 probes; what its choices cost is told by the delays
//! without noise.

use std::f64::consts::TAU;

use crate::planetlab::PlanetLab;
use crate::random::Random;
use crate::trace::{DELAY_NOISE, PROBES};

/// From one probe to the next, seconds.
pub const STEP_S: usize = 2;

/// Steps in a window, which is what is seen at once: two minutes.
pub const WINDOW: usize = PROBES as usize;

/// Share of probes lost on a sound link: ours.
const LOSS: f64 = 0.001;

/// How much of what delay strays by is left after a step: half is gone after
/// ten minutes, longer than windows and shorter than evenings.
const PERSISTENCE: f64 = 0.997_7;

/// How far delays stray at least: the standard deviation of the logarithm.
/// Ours: queues come and go even where routes stay.
const STRAYING: f64 = 0.03;

/// At most, so that one pair that doubled overnight is not a storm.
const MAX_STRAYING: f64 = 0.3;

/// Delays of links, probe after probe.
#[derive(Debug)]
pub struct Series {
    /// By link, then by step, ms.
    truth: Vec<Vec<f64>>,
    /// The same as probed; nothing for a lost probe.
    probes: Vec<Vec<Option<f64>>>,
}

/// What a window shows of a link.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Seen {
    /// Share of probes lost, 0–1.
    pub loss: f64,
    /// Median, ms; nothing if all were lost.
    pub delay_ms: Option<f64>,
    /// Mean difference of neighbours, ms.
    pub jitter_ms: Option<f64>,
}

impl Series {
    /// Two links of 40 ms that stray alike: whichever is better now is better
    /// by noise.
    #[must_use]
    pub fn alternating(seed: u64, steps: usize) -> Self {
        let random = &mut Random::new(seed, "alternating");
        let truth = [40.0; 2].map(|delay_ms| stray(vec![delay_ms; steps], STRAYING, random));
        Self::probed(truth.into(), random)
    }

    /// Two links, of 30 and 36 ms; from a step on, the better takes three
    /// times as long.
    #[must_use]
    pub fn degraded(seed: u64, steps: usize, from: usize) -> Self {
        let random = &mut Random::new(seed, "degraded");
        let ill = (0..steps).map(|step| if step < from { 30.0 } else { 90.0 });
        let truth = [ill.collect(), vec![36.0; steps]].map(|delays| stray(delays, STRAYING, random));
        Self::probed(truth.into(), random)
    }

    /// From a node of PlanetLab to as many others of much the same delay, as
    /// links of one datacenter are. The slices are the two ends of each day,
    /// and delays stray as far as half their difference.
    #[must_use]
    pub fn planetlab(seed: u64, links: usize, steps: usize) -> Self {
        let planetlab = PlanetLab::read();
        let random = &mut Random::new(seed, "planetlab");
        let node = random.below(PlanetLab::NODES);
        let others = (0..PlanetLab::NODES).filter(|&other| other != node);
        let mut delays: Vec<_> = others.map(|other| planetlab.round_trip_ms(node, other)).collect();
        delays.sort_by(|one, other| one[0].total_cmp(&other[0]));
        let first = random.below(delays.len() - links);
        let truth = delays[first..first + links].iter().map(|&[night, evening]| {
            let change = (evening / night).ln();
            let day = (0..steps).map(|step| night * (change * time_of_day(step)).exp());
            stray(day.collect(), (change.abs() / 2.0).clamp(STRAYING, MAX_STRAYING), random)
        });
        let truth = truth.collect();
        Self::probed(truth, random)
    }

    fn probed(truth: Vec<Vec<f64>>, random: &mut Random) -> Self {
        let mut probe = |delay_ms: &f64| {
            let seen = delay_ms * random.factor(DELAY_NOISE);
            (!random.chance(LOSS)).then_some(seen)
        };
        let probes = truth.iter().map(|delays| delays.iter().map(&mut probe).collect()).collect();
        Self { truth, probes }
    }

    /// How many links there are.
    #[must_use]
    pub fn links(&self) -> usize {
        self.truth.len()
    }

    /// How many steps of [`STEP_S`] there are.
    #[must_use]
    pub fn steps(&self) -> usize {
        self.truth.first().map_or(0, Vec::len)
    }

    /// A link's delay without noise, ms.
    ///
    /// # Panics
    ///
    /// Beyond the links or the steps.
    #[must_use]
    pub fn truth_ms(&self, link: usize, step: usize) -> f64 {
        self.truth[link][step]
    }

    /// What each link's window shows after the probes of a step: of as many
    /// steps as there were, and [`WINDOW`] at most.
    ///
    /// # Panics
    ///
    /// Beyond the steps.
    #[must_use]
    pub fn seen(&self, step: usize) -> Vec<Seen> {
        let from = (step + 1).saturating_sub(WINDOW);
        self.probes.iter().map(|probes| look(&probes[from..=step])).collect()
    }
}

fn look(window: &[Option<f64>]) -> Seen {
    let count = |number: usize| f64::from(u32::try_from(number).expect("a window is short"));
    let delays: Vec<f64> = window.iter().copied().flatten().collect();
    let mut sorted = delays.clone();
    sorted.sort_by(f64::total_cmp);
    let steps = delays.windows(2).map(|pair| (pair[1] - pair[0]).abs());
    Seen {
        loss: count(window.len() - delays.len()) / count(window.len()),
        delay_ms: sorted.get(sorted.len() / 2).copied(),
        jitter_ms: (delays.len() > 1).then(|| steps.sum::<f64>() / count(delays.len() - 1)),
    }
}

/// 0 at the first slice's end of the day, 1 at the second's.
fn time_of_day(step: usize) -> f64 {
    let day = 86_400 / STEP_S;
    let share = f64::from(u32::try_from(step % day).expect("a day is short")) / 43_200.0;
    0.5 - 0.5 * (TAU * share).cos()
}

/// Lets delays stray and come back: an autoregression of first order, from
/// where it may be found at any time.
fn stray(delays: Vec<f64>, straying: f64, random: &mut Random) -> Vec<f64> {
    let push = straying * (1.0 - PERSISTENCE * PERSISTENCE).sqrt();
    let mut stray = straying * random.normal();
    let mut walk = || {
        stray = stray * PERSISTENCE + push * random.normal();
        stray.exp()
    };
    delays.into_iter().map(|delay_ms| delay_ms * walk()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Naive choice, the lowest delay seen after each window: what it does.
    fn naive(series: &Series) -> (usize, f64) {
        let (mut switches, mut last, mut cost) = (0, None, 0.0);
        let looks: Vec<_> = (WINDOW..series.steps()).step_by(WINDOW / 4).collect();
        for &step in &looks {
            let seen = series.seen(step);
            let delay = |&link: &usize| seen[link].delay_ms.unwrap();
            let pick = (0..series.links()).min_by(|one, other| delay(one).total_cmp(&delay(other))).unwrap();
            switches += usize::from(last.is_some_and(|last| last != pick));
            last = Some(pick);
            let best =
                (0..series.links()).map(|link| series.truth_ms(link, step)).fold(f64::INFINITY, f64::min);
            cost += series.truth_ms(pick, step) - best;
        }
        (switches, cost / f64::from(u32::try_from(looks.len()).unwrap()))
    }

    #[test]
    fn are_worth_being_calm_about() {
        let (hour, day) = (1_800, 43_200);
        let rows = [
            (Series::alternating(1, 6 * hour), 30..720, 0.0..2.0, "noise alone makes it switch all the time"),
            (Series::degraded(1, hour, hour / 2), 1..20, 0.0..5.0, "one good reason"),
            (Series::planetlab(1, 4, day), 20..2_000, 0.0..20.0, "a day of four alike"),
        ];
        for (series, switches, cost, why) in rows {
            let got = naive(&series);
            assert!(switches.contains(&got.0) && cost.contains(&got.1), "{why}: {got:?}");
        }
    }

    #[test]
    fn a_window_shows_what_was_probed() {
        let rows: [(&[Option<f64>], _, &str); 3] = [
            (&[Some(10.0), None, Some(14.0), Some(12.0)], (0.25, Some(12.0), Some(3.0)), "a lost one"),
            (&[None, None], (1.0, None, None), "all lost"),
            (&[Some(5.0)], (0.0, Some(5.0), None), "one has no neighbour"),
        ];
        for (window, (loss, delay_ms, jitter_ms), why) in rows {
            assert_eq!(look(window), Seen { loss, delay_ms, jitter_ms }, "{why}");
        }
    }
}
