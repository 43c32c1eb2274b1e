//! Durations with units and points in time.
//!
//! Times are 32 bits on the wire and compare by serial arithmetic (RFC 4034
//! §3.1.5). Text gives a date; without a clock here it is read, and shown, in
//! the first 2³² seconds: 1970 to 2106.

const MINUTE: u32 = 60;
const HOUR: u32 = 60 * MINUTE;
const DAY: u32 = 24 * HOUR;
const WEEK: u32 = 7 * DAY;

/// Seconds, plain or as BIND writes them: `90`, `1h30m`, `2W`.
pub(crate) fn scan_seconds(text: &str) -> Option<u32> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok();
    }
    let mut total = 0u32;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let unit = match rest.as_bytes().get(digits)?.to_ascii_lowercase() {
            b's' => 1,
            b'm' => MINUTE,
            b'h' => HOUR,
            b'd' => DAY,
            b'w' => WEEK,
            _ => return None,
        };
        let count: u32 = rest[..digits].parse().ok()?;
        total = total.checked_add(count.checked_mul(unit)?)?;
        rest = &rest[digits + 1..];
    }
    Some(total)
}

/// `YYYYMMDDHHmmSS`, or seconds since 1970 (RFC 4034 §3.2).
#[must_use]
pub fn scan_time(text: &str) -> Option<u32> {
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    if text.len() != 14 {
        return text.parse().ok();
    }
    let number = |from: usize, to: usize| text[from..to].parse::<u32>().ok();
    let (year, month, day) = (number(0, 4)?, number(4, 6)?, number(6, 8)?);
    let (hour, minute, second) = (number(8, 10)?, number(10, 12)?, number(12, 14)?);
    let days = days_since_1970(year, month, day)?;
    // A leap second reads as the first of the next minute.
    let clock =
        (hour < 24 && minute < 60 && second <= 60).then_some(hour * HOUR + minute * MINUTE + second)?;
    days.checked_mul(DAY)?.checked_add(clock)
}

/// Seconds since 1970 as `YYYYMMDDHHmmSS`.
#[must_use]
pub fn display_time(seconds: u32) -> String {
    let (mut year, mut days) = (1970, seconds / DAY);
    while days >= year_length(year) {
        days -= year_length(year);
        year += 1;
    }
    let mut month = 1;
    while days >= month_length(year, month) {
        days -= month_length(year, month);
        month += 1;
    }
    let clock = seconds % DAY;
    let (hour, minute, second) = (clock / HOUR, clock / MINUTE % 60, clock % 60);
    format!("{year:04}{month:02}{:02}{hour:02}{minute:02}{second:02}", days + 1)
}

fn days_since_1970(year: u32, month: u32, day: u32) -> Option<u32> {
    let real = (1970..=2106).contains(&year)
        && (1..=12).contains(&month)
        && (1..=month_length(year, month)).contains(&day);
    if !real {
        return None;
    }
    let years = (1970..year).map(year_length).sum::<u32>();
    let months = (1..month).map(|month| month_length(year, month)).sum::<u32>();
    Some(years + months + day - 1)
}

fn year_length(year: u32) -> u32 {
    (1..=12).map(|month| month_length(year, month)).sum()
}

fn month_length(year: u32, month: u32) -> u32 {
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds() {
        let rows = [
            ("0", Some(0), "plain"),
            ("4294967295", Some(u32::MAX), "the most"),
            ("4294967296", None, "more"),
            ("1h30m", Some(5_400), "units add up"),
            ("1W2D3H4M5S", Some(788_645), "all units, upper case"),
            ("1h30", None, "a number without its unit"),
            ("h", None, "a unit without its number"),
            ("7102w", None, "overflow in a product"),
            ("7101w4000000s", None, "overflow in the sum"),
            ("1y", None, "no such unit"),
            ("", None, "nothing"),
            ("1é", None, "no unit, and no cut character"),
        ];
        for (text, want, why) in rows {
            assert_eq!(scan_seconds(text), want, "{text}: {why}");
        }
    }

    #[test]
    fn times() {
        let rows = [
            ("19700101000000", Some(0), "the epoch"),
            ("20040229235959", Some(1_078_099_199), "a leap day"),
            ("20030229000000", None, "no leap day"),
            ("21060207062815", Some(u32::MAX), "the last second"),
            ("21060207062816", None, "one more"),
            ("20241301000000", None, "a thirteenth month"),
            ("20240101240000", None, "a 24th hour"),
            ("1078099199", Some(1_078_099_199), "plain seconds"),
            ("99999999999999", None, "no such date"),
            ("99991231235959", None, "a year far away costs nothing"),
        ];
        for (text, want, why) in rows {
            assert_eq!(scan_time(text), want, "{text}: {why}");
            if let (Some(seconds), 14) = (want, text.len()) {
                assert_eq!(display_time(seconds), text, "{why}");
            }
        }
    }
}
