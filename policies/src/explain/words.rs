//! Sentences' parts about targets: what is down, and by whose word.

use rhumb_health::Status;
use rhumb_zones::TargetId;

use super::moment::moment;
use crate::inputs::{Action, Override};
use crate::path::Obstacle;
use crate::state::State;
use crate::world::World;

/// Speaks of the targets of one state.
#[derive(Clone, Copy)]
pub(crate) struct Words<'a> {
    pub(crate) world: &'a World,
    pub(crate) state: &'a State,
}

impl Words<'_> {
    /// What stands in a path's way.
    pub(crate) fn obstacle(&self, obstacle: Obstacle) -> String {
        let model = self.world.model();
        match obstacle {
            Obstacle::Down(target) => self.down(target),
            Obstacle::NoInterconnect(a, b) => {
                let name = |datacenter| &model.datacenter(datacenter).name;
                format!("no interconnect joins {} and {}", name(a), name(b))
            }
            Obstacle::NoNode => "no node is enabled".to_owned(),
        }
    }

    /// `link:north/telecom is down`, or whose word makes it so.
    fn down(&self, target: TargetId) -> String {
        let name = &self.world.model().target(target).name;
        let seen = self.state.target(self.world, target);
        match (seen.force, seen.verdict) {
            (Some(word), _) => self.word(word),
            (None, Status::Up) => format!("{name} is up again but waits for an operator's word"),
            (None, Status::Unknown) => format!("{name} is assumed down"),
            (None, Status::Down) if !seen.is_fresh => format!("{name} is down, as far as was known last"),
            (None, Status::Down) => format!("{name} is down"),
        }
    }

    /// `link:north/telecom is forced down by ann until 2026-11-22T22:00:00Z (new router)`.
    pub(crate) fn word(&self, word: &Override) -> String {
        let Override { target, action, expires, reason, author, .. } = word;
        let name = &self.world.model().target(*target).name;
        let action = match action {
            Action::Up => "forced up",
            Action::Down => "forced down",
            Action::Drain => "drained",
        };
        let author = if author.is_empty() { String::new() } else { format!(" by {author}") };
        let until = expires.map(|end| format!(" until {}", moment(end))).unwrap_or_default();
        let reason = if reason.is_empty() { String::new() } else { format!(" ({reason})") };
        format!("{name} is {action}{author}{until}{reason}")
    }
}
