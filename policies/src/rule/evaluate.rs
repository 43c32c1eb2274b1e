//! A condition of which every name and type is right, and its value.
//!
//! Truths and quantities are two types, so that evaluating meets no wrong one.
//! What can still go wrong is that nothing is measured yet, and arithmetic.

use std::time::Duration;

use jiff::tz::TimeZone;
use rhumb_zones::{Model, ServiceId, TargetId};

use super::Facts;
use super::clock::{self, Part};

/// What is true or false.
#[derive(Clone, Debug)]
pub(super) enum Test {
    Constant(bool),
    /// Whether a target's status is this one.
    Target(TargetId, bool),
    /// Whether a service's status is this one.
    Service(ServiceId, bool),
    Not(Box<Self>),
    And(Box<[Self; 2]>),
    Or(Box<[Self; 2]>),
    If(Box<[Self; 3]>),
    Same(Box<[Self; 2]>),
    Compare(Order, Box<[Quantity; 2]>),
    Among(Box<Quantity>, Vec<Quantity>),
}

/// What has a size: a number, or minutes since midnight.
#[derive(Clone, Debug)]
pub(super) enum Quantity {
    Constant(f64),
    Since(TargetId),
    Loss(TargetId),
    Delay(TargetId),
    Clock(TimeZone, Part),
    Negative(Box<Self>),
    Arithmetic(Operation, Box<[Self; 2]>),
    If(Box<(Test, Self, Self)>),
}

/// How two quantities are compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Order {
    Same,
    Other,
    Less,
    AtMost,
    More,
    AtLeast,
}

/// What is done with two numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Operation {
    Add,
    Subtract,
    Multiply,
    Divide,
}

/// Whom to ask, and when.
#[derive(Clone, Copy)]
pub(super) struct Moment<'a> {
    pub(super) facts: &'a dyn Facts,
    /// Since the Unix epoch.
    pub(super) now: Duration,
}

/// Why there is no value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Stuck {
    Unmeasured,
    Failed(String),
}

impl Stuck {
    fn failed(why: &str) -> Self {
        Self::Failed(why.to_owned())
    }

    /// Of two reasons the one to show: a failure will not pass by waiting.
    fn or(self, other: Self) -> Self {
        if self == Self::Unmeasured { other } else { self }
    }
}

