//! Scalars: numbers, durations, fractions, addresses, names, points.
//!
//! Numbers and truth values must be written without quotes, as YAML has it;
//! everything else is text in a form of its own and may be quoted. Units are
//! part of the text: a bare `30` is refused where a duration is meant, because
//! half of all readers would take it for milliseconds.

use std::net::IpAddr;
use std::num::{NonZeroU8, NonZeroU16, NonZeroU32};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value as Json, json};

use super::{Read, Reader};
use crate::name::Name;
use crate::place::Point;
use crate::prefix::Prefix;
use crate::record::Rtype;
use crate::tree::{Tree, Value};

/// Longest duration: ten years, so that adding one to a clock never overflows.
pub const MAX_DURATION: Duration = Duration::from_secs(10 * 365 * 86_400);

macro_rules! whole_numbers {
    ($($int:ty),*) => {$(
        impl Read for $int {
            fn read(tree: &Tree, reader: &mut Reader<'_>) -> Option<Self> {
                if let Value::Plain(text) = &tree.value
                    && let Ok(number) = text.parse()
                {
                    return Some(number);
                }
                reader.must_be(tree, &format!("a whole number, {} to {}", Self::MIN, Self::MAX))
            }

            fn schema() -> Json {
                // Both are small: `into` i64 is exact.
                let (least, most): (i64, i64) = (Self::MIN.into(), Self::MAX.into());
                json!({ "type": "integer", "minimum": least, "maximum": most })
            }
        }
    )*};
}

whole_numbers!(u8, u16, u32, i32);

macro_rules! positive_numbers {
    ($($positive:ty),*) => {$(
        impl Read for $positive {
            fn read(tree: &Tree, reader: &mut Reader<'_>) -> Option<Self> {
                if let Value::Plain(text) = &tree.value
                    && let Ok(number) = text.parse()
                {
                    return Some(number);
                }
                reader.must_be(tree, &format!("a whole number, 1 to {}", Self::MAX))
            }

            fn schema() -> Json {
                json!({ "type": "integer", "minimum": 1, "maximum": Self::MAX.get() })
            }
        }
    )*};
}

positive_numbers!(NonZeroU8, NonZeroU16, NonZeroU32);

/// A whole number from `LOW` to `HIGH`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bounded<const LOW: u32, const HIGH: u32>(pub u32);

impl<const LOW: u32, const HIGH: u32> Read for Bounded<LOW, HIGH> {
    fn read(tree: &Tree, reader: &mut Reader<'_>) -> Option<Self> {
        if let Value::Plain(text) = &tree.value
            && let Ok(number) = text.parse()
            && (LOW..=HIGH).contains(&number)
        {
            return Some(Self(number));
        }
        reader.must_be(tree, &format!("a whole number, {LOW} to {HIGH}"))
    }

    fn schema() -> Json {
        json!({ "type": "integer", "minimum": LOW, "maximum": HIGH })
    }
}

impl Read for f64 {
    fn read(tree: &Tree, reader: &mut Reader<'_>) -> Option<Self> {
        match &tree.value {
            Value::Plain(text) => decimal(text),
            _ => None,
        }
        .or_else(|| reader.must_be(tree, "a number"))
    }

    fn schema() -> Json {
        json!({ "type": "number" })
    }
}

/// A finite number in digits; Rust alone would also take `inf` and `nan`.
fn decimal(text: &str) -> Option<f64> {
    let numeric = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    text.parse().ok().filter(|number: &f64| numeric && number.is_finite())
}

impl Read for bool {
    fn read(tree: &Tree, reader: &mut Reader<'_>) -> Option<Self> {
        match &tree.value {
            Value::Plain(text) if matches!(&**text, "true" | "True" | "TRUE") => Some(true),
            Value::Plain(text) if matches!(&**text, "false" | "False" | "FALSE") => Some(false),
            _ => reader.must_be(tree, "true or false"),
        }
    }

    fn schema() -> Json {
        json!({ "type": "boolean" })
    }
}

impl Read for Arc<str> {
    fn read(tree: &Tree, reader: &mut Reader<'_>) -> Option<Self> {
        tree.text().cloned().or_else(|| reader.must_be(tree, "text"))
    }

    /// Plain numbers and truth values are text where text is wanted.
    fn schema() -> Json {
        json!({ "type": ["string", "number", "boolean"] })
    }
}

impl Read for String {
    fn read(tree: &Tree, reader: &mut Reader<'_>) -> Option<Self> {
        Arc::<str>::read(tree, reader).map(|text| text.to_string())
    }

    fn schema() -> Json {
        Arc::<str>::schema()
    }
}

/// A share of one: `0.1` or `10%`, from 0 to 1.
#[derive(Clone, Copy, PartialEq, PartialOrd, Debug)]
pub struct Fraction(pub f64);

impl Fraction {
    /// The fraction that `text` says, if it says one.
    pub(crate) fn scan(text: &str) -> Option<Self> {
        let share = match text.strip_suffix('%') {
            Some(percent) => decimal(percent)? / 100.0,
            None => decimal(text)?,
        };
        (0.0..=1.0).contains(&share).then_some(Self(share))
    }
}

impl Read for Fraction {
    fn read(tree: &Tree, reader: &mut Reader<'_>) -> Option<Self> {
        let share = tree.text().and_then(|text| Self::scan(text));
        share.or_else(|| reader.must_be(tree, "a fraction from 0 to 1, such as 0.1 or 10%"))
    }

