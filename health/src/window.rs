//! Loss and delay of a target over its recent probes.
//!
//! A ring of the last [`Window::PROBES`] probes: two minutes at the default
//! interval. It is counted in probes, not in time, so that every target's
//! figures rest on equally much, however often it is probed; what that means
//! in time is the interval's business. Averages that decay were refused: after
//! a brown-out they say something that never was.
//!
//! Percentiles are by nearest rank. They are computed when asked for: probes
//! come far more often than questions.

use std::collections::VecDeque;

use crate::reply::{Measure, Reply};

/// The last probes of one target.
#[derive(Clone, Default, Debug)]
pub struct Window {
    probes: VecDeque<Sample>,
}

#[derive(Clone, Copy, Debug)]
struct Sample {
    tries: u8,
    lost: u8,
    /// Milliseconds; not a number when there was no answer.
    delay: f32,
}

impl Window {
    /// How many probes are kept: enough to tell 5 % of loss from 10 %.
    pub const PROBES: usize = 60;

    /// A window without probes.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a probe, and forgets the oldest when full. Probes that could not
    /// be sent measure nothing.
    pub fn push(&mut self, reply: &Reply) {
        if reply.tries == 0 {
            return;
        }
        if self.probes.len() == Self::PROBES {
            self.probes.pop_front();
        }
        let delay = reply.delay.map_or(f32::NAN, |delay| delay.as_secs_f32() * 1e3);
        self.probes.push_back(Sample { tries: reply.tries, lost: reply.lost.min(reply.tries), delay });
    }

    /// A window that holds these probes, oldest first: tries, tries lost, delay
    /// in milliseconds. More than fit are cut from the old end.
    #[must_use]
    pub fn from_samples(samples: &[(u8, u8, Option<f32>)]) -> Self {
        let kept = samples.len().saturating_sub(Self::PROBES);
        let sample = |&(tries, lost, delay): &(u8, u8, Option<f32>)| Sample {
            tries,
            lost: lost.min(tries),
            delay: delay.filter(|delay| delay.is_finite()).unwrap_or(f32::NAN),
        };
        Self { probes: samples[kept..].iter().map(sample).collect() }
    }

    /// The probes in it, as [`from_samples`](Self::from_samples) takes them.
    pub fn samples(&self) -> impl Iterator<Item = (u8, u8, Option<f32>)> {
        self.probes.iter().map(|one| (one.tries, one.lost, (!one.delay.is_nan()).then_some(one.delay)))
    }

    /// What the probes in it say together.
    #[must_use]
    pub fn measure(&self) -> Measure {
        let sum = |field: fn(&Sample) -> u8| self.probes.iter().map(|one| u32::from(field(one))).sum::<u32>();
        let (tries, lost) = (sum(|one| one.tries), sum(|one| one.lost));
        if tries == 0 {
            return Measure::default();
        }
        let loss = f64::from(lost) / f64::from(tries);
        let delays: Vec<f64> =
            self.probes.iter().filter(|one| !one.delay.is_nan()).map(|one| f64::from(one.delay)).collect();
        let mean =
            |values: &[f64]| (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64);
        let steps: Vec<f64> = delays.windows(2).map(|pair| (pair[1] - pair[0]).abs()).collect();
        let mut sorted = delays.clone();
        sorted.sort_unstable_by(f64::total_cmp);
        let rank = |percent: usize| sorted.get((sorted.len() * percent).div_ceil(100).max(1) - 1).copied();
        Measure {
            loss,
            delay_ms: mean(&delays),
            p50_ms: rank(50),
            p95_ms: rank(95),
            jitter_ms: mean(&steps),
            tries,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// Tries, lost, and the delay in milliseconds.
    type Row = (u8, u8, Option<u64>);

    fn measure(rows: &[Row]) -> Measure {
        let mut window = Window::new();
        for &(tries, lost, delay) in rows {
            let delay = delay.map(Duration::from_millis);
            window.push(&Reply { outcome: Ok(()), tries, lost, delay, report: None });
        }
        let kept: Vec<_> = window.samples().collect();
        assert_eq!(Window::from_samples(&kept).measure(), window.measure(), "what is kept says the same");
        window.measure()
    }

    #[test]
    fn what_probes_say_together() {
        let steady = [(1, 0, Some(10)); 100];
        let aged: Vec<Row> = [(3, 3, None); 60].into_iter().chain([(1, 0, Some(10)); 60]).collect();
        // Loss, mean, median, 95th percentile, jitter, tries.
        type Want = (f64, Option<f64>, Option<f64>, Option<f64>, Option<f64>, u32);
        let rows: [(&[Row], Want, &str); 6] = [
            (&[], (0.0, None, None, None, None, 0), "nothing was measured"),
            (&[(0, 0, None)], (0.0, None, None, None, None, 0), "nothing could be sent"),
            (&[(3, 3, None)], (1.0, None, None, None, None, 3), "silence has no delay"),
            (&steady, (0.0, Some(10.0), Some(10.0), Some(10.0), Some(0.0), 60), "at most 60 are kept"),
            (&aged, (0.0, Some(10.0), Some(10.0), Some(10.0), Some(0.0), 60), "the oldest go first"),
            (
                &[(1, 0, Some(10)), (2, 1, Some(30)), (1, 0, Some(20))],
                (0.25, Some(20.0), Some(20.0), Some(30.0), Some(15.0), 4),
                "a retry is a loss, though the probe succeeded",
            ),
        ];
        for (probes, (loss, delay_ms, p50_ms, p95_ms, jitter_ms, tries), why) in rows {
            let want = Measure { loss, delay_ms, p50_ms, p95_ms, jitter_ms, tries };
            assert_eq!(measure(probes), want, "{why}");
        }
    }
}
