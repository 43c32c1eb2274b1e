//! From the syntax tree of a condition to one of which all is right.
//!
//! Every part is visited even beside a mistake, so that all mistakes are found
//! at once. A position is that of the condition in its file, and the character
//! within the condition: quotes and folded lines of YAML keep the two from
//! being added.

use cel::common::ast::operators;
use cel::common::ast::{CallExpr, Expr, IdedExpr, LiteralValue, SourceInfo};
use cel::parser::{ParseErrors, Parser};
use rhumb_zones::{Diagnostics, Model, Rule};

use super::clock;
use super::evaluate::{Operation, Order, Quantity, Test};
use super::names;

/// Reads one condition.
pub(super) struct Checker<'a> {
    pub(super) model: &'a Model,
    rule: &'a Rule,
    source: SourceInfo,
    out: &'a mut Diagnostics,
    needs_clock: bool,
}

/// What an expression is.
pub(super) enum Typed {
    Test(Test),
    Number(Quantity),
    /// A time of day, in minutes.
    Time(Quantity),
    /// A quoted text: a time of day beside one, else nothing.
    Text(String),
}

impl Typed {
    const fn noun(&self) -> &'static str {
        match self {
            Self::Test(_) => "true or false",
            Self::Number(_) => "a number",
            Self::Time(_) => "a time of day",
            Self::Text(_) => "a text",
        }
    }
}

/// Two expressions of one type.
enum Pair {
    Tests(Test, Test),
    Numbers(Quantity, Quantity),
    Times(Quantity, Quantity),
}

impl<'a> Checker<'a> {
    pub(super) fn new(model: &'a Model, rule: &'a Rule, out: &'a mut Diagnostics) -> Self {
        Self { model, rule, source: SourceInfo::default(), out, needs_clock: false }
    }

    /// The condition, at most `most` bytes long; nothing when it is wrong.
    pub(super) fn read(&mut self, most: usize) -> Option<Test> {
        let text = &self.rule.when;
        if text.len() > most {
            self.report(None, format!("must be at most {most} bytes long"), None);
            return None;
        }
        match Parser::new().parse_with_source_info(text) {
            Ok((expr, source)) => {
                self.source = source;
                self.test(&expr)
            }
            Err(errors) => {
                self.no_cel(&errors);
                None
            }
        }
    }

    pub(super) const fn needs_clock(&self) -> bool {
        self.needs_clock
    }

    /// Notes that what is asked changes by itself.
    pub(super) const fn by_clock(&mut self, quantity: Quantity) -> Quantity {
        self.needs_clock = true;
        quantity
    }

    pub(super) fn expression(&mut self, expr: &IdedExpr) -> Option<Typed> {
        match &expr.expr {
            Expr::Literal(value) => self.literal(expr, value),
            Expr::Call(call @ CallExpr { target: None, args, .. }) => self.call(expr, call, args),
            Expr::Select(select) => self.field(expr, select),
            Expr::Ident(name) => {
                let hint = names::hint(name);
                self.wrong(expr, format!("{name:?} is not known here"), hint.as_str())
            }
            Expr::List(_) => self.wrong(expr, "a list may only stand to the right of in", None),
            Expr::Comprehension(_) => {
                let hint = "name each target, joined with && or ||";
                self.wrong(expr, "macros such as all and exists are not allowed here", hint)
            }
            Expr::Call(CallExpr { func_name: name, .. }) => {
                self.wrong(expr, format!("there is no method {name} here"), None)
            }
            Expr::Map(_) | Expr::Struct(_) | Expr::Unspecified => {
                self.wrong(expr, "maps and messages are not allowed here", None)
            }
        }
    }

    fn literal(&mut self, expr: &IdedExpr, value: &LiteralValue) -> Option<Typed> {
        let number = match value {
            LiteralValue::Boolean(value) => return Some(Typed::Test(Test::Constant(*value.inner()))),
            LiteralValue::String(text) => return Some(Typed::Text(text.inner().to_owned())),
            LiteralValue::Int(value) => *value.inner() as f64,
            LiteralValue::UInt(value) => *value.inner() as f64,
            LiteralValue::Double(value) => *value.inner(),
            LiteralValue::Null | LiteralValue::Bytes(_) => {
                return self.wrong(expr, "must be a number, a text, true or false", None);
            }
        };
        Some(Typed::Number(Quantity::Constant(number)))
    }

