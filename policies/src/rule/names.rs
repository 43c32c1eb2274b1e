//! Whom a condition asks: functions, their arguments and their fields.
//!
//! All are tables, so that a mistake can be answered with what there is.

use cel::common::ast::{CallExpr, Expr, IdedExpr, SelectExpr};
use jiff::tz::TimeZone;
use rhumb_zones::{DatacenterId, ServiceId, TargetId, did_you_mean};

use super::check::{Checker, Typed};
use super::clock::{self, Part};
use super::evaluate::{Quantity, Test};

/// Functions and how many names each takes.
const FUNCTIONS: [(&str, usize); 7] = [
    ("link", 2),
    ("interconnect", 2),
    ("balancer", 2),
    ("intranet", 1),
    ("dc", 1),
    ("service", 1),
    ("clock", 1),
];

/// Fields of targets; the last two are of those that are measured.
const FIELDS: [&str; 5] = ["up", "down", "since_s", "loss", "delay_ms"];
const UNMEASURED: usize = 3;

/// An argument: where it stands and what it says.
type Word<'e> = (&'e IdedExpr, &'e str);

/// What a function finds.
enum Subject {
    Clock(TimeZone),
    /// Links, balancers, intranets and interconnects have probes of their own.
    Measured(TargetId),
    Datacenter(TargetId),
    Service(ServiceId),
}

/// What may have been meant by the name of a function, or what there is.
pub(super) fn hint(name: &str) -> String {
    let names = FUNCTIONS.map(|(name, _)| name);
    did_you_mean(name, names).unwrap_or_else(|| format!("there are {}", names.join(", ")))
}

/// Whether there is a function of that name.
pub(super) fn is_function(name: &str) -> bool {
    FUNCTIONS.iter().any(|(known, _)| *known == name)
}

/// Whether the name of a call is a word and not an operator.
pub(super) fn is_word(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic())
}

