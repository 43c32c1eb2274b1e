//! What a link is judged by, in numbers.
//!
//! A decision is about a *group*: the links that may serve one class of
//! clients. Of each its [`LinkFacts`] are known, or not; [`features`] makes of
//! them the vector that every scorer reads, the hand-set formula and learned
//! models alike, so that both can be blended, compared and explained in one
//! unit:
//!
//! | fact | unit, range | feature | formula, nats | where from |
//! |---|---|---|---|---|
//! | `quality` | 1–100 | quality / 100 | +0.5 | operator, `quality:` |
//! | `price_km` | km, 0–40,000 | price / 3,000 | −1 | distance from class to link, plus steps |
//! | `weight` | 0–1,000, 1 is neutral | weight | +1 | operator, `prefer:` |
//! | `loss` | 0–1 | ln(loss + 1/120) | −0.5 | window of probes |
//! | `delay_ms` | ms, above 0 | ln(delay) | −1 | the same, its median |
//! | `jitter_ms` | ms | jitter / 100 | −0.5 | the same |
//! | | | max(delay − 150, 0) / 100 | −0.3 | the same |
//!
//! The unit of a score is the *nat*: one nat is a factor e of goodput. Delay
//! and loss enter as in goodput ∝ 1 / (delay · √loss) (Mathis et al., "The
//! Macroscopic Behavior of the TCP Congestion Avoidance Algorithm", CCR 27,
//! 1997); 1/120 stands for the loss that a window of 60 probes cannot see;
//! above 150 ms one way people notice in conversation (ITU-T G.114). Other
//! coefficients are ours.
//!
//! A fact that is missing is never zero: it stands for the mean of what is
//! known in the group, so that it neither helps nor harms, and where nothing
//! is known all links are alike. Facts beyond their range are cut to it.
//!
//! **Invariant:** a feature is finite, whatever the facts.

/// What is known of one link, when one class of clients is to be answered.
#[derive(Clone, Copy, PartialEq, Default, Debug)]
pub struct LinkFacts {
    /// The operator's rating, 1 (worst) to 100.
    pub quality: Option<f64>,
    /// How far the link is from the clients: kilometres, with steps for
    /// another carrier, country or region.
    pub price_km: Option<f64>,
    /// How much these clients want the link, 1 when nobody says.
    pub weight: Option<f64>,
    /// Share of probes lost, 0–1.
    pub loss: Option<f64>,
    /// Median delay of probes, milliseconds.
    pub delay_ms: Option<f64>,
    /// Mean difference of neighbouring delays, milliseconds.
    pub jitter_ms: Option<f64>,
}

/// One number that a link is judged by.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Feature {
    /// The operator's rating.
    Quality,
    /// How far from the clients.
    Price,
    /// How much clients want it.
    Weight,
    /// Logarithm of loss.
    Loss,
    /// Logarithm of delay.
    Delay,
    /// Jitter.
    Jitter,
    /// Delay beyond what people notice.
    Late,
}

/// The features of one link, in the order of [`Feature::ALL`].
pub type Features = [f64; Feature::COUNT];

impl Feature {
    /// How many there are.
    pub const COUNT: usize = 7;

    /// Every feature, in the order of vectors.
    pub const ALL: [Self; Self::COUNT] =
        [Self::Quality, Self::Price, Self::Weight, Self::Loss, Self::Delay, Self::Jitter, Self::Late];

    /// Its name in model files and explanations.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Quality => "quality",
            Self::Price => "price",
            Self::Weight => "weight",
            Self::Loss => "loss",
            Self::Delay => "delay",
            Self::Jitter => "jitter",
            Self::Late => "late",
        }
    }

    /// Whether more of it can only help; of the others it can only harm.
    #[must_use]
    pub const fn helps(self) -> bool {
        matches!(self, Self::Quality | Self::Weight)
    }
}

/// Loss that a window of 60 probes cannot see: half of one in 60.
const UNSEEN_LOSS: f64 = 1.0 / 120.0;

/// Kilometres in a unit of price: about the width of a continent.
const PRICE_UNIT_KM: f64 = 3_000.0;

/// Delay that people notice, milliseconds.
const NOTICED_MS: f64 = 150.0;

/// Shortest delay told apart, milliseconds: below it, machines are measured
/// and not links.
const MIN_DELAY_MS: f64 = 0.1;

/// Largest delay and jitter told apart, milliseconds: longer is a fault.
const MAX_DELAY_MS: f64 = 60_000.0;

/// Nats per unit of each feature; linear, so a score is a dot product.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Weights(pub Features);

impl Weights {
    /// The hand-set formula: the table above.
    pub const FORMULA: Self = Self([0.5, -1.0, 1.0, -0.5, -1.0, -0.5, -0.3]);

    /// What each feature adds to the score, in nats.
    #[must_use]
    pub fn contributions(&self, features: &Features) -> Features {
        std::array::from_fn(|index| self.0[index] * features[index])
    }

    /// The score, in nats: only differences within a group mean anything.
    #[must_use]
    pub fn score(&self, features: &Features) -> f64 {
        self.contributions(features).iter().sum()
    }
}

