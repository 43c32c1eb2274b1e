//! `weighted`: ties are broken at random, by weight.
//!
//! `{weighted: {north: 3, south: 1}}` answers north three times in four;
//! datacenters not named, or of weight 0, only when no other can be answered.
//! Bare `weighted` goes by the VIPs' `weight:`. Shares hold among those that
//! can be answered now, and further ranks are drawn without replacement.

use rhumb_zones::{Key, Named, Spanned, Tree, Value};
use serde_json::{Value as Json, json};

use super::{Method, Spread, Step, Weights};
use crate::lottery::Seed;
use crate::plugin::Context;

/// The largest weight, so that 256 of them add up in 32 bits.
const MAX_WEIGHT: u32 = 1 << 20;

pub(super) struct Weighted;

impl Method for Weighted {
    fn name(&self) -> &'static str {
        "weighted"
    }

    fn about(&self) -> &'static str {
        "Ties are broken at random, by weight."
    }

    fn schema(&self) -> Json {
        weights_schema()
    }

    fn read(&self, arguments: &Tree, context: &mut Context<'_, '_>) -> Option<Step> {
        Some(Step::Spread(Spread::Lottery(Seed::Draw, read_weights(arguments, context)?)))
    }
}

pub(super) fn weights_schema() -> Json {
    json!({
        "type": ["object", "null"],
        "description": "Weights by datacenter; nothing means the VIPs' own.",
        "additionalProperties": { "type": "integer", "minimum": 0, "maximum": MAX_WEIGHT },
    })
}

pub(super) fn read_weights(arguments: &Tree, context: &mut Context<'_, '_>) -> Option<Weights> {
    if matches!(arguments.value, Value::Null) {
        return Some(Weights::Vips);
    }
    let named: Named<Spanned<u32>> = context.read(arguments)?;
    let mut weights = Vec::new();
    for (Key { at, text }, weight) in named.iter() {
        let datacenter = context.datacenter(&Spanned { at: at.clone(), value: text.clone() });
        if weight.value > MAX_WEIGHT {
            context.wrong(&weight.at, format!("must be at most {MAX_WEIGHT}"));
        }
        weights.extend(datacenter.map(|datacenter| (datacenter, weight.value)));
    }
    Some(Weights::Datacenters(weights))
}
