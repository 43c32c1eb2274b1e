//! When a certificate ends: the one field that rustls does not show.
//!
//! Seven steps into its DER (RFC 5280 §4.1) need no parser of X.509: each value
//! is a tag, a length and content, and what is not of interest is stepped
//! over. Whether the rest makes sense is for those who verify it.

/// `notAfter` in seconds since the Unix epoch; none when it is not there.
pub(super) fn end(certificate: &[u8]) -> Option<i64> {
    const SEQUENCE: u8 = 0x30;
    const VERSION: u8 = 0xa0;
    let mut whole = Der(certificate);
    let mut outer = Der(whole.take(SEQUENCE)?);
    let mut inner = Der(outer.take(SEQUENCE)?);
    if inner.0.first() == Some(&VERSION) {
        inner.take(VERSION)?;
    }
    // Serial number, signature algorithm, issuer.
    for _ in 0..3 {
        inner.any()?;
    }
    let mut validity = Der(inner.take(SEQUENCE)?);
    validity.any()?;
    let (tag, text) = validity.any()?;
    time(tag, text)
}

/// Values one after the other.
struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    /// The next value, if it has this tag.
    fn take(&mut self, tag: u8) -> Option<&'a [u8]> {
        self.any().filter(|(found, _)| *found == tag).map(|(_, content)| content)
    }

    /// Tag and content of the next value.
    fn any(&mut self) -> Option<(u8, &'a [u8])> {
        let (&[tag, first], rest) = self.0.split_first_chunk::<2>()?;
        // From 128 on, the first byte tells how many hold the length.
        let (len, rest) = match first.checked_sub(0x80) {
            None => (usize::from(first), rest),
            Some(bytes @ 1..=4) => {
                let (len, rest) = rest.split_at_checked(usize::from(bytes))?;
                (len.iter().fold(0, |len, &byte| len << 8 | usize::from(byte)), rest)
            }
            Some(_) => return None,
        };
        let (content, rest) = rest.split_at_checked(len)?;
        self.0 = rest;
        Some((tag, content))
    }
}

/// `YYMMDDhhmmssZ` or `YYYYMMDDhhmmssZ`, no other form is allowed (RFC 5280
/// §4.1.2.5).
fn time(tag: u8, text: &[u8]) -> Option<i64> {
    const UTC_TIME: u8 = 0x17;
    const GENERALIZED_TIME: u8 = 0x18;
    let digits = text.strip_suffix(b"Z").filter(|digits| digits.iter().all(u8::is_ascii_digit))?;
    let number = |digits: &[u8]| digits.iter().fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'));
    let (year, rest) = match (tag, digits.len()) {
        (UTC_TIME, 12) => {
            let (year, rest) = digits.split_at(2);
            let year = number(year);
            (if year < 50 { 2000 + year } else { 1900 + year }, rest)
        }
        (GENERALIZED_TIME, 14) => {
            let (year, rest) = digits.split_at(4);
            (number(year), rest)
        }
        _ => return None,
    };
    let [month, day, hour, minute, second] = [0, 2, 4, 6, 8].map(|at| rest.get(at..at + 2).map_or(0, number));
    let fits =
        (1..=12).contains(&month) && (1..=31).contains(&day) && hour < 24 && minute < 60 && second < 61;
    fits.then(|| ((days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second)
}

/// Days from 1970 on, by a year that begins in March, so that the leap day is
/// its last (H. Hinnant, `chrono`-Compatible Low-Level Date Algorithms).
const fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month < 3 { year - 1 } else { year };
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        let rows: [(u8, &str, Option<i64>, &str); 12] = [
            (0x17, "700101000000Z", Some(0), "the epoch"),
            (0x17, "491231235959Z", Some(2_524_607_999), "the last year of two digits"),
            (0x17, "500101000000Z", Some(-631_152_000), "the first"),
            (0x18, "20500101000000Z", Some(2_524_608_000), "four digits"),
            (0x18, "99991231235959Z", Some(253_402_300_799), "no end (RFC 5280 §4.1.2.5)"),
            (0x17, "240229120000Z", Some(1_709_208_000), "a leap day"),
            (0x17, "240301000000Z", Some(1_709_251_200), "the day after it"),
            (0x17, "241301000000Z", None, "no such month"),
            (0x17, "2401010000Z", None, "seconds are mandatory"),
            (0x17, "240101000000+0100", None, "no other zone"),
            (0x18, "240101000000Z", None, "too short for its tag"),
            (0x02, "240101000000Z", None, "no time"),
        ];
        for (tag, text, want, why) in rows {
            assert_eq!(time(tag, text.as_bytes()), want, "{text}: {why}");
        }
    }

    #[test]
    fn broken_certificates() {
        let rows: [(&[u8], &str); 6] = [
            (&[], "nothing"),
            (&[0x30], "no length"),
            (&[0x30, 0x80], "an endless one"),
            (&[0x30, 0x85, 1, 1, 1, 1, 1], "a length of five bytes"),
            (&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 0], "longer than it is"),
            (&[0x30, 4, 0x30, 2, 0xa0, 0], "nothing after the version"),
        ];
        for (bytes, why) in rows {
            assert_eq!(end(bytes), None, "{why}");
        }
    }

    #[test]
    fn certificates_whole_and_cut() {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::new(vec!["www.example.com".into()]).unwrap();
        params.not_after = rcgen::date_time_ymd(2031, 2, 3);
        let whole = params.self_signed(&key).unwrap();
        assert_eq!(end(whole.der()), Some(1_927_843_200));
        for len in 0..whole.der().len() {
            // The outermost length is that of the whole.
            assert_eq!(end(&whole.der()[..len]), None, "cut at {len}");
        }
    }
}
