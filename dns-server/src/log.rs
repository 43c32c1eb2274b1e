//! Logs: human on a terminal, one JSON object a line otherwise.
//!
//! They go to standard error, so that what a command was asked for stands
//! alone on standard output. The level is one word for the whole program: a
//! filter language per module serves those who debug the program, not those
//! who run it. Serving threads do not log; see the stats for what they count.

use std::io::{self, IsTerminal as _};

use tracing_subscriber::filter::LevelFilter;

/// How a line of log looks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, clap::ValueEnum)]
pub enum Format {
    /// Human on a terminal, JSON otherwise.
    #[default]
    Auto,
    /// Words and colours.
    Human,
    /// One JSON object a line.
    Json,
}

/// Sends logs of `level` and graver to standard error. Only the first call
/// of a process has an effect.
pub fn init(level: LevelFilter, format: Format) {
    let terminal = io::stderr().is_terminal();
    let human = match format {
        Format::Auto => terminal,
        Format::Human => true,
        Format::Json => false,
    };
    let builder = tracing_subscriber::fmt().with_max_level(level).with_writer(io::stderr);
    // A logger that is already there (a test's) stays.
    let _ = if human {
        builder.with_ansi(terminal).with_target(false).try_init()
    } else {
        builder.json().flatten_event(true).with_target(false).try_init()
    };
}
