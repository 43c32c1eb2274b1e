//! `checks:`, and every `check:` and `probe:`.

use std::sync::Arc;
use std::time::Duration;

use super::super::check::{CheckForm, ProbeSpec};
use super::super::defaults;
use super::super::keys::ProbeKeys;
use super::Resolver;
use crate::model::{Check, Probe, Quorum};
use crate::read::{Bounded, Fraction, Named, OneOrMany, Spanned, did_you_mean};

impl Resolver<'_> {
    /// Resolves `checks:`, once for all who name them.
    pub(super) fn checks(&mut self, specs: Named<CheckForm>) {
        for (key, form) in specs.0 {
            let who = format!("check {}", key.text);
            self.name_is_fit(&key, "check");
            let probe = match form {
                Some(CheckForm::Probe(spec)) => Some(self.own_probe(*spec, &who)),
                Some(CheckForm::Named(other)) => {
                    self.error(
                        &other.at,
                        [&who, "declaration"],
                        "must be a URL or a probe such as { tcp: 443 }",
                    );
                    None
                }
                None => None,
            };
            if let Some(probe) = &probe {
                self.model.checks.push(Check { name: Arc::clone(&key.text), probe: Arc::clone(probe) });
            }
            self.checks.insert(key.text, probe);
        }
    }

    /// The probe that a `check:` or `probe:` of `who` means.
    pub(super) fn probe(&mut self, form: Option<CheckForm>, [who, which]: [&str; 2]) -> Option<Arc<Probe>> {
        match form? {
            CheckForm::Probe(spec) => Some(self.own_probe(*spec, who)),
            CheckForm::Named(name) => {
                let known = self.checks.get(&name.value);
                if known.is_none() {
                    let hint = did_you_mean(&name.value, self.checks.keys().map(|name| &**name));
                    let what = format!("no check is named {:?}", name.value);
                    self.context.out.hinted(&name.at, [who, which], what, hint);
                }
                known.cloned().flatten()
            }
        }
    }

    fn own_probe(&mut self, spec: ProbeSpec, who: &str) -> Arc<Probe> {
        let ProbeSpec { at, keys, kind } = spec;
        let keys = keys.or(&self.defaults.probe);
        let ProbeKeys { interval, fast_interval, timeout, stale, .. } = &keys;
        let value = |given: &Option<Spanned<Duration>>| given.as_ref().map(|given| given.value);

        let steady = value(interval).unwrap_or(defaults::INTERVAL);
        self.at_least(interval.as_ref(), defaults::MIN_INTERVAL, [who, "interval"]);
        self.at_least(fast_interval.as_ref(), defaults::MIN_INTERVAL, [who, "fast-interval"]);
        self.at_least(timeout.as_ref(), Duration::from_millis(1), [who, "timeout"]);
        self.at_least(stale.as_ref(), steady, [who, "stale"]);
        if let Some(fast) = fast_interval.as_ref().filter(|fast| fast.value > steady) {
            self.error(&fast.at, [who, "fast-interval"], format!("must be at most the interval, {steady:?}"));
        }
        if let Some(timeout) = timeout.as_ref().filter(|timeout| timeout.value > steady) {
            let what = format!("is above the interval, {steady:?}: probes that time out will run late");
            self.context.out.warn(&timeout.at, who, "timeout", what);
        }

        let ProbeKeys { tries, fall, rise, jitter, source, interface, from, quorum, .. } = keys.clone();
        let count = |given: Option<Bounded<1, 100>>, default: u8| {
            given.map_or(default, |Bounded(count)| u8::try_from(count).unwrap_or(u8::MAX))
        };
        Arc::new(Probe {
            location: at,
            kind,
            interval: steady,
            fast_interval: value(fast_interval).unwrap_or_else(|| defaults::FAST_INTERVAL.min(steady)),
            timeout: value(timeout).unwrap_or_else(|| defaults::TIMEOUT.min(steady)),
            tries: count(tries, defaults::TRIES),
            fall: count(fall, defaults::FALL),
            rise: count(rise, defaults::RISE),
            jitter: jitter.map_or(defaults::JITTER, |Fraction(share)| share),
            source,
            interface: interface.map(|name| name.to_string()),
            from: from.map(|OneOrMany(sites)| sites).unwrap_or_default(),
            quorum: quorum.unwrap_or(Quorum::Majority),
            stale: value(stale).unwrap_or(steady * defaults::STALE_INTERVALS),
        })
    }

    fn at_least(&mut self, given: Option<&Spanned<Duration>>, least: Duration, who: [&str; 2]) {
        if let Some(Spanned { at, .. }) = given.filter(|given| given.value < least) {
            self.error(at, who, format!("must be at least {least:?}"));
        }
    }
}