impl Test {
    pub(super) fn holds(&self, moment: &Moment<'_>) -> Result<bool, Stuck> {
        let facts = moment.facts;
        match self {
            Self::Constant(value) => Ok(*value),
            Self::Target(target, up) => Ok(facts.is_up(*target) == *up),
            Self::Service(service, up) => Ok(facts.service_up(*service) == *up),
            Self::Not(test) => test.holds(moment).map(|holds| !holds),
            Self::And(sides) => decided(sides, false, moment),
            Self::Or(sides) => decided(sides, true, moment),
            Self::If(parts) => {
                let [condition, yes, no] = &**parts;
                if condition.holds(moment)? { yes.holds(moment) } else { no.holds(moment) }
            }
            Self::Same(sides) => {
                let [a, b] = &**sides;
                Ok(a.holds(moment)? == b.holds(moment)?)
            }
            Self::Compare(order, sides) => {
                let [a, b] = &**sides;
                Ok(order.holds(a.size(moment)?, b.size(moment)?))
            }
            Self::Among(one, list) => {
                let one = one.size(moment)?;
                for item in list {
                    if Order::Same.holds(one, item.size(moment)?) {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
        }
    }

    /// What the condition asks for and what the answers are, in words.
    pub(super) fn readings(&self, model: &Model, moment: &Moment<'_>, out: &mut Vec<String>) {
        let status = |up| if up { "up" } else { "down" };
        match self {
            Self::Constant(_) => {}
            Self::Target(target, _) => {
                let up = moment.facts.is_up(*target);
                out.push(format!("{} is {}", model.target(*target).name, status(up)));
            }
            Self::Service(service, _) => {
                let name = &model.target(model.service(*service).target).name;
                out.push(format!("{name} is {}", status(moment.facts.service_up(*service))));
            }
            Self::Not(test) => test.readings(model, moment, out),
            Self::And(sides) | Self::Or(sides) | Self::Same(sides) => {
                sides.iter().for_each(|side| side.readings(model, moment, out));
            }
            Self::If(parts) => parts.iter().for_each(|part| part.readings(model, moment, out)),
            Self::Compare(_, sides) => sides.iter().for_each(|side| side.readings(model, moment, out)),
            Self::Among(one, list) => {
                one.readings(model, moment, out);
                list.iter().for_each(|item| item.readings(model, moment, out));
            }
        }
    }
}

/// `&&` and `||`: either side decides with `decisive`, whatever the other is.
fn decided([a, b]: &[Test; 2], decisive: bool, moment: &Moment<'_>) -> Result<bool, Stuck> {
    let first = a.holds(moment);
    if first == Ok(decisive) {
        return first;
    }
    match (first, b.holds(moment)) {
        (_, Ok(second)) if second == decisive => Ok(decisive),
        (Ok(_), second) => second,
        (Err(one), Err(other)) => Err(one.or(other)),
        (Err(one), Ok(_)) => Err(one),
    }
}

impl Quantity {
    fn size(&self, moment: &Moment<'_>) -> Result<f64, Stuck> {
        let measure = |target| moment.facts.measure(target).filter(|measure| measure.tries > 0);
        match self {
            Self::Constant(value) => Ok(*value),
            Self::Since(target) => Ok(moment.facts.since(*target).as_secs_f64()),
            Self::Loss(target) => measure(*target).map(|measure| measure.loss).ok_or(Stuck::Unmeasured),
            Self::Delay(target) => {
                measure(*target).and_then(|measure| measure.delay_ms).ok_or(Stuck::Unmeasured)
            }
            Self::Clock(zone, part) => clock::read(zone, *part, moment.now)
                .ok_or_else(|| Stuck::failed("asks for the time in a year that has no calendar")),
            Self::Negative(of) => of.size(moment).map(|size| -size),
            Self::Arithmetic(operation, sides) => {
                let [a, b] = &**sides;
                operation.apply(a.size(moment)?, b.size(moment)?)
            }
            Self::If(parts) => {
                let (condition, yes, no) = &**parts;
                if condition.holds(moment)? { yes.size(moment) } else { no.size(moment) }
            }
        }
    }

    fn readings(&self, model: &Model, moment: &Moment<'_>, out: &mut Vec<String>) {
        let mut say = |what: String| {
            out.push(match self.size(moment) {
                Ok(size) => format!("{what} is {}", (size * 1_000.0).round() / 1_000.0),
                Err(_) => format!("{what} is not known"),
            });
        };
        let of = |target: &TargetId| &model.target(*target).name;
        match self {
            Self::Constant(_) => {}
            Self::Since(target) => say(format!("{} since_s", of(target))),
            Self::Loss(target) => say(format!("{} loss", of(target))),
            Self::Delay(target) => say(format!("{} delay_ms", of(target))),
            Self::Clock(zone, _) => {
                let name = zone.iana_name().unwrap_or("UTC");
                out.push(format!("it is {} in {name}", clock::words(zone, moment.now)));
            }
            Self::Negative(of) => of.readings(model, moment, out),
            Self::Arithmetic(_, sides) => sides.iter().for_each(|side| side.readings(model, moment, out)),
            Self::If(parts) => {
                let (condition, yes, no) = &**parts;
                condition.readings(model, moment, out);
                yes.readings(model, moment, out);
                no.readings(model, moment, out);
            }
        }
    }
}

impl Order {
    fn holds(self, a: f64, b: f64) -> bool {
        match self {
            Self::Same => a == b,
            Self::Other => a != b,
            Self::Less => a < b,
            Self::AtMost => a <= b,
            Self::More => a > b,
            Self::AtLeast => a >= b,
        }
    }
}

impl Operation {
    fn apply(self, a: f64, b: f64) -> Result<f64, Stuck> {
        let size = match self {
            Self::Add => a + b,
            Self::Subtract => a - b,
            Self::Multiply => a * b,
            Self::Divide if b == 0.0 => return Err(Stuck::failed("divides by zero")),
            Self::Divide => a / b,
        };
        if size.is_finite() { Ok(size) } else { Err(Stuck::failed("reckons with numbers too large")) }
    }
}
