//! `rhumb evaluate`: how well a way of choosing links would have done.

use std::path::PathBuf;

use rhumb_policies::link::evaluate::{Selector, evaluate};
use rhumb_policies::link::model::{self, LinkModel};
use rhumb_policies::link::sample::picks;

use super::{Ending, Failure, complain, print, samples};
use crate::files;

/// Play known decisions with a model or a selector
///
/// JSON has the keys groups, top1 (0–1), unit (utility or nats), measured
/// (groups with known regret), mean_regret and p95_regret (null if none has),
/// shares (of groups, by link) and confusion (groups by carrier of the best
/// link, then of the pick).
#[derive(clap::Args)]
pub(super) struct Evaluate {
    /// Files of samples, as for `rhumb train`
    #[arg(required = true, value_name = "SAMPLES")]
    samples: Vec<PathBuf>,
    /// Choose by this model
    #[arg(long, value_name = "FILE", conflicts_with = "selector")]
    model: Option<PathBuf>,
    /// Choose by this
    #[arg(long, value_enum, default_value_t)]
    selector: By,
    /// Write every pick: CSV with the header group,link
    #[arg(long, value_name = "FILE")]
    picks: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Default, clap::ValueEnum)]
enum By {
    /// The hand-set formula
    #[default]
    Formula,
    /// Least price_km: the client's own carrier, the nearest
    Carrier,
    /// Lowest delay
    Delay,
    /// Lowest loss
    Loss,
    /// The first row of each group
    Priority,
    /// Highest quality
    Quality,
}

impl Evaluate {
    pub(super) fn run(self) -> Result<Ending, Failure> {
        let Self { samples: files, model, selector, picks: picks_file, json } = self;
        let model = match &model {
            Some(path) => match read_model(path)? {
                Some(model) => Some(model),
                None => return Ok(Ending::Bad),
            },
            None => None,
        };
        let Some(samples) = samples::read(&files)? else { return Ok(Ending::Bad) };
        let selector = match (&model, selector) {
            (Some(model), _) => Selector::Model(model),
            (None, By::Formula) => Selector::Formula,
            (None, By::Carrier) => Selector::Carrier,
            (None, By::Delay) => Selector::Delay,
            (None, By::Loss) => Selector::Loss,
            (None, By::Priority) => Selector::Priority,
            (None, By::Quality) => Selector::Quality,
        };
        let evaluation = evaluate(&samples, &selector);
        if let Some(path) = picks_file {
            samples::replace(&path, &picks(&samples, &evaluation.picks))?;
        }
        if json {
            print(&serde_json::to_string_pretty(&evaluation)?)?;
        } else {
            print(&format_args!("{} groups: {}", evaluation.groups, samples::figures(&evaluation)))?;
        }
        Ok(Ending::Well)
    }
}

/// A model; nothing when it is refused, which is then told.
fn read_model(path: &std::path::Path) -> Result<Option<LinkModel>, Failure> {
    let name = path.display();
    let bytes = files::bounded(path, model::MAX_BYTES as u64)
        .map_err(|error| format!("{name}: cannot be read: {error}"))?;
    let model = LinkModel::parse(&bytes);
    if let Err(error) = &model {
        complain(&format_args!("{name}: link model: {error}"));
    }
    Ok(model.ok())
}
