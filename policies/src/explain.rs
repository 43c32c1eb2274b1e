//! A decision in words: what an operator reads at 3 a.m.
//!
//! An explanation calls the same [`choose()`] that answers queries; everything
//! else here only says why: where the client is and who says so, how
//! datacenters and links are ordered, what happened to every VIP, and what is
//! answered. The reasons are found again from policy and state, not recorded
//! along the way: the query path has no time to tell stories.
//!
//! **Invariant:** no sentence can change an answer.

mod candidate;
mod client;
mod links;
mod moment;
mod words;

use std::net::IpAddr;

use rhumb_geo::Place;
use rhumb_zones::{LastResort, Prefix, RuleAction, ServiceId, VipId};
use serde_json::{Value as Json, json};

pub use candidate::Candidate;
pub use links::LinkScore;
pub(crate) use words::Words;

use moment::moment;

use crate::atlas::Atlas;
use crate::choose::{Client, Picks, choose};
use crate::shape::{Class, Ranked, Shape};
use crate::state::{Effects, Outcome, State, Tier};
use crate::view::View;
use crate::world::World;

/// Whose answer is to be explained.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The service asked for.
    pub service: ServiceId,
    /// Where the client is, from a table or made up.
    pub place: Place<'a>,
    /// The class that the client is answered as; that of `place` if not known.
    /// They differ where an answer is for a network of several places.
    pub class: Option<Class<'a>>,
    /// Its address, if it has one.
    pub address: Option<IpAddr>,
    /// The prefix that the answer holds for, if known.
    pub scope: Option<Prefix>,
    /// See [`Client::hash`].
    pub hash: u64,
    /// See [`Client::draw`].
    pub draw: u64,
}

/// A decision and its reasons.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// The service's name.
    pub service: String,
    /// Where the client is, and who says so.
    pub client: Vec<String>,
    /// How datacenters are ordered for it, and why.
    pub order: Vec<String>,
    /// Links that are compared by what is measured, group by group.
    pub links: Vec<Vec<LinkScore>>,
    /// Every VIP, best first.
    pub candidates: Vec<Candidate>,
    /// What is answered.
    pub answer: Vec<String>,
    /// The kind of the answer.
    pub outcome: Outcome,
    /// The VIPs answered, in order.
    pub picks: Vec<VipId>,
    /// Of the answer, in seconds.
    pub ttl: u32,
    /// The prefix that the answer holds for, if known.
    pub scope: Option<Prefix>,
}

/// Decides and says why.
#[must_use]
pub fn explain(world: &World, atlas: &Atlas, state: &State, question: &Question<'_>) -> Explanation {
    let Question { service: id, place, class, scope, hash, draw, .. } = *question;
    let shape = atlas.shape(id);
    let service = world.model().service(id);
    let own = state.rank(world, shape, place);
    let mut picks = Picks::default();
    let client = Client { class: class.unwrap_or_else(|| own.class()), hash, draw };
    let outcome = choose(shape, state.service(id), &client, &mut picks);
    let effects = state.effects(world, id);
    let words = Words { world, state };
    let view = View::new(world, place);
    let teller = Teller { world, state, words, shape, id, hash, effects, view, own: &own };
    let is_kept = picks.slots().iter().any(|&slot| state.kept(id).has(slot));
    let picks: Vec<_> = picks.slots().iter().map(|slot| service.vips[slot.index()]).collect();
    let ttl = state.service(id).ttl;
    let mut answer = vec![teller.answer(outcome, is_kept, &picks)];
    answer.extend(teller.freeze());
    answer.extend(teller.waits());
    answer.push(format!("The TTL is {ttl} s."));
    answer.extend(scope.map(|scope| format!("The answer holds for all of {scope}.")));
    let mut who = teller.client(question.address);
    if client.class != own.class() {
        who.push("Most of its network is elsewhere, and is whom the answer is for.".to_owned());
    }
    Explanation {
        service: service.name.to_string(),
        client: who,
        order: teller.order(&client.class),
        links: teller.scores(&client.class),
        candidates: client.class.order.iter().map(|&slot| teller.candidate(slot, &picks)).collect(),
        answer,
        outcome,
        picks,
        ttl,
        scope,
    }
}

impl Explanation {
    /// All sentences, in the order of the decision.
    pub fn sentences(&self) -> impl Iterator<Item = String> {
        let candidates = self.candidates.iter().map(Candidate::to_string);
        let before = self.client.iter().chain(&self.order).cloned();
        before.chain(candidates).chain(self.answer.iter().cloned())
    }

