//! `nearest`: by great-circle distance from the client.
//!
//! Datacenters at equal distance stay tied; `within: 10%` or `within: 500 km`
//! also ties those hardly farther than the nearest of their group, for a later
//! step to split. A client group's `order:` replaces distance for the
//! datacenters it names, which then come first. A client without coordinates
//! leaves everything tied, hence in declaration order; a datacenter without
//! `at:` comes last. Where links are selected across datacenters, distance is in
//! their price, and without `within:` this step leaves it to that.

use rhumb_geo::Direction;
use rhumb_zones::{ClientGroup, DatacenterId, Fraction, Read, Reader, Tree, Value, spec};
use serde_json::{Value as Json, json};

use super::{Method, Order, Rank, Step};
use crate::plugin::Context;
use crate::view::View;

pub(super) struct Nearest;

impl Method for Nearest {
    fn name(&self) -> &'static str {
        "nearest"
    }

    fn about(&self) -> &'static str {
        "Nearest datacenter first."
    }

    fn schema(&self) -> Json {
        Arguments::schema()
    }

    fn read(&self, arguments: &Tree, context: &mut Context<'_, '_>) -> Option<Step> {
        let Arguments { within } = context.read(arguments)?;
        let datacenters = context.model.datacenters().iter();
        let directions = datacenters.map(|datacenter| datacenter.at.map(Direction::new)).collect();
        Some(Step::Rank(Box::new(ByDistance { directions, within })))
    }
}

spec! {
    /// Nearest datacenter first.
    struct Arguments {
        /// How much farther than the nearest still counts as equally near.
        within: Option<Within>,
    }
}

/// How much farther still counts as equally near.
#[derive(Clone, Copy, Debug)]
enum Within {
    /// A share of the nearest's distance.
    Share(f64),
    /// Kilometres.
    Kilometres(f64),
}

impl Read for Within {
    fn read(tree: &Tree, reader: &mut Reader<'_>) -> Option<Self> {
        let kilometres = tree.text().and_then(|text| text.strip_suffix("km")).map(str::trim_end);
        let Some(number) = kilometres else {
            return Fraction::read(tree, reader).map(|Fraction(share)| Self::Share(share));
        };
        let number = Value::Plain(number.into());
        let distance = f64::read(&Tree { at: tree.at.clone(), value: number }, reader)?;
        if distance < 0.0 {
            reader.wrong(&tree.at, "must not be negative");
            return None;
        }
        Some(Self::Kilometres(distance))
    }

    fn schema() -> Json {
        json!({ "anyOf": [
            Fraction::schema(),
            { "type": "string", "pattern": r"^[0-9]+(\.[0-9]+)? *km$" },
        ]})
    }
}

#[derive(Debug)]
struct ByDistance {
    /// By datacenter.
    directions: Vec<Option<Direction>>,
    within: Option<Within>,
}

impl Rank for ByDistance {
    fn refine(&self, view: &View<'_>, order: &mut Order<'_>) {
        let listed = listed(view);
        if listed.is_empty() && view.direction.is_none() {
            return;
        }
        let place = |id| listed.iter().position(|&listed| listed == id);
        // What is listed has keys below zero, which never tie.
        let key = |id| {
            place(id).map_or_else(|| self.distance(view, id), |place| place as f64 - listed.len() as f64)
        };
        order.split_loosely(
            |member| key(member.id),
            |first, next| first == next || first >= 0.0 && self.ties(first, next),
        );
    }

    fn refine_jointly(&self, view: &View<'_>, order: &mut Order<'_>) {
        if self.within.is_some() {
            return self.refine(view, order);
        }
        let listed = listed(view);
        order.split(|member| {
            listed.iter().position(|&id| id == member.id).map_or(f64::INFINITY, |place| place as f64)
        });
    }

    fn reason(&self, view: &View<'_>, datacenter: DatacenterId) -> Option<String> {
        if let Some(place) = listed(view).iter().position(|&listed| listed == datacenter) {
            return Some(format!("number {} in its clients' order", place + 1));
        }
        let (client, there) = (view.direction?, self.directions[datacenter.index()]);
        Some(there.map_or_else(
            || "no coordinates".to_owned(),
            |there| format!("{:.0} km", client.distance_km(there)),
        ))
    }
}

impl ByDistance {
    /// Kilometres where they matter, else the squared chord, which orders
    /// alike and costs no trigonometry.
    fn distance(&self, view: &View<'_>, datacenter: DatacenterId) -> f64 {
        match (view.direction, self.directions[datacenter.index()]) {
            (Some(client), Some(there)) if self.within.is_some() => client.distance_km(there),
            (Some(client), Some(there)) => client.chord_squared(there),
            (Some(_), None) => f64::INFINITY,
            (None, _) => 0.0,
        }
    }

    /// Whether `next` is hardly farther than `first`; without coordinates it
    /// is infinitely far.
    fn ties(&self, first: f64, next: f64) -> bool {
        match self.within {
            Some(Within::Share(share)) => next <= first * (1.0 + share),
            Some(Within::Kilometres(more)) => next <= first + more,
            None => false,
        }
    }
}

/// The order that the client's nearest group with one gives.
fn listed<'v>(view: &View<'v>) -> &'v [DatacenterId] {
    let mut orders = view.groups().map(|group: &ClientGroup| &group.order[..]);
    orders.find(|order| !order.is_empty()).unwrap_or_default()
}
