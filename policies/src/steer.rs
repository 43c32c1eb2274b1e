//! Steering: in which order a service's datacenters suit a client.
//!
//! A service's `steer:` is a chain of methods. They refine an ordered list of
//! groups of *tied* datacenters, which starts as one group of all. Static
//! methods ([`Rank`]) split groups by who asks: they run once per place when
//! places are mapped to classes, never per query. A [`Spread`] breaks the ties
//! that are left, per query, from a random draw or the client's hash. What is
//! still tied stays in declaration order, because operators read order as
//! preference.
//!
//! Every method is a plugin: one file behind [`Method`], one line in
//! [`METHODS`].

mod nearest;
mod order;
mod priority;
mod regions;
mod rotate;
mod sticky;
mod take;
mod weighted;

use std::fmt;

use rhumb_zones::{DatacenterId, Plugin, Prefix, Tree};
use serde_json::{Value as Json, json};

pub(crate) use order::{Member, Order};

use crate::lottery::Seed;
use crate::plugin::Context;
use crate::view::View;

/// Every steering method.
pub(crate) static METHODS: [&dyn Method; 7] = [
    &nearest::Nearest,
    &regions::Regions,
    &priority::Priority,
    &weighted::Weighted,
    &rotate::Rotate,
    &sticky::Sticky,
    &take::Take,
];

/// A steering method.
pub(crate) trait Method: Sync {
    /// As operators write it.
    fn name(&self) -> &'static str;

    /// What it does, in a line.
    fn about(&self) -> &'static str;

    /// The JSON Schema of its arguments.
    fn schema(&self) -> Json;

    /// Reads its arguments; mistakes are reported and answered with nothing.
    fn read(&self, arguments: &Tree, context: &mut Context<'_, '_>) -> Option<Step>;

    /// Whether it may stand without arguments.
    fn stands_alone(&self) -> bool {
        true
    }
}

/// What a method, with its arguments, does in a chain.
#[derive(Debug)]
pub(crate) enum Step {
    /// Splits ties by who asks.
    Rank(Box<dyn Rank>),
    /// Breaks ties per query.
    Spread(Spread),
    /// Answers up to so many VIPs.
    Take(u8),
}

/// A static step. Its `Debug` form is its identity: chains that print alike
/// steer alike, and services that have them share their classes.
pub(crate) trait Rank: fmt::Debug + Send + Sync {
    /// Splits the groups of `order` by what `view` shows of the client.
    fn refine(&self, view: &View<'_>, order: &mut Order<'_>);

    /// The same where links of all datacenters are selected from jointly, by a
    /// price that holds the distance already.
    fn refine_jointly(&self, view: &View<'_>, order: &mut Order<'_>) {
        self.refine(view, order);
    }

    /// Why a datacenter stands where it does, for people: `1,067 km`.
    fn reason(&self, view: &View<'_>, datacenter: DatacenterId) -> Option<String>;

    /// Prefixes whose clients it treats specially.
    fn prefixes(&self) -> Vec<Prefix> {
        Vec::new()
    }
}

/// How ties are broken per query.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Spread {
    /// Drawn by weight.
    Lottery(Seed, Weights),
    /// All VIPs of the group, rotated.
    Rotate,
}

/// What takes part in a lottery, and with which weights.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Weights {
    /// Each VIP with its own; where the service says how links are selected,
    /// each datacenter with the sum of its VIPs'.
    Vips,
    /// These datacenters; others only when none of these can be answered.
    Datacenters(Vec<(DatacenterId, u32)>),
}

/// A service's steering, read. Its `Debug` form is its identity.
#[derive(Debug, Default)]
pub(crate) struct Chain {
    pub(crate) ranks: Vec<Box<dyn Rank>>,
    pub(crate) spread: Option<Spread>,
    pub(crate) take: Option<u8>,
}

impl Chain {
    /// Reads a chain; steps that cannot be read, or do nothing, are reported
    /// and left out.
    pub(crate) fn read(plugins: &[Plugin], context: &mut Context<'_, '_>) -> Self {
        let Context { model, files, reader } = context;
        let (model, files) = (*model, *files);
        let mut chain = Self::default();
        for plugin in plugins {
            reader.inside("steer", |reader| {
                let known = METHODS.map(Method::name);
                let Some(name) = plugin.among(&known, reader) else { return };
                let method =
                    METHODS.iter().find(|method| method.name() == name).expect("among the names of these");
                reader.inside(name, |reader| {
                    let step = method.read(&plugin.arguments, &mut Context { model, files, reader });
                    step.and_then(|step| chain.push(step))
                        .into_iter()
                        .for_each(|why| reader.warn(&plugin.at, why));
                });
            });
        }
        chain
    }

    /// Adds a step, or says why it would do nothing.
    fn push(&mut self, step: Step) -> Option<&'static str> {
        match step {
            Step::Rank(_) | Step::Spread(_) if self.spread.is_some() => {
                return Some("does nothing here: the steps before it leave no ties");
            }
            Step::Rank(rank) => self.ranks.push(rank),
            Step::Spread(spread) => self.spread = Some(spread),
            Step::Take(_) if self.take.is_some() => {
                return Some("does nothing here: an earlier step says how many to take");
            }
            Step::Take(most) => self.take = Some(most),
        }
        None
    }

    /// The weights of its lottery.
    pub(crate) const fn weights(&self) -> Option<&Weights> {
        match &self.spread {
            Some(Spread::Lottery(_, weights)) => Some(weights),
            _ => None,
        }
    }

    /// Prefixes whose clients some step treats specially.
    pub(crate) fn prefixes(&self) -> Vec<Prefix> {
        self.ranks.iter().flat_map(|rank| rank.prefixes()).collect()
    }
}

/// The JSON Schema of one step.
pub(crate) fn schema() -> Json {
    let word = |method: &&dyn Method| json!({ "const": method.name(), "description": method.about() });
    let words = METHODS.iter().filter(|method| method.stands_alone()).map(word);
    let keys = METHODS.iter().map(|method| {
        let name = method.name();
        json!({ "type": "object", "description": method.about(), "properties": { name: method.schema() },
            "required": [name], "additionalProperties": false })
    });
    json!({ "oneOf": words.chain(keys).collect::<Vec<_>>() })
}
