//! From verdicts and operators' words to what each target counts as.
//!
//! Precedence, highest first: force on the target, force on its parent, drain,
//! verdict. A target's parents stand in [`World::lineage`], nearest first; the
//! nearest force wins, and down beats up on one and the same target. An
//! unknown verdict counts as the last one known, else as the policy's
//! `assume:`.
//!
//! A force also reaches beyond status: down on a datacenter, link, VIP or
//! service *excludes* the VIPs under it, that is, no tier holds them. Up never
//! does more than set the status; the path rule still applies.

use std::time::Duration;

use rhumb_health::Status;
use rhumb_zones::{Assume, TargetId};
use rustc_hash::FxHashMap;

use crate::inputs::{Action, Inputs, Override};
use crate::world::World;

/// What every target counts as, and why.
#[derive(Clone, Default, Debug)]
pub(crate) struct Statuses {
    /// The last verdict known, up or down, by target.
    pub(crate) known: Vec<Option<bool>>,
    /// Whether it counts as up, by target.
    pub(crate) up: Vec<bool>,
    /// Overrides in force.
    pub(crate) words: FxHashMap<(TargetId, Action), Override>,
}

impl Statuses {
    /// The statuses at `now` (since the Unix epoch).
    pub(crate) fn new(world: &World, previous: &Self, inputs: &Inputs, now: Duration) -> Self {
        let known: Vec<_> = inputs
            .verdicts
            .iter()
            .enumerate()
            .map(|(target, verdict)| match verdict {
                Status::Up => Some(true),
                Status::Down => Some(false),
                Status::Unknown => previous.known.get(target).copied().flatten(),
            })
            .collect();
        let targets = world.model().targets().iter();
        let up =
            known.iter().zip(targets).map(|(known, target)| known.unwrap_or(target.assume == Assume::Up));
        let up = up.collect();
        let live = inputs.overrides.iter().filter(|word| word.expires.is_none_or(|end| now < end));
        let words = live.map(|word| ((word.target, word.action), word.clone())).collect();
        let mut statuses = Self { known, up, words };
        statuses.apply_forces(world);
        statuses
    }

    fn apply_forces(&mut self, world: &World) {
        if self.words.keys().all(|&(_, action)| action == Action::Drain) {
            return;
        }
        for target in (0..self.up.len()).map(TargetId::new) {
            if let Some(word) = self.force(world, target) {
                self.up[target.index()] = word.action == Action::Up;
            }
        }
    }

    /// Whether `target` counts as up.
    pub(crate) fn is_up(&self, target: TargetId) -> bool {
        self.up[target.index()]
    }

    /// The force that decides the status of `target`: its own, else its
    /// nearest parent's.
    pub(crate) fn force(&self, world: &World, target: TargetId) -> Option<&Override> {
        let on = |target| {
            self.words.get(&(target, Action::Down)).or_else(|| self.words.get(&(target, Action::Up)))
        };
        world.lineage(target).find_map(on)
    }

    /// The force that keeps a VIP out of every tier.
    pub(crate) fn exclusion(&self, world: &World, vip: TargetId) -> Option<&Override> {
        self.force(world, vip).filter(|word| word.action == Action::Down)
    }

    /// The drain that puts a VIP in the second tier.
    pub(crate) fn drain(&self, world: &World, vip: TargetId) -> Option<&Override> {
        if self.words.is_empty() || self.force(world, vip).is_some() {
            return None;
        }
        world.lineage(vip).find_map(|target| self.words.get(&(target, Action::Drain)))
    }
}
