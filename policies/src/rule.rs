//! Operators' own conditions: CEL over the same state that paths use.
//!
//! ```text
//! link("north", "telecom").delay_ms > 80 && clock("Europe/Berlin").hour >= 8
//! ```
//!
//! What may be said, a subset of CEL that is bounded in time by its own length:
//! numbers, `true`, `false` and quoted texts; `&& || !`, `?:`, parentheses;
//! `== != < <= > >=`, `in` with a list; `+ - * /`; and
//!
//! | function | fields |
//! |---|---|
//! | `link("dc", "name")` `balancer("dc", "name")` `intranet("dc")` `interconnect("dc", "dc")` | `.up` `.down` `.since_s` `.loss` `.delay_ms` |
//! | `dc("name")` `service("name")` | `.up` `.down` `.since_s` |
//! | `clock("Europe/Berlin")` | `.hour` `.minute` `.weekday` (1 is Monday) `.time` (beside `"HH:MM"`) |
//!
//! `.since_s` is the age of the present status in seconds, `.loss` a fraction
//! 0–1, `.delay_ms` a mean in milliseconds. Macros such as `exists`, maps,
//! messages and indexes are refused when the policy is loaded.
//!
//! The crate `cel` parses, and no more. It has no checker, so its syntax tree is
//! walked here anyway, and out of that walk comes a tree in which every name is
//! an id and every type is right. Evaluating that is a page, cannot fail by
//! type, and knows a third outcome that CEL has not: a measure that does not
//! exist yet makes a rule *unmeasured*, unless the rest decides. As in CEL,
//! either side of `&&` and `||` may decide. Numbers are all floating, unlike in
//! CEL: operators write `delay_ms > 80`, and mean what they write.
//!
//! **Invariant:** rules see statuses and never each other, so their order
//! decides nothing but whose word is last.

mod check;
mod clock;
mod evaluate;
mod names;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rhumb_health::Measure;
use rhumb_zones::{Diagnostics, Model, ServiceId, TargetId};

use check::Checker;
use evaluate::{Moment, Stuck, Test};

/// What conditions ask.
pub trait Facts {
    /// Whether a target counts as up.
    fn is_up(&self, target: TargetId) -> bool;
    /// How long it has counted so.
    fn since(&self, target: TargetId) -> Duration;
    /// What its recent probes measured, if anything.
    fn measure(&self, target: TargetId) -> Option<&Measure>;
    /// Whether a service has a usable VIP.
    fn service_up(&self, service: ServiceId) -> bool;
}

/// What has become of a rule.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RuleState {
    /// Its condition does not hold.
    Off,
    /// Its condition holds.
    On,
    /// It counts as off, because nothing is measured yet that its condition
    /// asks for.
    Unmeasured,
    /// It counts as off, because its condition has no value; says why.
    Failed(String),
}

impl fmt::Display for RuleState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => f.write_str("off"),
            Self::On => f.write_str("on"),
            Self::Unmeasured => f.write_str("off, for lack of a measure"),
            Self::Failed(why) => write!(f, "off, because its condition {why}"),
        }
    }
}

/// The conditions of all rules, in file order, ready to be evaluated.
#[derive(Default, Debug)]
pub struct Rules {
    list: Vec<Condition>,
    needs_clock: bool,
}

/// A rule's condition.
#[derive(Debug)]
struct Condition {
    name: Arc<str>,
    text: Arc<str>,
    test: Test,
}

impl Rules {
    /// Longest condition, in bytes: room for every link of ten datacenters, and
    /// the bound on the time and the stack that reading and evaluating it take.
    const MAX_CONDITION: usize = 2_000;

    /// Reads every rule's condition. One that is wrong is reported and never
    /// holds.
    pub(crate) fn compile(model: &Model, out: &mut Diagnostics) -> Self {
        let mut needs_clock = false;
        let read = |rule| {
            let mut checker = Checker::new(model, rule, out);
            let test = checker.read(Self::MAX_CONDITION).unwrap_or(Test::Constant(false));
            needs_clock |= checker.needs_clock();
            Condition { name: Arc::clone(&rule.name), text: Arc::clone(&rule.when), test }
        };
        let list = model.rules().iter().map(read).collect();
        Self { list, needs_clock }
    }

    /// What becomes of every rule, in file order, at `now` (since the Unix
    /// epoch).
    #[must_use]
    pub fn evaluate(&self, facts: &dyn Facts, now: Duration) -> Vec<RuleState> {
        let moment = Moment { facts, now };
        let state = |condition: &Condition| match condition.test.holds(&moment) {
            Ok(true) => RuleState::On,
            Ok(false) => RuleState::Off,
            Err(Stuck::Unmeasured) => RuleState::Unmeasured,
            Err(Stuck::Failed(why)) => RuleState::Failed(why),
        };
        self.list.iter().map(state).collect()
    }

    /// Whether some rule may change without any status changing: it names the
    /// time, a measure or an age.
    #[must_use]
    pub const fn needs_clock(&self) -> bool {
        self.needs_clock
    }

    /// Every rule and its state in words, with what its condition asks for:
    /// `rule slow-link is on: link("north", "telecom").delay_ms > 80 (link:north/telecom delay_ms is 93.2)`.
    #[must_use]
    pub fn describe(&self, model: &Model, facts: &dyn Facts, now: Duration) -> Vec<String> {
        let moment = Moment { facts, now };
        let states = self.evaluate(facts, now);
        let sentence = |(condition, state): (&Condition, RuleState)| {
            let Condition { name, text, test } = condition;
            let mut readings = Vec::new();
            test.readings(model, &moment, &mut readings);
            readings.dedup();
            let readings =
                if readings.is_empty() { String::new() } else { format!(" ({})", readings.join(", ")) };
            format!("rule {name} is {state}: {}{readings}", text.trim())
        };
        self.list.iter().zip(states).map(sentence).collect()
    }
}
