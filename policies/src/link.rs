//! Link selection: in which order a datacenter's links suit a client.
//!
//! Steering has chosen datacenters; a selector orders the VIPs within each, or
//! those of all tied datacenters jointly. Some selectors have a fixed order:
//! VIPs by a key, lowest first, where a client group's `prefer:` comes before
//! the key: what operators say of these clients beats what is true of all. VIPs
//! still tied stay in declaration order, unless the selector draws.
//!
//! Others look at measures ([`Measured`]): their key only says where they start
//! from, which is the link of the client's carrier; [`select`] moves them from
//! there, off the query path, by a score that a formula or a learned model
//! gives. `prefer:` is one of the facts of that score.
//!
//! Every selector is a plugin: one file behind [`Selector`], one line in
//! [`SELECTORS`].

mod carrier;
pub mod drift;
pub mod evaluate;
pub(crate) mod fares;
pub mod feature;
mod formula;
pub mod gate;
pub mod learned;
pub(crate) mod measured;
pub mod model;
pub(crate) mod price;
mod priority;
pub mod sample;
pub(crate) mod score;
pub(crate) mod select;
pub mod train;
mod utility;
mod weighted;

use std::fmt;

use rhumb_zones::{Key, LinkSelection, Tree, Value};
use serde_json::{Value as Json, json};

pub(crate) use measured::{Measured, Scorer};

use crate::layout::Egress;
use crate::lottery::Seed;
use crate::plugin::Context;
use crate::view::View;

/// Every link selector.
pub(crate) static SELECTORS: [&dyn Selector; 5] =
    [&priority::Priority, &carrier::Carrier, &weighted::Weighted, &formula::Formula, &learned::Learned];

/// A link selector.
pub(crate) trait Selector: Sync {
    /// As operators write it.
    fn name(&self) -> &'static str;

    /// What it does, in a line.
    fn about(&self) -> &'static str;

    /// The JSON Schema of its long form.
    fn schema(&self) -> Json {
        let keys = json!({ self.name(): { "type": "null" } });
        json!({ "type": "object", "properties": keys, "required": [self.name()],
            "additionalProperties": false })
    }

    /// Reads its arguments, the key of its own name included; mistakes are
    /// reported and answered with nothing.
    fn read(&self, arguments: &Tree, context: &mut Context<'_, '_>) -> Option<Selection>;
}

/// Orders the VIPs of one datacenter for a client. Its `Debug` form is its
/// identity.
pub(crate) trait Rank: fmt::Debug + Send + Sync {
    /// Lowest first; equal keys are tied.
    fn key(&self, view: &View<'_>, egress: &Egress) -> i64;

    /// Why a VIP stands where it does, for people.
    fn reason(&self, view: &View<'_>, egress: &Egress) -> Option<String>;
}

/// A service's link selection, read. Its `Debug` form is its identity.
#[derive(Debug)]
pub(crate) struct Selection {
    pub(crate) rank: Box<dyn Rank>,
    /// Breaks ties by weight.
    pub(crate) lottery: Option<Seed>,
    /// Whether the policy names a selector.
    pub(crate) is_said: bool,
    /// Whether links of all tied datacenters are ordered jointly.
    pub(crate) is_joint: bool,
    /// What moves the order, and what is tried in its shadow.
    pub(crate) measured: Option<Measured>,
}

impl Selection {
    /// One with a fixed order.
    pub(crate) fn fixed(rank: impl Rank + 'static) -> Self {
        Self { rank: Box::new(rank), lottery: None, is_said: true, is_joint: false, measured: None }
    }

    /// Reads a selection; one that cannot be read is reported and stands for
    /// the default, `formula`.
    pub(crate) fn read(said: &LinkSelection, context: &mut Context<'_, '_>) -> Self {
        let LinkSelection { selector, across_datacenters } = said;
        let Some(plugin) = selector else {
            return Self { is_said: false, ..formula::selection() };
        };
        let Context { model, files, reader } = context;
        let (model, files) = (*model, *files);
        reader.inside("link-selection", |reader| {
            let known = SELECTORS.map(Selector::name);
            let selector = plugin.among(&known, reader);
            let selector = SELECTORS.iter().find(|known| Some(known.name()) == selector);
            let context = &mut Context { model, files, reader };
            let read = selector.and_then(|selector| selector.read(&plugin.arguments, context));
            let mut selection = read.unwrap_or_else(formula::selection);
            selection.is_joint = *across_datacenters;
            if selection.is_joint && !selection.is_measured() {
                selection.is_joint = false;
                context.wrong(&plugin.at, "across needs a selector that compares measures: formula or model");
            }
            selection
        })
    }

    /// Whether measures move its order.
    pub(crate) fn is_measured(&self) -> bool {
        self.measured.as_ref().is_some_and(|measured| measured.live.is_some())
    }
}

/// Reports arguments of a selector that takes none.
fn refuse_arguments(name: &str, arguments: &Tree, context: &mut Context<'_, '_>) {
    if let Value::Map(entries) = &arguments.value {
        let idle = |(key, value): &&(Key, Tree)| &*key.text != name || !matches!(value.value, Value::Null);
        for (key, _) in entries.iter().filter(idle) {
            context.wrong(&key.at, format!("{name} takes no arguments"));
        }
    }
}

/// The JSON Schema of a selection.
pub(crate) fn schema() -> Json {
    let word =
        |selector: &&dyn Selector| json!({ "const": selector.name(), "description": selector.about() });
    let words = SELECTORS.iter().map(word);
    let long = SELECTORS.iter().map(|selector| {
        let mut schema = selector.schema();
        schema["description"] = json!(selector.about());
        schema
    });
    json!({ "oneOf": words.chain(long).collect::<Vec<_>>() })
}
