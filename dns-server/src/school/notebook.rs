//! What was decided and what came of it, one file of samples a day.
//!
//! A file holds the samples of one UTC day in the form that `rhumb train`
//! reads, so that what a server learned from can be looked at, trained on
//! elsewhere, and taken as labels. A sample's group begins with the second of
//! its decision. Samples are appended and never rewritten; each window has its
//! share of a day's rows, so that a busy morning does not use up the night's.
//!
//! A crash, or a disk that fills up, leaves a torn end: what is not whole is
//! cut off before the next append and passed over when read. A file that makes
//! no sense is set aside for a look, and the other days count.
//!
//! **Invariant:** writing takes memory for one window, whatever the day holds.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::Offset;
use rhumb_policies::link::sample::{Sample, header, read_samples};

use super::WINDOW;
use crate::files;

/// Most rows of a day: 5 shapes of 8 classes and 4 links fill it, with 5 MB.
const MAX_ROWS: usize = 50_000;

/// Most rows of a window: its share of the day.
#[expect(clippy::cast_possible_truncation, reason = "a day has 288 windows")]
pub(super) const MAX_WINDOW_ROWS: usize = MAX_ROWS / (DAY.as_secs() / WINDOW.as_secs()) as usize;

/// Larger files are not ours: a row takes 100 bytes.
const MAX_FILE: u64 = 32 << 20;

/// How names of files begin and end, around the date.
const AFFIXES: [&str; 2] = ["samples-", ".csv"];

/// A day of UTC, which has no other length.
pub(super) const DAY: Duration = Duration::from_secs(86_400);

/// The samples of one model.
#[derive(Debug)]
pub(super) struct Notebook {
    directory: PathBuf,
}

/// One day's file.
#[derive(Clone, Debug)]
pub(super) struct Day {
    pub(super) date: Date,
    pub(super) path: PathBuf,
    pub(super) bytes: u64,
}

impl Notebook {
    /// The notebook in `directory`, which exists.
    pub(super) const fn new(directory: PathBuf) -> Self {
        Self { directory }
    }

    /// Appends the samples of one window that was decided at `now`.
    pub(super) fn write(&self, samples: &[Sample], now: Duration) -> io::Result<()> {
        let mut text = String::new();
        let rows: usize = samples.iter().map(|sample| sample.rows.len()).sum();
        // Every so-many-th group, for a share of each shape.
        let step = rows.div_ceil(MAX_WINDOW_ROWS).max(1);
        samples.iter().step_by(step).for_each(|sample| sample.write(&mut text));
        let path = self.directory.join(format!("{}{}{}", AFFIXES[0], date(now), AFFIXES[1]));
        let mut file = OpenOptions::new().read(true).append(true).create(true).open(&path)?;
        let length = mend(&mut file, &path)?;
        if length == 0 {
            text.insert_str(0, &format!("{}\n", header().trim_end()));
        }
        if length.saturating_add(text.len() as u64) > MAX_FILE {
            return Err(io::Error::other(format!("{} is full", path.display())));
        }
        file.write_all(text.as_bytes()).inspect_err(|_| {
            // If this fails too, the next append mends it.
            let _ = file.set_len(length);
        })
    }

    /// Every day's file, oldest first.
    pub(super) fn days(&self) -> io::Result<Vec<Day>> {
        let mut days = Vec::new();
        for entry in fs::read_dir(&self.directory)? {
            let entry = entry?;
            let name = entry.file_name();
            let date = name.to_str().and_then(|name| name.strip_prefix(AFFIXES[0])?.strip_suffix(AFFIXES[1]));
            if let Some(date) = date.and_then(|date| date.parse().ok()) {
                days.push(Day { date, path: entry.path(), bytes: entry.metadata()?.len() });
            }
        }
        days.sort_by_key(|day| day.date);
        Ok(days)
    }

    /// Deletes days that ended `keep` before `now`.
    pub(super) fn forget(&self, keep: Duration, now: Duration) -> io::Result<()> {
        let oldest = date(now.saturating_sub(keep));
        let mut old = self.days()?.into_iter().filter(|day| day.date < oldest);
        old.try_for_each(|day| fs::remove_file(day.path))
    }
}

impl Day {
    /// Its samples, oldest first; what makes no sense is set aside, and the
    /// error says so.
    pub(super) fn read(&self) -> Result<Vec<Sample>, String> {
        let name = self.path.display();
        let bytes = read(&self.path).map_err(|error| format!("{name} cannot be read: {error}"))?;
        let bytes = whole(&bytes);
        if bytes.is_empty() {
            return Ok(Vec::new());
        }
        read_samples(&name.to_string(), bytes).map_err(|wrong| {
            let why = wrong.iter().next().map_or_else(String::new, ToString::to_string);
            let aside = self.path.with_extension("csv.bad");
            match fs::rename(&self.path, &aside) {
                Ok(()) => format!("{why}; it is kept as {}", aside.display()),
                Err(error) => format!("{why}; it cannot be set aside: {error}"),
            }
        })
    }
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let bytes = files::bounded(path, MAX_FILE)?;
    if bytes.len() as u64 > MAX_FILE { Err(io::Error::other("it is too large")) } else { Ok(bytes) }
}

/// Cuts a torn end off; gives back the length.
fn mend(file: &mut File, path: &Path) -> io::Result<u64> {
    let length = file.metadata()?.len();
    let mut last = [b'\n'];
    if length > 0 {
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
    }
    if last == *b"\n" {
        return Ok(length);
    }
    let kept = whole(&read(path)?).len() as u64;
    file.set_len(kept)?;
    tracing::warn!(file = %path.display(), bytes = length.saturating_sub(kept), "a torn end is cut off");
    Ok(kept)
}

/// `bytes` without a torn end: the line that was cut, and what there is of its
/// group.
fn whole(bytes: &[u8]) -> &[u8] {
    let lines = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
    if lines == bytes.len() {
        return bytes;
    }
    let bytes = &bytes[..lines];
    let group = |line: &[u8]| line.split(|&byte| byte == b',').next().map(<[u8]>::to_vec);
    let mut rows = bytes.split_inclusive(|&byte| byte == b'\n').rev().map(|line| (group(line), line.len()));
    let Some((last, length)) = rows.next() else { return bytes };
    let others = rows.take_while(|(group, _)| *group == last).map(|(_, length)| length);
    &bytes[..lines - length - others.sum::<usize>()]
}

/// The day of a moment since the Unix epoch.
fn date(at: Duration) -> Date {
    let seconds = i64::try_from(at.as_secs()).unwrap_or(i64::MAX);
    let moment = jiff::Timestamp::from_second(seconds).unwrap_or(jiff::Timestamp::MAX);
    Offset::UTC.to_datetime(moment).date()
}

/// The group of a decision at `at` about `what`, for its sample.
pub(super) fn group(at: Duration, what: &str) -> Box<str> {
    // What separates fields and rows is in no name of a policy.
    format!("{}/{}", at.as_secs(), what.replace([',', '"', '\n', '\r'], "_")).into()
}

/// When a decision was made, by the name of its group.
pub(super) fn decided(group: &str) -> Option<Duration> {
    group.split('/').next()?.parse().ok().map(Duration::from_secs)
}
