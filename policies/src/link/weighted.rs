//! `weighted`: VIPs are drawn by their `weight:`, anew for every query.
//!
//! For links of one datacenter that shall share load whoever asks. Shares hold
//! among the links that can be answered now; weight 0 is answered only when no
//! other can be. Which datacenter is answered is not its business: bare
//! `weighted` in `steer:` draws among VIPs of all tied datacenters.

use rhumb_zones::Tree;

use super::{Rank, Selection, Selector, refuse_arguments};
use crate::layout::Egress;
use crate::lottery::Seed;
use crate::plugin::Context;
use crate::view::View;

pub(super) struct Weighted;

impl Selector for Weighted {
    fn name(&self) -> &'static str {
        "weighted"
    }

    fn about(&self) -> &'static str {
        "Drawn by the VIPs' weight."
    }

    fn read(&self, arguments: &Tree, context: &mut Context<'_, '_>) -> Option<Selection> {
        refuse_arguments(self.name(), arguments, context);
        Some(Selection { lottery: Some(Seed::Draw), ..Selection::fixed(Tied) })
    }
}

#[derive(Debug)]
struct Tied;

impl Rank for Tied {
    fn key(&self, _: &View<'_>, _: &Egress) -> i64 {
        0
    }

    fn reason(&self, _: &View<'_>, _: &Egress) -> Option<String> {
        Some("drawn by weight".to_owned())
    }
}