impl Checker<'_> {
    /// `function("name").field`.
    pub(super) fn field(&mut self, expr: &IdedExpr, select: &SelectExpr) -> Option<Typed> {
        if select.test {
            let hint = "every target has all its fields; a rule without a measure is off";
            return self.wrong(expr, "has() is not allowed here", hint);
        }
        let Expr::Call(call @ CallExpr { target: None, .. }) = &select.operand.expr else {
            self.expression(&select.operand)?;
            return self.wrong(expr, format!("nothing here has a field {}", select.field), None);
        };
        let field = select.field.as_str();
        let is_up = field == "up";
        let (target, status) = match self.subject(&select.operand, call)? {
            Subject::Clock(zone) => return self.clock_field(expr, field, zone),
            Subject::Measured(target) => match field {
                "loss" | "delay_ms" => return Some(self.measure(expr, field, target)),
                _ => (target, Test::Target(target, is_up)),
            },
            Subject::Datacenter(target) => (target, Test::Target(target, is_up)),
            Subject::Service(service) => (self.model.service(service).target, Test::Service(service, is_up)),
        };
        match field {
            "up" | "down" => Some(Typed::Test(status)),
            "since_s" => Some(Typed::Number(self.by_clock(Quantity::Since(target)))),
            "loss" | "delay_ms" => {
                let hint = "links, balancers, intranets and interconnects are";
                self.wrong(expr, format!("{} is not measured", self.model.target(target).name), hint)
            }
            _ => self.unknown(expr, field, "one of its fields", &FIELDS[..UNMEASURED]),
        }
    }

    fn clock_field(&mut self, expr: &IdedExpr, field: &str, zone: TimeZone) -> Option<Typed> {
        let Some((_, part)) = Part::FIELDS.iter().find(|(name, _)| *name == field) else {
            return self.unknown(expr, field, "one of its fields", &Part::FIELDS.map(|(name, _)| name));
        };
        let quantity = self.by_clock(Quantity::Clock(zone, *part));
        Some(if *part == Part::Time { Typed::Time(quantity) } else { Typed::Number(quantity) })
    }

    fn measure(&mut self, expr: &IdedExpr, field: &str, target: TargetId) -> Typed {
        let declared = self.model.target(target);
        if declared.probe.is_none() {
            self.warn(expr, format!("{} has no probe, so that nothing measures its {field}", declared.name));
        }
        let quantity = if field == "loss" { Quantity::Loss(target) } else { Quantity::Delay(target) };
        Typed::Number(self.by_clock(quantity))
    }

    fn subject(&mut self, expr: &IdedExpr, call: &CallExpr) -> Option<Subject> {
        let function = call.func_name.as_str();
        let Some((_, wanted)) = FUNCTIONS.iter().find(|(name, _)| *name == function) else {
            return self.wrong(expr, format!("{function:?} must be a function"), hint(function).as_str());
        };
        let got = call.args.len();
        if got != *wanted {
            let names = if *wanted == 1 { "one name" } else { "two names" };
            return self.wrong(expr, format!("{function} takes {names}, not {got}"), None);
        }
        let words: Vec<Word<'_>> =
            call.args.iter().map(|arg| Some((arg, self.text(arg)?))).collect::<Option<_>>()?;
        let model = self.model;
        match (function, &words[..]) {
            ("clock", &[word]) => self.zone(word).map(Subject::Clock),
            ("service", &[word]) => self.service(word).map(Subject::Service),
            ("dc", &[word]) => {
                self.datacenter(word).map(|id| Subject::Datacenter(model.datacenter(id).target))
            }
            ("intranet", &[word]) => {
                self.datacenter(word).map(|id| Subject::Measured(model.datacenter(id).intranet))
            }
            ("link", &[of, word]) => {
                let links = model.datacenter(self.datacenter(of)?).links.iter().map(|&id| model.link(id));
                self.one_of(word, "a link", links.map(|one| (&*one.name, one.target)).collect())
            }
            ("balancer", &[of, word]) => {
                let balancers = model.datacenter(self.datacenter(of)?).balancers.iter();
                let named = balancers.map(|&id| model.balancer(id)).map(|one| (&*one.name, one.target));
                self.one_of(word, "a balancer", named.collect())
            }
            (_, &[one, other]) => self.interconnect(expr, [one, other]),
            _ => None,
        }
    }

    fn one_of(&mut self, (at, word): Word<'_>, noun: &str, named: Vec<(&str, TargetId)>) -> Option<Subject> {
        let found =
            named.iter().find(|(name, _)| *name == word).map(|&(_, target)| Subject::Measured(target));
        let names: Vec<_> = named.iter().map(|(name, _)| *name).collect();
        found.or_else(|| self.unknown(at, word, &format!("{noun} of that datacenter"), &names))
    }

    fn interconnect(&mut self, expr: &IdedExpr, words: [Word<'_>; 2]) -> Option<Subject> {
        let [one, other] = words.map(|word| self.datacenter(word));
        let Some(id) = self.model.interconnect_between(one?, other?) else {
            let [(_, one), (_, other)] = words;
            return self.wrong(expr, format!("no interconnect joins {one} and {other}"), None);
        };
        Some(Subject::Measured(self.model.interconnect(id).target))
    }

    fn datacenter(&mut self, (at, word): Word<'_>) -> Option<DatacenterId> {
        let names: Vec<_> = self.model.datacenters().iter().map(|one| &*one.name).collect();
        let found = names.iter().position(|name| *name == word).map(DatacenterId::new);
        found.or_else(|| self.unknown(at, word, "a datacenter", &names))
    }

    /// By its key, or by its full name.
    fn service(&mut self, (at, word): Word<'_>) -> Option<ServiceId> {
        let services = self.model.services();
        let found = services
            .iter()
            .position(|one| &*one.name == word)
            .or_else(|| services.iter().position(|one| one.owner.to_string().eq_ignore_ascii_case(word)));
        let names = || services.iter().map(|one| &*one.name).collect::<Vec<_>>();
        found.map(ServiceId::new).or_else(|| self.unknown(at, word, "a service", &names()))
    }

    fn zone(&mut self, (at, word): Word<'_>) -> Option<TimeZone> {
        let Some(zone) = clock::zone(word) else {
            let hint = clock::hint(word);
            return self.wrong(at, format!("{word:?} must be a time zone"), hint.as_str());
        };
        Some(zone)
    }
}
