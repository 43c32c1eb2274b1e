//! `sticky`: ties are broken by a hash of the client, always alike.
//!
//! Clients of one scope prefix get the same answer from every server, as long
//! as it can be answered; when a VIP goes, only its clients move, and when it
//! comes back, only they return (rendezvous hashing). Weights as in
//! `weighted`. The second-highest is the client's own backup, which `take: 2`
//! answers too.

use rhumb_zones::Tree;
use serde_json::Value as Json;

use super::weighted::{read_weights, weights_schema};
use super::{Method, Spread, Step};
use crate::lottery::Seed;
use crate::plugin::Context;

pub(super) struct Sticky;

impl Method for Sticky {
    fn name(&self) -> &'static str {
        "sticky"
    }

    fn about(&self) -> &'static str {
        "Ties are broken by a hash of the client, always alike."
    }

    fn schema(&self) -> Json {
        weights_schema()
    }

    fn read(&self, arguments: &Tree, context: &mut Context<'_, '_>) -> Option<Step> {
        Some(Step::Spread(Spread::Lottery(Seed::Client, read_weights(arguments, context)?)))
    }
}
