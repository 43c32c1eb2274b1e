//! Policy files → [`Model`].
//!
//! The files of a world are read together: any of them may declare a
//! datacenter, a check or a rule, and each document with `zone:` declares
//! one zone. The way is bytes → [`Tree`] → specs (`file`, as written) →
//! one world (`world`, each noun once) → [`Model`] (`resolve`, ids and
//! defaults).
//!
//! Everything that is wrong is reported at once, and a model comes out all
//! the same, so that those who own plugins can add what they find wrong with
//! their arguments. Nobody may serve it when [`Diagnostics::refuse`] says no.

mod check;
mod defaults;
mod dnssec;
mod file;
mod forms;
mod keys;
mod resolve;
mod steer;
mod transfer;
mod world;

use std::net::IpAddr;
use std::sync::Arc;

use self::file::Document;
use self::resolve::Context;
use crate::diagnostic::Diagnostics;
use crate::files::Files;
use crate::model::Model;
use crate::read::{KeyInfo, Read, Spec, read};
use crate::tree::Tree;

/// The keys that probes of every kind have.
#[must_use]
pub fn probe_keys() -> Vec<KeyInfo> {
    keys::ProbeKeys::keys()
}

/// The JSON Schema of a document, without what plugins accept.
pub(crate) fn document_schema() -> serde_json::Value {
    Document::schema()
}

/// One policy file.
#[derive(Clone, Debug)]
pub struct Source {
    /// Its path, as diagnostics show it and [`Files`] resolves others from.
    pub path: Arc<str>,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// What loading depends on besides files.
#[derive(Clone, Debug, Default)]
pub struct LoadOptions {
    /// The server's own addresses: those of the name server `ns1` of zones
    /// that declare none.
    pub server_addresses: Vec<IpAddr>,
}

/// What came of loading.
#[derive(Debug)]
pub struct Loaded {
    /// The world, without what is wrong in it.
    pub model: Model,
    /// What is wrong, sorted by place.
    pub diagnostics: Diagnostics,
}

/// Reads the files of one world.
///
/// Zone files and prefix lists that they name come from `files`.
#[must_use]
pub fn load(sources: &[Source], files: &dyn Files, options: &LoadOptions) -> Loaded {
    let mut out = Diagnostics::default();
    let mut documents: Vec<Document> = Vec::new();
    for source in sources {
        for tree in Tree::parse(&source.path, &source.bytes, &mut out) {
            documents.extend(read(&tree, ["policy", ""], &mut out));
        }
    }
    let world = world::gather(documents, &mut out);
    let context = Context { files, server_addresses: &options.server_addresses, out: &mut out };
    let model = resolve::resolve(world, context);
    out.sort();
    Loaded { model, diagnostics: out }
}
