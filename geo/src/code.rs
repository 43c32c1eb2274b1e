//! ISO codes as small values: continents, countries, subdivisions.
//!
//! Places are interned by the hundred thousand, so that names of countries
//! stay where they are needed (documents, consoles) and two or three bytes
//! stand for them here. Case never matters to operators, so codes are made
//! upper case on the way in.

use std::fmt;

/// A continent, by the two letters that GeoNames and MaxMind use.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Continent {
    /// `AF`
    Africa,
    /// `AN`
    Antarctica,
    /// `AS`
    Asia,
    /// `EU`
    Europe,
    /// `NA`, which reaches down to Panama and the Caribbean.
    NorthAmerica,
    /// `OC`
    Oceania,
    /// `SA`
    SouthAmerica,
}

impl Continent {
    /// All, in alphabetical order of their codes.
    pub const ALL: [Self; 7] = [
        Self::Africa,
        Self::Antarctica,
        Self::Asia,
        Self::Europe,
        Self::NorthAmerica,
        Self::Oceania,
        Self::SouthAmerica,
    ];

    /// The continent of that two-letter code, in any case.
    #[must_use]
    pub fn new(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|continent| continent.code().eq_ignore_ascii_case(code))
    }

    /// Its two letters.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Africa => "AF",
            Self::Antarctica => "AN",
            Self::Asia => "AS",
            Self::Europe => "EU",
            Self::NorthAmerica => "NA",
            Self::Oceania => "OC",
            Self::SouthAmerica => "SA",
        }
    }
}

impl fmt::Display for Continent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// A country: two letters, ISO 3166-1 alpha-2.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Country([u8; 2]);

impl Country {
    /// The country of that code, in any case; nothing unless it is two
    /// letters. Whether such a country exists is not asked: see
    /// [`Country::continent`].
    #[must_use]
    pub fn new(code: &str) -> Option<Self> {
        let letters: [u8; 2] = code.as_bytes().try_into().ok()?;
        letters.iter().all(u8::is_ascii_alphabetic).then(|| Self(letters.map(|b| b.to_ascii_uppercase())))
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_ascii(&self.0, f)
    }
}

/// A part of a country: the second half of an ISO 3166-2 code, one to three
/// letters or digits, such as `CA` of `US-CA`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Subdivision([u8; 3]);

impl Subdivision {
    /// The subdivision of that code, in any case; nothing unless it is one to
    /// three letters or digits.
    #[must_use]
    pub fn new(code: &str) -> Option<Self> {
        let fits = (1..=3).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_alphanumeric());
        fits.then(|| {
            let mut letters = [0; 3];
            for (to, from) in letters.iter_mut().zip(code.bytes()) {
                *to = from.to_ascii_uppercase();
            }
            Self(letters)
        })
    }
}

impl fmt::Display for Subdivision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_ascii(&self.0, f)
    }
}

fn write_ascii(letters: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    letters.iter().filter(|b| **b != 0).try_for_each(|b| fmt::Write::write_char(f, char::from(*b)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes() {
        let rows = [
            ("us", Some("US"), Some("US"), "two letters in any case are both"),
            ("ENG", None, Some("ENG"), "England is a subdivision"),
            ("7", None, Some("7"), "some countries number theirs"),
            ("", None, None, "empty"),
            ("U-", None, None, "punctuation"),
            ("É", None, None, "two bytes but no letters of ISO"),
            ("ABCD", None, None, "too long"),
        ];
        for (text, country, subdivision, why) in rows {
            assert_eq!(Country::new(text).map(|c| c.to_string()).as_deref(), country, "{why}");
            assert_eq!(Subdivision::new(text).map(|s| s.to_string()).as_deref(), subdivision, "{why}");
        }
    }

    #[test]
    fn every_continent_is_found_by_its_code() {
        for continent in Continent::ALL {
            assert_eq!(Continent::new(&continent.code().to_lowercase()), Some(continent));
        }
        assert_eq!(Continent::new("XX"), None);
    }
}