    fn call(&mut self, expr: &IdedExpr, call: &CallExpr, args: &[IdedExpr]) -> Option<Typed> {
        let name = call.func_name.as_str();
        match (name, args) {
            (operators::LOGICAL_NOT, [one]) => Some(Typed::Test(Test::Not(Box::new(self.test(one)?)))),
            (operators::LOGICAL_AND, [a, b]) => Some(Typed::Test(Test::And(self.tests(a, b)?))),
            (operators::LOGICAL_OR, [a, b]) => Some(Typed::Test(Test::Or(self.tests(a, b)?))),
            (operators::CONDITIONAL, [condition, yes, no]) => self.conditional(expr, [condition, yes, no]),
            (operators::IN, [one, list]) => self.among(expr, one, list),
            (operators::NEGATE, [one]) => {
                Some(Typed::Number(Quantity::Negative(Box::new(self.number(one)?))))
            }
            (_, [a, b]) if order(name).is_some() => self.compare(expr, order(name)?, [a, b]),
            (_, [a, b]) if operation(name).is_some() => {
                let (a, b) = (self.number(a), self.number(b));
                Some(Typed::Number(Quantity::Arithmetic(operation(name)?, Box::new([a?, b?]))))
            }
            _ if names::is_word(name) => {
                let hint = format!("a function stands with a field: {name}(…).up");
                let hint = if names::is_function(name) { hint } else { names::hint(name) };
                self.wrong(expr, format!("{name:?} has no value of its own"), hint.as_str())
            }
            _ => {
                let sign = name.replace('_', "");
                self.wrong(expr, format!("the operator {sign} is not allowed here"), None)
            }
        }
    }

    fn conditional(&mut self, expr: &IdedExpr, [condition, yes, no]: [&IdedExpr; 3]) -> Option<Typed> {
        let condition = self.test(condition);
        let pair = self.pair(expr, [yes, no])?;
        let quantity = |condition, yes, no| Quantity::If(Box::new((condition, yes, no)));
        Some(match pair {
            Pair::Tests(yes, no) => Typed::Test(Test::If(Box::new([condition?, yes, no]))),
            Pair::Numbers(yes, no) => Typed::Number(quantity(condition?, yes, no)),
            Pair::Times(yes, no) => Typed::Time(quantity(condition?, yes, no)),
        })
    }

    fn compare(&mut self, expr: &IdedExpr, order: Order, sides: [&IdedExpr; 2]) -> Option<Typed> {
        let test = match self.pair(expr, sides)? {
            Pair::Tests(a, b) => {
                let same = Test::Same(Box::new([a, b]));
                match order {
                    Order::Same => same,
                    Order::Other => Test::Not(Box::new(same)),
                    _ => return self.wrong(expr, "true and false have no order", None),
                }
            }
            Pair::Numbers(a, b) | Pair::Times(a, b) => {
                if let (Quantity::Loss(_), Quantity::Constant(n)) | (Quantity::Constant(n), Quantity::Loss(_)) =
                    (&a, &b)
                    && *n > 1.0
                {
                    self.warn(expr, "loss is a fraction, at most 1: 5 % is 0.05".to_owned());
                }
                Test::Compare(order, Box::new([a, b]))
            }
        };
        Some(Typed::Test(test))
    }

    fn among(&mut self, expr: &IdedExpr, one: &IdedExpr, list: &IdedExpr) -> Option<Typed> {
        let Expr::List(list) = &list.expr else {
            return self.wrong(expr, "a list must stand to the right of in", "such as [6, 7]");
        };
        let mut quantity = None;
        let mut items = Vec::new();
        for item in &list.elements {
            match self.pair(expr, [one, item])? {
                Pair::Tests(..) => return self.wrong(expr, "only numbers and times are in lists", None),
                Pair::Numbers(one, item) | Pair::Times(one, item) => {
                    quantity = Some(one);
                    items.push(item);
                }
            }
        }
        let Some(quantity) = quantity else {
            return self.wrong(expr, "nothing is in an empty list", None);
        };
        Some(Typed::Test(Test::Among(Box::new(quantity), items)))
    }

    /// Two expressions that must be of one type. A text is a time of day beside
    /// one, and nothing otherwise.
    fn pair(&mut self, expr: &IdedExpr, [a, b]: [&IdedExpr; 2]) -> Option<Pair> {
        let (left, right) = (self.expression(a), self.expression(b));
        match (left?, right?) {
            (Typed::Test(left), Typed::Test(right)) => Some(Pair::Tests(left, right)),
            (Typed::Number(left), Typed::Number(right)) => Some(Pair::Numbers(left, right)),
            (Typed::Time(left), Typed::Time(right)) => Some(Pair::Times(left, right)),
            (Typed::Time(left), Typed::Text(text)) => Some(Pair::Times(left, self.time(b, &text)?)),
            (Typed::Text(text), Typed::Time(right)) => Some(Pair::Times(self.time(a, &text)?, right)),
            (left, right) => {
                let [left, right] = [left.noun(), right.noun()];
                self.wrong(expr, format!("{left} and {right} do not go together"), None)
            }
        }
    }

    fn time(&mut self, expr: &IdedExpr, text: &str) -> Option<Quantity> {
        let Some(minutes) = clock::minutes(text) else {
            return self.wrong(expr, format!("{text:?} must be a time of day, HH:MM"), "such as 08:30");
        };
        Some(Quantity::Constant(minutes))
    }

    fn tests(&mut self, a: &IdedExpr, b: &IdedExpr) -> Option<Box<[Test; 2]>> {
        let (a, b) = (self.test(a), self.test(b));
        Some(Box::new([a?, b?]))
    }