/// The features of all links of a group.
#[must_use]
pub fn features(group: &[LinkFacts]) -> Vec<Features> {
    let mut columns = [[0.0; 2]; Feature::COUNT]; // sum and count of what is known
    let known: Vec<_> = group.iter().map(known).collect();
    for one in &known {
        for (column, value) in columns.iter_mut().zip(one) {
            if let Some(value) = value {
                *column = [column[0] + value, column[1] + 1.0];
            }
        }
    }
    let mean = columns.map(|[sum, count]| if count > 0.0 { sum / count } else { 0.0 });
    known.iter().map(|one| std::array::from_fn(|index| one[index].unwrap_or(mean[index]))).collect()
}

/// What is known of one link.
fn known(facts: &LinkFacts) -> [Option<f64>; Feature::COUNT] {
    let LinkFacts { quality, price_km, weight, loss, delay_ms, jitter_ms } = *facts;
    let within = |fact: Option<f64>, low: f64, high: f64| {
        fact.filter(|fact| !fact.is_nan()).map(|fact| fact.clamp(low, high))
    };
    let delay = within(delay_ms, MIN_DELAY_MS, MAX_DELAY_MS);
    [
        within(quality, 1.0, 100.0).map(|quality| quality / 100.0),
        within(price_km, 0.0, 40_000.0).map(|price| price / PRICE_UNIT_KM),
        within(weight, 0.0, 1_000.0),
        within(loss, 0.0, 1.0).map(|loss| (loss + UNSEEN_LOSS).ln()),
        delay.map(f64::ln),
        within(jitter_ms, 0.0, MAX_DELAY_MS).map(|jitter| jitter / 100.0),
        delay.map(|delay| (delay - NOTICED_MS).max(0.0) / 100.0),
    ]
}

/// Logarithm of a proxy of the goodput that a client has over a link, in
/// nats; nothing without delay and loss. The way to the client, which probes
/// do not see, is taken from the price at 21 ms per 1,000 km.
#[must_use]
pub fn goodput(facts: &LinkFacts) -> Option<f64> {
    let LinkFacts { price_km, loss, delay_ms, .. } = *facts;
    let finite = |fact: Option<f64>| fact.filter(|fact| fact.is_finite());
    let way_ms = finite(price_km).unwrap_or(0.0).clamp(0.0, 40_000.0) * WAY_MS_PER_KM;
    let delay = finite(delay_ms)?.clamp(MIN_DELAY_MS, MAX_DELAY_MS) + way_ms;
    Some(-delay.ln() - 0.5 * (finite(loss)?.clamp(0.0, 1.0) + UNSEEN_LOSS).ln())
}

/// Round trip per kilometre, milliseconds: the median of 57,807 measured
/// pairs of cities is 21 ms per 1,000 km.
const WAY_MS_PER_KM: f64 = 0.021;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_is_the_mean_and_nothing_is_infinite() {
        let link = |delay_ms, loss| LinkFacts { delay_ms, loss, ..LinkFacts::default() };
        let at = |features: &[Features], feature: Feature| {
            features.iter().map(|one| one[feature as usize]).collect::<Vec<_>>()
        };
        let group = [link(Some(10.0), None), link(None, None), link(Some(1_000.0), Some(f64::NAN))];
        let got = features(&group);
        let delays = at(&got, Feature::Delay);
        assert!((delays[1] - (delays[0] + delays[2]) / 2.0).abs() < 1e-12, "the mean of what is known");
        assert_eq!(at(&got, Feature::Loss), [0.0; 3], "nothing is known, all are alike");
        let absurd = LinkFacts {
            quality: Some(f64::INFINITY),
            price_km: Some(-1.0),
            weight: Some(f64::NEG_INFINITY),
            loss: Some(7.0),
            delay_ms: Some(0.0),
            jitter_ms: Some(1e300),
        };
        assert!(features(&[absurd])[0].iter().all(|value| value.is_finite()), "cut to the range");
        assert_eq!(features(&[]), Vec::<Features>::new(), "no links");
    }

    #[test]
    fn the_formula_knows_what_is_good() {
        let usual = LinkFacts {
            quality: Some(50.0),
            price_km: Some(500.0),
            weight: Some(1.0),
            loss: Some(0.01),
            delay_ms: Some(40.0),
            jitter_ms: Some(2.0),
        };
        let rows = [
            (LinkFacts { delay_ms: Some(120.0), ..usual }, "three times the delay"),
            (LinkFacts { loss: Some(0.05), ..usual }, "loss"),
            (LinkFacts { jitter_ms: Some(50.0), ..usual }, "jitter"),
            (LinkFacts { price_km: Some(2_400.0), ..usual }, "another carrier"),
            (LinkFacts { quality: Some(20.0), ..usual }, "a poor rating"),
            (LinkFacts { weight: Some(0.5), ..usual }, "hardly wanted"),
        ];
        for (worse, why) in rows {
            let got = features(&[usual, worse]);
            let lead = Weights::FORMULA.score(&got[0]) - Weights::FORMULA.score(&got[1]);
            assert!(lead > 0.1, "{why}: {lead}");
        }
    }
}
