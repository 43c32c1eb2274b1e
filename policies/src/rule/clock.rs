//! Time of day in a named zone.
//!
//! A zone is named as in the tz database, `Europe/Berlin`, never by an offset:
//! offices open at eight in summer and in winter. The database is embedded, so
//! that a rule means the same on every server and this crate opens no file.

use std::time::Duration;

use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{Timestamp, Zoned};
use rhumb_zones::did_you_mean;

/// What a clock shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Part {
    /// 0–23
    Hour,
    /// 0–59
    Minute,
    /// 1 is Monday, 7 is Sunday.
    Weekday,
    /// Minutes since midnight.
    Time,
}

impl Part {
    /// Fields by the names that conditions use.
    pub(super) const FIELDS: [(&'static str, Self); 4] =
        [("hour", Self::Hour), ("minute", Self::Minute), ("weekday", Self::Weekday), ("time", Self::Time)];
}

/// The zone of that name.
pub(super) fn zone(name: &str) -> Option<TimeZone> {
    TimeZoneDatabase::bundled().get(name).ok()
}

/// Which zone may have been meant.
pub(super) fn hint(name: &str) -> String {
    let zones = TimeZoneDatabase::bundled();
    let zones = zones.available().map(|zone| zone.as_str().to_owned());
    did_you_mean(name, zones).unwrap_or_else(|| "zones are named like Europe/Berlin".to_owned())
}

/// What a clock in `zone` shows at `now`, since the Unix epoch; nothing beyond
/// the year 9999.
pub(super) fn read(zone: &TimeZone, part: Part, now: Duration) -> Option<f64> {
    let now = at(zone, now)?;
    Some(match part {
        Part::Hour => f64::from(now.hour()),
        Part::Minute => f64::from(now.minute()),
        Part::Weekday => f64::from(now.weekday().to_monday_one_offset()),
        Part::Time => f64::from(now.hour()) * 60.0 + f64::from(now.minute()),
    })
}

/// The same in words: `Mon 08:05`.
pub(super) fn words(zone: &TimeZone, now: Duration) -> String {
    at(zone, now).map_or_else(|| "no time".to_owned(), |now| now.strftime("%a %H:%M").to_string())
}

/// Minutes since midnight of a text `HH:MM`; `24:00` ends a day.
pub(super) fn minutes(text: &str) -> Option<f64> {
    let &[h, hh, b':', m, mm] = text.as_bytes() else { return None };
    let [h, hh, m, mm] = [h, hh, m, mm].map(|digit| digit.is_ascii_digit().then(|| f64::from(digit - b'0')));
    let (hours, minutes) = (h? * 10.0 + hh?, m? * 10.0 + mm?);
    let total = hours * 60.0 + minutes;
    (minutes < 60.0 && total <= 24.0 * 60.0).then_some(total)
}

fn at(zone: &TimeZone, now: Duration) -> Option<Zoned> {
    let seconds = i64::try_from(now.as_secs()).ok()?;
    Some(Timestamp::from_second(seconds).ok()?.to_zoned(zone.clone()))
}