    fn test(&mut self, expr: &IdedExpr) -> Option<Test> {
        match self.expression(expr)? {
            Typed::Test(test) => Some(test),
            other => self.wrong(expr, format!("must be true or false, not {}", other.noun()), None),
        }
    }

    fn number(&mut self, expr: &IdedExpr) -> Option<Quantity> {
        match self.expression(expr)? {
            Typed::Number(number) => Some(number),
            other => self.wrong(expr, format!("must be a number, not {}", other.noun()), None),
        }
    }

    /// An argument, which must be a text as it stands: names are looked up when
    /// the policy is loaded.
    pub(super) fn text<'e>(&mut self, expr: &'e IdedExpr) -> Option<&'e str> {
        match &expr.expr {
            Expr::Literal(LiteralValue::String(text)) => Some(text.inner()),
            _ => self.wrong(expr, "must be a quoted name", None),
        }
    }

    /// Reports a word that is none of `known`.
    pub(super) fn unknown<T>(
        &mut self,
        expr: &IdedExpr,
        word: &str,
        noun: &str,
        known: &[&str],
    ) -> Option<T> {
        let hint = match known {
            [] => Some("there are none".to_owned()),
            _ => self
                .out
                .suggest(word, known.iter().copied())
                .or_else(|| (known.len() <= MAX_LISTED).then(|| format!("there are {}", known.join(", ")))),
        };
        self.report(Some(expr), format!("{word:?} must be {noun}"), hint);
        None
    }

    /// Reports a mistake.
    pub(super) fn wrong<'h, T>(
        &mut self,
        expr: &IdedExpr,
        what: impl Into<String>,
        hint: impl Into<Option<&'h str>>,
    ) -> Option<T> {
        self.report(Some(expr), what.into(), hint.into().map(str::to_owned));
        None
    }

    pub(super) fn warn(&mut self, expr: &IdedExpr, what: String) {
        let (who, which) = (self.who(), self.which(Some(self.place(expr))));
        self.out.warn(&self.rule.when_at, &who, &which, what);
    }

    fn report(&mut self, expr: Option<&IdedExpr>, what: String, hint: Option<String>) {
        let (who, which) = (self.who(), self.which(expr.map(|expr| self.place(expr))));
        self.out.hinted(&self.rule.when_at, [&who, &which], what, hint);
    }

    /// What the parser did not understand: its first complaint, for others
    /// follow from it.
    fn no_cel(&mut self, errors: &ParseErrors) {
        let Some(error) = errors.errors.first() else {
            return self.report(None, "must be a CEL expression".to_owned(), None);
        };
        let (line, column) = error.pos;
        let before = self.rule.when.lines().take(usize::try_from(line - 1).unwrap_or(0));
        let before: usize = before.map(|line| line.chars().count() + 1).sum();
        let place = before + usize::try_from(column).unwrap_or(0).max(1);
        let what = error.msg.strip_prefix("Syntax error: ").unwrap_or(&error.msg);
        let what = what.split(" expecting ").next().unwrap_or(what);
        let what = if what.contains("ecursion") { "nests too deeply" } else { what };
        let (who, which) = (self.who(), self.which(Some(place)));
        let what = format!("must be a CEL expression: {what}");
        self.out.error(&self.rule.when_at, &who, &which, what);
    }

    fn who(&self) -> String {
        format!("rule {}", self.rule.name)
    }

    fn which(&self, place: Option<usize>) -> String {
        place.map_or_else(|| "when".to_owned(), |place| format!("when, character {place}"))
    }

    /// At which character of the condition an expression stands, from 1. The
    /// parser knows the byte of a call's bracket, a field's dot and an operator.
    fn place(&self, expr: &IdedExpr) -> usize {
        let (start, _) = self.source.offset_for(expr.id).unwrap_or_default();
        let start = start as usize;
        let start = match &expr.expr {
            Expr::Call(CallExpr { func_name: name, .. }) if names::is_word(name) => {
                start.saturating_sub(name.len())
            }
            Expr::Select(select) if !select.test => start + 1,
            _ => start,
        };
        self.source.source.char_indices().take_while(|(at, _)| *at < start).count() + 1
    }
}

/// Longest list of what there is in a hint.
const MAX_LISTED: usize = 12;

fn order(name: &str) -> Option<Order> {
    match name {
        operators::EQUALS => Some(Order::Same),
        operators::NOT_EQUALS => Some(Order::Other),
        operators::LESS => Some(Order::Less),
        operators::LESS_EQUALS => Some(Order::AtMost),
        operators::GREATER => Some(Order::More),
        operators::GREATER_EQUALS => Some(Order::AtLeast),
        _ => None,
    }
}

fn operation(name: &str) -> Option<Operation> {
    match name {
        operators::ADD => Some(Operation::Add),
        operators::SUBSTRACT => Some(Operation::Subtract),
        operators::MULTIPLY => Some(Operation::Multiply),
        operators::DIVIDE => Some(Operation::Divide),
        _ => None,
    }
}
