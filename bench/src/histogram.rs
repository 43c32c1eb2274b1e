//! Times counted in a fixed table: 1.6 % wide from 1 ns to minutes.

/// Buckets of each doubling, as a power of two.
const FINE: u32 = 6;

/// Doublings of a nanosecond that are told apart: 2^40 ns are 18 minutes.
const DOUBLINGS: u32 = 40;

/// How many times fell where.
pub struct Histogram {
    counts: Vec<u64>,
    count: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { counts: vec![0; ((DOUBLINGS + 1) << FINE) as usize], count: 0 }
    }
}

impl Histogram {
    /// Counts a time; allocates nothing.
    pub fn add(&mut self, nanoseconds: u64) {
        let at = bucket(nanoseconds).min(self.counts.len() - 1);
        self.counts[at] += 1;
        self.count += 1;
    }

    /// The time, nanoseconds, that a share of all times, 0 to 1, does not
    /// exceed.
    #[must_use]
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    pub fn quantile(&self, share: f64) -> u64 {
        let mut left = (self.count as f64 * share).ceil() as u64;
        for (at, count) in self.counts.iter().enumerate() {
            if *count >= left {
                return limit(at);
            }
            left -= count;
        }
        0
    }
}

/// Below 2^FINE a bucket each; above, 2^FINE buckets a doubling.
fn bucket(value: u64) -> usize {
    let doubling = (u64::BITS - value.leading_zeros()).saturating_sub(FINE + 1);
    usize::try_from((u64::from(doubling) << FINE) + (value >> doubling)).unwrap_or(usize::MAX)
}

/// The greatest value of a bucket.
fn limit(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    match (bucket >> FINE).checked_sub(1) {
        None | Some(0) => bucket,
        Some(doubling) => ((bucket - (doubling << FINE) + 1) << doubling) - 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets() {
        for (value, why) in [
            (0, "nothing"),
            (63, "exact while small"),
            (64, "the first of a doubling"),
            (127, "the last that is exact"),
            (128, "two in a bucket"),
            (1_000_000, "a millisecond"),
            (u64::from(u32::MAX), "seconds"),
        ] {
            let told = limit(bucket(value));
            assert!(told >= value && told - value <= value >> FINE, "{value}: {told}: {why}");
        }
    }

    #[test]
    fn quantiles() {
        let mut histogram = Histogram::default();
        (1..=100).for_each(|value| histogram.add(value));
        assert_eq!([0.5, 0.99, 1.0].map(|share| histogram.quantile(share)), [50, 99, 100]);
        assert_eq!(Histogram::default().quantile(0.5), 0, "of nothing");
    }
}
