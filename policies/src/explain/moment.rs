//! Moments as people read them: `2026-11-22T22:00:00Z` (RFC 3339, UTC).

use std::time::Duration;

/// `since_epoch` in UTC, cut to whole seconds.
pub(super) fn moment(since_epoch: Duration) -> String {
    let (days, second) = (since_epoch.as_secs() / 86_400, since_epoch.as_secs() % 86_400);
    // Counted from 1 March of the year 0, so that leap days come last.
    let day = days + 719_468;
    let (era, day) = (day / 146_097, day % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (year, month) = if month < 10 { (year, month + 3) } else { (year + 1, month - 9) };
    let year = year + 400 * era;
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments() {
        let rows = [
            (0, "1970-01-01T00:00:00Z", "the epoch"),
            (951_825_600, "2000-02-29T12:00:00Z", "a leap day"),
            (1_795_384_800, "2026-11-22T22:00:00Z", "an evening"),
            (4_107_542_399, "2100-02-28T23:59:59Z", "no leap year"),
            (4_107_542_400, "2100-03-01T00:00:00Z", "so March is next"),
        ];
        for (seconds, want, why) in rows {
            assert_eq!(moment(Duration::from_secs(seconds)), want, "{why}");
        }
    }
}
