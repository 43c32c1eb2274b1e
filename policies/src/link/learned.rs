//! `model`: links by a score that was learned.
//!
//! The file is what `rhumb train` writes. It is read with the policy, and a
//! file that is wrong refuses the policy, like any other. In `mode: shadow` it
//! answers nobody: the selector under `live:` does, and what the model would
//! have done is kept beside it. With `retrain:` the server goes on learning
//! from what it measures; the file is then where it starts.

use std::sync::Arc;
use std::time::Duration;

use rhumb_zones::{Location, Read, Reader, Spanned, Tree, Value, spec};
use serde_json::{Value as Json, json};

use super::measured::{Calm, CalmKeys, Entry};
use super::model::LinkModel;
use super::sample::{Sample, read_samples};
use super::{Measured, SELECTORS, Scorer, Selection, Selector, formula};
use crate::plugin::Context;

pub(super) struct Learned;

/// A model, and how it is to go on learning.
#[derive(Clone, Debug)]
pub struct ModelFile {
    /// The file's name, as it was found.
    pub name: Arc<str>,
    /// What the file says.
    pub model: Arc<LinkModel>,
    /// How it is retrained, if it is.
    pub retrain: Option<Retrain>,
}

/// How a model is retrained.
#[derive(Clone, Debug)]
pub struct Retrain {
    /// From one training to the next.
    pub every: Duration,
    /// How long what was measured is kept.
    pub keep: Duration,
    /// What operators labelled.
    pub labels: Arc<[Sample]>,
}

spec! {
    /// By a learned model.
    struct Keys {
        /// The model: a file that `rhumb train` wrote, relative to this one.
        model: Spanned<Source>,
        /// Whether it answers, or is only watched.
        mode: Option<Mode>,
        /// Who answers while a model is only watched: another selector, by name.
        live: Option<Spanned<Arc<str>>>,
        /// How it goes on learning.
        retrain: Option<Spanned<RetrainKeys>>,
        ..calm: CalmKeys,
    }
}

spec! {
    /// What a model is for.
    enum Mode {
        /// It answers.
        Live,
        /// It is watched, and another selector answers.
        Shadow,
    }
}

spec! {
    /// A model's file and what it is for.
    struct SourceKeys {
        /// The file.
        file: Arc<str>,
        /// Whether it answers, or is only watched.
        mode: Option<Mode>,
    }
}

spec! {
    /// How a model goes on learning.
    struct RetrainKeys {
        /// From one training to the next.
        every: Duration = DAY,
        /// How long what was measured is kept.
        keep: Duration = DAY * 30,
        /// Decisions that people labelled: a CSV file as `rhumb train` takes it.
        labels: Option<Spanned<Arc<str>>>,
    }
}

/// What the bare word `model` names.
const DEFAULT_FILE: &str = "links.model";

const DAY: Duration = Duration::from_secs(86_400);

/// Training takes seconds of a core: more often would be load, and new windows
/// come every five minutes only.
const MIN_EVERY: Duration = Duration::from_secs(600);

/// A model's file, or that and what it is for.
#[derive(Clone, Debug)]
struct Source {
    file: Arc<str>,
    mode: Option<Mode>,
}

impl Read for Source {
    fn read(tree: &Tree, reader: &mut Reader<'_>) -> Option<Self> {
        match tree.value {
            Value::Map(_) => {
                SourceKeys::read(tree, reader).map(|SourceKeys { file, mode }| Self { file, mode })
            }
            _ => Arc::read(tree, reader).map(|file| Self { file, mode: None }),
        }
    }

    fn schema() -> Json {
        json!({ "anyOf": [<Arc<str>>::schema(), SourceKeys::schema()] })
    }
}

impl Selector for Learned {
    fn name(&self) -> &'static str {
        "model"
    }

    fn about(&self) -> &'static str {
        "By a learned model."
    }

    fn schema(&self) -> Json {
        let mut schema = Keys::schema();
        schema["properties"]["across"] = json!({ "const": "datacenters" });
        schema
    }

    fn read(&self, arguments: &Tree, context: &mut Context<'_, '_>) -> Option<Selection> {
        let answers = |scorer, calm| {
            let measured = Measured { live: Some(scorer), shadow: None, calm };
            Selection { measured: Some(measured), ..Selection::fixed(Entry) }
        };
        if !matches!(arguments.value, Value::Map(_)) {
            let scorer = scorer(&arguments.at, (DEFAULT_FILE, None), context)?;
            return Some(answers(scorer, Calm::default()));
        }
        let Keys { model: Spanned { at, value: source }, mode, live, retrain, calm } =
            context.read(arguments)?;
        let retrain = retrain.and_then(|retrain| self.retrain(retrain, context));
        let scorer = scorer(&at, (&source.file, retrain), context)?;
        let calm = Calm::new(calm, context);
        let is_watched = mode.or(source.mode) == Some(Mode::Shadow);
        if !is_watched {
            if let Some(live) = live {
                context.wrong(&live.at, "live is who answers in mode: shadow");
            }
            return Some(answers(scorer, calm));
        }
        let below = live.map_or_else(|| Some(formula::selection()), |live| self.below(&live, context))?;
        let live = below.measured.and_then(|measured| measured.live);
        Some(Selection {
            measured: Some(Measured { live, shadow: Some(scorer), calm }),
            is_said: true,
            ..below
        })
    }
}

impl Learned {
    /// The selector that answers while a model is watched.
    fn below(&self, live: &Spanned<Arc<str>>, context: &mut Context<'_, '_>) -> Option<Selection> {
        let known = SELECTORS.iter().find(|known| known.name() == &*live.value);
        match known.filter(|known| known.name() != self.name()) {
            Some(selector) => selector.read(&Tree { at: live.at.clone(), value: Value::Null }, context),
            None => {
                context.wrong(&live.at, "live must be formula, carrier, priority or weighted");
                None
            }
        }
    }

    fn retrain(&self, keys: Spanned<RetrainKeys>, context: &mut Context<'_, '_>) -> Option<Retrain> {
        let Spanned { at, value: RetrainKeys { every, keep, labels } } = keys;
        if every < MIN_EVERY {
            context.wrong(&at, "every must be at least 10m");
        }
        if keep < every {
            context.wrong(&at, "keep must not be shorter than every");
        }
        let labels = match labels {
            Some(Spanned { at, value: path }) => {
                let (name, bytes) = open(&at, &path, context)?;
                match read_samples(&name, &bytes) {
                    Ok(samples) => samples,
                    Err(wrong) => {
                        context.append(wrong);
                        return None;
                    }
                }
            }
            None => Vec::new(),
        };
        Some(Retrain { every, keep, labels: labels.into() })
    }
}

/// The model of a file that the policy names at `at`.
fn scorer(
    at: &Location,
    (file, retrain): (&str, Option<Retrain>),
    context: &mut Context<'_, '_>,
) -> Option<Scorer> {
    let (name, bytes) = open(at, file, context)?;
    let model =
        LinkModel::parse(&bytes).map_err(|error| context.wrong(at, format!("{name}: {error}"))).ok()?;
    Some(Scorer::Model(Arc::new(ModelFile { name: name.into(), model: Arc::new(model), retrain })))
}

/// The resolved name and the content of a file that the policy names at `at`.
fn open(at: &Location, path: &str, context: &mut Context<'_, '_>) -> Option<(String, Vec<u8>)> {
    let read = context.files.read(&at.file, path);
    read.map_err(|error| context.wrong(at, format!("{path}: {error}"))).ok()
}
