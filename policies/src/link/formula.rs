//! `formula`: links by a hand-set score of what is known and measured.
//!
//! The default, because it needs nothing: where nothing tells links apart, the
//! link of the client's carrier comes first, then the order of declaration.
//! Ratings, prices, preferences, loss and delay each add their part
//! ([`feature`](super::feature) has the table); an operator who disagrees
//! multiplies a part by a number: `formula: { delay: 2, quality: 0 }`. Links of
//! different `priority:` are never compared: that is an operator's word.

use rhumb_zones::{Read as _, Spanned, Tree, Value, spec};
use serde_json::{Value as Json, json};

use super::feature::{Feature, Weights};
use super::measured::{Calm, CalmKeys, Entry, Formula as Parts};
use super::{Measured, Scorer, Selection, Selector};
use crate::plugin::Context;

pub(super) struct Formula;

spec! {
    /// By rating, distance, preference, cost, loss and delay.
    struct Keys {
        /// How much each part counts beside its usual weight.
        formula: Option<Factors>,
        ..calm: CalmKeys,
    }
}

spec! {
    /// How much each part counts beside its usual weight, 0 to 100.
    struct Factors {
        /// The operator's rating.
        quality: Option<Spanned<f64>>,
        /// Distance, and other carriers, countries and regions.
        price: Option<Spanned<f64>>,
        /// Clients' preference.
        weight: Option<Spanned<f64>>,
        /// Measured loss.
        loss: Option<Spanned<f64>>,
        /// Measured delay.
        delay: Option<Spanned<f64>>,
        /// Measured jitter.
        jitter: Option<Spanned<f64>>,
        /// Delay beyond 150 ms.
        late: Option<Spanned<f64>>,
        /// The operator's cost.
        cost: Option<Spanned<f64>>,
    }
}

/// Above it a part is all there is.
const MAX_FACTOR: f64 = 100.0;

/// The selection where nothing is said.
pub(super) fn selection() -> Selection {
    let live = Some(Scorer::Formula(Parts::DEFAULT));
    let measured = Measured { live, shadow: None, calm: Calm::default() };
    Selection { measured: Some(measured), ..Selection::fixed(Entry) }
}

impl Selector for Formula {
    fn name(&self) -> &'static str {
        "formula"
    }

    fn about(&self) -> &'static str {
        "By rating, distance, preference, cost, loss and delay."
    }

    fn schema(&self) -> Json {
        let mut schema = Keys::schema();
        schema["properties"]["across"] = json!({ "const": "datacenters" });
        schema["required"] = json!([self.name()]);
        schema
    }

    fn read(&self, arguments: &Tree, context: &mut Context<'_, '_>) -> Option<Selection> {
        if !matches!(arguments.value, Value::Map(_)) {
            return Some(selection());
        }
        let Keys { formula, calm } = context.read(arguments)?;
        let live = Some(Scorer::Formula(formula.map_or(Parts::DEFAULT, |factors| weighed(factors, context))));
        let measured = Measured { live, shadow: None, calm: Calm::new(calm, context) };
        Some(Selection { measured: Some(measured), ..Selection::fixed(Entry) })
    }
}

fn weighed(factors: Factors, context: &mut Context<'_, '_>) -> Parts {
    let Factors { quality, price, weight, loss, delay, jitter, late, cost } = factors;
    let mut factor = |said: Option<Spanned<f64>>| {
        said.map_or(1.0, |Spanned { at, value }| {
            if !(0.0..=MAX_FACTOR).contains(&value) {
                context.wrong(&at, format!("must be 0 to {MAX_FACTOR}, not {value}"));
            }
            value
        })
    };
    let factors: [f64; Feature::COUNT] = [quality, price, weight, loss, delay, jitter, late].map(&mut factor);
    let Parts { weights: Weights(usual), cost: usual_cost } = Parts::DEFAULT;
    Parts {
        weights: Weights(std::array::from_fn(|index| usual[index] * factors[index])),
        cost: usual_cost * factor(cost),
    }
}
