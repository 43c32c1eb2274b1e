//! `take: n`: up to n VIPs in one answer.
//!
//! First one VIP of each datacenter in their order, then a second link of
//! each, and so on; never a VIP of a lower tier than the first. It may stand
//! anywhere in a chain.

use std::num::NonZeroU8;

use rhumb_zones::Tree;
use serde_json::{Value as Json, json};

use super::{Method, Step};
use crate::choose::Picks;
use crate::plugin::Context;

pub(super) struct Take;

impl Method for Take {
    fn name(&self) -> &'static str {
        "take"
    }

    fn about(&self) -> &'static str {
        "Several VIPs in one answer."
    }

    fn schema(&self) -> Json {
        json!({ "type": "integer", "minimum": 1, "maximum": Picks::MAX })
    }

    fn stands_alone(&self) -> bool {
        false
    }

    fn read(&self, arguments: &Tree, context: &mut Context<'_, '_>) -> Option<Step> {
        let most: NonZeroU8 = context.read(arguments)?;
        if usize::from(most.get()) > Picks::MAX {
            context.wrong(&arguments.at, format!("must be at most {}", Picks::MAX));
            return None;
        }
        Some(Step::Take(most.get()))
    }
}
