//! Rows of text, what is read and what is complained about.

#![expect(dead_code, reason = "fields are looked at through Debug")]

use std::fmt::Debug;
use std::net::IpAddr;
use std::num::NonZeroU16;
use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::name::Name;
use crate::place::Point;
use crate::prefix::Prefix;
use crate::spec;
use crate::tree::Tree;

spec! {
    /// A colour.
    enum Colour {
        /// Like blood.
        DarkRed,
        /// Like grass.
        Green,
    }
}

spec! {
    /// Size keys.
    struct Size {
        /// How wide.
        width: u8 = 7,
    }
}

spec! {
    /// A thing
    /// of two lines.
    struct Thing as "thing" {
        /// What it is for.
        purpose: Arc<str>,
        /// Its colour.
        the_colour: Option<Colour>,
        /// Its parts.
        parts: Named<Thing> = Named::default(),
        /// How it is bound.
        r#type: OneOrMany<u8> = OneOrMany(vec![1]),
        ..size: Size,
    }
}

/// Text, what it reads as or the complaints, why.
type Row = (&'static str, Result<&'static str, &'static [&'static str]>, &'static str);

fn check<T: Read + Debug>(text: &str, want: Result<&str, &[&str]>, why: &str) {
    let mut out = Diagnostics::default();
    let trees = Tree::parse(&Arc::from("f"), text.as_bytes(), &mut out);
    let got = read::<T>(&trees[0], ["x", ""], &mut out);
    let complaints: Vec<String> = out.iter().map(ToString::to_string).collect();
    match want {
        Ok(want) => {
            assert_eq!(complaints, Vec::<String>::new(), "{text}: {why}");
            assert_eq!(format!("{:?}", got.expect(why)), want, "{text}: {why}");
        }
        Err(want) => {
            assert_eq!(complaints, want, "{text}: {why}");
        }
    }
}

#[test]
fn durations() {
    let rows: &[Row] = &[
        ("30s", Ok("30s"), "plain"),
        ("'30s'", Ok("30s"), "a form of its own may be quoted"),
        ("1h30m", Ok("5400s"), "units add up"),
        ("200ms", Ok("200ms"), "longest unit first"),
        ("0", Ok("0ns"), "nothing needs no unit"),
        ("2w1d", Ok("1296000s"), "days and weeks"),
        (
            "30",
            Err(&[
                "f:1:1: x: declaration: must have a unit: ms, s, m, h, d or w\n    hint: did you mean 30s?",
            ]),
            "no unit",
        ),
        (
            "20y",
            Err(&["f:1:1: x: declaration: must be a duration such as 30s, 200ms or 1h30m, not 20y"]),
            "unknown unit",
        ),
        (
            "-3s",
            Err(&["f:1:1: x: declaration: must be a duration such as 30s, 200ms or 1h30m, not -3s"]),
            "negative",
        ),
        ("5000d", Err(&["f:1:1: x: declaration: must be at most ten years, not 5000d"]), "too long"),
        (
            "99999999999999999999s",
            Err(&[
                "f:1:1: x: declaration: must be a duration such as 30s, 200ms or 1h30m, not 99999999999999999999s",
            ]),
            "overflow",
        ),
        (
            "[1s]",
            Err(&["f:1:1: x: declaration: must be a duration such as 30s, 200ms or 1h30m, not a list"]),
            "a list",
        ),
    ];
    for (text, want, why) in rows {
        check::<Duration>(text, *want, why);
    }
}

