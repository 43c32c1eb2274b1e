//! `weighted`: VIPs are drawn by their `weight:`, anew for every query.
//!
//! For links of one datacenter that shall share load whoever asks. Shares hold
//! among the links that can be answered now; weight 0 is answered only when no
//! other can be. Which datacenter is answered is not its business: bare
//! `weighted` in `steer:` draws among VIPs of all tied datacenters.

use super::{Rank, Selection, Selector};
use crate::layout::Egress;
use crate::lottery::Seed;
use crate::view::View;

pub(super) struct Weighted;

impl Selector for Weighted {
    fn name(&self) -> &'static str {
        "weighted"
    }

    fn about(&self) -> &'static str {
        "Drawn by the VIPs' weight."
    }

    fn selection(&self) -> Selection {
        Selection { rank: Box::new(Tied), lottery: Some(Seed::Draw), is_said: true }
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