    /// The same for programs.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let (kind, tier) = match self.outcome {
            Outcome::Vips(tier) => ("vips", Some(tier.number())),
            Outcome::RuleAddresses(_) => ("rule-addresses", None),
            Outcome::FallbackAddresses => ("fallback-addresses", None),
            Outcome::FallbackName => ("fallback-name", None),
            Outcome::Fail => ("fail", None),
        };
        let picked = self.candidates.iter().filter(|candidate| candidate.is_answered);
        let picked: Vec<_> = picked.map(|candidate| &candidate.vip).collect();
        let scope = self.scope.map(|scope| scope.to_string());
        json!({
            "service": self.service,
            "client": self.client,
            "order": self.order,
            "links": self.links.iter().map(|group| group.iter().map(LinkScore::to_json).collect()).collect::<Vec<Json>>(),
            "candidates": self.candidates.iter().map(Candidate::to_json).collect::<Vec<_>>(),
            "answer": { "kind": kind, "tier": tier, "vips": picked, "ttl": self.ttl, "scope": scope },
            "sentences": self.sentences().collect::<Vec<_>>(),
        })
    }
}

/// Who tells.
struct Teller<'a> {
    world: &'a World,
    state: &'a State,
    words: Words<'a>,
    shape: &'a Shape,
    id: ServiceId,
    /// Of the client.
    hash: u64,
    effects: Effects,
    view: View<'a>,
    /// As a client at its place is ranked.
    own: &'a Ranked,
}

impl Teller<'_> {
    fn answer(&self, outcome: Outcome, is_kept: bool, picks: &[VipId]) -> String {
        let model = self.world.model();
        let name = |&vip: &VipId| {
            let vip = model.vip(vip);
            let addresses: Vec<_> = vip.addresses.iter().map(ToString::to_string).collect();
            format!("{} ({})", model.target(vip.target).name, addresses.join(", "))
        };
        let vips = list(picks.iter().map(name));
        match (outcome, &model.service(self.id).last_resort) {
            (Outcome::Vips(Tier::Allowed), _) => format!("The answer is {vips}."),
            (Outcome::Vips(Tier::Avoided), _) => {
                let is_drained =
                    |vip: &VipId| self.state.statuses.drain(self.world, model.vip(*vip).target).is_some();
                let all = if picks.iter().all(is_drained) { "drained" } else { "of the second tier" };
                format!("All that is usable is {all}; the answer is {vips}.")
            }
            (Outcome::Vips(Tier::LastResort), LastResort::Keep) if is_kept => {
                format!("Nothing is usable; what was usable last is kept: the answer is {vips}.")
            }
            (Outcome::Vips(Tier::LastResort), _) => {
                format!("Nothing is usable; everything is a candidate: the answer is {vips}.")
            }
            (Outcome::RuleAddresses(rule), _) => {
                let addresses = list(self.rule_addresses(rule).iter().map(ToString::to_string));
                format!("Rule {} answers {addresses}.", model.rules()[rule].name)
            }
            (Outcome::FallbackAddresses, LastResort::Addresses(addresses)) => {
                let addresses = list(addresses.iter().map(ToString::to_string));
                format!("Nothing is usable; the answer is the fallback, {addresses}.")
            }
            (Outcome::FallbackName, LastResort::Name(name)) => {
                format!("Nothing is usable; the answer is the fallback, an alias of {name}.")
            }
            _ => "Nothing is usable, or all is excluded: the answer is SERVFAIL.".to_owned(),
        }
    }

    fn rule_addresses(&self, rule: usize) -> &[IpAddr] {
        let answer = self.world.model().rules()[rule].apply.iter().find_map(|action| match action {
            RuleAction::Answer(addresses) => Some(&addresses[..]),
            _ => None,
        });
        answer.unwrap_or_default()
    }

    /// What is down on the service's paths and does not count yet.
    fn waits(&self) -> impl Iterator<Item = String> {
        let path = self.state.path(self.world, self.id);
        let targets: Vec<_> = path.route().collect();
        targets.into_iter().filter_map(|target| {
            let until = self.state.target(self.world, target).held_until?;
            let name = &self.world.model().target(target).name;
            Some(format!("{name} fails, and counts as down from {}.", moment(until)))
        })
    }

    /// Whose word it is that preference does not move.
    fn freeze(&self) -> Option<String> {
        let by = match self.effects.freeze {
            Some(rule) => format!("rule {}", self.world.model().rules()[rule].name),
            None if self.state.is_own_fault => "this server's own network is at fault".to_owned(),
            None => return None,
        };
        Some(format!("Preference does not move: {by}."))
    }
}

/// `a`, `a and b`, `a, b and c`.
fn list(items: impl Iterator<Item = String>) -> String {
    let items: Vec<_> = items.collect();
    match &items[..] {
        [] => "nothing".to_owned(),
        [one] => one.clone(),
        [all @ .., last] => format!("{} and {last}", all.join(", ")),
    }
}
