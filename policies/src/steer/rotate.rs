//! `rotate`: several VIPs, starting from another one each time.
//!
//! Answers every VIP of the first group of tied datacenters that has one, in
//! an order rotated by the query's draw; `take` bounds how many. Clients that
//! try addresses in the order given share load evenly, and each holds the
//! others as spares.

use rhumb_zones::{Tree, Value};
use serde_json::{Value as Json, json};

use super::{Method, Spread, Step};
use crate::plugin::Context;

pub(super) struct Rotate;

impl Method for Rotate {
    fn name(&self) -> &'static str {
        "rotate"
    }

    fn about(&self) -> &'static str {
        "Every VIP of the best datacenters, rotated."
    }

    fn schema(&self) -> Json {
        json!({ "type": "null", "description": "All VIPs of the best datacenters, rotated." })
    }

    fn read(&self, arguments: &Tree, context: &mut Context<'_, '_>) -> Option<Step> {
        if !matches!(arguments.value, Value::Null) {
            context.wrong(&arguments.at, "takes no arguments");
            return None;
        }
        Some(Step::Spread(Spread::Rotate))
    }
}
