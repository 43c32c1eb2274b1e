//! `rhumb train`: a link model from samples.

use std::fmt::Write as _;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::PathBuf;

use rhumb_policies::link::evaluate::Evaluation;
use rhumb_policies::link::feature::Feature;
use rhumb_policies::link::train::{Report, Trained, Training, train};

use super::{Ending, Failure, complain, print, samples};

/// Learn a link model from samples
///
/// Samples are CSV with the header
/// group,link,quality,price_km,weight,loss,delay_ms,jitter_ms,best[,utility]
/// and a row for each link of a decision: loss is 0–1, best is 1 on the link
/// that was chosen or proved best and 0 on the others, an empty cell was not
/// measured. utility, any measure that orders links, makes regret known in its
/// unit; without it, nats of goodput stand for it.
#[derive(clap::Args)]
pub(super) struct Train {
    /// Files of samples
    #[arg(required = true, value_name = "SAMPLES")]
    samples: Vec<PathBuf>,
    /// Where the model goes
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Where all chance comes from: the same seed and samples give the same model
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
}

impl Train {
    pub(super) fn run(self) -> Result<Ending, Failure> {
        let Self { samples: files, output, seed } = self;
        let Some(samples) = samples::read(&files)? else { return Ok(Ending::Bad) };
        let is_watched = io::stderr().is_terminal();
        let mut progress = |done, steps| {
            if is_watched {
                bar(done, steps);
            }
            true
        };
        match train(&samples, &Training { seed }, &mut progress) {
            Ok(Trained { model, report }) => {
                samples::replace(&output, &model.to_text())?;
                print(&told(&report).trim_end())?;
                print(&format_args!("model {} written to {}", model.id(), output.display()))?;
                let weights = Feature::ALL.into_iter().zip(model.weights().0);
                let weights: Vec<_> =
                    weights.map(|(feature, weight)| format!("{} {weight:+.3}", feature.name())).collect();
                print(&format_args!("weights, nats per unit: {}", weights.join(", ")))?;
                Ok(Ending::Well)
            }
            Err(error) => {
                complain(&format_args!("rhumb: {error}"));
                Ok(Ending::Bad)
            }
        }
    }
}

/// A bar on the terminal that goes away at the end.
fn bar(done: usize, steps: usize) {
    const WIDTH: usize = 40;
    let full = WIDTH * done / steps.max(1);
    let mut err = io::stderr().lock();
    let _ = match done < steps {
        true => write!(err, "\r[{:<WIDTH$}] {done}/{steps}", "#".repeat(full)),
        false => write!(err, "\r{:1$}\r", "", WIDTH + 16),
    };
    let _ = err.flush();
}

fn told(report: &Report) -> String {
    let Report { groups, pairs, cost, trust, cross_validated, held_out, formula, notes } = report;
    let mut out = format!("{groups} groups, {pairs} pairs of a best link and a rival\n");
    let _ = writeln!(out, "chosen by cross-validation: C {cost}, trust {trust}");
    let _ = writeln!(out, "cross-validated: top-1 {:5.1} %", cross_validated * 100.0);
    match (held_out, formula) {
        (Some(model), Some(formula)) => {
            let _ = writeln!(out, "on {} held-out groups:", model.groups);
            let _ = writeln!(out, "  model    {}", samples::figures(model));
            let _ = writeln!(out, "  formula  {}", samples::figures(formula));
            out.push_str(&confusion(model));
        }
        _ => out.push_str("no groups held out: there are fewer than 50\n"),
    }
    for note in notes {
        let _ = writeln!(out, "note: {note}");
    }
    out
}

/// Most carriers that a table has room for.
const MAX_CARRIERS: usize = 12;

/// Held-out groups by carrier of the best link and of the pick.
fn confusion(of: &Evaluation) -> String {
    let mut carriers: Vec<_> = of.confusion.iter().flat_map(|(best, row)| row.keys().chain([best])).collect();
    carriers.sort();
    carriers.dedup();
    if carriers.len() > MAX_CARRIERS {
        return format!("  {} carriers are too many for a table\n", carriers.len());
    }
    let width = carriers.iter().map(|name| name.chars().count()).max().unwrap_or(0).max(6);
    let mut out = format!("  {:<width$}  picked\n  {:<width$}", "", "best");
    for carrier in &carriers {
        let _ = write!(out, "  {carrier:>width$}");
    }
    for best in &carriers {
        let _ = write!(out, "\n  {best:<width$}");
        for picked in &carriers {
            let count = of.confusion.get(*best).and_then(|row| row.get(*picked)).copied().unwrap_or(0);
            let _ = write!(out, "  {count:>width$}");
        }
    }
    out + "\n"
}