#[test]
fn scalars() {
    check::<u8>("255", Ok("255"), "the most");
    check::<u8>("256", Err(&["f:1:1: x: declaration: must be a whole number, 0 to 255, not 256"]), "range");
    check::<u8>(
        "'7'",
        Err(&["f:1:1: x: declaration: must be a whole number, 0 to 255, not \"7\""]),
        "quoted is text",
    );
    check::<NonZeroU16>(
        "0",
        Err(&["f:1:1: x: declaration: must be a whole number, 1 to 65535, not 0"]),
        "a port",
    );
    check::<f64>("-1.5e3", Ok("-1500.0"), "exponent");
    check::<f64>("inf", Err(&["f:1:1: x: declaration: must be a number, not inf"]), "finite");
    check::<bool>("True", Ok("true"), "YAML 1.2 core");
    check::<bool>("yes", Err(&["f:1:1: x: declaration: must be true or false, not yes"]), "YAML 1.1");
    check::<String>("no", Ok("\"no\""), "text where text is wanted");
    check::<String>("1.10", Ok("\"1.10\""), "as written");
    check::<Fraction>("10%", Ok("Fraction(0.1)"), "percent");
    check::<Fraction>("0.25", Ok("Fraction(0.25)"), "plain");
    check::<Fraction>(
        "10",
        Err(&["f:1:1: x: declaration: must be a fraction from 0 to 1, such as 0.1 or 10%, not 10"]),
        "range",
    );
    check::<IpAddr>("2001:db8::1", Ok("2001:db8::1"), "v6");
    check::<IpAddr>(
        "192.0.2.300",
        Err(&["f:1:1: x: declaration: must be an IPv4 or IPv6 address, not 192.0.2.300"]),
        "octet",
    );
    check::<Prefix>(
        "192.0.2.1/24",
        Err(&["f:1:1: x: declaration: has bits set beyond its length; did you mean 192.0.2.0/24?"]),
        "host bits",
    );
    check::<Name>(
        "a..b",
        Err(&["f:1:1: x: declaration: must be a domain name (a label must not be empty), not a..b"]),
        "empty label",
    );
    check::<Point>("[50.1, 8.7]", Ok("Point { latitude: 50.1, longitude: 8.7 }"), "degrees");
    check::<Point>(
        "[116.4, 39.9]",
        Err(&[
            "f:1:1: x: declaration: must be [latitude, longitude] in degrees, within ±90 and ±180\n    hint: the latitude comes first",
        ]),
        "swapped",
    );
    check::<Point>(
        "[1]",
        Err(&[
            "f:1:1: x: declaration: must be [latitude, longitude] in degrees, within ±90 and ±180, not a list",
        ]),
        "one number",
    );
    check::<Colour>("dark-red", Ok("DarkRed"), "a word");
    check::<Colour>(
        "darkred",
        Err(&["f:1:1: x: declaration: must be dark-red or green\n    hint: did you mean \"dark-red\"?"]),
        "nearly",
    );
}

#[test]
fn specs() {
    let thing = |rest: &str| format!("Thing {{ purpose: \"p\", {rest} }}");
    let plain = thing("the_colour: None, parts: Named([]), type: OneOrMany([1]), size: Size { width: 7 }");
    check::<Thing>("purpose: p", Ok(&plain), "defaults");
    let full =
        thing("the_colour: Some(Green), parts: Named([]), type: OneOrMany([1, 2]), size: Size { width: 3 }");
    check::<Thing>("{purpose: p, the-colour: green, type: [1, 2], width: 3}", Ok(&full), "all");
    let rows: &[(&str, &[&str], &str)] = &[
        ("{}", &["f:1:1: x: purpose: must be given"], "a required key"),
        ("5", &["f:1:1: x: declaration: must be a mapping, not 5"], "no mapping"),
        (
            "{purpose: p, widht: 3}",
            &["f:1:14: x: widht: is not a key that this place knows\n    hint: did you mean \"width\"?"],
            "a slip",
        ),
        (
            "{purpose: p, the_colour: green}",
            &[
                "f:1:14: x: the_colour: is not a key that this place knows\n    hint: did you mean \"the-colour\"?",
            ],
            "keys have hyphens",
        ),
        (
            "{purpose: p, zzz: 3}",
            &[
                "f:1:14: x: zzz: is not a key that this place knows\n    hint: the keys here are purpose, the-colour, parts, type, width",
            ],
            "nothing near",
        ),
        (
            "{purpose: p, type: []}",
            &["f:1:20: x: type: must not be an empty list"],
            "one or many is not none",
        ),
        (
            "{purpose: p, width: x, type: [1, y], the-colour: []}",
            &[
                "f:1:50: x: the-colour: must be dark-red or green",
                "f:1:34: x: type.1: must be a whole number, 0 to 255, not y",
                "f:1:21: x: width: must be a whole number, 0 to 255, not x",
            ],
            "all mistakes at once",
        ),
        (
            "{purpose: p, parts: {a: {parts: {b: {width: 999}}}}}",
            &[
                "f:1:25: thing a: purpose: must be given",
                "f:1:37: thing a/b: purpose: must be given",
                "f:1:45: thing a/b: width: must be a whole number, 0 to 255, not 999",
            ],
            "nouns say who",
        ),
    ];
    for (text, complaints, why) in rows {
        check::<Thing>(text, Err(complaints), why);
    }
}
