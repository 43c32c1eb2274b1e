//! `priority`: VIPs by their `priority:`, higher first, then as declared.
//!
//! It needs no knowledge of clients: whoever lists a good link before a spare one
//! means it. Links of equal priority do not share load; `weighted` does that.

use rhumb_zones::Tree;

use super::{Rank, Selection, Selector, refuse_arguments};
use crate::layout::Egress;
use crate::plugin::Context;
use crate::view::View;

pub(super) struct Priority;

impl Selector for Priority {
    fn name(&self) -> &'static str {
        "priority"
    }

    fn about(&self) -> &'static str {
        "By the VIPs' priority, higher first, then in declaration order."
    }

    fn read(&self, arguments: &Tree, context: &mut Context<'_, '_>) -> Option<Selection> {
        refuse_arguments(self.name(), arguments, context);
        Some(Selection::fixed(ByPriority))
    }
}

#[derive(Debug)]
struct ByPriority;

impl Rank for ByPriority {
    fn key(&self, _: &View<'_>, egress: &Egress) -> i64 {
        -i64::from(egress.priority)
    }

    fn reason(&self, _: &View<'_>, egress: &Egress) -> Option<String> {
        (egress.priority != 0).then(|| format!("priority {}", egress.priority))
    }
}
