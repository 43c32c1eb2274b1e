//! Files of samples, as `rhumb train` and `rhumb evaluate` take them.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use rhumb_policies::link::evaluate::Evaluation;
use rhumb_policies::link::sample::{MAX_BYTES, Sample, read_samples};
use rhumb_zones::Diagnostics;

use super::{Failure, complain};
use crate::files;

/// All samples of `files`, in their order; nothing when some row is wrong,
/// which is then told, for all files.
pub(super) fn read(files: &[PathBuf]) -> Result<Option<Vec<Sample>>, Failure> {
    let (mut samples, mut wrong) = (Vec::new(), Diagnostics::default());
    for file in files {
        let name = file.display().to_string();
        let bytes = files::bounded(file, MAX_BYTES as u64)
            .map_err(|error| format!("{name}: cannot be read: {error}"))?;
        match read_samples(&name, &bytes) {
            Ok(read) => samples.extend(read),
            Err(diagnostics) => wrong.append(diagnostics),
        }
    }
    if wrong.refuse() {
        complain(&wrong.to_string().trim_end());
        return Ok(None);
    }
    Ok(Some(samples))
}

/// Writes a file as a whole or not at all: readers see the old one or the new.
pub(super) fn replace(path: &Path, text: &str) -> Result<(), Failure> {
    let written = files::replace(path, |file| file.write_all(text.as_bytes()));
    written.map_err(|error| format!("{}: cannot be written: {error}", path.display()).into())
}

/// `top-1 91.2 %, regret mean 0.0213, 95th percentile 0.1100 nats`.
pub(super) fn figures(of: &Evaluation) -> String {
    let Evaluation { top1, unit, mean_regret, p95_regret, .. } = of;
    let top1 = format!("top-1 {:5.1} %", top1 * 100.0);
    match (mean_regret, p95_regret) {
        (Some(mean), Some(p95)) => {
            let unit = if *unit == "utility" { "in the unit of utility" } else { unit };
            format!("{top1}, regret mean {mean:.4}, 95th percentile {p95:.4} {unit}")
        }
        _ => format!("{top1}, regret unknown: no group has what it takes for every link"),
    }
}
