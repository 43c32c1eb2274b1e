//! A decision and its outcome, as a sample.

use std::time::Duration;

use rhumb_policies::link::feature::{LinkFacts, goodput};
use rhumb_policies::link::sample::{Row, Sample};

use crate::school::notebook::group;
use crate::school::{Group, Measured};

/// The sample of a decision made at `at`: what was known then, how useful each
/// link proved, and which was best. Links that measured nothing since cannot be
/// judged; nothing if fewer than two can.
pub(super) fn sample(
    at: Duration,
    decided: Group,
    measured: &dyn Fn(&str) -> Option<Measured>,
) -> Option<Sample> {
    let row = |(link, facts): (std::sync::Arc<str>, LinkFacts)| {
        let Measured { loss, delay_ms, jitter_ms } = measured(&link)?;
        let utility = Some(goodput(&LinkFacts { loss, delay_ms, jitter_ms, ..facts })?);
        Some(Row { link: (&*link).into(), facts, is_best: false, utility })
    };
    let mut rows: Vec<Row> = decided.links.into_iter().filter_map(row).collect();
    let utility = |row: &&mut Row| row.utility.unwrap_or(f64::NEG_INFINITY);
    rows.iter_mut().max_by(|one, other| utility(one).total_cmp(&utility(other)))?.is_best = true;
    (rows.len() > 1).then(|| Sample { group: group(at, &decided.name), rows })
}
