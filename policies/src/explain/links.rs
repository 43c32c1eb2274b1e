//! How measured links of a group compare, in words and in numbers.
//!
//! An operator who is to trust a score must see what it is made of, what is
//! missing, and why the best one does or does not answer: how far it leads, for
//! how long, and how much of both it needs. What a model in the shadow would
//! have done stands beside it.

use serde::Serialize;
use serde_json::{Map, Value as Json, json};

use super::moment::moment;
use super::{Teller, list};
use crate::link::feature::{Feature, LinkFacts};
use crate::link::score::{PARTS, Scored};
use crate::link::select::{Choice, Selector};
use crate::mask::Slot;
use crate::shape::Class;
use crate::state::Side;

/// A link's score for a client.
#[derive(Clone, PartialEq, Serialize, Debug)]
pub struct LinkScore {
    /// `north/telecom`.
    pub link: String,
    /// Nats; only differences within a group mean anything.
    pub score: f64,
    /// What it is made of: feature and nats.
    pub parts: Vec<(&'static str, f64)>,
    /// Facts that are not known; the group's mean stands in.
    pub missing: Vec<&'static str>,
    /// Whether clients have it.
    pub is_chosen: bool,
    /// Nats by which it leads the one that clients have, noise left out.
    pub lead: f64,
}

impl LinkScore {
    pub(super) fn to_json(&self) -> Json {
        let Self { link, score, parts, missing, is_chosen, lead } = self;
        let parts: Map<_, _> = parts.iter().map(|&(name, nats)| (name.to_owned(), json!(nats))).collect();
        json!({ "link": link, "score": score, "parts": parts, "missing": missing,
            "chosen": is_chosen, "lead": lead })
    }
}

/// Names of the parts of a score, in their order.
fn part(index: usize) -> &'static str {
    Feature::ALL.get(index).map_or("cost", |feature| feature.name())
}

/// The names of facts that are not known.
fn missing(facts: &LinkFacts) -> Vec<&'static str> {
    let LinkFacts { quality, price_km, weight, loss, delay_ms, jitter_ms } = facts;
    let all = [quality, price_km, weight, loss, delay_ms, jitter_ms];
    let names = ["quality", "price", "weight", "loss", "delay", "jitter"];
    names.into_iter().zip(all).filter(|(_, fact)| fact.is_none()).map(|(name, _)| name).collect()
}

impl Teller<'_> {
    /// The scores of all links that are compared for this client, group by
    /// group, best first.
    pub(super) fn scores(&self, class: &Class<'_>) -> Vec<Vec<LinkScore>> {
        let all = |selector: &Selector<'_>| {
            let groups = self.shape.groups(*class).filter(|(_, slots)| slots.len() > 1);
            groups.map(|(_, slots)| self.group(selector, slots)).collect()
        };
        self.state.with_selector(self.world, self.shape, Side::Live, all).unwrap_or_default()
    }

    fn group(&self, selector: &Selector<'_>, slots: &[Slot]) -> Vec<LinkScore> {
        let Some(fare) = self.own.fare() else { return Vec::new() };
        let scored = selector.score(slots, fare);
        let Some(first) = scored.first() else { return Vec::new() };
        let told = |one: &Scored| LinkScore {
            link: self.shape.slot_name(self.world.model(), one.slot),
            score: one.total(),
            parts: (0..PARTS).map(|index| (part(index), one.parts[index])).collect(),
            missing: missing(&one.facts),
            is_chosen: one.slot == first.slot,
            lead: one.lead(first),
        };
        scored.iter().map(told).collect()
    }

    /// Why each group's first link is first.
    pub(super) fn choices(&self, class: &Class<'_>) -> Vec<String> {
        let live = |selector: &Selector<'_>| {
            let groups = self.shape.groups(*class).filter(|(_, slots)| slots.len() > 1);
            groups.flat_map(|(group, slots)| self.choice(selector, (group, slots))).collect()
        };
        let mut said: Vec<String> =
            self.state.with_selector(self.world, self.shape, Side::Live, live).unwrap_or_default();
        said.extend(self.shadow(class));
        said
    }

    fn choice(&self, selector: &Selector<'_>, (group, slots): (usize, &[Slot])) -> Vec<String> {
        let Some(fare) = self.own.fare() else { return Vec::new() };
        let scored = selector.score(slots, fare);
        let name = |slot: Slot| self.shape.slot_name(self.world.model(), slot);
        let mut said: Vec<String> = scored.iter().map(|one| scored_words(&name(one.slot), one)).collect();
        let own = &scored[0];
        let kept = self.own.id.and_then(|id| {
            let selected = self.state.selected(self.shape, Side::Live)?;
            Some(selected.choice(self.shape, id, group)).filter(|choice| choice.slot == own.slot)
        });
        let rival = scored[1..].iter().max_by(|a, b| a.lead(own).total_cmp(&b.lead(own)));
        let Some(rival) = rival else { return said };
        let (lead, margin) = (rival.lead(own), selector.calm.margin);
        let since = kept.and_then(|choice| choice.since).map(|since| format!(" since {}", moment(since)));
        let has = format!("{} has these clients{}", name(own.slot), since.unwrap_or_default());
        let hold = selector.calm.hold.as_secs();
        let is_down = !selector.is_up[rival.slot.index()];
        said.push(match kept {
            _ if is_down => format!("{has}; {} is down.", name(rival.slot)),
            _ if lead <= 0.0 => format!("{has}, {:.2} ahead of {}.", -lead, name(rival.slot)),
            _ if lead <= margin => {
                format!("{has}; {} leads by {lead:.2}, and {margin:.2} are needed.", name(rival.slot))
            }
            Some(Choice { led_since: Some(since), .. }) => {
                let held = selector.now.saturating_sub(since).as_secs();
                let wait = if held < hold { "it takes over after" } else { "its turn comes; it needed" };
                format!("{has}; {} leads by {lead:.2} for {held} s, {wait} {hold} s.", name(rival.slot))
            }
            _ => format!("{has}; {} leads by {lead:.2}.", name(rival.slot)),
        });
        said
    }

    /// What the model in the shadow would answer, where it is another link.
    fn shadow(&self, class: &Class<'_>) -> Vec<String> {
        let Some(selected) = self.state.selected(self.shape, Side::Shadow) else { return Vec::new() };
        let Some(id) = self.own.id else { return Vec::new() };
        let name = |slot: Slot| self.shape.slot_name(self.world.model(), slot);
        let groups = self.shape.groups(*class).filter(|(_, slots)| slots.len() > 1);
        let told = groups.map(|(group, slots)| {
            let choice = selected.choice(self.shape, id, group).slot;
            let agrees = if choice == slots[0] { "agrees on" } else { "would have" };
            format!("The model in the shadow {agrees} {}.", name(choice))
        });
        told.collect()
    }
}

/// `telecom scores -3.91: quality +0.40, price -0.13; loss and delay are unknown.`
fn scored_words(name: &str, one: &Scored) -> String {
    let parts = (0..PARTS).filter(|&index| one.parts[index] != 0.0);
    let parts = list(parts.map(|index| format!("{} {:+.2}", part(index), one.parts[index])));
    let unknown = missing(&one.facts);
    let unknown = match &unknown[..] {
        [] => String::new(),
        [fact] => format!("; {fact} is unknown"),
        facts => format!("; {} are unknown", list(facts.iter().map(ToString::to_string))),
    };
    format!("{name} scores {:+.2}: {parts}{unknown}.", one.total())
}
