//! What all selectors that look at measures have in common.
//!
//! A *scorer* gives each link a number in nats; the *calm* says when a better
//! number moves clients. One scorer answers; another may run in its shadow,
//! with the same calm, so that what it would have done can be held against
//! what was done before anyone trusts it.

use std::sync::Arc;
use std::time::Duration;

use rhumb_zones::{Fraction, Spanned, spec};

use super::feature::Weights;
use super::learned::ModelFile;
use super::{Rank, carrier};
use crate::layout::Egress;
use crate::plugin::Context;
use crate::state::Taught;
use crate::view::View;

/// How links are scored and moved.
#[derive(Debug)]
pub(crate) struct Measured {
    /// Who answers; nothing when a fixed order does.
    pub(crate) live: Option<Scorer>,
    /// Who is watched.
    pub(crate) shadow: Option<Scorer>,
    pub(crate) calm: Calm,
}

/// Who gives links a score.
#[derive(Clone, Debug)]
pub(crate) enum Scorer {
    Formula(Formula),
    Model(Arc<ModelFile>),
}

impl Scorer {
    /// Its weights, with what was learned since.
    pub(crate) fn formula(&self, taught: &Taught) -> Formula {
        let learned = match self {
            Self::Formula(formula) => return *formula,
            Self::Model(file) => match taught.get(&file.name) {
                Some(taught) => taught.as_deref(),
                None => Some(&*file.model),
            },
        };
        learned.map_or(Formula::DEFAULT, |model| Formula { weights: model.weights(), ..Formula::DEFAULT })
    }
}

/// The hand-set formula, as this policy weighs it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Formula {
    pub(crate) weights: Weights,
    /// Nats that the dearest link of a group loses.
    pub(crate) cost: f64,
}

impl Formula {
    /// A cost beside that of the dearest link: as much as ratings differ.
    pub(crate) const DEFAULT: Self = Self { weights: Weights::FORMULA, cost: 0.5 };
}

/// When a better score moves clients.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Calm {
    /// Nats by which a link must be better.
    pub(crate) margin: f64,
    /// How long it must be.
    pub(crate) hold: Duration,
    /// Share of classes that may move within a minute, and how many may
    /// however few there are.
    pub(crate) pace: (f64, usize),
    /// Share of answers that name another usable link.
    pub(crate) explore: f64,
}

spec! {
    /// When a better link moves clients.
    pub(super) struct CalmKeys {
        /// How much better another link must be: a share of goodput.
        margin: Option<Fraction>,
        /// How long it must be better without a break.
        hold: Option<Duration>,
        /// Share of clients' classes that may change link within a minute.
        pace: Option<Fraction>,
        /// Share of answers that name another usable link while all is well, at most 2%.
        explore: Option<Spanned<Fraction>>,
    }
}

impl Calm {
    /// Above it, answers would be worse for too many.
    const MAX_EXPLORE: f64 = 0.02;

    /// 10 % and 60 s cut switches to a third at 0.1 ms of delay on measured
    /// paths (PlanetLab); half of the classes in a minute leave an operator
    /// time to look before all are gone, which makes sense for crowds only.
    pub(super) fn default() -> Self {
        Self { margin: 0.1_f64.ln_1p(), hold: Duration::from_secs(60), pace: (0.5, 8), explore: 0.0 }
    }

    /// What explores, as a fraction of 2³².
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of at most 2 %")]
    pub(crate) fn explores(&self) -> u32 {
        (self.explore.min(Self::MAX_EXPLORE) * 2_f64.powi(32)) as u32
    }

    /// As the policy says.
    pub(super) fn new(keys: CalmKeys, context: &mut Context<'_, '_>) -> Self {
        let CalmKeys { margin, hold, pace, explore } = keys;
        let explore = explore.map_or(0.0, |Spanned { at, value: Fraction(share) }| {
            if share > Self::MAX_EXPLORE {
                context.wrong(&at, format!("explore must be at most {} %", Self::MAX_EXPLORE * 100.0));
            }
            share
        });
        let usual = Self::default();
        Self {
            margin: margin.map_or(usual.margin, |Fraction(share)| share.ln_1p()),
            hold: hold.unwrap_or(usual.hold),
            pace: pace.map_or(usual.pace, |Fraction(share)| (share, 1)),
            explore,
        }
    }
}

/// Where measured selection starts from: the VIPs' priority, which is an
/// operator's word, then the client's carrier.
#[derive(Debug)]
pub(super) struct Entry;

impl Rank for Entry {
    fn key(&self, view: &View<'_>, egress: &Egress) -> i64 {
        -2 * i64::from(egress.priority) + i64::from(!carrier::matches(view, egress))
    }

    fn reason(&self, view: &View<'_>, egress: &Egress) -> Option<String> {
        let priority = (egress.priority != 0).then(|| format!("priority {}", egress.priority));
        let carrier = carrier::matches(view, egress).then(|| "the client's carrier".to_owned());
        let all: Vec<_> = priority.into_iter().chain(carrier).collect();
        (!all.is_empty()).then(|| all.join(", "))
    }
}
