//! Whether a model that was just promoted keeps what the gate promised.
//!
//! All links are probed, chosen or not, so what the model before would have
//! picked can be held against the same outcomes: no client is needed for the
//! comparison. For a day both are watched, window by window; when the new one's
//! regret is a fifth above the old one's for ten minutes, it is taken back.
//!
//! A floor keeps noise out: two models that pick the best link nearly always
//! have regrets whose ratio means nothing.

use std::sync::Arc;
use std::time::Duration;

use rhumb_policies::link::evaluate::{Selector, evaluate};
use rhumb_policies::link::model::LinkModel;
use rhumb_policies::link::sample::Sample;

use super::notebook::DAY;

/// How long a promoted model is on trial: it has then seen every hour.
const TRIAL: Duration = DAY;

/// How long it may do worse: two windows.
const DOUBT: Duration = Duration::from_secs(600);

/// Regret, as a multiple of the old model's, above which it does worse.
const WORSE: f64 = 1.2;

/// Nats by which it must do worse at least: a twentieth of goodput, which
/// nobody notices.
const FLOOR: f64 = 0.05;

/// A model on trial.
#[derive(Debug)]
pub(super) struct Trial {
    before: Arc<LinkModel>,
    ends: Duration,
    worse_since: Option<Duration>,
}

impl Trial {
    /// The trial of a model that took the place of `before` when `promoted`;
    /// nothing when that is over.
    pub(super) fn new(before: &Arc<LinkModel>, promoted: Duration, now: Duration) -> Option<Self> {
        let ends = promoted + TRIAL;
        (now < ends).then(|| Self { before: Arc::clone(before), ends, worse_since: None })
    }

    /// Whether it is over.
    pub(super) fn is_over(&self, now: Duration) -> bool {
        now >= self.ends
    }

    /// Looks at a window from `began` to `ended`; says why the model must go,
    /// if it must.
    pub(super) fn watch(
        &mut self,
        model: &LinkModel,
        samples: &[Sample],
        (began, ended): (Duration, Duration),
    ) -> Option<String> {
        let regret = |model| evaluate(samples, &Selector::Model(model)).mean_regret;
        let (new, old) = regret(model).zip(regret(&self.before))?;
        if new <= old * WORSE || new - old <= FLOOR {
            self.worse_since = None;
            return None;
        }
        let since = *self.worse_since.get_or_insert(began);
        let doubt = ended.saturating_sub(since);
        (doubt >= DOUBT).then(|| {
            let minutes = doubt.as_secs() / 60;
            format!("its regret was {new:.3} nats where the model before had {old:.3}, for {minutes} minutes")
        })
    }
}
