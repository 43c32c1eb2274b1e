//! State that another program writes to a file.
//!
//! The bridge from monitoring that exists already: it writes `up` or `down`,
//! as often as it likes. Nothing but the first word is looked at, so that a
//! person can leave the reason beside it.

use std::fs::OpenOptions;
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;

use rhumb_zones::spec;
use rustix::fs::OFlags;
use tokio::time::timeout;

use super::way::{first_word, local, new, wrong};
use super::{Kind, Running, Way};
use crate::reply::{Cause, Failure, Reply};

/// Bytes read of a file: the first word stands in them, or there is none.
const MOST: u64 = 4096;

spec! {
    /// Reads a file whose first word is `up` or `down`.
    pub struct File {
        /// The path of the file.
        file: String,
    }
}

impl Kind for File {
    fn describe(&self) -> String {
        format!("file {}", self.file)
    }

    fn needs_target_address(&self) -> bool {
        false
    }

    fn reports(&self) -> bool {
        true
    }

    fn uses_network(&self) -> bool {
        false
    }

    fn run<'a>(&'a self, way: &'a Way<'a>) -> Running<'a> {
        Box::pin(async move {
            let path = self.file.clone();
            let content = match timeout(way.probe.timeout, way.tools.aside(move || read(&path))).await {
                Ok(Ok(content)) => content,
                Ok(Err(error)) => return local("cannot read it", &error).into(),
                Err(_) => return new(Cause::Local, "cannot read it in time").into(),
            };
            let report = first_word(&content);
            Reply { outcome: judge(report.as_deref()), tries: 1, lost: 0, delay: None, report }
        })
    }
}

/// The beginning of a file. A pipe that nobody writes to is empty.
fn read(path: &str) -> io::Result<Vec<u8>> {
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    let mut content = Vec::new();
    file.take(MOST).read_to_end(&mut content)?;
    Ok(content)
}

fn judge(word: Option<&str>) -> Result<(), Failure> {
    match word {
        Some("up") => Ok(()),
        Some("down") => Err(wrong("it says down")),
        Some(word) => Err(wrong(format!("it says {word}, neither up nor down"))),
        None => Err(wrong("it says neither up nor down")),
    }
}