    fn schema() -> Json {
        json!({ "anyOf": [
            { "type": "number", "minimum": 0, "maximum": 1 },
            { "type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?%$" },
        ]})
    }
}

impl Read for Duration {
    fn read(tree: &Tree, reader: &mut Reader<'_>) -> Option<Self> {
        let duration = tree.text().and_then(|text| scan_duration(text));
        if duration.is_none()
            && let Some(text) = tree.text()
            && text.parse::<u32>().is_ok()
        {
            let hint = Some(format!("did you mean {text}s?"));
            reader.hinted(&tree.at, "must have a unit: ms, s, m, h, d or w", hint);
            return None;
        }
        match duration {
            Some(duration) if duration <= MAX_DURATION => Some(duration),
            Some(_) => reader.must_be(tree, "at most ten years"),
            None => reader.must_be(tree, "a duration such as 30s, 200ms or 1h30m"),
        }
    }

    fn schema() -> Json {
        json!({ "anyOf": [
            { "type": "string", "pattern": "^([0-9]+(ms|s|m|h|d|w))+$" },
            { "const": 0 },
        ]})
    }
}

/// A time to live: whole seconds, at most 2³¹ − 1 (RFC 2181 §8).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Ttl(pub Duration);

impl Read for Ttl {
    fn read(tree: &Tree, reader: &mut Reader<'_>) -> Option<Self> {
        // MAX_DURATION is below 2³¹ seconds.
        let duration = Duration::read(tree, reader)?;
        if duration.subsec_nanos() == 0 {
            Some(Self(duration))
        } else {
            reader.must_be(tree, "whole seconds")
        }
    }

    fn schema() -> Json {
        Duration::schema()
    }
}

/// A span of time as operators write it: `30s`, `1h30m`, `200ms`; a bare `0`
/// needs no unit.
#[must_use]
pub fn scan_duration(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let mut total = Duration::ZERO;
    let mut rest = text;
    while !rest.is_empty() {
        let (digits, tail) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit())?);
        let (unit, tail) = tail.split_at(tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len()));
        let one = Duration::from_millis(match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            "w" => 604_800_000,
            _ => return None,
        });
        total = total.checked_add(one.checked_mul(digits.parse().ok()?)?)?;
        rest = tail;
    }
    (!text.is_empty()).then_some(total)
}

impl Read for IpAddr {
    fn read(tree: &Tree, reader: &mut Reader<'_>) -> Option<Self> {
        let address = tree.text().and_then(|text| text.parse().ok());
        address.or_else(|| reader.must_be(tree, "an IPv4 or IPv6 address"))
    }

    fn schema() -> Json {
        json!({ "type": "string", "pattern": r"^([0-9.]+|[0-9A-Fa-f:.]+)$" })
    }
}

impl Read for Prefix {
    fn read(tree: &Tree, reader: &mut Reader<'_>) -> Option<Self> {
        match tree.text().map(|text| text.parse()) {
            Some(Ok(prefix)) => Some(prefix),
            Some(Err(error)) => {
                reader.wrong(&tree.at, format!("{error}"));
                None
            }
            None => reader.must_be(tree, "a prefix such as 203.0.113.0/24"),
        }
    }

    fn schema() -> Json {
        json!({ "type": "string", "pattern": "^[0-9A-Fa-f:.]+(/[0-9]+)?$" })
    }
}

impl Read for Name {
    /// Absolute, with or without the final dot.
    fn read(tree: &Tree, reader: &mut Reader<'_>) -> Option<Self> {
        match tree.text().map(|text| Self::scan_absolute(text)) {
            Some(Ok(name)) => Some(name),
            Some(Err(error)) => reader.must_be(tree, &format!("a domain name ({error})")),
            None => reader.must_be(tree, "a domain name"),
        }
    }

    fn schema() -> Json {
        json!({ "type": "string" })
    }
}

impl Read for Rtype {
    fn read(tree: &Tree, reader: &mut Reader<'_>) -> Option<Self> {
        let rtype = tree.text().and_then(|text| text.parse().ok());
        rtype.or_else(|| reader.must_be(tree, "a record type such as A, TXT or TYPE65280"))
    }

    fn schema() -> Json {
        json!({ "type": "string" })
    }
}

impl Read for Point {
    fn read(tree: &Tree, reader: &mut Reader<'_>) -> Option<Self> {
        const WANTED: &str = "[latitude, longitude] in degrees, within ±90 and ±180";
        let numbers = match &tree.value {
            Value::List(items) => items.iter().map(|item| decimal(item.text()?)).collect(),
            _ => None,
        };
        let numbers: Vec<f64> = numbers.unwrap_or_default();
        let [latitude, longitude] = numbers[..] else { return reader.must_be(tree, WANTED) };
        let point = Self::new(latitude, longitude);
        if point.is_none() {
            let swapped = Self::new(longitude, latitude).map(|_| "the latitude comes first".to_owned());
            reader.hinted(&tree.at, format!("must be {WANTED}"), swapped);
        }
        point
    }

    fn schema() -> Json {
        json!({
            "type": "array",
            "items": [
                { "type": "number", "minimum": -90, "maximum": 90 },
                { "type": "number", "minimum": -180, "maximum": 180 },
            ],
            "minItems": 2,
            "maxItems": 2,
        })
    }
}
