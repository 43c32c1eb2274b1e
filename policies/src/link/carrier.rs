//! `carrier`: links that reach the client's carrier directly come first.
//!
//! Within China a mismatch of carriers costs about as much as a province: 40 ms
//! and the loss of crowded peerings. A link reaches what its `carrier:` names;
//! a client's carriers are what its group in `clients:` says, else those whose
//! prefixes or autonomous systems hold it. Links that match, and those that do
//! not, are each ordered by the VIPs' `priority:`, then as declared. A client of
//! no known carrier matches none.

use rhumb_zones::Tree;

use super::{Rank, Selection, Selector, refuse_arguments};
use crate::layout::Egress;
use crate::plugin::Context;
use crate::view::View;

pub(super) struct Carrier;

impl Selector for Carrier {
    fn name(&self) -> &'static str {
        "carrier"
    }

    fn about(&self) -> &'static str {
        "Links of the client's carrier first, then by the VIPs' priority."
    }

    fn read(&self, arguments: &Tree, context: &mut Context<'_, '_>) -> Option<Selection> {
        refuse_arguments(self.name(), arguments, context);
        Some(Selection::fixed(ByCarrier))
    }
}

/// Above every priority, whose absolute value is at most 2³¹.
const FOREIGN: i64 = 1 << 33;

#[derive(Debug)]
struct ByCarrier;

impl Rank for ByCarrier {
    fn key(&self, view: &View<'_>, egress: &Egress) -> i64 {
        let foreign = if matches(view, egress) { 0 } else { FOREIGN };
        foreign - i64::from(egress.priority)
    }

    fn reason(&self, view: &View<'_>, egress: &Egress) -> Option<String> {
        matches(view, egress).then(|| "the client's carrier".to_owned())
    }
}

pub(super) fn matches(view: &View<'_>, egress: &Egress) -> bool {
    egress.carriers.iter().any(|&carrier| view.has_carrier(carrier))
}
