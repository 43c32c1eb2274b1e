//! `checks:`, and every `check:` and `probe:`.
//!
//! A named check is resolved once and shared. Times must fit each other, and
//! they come from up to three places: a contradiction is reported for the
//! probe that wrote one of its sides, or once for `defaults:` itself, never for
//! each probe that merely inherits both.

use std::sync::Arc;
use std::time::Duration;

use super::super::check::{CheckForm, ProbeSpec};
use super::super::defaults;
use super::super::keys::{Count, ProbeKeys};
use super::Resolver;
use crate::model::{Check, Probe, Quorum};
use crate::read::{Bounded, Fraction, Named, OneOrMany, Spanned};

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
                    let hint = self.context.out.suggest(&name.value, self.checks.keys().map(|name| &**name));
                    let what = format!("no check is named {:?}", name.value);
                    self.context.out.hinted(&name.at, [who, which], what, hint);
                }
                known.cloned().flatten()
            }
        }
    }

    fn own_probe(&mut self, spec: ProbeSpec, who: &str) -> Arc<Probe> {
        let ProbeSpec { at, keys: own, kind } = spec;
        let keys = own.clone().or(&self.defaults.probe);
        self.check_times(&own, &keys, [who, ""]);
        let ProbeKeys { interval, fast_interval, timeout, tries, fall, rise, jitter, .. } = keys.clone();
        let ProbeKeys { source, interface, from, quorum, stale, .. } = keys;
        let value = |given: Option<Spanned<Duration>>| given.map(|given| given.value);
        let interval = value(interval).unwrap_or(defaults::INTERVAL);
        let count = |given: Option<Count>, default: u8| {
            given.map_or(default, |Bounded(count)| u8::try_from(count).unwrap_or(u8::MAX))
        };
        Arc::new(Probe {
            location: at,
            kind,
            interval,
            fast_interval: value(fast_interval).unwrap_or_else(|| defaults::FAST_INTERVAL.min(interval)),
            timeout: value(timeout).unwrap_or_else(|| defaults::TIMEOUT.min(interval)),
            tries: count(tries, defaults::TRIES),
            fall: count(fall, defaults::FALL),
            rise: count(rise, defaults::RISE),
            jitter: jitter.map_or(defaults::JITTER, |Fraction(share)| share),
            source,
            interface: interface.map(|name| name.to_string()),
            from: from.map(|OneOrMany(sites)| sites).unwrap_or_default(),
            quorum: quorum.unwrap_or(Quorum::Majority),
            stale: value(stale).unwrap_or(interval * defaults::STALE_INTERVALS),
        })
    }

    /// Checks the times of `defaults:` among themselves, once.
    pub(super) fn check_default_times(&mut self) {
        let keys = self.defaults.probe.clone();
        self.check_times(&keys, &keys, ["policy", "defaults."]);
    }

    /// Checks times that are a probe's `own` against each other and against
    /// those it takes over.
    fn check_times(&mut self, own: &ProbeKeys, all: &ProbeKeys, [who, before]: [&str; 2]) {
        let steady = all.interval.as_ref().map_or(defaults::INTERVAL, |given| given.value);
        let is_own = |given: &Option<Spanned<Duration>>| given.is_some() || own.interval.is_some();
        let least = [
            (&own.interval, defaults::MIN_INTERVAL, "interval"),
            (&own.fast_interval, defaults::MIN_INTERVAL, "fast-interval"),
            (&own.timeout, defaults::MIN_TIMEOUT, "timeout"),
            (if is_own(&own.stale) { &all.stale } else { &None }, steady, "stale"),
        ];
        for (given, least, key) in least {
            if let Some(given) = given.as_ref().filter(|given| given.value < least) {
                self.error(
                    &given.at,
                    [who, &format!("{before}{key}")],
                    format!("must be at least {least:?}"),
                );
            }
        }
        let above = |given: &Option<Spanned<Duration>>| given.clone().filter(|given| given.value > steady);
        if let Some(fast) = above(&all.fast_interval).filter(|_| is_own(&own.fast_interval)) {
            self.error(
                &fast.at,
                [who, &format!("{before}fast-interval")],
                format!("must be at most the interval, {steady:?}"),
            );
        }
        if let Some(timeout) = above(&all.timeout).filter(|_| is_own(&own.timeout)) {
            let what = format!("is above the interval, {steady:?}: probes that time out will run late");
            self.context.out.warn(&timeout.at, who, &format!("{before}timeout"), what);
        }
    }
}
