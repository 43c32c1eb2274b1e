//! Link selection: in which order a datacenter's links suit a client.
//!
//! Steering has chosen datacenters; a selector orders the VIPs within each by
//! a key, lowest first. A client group's `prefer:` comes before the selector:
//! what operators say of these clients beats what is true of all. VIPs still
//! tied stay in declaration order, unless the selector draws.
//!
//! Every selector is a plugin: one file behind [`Selector`], one line in
//! [`SELECTORS`]. Those that need measured links are known by name and stand
//! for `priority`, with a warning, as long as there is no link model.

mod carrier;
pub mod drift;
pub mod evaluate;
pub mod feature;
pub mod gate;
pub mod model;
mod priority;
pub mod sample;
pub mod train;
mod utility;
mod weighted;

use std::fmt;

use rhumb_zones::{Key, LinkSelection, Plugin, Reader, Tree, Value};
use serde_json::{Map, Value as Json, json};

use crate::layout::Egress;
use crate::lottery::Seed;
use crate::view::View;

/// Every link selector.
pub(crate) static SELECTORS: [&dyn Selector; 3] =
    [&priority::Priority, &carrier::Carrier, &weighted::Weighted];

/// Selectors that need the link model.
pub(crate) const MEASURED: [&str; 2] = ["formula", "model"];

/// A link selector; none takes arguments.
pub(crate) trait Selector: Sync {
    /// As operators write it.
    fn name(&self) -> &'static str;

    /// What it does, in a line.
    fn about(&self) -> &'static str;

    /// What it does, ready to use.
    fn selection(&self) -> Selection;
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
}

impl Selection {
    /// Reads a selection; one that cannot be read is reported and stands for
    /// `priority`.
    pub(crate) fn read(said: &LinkSelection, reader: &mut Reader<'_>) -> Self {
        let LinkSelection { selector, across_datacenters } = said;
        let Some(plugin) = selector else {
            return Self { is_said: false, ..priority::Priority.selection() };
        };
        reader.inside("link-selection", |reader| {
            if *across_datacenters {
                reader.warn(
                    &plugin.at,
                    "across needs the link model; until there is one, each datacenter's links are ranked",
                );
            }
            find(plugin, reader).unwrap_or(&priority::Priority).selection()
        })
    }
}

fn find(plugin: &Plugin, reader: &mut Reader<'_>) -> Option<&'static dyn Selector> {
    let known: Vec<_> = SELECTORS.iter().map(|selector| selector.name()).chain(MEASURED).collect();
    let name = plugin.among(&known, reader)?;
    if MEASURED.contains(&name) {
        reader.warn(&plugin.at, format!("{name} needs the link model; until there is one, priority is used"));
        return None;
    }
    if let Value::Map(entries) = &plugin.arguments.value {
        let idle = |(key, value): &&(Key, Tree)| &*key.text != name || !matches!(value.value, Value::Null);
        for (key, _) in entries.iter().filter(idle) {
            reader.wrong(&key.at, format!("{name} takes no arguments"));
        }
    }
    SELECTORS.iter().find(|selector| selector.name() == name).copied()
}

/// The JSON Schema of a selection.
pub(crate) fn schema() -> Json {
    let word = |name, about| json!({ "const": name, "description": about });
    let words = SELECTORS.iter().map(|selector| word(selector.name(), selector.about()));
    let measured = MEASURED.iter().map(|name| word(name, "By the link model."));
    let mut keys: Map<_, _> =
        SELECTORS.iter().map(|one| (one.name().to_owned(), json!({ "type": "null" }))).collect();
    keys.extend(MEASURED.iter().map(|&name| (name.to_owned(), json!(true))));
    keys.insert("mode".to_owned(), json!({ "type": "string" }));
    keys.insert("across".to_owned(), json!({ "const": "datacenters" }));
    let long = json!({ "type": "object", "properties": keys, "additionalProperties": false });
    json!({ "oneOf": words.chain(measured).chain([long]).collect::<Vec<_>>() })
}
